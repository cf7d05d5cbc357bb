/// Order statistics of one measured quantity, in the unit of its values. Same keys as the peers'
/// benchmarks.
struct Distribution: Encodable {
    var p50: Double
    var p99: Double
    var min: Double
    var max: Double
    var n: Int

    init(_ values: [Double]) {
        let sorted = values.sorted()
        func quantile(_ p: Double) -> Double {
            sorted[Swift.min(sorted.count - 1, Int(p * Double(sorted.count)))]
        }
        p50 = sorted.isEmpty ? .nan : quantile(0.5)
        p99 = sorted.isEmpty ? .nan : quantile(0.99)
        min = sorted.first ?? .nan
        max = sorted.last ?? .nan
        n = sorted.count
    }
}

/// Repetitions of one measurement: the first is cold, the median is over the rest.
struct Repetitions: Encodable {
    var cold: Double
    var median: Double
    var min: Double
    var max: Double
    var n_warm: Int

    init(_ values: [Double]) {
        let warm = (values.count > 1 ? Array(values.dropFirst()) : values).sorted()
        let middle = warm.count / 2
        cold = values.first ?? .nan
        median = warm.count % 2 == 1 ? warm[middle] : (warm[middle - 1] + warm[middle]) / 2
        min = warm.first ?? .nan
        max = warm.last ?? .nan
        n_warm = warm.count
    }
}

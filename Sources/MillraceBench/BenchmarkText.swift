import Foundation
import MillraceBase
import MillraceExecutor

/// The text whose words are counted: a file that is there, or one made for this run and deleted
/// with the value. Like the peers' `gen_text.py`: lines of ten words out of 100 000 of 3 to 12
/// letters, the k-th as likely as 1/k; another random generator, so other words.
final class BenchmarkText {
    let path: String
    let bytes: Int
    private let isOurs: Bool

    init(path: String?, megabytes: Int) throws {
        if let path {
            guard let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
            else { throw MillraceError(.notFound, "--path \(path) is not a file") }
            (self.path, bytes, isOurs) = (path, size, false)
            return
        }
        let made = URL(fileURLWithPath: NSTemporaryDirectory())
            .appendingPathComponent("millrace-bench-\(UUID().uuidString).txt").path
        bytes = try Self.write(made, megabytes: megabytes)
        (self.path, isOurs) = (made, true)
    }

    deinit {
        if isOurs { try? FileManager.default.removeItem(atPath: path) }
    }

    private static let vocabulary = 100_000
    private static let wordsPerLine = 10

    private static func write(_ path: String, megabytes: Int) throws -> Int {
        guard let file = fopen(path, "w") else {
            throw MillraceError(.system, "cannot make \(path): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var random = SplitMix64(seed: 42)
        let words = vocabulary(&random)
        let choice = WeightedChoice((1...words.count).map { 1 / Double($0) })
        var written = 0
        var piece: [UInt8] = []
        while written < megabytes * 1_000_000 {
            piece.removeAll(keepingCapacity: true)
            while piece.count < 1 << 20 {
                for column in 1...wordsPerLine {
                    piece.append(contentsOf: words[choice.next(&random)])
                    piece.append(column == wordsPerLine ? 0x0A : 0x20)
                }
            }
            guard fwrite(piece, 1, piece.count, file) == piece.count else {
                throw MillraceError(.system, "cannot write \(path)")
            }
            written += piece.count
        }
        return written
    }

    private static func vocabulary(_ random: inout SplitMix64) -> [[UInt8]] {
        var seen: Set<[UInt8]> = []
        var words: [[UInt8]] = []
        while words.count < vocabulary {
            let word = (0..<Int.random(in: 3...12, using: &random)).map { _ in
                UInt8.random(in: 0x61...0x7A, using: &random)
            }
            if seen.insert(word).inserted { words.append(word) }
        }
        return words
    }
}

/// Draws numbers with given weights in constant time (Walker's alias method).
private struct WeightedChoice {
    private var limits: [Double]
    private var others: [Int]

    init(_ weights: [Double]) {
        let mean = weights.reduce(0, +) / Double(weights.count)
        limits = weights.map { $0 / mean }
        others = Array(weights.indices)
        var small = weights.indices.filter { limits[$0] < 1 }
        var large = weights.indices.filter { limits[$0] >= 1 }
        while let low = small.popLast(), let high = large.last {
            others[low] = high
            limits[high] -= 1 - limits[low]
            if limits[high] < 1 {
                large.removeLast()
                small.append(high)
            }
        }
    }

    func next(_ random: inout SplitMix64) -> Int {
        let place = Int(truncatingIfNeeded: random.next() % UInt64(limits.count))
        return random.nextUnit() < limits[place] ? place : others[place]
    }
}

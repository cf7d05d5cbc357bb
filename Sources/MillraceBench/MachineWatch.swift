import Foundation

/// What the machine did while a benchmark ran: our processes' peak memory and CPU, and how much of
/// the machine others took. A run with more than a tenth foreign CPU wants repeating.
final class MachineWatch {
    struct Report: Encodable {
        var wall_s: Double
        var own_cpu_s: Double
        var foreign_cpu_frac: Double
        var steal_frac: Double
        var load_after: Double
        var peak_rss_mb: [String: [Int]]
        var ncpu: Int
    }

    private let start = ContinuousClock.now
    private let machineBefore = MachineWatch.machineSeconds()
    private let ownBefore = MachineWatch.treeSeconds()

    func report() -> Report {
        let wall = (ContinuousClock.now - start) / .seconds(1)
        let machine = Self.machineSeconds()
        let own = Self.treeSeconds() - ownBefore
        let cores = Double(ProcessInfo.processInfo.processorCount)
        let foreign = max(0, machine.busy - machineBefore.busy - own) / (wall * cores)
        return Report(
            wall_s: wall, own_cpu_s: own, foreign_cpu_frac: foreign,
            steal_frac: (machine.stolen - machineBefore.stolen) / (wall * cores),
            load_after: Double(Self.read("/proc/loadavg").split(separator: " ").first ?? "0") ?? 0,
            peak_rss_mb: Self.peakMegabytes(), ncpu: Int(cores))
    }

    private static let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))

    private static func read(_ path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }

    private static func machineSeconds() -> (busy: Double, stolen: Double) {
        let fields = read("/proc/stat").prefix { $0 != "\n" }.split(separator: " ").dropFirst()
            .compactMap { Double($0) }
        guard fields.count > 7 else { return (0, 0) }
        return (
            (fields[0] + fields[1] + fields[2] + fields[5] + fields[6]) / ticks, fields[7] / ticks
        )
    }

    /// This process and its children.
    private static func tree() -> [(process: Int, isDriver: Bool)] {
        let own = Int(getpid())
        let children = read("/proc/\(own)/task/\(own)/children").split(separator: " ")
            .compactMap { Int($0) }
        // Children belong to the thread that started them, so every thread is asked.
        let threads =
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(own)/task")) ?? []
        let all = Set(
            children
                + threads.flatMap { thread in
                    read("/proc/\(own)/task/\(thread)/children").split(separator: " ")
                        .compactMap { Int($0) }
                })
        return [(own, true)] + all.sorted().map { ($0, false) }
    }

    private static func treeSeconds() -> Double {
        tree().map { process, _ in
            let stat = read("/proc/\(process)/stat")
            guard let end = stat.lastIndex(of: ")") else { return 0 }
            let fields = stat[end...].split(separator: " ").dropFirst()
            let values = fields.compactMap { Double($0) }
            // utime and stime are the 14th and 15th field of the whole line, the state is the only
            // word left out.
            return values.count > 11 ? (values[10] + values[11]) / ticks : 0
        }.reduce(0, +)
    }

    private static func peakMegabytes() -> [String: [Int]] {
        var peaks: [String: [Int]] = [:]
        for (process, isDriver) in tree() {
            let line = read("/proc/\(process)/status").split(separator: "\n")
                .first { $0.hasPrefix("VmHWM") }
            let kilobytes = line?.split(separator: " ").compactMap { Int($0) }.first ?? 0
            peaks[isDriver ? "driver" : "executor", default: []].append(kilobytes / 1024)
        }
        return peaks
    }
}

import Glibc
import MillraceBase
import MillraceCore
import MillraceExecutor

/// `rowsPerSecond` rows each second. Spark's `rate`: the same offsets (seconds since the first
/// start), values and timestamps.
struct RateSourceProvider: StreamSourceProvider {
    var rowsPerSecond: Int64
    var rampUpSeconds: Int64
    var partitions: Int

    func open(_ place: SourcePlace) throws -> any MicroBatchSource {
        let text = try place.kept { String(StreamClock.now().wallMs) }
        return RateSource(self, creationMs: try IntegerOffset.value(text, of: "the rate source"))
    }
}

final class RateSource: MicroBatchSource {
    private let settings: RateSourceProvider
    private let creationMs: Int64
    private var target: Int64?
    private var lastSeconds: Int64 = 0

    init(_ settings: RateSourceProvider, creationMs: Int64) {
        self.settings = settings
        self.creationMs = creationMs
    }

    var description: String {
        "RateStreamV2[rowsPerSecond=\(settings.rowsPerSecond), "
            + "rampUpTimeSeconds=\(settings.rampUpSeconds), "
            + "numPartitions=\(settings.partitions)"
    }
    func initialOffset() -> String { "0" }
    var newestOffset: String? { String(lastSeconds) }

    func latestOffset(from start: String) throws -> String? {
        lastSeconds = max(target ?? seconds(), lastSeconds)
        return lastSeconds > (try IntegerOffset.value(start, of: description))
            ? String(lastSeconds) : nil
    }
    func prepareAvailableNow(from start: String) { target = seconds() }

    /// What has come since, up to now.
    func backlog(after end: String, rows: Int64) -> Int64? {
        guard let end = Int64(end), let now = try? value(at: target ?? seconds()),
            let read = try? value(at: end)
        else { return nil }
        return max(now - read, 0)
    }

    private func seconds() -> Int64 { max(StreamClock.now().wallMs - creationMs, 0) / 1000 }

    func plan(from start: String, to end: String) throws -> [[UInt8]] {
        let from = try IntegerOffset.value(start, of: description)
        let to = try IntegerOffset.value(end, of: description)
        let first = try value(at: from)
        let last = try value(at: to)
        let spacing = last > first ? Double((to - from) * 1000) / Double(last - first) : 0
        return (0..<settings.partitions).map { partition in
            RateRows.Input(
                first: first + Int64(partition), end: last, step: Int64(settings.partitions),
                origin: first, startMs: creationMs + from * 1000, msPerValue: spacing
            ).encode()
        }
    }

    /// Values before that second. While the rate ramps up it grows by equal steps. Spark's
    /// `valueAtSecond`.
    private func value(at seconds: Int64) throws -> Int64 {
        let rate = settings.rowsPerSecond
        let ramp = settings.rampUpSeconds
        let (product, overflow) = rate.multipliedReportingOverflow(by: seconds)
        if overflow {
            throw MillraceError(
                .invalidArgument,
                "after \(seconds) seconds, \(rate) rows per second are more than Int64 holds")
        }
        let step = rate / (ramp + 1)
        if seconds <= ramp {
            let odd = seconds % 2 == 1
            return odd ? (seconds + 1) / 2 * seconds * step : seconds / 2 * (seconds + 1) * step
        }
        return try value(at: ramp) + (product - ramp * rate)
    }
}

/// `rowsPerBatch` rows in each batch, whatever the time. Spark's `rate-micro-batch`.
struct RatePerMicroBatchProvider: StreamSourceProvider {
    var rowsPerBatch: Int64
    var partitions: Int
    var startTimestampMs: Int64
    var advanceMs: Int64

    func open(_ place: SourcePlace) throws -> any MicroBatchSource { RatePerMicroBatchSource(self) }
}

final class RatePerMicroBatchSource: MicroBatchSource {
    private struct Offset {
        var offset: Int64
        var timestamp: Int64
        var json: String { "{\"offset\":\(offset),\"timestamp\":\(timestamp)}" }
    }
    private let settings: RatePerMicroBatchProvider
    private var target: Offset?

    init(_ settings: RatePerMicroBatchProvider) { self.settings = settings }

    var description: String {
        "RatePerMicroBatchStream[rowsPerBatch=\(settings.rowsPerBatch), "
            + "numPartitions=\(settings.partitions), "
            + "startTimestamp=\(settings.startTimestampMs), "
            + "advanceMsPerBatch=\(settings.advanceMs)]"
    }
    func initialOffset() -> String { Offset(offset: 0, timestamp: settings.startTimestampMs).json }

    func latestOffset(from start: String) throws -> String? {
        let start = try parse(start)
        let end = target ?? next(start)
        return end.offset > start.offset ? end.json : nil
    }
    func prepareAvailableNow(from start: String) throws { target = next(try parse(start)) }

    private func next(_ start: Offset) -> Offset {
        Offset(
            offset: start.offset.addingReportingOverflow(settings.rowsPerBatch).partialValue,
            timestamp: start.timestamp + settings.advanceMs)
    }

    func plan(from start: String, to end: String) throws -> [[UInt8]] {
        let start = try parse(start)
        let end = try parse(end)
        return (0..<settings.partitions).map { partition in
            RateRows.Input(
                first: start.offset + Int64(partition), end: end.offset,
                step: Int64(settings.partitions), origin: start.offset, startMs: start.timestamp,
                msPerValue: 0
            ).encode()
        }
    }

    private func parse(_ json: String) throws -> Offset {
        let value = try? JSONValue(parsing: json)
        guard let offset = value?["offset"]?.integerValue,
            let timestamp = value?["timestamp"]?.integerValue
        else {
            throw MillraceError(
                .incompatibleState,
                "\(json) is no offset of rate-micro-batch: {\"offset\":…,\"timestamp\":…} is "
                    + "expected"
            )
        }
        return Offset(offset: offset, timestamp: timestamp)
    }
}

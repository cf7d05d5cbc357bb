import MillraceBase
import MillraceExecutor
import MillraceWire

/// Each action runs a job and throws what it throws: `MillraceError.jobAborted` with the task's
/// error, `cancelled`, and, before anything runs, `notSerializable` for a row type without a codec
/// or a capture that cannot travel.
extension RDD {
    /// All rows, in the order of the partitions.
    public func collect() async throws -> [Element] {
        let codec = try RowCodec<Element>()
        let parts = try await context.runJob(
            "collect", node, CollectSink<Element>(), cacheKey: "collect")
        if parts.count == 1 { return try codec.rows(of: Array(parts[0])) }
        var rows: [Element] = []
        for part in parts { try codec.append(Array(part), to: &rows) }
        return rows
    }

    /// The number of rows.
    public func count() async throws -> Int {
        try await context.runJob("count", node, CountSink<Element>(), cacheKey: "count")
            .reduce(0) { $0 + (try CountSink<Element>.decode($1)) }
    }

    /// The first row. Throws `MillraceError.notFound` when there is none.
    public func first() async throws -> Element {
        guard let row = try await take(1).first else {
            throw MillraceError(.notFound, "first() of a dataset without rows")
        }
        return row
    }

    /// Whether there is no row.
    public func isEmpty() async throws -> Bool { try await take(1).isEmpty }

    /// The first `limit` rows. Looks at one partition first, then at four times as many as so far,
    /// or fewer when the rows found let it guess; Spark's rule (`spark.rdd.limit.scaleUpFactor` =
    /// 4).
    public func take(_ limit: Int) async throws -> [Element] {
        let codec = try RowCodec<Element>()
        var rows: [Element] = []
        var scanned = 0
        while rows.count < limit, scanned < numPartitions {
            var tries = 1
            if scanned > 0 {
                let most = scanned.multipliedReportingOverflow(by: 4)
                tries = most.overflow ? Int.max : most.partialValue
                if !rows.isEmpty {
                    let guess =
                        1.5 * Double(limit - rows.count) * Double(scanned) / Double(rows.count)
                    tries = Swift.min(tries, Swift.max(Int(Swift.min(guess.rounded(.up), 1e15)), 1))
                }
            }
            let end = tries > numPartitions - scanned ? numPartitions : scanned + tries
            let parts = try await context.runJob(
                "take", node, TakeSink<Element>(limit: limit - rows.count),
                partitions: Array(scanned..<end))
            for part in parts where rows.count < limit { try codec.append(Array(part), to: &rows) }
            scanned = end
        }
        if rows.count > limit { rows.removeLast(rows.count - limit) }
        return rows
    }

    /// What a kernel makes of each partition, in the order of the partitions.
    @inlinable func runReduce<Result>(
        _ name: String, partitions: [Int]? = nil,
        _ kernel: @escaping ReduceSink<Element, Result>.Kernel
    ) async throws -> [Result] {
        let codec = try RowCodec<Result>()
        let parts = try await context.runJob(
            name, node, ReduceSink<Element, Result>(kernel), partitions: partitions)
        var rows: [Result] = []
        for part in parts { try codec.append(Array(part), to: &rows) }
        return rows
    }

    /// All rows combined by an associative and commutative function. Throws
    /// `MillraceError.notFound` without rows.
    @inlinable public func reduce(
        _ combine: @escaping @Sendable (Element, Element) throws -> Element
    ) async throws -> Element {
        let parts: [Element] = try await runReduce("reduce") { _, rows in
            let chunk = RowBuffer<Element>()
            guard try rows.next(into: chunk) else { return [] }
            var result = chunk[0]
            for row in chunk.dropFirst() { result = try combine(result, row) }
            while try rows.next(into: chunk) {
                for row in chunk { result = try combine(result, row) }
            }
            return [result]
        }
        guard var result = parts.first else {
            throw MillraceError(.notFound, "reduce() of a dataset without rows")
        }
        for part in parts.dropFirst() { result = try combine(result, part) }
        return result
    }

    /// All rows combined, from `zero` in each partition and once more on the driver; so `zero` is
    /// to be neutral.
    @inlinable public func fold(
        _ zero: Element, _ combine: @escaping @Sendable (Element, Element) throws -> Element
    ) async throws -> Element where Element: Sendable {
        try await aggregate(zero, combine, combine)
    }

    /// Each partition folded from `zero` by `add`, the results folded from `zero` by `merge` in the
    /// order of the partitions.
    @inlinable public func aggregate<Result: Sendable>(
        _ zero: Result, _ add: @escaping @Sendable (Result, Element) throws -> Result,
        _ merge: @Sendable (Result, Result) throws -> Result
    ) async throws -> Result {
        let parts = try await runReduce("aggregate") { _, rows in
            var result = zero
            let chunk = RowBuffer<Element>()
            while try rows.next(into: chunk) {
                for row in chunk { result = try add(result, row) }
            }
            return [result]
        }
        var result = zero
        for part in parts { result = try merge(result, part) }
        return result
    }

    /// Calls `body` for each row, on the executors.
    @inlinable public func foreach(_ body: @escaping @Sendable (Element) throws -> Void)
        async throws
    {
        let _: [Int] = try await runReduce("foreach") { _, rows in
            let chunk = RowBuffer<Element>()
            while try rows.next(into: chunk) {
                for row in chunk { try body(row) }
            }
            return []
        }
    }

    /// Calls `body` for each partition, on the executors.
    @inlinable public func foreachPartition(
        _ body: @escaping @Sendable (Rows<Element>) throws -> Void
    ) async throws {
        let _: [Int] = try await runReduce("foreachPartition") { _, cursor in
            let rows = Rows(cursor)
            try body(rows)
            try rows.failure.check()
            return []
        }
    }

    /// The `limit` rows that come first in the order of `areInIncreasingOrder`, sorted.
    @inlinable public func takeOrdered(
        _ limit: Int, by areInIncreasingOrder: @escaping @Sendable (Element, Element) throws -> Bool
    ) async throws -> [Element] {
        if limit <= 0 { return [] }
        var rows = try await runReduce("takeOrdered") { _, cursor in
            var best: [Element] = []
            let chunk = RowBuffer<Element>()
            while try cursor.next(into: chunk) {
                best.append(contentsOf: chunk)
                // Sorting whenever as many again have come costs log(limit) per row and needs no
                // heap.
                if best.count > Swift.max(2 * limit, 4 * Chunk.rows) {
                    try best.sort(by: areInIncreasingOrder)
                    best.removeLast(best.count - limit)
                }
            }
            try best.sort(by: areInIncreasingOrder)
            return Array(best.prefix(limit))
        }
        try rows.sort(by: areInIncreasingOrder)
        return Array(rows.prefix(limit))
    }

    /// The `limit` rows that come last in the order of `areInIncreasingOrder`, the last one first.
    @inlinable public func top(
        _ limit: Int, by areInIncreasingOrder: @escaping @Sendable (Element, Element) throws -> Bool
    ) async throws -> [Element] {
        try await takeOrdered(limit) { try areInIncreasingOrder($1, $0) }
    }

    /// Each row with its number, counted over the partitions in order. Runs a job when there is
    /// more than one partition, to count the rows of all partitions but the last.
    public func zipWithIndex() async throws -> RDD<(Element, Int)> {
        var starts = [0]
        if numPartitions > 1 {
            let counts = try await context.runJob(
                "zipWithIndex", node, CountSink<Element>(), cacheKey: "count",
                partitions: Array(0..<(numPartitions - 1)))
            for count in counts {
                starts.append(starts[starts.count - 1] + (try CountSink<Element>.decode(count)))
            }
        }
        let first = starts
        return RDD<(Element, Int)>(
            context: context,
            node: RDDNode(
                context: context, name: "zipWithIndex", partitions: numPartitions,
                op: ZipWithIndex<Element>(), dependencies: [.oneToOne(node)],
                input: { SourceInput.write(first[$0], into: &$1) }, isOrderSensitive: true))
    }
}

extension RDD where Element: Comparable & SendableMetatype {
    /// The `limit` smallest rows, sorted.
    @inlinable public func takeOrdered(_ limit: Int) async throws -> [Element] {
        try await takeOrdered(limit) { $0 < $1 }
    }
    /// The `limit` largest rows, the largest first.
    @inlinable public func top(_ limit: Int) async throws -> [Element] {
        try await takeOrdered(limit) { $0 > $1 }
    }
    /// The largest row. Throws `MillraceError.notFound` without rows.
    @inlinable public func max() async throws -> Element { try await reduce { $0 < $1 ? $1 : $0 } }
    /// The smallest row. Throws `MillraceError.notFound` without rows.
    @inlinable public func min() async throws -> Element { try await reduce { $1 < $0 ? $1 : $0 } }
}

extension RDD where Element: AdditiveArithmetic & Sendable {
    /// The sum of all rows; zero without rows. Overflow traps as `+` does.
    @inlinable public func sum() async throws -> Element {
        try await aggregate(.zero, { $0 + $1 }, { $0 + $1 })
    }
}

import MillraceBase

/// One line of the live table, out of a query's progress (Spark's JSON).
struct ProgressRow {
    var batch: Int
    var inputRows: Int
    var inputRate: Double
    var processedRate: Double
    var milliseconds: Int
    var stateRows: Int
    /// Sum of the source's end offsets over its partitions: lines that are counted.
    var linesDone: Int

    init?(_ progress: JSONValue) {
        guard let batch = progress["batchId"]?.integerValue else { return nil }
        self.batch = Int(batch)
        inputRows = Int(progress["numInputRows"]?.integerValue ?? 0)
        inputRate = progress["inputRowsPerSecond"]?.doubleValue ?? 0
        processedRate = progress["processedRowsPerSecond"]?.doubleValue ?? 0
        milliseconds = Int(progress["durationMs"]?["triggerExecution"]?.integerValue ?? 0)
        stateRows = Int(
            progress["stateOperators"]?.arrayValue?.first?["numRowsTotal"]?.integerValue ?? 0)
        let offsets = progress["sources"]?.arrayValue?.first?["endOffset"]
        linesDone =
            offsets?.objectValue?.members.reduce(0) { sum, topic in
                sum
                    + (topic.value.objectValue?.members ?? []).reduce(0) {
                        $0 + Int($1.value.integerValue ?? 0)
                    }
            } ?? 0
    }

    static let header = " batch   rows  input rows/s  processed rows/s  batch ms  state rows"

    var text: String {
        func column(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        return column("\(batch)", 6) + column("\(inputRows)", 7)
            + column("\(Int(inputRate.rounded()))", 14)
            + column("\(Int(processedRate.rounded()))", 18)
            + column("\(milliseconds)", 10) + column("\(stateRows)", 12)
    }
}

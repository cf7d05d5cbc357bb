import MillraceBase

/// Spark's text. Rates have one digit, rounded half up; a rate that is no number is left out, and
/// so are maps without entries; maps are sorted by key; an offset that is JSON is shown as such.
extension StreamingQueryProgress: CustomStringConvertible {
    /// One line.
    public var json: String { jsonValue.compact }
    /// For people: two spaces per level.
    public var prettyJson: String { jsonValue.pretty }
    public var description: String { prettyJson }

    public var jsonValue: JSONValue {
        var object = JSONObject()
        object["id"] = .string(id)
        object["runId"] = .string(runId)
        object["name"] = name.map { .string($0) } ?? .null
        object["timestamp"] = .string(timestamp)
        object["batchId"] = .integer(Int64(batchId))
        object["batchDuration"] = .integer(batchDuration.nanoseconds / 1_000_000)
        object["numInputRows"] = .integer(numInputRows)
        object["inputRowsPerSecond"] = rate(inputRowsPerSecond)
        object["processedRowsPerSecond"] = rate(processedRowsPerSecond)
        var durations = JSONObject()
        for phase in TriggerPhase.allCases {
            guard let duration = times[phase] else { continue }
            durations[phase.rawValue] = .integer(duration.nanoseconds / 1_000_000)
        }
        object["durationMs"] = nonEmpty(durations)
        object["eventTime"] = map(eventTime) { .string($0) }
        object["stateOperators"] = .array(stateOperators.map(\.jsonValue))
        object["sources"] = .array(sources.map(\.jsonValue))
        object["sink"] = sink.jsonValue
        return .object(object)
    }
}

extension StateOperatorProgress {
    public var jsonValue: JSONValue {
        var object = JSONObject()
        object["operatorName"] = .string(operatorName)
        object["numRowsTotal"] = .integer(numRowsTotal)
        object["numRowsUpdated"] = .integer(numRowsUpdated)
        object["allUpdatesTimeMs"] = .integer(allUpdatesTimeMs)
        object["numRowsRemoved"] = .integer(numRowsRemoved)
        object["allRemovalsTimeMs"] = .integer(allRemovalsTimeMs)
        object["commitTimeMs"] = .integer(commitTimeMs)
        object["memoryUsedBytes"] = .integer(memoryUsedBytes)
        object["numRowsDroppedByWatermark"] = .integer(numRowsDroppedByWatermark)
        object["numShufflePartitions"] = .integer(numShufflePartitions)
        object["numStateStoreInstances"] = .integer(numStateStoreInstances)
        object["customMetrics"] = map(customMetrics) { .integer($0) }
        return .object(object)
    }
}

extension SourceProgress {
    public var jsonValue: JSONValue {
        var object = JSONObject()
        object["description"] = .string(description)
        object["startOffset"] = offset(startOffset)
        object["endOffset"] = offset(endOffset)
        object["latestOffset"] = offset(latestOffset)
        object["numInputRows"] = .integer(numInputRows)
        object["inputRowsPerSecond"] = rate(inputRowsPerSecond)
        object["processedRowsPerSecond"] = rate(processedRowsPerSecond)
        object["metrics"] = map(metrics) { .string($0) }
        return .object(object)
    }
}

extension SinkProgress {
    public var jsonValue: JSONValue {
        var object = JSONObject()
        object["description"] = .string(description)
        object["numOutputRows"] = .integer(numOutputRows)
        object["metrics"] = map(metrics) { .string($0) }
        return .object(object)
    }
}

/// One decimal digit, half up; nil for what is no number.
private func rate(_ value: Double) -> JSONValue? {
    guard value.isFinite else { return nil }
    return .double((value * 10 + 0.5).rounded(.down) / 10)
}

private func offset(_ text: String?) -> JSONValue {
    guard let text else { return .null }
    return (try? JSONValue(parsing: text)) ?? .string(text)
}

private func nonEmpty(_ object: JSONObject) -> JSONValue? { object.isEmpty ? nil : .object(object) }

private func map<Value>(
    _ values: [String: Value], _ json: (Value) -> JSONValue
) -> JSONValue? {
    nonEmpty(JSONObject(values.sorted { $0.key < $1.key }.map { ($0.key, json($0.value)) }))
}

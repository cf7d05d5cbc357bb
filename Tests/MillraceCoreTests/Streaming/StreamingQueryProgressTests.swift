import MillraceBase
import MillraceCore
import Testing

@Suite struct StreamingQueryProgressTests {
    private func progress() -> StreamingQueryProgress {
        var times = TriggerTimes()
        times[.walCommit] = .microseconds(1_900)
        times[.addBatch] = .milliseconds(12)
        times[.triggerExecution] = .milliseconds(20)
        var state = StateOperatorProgress(operatorName: "stateStoreSave")
        state.numRowsTotal = 2
        state.customMetrics = ["b": 2, "a": 1]
        return StreamingQueryProgress(
            id: "8ec9b1f4-0000-4000-8000-000000000000",
            runId: "8ec9b1f4-0000-4000-8000-000000000001", name: nil,
            timestampMs: 1_481_741_124_873, batchId: 7, batchDuration: .milliseconds(20),
            times: times,
            stateOperators: [state],
            sources: [
                SourceProgress(
                    description: "KafkaV2[Subscribe[lines]]", startOffset: nil,
                    endOffset: #"{"lines":{"0":10}}"#, latestOffset: "not JSON", numInputRows: 678,
                    inputRowsPerSecond: .infinity, processedRowsPerSecond: 33.25)
            ], sink: SinkProgress(description: "ConsoleTable", numOutputRows: 3))
    }

    @Test func theTextIsSparksFieldForField() {
        #expect(
            progress().json
                == #"{"id":"8ec9b1f4-0000-4000-8000-000000000000","#
                + #""runId":"8ec9b1f4-0000-4000-8000-000000000001","#
                + #""name":null,"timestamp":"2016-12-14T18:45:24.873Z","#
                + #""batchId":7,"batchDuration":20,"#
                + #""numInputRows":678,"processedRowsPerSecond":33.3,"#
                + #""durationMs":{"addBatch":12,"triggerExecution":20,"walCommit":1},"#
                + #""stateOperators":[{"operatorName":"stateStoreSave","#
                + #""numRowsTotal":2,"numRowsUpdated":0,"#
                + #""allUpdatesTimeMs":0,"numRowsRemoved":0,"#
                + #""allRemovalsTimeMs":0,"commitTimeMs":0,"#
                + #""memoryUsedBytes":0,"numRowsDroppedByWatermark":0,"numShufflePartitions":0,"#
                + #""numStateStoreInstances":0,"customMetrics":{"a":1,"b":2}}],"#
                + #""sources":[{"description":"KafkaV2[Subscribe[lines]]","startOffset":null,"#
                + #""endOffset":{"lines":{"0":10}},"latestOffset":"not JSON","numInputRows":678,"#
                + #""processedRowsPerSecond":33.3}],"#
                + #""sink":{"description":"ConsoleTable","numOutputRows":3}}"#)
    }

    @Test func thePrettyTextIsIndented() {
        #expect(progress().prettyJson.hasPrefix("{\n  \"id\" : \"8ec9b1f4"))
        #expect(progress().durationMs == ["addBatch": 12, "triggerExecution": 20, "walCommit": 1])
    }
}

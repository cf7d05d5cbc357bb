import MillraceBase
import MillraceCore
import MillraceExecutor

/// What is told of a batch.
extension StreamingQueryRunner {
    /// Who has which partition of the state in memory: the next batch goes there.
    func noteOwners(_ report: JobReport) {
        if folders.isEmpty { return }
        var found = [[ExecutorID]](repeating: [], count: spec.context.statePartitions)
        for task in report.tasks {
            guard let executor = task.executor, task.partition < found.count,
                task.metrics.contains(where: { $0.name == StreamMetric.stateRows })
            else { continue }
            found[task.partition] = [executor]
        }
        owners = found
    }

    func publish(_ trigger: TriggerReport) {
        let progress = progress(of: trigger, ran: trigger.ran)
        query.add(progress)
        for listener in manager.listeners { listener.onQueryProgress(progress) }
        scale(trigger)
    }

    func publishIdle(_ trigger: TriggerReport) {
        query.add(progress(of: trigger, ran: nil))
        for listener in manager.listeners {
            listener.onQueryIdle(
                .init(id: query.id, runId: query.runId, timestampMs: trigger.startedMs))
        }
        scale(trigger)
    }

    private func progress(of trigger: TriggerReport, ran: MicroBatch?) -> StreamingQueryProgress {
        let total = trigger.times[.triggerExecution] ?? .zero
        let rows = ran == nil ? 0 : self.report.total(StreamMetric.inputRows)
        let seconds = total.milliseconds / 1000
        let between = trigger.sinceLastTrigger.map { $0.milliseconds / 1000 } ?? .infinity
        let sources = self.sources.enumerated().map { index, source in
            let end = ran.map { $0.end[index] } ?? trigger.offsets[index]
            return SourceProgress(
                description: source.description,
                startOffset: ran.map { $0.start[index] } ?? trigger.offsets[index], endOffset: end,
                latestOffset: source.newestOffset, numInputRows: rows,
                inputRowsPerSecond: Double(rows) / between,
                processedRowsPerSecond: Double(rows) / seconds,
                metrics: end.map { source.metrics(at: $0) } ?? [:])
        }
        var progress = StreamingQueryProgress(
            id: query.id, runId: query.runId, name: query.name, timestampMs: trigger.startedMs,
            batchId: trigger.batch.rawValue, batchDuration: total, times: trigger.times,
            stateOperators: stateOperators(hasRun: ran != nil), sources: sources,
            sink: SinkProgress(
                description: spec.sink.description,
                numOutputRows: ran == nil ? 0 : self.report.total(StreamMetric.outputRows)))
        if ran != nil { progress.scheduling = report.scheduling }
        return progress
    }

    private func stateOperators(hasRun: Bool) -> [StateOperatorProgress] {
        guard let stateful = spec.stream.stateful.first else { return [] }
        if !hasRun {
            var last = stateProgress ?? StateOperatorProgress(operatorName: stateful.name)
            last.numRowsUpdated = 0
            return [last]
        }
        var progress = StateOperatorProgress(operatorName: stateful.name)
        var updateTime: Int64 = 0
        var commitTime: Int64 = 0
        for task in report.tasks {
            for metric in task.metrics {
                switch metric.name {
                case StreamMetric.stateRows:
                    progress.numRowsTotal += metric.value
                    progress.numStateStoreInstances += 1
                case StreamMetric.stateUpdated: progress.numRowsUpdated += metric.value
                case StreamMetric.stateMemory: progress.memoryUsedBytes += metric.value
                case StreamMetric.stateUpdateTime: updateTime += metric.value
                case StreamMetric.stateCommitTime: commitTime += metric.value
                case StreamMetric.stateBytes:
                    progress.customMetrics["stateBytesWritten", default: 0] += metric.value
                case StreamMetric.stateLoads:
                    progress.customMetrics["stateLoads", default: 0] += metric.value
                default: break
                }
            }
        }
        progress.allUpdatesTimeMs = updateTime / 1_000_000
        progress.commitTimeMs = commitTime / 1_000_000
        progress.numShufflePartitions = Int64(spec.context.statePartitions)
        stateProgress = progress
        return [progress]
    }
}

import MillraceBase
import MillraceCore
import MillraceExecutor
import MillraceStore
import Synchronization

/// The job of a batch, from its inputs to its results.
extension StreamingQueryRunner {
    func startJob(_ batch: MicroBatch, _ isRerun: Bool) throws {
        query.update("Processing new data", isDataAvailable: true, isTriggerActive: true)
        let began = StreamClock.now().instant
        var inputs: [[[UInt8]]] = []
        for (index, start) in try resolved(batch.start).enumerated() {
            // A source that has no end yet has no start either, and nothing to read.
            inputs.append(try sources[index].plan(from: start, to: batch.end[index] ?? start))
        }
        let planned = StreamClock.now().instant
        owners = StateOwners.balanced(owners, over: spec.context.runner.executorSlots)
        let state = folders.indices.map { stateInput($0, batch).encode() }
        let (request, shuffles) = plan.request(
            inputs: inputs, state: state, preferred: owners,
            properties: JobProperties(
                description: spec.name ?? "", group: query.runId, pool: spec.pool,
                query: query.id, batch: batch.id,
                streamingQuery: number, localProperties: spec.localProperties))
        widest = request.job.lineage.nodes.reduce(0) { max($0, $1.partitionCount) }
        let made = StreamClock.now().instant
        job = (request.job.id, batch.id)
        let (getBatch, queryPlanning) = (planned - began, made - planned)
        spec.context.runner.start(request) { [self] outcome in
            for shuffle in shuffles { spec.context.runner.release(shuffle) }
            ended.withLock { $0 = outcome }
            mailbox.post(.batchFinished(getBatch: getBatch, queryPlanning: queryPlanning))
        }
    }

    /// The job is over, well or not.
    func takeResults(_ event: MicroBatchEvent) -> MicroBatchEvent {
        guard let outcome = ended.withLock({ $0.take() }), let job = job.take() else {
            preconditionFailure("no job has ended")
        }
        do {
            let finished = try outcome.get()
            results = finished.results.map { Array($0) }
            latest = finished.report
            noteOwners(latest)
            try spec.fault?(.afterJob(job.batch.rawValue))
            return event
        } catch {
            return .failed(StreamingQueryRunner.describe(error))
        }
    }

    func cancelJob() {
        if let job { spec.context.runner.cancel(job.id, reason: "the query was stopped") }
    }

    private func stateInput(_ op: Int, _ batch: MicroBatch) -> StateInput {
        let conf = spec.context.conf
        return StateInput(
            root: checkpoint.stateFolder, operatorID: String(op), runID: query.runId,
            run: folders[op].run, keyGroups: conf.state.keyGroups,
            partitions: spec.context.statePartitions,
            minDeltasForSnapshot: conf.state.minDeltasForSnapshot,
            emitsAll: spec.mode == .complete, version: batch.id.rawValue)
    }
}

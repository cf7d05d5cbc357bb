import MillraceBase
import MillraceCore

/// One thing that an executor's threads have to tell the driver, on its way to the control stream.
public enum ExecutorReport: Sendable {
    /// A task is over; once for each task, and the last of it.
    case ended(TaskEnd)
    /// What a task has added to accumulators so far.
    case accumulators(PartialAccumulators)
    /// A task wants to know whether it may commit its output.
    case commitRequested(TaskID)
    /// A task waits for the others of its barrier stage.
    case barrierReached(BarrierRequest)
    /// What is kept of a persisted dataset's partition.
    case block(BlockStatus)
    /// What became of a map output that was to be fetched.
    case outputMoved(OutputMove, isMoved: Bool)
    /// A dataset's blocks are removed.
    case rddRemoved(RDDID)
    /// A task needs a broadcast that is not there.
    case broadcastWanted(BroadcastID)
    case pieceFetched(ExecutorMessage.PieceFetch)
    /// A map output is pushed as far as it will be.
    case outputPushed(PushedOutput)
    /// A task needs a plan that is not there.
    case planMissing(PlanHash)
}

extension ExecutorMessage {
    /// All that the tasks said in one turn of the loop.
    public init(_ reports: [ExecutorReport]) {
        self.init()
        for report in reports {
            switch report {
            case .ended(let end): taskEnds.append(end)
            case .accumulators(let partial): partialAccumulators.append(partial)
            case .commitRequested(let task): commitRequests.append(task)
            case .barrierReached(let request): barrierRequests.append(request)
            case .outputMoved(let move, let isMoved):
                movedOutputs.append(.init(move: move, isMoved: isMoved))
            case .block(let status): blocks.append(status)
            case .rddRemoved(let rdd): removedRDDs.append(rdd)
            case .broadcastWanted(let id): wantedBroadcasts.append(id)
            case .pieceFetched(let fetch): broadcastFetches.append(fetch)
            case .outputPushed(let output): pushedOutputs.append(output)
            case .planMissing(let plan): missingPlans.append(plan)
            }
        }
    }
}

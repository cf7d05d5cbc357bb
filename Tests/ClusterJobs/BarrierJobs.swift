import Glibc
import Millrace
import MillraceBase

/// Jobs whose tasks wait for each other.
enum BarrierJobs {
    static func run(_ scenario: String, _ context: MillraceContext) async throws -> Bool {
        switch scenario {
        case "barrier-all-gather": try await allGather(context)
        case "barrier-executor-killed-in-a-result-stage": try await killedInResultStage(context)
        case "barrier-executor-killed-in-a-map-stage": try await killedInMapStage(context)
        case "barrier-too-few-slots": try await tooFewSlots(context)
        case "barrier-task-ends-early": try await endsEarly(context)
        default: return false
        }
        return true
    }

    /// Two tasks tell each other what they have, twice.
    private static func allGather(_ context: MillraceContext) async throws {
        let isLocal = try await context.executors().count == 1
        let lines = try await context.range(0, 100, 1, 2).barrier()
            .mapPartitionsWithIndex { partition, rows -> [String] in
                let task = try BarrierTaskContext.get()
                let infos = task.taskInfos.map(\.address)
                ClusterJobs.check(task.partitionId, partition)
                ClusterJobs.check(task.attemptNumber, 0)
                ClusterJobs.check(infos.count, 2)
                ClusterJobs.check(Set(infos).count, isLocal ? 1 : 2)
                let sums = try task.allGather("\(rows.reduce(0, +))")
                try task.barrier()
                let addresses = try task.allGather(infos[partition] + "\0é")
                ClusterJobs.check(addresses, infos.map { $0 + "\0é" })
                return ["\(partition): \(sums.joined(separator: " "))"]
            }
            .collect()
        ClusterJobs.check(lines, ["0: 1225 3725", "1: 1225 3725"])
        ClusterJobs.check(BarrierTaskContext.current == nil, true)
    }

    /// What each partition's task knows after two barriers, between which one executor is killed
    /// the first time.
    private static func dyingRows(_ context: MillraceContext, _ marker: String) -> RDD<(Int, Int)> {
        context.range(0, 100, 1, 2).barrier()
            .mapPartitionsWithIndex { partition, rows -> [(Int, Int)] in
                let task = try BarrierTaskContext.get()
                let sums = try task.allGather("\(rows.reduce(0, +))")
                if partition == 1 { dieOnce(marker) }
                try task.barrier()
                let sum = sums.compactMap { Int($0) }.reduce(partition, +)
                return [(task.stageAttemptNumber, sum)]
            }
    }

    private static func killedInResultStage(_ context: MillraceContext) async throws {
        let marker = "\(ClusterJobs.temporaryFolder())/killed"
        let rows = try await dyingRows(context, marker).collect()
        ClusterJobs.check(access(marker, F_OK), 0)
        // Both of the second attempt of the stage.
        ClusterJobs.check(rows.map { "\($0)" }, ["(1, 4950)", "(1, 4951)"])
    }

    private static func killedInMapStage(_ context: MillraceContext) async throws {
        let marker = "\(ClusterJobs.temporaryFolder())/killed"
        let sums = try await dyingRows(context, marker).reduceByKey(numPartitions: 2, +).collect()
        ClusterJobs.check(access(marker, F_OK), 0)
        ClusterJobs.check(sums.map { "\($0)" }, ["(1, 9901)"])
    }

    /// Three tasks, two cores: the job fails and says so; the next one runs.
    private static func tooFewSlots(_ context: MillraceContext) async throws {
        do {
            _ = try await context.range(0, 3, 1, 3).barrier().mapPartitions { $0 }.collect()
            ClusterJobs.fail("three barrier tasks ran on two cores")
        } catch let error as MillraceError {
            ClusterJobs.check(error.code, .invalidArgument)
            let text = "a barrier stage needs 3 slots at once, and the executors have 2"
            ClusterJobs.check(error.message.contains(text), true)
        }
        do {
            _ = try await context.range(0, 2, 1, 2).barrier().mapPartitions { $0 }.take(1)
            ClusterJobs.fail("take() ran on a barrier stage")
        } catch let error as MillraceError {
            ClusterJobs.check(error.message.contains("SPARK-24820"), true)
        }
        ClusterJobs.check(try await context.range(0, 2, 1, 2).count(), 2)
    }

    /// A task that doesn't call what the other one calls: the job fails instead of waiting.
    private static func endsEarly(_ context: MillraceContext) async throws {
        do {
            _ = try await context.range(0, 2, 1, 2).barrier()
                .mapPartitionsWithIndex { partition, rows -> [Int] in
                    if partition == 1 { try BarrierTaskContext.get().barrier() }
                    return [partition]
                }
                .collect()
            ClusterJobs.fail("a barrier was passed that one task didn't come to")
        } catch let error as MillraceError {
            ClusterJobs.check(error.code, .jobAborted)
            ClusterJobs.check(error.message.contains("has ended without it"), true)
        }
    }
}

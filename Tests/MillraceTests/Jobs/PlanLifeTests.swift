import MillraceBase
import MillraceNet
import Testing

@testable import Millrace
@testable import MillraceDriver
@testable import MillraceExecutor

/// How long plans stay in a session of many jobs.
@Suite struct PlanLifeTests {
    private struct Kept { var driver: Int, sent: Int, executor: Int, stages: Int }

    private func kept(_ context: MillraceContext) async throws -> Kept {
        let cluster = try #require(context.cluster)
        let (driver, sent, stages) = try await cluster.driver.loop.run {
            [state = cluster.driver.state]
            in
            (state.engine.planCount, state.engine.sentPlanCount, state.engine.residentCount)
        }
        let executor = try #require(cluster.localRuntime).plans.names.count
        return Kept(driver: driver, sent: sent, executor: executor, stages: stages)
    }

    @Test func aSessionOfThousandsOfDifferentJobsKeepsFewPlans() async throws {
        let context = try await MillraceContext.start(
            Conf(["millrace.master": "local[2]", "millrace.scheduler.idlePlans.maxSize": "16k"]))
        var most = Kept(driver: 0, sent: 0, executor: 0, stages: 0)
        for job in 0..<2_000 {
            let sum = try await context.range(0, 4, 1, 2).map { $0 + job }.reduce(+)
            #expect(sum == 6 + 4 * job)
            guard job % 100 == 99 else { continue }
            let now = try await kept(context)
            most.driver = max(most.driver, now.driver)
            most.sent = max(most.sent, now.sent)
            most.executor = max(most.executor, now.executor)
            most.stages = max(most.stages, now.stages)
        }
        // A plan of these has some hundred bytes.
        #expect(most.driver > 1 && most.driver < 200, "\(most)")
        #expect(most.sent < 200 && most.executor < 200 && most.stages < 20, "\(most)")
        await context.stop()
    }

    @Test func aPlanThatComesAgainIsStillThere() async throws {
        let context = try await MillraceContext.start(Conf(["millrace.master": "local[2]"]))
        let rows = context.range(0, 4, 1, 2).map { $0 * 3 }
        for _ in 0..<50 { #expect(try await rows.collect() == [0, 3, 6, 9]) }
        let now = try await kept(context)
        #expect(now.driver == 1 && now.sent == 1 && now.executor == 1, "\(now)")
        await context.stop()
    }

    @Test func nothingIsKeptWhenNothingMayBe() async throws {
        let context = try await MillraceContext.start(
            Conf(["millrace.master": "local[2]", "millrace.scheduler.idlePlans.maxSize": "0"]))
        let sums = context.range(0, 100, 1, 4).map { ($0 % 3, $0) }.reduceByKey(+)
        for _ in 0..<5 { #expect(try await sums.count() == 3) }
        let now = try await kept(context)
        #expect(now.driver == 0 && now.sent == 0, "\(now)")
        await context.stop()
    }

    /// Whatever the driver believes: a task that finds no plan is run again, with the plan.
    @Test func anExecutorThatMissesAPlanGetsItAgain() async throws {
        let context = try await MillraceContext.start(Conf(["millrace.master": "local[2,1]"]))
        let rows = context.range(0, 8, 1, 8).map { $0 * 3 }
        for _ in 0..<3 {
            #expect(try await rows.collect() == (0..<8).map { $0 * 3 })
            let plans = try #require(context.cluster?.localRuntime).plans
            #expect(!plans.names.isEmpty)
            plans.remove(plans.names)
        }
        await context.stop()
    }
}

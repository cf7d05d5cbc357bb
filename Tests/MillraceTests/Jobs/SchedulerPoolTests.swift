import MillraceBase
import MillraceExecutor
import Testing

@testable import Millrace

@Suite struct SchedulerPoolTests {
    @Test func `a job has the pool of its Swift task, else that of the context`() async throws {
        let context = MillraceContext(runner: SerialJobRunner(), defaultParallelism: 2)
        func pool() -> String { context.currentLabels.properties("count").pool }
        #expect(pool() == "default")
        context.setSchedulerPool("batch")
        #expect(pool() == "batch")
        await context.withSchedulerPool("urgent") {
            #expect(pool() == "urgent")
            async let child = pool()
            #expect(await child == "urgent")
            await context.withJobTag("t") { #expect(pool() == "urgent") }
            #expect(context.schedulerPool == "urgent")
        }
        #expect(pool() == "batch")
        context.setSchedulerPool(nil)
        #expect(pool() == "default")
    }
}

import MillraceBase
import MillraceCore
import Testing

@testable import MillraceExecutor

/// Who is still there after being asked to end, by hand.
@Suite struct TaskReaperTests {
    let start = ContinuousClock.now

    @Test("a killed task is named after a polling interval, until it ends")
    func overdue() {
        var reaper = TaskReaper(pollingInterval: .seconds(10), killTimeout: nil)
        reaper.killed(TaskID(1), reason: "speculation", at: start)
        reaper.killed(TaskID(2), reason: "job cancelled", at: start + .seconds(8))
        reaper.killed(TaskID(1), reason: "job cancelled", at: start + .seconds(9))
        #expect(reaper.overdue(at: start + .seconds(9)).isEmpty)
        let overdue = reaper.overdue(at: start + .seconds(11))
        #expect(overdue.map(\.task) == [TaskID(1)])
        #expect(overdue.map(\.reason) == ["speculation"])
        #expect(overdue.map(\.isExpired) == [false])
        reaper.ended(TaskID(1))
        #expect(reaper.overdue(at: start + .seconds(100)).map(\.task) == [TaskID(2)])
        reaper.ended(TaskID(2))
        #expect(reaper.overdue(at: start + .seconds(100)).isEmpty)
    }

    @Test("its process is given up after the kill timeout, if there is one")
    func expired() {
        var reaper = TaskReaper(pollingInterval: .seconds(1), killTimeout: .seconds(60))
        reaper.killed(TaskID(1), reason: "", at: start)
        #expect(reaper.overdue(at: start + .seconds(59)).map(\.isExpired) == [false])
        #expect(reaper.overdue(at: start + .seconds(60)).map(\.isExpired) == [true])
    }
}

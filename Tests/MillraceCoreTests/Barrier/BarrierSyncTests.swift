import MillraceBase
import Testing

@testable import MillraceCore

/// One round after the other, or none any more.
@Suite struct BarrierSyncTests {
    private func request(_ epoch: Int, _ text: String? = nil) -> BarrierRequest {
        BarrierRequest(
            task: TaskID(0), epoch: epoch, kind: text == nil ? .barrier : .allGather,
            message: text ?? "")
    }

    @Test func `a round is passed with the last task and begins anew`() {
        var sync = BarrierSync(count: 3)
        for epoch in 0..<3 {
            #expect(sync.epoch == epoch)
            #expect(sync.arrive(2, request(epoch)) == .waits(isFirst: true))
            #expect(sync.arrive(0, request(epoch)) == .waits(isFirst: false))
            #expect(sync.arrive(0, request(epoch)) == .waits(isFirst: false))
            #expect(sync.someMissing == 1)
            #expect(sync.arrive(1, request(epoch)) == .passes(messages: []))
            #expect(!sync.isWaiting)
        }
    }

    @Test func `messages come in the order of the partitions, whoever was first`() {
        var sync = BarrierSync(count: 3)
        _ = sync.arrive(1, request(0, "b"))
        _ = sync.arrive(2, request(0, ""))
        #expect(sync.arrive(0, request(0, "a")) == .passes(messages: ["a", "b", ""]))
    }

    @Test func `a task alone passes at once`() {
        var sync = BarrierSync(count: 1)
        #expect(sync.arrive(0, request(0)) == .passes(messages: []))
        #expect(sync.arrive(0, request(1, "a")) == .passes(messages: ["a"]))
    }

    @Test func `once broken it stays broken`() {
        var sync = BarrierSync(count: 2)
        _ = sync.arrive(0, request(0))
        sync.breakUp("too late")
        sync.breakUp("later still")
        #expect(!sync.isWaiting)
        #expect(sync.arrive(1, request(0)) == .refused(reason: "too late"))
        #expect(sync.arrive(0, request(0)) == .refused(reason: "too late"))
    }
}

import Foundation
import Synchronization
import Testing

@testable import MillraceNet

@Suite("A mailbox") struct MailboxTests {
    @Test("hands over every message of several threads, each sender's in order")
    func manySenders() async throws {
        try await withLoop { loop in
            let received = try await loop.wait([[Int]].self) { promise in
                var all: [[Int]] = [[], [], [], []]
                var count = 0
                let mailbox = Mailbox<(Int, Int)>(loop: loop, limit: 100_000) { messages in
                    for (sender, number) in messages { all[sender].append(number) }
                    count += messages.count
                    if count == 40_000 { promise.succeed(all) }
                }
                for sender in 0..<4 {
                    // Threads of their own: Swift's may all be busy with other tests.
                    Thread.detachNewThread {
                        for number in 0..<10_000 { mailbox.post((sender, number)) }
                    }
                }
            }
            for messages in received { #expect(messages == Array(0..<10_000)) }
        }
    }

    @Test("refuses what is above its limit")
    func limit() async throws {
        let loop = try EventLoop(name: "idle")
        let mailbox = Mailbox<Int>(loop: loop, limit: 2) { _ in }
        #expect(mailbox.post(1))
        #expect(mailbox.post(2))
        #expect(!mailbox.post(3))
        #expect(mailbox.count == 2)
        loop.stop()
    }

    @Test("takes nothing after it was closed")
    func closed() async throws {
        try await withLoop { loop in
            let accepted = try await loop.run {
                let mailbox = Mailbox<Int>(loop: loop, limit: 2) { _ in }
                mailbox.close()
                return mailbox.post(1)
            }
            #expect(!accepted)
        }
    }
}

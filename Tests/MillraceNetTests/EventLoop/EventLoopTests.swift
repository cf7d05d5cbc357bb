import CLinux
import Glibc
import MillraceBase
import Synchronization
import Testing

@testable import MillraceNet

@Suite("The event loop") struct EventLoopTests {
    @Test("runs posted work on its own thread, in order")
    func postedWork() async throws {
        try await withLoop { loop in
            let order = Mutex<[Int]>([])
            for number in 0..<100 {
                loop.post {
                    #expect(loop.isOnLoop)
                    order.withLock { $0.append(number) }
                }
            }
            try await loop.run {}
            #expect(order.withLock { $0 } == Array(0..<100))
            #expect(!loop.isOnLoop)
        }
    }

    @Test("fires timers by deadline, not by insertion")
    func timers() async throws {
        try await withLoop { loop in
            let order = try await loop.wait([Int].self) { promise in
                var fired: [Int] = []
                for delay in [30, 10, 20] {
                    loop.schedule(after: .milliseconds(delay)) {
                        fired.append(delay)
                        if fired.count == 3 { promise.succeed(fired) }
                    }
                }
            }
            #expect(order == [10, 20, 30])
        }
    }

    @Test("never fires a cancelled timer, even among many")
    func cancelledTimers() async throws {
        try await withLoop { loop in
            let fired = try await loop.wait([Int].self) { promise in
                var fired: [Int] = []
                var tokens: [TimerToken] = []
                for number in 0..<1_000 {
                    tokens.append(
                        loop.schedule(after: .microseconds(number)) { fired.append(number) })
                }
                for number in 0..<1_000 where number % 100 != 0 { loop.cancel(tokens[number]) }
                loop.schedule(after: .milliseconds(20)) { promise.succeed(fired) }
            }
            #expect(fired == [0, 100, 200, 300, 400, 500, 600, 700, 800, 900])
        }
    }

    @Test("lets others run between the firings of a timer that schedules itself at once")
    func immediateTimer() async throws {
        try await withLoop { loop in
            loop.post { again() }
            @Sendable func again() { loop.schedule(after: .zero) { again() } }
            let answer = try await loop.run { 7 }
            #expect(answer == 7)
        }
    }

    @Test("tells who waits that the loop has ended without doing the work")
    func abandoned() async throws {
        let loop = try EventLoop(name: "idle")
        loop.post {}
        loop.stop()
        #expect(throws: NetError.stopped) { try loop.sync { 1 } }
    }

    @Test("ends a tick with the work asked for within it, once")
    func tickEnd() async throws {
        try await withLoop { loop in
            let order = try await loop.wait([String].self) { promise in
                var order: [String] = []
                loop.atTickEnd {
                    order.append("end")
                    promise.succeed(order)
                }
                order.append("work")
            }
            #expect(order == ["work", "end"])
        }
    }

    @Test("reads the clock once per tick")
    func clock() async throws {
        try await withLoop { loop in
            let isSame = try await loop.run {
                let first = loop.now
                for _ in 0..<1_000 { _ = EventLoop.readClock() }
                return loop.now == first
            }
            #expect(isSame)
        }
    }

    @Test("tells when a watched descriptor is readable, and no more after unwatch")
    func watching() async throws {
        try await withLoop { loop in
            let raw = eventfd(0, Int32(EFD_NONBLOCK))
            defer { close(raw) }
            let count = try await loop.wait(UInt64.self) { promise in
                var token: WatchToken?
                token = try loop.watch(readable: raw) {
                    var value: UInt64 = 0
                    _ = Glibc.read(raw, &value, 8)
                    if let token { loop.unwatch(token) }
                    promise.succeed(value)
                }
                var three: UInt64 = 3
                _ = Glibc.write(raw, &three, 8)
            }
            #expect(count == 3)
        }
    }

    @Test("is an executor: an actor pinned to it runs on its thread")
    func actor() async throws {
        try await withLoop { loop in
            let pinned = Pinned(loop)
            #expect(await pinned.isOnLoop)
        }
    }

    @Test("refuses work after its end instead of hanging")
    func stopped() async throws {
        let loop = try EventLoop(name: "short")
        try loop.start()
        loop.stop()
        #expect(loop.join())
        await #expect(throws: NetError.stopped) { try await loop.run {} }
        #expect(throws: NetError.stopped) { try loop.sync {} }
    }

    @Test("does what was posted before stop")
    func stopAfterWork() throws {
        let loop = try EventLoop(name: "drains")
        let done = Mutex(0)
        for _ in 0..<10 { loop.post { done.withLock { $0 += 1 } } }
        try loop.start()
        loop.stop()
        #expect(loop.join())
        #expect(done.withLock { $0 } == 10)
    }

    @Test("receives signals as events")
    func signals() async throws {
        // Process-directed signals would reach threads of the test runner that do not block them.
        try await withLoop { loop in
            let signal = try await loop.wait(Int32.self) { promise in
                var source: SignalSource?
                source = try SignalSource(loop: loop, signals: [SIGUSR2]) { number in
                    source?.close()
                    promise.succeed(number)
                }
                pthread_kill(pthread_self(), SIGUSR2)
            }
            #expect(signal == SIGUSR2)
        }
    }
}

private actor Pinned {
    let loop: EventLoop
    init(_ loop: EventLoop) { self.loop = loop }
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    var isOnLoop: Bool { loop.isOnLoop }
}

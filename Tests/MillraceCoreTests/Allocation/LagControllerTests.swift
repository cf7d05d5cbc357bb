import MillraceBase
import Testing

@testable import MillraceCore

/// The controller that gives streaming queries their slots.
@Suite struct LagControllerTests {
    /// A query by hand: rows arrive at a rate, a row costs slot time, slots come when asked for.
    private struct Query {
        var controller: LagController
        var now = Instant.zero
        var backlog: Double = 0
        var slots: Int
        /// Slot time of a row.
        var cost: Duration = .milliseconds(1)
        var trigger: Duration = .seconds(1)
        var stateBytes: Int64 = 0
        var parallelism = 0
        /// How many slots can be had.
        var limit = Int.max
        private(set) var last: ScalingDecision?

        init(slots: Int = 1, _ change: (inout LagSettings) -> Void = { _ in }) {
            var settings = LagSettings()
            settings.window = .seconds(4)
            settings.scalingInterval = .seconds(20)
            change(&settings)
            controller = LagController(settings: settings)
            self.slots = slots
        }

        /// A trigger in which so many rows arrive and as many are read as the slots can take.
        @discardableResult mutating func batch(arriving rows: Double) -> ScalingDecision {
            now = now + trigger
            backlog += rows
            let capacity = Double(slots) * trigger.seconds / cost.seconds
            let read = min(backlog, capacity)
            backlog -= read
            let busy = read * cost.seconds
            let decision = controller.decide(
                LagSample(
                    backlogRows: Int64(backlog), processedRows: Int64(read),
                    busyTime: .nanoseconds(Int64(busy * 1e9)),
                    batchDuration: .nanoseconds(Int64(busy / Double(slots) * 1e9)),
                    triggerInterval: trigger, stateBytes: stateBytes, slots: slots,
                    parallelism: parallelism), now: now)
            slots = min(decision.slots, limit)
            last = decision
            return decision
        }
    }

    @Test("a query that keeps up has the slots of its arrival rate at 80 % busy")
    func steady() {
        var query = Query()
        for _ in 0..<30 { query.batch(arriving: 2_000) }
        // 2 s of slot time arrive each second: 2.5 slots, and a little for what has waited.
        #expect(query.slots == 3)
        for _ in 0..<60 { query.batch(arriving: 2_000) }
        #expect(query.slots == 3)
        #expect(query.last?.reason == .steady)
        #expect(query.backlog == 0)
    }

    @Test("a backlog is worked off in about the time that is wanted")
    func backlog() {
        var query = Query { $0.catchUpTarget = .seconds(20) }
        query.backlog = 100_000
        var seconds = 0
        while query.backlog > 0, seconds < 200 {
            query.batch(arriving: 1_000)
            seconds += 1
        }
        #expect(seconds <= 40, "\(seconds)")
    }

    @Test("as fast as possible doesn't mean as many as possible")
    func noTrigger() {
        var query = Query()
        query.trigger = .milliseconds(100)
        for _ in 0..<200 {
            query.batch(arriving: 20)
            // The batches follow each other without a pause: there is no trigger's interval.
        }
        #expect(query.slots == 1)
    }

    @Test("slots are given back when fewer were enough for long enough")
    func scaleDown() {
        var query = Query()
        for _ in 0..<40 { query.batch(arriving: 6_000) }
        let high = query.slots
        #expect(high >= 8)
        var reasons: Set<ScalingDecision.Reason> = []
        var seconds = 0
        while query.slots == high, seconds < 100 {
            reasons.insert(query.batch(arriving: 500).reason)
            seconds += 1
        }
        #expect((20...40).contains(seconds), "\(seconds)")
        #expect(reasons.contains(.mayRiseAgain))
        #expect(query.slots <= 2)
        for _ in 0..<60 { query.batch(arriving: 500) }
        #expect(query.slots == 1 && query.backlog == 0)
    }

    @Test("a batch that would take more than 60 % of the trigger keeps its slots")
    func wouldNotFit() {
        var query = Query(slots: 4) {
            $0.minSlots = 1
            $0.scalingInterval = .seconds(5)
        }
        // All of the batch is one slow step that more slots don't shorten.
        query.trigger = .seconds(1)
        var decision: ScalingDecision?
        for second in 1...60 {
            decision = query.controller.decide(
                LagSample(
                    processedRows: 3_000, busyTime: .milliseconds(second < 20 ? 3_000 : 100),
                    batchDuration: .milliseconds(700), triggerInterval: .seconds(1), slots: 4),
                now: .zero + .seconds(Int64(second)))
        }
        #expect(decision?.reason == .batchWouldNotFit)
        #expect((decision?.wanted ?? 9) < (decision?.slots ?? 0))
    }

    @Test("a large state moves only when the idle slots would have paid for it")
    func stateToMove() {
        func secondsUntilShrunk(_ state: Int64) -> Int {
            var query = Query { $0.stateBytesPerSecond = 1 << 20 }
            query.stateBytes = state
            for _ in 0..<30 { query.batch(arriving: 3_000) }
            let high = query.slots
            var seconds = 0
            while query.slots == high, seconds < 1_000 {
                query.batch(arriving: 300)
                seconds += 1
            }
            return seconds
        }
        let small = secondsUntilShrunk(1 << 20)
        let large = secondsUntilShrunk(400 << 20)
        #expect(small < 40)
        #expect(large > 2 * small, "\(small) and \(large)")
    }

    @Test("more slots than tasks of the widest stage are not asked for")
    func parallelism() {
        var query = Query()
        query.parallelism = 4
        for _ in 0..<20 { query.batch(arriving: 50_000) }
        #expect(query.slots == 4)
        #expect(query.last?.wanted == 4)
    }

    @Test("while executors that were asked for haven't come no more are asked for")
    func waiting() {
        var query = Query { $0.catchUpTarget = .seconds(5) }
        query.limit = 1
        query.batch(arriving: 2_000)
        var changes = 0
        var waited = 0
        for _ in 0..<19 {
            let decision = query.batch(arriving: 5_000)
            changes += decision.isChange ? 1 : 0
            waited += decision.reason == .waitingForExecutors ? 1 : 0
        }
        #expect(changes == 1)
        #expect(waited >= 15)
    }

    @Test("a query without rows falls to its minimum")
    func idle() {
        var query = Query { $0.minSlots = 2 }
        for _ in 0..<20 { query.batch(arriving: 8_000) }
        #expect(query.slots > 2)
        for _ in 0..<60 { query.batch(arriving: 0) }
        #expect(query.slots == 2)
    }

    @Test("a decision says what it was made of")
    func published() throws {
        var query = Query()
        query.batch(arriving: 1_000)
        let decision = query.batch(arriving: 4_000)
        let json = try JSONValue(parsing: decision.json)
        #expect(json["backlogRows"]?.integerValue == decision.sample.backlogRows)
        #expect(json["reason"]?.stringValue == decision.reason.rawValue)
        #expect(json["slots"]?.integerValue == Int64(decision.slots))
        #expect(json["triggerIntervalMs"]?.integerValue == 1_000)
        #expect(decision.description.contains("rows/s arrive"))
    }

    @Test("whatever happens, the slots stay in their bounds and changes are apart")
    func properties() {
        for seed in 0..<300 {
            var random = SplitMix64(seed: UInt64(seed))
            func below(_ bound: UInt64) -> Int64 { Int64(random.next() % bound) }
            var settings = LagSettings()
            settings.minSlots = 1 + Int(below(3))
            settings.maxSlots = settings.minSlots + Int(below(20))
            settings.scalingInterval = .seconds(1 + below(60))
            settings.growthInterval = .seconds(below(5))
            var controller = LagController(settings: settings)
            var now = Instant.zero
            var grown: Instant?
            var lowest = Instant.zero
            for _ in 0..<200 {
                now = now + .milliseconds(below(5_000))
                let sample = LagSample(
                    backlogRows: below(4) == 0 ? below(1 << 40) : below(10_000),
                    processedRows: below(3) == 0 ? 0 : below(100_000),
                    busyTime: .milliseconds(below(20_000)),
                    batchDuration: .milliseconds(below(3_000)),
                    triggerInterval: .milliseconds(below(2) * below(10_000)),
                    stateBytes: below(1 << 34), slots: Int(below(20)),
                    parallelism: Int(below(30)))
                let decision = controller.decide(sample, now: now)
                #expect((settings.minSlots...settings.maxSlots).contains(decision.slots))
                if decision.slots > decision.previous {
                    if let grown { #expect(now - grown >= settings.growthInterval) }
                    grown = now
                    lowest = now
                }
                if decision.slots < decision.previous {
                    #expect(now - lowest >= settings.scalingInterval, "seed \(seed)")
                    lowest = now
                }
                let isMove = decision.reason == .lag || decision.reason == .idleSlots
                #expect(decision.isChange == isMove)
            }
        }
    }
}

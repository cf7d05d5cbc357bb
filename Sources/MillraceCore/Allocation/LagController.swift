import MillraceBase

/// How many slots a streaming query needs, by what it lags behind: what Spark's allocation, which
/// looks at queued tasks only, cannot know.
///
/// After each batch it's told what the batch did and what still lies at the sources. The slots are
/// those that take in what arrives and work off the backlog in `catchUpTarget`, at the measured
/// rate of a slot, busy for `targetUtilization` of the time:
///
///     ceil((arrival + backlog / catchUpTarget) / (rate per slot * targetUtilization))
///
/// More are asked for at once, and the next time when those have come or `scalingInterval` is over:
/// a lag that is being worked off isn't a reason for still more. Fewer only if three things hold:
/// fewer were enough for all of `scalingInterval`; the batch would still fit in `maxTriggerShare`
/// of the trigger; and the slots that stood idle meanwhile would have paid for moving the state
/// of the partitions that lose theirs. Each answer says what it was made of (`ScalingDecision`).
///
/// Always true: `minSlots` <= `slots` <= `maxSlots`.
public struct LagController: Sendable {
    public let settings: LagSettings
    /// What is asked for.
    public private(set) var slots: Int
    private var arrival = RateAverage()
    /// Slot-seconds a row, as the rate's reciprocal: a batch without rows says nothing about it.
    private var cost = RateAverage()
    private var lastBacklog: Int64?
    private var lastTime: Instant?
    private var lastChange: Instant?
    /// Since when fewer would have been enough.
    private var lowSince: Instant?

    public init(settings: LagSettings) {
        self.settings = settings
        slots = settings.minSlots
    }

    /// The answer to what the last batch, or a while without one, has shown.
    public mutating func decide(_ sample: LagSample, now: Instant) -> ScalingDecision {
        observe(sample, now)
        let wanted = wantedSlots(sample)
        var decision = ScalingDecision(
            sample: sample, arrivalRate: arrival.value, slotRate: slotRate, wanted: wanted,
            previous: slots, slots: slots, reason: .steady)
        if wanted > slots {
            lowSince = nil
            grow(to: wanted, sample, now, &decision)
        } else if wanted < slots {
            shrink(to: wanted, sample, now, &decision)
        } else {
            lowSince = nil
        }
        decision.slots = slots
        lastBacklog = sample.backlogRows
        lastTime = now
        return decision
    }

    /// Rows per second that one busy slot takes; 0 while unknown.
    private var slotRate: Double { cost.value > 0 ? 1 / cost.value : 0 }

    private mutating func observe(_ sample: LagSample, _ now: Instant) {
        guard let lastTime else {
            // How long the first batch's rows had been there isn't known; its costs are.
            learnCost(sample, over: settings.window)
            return
        }
        let elapsed = now - lastTime
        guard elapsed > .zero else { return }
        let grown = sample.backlogRows - (lastBacklog ?? sample.backlogRows)
        let arrived = max(sample.processedRows + grown, 0)
        arrival.add(
            Double(arrived) / elapsed.seconds, over: elapsed, window: settings.window)
        learnCost(sample, over: elapsed)
    }

    private mutating func learnCost(_ sample: LagSample, over elapsed: Duration) {
        guard sample.processedRows > 0, sample.busyTime > .zero else { return }
        cost.add(
            sample.busyTime.seconds / Double(sample.processedRows), over: elapsed,
            window: settings.window)
    }

    /// Bounded by the settings, and by what the query's widest stage can use.
    private func wantedSlots(_ sample: LagSample) -> Int {
        guard cost.value > 0 else { return min(max(slots, settings.minSlots), settings.maxSlots) }
        let backlog = Double(max(sample.backlogRows, 0)) / settings.catchUpTarget.seconds
        let exact = (arrival.value + backlog) * cost.value / settings.targetUtilization
        let wanted = Int(min(exact.rounded(.up), Double(Int32.max)))
        let usable = sample.parallelism > 0 ? sample.parallelism : Int.max
        return max(min(wanted, usable, settings.maxSlots), settings.minSlots)
    }

    // MARK: Changes

    private mutating func grow(
        to wanted: Int, _ sample: LagSample, _ now: Instant, _ decision: inout ScalingDecision
    ) {
        if let lastChange, sample.slots < slots, now - lastChange < settings.scalingInterval {
            decision.reason = .waitingForExecutors
            return
        }
        if let lastChange, now - lastChange < settings.growthInterval {
            decision.reason = .settling
            return
        }
        decision.reason = .lag
        change(to: wanted, now)
    }

    private mutating func shrink(
        to wanted: Int, _ sample: LagSample, _ now: Instant, _ decision: inout ScalingDecision
    ) {
        let since = lowSince ?? now
        lowSince = since
        var target = wanted
        while target < slots, !fits(sample, target) { target += 1 }
        guard target < slots else {
            decision.reason = .batchWouldNotFit
            return
        }
        guard now - since >= settings.scalingInterval else {
            decision.reason = .mayRiseAgain
            return
        }
        let idle = Double(slots - target) * (now - since).seconds
        guard idle >= handOver(sample, target).seconds else {
            decision.reason = .stateNotAmortised
            return
        }
        decision.reason = .idleSlots
        change(to: target, now)
        lowSince = nil
    }

    private mutating func change(to count: Int, _ now: Instant) {
        slots = count
        lastChange = now
    }

    /// Whether the batch would have been short enough with so many slots: at worst all of its time
    /// was work that they would share.
    private func fits(_ sample: LagSample, _ target: Int) -> Bool {
        guard sample.processedRows > 0, target > 0 else { return true }
        let current = Double(max(sample.slots, 1))
        let period = sample.triggerInterval.seconds
        guard period > 0 else {
            // As fast as possible: what counts is how busy the slots would be.
            let busy = arrival.value * cost.value
            return busy <= settings.maxTriggerShare * Double(target)
        }
        let duration = sample.batchDuration.seconds * max(current / Double(target), 1)
        return duration <= settings.maxTriggerShare * period
    }

    /// Slot time that goes into reading the state elsewhere that the leaving slots hold.
    private func handOver(_ sample: LagSample, _ target: Int) -> Duration {
        let moved = Double(sample.stateBytes) * Double(slots - target) / Double(max(slots, 1))
        return .nanoseconds(
            Int64(min(moved / Double(settings.stateBytesPerSecond) * 1e9, 9e18)))
    }
}

/// An average over about the last `window`, of values that hold for different times.
struct RateAverage: Hashable, Sendable {
    private(set) var value = 0.0
    private var weight = 0.0

    mutating func add(_ sample: Double, over time: Duration, window: Duration) {
        guard sample.isFinite, window > .zero else { return }
        // What is older than a window has faded; before there is a window's worth, it's the mean.
        let share = min(max(time.seconds / window.seconds, 0.001), 1)
        let kept = weight * (1 - share)
        value = (value * kept + sample * share) / (kept + share)
        weight = kept + share
    }
}

extension Duration {
    var seconds: Double { Double(nanoseconds) / 1e9 }
}

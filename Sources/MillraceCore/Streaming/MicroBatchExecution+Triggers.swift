import MillraceBase

/// When the next trigger comes.
extension MicroBatchExecution {
    mutating func beginTrigger(_ time: StreamTime, _ effects: inout [MicroBatchEffect]) {
        trigger = TriggerRun(
            start: time, sinceLast: lastTriggerStart.map { time.instant - $0 }, mark: time.instant)
        lastTriggerStart = time.instant
        if current != nil { return run(&effects) }
        phase = .fetching
        fetches += 1
        effects.append(.fetchLatestOffsets(start: offsets))
    }

    /// A trigger that found nothing. Whoever is told so may take the query to be at rest, with
    /// everything committed.
    mutating func endIdleTrigger(_ time: StreamTime, _ effects: inout [MicroBatchEffect]) {
        if unwritten > 0 {
            phase = .settling
            return
        }
        let served = processAll.filter { $0.fetch <= fetches }.map(\.token)
        if !served.isEmpty {
            processAll.removeAll { $0.fetch <= fetches }
            effects.append(.completeProcessAll(served))
        }
        if lastReport.map({ time.instant - $0 >= settings.idleReportInterval }) ?? true {
            lastReport = time.instant
            effects.append(.publishIdle(report(of: nil, trigger, time)))
        }
        switch settings.trigger {
        case .availableNow, .once: end(nil, &effects)
        default: endTrigger(hadData: false, time, &effects)
        }
    }

    mutating func endTrigger(
        hadData: Bool, _ time: StreamTime, _ effects: inout [MicroBatchEffect]
    ) {
        if case .processingTime(let interval) = settings.trigger, interval > .zero {
            let next = MicroBatchExecution.next(after: trigger.start, every: interval)
            guard next > time.instant else { return beginTrigger(time, &effects) }
            return pause(until: next, &effects)
        }
        if hadData { return beginTrigger(time, &effects) }
        // Somebody waits for a fetch that begins after he asked.
        if !processAll.isEmpty { return beginTrigger(time, &effects) }
        pause(until: time.instant + settings.pollingDelay, &effects)
    }

    private mutating func pause(until instant: Instant, _ effects: inout [MicroBatchEffect]) {
        phase = .waiting(until: instant)
        effects.append(.wait(until: instant))
    }

    /// The next multiple of the interval since 1970, at least a millisecond apart. Spark's
    /// `ProcessingTimeExecutor.nextBatchTime`.
    static func next(after start: StreamTime, every interval: Duration) -> Instant {
        let intervalMs = max(interval.nanoseconds / 1_000_000, 1)
        let nextMs = start.wallMs / intervalMs * intervalMs + intervalMs
        return start.instant + .milliseconds(nextMs - start.wallMs)
    }

    mutating func wake(
        isTimer: Bool, _ time: StreamTime, _ effects: inout [MicroBatchEffect]
    ) {
        if phase == .settling, !isTimer { return beginTrigger(time, &effects) }
        guard case .waiting(let deadline) = phase else { return }
        guard isTimer ? time.instant >= deadline : isPolling else {
            if isTimer { effects.append(.wait(until: deadline)) }
            return
        }
        beginTrigger(time, &effects)
    }

    mutating func enqueue(
        _ token: Int, _ time: StreamTime, _ effects: inout [MicroBatchEffect]
    ) {
        processAll.append((token, fetches + 1))
        if case .waiting = phase, isPolling { beginTrigger(time, &effects) }
    }

    /// Whether the query looks for data whenever it can.
    private var isPolling: Bool {
        if case .processingTime(let interval) = settings.trigger { interval == .zero } else { true }
    }
}

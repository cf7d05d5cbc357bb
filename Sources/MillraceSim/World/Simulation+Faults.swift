import MillraceBase
import MillraceCore
import Synchronization

/// What goes wrong, and when it is right again.
extension Simulation {
    func scheduleFault() {
        schedule(.fault, after: faultChance.delay(weather.faultInterval))
    }

    func strike() {
        guard !isCalm else { return }
        scheduleFault()
        if let fault = weather.fault(&faultChance) { strike(fault) }
    }

    private func strike(_ fault: Weather.Fault) {
        switch fault {
        case .crashExecutor: crashExecutor()
        case .breakConnection: breakConnection()
        case .partition: partition()
        case .slowHost: slowHost()
        case .loseBlocks: loseBlocks()
        case .cancelJob: cancelJob()
        case .cancelJobs:
            let selection = faultChance.pick([JobSelection.group("g"), .tag("t"), .all])
            note("somebody cancels jobs: \(selection)")
            misfortunes += 1
            tell(.jobsCancelled(selection, reason: "asked"))
        case .releaseShuffle: releaseShuffle()
        case .decommission: decommission()
        case .crashDriver: crashDriver("it crashes")
        case .dieWithinACall: lightFuse()
        case .losePower: losePower()
        case .loseHost: loseHost()
        case .freezeExecutor: freezeExecutor()
        case .loseService: if plan.hasShuffleService { loseService() }
        case .fullDisk:
            note("the disk is full")
            misfortunes += 1
            files.state.withLock { $0.isFull = true }
            schedule(.repair(.fullDisk), after: faultChance.delay(.milliseconds(100)))
        case .badDisk:
            note("the disk makes errors")
            misfortunes += 1
            files.state.withLock { $0.failures = 200 }
            schedule(.repair(.badDisk), after: faultChance.delay(.milliseconds(100)))
        }
    }

    private var living: [SimulatedExecutor] { executors.filter(\.isAlive) }

    private func crashExecutor() {
        guard let victim = pick(living) else { return }
        misfortunes += 1
        exit(victim, "it crashes")
    }

    /// Its machine will be taken away.
    private func decommission() {
        guard let victim = pick(living) else { return }
        note("\(victim.id) is to go")
        misfortunes += 1
        tell(.executorDecommissioned(victim.id, reason: "asked"))
        if faultChance.chance(200) {
            schedule(
                .exit(executor: victim.id.rawValue), after: faultChance.delay(.milliseconds(20)))
        }
    }

    private func pick(_ choices: [SimulatedExecutor]) -> SimulatedExecutor? {
        choices.isEmpty ? nil : faultChance.pick(choices)
    }

    private func breakConnection() {
        guard let victim = pick(living) else { return }
        note("the connection of \(victim.id) breaks")
        misfortunes += 1
        breakConnection(victim.connection)
    }

    /// Two hosts, or the driver's and another, cannot reach each other for a while: so short that
    /// nobody notices, or so long that an end gives up.
    private func partition() {
        let one = faultChance.below(plan.hosts + 1)
        let other = faultChance.below(plan.hosts + 1)
        guard one != other, network.canReach(one, other) else { return }
        let time = faultChance.delay(.milliseconds(faultChance.pick([5, 100, 1_000, 20_000])))
        note("hosts \(one) and \(other) cannot reach each other")
        misfortunes += 1
        network.block(one, other)
        schedule(.repair(.partition(one, other)), after: time)
        for connection in 0..<network.count where network.isBlocked(connection) {
            for side in [Side.driver, .executor] where faultChance.chance(500) {
                schedule(
                    .givingUp(connection: connection, side),
                    after: faultChance.delay(.milliseconds(500)))
            }
        }
    }

    private func slowHost() {
        let host = 1 + faultChance.below(plan.hosts)
        slowness[host] = faultChance.pick([3, 20, 200])
        note("host \(host) is \(slowness[host]) times slower")
        schedule(
            .repair(.slowHost(host)), after: faultChance.delay(.milliseconds(200)))
    }

    /// A disk forgets map outputs, and nobody says so: only a fetch finds out.
    private func loseBlocks() {
        guard let victim = pick(living), !victim.blocks.isEmpty else { return }
        note("\(victim.id) loses its map outputs")
        misfortunes += 1
        victim.blocks = [:]
    }

    private func cancelJob() {
        let running = jobs.indices.filter { jobs[$0].end == nil }
        guard !running.isEmpty else { return }
        let job = faultChance.pick(running)
        note("somebody cancels \(jobs[job].id)")
        misfortunes += 1
        tell(.jobCancelled(jobs[job].id, reason: "asked"))
    }

    private func releaseShuffle() {
        guard !graph.shuffles.isEmpty else { return }
        let shuffle = faultChance.below(graph.shuffles.count)
        for id in graph.renew(shuffle) {
            note("\(id) is released")
            tell(.shuffleReleased(id))
        }
    }

    // MARK: Better times

    func repair(_ trouble: Trouble) {
        switch trouble {
        case .partition(let one, let other):
            guard !network.canReach(one, other) else { return }
            note("hosts \(one) and \(other) reach each other again")
            heal(one, other)
        case .slowHost(let host): slowness[host] = 1
        case .frozen(let executor): thaw(executors[executor])
        case .fullDisk: files.state.withLock { $0.isFull = false }
        case .badDisk: files.state.withLock { $0.failures = 0 }
        }
    }

    func calmDown() {
        isCalm = true
        schedule(.deadline, after: Simulation.progressBound)
        note("the weather is calm")
        for host in slowness.indices { slowness[host] = 1 }
        for executor in executors { thaw(executor) }
        repair(.fullDisk)
        repair(.badDisk)
        files.state.withLock { $0.fuse = nil }
        for one in 0...plan.hosts {
            for other in 0..<one { repair(.partition(one, other)) }
        }
    }
}

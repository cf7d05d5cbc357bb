import MillraceBase
import MillraceCore
import MillraceDriver

/// How a day ends: every job has its end, a last one must succeed, and then nothing may be left.
extension Simulation {
    /// Simulated time after the last misfortune within which all must be done.
    static let progressBound = Duration.seconds(600)
    /// A last job may fail so often: each time it finds blocks that were lost before.
    private static let proofLimit = 20

    /// Goes to the next part of the day when the present one is over.
    func moveOn() {
        switch ending {
        case .day:
            guard isCalm, isDriverUp, submittedJobs == plan.jobs else { return }
            drainQueries()
            guard queries.allSatisfy({ $0.isDrained && $0.run == nil }),
                jobs.allSatisfy({ $0.end != nil })
            else { return }
            prove(failed: 0)
        case .proof(let job, let failed):
            switch jobs[job].end {
            case nil: return
            case .success where engine.core.isQuiescent: fallNight()
            case .success: return
            case .failure(let failure):
                guard failed < Simulation.proofLimit else {
                    return fail("the last job fails on and on: \(failure)")
                }
                // Executors that are being replaced need longer than this job waits.
                prove(failed: failed + ("\(failure)".contains("slots at once") ? 0 : 1))
            }
        case .dusk, .night: break
        }
    }

    private func prove(failed: Int) {
        ending = .proof(job: jobs.count, failed: failed)
        submit(graph.datasets.count - 1, nil)
    }

    /// Gives all shuffles back and lets the last messages arrive.
    private func fallNight() {
        ending = .dusk
        note("all is done")
        for shuffle in graph.shuffles.indices {
            for id in graph.renew(shuffle) { tell(.shuffleReleased(id)) }
        }
        schedule(.nightfall, after: .seconds(1) + weather.networkDelay * 40)
    }

    /// Nothing may be left, in the driver or on an executor.
    func nightfall() {
        ending = .night
        if !engine.core.isQuiescent { fail("the core is at work although all is done") }
        if engine.core.shuffleCount > 0 { fail("\(engine.core.shuffleCount) shuffles are left") }
        if engine.residentCount > 0 {
            fail("\(engine.residentCount) stages and shuffles are left in sessions")
        }
        if engine.pendingJobCount > 0 { fail("\(engine.pendingJobCount) jobs are left") }
        if ledger.table.liveOrigins > 0 {
            fail("\(ledger.table.liveOrigins) origins of accumulators are left")
        }
        for query in queries { checkFinalState(of: query) }
        for executor in executors where executor.isAlive && executor.isRegistered {
            let left = executor.leftovers
            if !left.isEmpty { fail("\(executor.id) keeps \(left)") }
        }
    }

    func checkProgress() {
        let open = jobs.filter { $0.end == nil }.map { "\($0.id)" }.joined(separator: ", ")
        fail("not done long after the last misfortune; these have no end: \(open)")
    }
}

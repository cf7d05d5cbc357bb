import MillraceBase
import MillraceCore
import Testing

@Suite struct MicroBatchExecutionTests {
    @Test func aBatchIsLoggedRunCommittedAndReportedInThisOrder() {
        var query = QueryByHand(now: 1000)
        #expect(query.take(.started(RecoveredLogs())) == ["fetch -"])
        #expect(
            query.take(.latestOffsets(["5"])) == ["offsets 0 --5 at 1000", "run 0 --5 at 1000"])
        #expect(query.take(.offsetsWritten, after: 2) == [])
        #expect(query.take(query.finished, after: 3) == ["sink 0"])
        #expect(query.take(.sinkCommitted) == ["commit 0", "fetch 5"])
        #expect(query.machine.batch == BatchID(1))
        #expect(query.take(.commitWritten, after: 1) == ["release 5", "progress 0"])
    }

    @Test func theSinkWaitsForTheOffsets() {
        var query = QueryByHand()
        query.take(.started(RecoveredLogs()))
        query.take(.latestOffsets(["5"]))
        #expect(query.take(query.finished) == [])
        #expect(query.take(.offsetsWritten) == ["sink 0"])
    }

    @Test func theNextBatchRunsWhileTheLastIsLoggedButIsNotSeenBefore() {
        var query = QueryByHand()
        query.take(.started(RecoveredLogs()))
        query.take(.latestOffsets(["5"]))
        query.take(.offsetsWritten)
        query.take(query.finished)
        query.take(.sinkCommitted)
        #expect(query.take(.latestOffsets(["6"])) == ["offsets 1 5-6 at 0", "run 1 5-6 at 0"])
        #expect(query.take(query.finished) == [])
        #expect(query.take(.commitWritten) == ["release 5", "progress 0"])
        #expect(query.take(.offsetsWritten) == ["sink 1"])
    }

    @Test func anIdleTriggerEndsWhenEverythingIsCommitted() {
        var query = QueryByHand()
        query.take(.started(RecoveredLogs()))
        query.take(.processAllRequested(token: 1))
        _ = query.take(.latestOffsets(["5"])) + query.take(.offsetsWritten)
        query.take(query.finished)
        query.take(.sinkCommitted)
        #expect(query.take(.latestOffsets([nil])) == [])
        #expect(
            query.take(.commitWritten)
                == ["release 5", "progress 0", "processed [1]", "wait 10"])
    }

    @Test func timesAreBookedOnThePhaseThatTookThem() throws {
        var query = QueryByHand()
        query.take(.started(RecoveredLogs()))
        query.take(.latestOffsets(["5"]), after: 4)
        query.take(.offsetsWritten, after: 2)
        query.take(
            .batchFinished(getBatch: .milliseconds(1), queryPlanning: .milliseconds(2)), after: 28)
        query.take(.sinkCommitted, after: 10)
        let effects = query.handle(.commitWritten, after: 5)
        guard case .publish(let report)? = effects.dropFirst().first else {
            Issue.record("no progress")
            return
        }
        #expect(report.times[.latestOffset] == .milliseconds(4))
        #expect(report.times[.walCommit] == .milliseconds(2))
        #expect(report.times[.getBatch] == .milliseconds(1))
        #expect(report.times[.queryPlanning] == .milliseconds(2))
        #expect(report.times[.addBatch] == .milliseconds(37))
        #expect(report.times[.commitOffsets] == .milliseconds(5))
        #expect(report.times[.triggerExecution] == .milliseconds(49), "offsets cost no time")
        #expect(report.sinceLastTrigger == nil)
    }

    @Test func withoutNewDataTheQueryPollsAndSaysSoNowAndThen() {
        var query = QueryByHand()
        query.take(.started(RecoveredLogs()))
        #expect(query.take(.latestOffsets([nil])) == ["idle 0", "wait 10"])
        #expect(query.take(.timerFired, after: 10) == ["fetch -"])
        #expect(query.take(.latestOffsets([nil])) == ["wait 20"])
        #expect(query.take(.timerFired, after: 10_000) == ["fetch -"])
        #expect(query.take(.latestOffsets([nil])) == ["idle 0", "wait 10020"])
    }

    @Test func aSourceThatSpeaksUpEndsThePause() {
        var query = QueryByHand()
        query.take(.started(RecoveredLogs()))
        query.take(.latestOffsets([nil]))
        #expect(query.take(.dataArrived, after: 1) == ["fetch -"])
        #expect(query.take(.dataArrived) == [])
        #expect(query.take(.latestOffsets(["1"])) == ["offsets 0 --1 at 1", "run 0 --1 at 1"])
    }

    @Test func newDataDoNotWaitForTheCommitOfTheBatchBefore() {
        var query = QueryByHand()
        query.take(.started(RecoveredLogs()))
        query.take(.latestOffsets(["5"]))
        query.take(.offsetsWritten)
        query.take(query.finished)
        query.take(.sinkCommitted)
        #expect(query.take(.latestOffsets([nil])) == [])
        #expect(query.take(.dataArrived) == ["fetch 5"])
    }

    @Test func sourcesWithoutNewsKeepTheirPlace() {
        var query = QueryByHand(sources: 2)
        query.take(.started(RecoveredLogs()))
        _ = query.runBatch(["3", nil])
        #expect(
            query.take(.latestOffsets([nil, "7"]))
                == ["offsets 1 3,--3,7 at 0", "run 1 3,--3,7 at 0"])
    }

    @Test func triggersComeAtMultiplesOfTheInterval() {
        var query = QueryByHand(.processingTime(.seconds(1)), now: 10_300)
        #expect(query.take(.started(RecoveredLogs())) == ["fetch -"])
        query.take(.latestOffsets(["1"]))
        query.take(.offsetsWritten)
        #expect(query.finishBatch().contains("wait 11000"))
        #expect(query.take(.dataArrived, after: 100) == [], "an interval is not cut short")
        #expect(query.take(.timerFired, after: 100) == ["wait 11000"])
        #expect(query.take(.timerFired, after: 500) == ["fetch 1"])
        // A batch that takes longer than the interval is followed by the next at once.
        query.take(.latestOffsets(["2"]))
        query.take(.offsetsWritten, after: 1500)
        #expect(query.finishBatch().contains("fetch 2"))
    }

    @Test func availableNowReadsUntilNothingIsLeftAndEnds() {
        var query = QueryByHand(.availableNow)
        #expect(query.take(.started(RecoveredLogs())) == ["prepare -", "fetch -"])
        #expect(query.runBatch(["5"]).contains("fetch 5"))
        #expect(query.runBatch(["9"]).contains("fetch 9"))
        #expect(query.take(.latestOffsets([nil])) == ["end"])
    }

    @Test func onceRunsOneBatch() {
        var query = QueryByHand(.once)
        #expect(query.take(.started(RecoveredLogs())) == ["fetch -"])
        #expect(query.runBatch(["5"]).last == "end")
    }

    @Test func processAllWaitsForAFetchThatBeganAfterwards() {
        var query = QueryByHand()
        query.take(.started(RecoveredLogs()))
        // While the sources are being asked: their answer may be older than the question.
        #expect(query.take(.processAllRequested(token: 1)) == [])
        #expect(query.take(.latestOffsets([nil])) == ["idle 0", "fetch -"])
        #expect(query.take(.processAllRequested(token: 2)) == [])
        #expect(query.take(.latestOffsets([nil])) == ["processed [1]", "fetch -"])
        #expect(query.runBatch(["4"]).contains("fetch 4"))
        #expect(query.take(.latestOffsets([nil])) == ["processed [2]", "wait 10"])
        #expect(query.take(.processAllRequested(token: 3)) == ["fetch 4"])
    }

    @Test func aStopEndsTheQueryAtTheNextStep() {
        var query = QueryByHand()
        query.take(.started(RecoveredLogs()))
        #expect(query.take(.stopRequested) == [])
        #expect(query.take(.latestOffsets(["1"])) == ["end"])
        #expect(query.take(.dataArrived) == [])

        var waiting = QueryByHand()
        waiting.take(.started(RecoveredLogs()))
        waiting.take(.latestOffsets([nil]))
        #expect(waiting.take(.stopRequested) == ["end"])
    }

    @Test func aStopLetsACommittedSinkBeLogged() {
        var query = QueryByHand()
        query.take(.started(RecoveredLogs()))
        query.take(.latestOffsets(["1"]))
        query.take(.offsetsWritten)
        query.take(query.finished)
        query.take(.stopRequested)
        #expect(query.take(.sinkCommitted) == ["commit 0"])
        #expect(query.take(.commitWritten) == ["release 1", "progress 0", "end"])
    }

    @Test func aStopEndsTheJobAndWaitsForTheLog() {
        var query = QueryByHand()
        query.take(.started(RecoveredLogs()))
        query.take(.latestOffsets(["1"]))
        #expect(query.take(.stopRequested) == ["cancel"])
        #expect(query.take(.failed(MillraceError(.cancelled, "the job"))) == [])
        #expect(query.take(.offsetsWritten) == ["end"])
    }

    @Test func aFailureWaitsForTheCommitOfTheBatchBefore() {
        var query = QueryByHand()
        query.take(.started(RecoveredLogs()))
        query.take(.latestOffsets(["1"]))
        query.take(.offsetsWritten)
        query.take(query.finished)
        query.take(.sinkCommitted)
        #expect(query.take(.failed(MillraceError(.queryFailed, "the source"))) == [])
        #expect(query.take(.commitWritten) == ["release 1", "progress 0", "end queryFailed"])
    }

    @Test func withoutItsLogAQueryEndsAndTheSinkSeesNothing() {
        var query = QueryByHand()
        query.take(.started(RecoveredLogs()))
        query.take(.latestOffsets(["1"]))
        #expect(query.take(.logFailed(MillraceError(.system, "disk full"))) == ["cancel"])
        #expect(query.take(query.finished) == ["end system"])

        var later = QueryByHand()
        later.take(.started(RecoveredLogs()))
        later.take(.latestOffsets(["1"]))
        later.take(later.finished)
        #expect(later.take(.logFailed(MillraceError(.system, "disk full"))) == ["end system"])
    }

    @Test func aFailureEndsTheQueryUnlessItWasStopped() {
        var query = QueryByHand()
        query.take(.started(RecoveredLogs()))
        query.take(.processAllRequested(token: 1))
        #expect(query.take(.failed(MillraceError(.jobAborted, "no"))) == ["end jobAborted"])
        #expect(query.take(.processAllRequested(token: 2)) == ["processed [2]"])

        var stopped = QueryByHand()
        stopped.take(.started(RecoveredLogs()))
        stopped.take(.stopRequested)
        #expect(stopped.take(.failed(MillraceError(.cancelled, "the job"))) == ["end"])
    }

    @Test func oldBatchesArePurgedOnceEnoughAreKept() {
        var query = QueryByHand(retain: 2)
        query.take(.started(RecoveredLogs()))
        #expect(!query.runBatch(["1"]).contains { $0.hasPrefix("purge") })
        #expect(!query.runBatch(["2"]).contains { $0.hasPrefix("purge") })
        #expect(query.runBatch(["3"]).contains("purge 1"))
    }
}

@Suite struct RecoveryTests {
    private func logs(
        _ batch: Int, _ end: String, previous: String? = nil, committed: Int?
    ) -> RecoveredLogs {
        RecoveredLogs(
            latest: .init(batch: BatchID(batch), offsets: [end], timestampMs: 77, watermarkMs: 0),
            previous: previous.map { [$0] }, committed: committed.map { BatchID($0) })
    }

    @Test func afterACommitTheNextBatchBegins() {
        var query = QueryByHand()
        #expect(query.take(.started(logs(3, "30", committed: 3))) == ["fetch 30"])
        #expect(
            query.take(.latestOffsets(["31"]))
                == ["offsets 4 30-31 at 0", "run 4 30-31 at 0"])
    }

    @Test func aLoggedBatchRunsAgainOverTheSameRangeWithTheSameTime() {
        var query = QueryByHand(now: 5000)
        #expect(
            query.take(.started(logs(3, "30", previous: "20", committed: 2)))
                == ["rerun 3 20-30 at 77"])
        #expect(
            query.finishBatch() == ["sink 3", "commit 3", "fetch 30", "release 30", "progress 3"])
        #expect(
            query.take(.latestOffsets(["31"]))
                == ["offsets 4 30-31 at 5000", "run 4 30-31 at 5000"])
    }

    @Test func theFirstBatchRunsAgainFromTheSourcesBeginning() {
        var query = QueryByHand()
        #expect(query.take(.started(logs(0, "5", committed: nil))) == ["rerun 0 --5 at 77"])
    }

    @Test func availableNowRepeatsTheLoggedBatchFirst() {
        var query = QueryByHand(.availableNow)
        #expect(
            query.take(.started(logs(1, "9", previous: "5", committed: 0)))
                == ["prepare 9", "rerun 1 5-9 at 77"])
        #expect(query.finishBatch().contains("fetch 9"))
        #expect(query.take(.latestOffsets([nil])) == ["end"])
    }

    @Test func incompleteCheckpointsAreRefused() {
        func end(_ logs: RecoveredLogs, sources: Int = 1) -> [String] {
            var query = QueryByHand(sources: sources)
            return query.take(.started(logs))
        }
        let refusal = ["end incompatibleState"]
        #expect(end(RecoveredLogs(committed: BatchID(0))) == refusal)
        #expect(end(logs(1, "9", previous: "5", committed: 2)) == refusal)
        #expect(end(logs(3, "9", previous: "5", committed: 1)) == refusal)
        #expect(end(logs(3, "9", previous: nil, committed: 2)) == refusal)
        #expect(end(logs(3, "9", previous: "5", committed: 2), sources: 2) == refusal)
    }
}

@Suite struct TriggerTests {
    @Test(arguments: [
        ("10 seconds", Duration.seconds(10)), ("1 minute 30 seconds", .seconds(90)),
        ("interval 5 milliseconds", .milliseconds(5)), ("2s", .seconds(2)), ("0 seconds", .zero),
    ])
    func readsSparksIntervals(text: String, expected: Duration) {
        #expect(Trigger.processingTime(text) == .processingTime(expected))
        #expect(Trigger.processingTime(text).problem == nil)
    }

    @Test(arguments: ["", "ten seconds", "10", "3 months", "seconds 3", "-1 second"])
    func refusesOthers(text: String) {
        #expect(Trigger.processingTime(text).problem != nil)
    }
}

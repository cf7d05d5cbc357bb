import MillraceBase
import MillraceCore

/// What a job brought, against what one thread computes.
extension Simulation {
    func check(_ results: [[UInt8]], of job: SimulatedJob, _ dataset: Int) {
        let rows = graph.rows(dataset)
        if graph.datasets[dataset].isScattered {
            checkTogether(results, of: job, rows)
        } else {
            for (index, partition) in job.partitions.enumerated() {
                check(results[index], of: job, partition, rows[partition])
            }
        }
        if plan.countsRows { checkCounts(of: job, job.partitions.map { rows[$0] }, dataset) }
    }

    private func check(
        _ bytes: [UInt8], of job: SimulatedJob, _ partition: Int, _ expected: [Row]
    ) {
        switch job.output {
        case .collect:
            if bytes != Program.encode(expected) {
                fail("\(job.id) has a wrong result for partition \(partition)")
            }
        case .commit:
            if sink[job.id, partition]?.rows != expected {
                fail("\(job.id) has a wrong file for partition \(partition)")
            }
        case .shuffle, .scatter, .state: preconditionFailure("checked elsewhere")
        }
    }

    /// Chance has dealt the rows out, but each of them once: an output that was computed twice, and
    /// read by some before and by some after, loses some and doubles others.
    private func checkTogether(_ results: [[UInt8]], of job: SimulatedJob, _ expected: [[Row]]) {
        var found: [Row] = []
        for (index, partition) in job.partitions.enumerated() {
            if job.output == .commit {
                found += sink[job.id, partition]?.rows ?? []
            } else {
                found += Program.decode(results[index])
            }
        }
        var left: [Row: Int] = [:]
        for row in expected.joined() { left[row, default: 0] += 1 }
        for row in found {
            guard let count = left[row], count > 0 else {
                return fail("\(job.id) brings a row twice, or one that isn't there")
            }
            left[row] = count - 1
        }
        if job.partitions.count == expected.count, left.values.contains(where: { $0 > 0 }) {
            fail("\(job.id) has lost rows")
        }
    }

    /// The job's rows were counted once, and those of the shuffles it reads.
    private func checkCounts(of job: SimulatedJob, _ rows: [[Row]], _ dataset: Int) {
        let isKnown =
            !graph.datasets[dataset].isScattered
            || rows.count == graph.datasets[dataset].partitions
        if isKnown, ledger.differs(Ledger.accumulator(of: job.id), from: rows) {
            fail("\(job.id) counts its rows wrongly")
        }
        for shuffle in job.shuffles {
            let (id, parent) = shuffle
            if ledger.differs(Ledger.accumulator(of: id), from: graph.rows(parent)) {
                fail("\(id) counts its rows wrongly")
            }
        }
    }
}

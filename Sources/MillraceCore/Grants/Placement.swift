import MillraceBase

/// Who runs which partition under a grant.
///
/// A partition stays with the first of its preferred executors (who has its state, or ran it under
/// the grant before) that may be used, unless that one would get more than its share; the others
/// are dealt out, one to each free core in turn. So a new executor gets its share with the next
/// grant, and no partition moves without need.
struct Placement: Sendable {
    /// An executor with free cores.
    struct Candidate: Sendable {
        var executor: ExecutorID
        var cores: Int
    }

    private let candidates: [Candidate]
    private let totalCores: Int
    /// By core, whose it is: one of each executor, then the second ones …
    private var cores: [Int] = []
    /// Where dealing goes on.
    private var next = 0

    /// `candidates` ascending, not empty.
    init(_ candidates: [Candidate]) {
        precondition(!candidates.isEmpty, "somebody has to run the tasks")
        self.candidates = candidates
        totalCores = candidates.reduce(0) { $0 + $1.cores }
        let most = candidates.reduce(0) { max($0, $1.cores) }
        for round in 0..<most {
            for (position, candidate) in candidates.enumerated() where candidate.cores > round {
                cores.append(position)
            }
        }
    }

    /// By partition. `preferred` is empty or has each partition's preferences, best first.
    mutating func place(_ count: Int, preferred: [[ExecutorID]]) -> [ExecutorID] {
        var left = candidates.map { ($0.cores * count + totalCores - 1) / totalCores }
        var chosen = [Int](repeating: -1, count: count)
        for partition in preferred.indices {
            for executor in preferred[partition] {
                guard let position = position(of: executor), left[position] > 0 else { continue }
                left[position] -= 1
                chosen[partition] = position
                break
            }
        }
        for partition in 0..<count where chosen[partition] < 0 {
            // Ends: the shares together are at least `count`.
            while left[cores[next]] == 0 { next = (next + 1) % cores.count }
            chosen[partition] = cores[next]
            left[cores[next]] -= 1
            next = (next + 1) % cores.count
        }
        return chosen.map { candidates[$0].executor }
    }

    private func position(of executor: ExecutorID) -> Int? {
        var low = 0
        var high = candidates.count
        while low < high {
            let middle = (low + high) / 2
            if candidates[middle].executor < executor { low = middle + 1 } else { high = middle }
        }
        return low < candidates.count && candidates[low].executor == executor ? low : nil
    }
}

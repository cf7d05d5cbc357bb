import MillraceBase

/// What kept blocks mean for an executor that may go.
extension BlockManagerMaster {
    /// A look at each dataset; for an executor that has been idle for long.
    func holdsBlocks(_ executor: ExecutorID) -> Bool {
        contains { holders, _ in holders.contains { $0.executor == executor } }
    }

    /// Whether somebody is making a copy of a block that only this executor has.
    func isCopying(from executor: ExecutorID) -> Bool {
        contains { holders, isAsked in
            isAsked && holders.count == 1 && holders[0].executor == executor
        }
    }

    private func contains(_ isSuch: ([Holder], _ isAsked: Bool) -> Bool) -> Bool {
        for slot in 0..<datasets.slotBound where datasets.id(at: slot) != nil {
            for (partition, holders) in datasets[slot: slot].holders.enumerated() {
                let isAsked = datasets[slot: slot].asked.contains { $0.partition == partition }
                if isSuch(holders, isAsked) { return true }
            }
        }
        return false
    }
}

import MillraceBase

extension DriverCore {
    /// A merge that readers wait for has a time at which it ends.
    func mergeViolations(_ found: inout [String]) {
        for slot in 0..<dag.outputs.shuffles.slotBound {
            guard let id = dag.outputs.shuffles.id(at: slot),
                let merge = dag.outputs.shuffles[slot: slot].merge
            else { continue }
            if dag.closingMerges.count(where: { $0 == id }) != (merge.isPending ? 1 : 0) {
                found.append("the merge of \(id) is \(merge.phase) but listed otherwise")
            }
            if merge.pushed != merge.isPushed.count(where: { $0 }) {
                found.append("the merge of \(id) counts its pushes wrongly")
            }
        }
    }
}

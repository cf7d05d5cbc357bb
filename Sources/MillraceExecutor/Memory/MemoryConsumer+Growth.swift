/// For consumers whose memory grows with their rows: they say what they need in all, and get it a
/// page at a time.
extension MemoryConsumer {
    /// What is asked for at least.
    static let page = 1 << 20

    /// Whether it has `bytes` in all now. When they cannot be had it has what it had before: it is
    /// to spill then, or to do with less.
    func grow(to bytes: Int) throws -> Bool {
        let missing = bytes - used
        guard missing > 0 else { return true }
        let granted = try acquire(max(missing, Self.page))
        if granted >= missing { return true }
        release(granted)
        return false
    }

    /// `grow`, of who has nothing left to spill. Throws `MemoryExhausted`.
    func require(_ bytes: Int) throws {
        if try !grow(to: bytes) { try reserve(bytes - used) }
    }

    /// Gives back what is beyond `bytes`.
    func shrink(to bytes: Int) { release(used - bytes) }
}

/// The sessions that have something to send when this turn of the loop ends, so that a turn costs
/// the executors that it is about and not all that there are. Belongs to the driver's loop.
final class Turn {
    private var sessions: [ExecutorSession] = []
    private var ending: [ExecutorSession] = []

    func add(_ session: ExecutorSession) { sessions.append(session) }

    /// Sends, in the order in which they got something. What they get meanwhile is the next turn's.
    func end() {
        swap(&sessions, &ending)
        for session in ending { session.endTurn() }
        ending.removeAll(keepingCapacity: true)
    }
}

import MillraceBase

/// How a channel comes to its connection: look-up, each address in turn, backoff after a failure.
extension RPCChannel {
    /// Everything up to the server's first frame must be done in `handshakeTimeout` per address;
    /// the look-up has as long.
    func startAttempt() {
        state = .connecting
        attempt += 1
        let number = attempt
        if notBefore > loop.now {
            loop.schedule(at: notBefore) { [weak self] in self?.resolve(number) }
        } else {
            resolve(number)
        }
    }

    private func resolve(_ number: Int) {
        guard number == attempt else { return }
        let limit = loop.schedule(after: options.connection.handshakeTimeout) { [weak self] in
            self?.attemptFailed(number, .timedOut("looking up \(self?.target.host ?? "")"))
        }
        Resolver.resolve(target, loop: loop) { [weak self] result in
            guard let self, number == self.attempt else { return }
            self.loop.cancel(limit)
            switch result {
            case .success(let addresses):
                self.untried = Array(addresses.prefix(8).reversed())
                self.dialNext(number, lastError: nil)
            case .failure(let error): self.attemptFailed(number, error)
            }
        }
    }

    private func dialNext(_ number: Int, lastError: NetError?) {
        guard let address = untried.popLast() else {
            return attemptFailed(
                number, lastError ?? .invalidAddress("\(target.host) has no address"))
        }
        do throws(NetError) {
            let session: TLSSession? =
                if let tls { try TLSSession(tls, host: target.host) } else { nil }
            current = try HTTP2Connection.connect(
                address, loop: loop, tls: session, options: options.connection, owner: self)
        } catch {
            dialNext(number, lastError: error)
        }
    }

    private func attemptFailed(_ number: Int, _ error: NetError) {
        guard number == attempt else { return }
        attempt += 1
        failures = min(failures + 1, 16)
        let wait = min(options.maxBackoff, options.minBackoff * (1 << (failures - 1)))
        notBefore = loop.now + wait
        lastError = error
        state = .idle
        fail(RPCStatus(.unavailable, "\(target): \(error)"))
    }

    // MARK: - Connection

    func connectionReady(_ connection: HTTP2Connection) {
        guard connection === current else { return }
        failures = 0
        notBefore = .zero
        state = .ready
        let calls = waiting
        waiting.removeAll()
        for call in calls { begin(call) }
    }

    /// A client takes no streams from its server.
    func connection(
        _ connection: HTTP2Connection, opened stream: HTTP2Stream, _ headers: HTTP2Headers
    ) {}

    func connectionGoesAway(_ connection: HTTP2Connection) {
        // While connecting it is not in use yet: its end leads to the next address.
        guard connection === current, state == .ready else { return }
        current = nil
        draining[ObjectIdentifier(connection)] = connection
        state = .idle
    }

    func connectionEnded(_ connection: HTTP2Connection, _ error: NetError?) {
        let error = error ?? .closed("\(target) closed the connection")
        lastError = error
        if draining.removeValue(forKey: ObjectIdentifier(connection)) != nil { return }
        guard connection === current else { return }
        current = nil
        if state == .connecting { dialNext(attempt, lastError: error) }
    }
}

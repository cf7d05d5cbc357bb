import MillraceBase

/// What the waiting tasks of a set are bound to.
extension TaskSet {
    /// Binds tasks to the executors and hosts that they prefer, as far as there are executors.
    mutating func bind(
        _ preferred: PreferredLocations, _ executors: inout ExecutorRegistry, _ delay: DelaySchedule
    ) {
        var byExecutor: [(home: Int, index: Int)] = []
        var byHost: [(home: Int, index: Int)] = []
        for index in tasks.indices {
            let partition = partition(index)
            if !preferred.executors.isEmpty {
                for executor in preferred.executors[partition] {
                    if executors.takesTasks(executor) {
                        byExecutor.append((executor.rawValue, index))
                    }
                    if !preferred.ownsState, let host = executors.host(of: executor) {
                        byHost.append((host, index))
                    }
                }
            }
            if !preferred.hosts.isEmpty {
                for host in preferred.hosts[partition] {
                    byHost.append((executors.hosts.id(of: host), index))
                }
            }
        }
        guard !byExecutor.isEmpty || !byHost.isEmpty else { return }
        locality = Locality(
            preferred: preferred, byExecutor: byExecutor, byHost: byHost, delay: delay)
        for (home, index) in byHost where executors.hosts.hasTakers(home) {
            bind(index, to: .host)
        }
        for (_, index) in byExecutor { bind(index, to: .executor) }
    }

    private mutating func bind(_ index: Int, to binding: Task.Binding) {
        count(tasks[index].binding, by: -1)
        tasks[index].binding = binding
        count(binding, by: 1)
    }

    /// A waiting task of this binding comes or goes.
    mutating func count(_ binding: Task.Binding, by change: Int) {
        switch binding {
        case .free: break
        case .host: hostBound += change
        case .executor: executorBound += change
        }
    }

    /// An executor takes no more tasks: those that preferred it, or its host if nobody is left
    /// there, are bound to what else they prefer, or free.
    mutating func rebind(from executor: Int, _ executors: ExecutorRegistry) {
        guard let locality else { return }
        for index in locality.byExecutor.rest(of: executor) {
            rebind(Int(index), executors)
        }
        let host = executors.states[executor].hostID
        guard !executors.hosts.hasTakers(host) else { return }
        for index in locality.byHost.rest(of: host) { rebind(Int(index), executors) }
    }

    private mutating func rebind(_ index: Int, _ executors: ExecutorRegistry) {
        guard tasks[index].isPending, tasks[index].binding != .free else { return }
        bind(index, to: home(of: index, executors))
        guard tasks[index].binding == .free else { return }
        codeProbe(.boundTaskFreed)
        retries.append(Int32(index))
    }

    private func home(of index: Int, _ executors: ExecutorRegistry) -> Task.Binding {
        guard let preferred = locality?.preferred else { return .free }
        let partition = partition(index)
        var binding = Task.Binding.free
        if !preferred.executors.isEmpty {
            for executor in preferred.executors[partition] {
                if executors.takesTasks(executor) { return .executor }
                if !preferred.ownsState, let host = executors.host(of: executor),
                    executors.hosts.hasTakers(host)
                {
                    binding = .host
                }
            }
        }
        if binding == .free, !preferred.hosts.isEmpty {
            for host in preferred.hosts[partition] where executors.hosts.hasTakers(host) {
                binding = .host
            }
        }
        return binding
    }

    /// A waiting task that prefers the executor of this group.
    mutating func pop(executorGroup group: Int) -> Int? {
        while let index = locality?.byExecutor.next(in: group) {
            locality!.byExecutor.advance(group: group)
            if tasks[index].isPending, tasks[index].binding != .free { return index }
        }
        return nil
    }

    /// A waiting task that prefers the host of this group.
    mutating func pop(hostGroup group: Int) -> Int? {
        while let index = locality?.byHost.next(in: group) {
            locality!.byHost.advance(group: group)
            if tasks[index].isPending, tasks[index].binding != .free { return index }
        }
        return nil
    }
}

import Glibc

/// Lets go of consumers on a thread of its own: ending a librdkafka client waits for its threads,
/// and a task should not. Where no thread can be had, it is done here and now.
func endElsewhere(_ consumers: [PartitionConsumer]) {
    let box = Unmanaged.passRetained(Consumers(list: consumers))
    var thread = pthread_t()
    let code = pthread_create(
        &thread, nil,
        { pointer in
            if let pointer { Unmanaged<Consumers>.fromOpaque(pointer).release() }
            return nil
        }, box.toOpaque())
    if code == 0 { pthread_detach(thread) } else { box.release() }
}

private final class Consumers {
    let list: [PartitionConsumer]
    init(list: [PartitionConsumer]) { self.list = list }
}

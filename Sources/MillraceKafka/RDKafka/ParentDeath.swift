import CRdkafka
import Glibc

/// Asks the kernel for SIGTERM when the thread that started this process ends. False when it has
/// ended already.
func dieWithParent() -> Bool {
    let parent = getppid()
    _ = millrace_kafka_die_with_parent(SIGTERM)
    return getppid() == parent
}

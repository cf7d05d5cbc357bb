#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

// prctl(2) is variadic, which Swift does not import.
static inline int millrace_kafka_die_with_parent(int signal) {
    return prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0UL, 0UL, 0UL);
}

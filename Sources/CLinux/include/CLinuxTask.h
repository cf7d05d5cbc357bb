// What the calling thread runs, where user code can find it in a nanosecond: a thread-local variable, which Swift has no
// word for.
#ifndef CLINUX_TASK_H
#define CLINUX_TASK_H
#include <stddef.h>
#include <stdint.h>

/// An accumulator that the running task has added to.
typedef struct clinux_accumulator {
    int64_t id;               // -1 for a free place
    void *_Nullable body;
} clinux_accumulator;

/// The running task: its context, and its accumulators in a table of `mask` + 1 places, found by id with linear probing.
typedef struct clinux_task {
    const void *_Nullable context;
    clinux_accumulator *_Nonnull accumulators;
    int64_t mask;
} clinux_task;

/// The table of a thread without a task, and of a task that has added to nothing: one free place.
extern clinux_accumulator clinux_no_accumulators[1];
/// `clinux_no_accumulators`.
static inline clinux_accumulator *_Nonnull clinux_nothing_accumulated(void) { return clinux_no_accumulators; }
extern _Thread_local clinux_task clinux_task_here;

static inline clinux_task *_Nonnull clinux_this_task(void) { return &clinux_task_here; }
#endif

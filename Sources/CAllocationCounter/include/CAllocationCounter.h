// Counts the allocations of the program it is linked into: its malloc stands before glibc's for every library.
#ifndef CALLOCATIONCOUNTER_H
#define CALLOCATIONCOUNTER_H
#include <stdint.h>

/// Allocations of all threads since the program began.
int64_t callocationcounter_count(void);

/// Bytes that are allocated now, with what malloc adds to each block. Takes malloc's locks.
int64_t callocationcounter_bytes(void);
#endif

// What this machine can do at all: the benchmarks' work as one thread of plain C, memory, and a socket. Each returns
// seconds, or a negative number when the operating system refuses.
#ifndef CBENCHFLOOR_H
#define CBENCHFLOOR_H
#include <stddef.h>
#include <stdint.h>

/// Reads the file and counts its words, which ' ' and '\n' separate.
double cbench_wordcount(const char *path, int64_t *distinct, int64_t *words);
/// For id in 0..<rows: adds 1 and id to the entry of id % keys in a hash table.
double cbench_groupby(int64_t rows, int64_t keys, int64_t *distinct, int64_t *sum);
/// Generates records of 10 + 90 random bytes, moves them to partitions by their first bytes, and
/// sorts each partition by key. `*sorted` says whether they are.
double cbench_sort(int64_t records, int64_t partitions, int *sorted);
/// Adds up `bytes` of memory, once.
double cbench_memory_read(size_t bytes);
/// Copies `bytes` of memory, once.
double cbench_memory_copy(size_t bytes);
/// Sends a file of `bytes` in `folder` to another thread by sendfile over a TCP socket of loopback.
double cbench_sendfile(const char *folder, size_t bytes);
#endif

#include "CBenchFloor.h"
#include "clock.h"
#include <stdlib.h>
#include <string.h>

enum { width = 100, key_width = 10 };
typedef struct { uint64_t prefix; uint32_t index; uint16_t rest; } item;

static int before(const void *left, const void *right) {
    const item *a = left, *b = right;
    if (a->prefix != b->prefix) return a->prefix < b->prefix ? -1 : 1;
    return (int)a->rest - (int)b->rest;
}

/// By the prefix's upper 32 bits, 11 bits at a time, then what is still equal by comparison.
static void sort_items(item *items, item *other, size_t count) {
    static uint32_t counts[2048];
    for (int shift = 31; shift < 64; shift += 11) {
        memset(counts, 0, sizeof counts);
        for (size_t i = 0; i < count; i++) counts[items[i].prefix >> shift & 2047]++;
        uint32_t sum = 0;
        for (int i = 0; i < 2048; i++) { uint32_t n = counts[i]; counts[i] = sum; sum += n; }
        for (size_t i = 0; i < count; i++) other[counts[items[i].prefix >> shift & 2047]++] = items[i];
        item *swapped = items; items = other; other = swapped;
    }
    memcpy(other, items, count * sizeof *items);
    items = other;
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && items[to].prefix >> 31 == items[from].prefix >> 31; to++) {}
        if (to - from > 1) qsort(items + from, to - from, sizeof *items, before);
    }
}

static item item_of(const unsigned char *record, uint32_t index) {
    uint64_t prefix;
    uint16_t rest;
    memcpy(&prefix, record, 8);
    memcpy(&rest, record + 8, 2);
    return (item){__builtin_bswap64(prefix), index, __builtin_bswap16(rest)};
}

double cbench_sort(int64_t records, int64_t partitions, int *sorted) {
    size_t count = (size_t)records;
    double start = clock_seconds();
    unsigned char *input = malloc(count * width + 8), *placed = malloc(count * width + 8);
    size_t *ends = calloc((size_t)partitions + 1, sizeof *ends);
    item *items = malloc(count * sizeof *items), *other = malloc(count * sizeof *other);
    if (!input || !placed || !ends || !items || !other) return -1;
    uint64_t state = 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < count * width; i += 8) {
        state ^= state >> 12; state ^= state << 25; state ^= state >> 27;
        uint64_t word = state * 0x2545F4914F6CDD1Du;
        memcpy(input + i, &word, 8);
    }
#define PARTITION(r) (((size_t)((r)[0] << 8 | (r)[1]) * (size_t)partitions) >> 16)
    for (size_t i = 0; i < count; i++) ends[PARTITION(input + i * width) + 1]++;
    for (int64_t p = 0; p < partitions; p++) ends[p + 1] += ends[p];
    for (size_t i = 0; i < count; i++) {
        memcpy(placed + ends[PARTITION(input + i * width)]++ * width, input + i * width, width);
    }
    size_t from = 0;
    for (int64_t p = 0; p < partitions; p++) {
        size_t to = ends[p];
        for (size_t i = from; i < to; i++) items[i] = item_of(placed + i * width, (uint32_t)i);
        sort_items(items + from, other + from, to - from);
        for (size_t i = from; i < to; i++) {
            memcpy(input + i * width, placed + (size_t)items[i].index * width, width);
        }
        from = to;
    }
    *sorted = 1;
    for (size_t i = 1; i < count; i++) {
        if (memcmp(input + (i - 1) * width, input + i * width, key_width) > 0) *sorted = 0;
    }
    double seconds = clock_seconds() - start;
    free(input); free(placed); free(ends); free(items); free(other);
    return seconds;
}

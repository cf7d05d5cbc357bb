#include "CBenchFloor.h"
#include "clock.h"
#include <stdlib.h>

typedef struct { int64_t key, count, sum; } group;

double cbench_groupby(int64_t rows, int64_t keys, int64_t *distinct, int64_t *sum) {
    uint64_t size = 16;
    while (size < 2 * (uint64_t)keys) size *= 2;
    double start = clock_seconds();
    group *groups = calloc(size, sizeof *groups);
    if (!groups) return -1;
    for (int64_t id = 0; id < rows; id++) {
        int64_t key = id % keys;
        unsigned __int128 product = (unsigned __int128)((uint64_t)key ^ 0xA0761D6478BD642Fu) * 0xE7037ED1A0B428DBu;
        uint64_t slot = ((uint64_t)product ^ (uint64_t)(product >> 64)) & (size - 1);
        while (groups[slot].count && groups[slot].key != key) slot = (slot + 1) & (size - 1);
        groups[slot].key = key;
        groups[slot].count++;
        groups[slot].sum += id;
    }
    *distinct = *sum = 0;
    for (uint64_t slot = 0; slot < size; slot++) {
        *distinct += groups[slot].count > 0;
        *sum += groups[slot].sum;
    }
    double seconds = clock_seconds() - start;
    free(groups);
    return seconds;
}

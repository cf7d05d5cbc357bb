#include "ContentHash.h"
#include <string.h>

static inline uint64_t mix(uint64_t a, uint64_t b) {
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t word(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    return word;
}

// Two chains of folded multiplications with other constants, each over all bytes.
void cmachine_hash128(const uint8_t *bytes, size_t count, uint64_t hash[2]) {
    const uint64_t k1 = 0xa0761d6478bd642fULL, k2 = 0xe7037ed1a0b428dbULL;
    const uint64_t k3 = 0x8ebc6af09c88c6e3ULL, k4 = 0x589965cc75374cc3ULL;
    uint64_t a = k3 ^ count, b = k4 ^ count;
    size_t left = count;
    for (; left >= 16; left -= 16, bytes += 16) {
        uint64_t low = word(bytes), high = word(bytes + 8);
        a = mix(low ^ k1, high ^ a) + low;
        b = mix(high ^ k2, low ^ b) + high;
    }
    uint8_t tail[16] = {0};
    if (left > 0) memcpy(tail, bytes, left);
    uint64_t low = word(tail), high = word(tail + 8);
    a = mix(low ^ k1, high ^ a) + low;
    b = mix(high ^ k2, low ^ b) + high;
    hash[0] = mix(a ^ k3, b ^ count);
    hash[1] = mix(b ^ k4, a ^ k1);
}

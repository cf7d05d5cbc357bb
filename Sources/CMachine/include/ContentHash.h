#ifndef CMACHINE_CONTENT_HASH_H
#define CMACHINE_CONTENT_HASH_H
#include <stddef.h>
#include <stdint.h>
/// A 128-bit hash of bytes: for finding equal contents among friends, not against forgers.
void cmachine_hash128(const uint8_t *_Nonnull bytes, size_t count, uint64_t hash[_Nonnull 2]);
#endif

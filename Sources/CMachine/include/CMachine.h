// Instructions that Swift has no name for. Computes only: asks nothing of the operating system.
#ifndef CMACHINE_H
#define CMACHINE_H
#include <stddef.h>
#include <stdint.h>
#include "ContentHash.h"

/// Asks for the cache line of an address that will be read or written soon. Any address will do.
static inline void cmachine_prefetch(const void *_Nonnull address) { __builtin_prefetch(address, 1, 3); }

/// The state of a CRC-32C (Castagnoli, reflected) after more bytes; neither end is inverted.
uint32_t cmachine_crc32c(uint32_t state, const void *_Nullable bytes, size_t count);

/// The same without the processor's instruction, for processors that have none.
uint32_t cmachine_crc32c_by_tables(uint32_t state, const void *_Nullable bytes, size_t count);
#endif

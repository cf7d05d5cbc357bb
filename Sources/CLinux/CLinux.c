#define _GNU_SOURCE
#include <malloc.h>
#include "CLinux.h"

void clinux_die_with_parent(int signal_number) { prctl(PR_SET_PDEATHSIG, (unsigned long)signal_number, 0, 0, 0); }

void clinux_configure_allocator(void) {
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 8 << 20);
}

void clinux_return_freed(void) { malloc_trim(0); }

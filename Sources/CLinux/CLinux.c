#define _GNU_SOURCE
#include "CLinux.h"

void clinux_die_with_parent(int signal_number) { prctl(PR_SET_PDEATHSIG, (unsigned long)signal_number, 0, 0, 0); }

#define _GNU_SOURCE
#include "CLinux.h"
#include <pthread.h>

void clinux_set_thread_name(const char *name) { pthread_setname_np(pthread_self(), name); }

void clinux_die_with_parent(int signal_number) { prctl(PR_SET_PDEATHSIG, (unsigned long)signal_number, 0, 0, 0); }

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "CLinuxNet.h"

int clinux_accept(int listener, struct sockaddr *address, socklen_t *length) {
    return accept4(listener, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int clinux_join_until(pthread_t thread, const struct timespec *deadline) {
    return pthread_timedjoin_np(thread, 0, deadline);
}

int clinux_name_thread(const char *name) { return pthread_setname_np(pthread_self(), name); }

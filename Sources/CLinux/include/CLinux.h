// What Linux offers and Swift's Glibc module does not import: epoll, eventfd, timerfd, sendfile, signalfd, prctl, and
// GNU extensions as functions of our own.
//
// Never define _GNU_SOURCE here: the same system headers would then differ from what the Glibc module was built with, and
// the compiler refuses two definitions of one type. What needs it is wrapped in a .c file, which may define it.
#ifndef CLINUX_H
#define CLINUX_H
#include "CLinuxNet.h"
#include "CLinuxProcess.h"
#include "CLinuxTask.h"
#include "SwiftRuntime.h"
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

// GNU's, declared here because their headers hide them without _GNU_SOURCE.
int accept4(int listener, struct sockaddr *address, socklen_t *length, int flags);
int pthread_setname_np(pthread_t thread, const char *name);
int pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *deadline);

/// This process gets that signal when the thread that started it ends.
void clinux_die_with_parent(int signal_number);

// Makes arrays of a mebibyte and more mappings of their own for good, whose memory is the system's
// again when they are freed. glibc would raise its threshold to 32 MiB when the first one is freed.
void clinux_configure_allocator(void);

// Gives the system back what is free between allocations.
void clinux_return_freed(void);
#endif

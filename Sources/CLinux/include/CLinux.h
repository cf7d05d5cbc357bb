// What Linux offers and Swift's Glibc module does not import: epoll, eventfd, timerfd, sendfile, signalfd, prctl, and
// GNU extensions as functions of our own.
//
// Never define _GNU_SOURCE here: the same system headers would then differ from what the Glibc module was built with, and
// the compiler refuses two definitions of one type. What needs it is wrapped in a .c file, which may define it.
#ifndef CLINUX_H
#define CLINUX_H
#include "CLinuxProcess.h"
#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

/// Names the calling thread; at most 15 bytes count.
void clinux_set_thread_name(const char *name);
/// This process gets that signal when the thread that started it ends.
void clinux_die_with_parent(int signal_number);
#endif

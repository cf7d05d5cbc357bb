// What glibc declares only for GNU programs, which Swift's Glibc module is not.
#ifndef CLINUX_NET_H
#define CLINUX_NET_H
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
/// accept4 with SOCK_NONBLOCK and SOCK_CLOEXEC; -1 and errno on failure.
int clinux_accept(int listener, struct sockaddr *address, socklen_t *length);
/// pthread_timedjoin_np; 0 or an error number (ETIMEDOUT).
int clinux_join_until(pthread_t thread, const struct timespec *deadline);
/// Names the calling thread; at most 15 bytes.
int clinux_name_thread(const char *name);
#endif

// Child processes: a file descriptor that becomes readable when the child has ended.
#ifndef CLINUX_PROCESS_H
#define CLINUX_PROCESS_H
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
/// -1 and errno on failure.
static inline int clinux_pidfd_open(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }
#endif

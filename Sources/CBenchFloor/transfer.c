#include "CBenchFloor.h"
#include "clock.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

/// The compiler must not know that nobody looks at the memory.
static void keep(const void *memory) { __asm__ volatile("" : : "r"(memory) : "memory"); }

double cbench_memory_read(size_t bytes) {
    size_t count = bytes / 8;
    uint64_t *memory = malloc(count * 8);
    if (!memory) return -1;
    memset(memory, 1, count * 8);
    keep(memory);
    double start = clock_seconds();
    uint64_t sums[8] = {0};
    for (size_t i = 0; i + 8 <= count; i += 8) {
        for (int j = 0; j < 8; j++) sums[j] += memory[i + (size_t)j];
    }
    keep(sums);
    double seconds = clock_seconds() - start;
    free(memory);
    return seconds;
}

double cbench_memory_copy(size_t bytes) {
    char *from = malloc(bytes), *to = malloc(bytes);
    if (!from || !to) return -1;
    memset(from, 1, bytes);
    memset(to, 2, bytes);
    keep(from);
    keep(to);
    double start = clock_seconds();
    memcpy(to, from, bytes);
    double seconds = clock_seconds() - start;
    keep(to);
    free(from);
    free(to);
    return seconds;
}

static void *receive_all(void *socket) {
    char *buffer = malloc(1 << 20);
    while (buffer && read(*(int *)socket, buffer, 1 << 20) > 0) {}
    free(buffer);
    return 0;
}

static int connect_to_self(int ends[2]) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) return -1;
    ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = bind(listener, (struct sockaddr *)&address, length) || listen(listener, 1)
        || getsockname(listener, (struct sockaddr *)&address, &length)
        || connect(ends[0], (struct sockaddr *)&address, length);
    ends[1] = failed ? -1 : accept(listener, 0, 0);
    close(listener);
    return ends[1] < 0 ? -1 : 0;
}

static int scratch_file(const char *folder, size_t bytes) {
    char path[4096];
    snprintf(path, sizeof path, "%s/millrace-bench-XXXXXX", folder);
    int file = mkstemp(path);
    if (file < 0) return -1;
    unlink(path);
    char *zeros = calloc(1, 1 << 20);
    for (size_t done = 0; zeros && done < bytes; done += 1 << 20) {
        if (write(file, zeros, 1 << 20) < 0) break;
    }
    free(zeros);
    return file;
}

double cbench_sendfile(const char *folder, size_t bytes) {
    int ends[2];
    int file = scratch_file(folder, bytes);
    if (file < 0 || connect_to_self(ends)) return -1;
    pthread_t receiver;
    if (pthread_create(&receiver, 0, receive_all, &ends[1])) return -1;
    double start = clock_seconds();
    off_t offset = 0;
    while ((size_t)offset < bytes && sendfile(ends[0], file, &offset, bytes - (size_t)offset) > 0) {}
    shutdown(ends[0], SHUT_WR);
    pthread_join(receiver, 0);
    double seconds = clock_seconds() - start;
    close(ends[0]); close(ends[1]); close(file);
    return (size_t)offset == bytes ? seconds : -1;
}

/* Preloaded into a process: files whose names end so are refused by the system calls that are named.
 *
 * REFUSED_FILES holds entries "CALL ENDING ERRNO", one a line; CALL is open, read, stat, rename, unlink or link.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name)) dlsym(RTLD_NEXT, #name))

/* The errno with which a call is refused for a path; 0: it is not. */
static int refused(const char *call, const char *path) {
    const char *rules = getenv("REFUSED_FILES");
    char wanted[16], ending[256];
    int number, used;
    if (rules == NULL || path == NULL) return 0;
    while (sscanf(rules, "%15s %255s %d%n", wanted, ending, &number, &used) == 3) {
        size_t length = strlen(path), last = strlen(ending);
        if (strcmp(call, wanted) == 0 && length >= last && strcmp(path + length - last, ending) == 0) return number;
        rules += used;
    }
    return 0;
}

static int refused_fd(const char *call, int fd) {
    char link[64], path[4096];
    ssize_t length;
    if (getenv("REFUSED_FILES") == NULL) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return refused(call, path);
}

#define REFUSE(error) do { int found = (error); if (found) { errno = found; return -1; } } while (0)
#define MODE(flags) mode_t mode = 0; if ((flags) & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); \
    mode = va_arg(more, mode_t); va_end(more); }

int open(const char *path, int flags, ...) { MODE(flags) REFUSE(refused("open", path)); return REAL(open)(path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) REFUSE(refused("open", path)); return REAL(open64)(path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags) REFUSE(refused("open", path)); return REAL(openat)(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags) REFUSE(refused("open", path)); return REAL(openat64)(at, path, flags, mode); }
ssize_t read(int fd, void *to, size_t count) { REFUSE(refused_fd("read", fd)); return REAL(read)(fd, to, count); }
int stat(const char *path, struct stat *to) { REFUSE(refused("stat", path)); return REAL(stat)(path, to); }
int stat64(const char *path, struct stat64 *to) { REFUSE(refused("stat", path)); return REAL(stat64)(path, to); }
int rename(const char *from, const char *to) { REFUSE(refused("rename", to)); return REAL(rename)(from, to); }
int unlink(const char *path) { REFUSE(refused("unlink", path)); return REAL(unlink)(path); }
int link(const char *from, const char *to) { REFUSE(refused("link", from)); return REAL(link)(from, to); }

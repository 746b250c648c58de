/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A wall clock that a test sets, of a daemon that is linked with --wrap=clock_gettime: the file that SEKISHO_TEST_WALL
 * names holds, in the machine's order, how many seconds it is off. No other clock is touched: nobody can set those.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

int __real_clock_gettime(clockid_t clock, struct timespec *out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out);

static const volatile int64_t *off;

__attribute__((constructor)) static void open_file(void)
{
    const char *path = getenv("SEKISHO_TEST_WALL");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*off), PROT_READ, MAP_SHARED, fd, 0);

    if (at == MAP_FAILED)
        abort(); /* a test that sets no clock would prove nothing */
    close(fd);
    off = at;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
    int err = __real_clock_gettime(clock, out);

    if (!err && clock == CLOCK_REALTIME)
        out->tv_sec += *off;
    return err;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void send_state(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t n = path ? strlen(path) : 0;

    if (n < 2 || n >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(address.sun_path, path, n);
    if (path[0] == '@') /* the abstract name space */
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return;
    /* A full socket of the manager is not ours to wait for. */
    if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
        fprintf(stderr, "sekishod: cannot notify the service manager: %m\n");
    close(fd);
}

void notify_ready(const char *status)
{
    char state[300];

    snprintf(state, sizeof(state), "READY=1\nSTATUS=%s\n", status);
    send_state(state);
}

void notify_reloading(void)
{
    struct timespec now;
    char state[100];

    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\n",
             (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    send_state(state);
}

void notify_stopping(void)
{
    send_state("STOPPING=1\n");
}

void notify_alive(void)
{
    send_state("WATCHDOG=1\n");
}

uint64_t notify_interval_ms(void)
{
    const char *interval = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");

    if (!getenv("NOTIFY_SOCKET") || !interval)
        return 0;
    if (pid && strtoimax(pid, NULL, 10) != (intmax_t)getpid())
        return 0;
    return strtoumax(interval, NULL, 10) / 2000;
}

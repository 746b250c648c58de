/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks over FastAGI as Asterisk does: connects, sends its environment, replies to each command, and
 * closes when the other side has. Usage:
 *
 *   ask PORT PID QUESTIONS AT_ONCE whole|lines ACCOUNTS
 *
 * `whole` sends the environment in one write; `lines` in a write a line, as Asterisk does. The accounts
 * are phone0 to phoneN-1, one call in ten goes abroad, and 0 accounts asks for phone0 alone. Prints, in
 * ns: CPU time that process PID took a question, wall time a question, and latency from connect() to
 * the last command's arrival, at the median and the 99th percentile; then how many questions got no
 * whole answer.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "environment.h"
#include "measure.h"

#define COMMANDS 5

struct question {
    int fd;
    double began;
    unsigned commands; /* that have arrived */
    bool asked;
};

static struct {
    struct sockaddr_in server;
    int ep;
    bool lines;
    unsigned accounts;
    uint64_t seed;
    size_t begun, ended, wanted, failed;
    double *latency;
    size_t n_latency;
} all;

static void send_all(int fd, const char *p, size_t n)
{
    while (n) {
        const char *newline = all.lines ? memchr(p, '\n', n) : NULL;
        size_t part = newline ? (size_t)(newline + 1 - p) : n;

        if (send(fd, p, part, MSG_NOSIGNAL) != (ssize_t)part)
            return; /* it will be missed when the answer does not come */
        p += part;
        n -= part;
    }
}

static void begin(struct question *q)
{
    struct epoll_event event = {.events = EPOLLOUT | EPOLLIN | EPOLLET, .data.ptr = q};

    *q = (struct question){.began = measure_now()};
    q->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (q->fd < 0 || (connect(q->fd, (struct sockaddr *)&all.server, sizeof(all.server)) != 0 &&
                      errno != EINPROGRESS)) {
        perror("ask");
        exit(1);
    }
    all.begun++;
    epoll_ctl(all.ep, EPOLL_CTL_ADD, q->fd, &event);
}

static void finish(struct question *q)
{
    close(q->fd);
    q->fd = -1;
    all.ended++;
    if (q->commands != COMMANDS)
        all.failed++;
    if (all.begun < all.wanted)
        begin(q);
}

static void ask(struct question *q)
{
    char text[ENVIRONMENT_MAX];
    size_t n = environment_make(text, all.accounts, &all.seed);

    q->asked = true;
    send_all(q->fd, text, n);
}

static void reply(struct question *q, const char *p, size_t n)
{
    static const char done[] = "200 result=1\n";

    for (const char *c = p; (c = memchr(c, '\n', (size_t)(p + n - c))); c++) {
        if (++q->commands == COMMANDS)
            all.latency[all.n_latency++] = measure_now() - q->began;
        if (send(q->fd, done, sizeof(done) - 1, MSG_NOSIGNAL) < 0)
            continue; /* reset: Asterisk goes on with what it has read */
    }
}

static void go_on(struct question *q, uint32_t events)
{
    char bytes[4096];

    if (!q->asked && events & EPOLLOUT)
        ask(q);
    if (!(events & ~(uint32_t)EPOLLOUT))
        return;
    for (;;) {
        ssize_t n = recv(q->fd, bytes, sizeof(bytes), 0);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            finish(q);
            return;
        }
        reply(q, bytes, (size_t)n);
    }
}

static double cpu_of(clockid_t clock)
{
    struct timespec t;

    if (clock_gettime(clock, &t) != 0) {
        perror("ask: the server's clock");
        exit(1);
    }
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void ask_all(size_t at_once)
{
    struct question *questions = calloc(at_once, sizeof(*questions));
    struct epoll_event events[64];

    for (size_t i = 0; i < at_once; i++)
        begin(&questions[i]);
    while (all.ended < all.wanted) {
        int n = epoll_wait(all.ep, events, 64, 5000);

        if (n == 0) {
            fprintf(stderr, "ask: %zu questions got no end\n", all.begun - all.ended);
            exit(1);
        }
        for (int i = 0; i < n; i++)
            go_on(events[i].data.ptr, events[i].events);
    }
    free(questions);
}

int main(int argc, char **argv)
{
    clockid_t clock;

    if (argc != 7 || clock_getcpuclockid(atoi(argv[2]), &clock) != 0) {
        fprintf(stderr, "usage: ask PORT PID QUESTIONS AT_ONCE whole|lines ACCOUNTS\n");
        return 2;
    }
    all.server = (struct sockaddr_in){.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                      .sin_port = htons((uint16_t)atoi(argv[1]))};
    all.ep = epoll_create1(0);
    all.lines = strcmp(argv[5], "lines") == 0;
    all.accounts = (unsigned)strtoul(argv[6], NULL, 10);
    all.wanted = strtoul(argv[3], NULL, 10);
    all.latency = calloc(all.wanted + 1, sizeof(*all.latency));
    double began = measure_now();
    double cpu = cpu_of(clock);

    ask_all(strtoul(argv[4], NULL, 10));
    usleep(50000); /* what is left to do for the last */
    cpu = (cpu_of(clock) - cpu) / (double)all.wanted;
    double wall = (measure_now() - began - 50e6) / (double)all.wanted;

    qsort(all.latency, all.n_latency, sizeof(*all.latency), measure_compare);
    printf("%.0f %.0f %.0f %.0f %zu\n", cpu, wall, all.latency[all.n_latency / 2],
           all.latency[all.n_latency * 99 / 100], all.failed);
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decisions over SIP and UDP beside a bare recvmmsg/sendmmsg loop that sends fixed bytes back: CPU time a question, and
 * the time that one answer takes at a quiet rate. One generator asks both in turns. See README.md.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../decide/world.h"
#include "desks.h"
#include "measure.h"
#include "numbering/tables.h"
#include "questions.h"
#include "serve/sip_udp.h"

#define ROUNDS 7
#define QUESTIONS 100000 /* a round */
#define BATCH 32
#define WINDOW 128 /* questions without an answer yet */
#define SOCKETS 8  /* of the generator: the kernel deals them out among workers */
#define QUIET_RATE 2000
#define QUIET 60 /* questions a round at that rate */

static struct question *requests;

/* ---- the bare loop -------------------------------------------------------------------------- */

static const char fixed[] =
    "SIP/2.0 603 Decline\r\nVia: SIP/2.0/UDP "
    "127.0.0.1:5060;branch=z9hG4bKxxxxxxxx;received=127.0.0.1;rport=40000\r\n"
    "From: \"0312345678\" <sip:0312345678@provider.example.jp>;tag=as01234567\r\n"
    "To: <sip:01011234567890@provider.example.jp>;tag=0123456789abcdef\r\n"
    "Call-ID: 0123456789abcdef@192.0.2.20\r\nCSeq: 102 INVITE\r\n"
    "Reason: SIP;cause=603;text=\"restricted number 010 of the account\"\r\nContent-Length: "
    "0\r\n\r\n";
static atomic_bool echo_ends;

static void *echo(void *arg)
{
    static char in[BATCH][2048];
    struct sockaddr_storage from[BATCH];
    struct iovec in_bytes[BATCH], out_bytes = {(char *)(uintptr_t)fixed, sizeof(fixed) - 1};
    struct mmsghdr messages[BATCH];
    struct pollfd ready = {.fd = *(int *)arg, .events = POLLIN};

    while (!atomic_load(&echo_ends)) {
        for (size_t i = 0; i < BATCH; i++) {
            in_bytes[i] = (struct iovec){in[i], sizeof(in[i])};
            messages[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                                  .msg_namelen = sizeof(from[i]),
                                                  .msg_iov = &in_bytes[i],
                                                  .msg_iovlen = 1};
        }
        if (poll(&ready, 1, 100) <= 0)
            continue;
        for (int n = BATCH; n == BATCH;) {
            n = recvmmsg(ready.fd, messages, BATCH, MSG_DONTWAIT, NULL);
            for (int i = 0; i < n; i++) {
                messages[i].msg_hdr.msg_iov = &out_bytes;
            }
            if (n > 0)
                sendmmsg(ready.fd, messages, (unsigned)n, MSG_DONTWAIT);
            for (int i = 0; i < n; i++) {
                messages[i].msg_hdr.msg_iov = &in_bytes[i];
                messages[i].msg_hdr.msg_namelen = sizeof(from[i]);
            }
        }
    }
    return NULL;
}

/* ---- the generator -------------------------------------------------------------------------- */

static int udp_socket(uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(at);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 4 << 20;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &length) != 0)
        exit(1);
    *port = ntohs(at.sin_port);
    return fd;
}

static void connect_to(int fd, uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
        exit(1);
}

static size_t send_batch(int fd, uint64_t *seed)
{
    struct mmsghdr messages[BATCH];
    struct iovec bytes[BATCH];

    for (size_t i = 0; i < BATCH; i++) {
        struct question *r = &requests[measure_random(seed) % QUESTIONS_TEMPLATES];

        questions_renew(r);
        bytes[i] = (struct iovec){r->bytes, r->n};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &bytes[i], .msg_iovlen = 1};
    }
    int n = sendmmsg(fd, messages, BATCH, 0);

    return n > 0 ? (size_t)n : 0;
}

static size_t take_some(int fd)
{
    static char in[BATCH][1024];
    struct mmsghdr messages[BATCH];
    struct iovec bytes[BATCH];

    for (size_t i = 0; i < BATCH; i++) {
        bytes[i] = (struct iovec){in[i], sizeof(in[i])};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &bytes[i], .msg_iovlen = 1};
    }
    int n = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);

    return n > 0 ? (size_t)n : 0;
}

static size_t take_answers(const int fds[SOCKETS])
{
    struct pollfd ready[SOCKETS];
    size_t n = 0;

    for (size_t i = 0; i < SOCKETS; i++)
        ready[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    if (poll(ready, SOCKETS, 200) <= 0)
        return 0;
    for (size_t i = 0; i < SOCKETS; i++)
        if (ready[i].revents)
            n += take_some(fds[i]);
    return n;
}

struct load {
    double cpu_ns, rate; /* of the other side, a question; questions a second */
    size_t lost;
};

/* What the process has had, less what the generator had. */
static struct load ask_many(const int fds[SOCKETS], uint64_t *seed)
{
    size_t sent = 0, answered = 0, lost = 0, turn = 0;
    double begin = measure_now(), all = measure_clock(CLOCK_PROCESS_CPUTIME_ID),
           own = measure_cpu();

    while (answered + lost < QUESTIONS) {
        while (sent - answered - lost < WINDOW && sent < QUESTIONS)
            sent += send_batch(fds[turn++ % SOCKETS], seed);
        size_t n = take_answers(fds);

        answered += n;
        if (!n)
            lost = sent - answered;
    }
    all = measure_clock(CLOCK_PROCESS_CPUTIME_ID) - all;
    own = measure_cpu() - own;
    return (struct load){(all - own) / (double)answered,
                         (double)answered / (measure_now() - begin) * 1e9, lost};
}

static double waits[QUIET];

static void ask_quietly(int fd, uint64_t *seed, double *p50, double *p99)
{
    double next = measure_now();
    char in[2048];

    for (size_t i = 0; i < QUIET; i++) {
        struct question *r = &requests[measure_random(seed) % QUESTIONS_TEMPLATES];
        struct pollfd ready = {.fd = fd, .events = POLLIN};

        next += 1e9 / QUIET_RATE;
        while (measure_now() < next) {
            double left = next - measure_now();
            struct timespec t = {0, left > 0 ? (long)left : 0};

            nanosleep(&t, NULL);
        }
        questions_renew(r);
        double begin = measure_now();

        if (send(fd, r->bytes, r->n, 0) < 0 || poll(&ready, 1, 1000) <= 0 ||
            recv(fd, in, sizeof(in), 0) < 0)
            fprintf(stderr, "an answer is missing\n");
        waits[i] = (measure_now() - begin) / 1e3;
        next = next > measure_now() ? next : measure_now();
    }
    qsort(waits, QUIET, sizeof(*waits), measure_compare);
    *p50 = waits[QUIET / 2];
    *p99 = waits[QUIET * 99 / 100];
}

/* ---- the run -------------------------------------------------------------------------------- */

static double least_of(double *x, size_t n)
{
    qsort(x, n, sizeof(*x), measure_compare);
    return x[0];
}

struct side {
    const char *name;
    uint16_t port;
    double cpu[ROUNDS], p50[ROUNDS], p99[ROUNDS], rate; /* us; answers a second */
};

static void ask_all(struct side *sides, size_t n)
{
    uint64_t seed = 1;
    size_t lost = 0;
    uint16_t own;
    int fds[SOCKETS];

    for (size_t i = 0; i < SOCKETS; i++)
        fds[i] = udp_socket(&own);
    for (size_t round = 0; round <= ROUNDS; round++)
        for (size_t i = 0; i < n; i++) {
            struct side *side = &sides[i];

            for (size_t k = 0; k < SOCKETS; k++)
                connect_to(fds[k], side->port);
            struct load load = ask_many(fds, &seed);

            lost += load.lost;
            if (!round)
                continue;
            side->cpu[round - 1] = load.cpu_ns / 1e3;
            side->rate = load.rate > side->rate ? load.rate : side->rate;
            ask_quietly(fds[0], &seed, &side->p50[round - 1], &side->p99[round - 1]);
        }
    for (size_t i = 0; i < SOCKETS; i++)
        close(fds[i]);
    if (lost)
        printf("lost: %zu\n", lost);
}

struct figures {
    double least, median, p50, p99;
};

static struct figures print_side(struct side *side)
{
    struct figures f = {.least = least_of(side->cpu, ROUNDS),
                        .median = side->cpu[ROUNDS / 2],
                        .p50 = least_of(side->p50, ROUNDS),
                        .p99 = least_of(side->p99, ROUNDS)};

    printf("%-11s %12.2f %12.2f %12.0f %12.1f %12.1f\n", side->name, f.least, f.median, side->rate,
           f.p50, f.p99);
    return f;
}

static void compare(uint16_t echo_port, uint16_t one_port, uint16_t two_port)
{
    static struct side sides[] = {
        {.name = "bare echo"}, {.name = "sekisho"}, {.name = "two workers"}};

    sides[0].port = echo_port;
    sides[1].port = one_port;
    sides[2].port = two_port;
    ask_all(sides, 3);
    printf("%-11s %12s %12s %12s %12s %12s\n", "", "CPU us least", "median", "answers/s", "p50 us",
           "p99 us");
    struct figures echo = print_side(&sides[0]), one = print_side(&sides[1]);

    printf("%-11s %12.2f %12.2f %12s %12.2f %12.2f\n", "ratio", one.least / echo.least,
           one.median / echo.median, "", one.p50 / echo.p50, one.p99 / echo.p99);
    struct figures two = print_side(&sides[2]);

    printf("%-11s %12.2f %12.2f   what two answer, each with as much CPU time as the one has\n",
           "times one", 2 * one.least / two.least, 2 * one.median / two.median);
}

static uint16_t start(struct sip_udp **udp, struct authorizer *authorizer, unsigned workers)
{
    const uint8_t key[SIP_KEY_BYTES] = {1};
    const struct address at = {.family = 4, .ip = {127, 0, 0, 1}};
    struct fault f;

    if (sip_udp_new(udp, authorizer, key, &at, 1, workers, &f) || sip_udp_start(*udp, &f)) {
        fprintf(stderr, "%s\n", f.text);
        exit(1);
    }
    return sip_udp_address(*udp, 0).port;
}

/* Beside a bare loop and two workers, each with a port of its own. */
static void compare_sockets(struct authorizer *authorizer)
{
    struct sip_figures figures = {0};
    struct sip_udp *one, *two;
    uint16_t echo_port, one_port = start(&one, authorizer, 1),
                        two_port = start(&two, authorizer, 2);
    int fd = udp_socket(&echo_port);
    pthread_t thread;

    pthread_create(&thread, NULL, echo, &fd);
    compare(echo_port, one_port, two_port);
    atomic_store(&echo_ends, true);
    pthread_join(thread, NULL);
    close(fd);
    sip_udp_stop(one);
    sip_udp_stop(two);
    sip_udp_figures(one, &figures);
    sip_udp_figures(two, &figures);
    printf("allowed %llu, denied %llu, repeated %llu\n",
           (unsigned long long)figures.n[SIP_COUNT_ALLOWED],
           (unsigned long long)figures.n[SIP_COUNT_DENIED],
           (unsigned long long)figures.n[SIP_COUNT_REPEATED]);
    sip_udp_free(one);
    sip_udp_free(two);
}

int main(int argc, char **argv)
{
    bool only_desk = argc > 2 && strcmp(argv[2], "desk") == 0;
    size_t accounts = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000, n;
    const struct tables_file *files = tables_builtin(&n);
    const uint8_t key[SIP_KEY_BYTES] = {1};
    struct authorizer *authorizer;
    struct tables *tables;
    struct world world;
    struct fault f;

    requests = questions_new(accounts);
    if (!requests || tables_load(&tables, files, n, &f))
        return 1;
    world_open(&world, tables, accounts);
    if (authorizer_new(&authorizer, world.snap, NULL, NULL, &f))
        return 1;
    printf("%zu accounts, INVITEs of %u bytes, %d questions a round, the generator on the same "
           "machine\n",
           accounts, (unsigned)requests[0].n, QUESTIONS);
    if (!only_desk)
        compare_sockets(authorizer);
    desks_compare(authorizer, key, requests);
    authorizer_free(authorizer);
    world_close(&world);
    tables_free(tables);
    free(requests);
    return 0;
}

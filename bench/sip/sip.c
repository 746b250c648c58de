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
#include "base/clock.h"
#include "measure.h"
#include "numbering/tables.h"
#include "questions.h"
#include "serve/sip_udp.h"

#define ROUNDS 7
#define QUESTIONS 100000 /* a round */
#define BATCH 32
#define WINDOW 128 /* questions without an answer yet */
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

static size_t take_answers(int fd)
{
    static char in[BATCH][1024];
    struct mmsghdr messages[BATCH];
    struct iovec bytes[BATCH];
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    if (poll(&ready, 1, 200) <= 0)
        return 0;
    for (size_t i = 0; i < BATCH; i++) {
        bytes[i] = (struct iovec){in[i], sizeof(in[i])};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &bytes[i], .msg_iovlen = 1};
    }
    int n = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);

    return n > 0 ? (size_t)n : 0;
}

struct load {
    double cpu_ns, rate; /* of the other side, a question; questions a second */
    size_t lost;
};

/* What the process has had, less what the generator had. */
static struct load ask_many(int fd, uint64_t *seed)
{
    size_t sent = 0, answered = 0, lost = 0;
    double begin = measure_now(), all = measure_clock(CLOCK_PROCESS_CPUTIME_ID),
           own = measure_cpu();

    while (answered + lost < QUESTIONS) {
        while (sent - answered - lost < WINDOW && sent < QUESTIONS)
            sent += send_batch(fd, seed);
        size_t n = take_answers(fd);

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

/* ---- without the sockets --------------------------------------------------------------------- */

#define DESK_BATCHES 40000

/* The requests lie near, as what was just received does. */
static void take_packets(struct sip_packet packets[BATCH], uint64_t *seed)
{
    static char in[BATCH][QUESTIONS_SIZE], out[BATCH][QUESTIONS_SIZE];

    for (size_t i = 0; i < BATCH; i++) {
        struct question *q = &requests[measure_random(seed) % QUESTIONS_TEMPLATES];

        questions_renew(q);
        memcpy(in[i], q->bytes, q->n);
        packets[i] =
            (struct sip_packet){.bytes = {in[i], q->n},
                                .source = {.family = 4, .ip = {127, 0, 0, 1}, .port = 40000},
                                .reply = out[i],
                                .size = sizeof(out[i])};
    }
}

/* What stands between taking a batch and sending the answers. Others on the machine disturb many batches: what
 * one in twenty stays below is what the code can do. */
static void compare_desk(struct authorizer *authorizer, const uint8_t key[SIP_KEY_BYTES])
{
    static double taken[DESK_BATCHES];
    struct sip_packet packets[BATCH];
    struct sip_desk *desk;
    uint64_t seed = 3;
    struct fault f;

    if (sip_desk_new(&desk, authorizer, key, &f))
        exit(1);
    snapshot_reader_register();
    for (size_t i = 0; i < DESK_BATCHES; i++) {
        take_packets(packets, &seed);
        double begin = measure_now();

        sip_desk_answer(desk, packets, BATCH, clock_now());
        taken[i] = (measure_now() - begin) / BATCH / 1e3;
    }
    snapshot_reader_unregister();
    sip_desk_free(desk);
    qsort(taken, DESK_BATCHES, sizeof(*taken), measure_compare);
    printf("%-10s %12.2f %12.2f   of it without the sockets: reading, deciding, writing\n", "desk",
           taken[DESK_BATCHES / 20], taken[DESK_BATCHES / 2]);
}

/* ---- the run -------------------------------------------------------------------------------- */

static double least_of(double *x, size_t n)
{
    qsort(x, n, sizeof(*x), measure_compare);
    return x[0];
}

static void compare(uint16_t echo_port, uint16_t sip_port)
{
    double cpu[2][ROUNDS], p50[2][ROUNDS], p99[2][ROUNDS], rate[2] = {0};
    const char *const names[2] = {"bare echo", "sekisho"};
    const uint16_t ports[2] = {echo_port, sip_port};
    uint64_t seed = 1;
    size_t lost = 0;
    uint16_t own;
    int fd = udp_socket(&own);

    for (size_t round = 0; round <= ROUNDS; round++)
        for (size_t i = 0; i < 2; i++) {
            connect_to(fd, ports[i]);
            struct load load = ask_many(fd, &seed);

            lost += load.lost;
            if (!round)
                continue;
            cpu[i][round - 1] = load.cpu_ns / 1e3;
            rate[i] = load.rate > rate[i] ? load.rate : rate[i];
            ask_quietly(fd, &seed, &p50[i][round - 1], &p99[i][round - 1]);
        }
    printf("%-10s %12s %12s %12s %12s %12s\n", "", "CPU us least", "median", "answers/s", "p50 us",
           "p99 us");
    double first[4] = {0};

    for (size_t i = 0; i < 2; i++) {
        double least = least_of(cpu[i], ROUNDS), median = cpu[i][ROUNDS / 2];
        double quiet50 = least_of(p50[i], ROUNDS), quiet99 = least_of(p99[i], ROUNDS);

        printf("%-10s %12.2f %12.2f %12.0f %12.1f %12.1f\n", names[i], least, median, rate[i],
               quiet50, quiet99);
        if (i)
            printf("%-10s %12.2f %12.2f %12s %12.2f %12.2f\n", "ratio", least / first[0],
                   median / first[1], "", quiet50 / first[2], quiet99 / first[3]);
        first[0] = least;
        first[1] = median;
        first[2] = quiet50;
        first[3] = quiet99;
    }
    printf("lost: %zu\n", lost);
    close(fd);
}

int main(int argc, char **argv)
{
    bool only_desk = argc > 2 && strcmp(argv[2], "desk") == 0;
    size_t accounts = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000, n;
    const struct tables_file *files = tables_builtin(&n);
    const uint8_t key[SIP_KEY_BYTES] = {1};
    const struct address at = {.family = 4, .ip = {127, 0, 0, 1}};
    struct authorizer *authorizer;
    struct sip_figures figures = {0};
    struct tables *tables;
    struct sip_udp *udp;
    struct world world;
    struct fault f;
    pthread_t thread;
    uint16_t echo_port;

    requests = questions_new(accounts);
    if (!requests || tables_load(&tables, files, n, &f))
        return 1;
    world_open(&world, tables, accounts);
    if (authorizer_new(&authorizer, world.snap, NULL, NULL, &f))
        return 1;
    if (only_desk) {
        compare_desk(authorizer, key);
        return 0;
    }
    if (sip_udp_new(&udp, authorizer, key, &at, 1, 1, &f) || sip_udp_start(udp, &f)) {
        fprintf(stderr, "%s\n", f.text);
        return 1;
    }
    int fd = udp_socket(&echo_port);

    pthread_create(&thread, NULL, echo, &fd);
    printf("%zu accounts, INVITEs of %u bytes, %d questions a round, the generator on the same "
           "machine\n",
           accounts, (unsigned)requests[0].n, QUESTIONS);
    compare(echo_port, sip_udp_address(udp, 0).port);
    compare_desk(authorizer, key);
    atomic_store(&echo_ends, true);
    pthread_join(thread, NULL);
    sip_udp_stop(udp);
    sip_udp_figures(udp, &figures);
    printf("allowed %llu, denied %llu, repeated %llu\n",
           (unsigned long long)figures.n[SIP_COUNT_ALLOWED],
           (unsigned long long)figures.n[SIP_COUNT_DENIED],
           (unsigned long long)figures.n[SIP_COUNT_REPEATED]);
    sip_udp_free(udp);
    authorizer_free(authorizer);
    world_close(&world);
    tables_free(tables);
    free(requests);
    return 0;
}

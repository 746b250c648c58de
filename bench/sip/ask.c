/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks any SIP server, from a process of its own. Usage:
 *
 *   ask load PORT PIDS QUESTIONS ACCOUNTS   prints the CPU time of those processes a question, in ns; answers a
 *                                           second; answers 3xx, answers 4xx to 6xx; questions without one
 *   ask quiet PORT RATE SECONDS ACCOUNTS    prints p50, p99, p99.9 of the wait in us; the part that was answered
 *   ask flood PORT SECONDS FROM ACCOUNTS    sends from that address without reading; prints questions a second
 *   ask ceiling ACCOUNTS                    the same to a socket that nobody reads
 *
 * PIDS are parted by commas, or one thread is meant: PID/task/TID.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"
#include "questions.h"

#define BATCH 32
#define WINDOW 96        /* questions without an answer yet */
#define PATIENCE_MS 1000 /* so long an answer is waited for */

static struct question *questions;
static uint64_t seed = 1;

static int udp_socket(const char *from)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 4 << 20;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    if (fd < 0 || inet_pton(AF_INET, from, &at.sin_addr) != 1 ||
        bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
        perror(from);
        exit(1);
    }
    return fd;
}

static void connect_to(int fd, unsigned port)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
        exit(1);
}

static struct question *next_question(void)
{
    struct question *q = &questions[measure_random(&seed) % QUESTIONS_TEMPLATES];

    questions_renew(q);
    return q;
}

static size_t send_some(int fd, size_t n)
{
    struct mmsghdr messages[BATCH];
    struct iovec bytes[BATCH];

    for (size_t i = 0; i < n; i++) {
        struct question *q = next_question();

        bytes[i] = (struct iovec){q->bytes, q->n};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &bytes[i], .msg_iovlen = 1};
    }
    int sent = sendmmsg(fd, messages, (unsigned)n, 0);

    return sent > 0 ? (size_t)sent : 0;
}

/* ---- as fast as it is answered -------------------------------------------------------------- */

struct answers {
    size_t all, redirected, refused;
};

static size_t take_answers(int fd, struct answers *a)
{
    static char in[BATCH][2048];
    struct mmsghdr messages[BATCH];
    struct iovec bytes[BATCH];
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    if (poll(&ready, 1, PATIENCE_MS) <= 0)
        return 0;
    for (size_t i = 0; i < BATCH; i++) {
        bytes[i] = (struct iovec){in[i], sizeof(in[i])};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &bytes[i], .msg_iovlen = 1};
    }
    int n = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL), got = 0;

    for (int i = 0; i < n; i++) {
        char class = messages[i].msg_len > 8 ? in[i][8] : 0;

        if (class == '1')
            continue;
        got++;
        a->redirected += class == '3';
        a->refused += class >= '4' && class <= '6';
    }
    a->all += (size_t)got;
    return (size_t)got;
}

/* Of one thread, "PID/task/TID", or of processes. */
static double cpu_of(const char *pids)
{
    char path[64];
    double all = 0;

    if (strchr(pids, '/')) {
        snprintf(path, sizeof(path), "/proc/%s/schedstat", pids);
        FILE *f = fopen(path, "r");

        if (!f || fscanf(f, "%lf", &all) != 1)
            exit(1);
        fclose(f);
        return all;
    }
    for (char *end; *pids; pids = *end ? end + 1 : end) {
        clockid_t clock;

        if (clock_getcpuclockid((pid_t)strtol(pids, &end, 10), &clock))
            exit(1);
        all += measure_clock(clock);
    }
    return all;
}

static void load(unsigned port, const char *pids, size_t wanted)
{
    int fd = udp_socket("127.0.0.1");
    struct answers a = {0};
    size_t sent = 0, lost = 0;

    connect_to(fd, port);
    double begin = measure_now(), cpu = cpu_of(pids);

    while (a.all + lost < wanted) {
        while (sent - a.all - lost + BATCH <= WINDOW && sent < wanted) {
            size_t n = send_some(fd, BATCH);

            if (!n)
                break;
            sent += n;
        }
        if (!take_answers(fd, &a))
            lost = sent - a.all;
    }
    printf("%.0f %.0f %zu %zu %zu\n", (cpu_of(pids) - cpu) / (double)a.all,
           (double)a.all / (measure_now() - begin) * 1e9, a.redirected, a.refused, lost);
}

/* ---- at a quiet rate ------------------------------------------------------------------------ */

static void sleep_until(double at)
{
    while (measure_now() < at) {
        double left = at - measure_now();
        struct timespec t = {0, left > 0 ? (long)left : 0};

        nanosleep(&t, NULL);
    }
}

static void quiet(unsigned port, double rate, double seconds)
{
    int fd = udp_socket("127.0.0.1");
    size_t n = (size_t)(rate * seconds), asked = 0, answered = 0;
    double *waits = calloc(n, sizeof(*waits)), next = measure_now();
    double end = next + 2e9 * seconds; /* where nobody answers */
    char in[2048];

    connect_to(fd, port);
    for (; waits && asked < n && measure_now() < end; asked++) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        struct question *q;

        next += 1e9 / rate;
        sleep_until(next);
        while (recv(fd, in, sizeof(in), MSG_DONTWAIT) > 0)
            ; /* what came too late */
        q = next_question();
        double begin = measure_now();

        if (send(fd, q->bytes, q->n, 0) > 0 && poll(&ready, 1, PATIENCE_MS) > 0 &&
            recv(fd, in, sizeof(in), 0) > 0)
            waits[answered++] = (measure_now() - begin) / 1e3;
        next = next > measure_now() ? next : measure_now();
    }
    if (!asked || !answered) {
        puts("0 0 0 0");
        exit(0);
    }
    qsort(waits, answered, sizeof(*waits), measure_compare);
    printf("%.1f %.1f %.1f %.4f\n", waits[answered / 2], waits[answered * 99 / 100],
           waits[answered * 999 / 1000], (double)answered / (double)asked);
    free(waits);
}

/* ---- without reading ------------------------------------------------------------------------ */

static void flood(unsigned port, double seconds, const char *from)
{
    int fd = udp_socket(from);
    double begin = measure_now(), end = begin + seconds * 1e9;
    size_t sent = 0;

    connect_to(fd, port);
    while (measure_now() < end)
        sent += send_some(fd, BATCH);
    printf("%.0f\n", (double)sent / (measure_now() - begin) * 1e9);
}

static void ceiling(void)
{
    struct sockaddr_in at = {0};
    socklen_t n = sizeof(at);
    int sink = udp_socket("127.0.0.1");

    if (getsockname(sink, (struct sockaddr *)&at, &n) == 0)
        flood(ntohs(at.sin_port), 2, "127.0.0.1");
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";

    questions = questions_new(strtoul(argv[argc - 1], NULL, 10));
    if (!questions)
        return 1;
    seed = (uint64_t)getpid();
    if (argc == 6 && strcmp(what, "load") == 0)
        load((unsigned)strtoul(argv[2], NULL, 10), argv[3], strtoul(argv[4], NULL, 10));
    else if (argc == 6 && strcmp(what, "quiet") == 0)
        quiet((unsigned)strtoul(argv[2], NULL, 10), strtod(argv[3], NULL), strtod(argv[4], NULL));
    else if (argc == 6 && strcmp(what, "flood") == 0)
        flood((unsigned)strtoul(argv[2], NULL, 10), strtod(argv[3], NULL), argv[4]);
    else if (argc == 3 && strcmp(what, "ceiling") == 0)
        ceiling();
    else
        return 2;
    free(questions);
    return 0;
}

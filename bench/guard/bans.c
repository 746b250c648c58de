/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a decision to the kernel: one ban, many at once, and all of them after a start. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench_guard.h"
#include "enforce/client.h"
#include "measure.h"

#define BULK 200000
#define RESTORED 100000
#define ONES 2000
#define READ_NS 100e3 /* what the daemon reads and counts between priming and a decision, roughly */

static struct client *client;
static unsigned long n_done;
static size_t n_wanted; /* bans that next() has */

static struct enforce_ban ban_of(size_t i)
{
    return (struct enforce_ban){
        {4, 32, {11, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}}, ENFORCE_SIP, 3600000};
}

static bool next(void *context, uint64_t *cursor, struct enforce_ban *out)
{
    if (*cursor >= n_wanted)
        return false;
    *out = ban_of((*cursor)++);
    return true;
}

static bool wanted(void *context, const struct enforce_ban *held)
{
    return n_wanted > 0;
}

static void done(void *context, enum client_action action, const struct enforce_ban *ban,
                 enum enforce_refusal why, uint32_t error)
{
    n_done++;
}

static void refused(void *context, enum enforce_type list, struct enforce_failure failure)
{
}

static void network(void *context, const struct network *network)
{
}

static void removed(void *context, const struct network *network, enum enforce_scope scope)
{
}

static void counted(void *context, const struct enforce_count *counts, unsigned n)
{
}

static void got_socket(void *context, int descriptor)
{
    if (descriptor >= 0)
        close(descriptor);
}

static void disturbed(void *context, enum enforce_disturbance what)
{
}

static void failed(void *context, struct span text)
{
    fprintf(stderr, "%.*s\n", (int)text.n, text.p);
}

static void changed(void *context, enum client_state state)
{
}

static void work(void)
{
    struct pollfd fd = {client_descriptor(client), client_events(client), 0};

    poll(&fd, 1, 100);
    client_work(client, (int64_t)measure_now());
}

/* What the machine takes at least: two processes that do nothing but wake each other. */
static int bare_open(void)
{
    int ends[2];
    char byte;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return -1;
    if (fork() == 0) {
        struct pollfd fd = {ends[1], POLLIN, 0};

        close(ends[0]);
        while (poll(&fd, 1, -1) > 0 && recv(ends[1], &byte, 1, 0) > 0)
            send(ends[1], &byte, 1, MSG_NOSIGNAL);
        _exit(0);
    }
    close(ends[1]);
    return ends[0];
}

static double bare(int socket)
{
    struct pollfd fd = {socket, POLLIN, 0};
    double began = measure_now();
    char byte = 0;

    send(socket, &byte, 1, MSG_NOSIGNAL);
    poll(&fd, 1, -1);
    recv(socket, &byte, 1, 0);
    return measure_now() - began;
}

static double one(size_t i)
{
    struct enforce_ban ban = ban_of(BULK + i);
    unsigned long before = n_done;
    double began = measure_now();

    client_ban(client, &ban);
    while (n_done == before)
        work();
    return measure_now() - began;
}

/* As the daemon does it when a ban may follow from what it reads next. */
static double primed(size_t i)
{
    double began = measure_now();

    client_prime(client);
    while (measure_now() - began < READ_NS)
        ;
    return one(i);
}

static void print_times(const char *what, double *took, size_t n)
{
    qsort(took, n, sizeof(*took), measure_compare);
    printf("  %-44s least %6.1f, median %6.1f, 99 %% %6.1f µs\n", what, took[0] / 1e3,
           took[n / 2] / 1e3, took[n * 99 / 100] / 1e3);
}

/* One after the other, each when the one before is in the kernel, and everybody sleeps between; in turns with what a bare
 * pair of processes takes. */
static void ones(size_t n, useconds_t pause)
{
    static double took[ONES], awake[ONES], floors[ONES];
    static size_t at;
    int socket = bare_open();

    for (size_t i = 0; i < n; i++) {
        usleep(pause);
        took[i] = one(at++);
        usleep(pause);
        awake[i] = primed(at++);
        usleep(pause);
        floors[i] = bare(socket);
    }
    close(socket);
    printf("one ban, until the kernel's word is here; %g ms of sleep before each:\n", pause / 1e3);
    print_times("the enforcer", took, n);
    print_times("the enforcer, primed before", awake, n);
    print_times("two bare processes that wake each other", floors, n);
    printf("  beside the bare processes: %.1f µs more, primed %.1f µs more\n",
           (took[n / 2] - floors[n / 2]) / 1e3, (awake[n / 2] - floors[n / 2]) / 1e3);
}

static void bulk(void)
{
    unsigned long before = n_done;
    double began = measure_now();

    for (size_t i = 0; i < BULK;) {
        struct enforce_ban ban = ban_of(i);

        if (i - (n_done - before) < 4096 && client_ban(client, &ban) == 0)
            i++;
        else
            work();
    }
    while (n_done - before < BULK)
        work();
    printf("%d bans at once: %.0f a second\n", BULK, BULK / ((measure_now() - began) / 1e9));
}

static bool begin(const char *enforcer, const char *never)
{
    static const struct client_handlers handlers = {.next = next,
                                                    .wanted = wanted,
                                                    .done = done,
                                                    .refused = refused,
                                                    .removed = removed,
                                                    .trusted = network,
                                                    .counted = counted,
                                                    .socket = got_socket,
                                                    .disturbed = disturbed,
                                                    .error = failed,
                                                    .state = changed};
    struct client_program program = {.path = enforcer, .user = "nobody", .never = never};
    struct fault f;
    double began = measure_now();

    if (client_start(&client, &program, &handlers, &f) != 0) {
        fprintf(stderr, "%s\n", f.text);
        return false;
    }
    while (client_state(client) != CLIENT_EFFECTIVE && measure_now() - began < 10e9)
        work();
    return client_state(client) == CLIENT_EFFECTIVE;
}

/* From the start of the enforcer to all bans in the kernel, as a restart of the daemon does it. */
static bool restore(const char *enforcer, const char *never)
{
    double empty = measure_now(), began;
    bool ready = begin(enforcer, never);

    empty = measure_now() - empty;
    client_close(client);
    n_wanted = RESTORED;
    began = measure_now();
    ready = ready && begin(enforcer, never);
    printf("a start with %d bans: %.0f ms; with none %.0f ms\n", RESTORED,
           (measure_now() - began) / 1e6, empty / 1e6);
    client_close(client);
    n_wanted = 0;
    return ready;
}

int bans_run(const char *enforcer, const char *never)
{
    bool ready;

    signal(SIGPIPE, SIG_IGN);
    ready = restore(enforcer, never) && begin(enforcer, never);
    if (ready) {
        ones(ONES, 50);
        ones(ONES / 4, 10000);
        ones(ONES / 40, 150000);
        bulk();
        client_close(client);
    }
    return ready ? 0 : 1;
}

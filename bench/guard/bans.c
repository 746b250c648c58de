/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a decision to the kernel: one ban, many at once, and all of them after a start. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench_guard.h"
#include "enforce/client.h"
#include "measure.h"

#define BULK 200000
#define RESTORED 100000
#define ONES 2000

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

static bool wanted(void *context, const struct network *network, enum enforce_scope scope)
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

static void changed(void *context, enum client_state state)
{
}

static void work(void)
{
    struct pollfd fd = {client_descriptor(client), client_events(client), 0};

    poll(&fd, 1, 100);
    client_work(client, (int64_t)measure_now());
}

/* One after the other, each when the one before is in the kernel. */
static void ones(void)
{
    static double took[ONES];

    for (size_t i = 0; i < ONES; i++) {
        struct enforce_ban ban = ban_of(BULK + i);
        unsigned long before = n_done;
        double began = measure_now();

        client_ban(client, &ban);
        while (n_done == before)
            work();
        took[i] = measure_now() - began;
        usleep(50); /* both processes sleep again */
    }
    qsort(took, ONES, sizeof(*took), measure_compare);
    printf(
        "one ban, from the decision to the kernel's word: least %.1f, median %.1f, 99 %% %.1f µs\n",
        took[0] / 1e3, took[ONES / 2] / 1e3, took[ONES * 99 / 100] / 1e3);
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
                                                    .state = changed};
    struct client_program program = {enforcer, "nobody", never};
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
        ones();
        bulk();
        client_close(client);
    }
    return ready ? 0 : 1;
}

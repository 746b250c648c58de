/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's side of the enforcer for tests: does what it is told on standard input and says on standard
 * output what happens. Usage: drive_client ENFORCER USER NEVER_FILE
 *
 *     ban NETWORK MS | unban NETWORK | many N | forget | never NETWORK | never-none | port NUMBER | count | socket | reconcile
 *     latency N       N bans one after another; prints nanoseconds from asking to the kernel's answer
 */
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "enforce/client.h"

#define BANS_MAX (1024 * 1024)

static struct client *client;
/* What ought to stand. */
static struct enforce_ban bans[BANS_MAX];
static size_t n_bans;
static unsigned long n_done;
static bool quiet;

static int64_t now_ns(void)
{
    return clock_now().boot_ns;
}

static size_t find(const struct network *network)
{
    size_t i = 0;

    while (i < n_bans && memcmp(&bans[i].network, network, sizeof(*network)) != 0)
        i++;
    return i;
}

static bool next(void *context, uint64_t *cursor, struct enforce_ban *out)
{
    if (*cursor >= n_bans)
        return false;
    *out = bans[(*cursor)++];
    return true;
}

static bool wanted(void *context, const struct enforce_ban *held)
{
    const struct network *network = &held->network;

    /* Those of `many` are 11.0.0.0 and on. */
    return (network->family == 4 && network->ip[0] == 11 && n_bans > 1000) ||
           find(network) < n_bans;
}

static void done(void *context, enum client_action action, const struct enforce_ban *ban,
                 enum enforce_refusal why, uint32_t error)
{
    char text[ADDRESS_TEXT_MAX];

    n_done++;
    if (!quiet || why)
        printf("%s %s %d\n", action == CLIENT_BAN ? "banned" : "unbanned",
               network_text(&ban->network, text), why);
}

static void refused(void *context, enum enforce_type list, struct enforce_failure failure)
{
    printf("refused %d %d %d\n", list, failure.index, failure.why);
}

static void removed(void *context, const struct network *network, enum enforce_scope scope)
{
    char text[ADDRESS_TEXT_MAX];
    size_t i = find(network);

    if (i < n_bans)
        bans[i] = bans[--n_bans];
    printf("removed %s\n", network_text(network, text));
}

static void trusted(void *context, const struct network *network)
{
    char text[ADDRESS_TEXT_MAX];

    printf("trusted %s\n", network_text(network, text));
}

static void counted(void *context, const struct enforce_count *counts, unsigned n)
{
    uint64_t dropped = 0;

    for (unsigned i = 0; i < n; i++)
        dropped += counts[i].counter >= ENFORCE_COUNT_NO_ACCESS ? counts[i].packets : 0;
    printf("dropped %" PRIu64 "\n", dropped);
}

static void got_socket(void *context, int descriptor)
{
    printf("socket %s\n", descriptor >= 0 ? "yes" : "no");
    if (descriptor >= 0)
        close(descriptor);
}

static void disturbed(void *context, enum enforce_disturbance what)
{
    printf("disturbed %d\n", what);
}

static void failed(void *context, struct span text)
{
    printf("error %.*s\n", (int)text.n, text.p);
}

static void changed(void *context, enum client_state state)
{
    static const char *const names[] = {"starting", "restoring", "effective", "gone"};

    printf("%s %lu\n", names[state], n_done);
    n_done = 0;
}

static void ban(const struct network *network, uint64_t ms)
{
    size_t i = find(network);

    bans[i] = (struct enforce_ban){*network, ENFORCE_SIP, ms};
    if (i == n_bans)
        n_bans++;
    if (client_ban(client, &bans[i]) != 0)
        puts("full");
}

static void many(size_t n)
{
    quiet = true;
    for (size_t i = 0; i < n && n_bans < BANS_MAX; i++) {
        struct network network = {4, 32, {11, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};

        bans[n_bans++] = (struct enforce_ban){network, ENFORCE_SIP, 3600000};
        client_ban(client, &bans[n_bans - 1]);
    }
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void latency(size_t n)
{
    int64_t *took = calloc(n, sizeof(*took));

    quiet = true;
    for (size_t i = 0; took && i < n; i++) {
        struct enforce_ban one = {
            {4, 32, {12, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}}, ENFORCE_SIP, 60000};
        unsigned long before = n_done;
        int64_t began = now_ns();

        client_ban(client, &one);
        while (n_done == before) {
            struct pollfd fd = {client_descriptor(client), POLLIN, 0};

            poll(&fd, 1, -1);
            client_work(client, now_ns());
        }
        took[i] = now_ns() - began;
        usleep(50);
    }
    if (took) {
        qsort(took, n, sizeof(*took), by_value);
        printf("latency %" PRId64 " %" PRId64 " %" PRId64 "\n", took[0], took[n / 2],
               took[n * 99 / 100]);
    }
    free(took);
}

static void obey(const char *line)
{
    char word[16] = "", text[ADDRESS_TEXT_MAX] = "";
    unsigned long number = 0;
    struct network network = {0};

    if (sscanf(line, "%15s %63s %lu", word, text, &number) > 1 && strpbrk(text, ".:"))
        network_parse(span_of(text), &network, NULL);
    unsigned long value = strtoul(text, NULL, 10);

    if (strcmp(word, "ban") == 0) {
        ban(&network, number);
    } else if (strcmp(word, "unban") == 0) {
        size_t i = find(&network);

        if (i < n_bans)
            bans[i] = bans[--n_bans];
        client_unban(client, &network, ENFORCE_SIP);
    } else if (strcmp(word, "many") == 0) {
        many(value);
    } else if (strcmp(word, "forget") == 0) {
        n_bans = 0;
    } else if (strcmp(word, "never") == 0) {
        client_never(client, &network, 1);
    } else if (strcmp(word, "never-none") == 0) {
        client_never(client, NULL, 0);
    } else if (strcmp(word, "port") == 0) {
        struct enforce_port port = {IPPROTO_UDP, (uint16_t)value};

        client_ports(client, &port, 1);
    } else if (strcmp(word, "count") == 0) {
        client_count(client);
    } else if (strcmp(word, "socket") == 0) {
        client_socket(client);
    } else if (strcmp(word, "reconcile") == 0) {
        client_reconcile(client);
    } else if (strcmp(word, "latency") == 0) {
        latency(value);
    }
}

static const struct client_handlers handlers = {
    .next = next,
    .wanted = wanted,
    .done = done,
    .refused = refused,
    .removed = removed,
    .trusted = trusted,
    .counted = counted,
    .socket = got_socket,
    .disturbed = disturbed,
    .error = failed,
    .state = changed,
};

int main(int argc, char **argv)
{
    struct client_program program = {.path = argv[1], .user = argv[2], .never = argv[3]};
    char line[256];
    struct fault f;

    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc != 4 || client_start(&client, &program, &handlers, &f) != 0)
        return EXIT_FAILURE;
    for (;;) {
        struct pollfd fds[] = {{STDIN_FILENO, POLLIN, 0},
                               {client_descriptor(client), client_events(client), 0}};
        int64_t deadline = client_deadline_ns(client), wait = (deadline - now_ns()) / 1000000 + 1;

        poll(fds, 2, deadline == INT64_MAX ? -1 : wait > 0 ? (int)wait : 0);
        if (fds[0].revents) {
            /* A line a read: who drives waits for what each says. */
            ssize_t n = read(STDIN_FILENO, line, sizeof(line) - 1);

            if (n <= 0)
                break;
            line[n] = '\0';
            obey(line);
        }
        client_work(client, now_ns());
    }
    client_close(client);
    return EXIT_SUCCESS;
}

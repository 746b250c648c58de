/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/guard_trunks.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"

#define AGAIN_S 60
#define KEPT_NS (INT64_C(86400) * 1000000000)

struct trunks {
    size_t n_names;
    char names[TRUNKS_NAMES_MAX][TRUNK_NAME_MAX];
    bool failed[TRUNKS_NAMES_MAX]; /* and the log has been told */

    pthread_t thread;
    bool running, stop;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    uint64_t generation;
    size_t n;
    struct trunk at[TRUNKS_MAX];
};

int trunks_new(struct trunks **out, struct fault *f)
{
    struct trunks *t = calloc(1, sizeof(*t));
    pthread_condattr_t attr;

    if (!t)
        return fault_nomem(f);
    pthread_mutex_init(&t->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&t->wake, &attr);
    pthread_condattr_destroy(&attr);
    *out = t;
    return 0;
}

void trunks_free(struct trunks *t)
{
    if (!t)
        return;
    if (t->running) {
        pthread_mutex_lock(&t->lock);
        t->stop = true;
        pthread_cond_signal(&t->wake);
        pthread_mutex_unlock(&t->lock);
        pthread_join(t->thread, NULL);
    }
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* With the lock. */
static void remember(struct trunks *t, const struct address *address, const char *name, int64_t now)
{
    struct address host = *address;

    host.port = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (memcmp(&t->at[i].address, &host, sizeof(host)) == 0) {
            t->at[i].seen_ns = now;
            return;
        }
    }
    if (t->n == TRUNKS_MAX)
        return;
    t->at[t->n] = (struct trunk){.address = host, .seen_ns = now};
    snprintf(t->at[t->n].name, sizeof(t->at[t->n].name), "%s", name);
    t->n++;
    t->generation++;
}

/* Without the port and the brackets. */
static struct span host_of(struct span text)
{
    struct span rest;

    if (text.n && text.p[0] == '[')
        return span_cut(span_skip(text, 1), ']', &rest);
    return span_cut(text, ':', &rest);
}

int trunks_add(struct trunks *t, struct span hosts, struct fault *f)
{
    while (hosts.n) {
        struct span item = span_trim(span_cut(hosts, ',', &hosts)), host = host_of(item);
        struct address address;

        if (!item.n)
            continue;
        if (address_parse_ip(item, &address, NULL) == 0 ||
            address_parse_ip(host, &address, NULL) == 0) {
            remember(t, &address, "", INT64_MAX);
            continue;
        }
        if (t->n_names == TRUNKS_NAMES_MAX || host.n >= TRUNK_NAME_MAX)
            return fault(f, ERR_FULL, "more than %d names of trunks, or one of more than %d bytes",
                         TRUNKS_NAMES_MAX, TRUNK_NAME_MAX - 1);
        memcpy(t->names[t->n_names], host.p, host.n);
        t->names[t->n_names++][host.n] = '\0';
    }
    return 0;
}

/* ---- looking up ----------------------------------------------------------------------------- */

static void look_up(struct trunks *t, size_t i)
{
    struct addrinfo *found = NULL, hints = {.ai_socktype = SOCK_DGRAM};
    int err = getaddrinfo(t->names[i], NULL, &hints, &found);
    int64_t now = clock_now().boot_ns;

    if (err && !t->failed[i])
        log_warning("trunk-unknown", LOG_TEXT("name", t->names[i]),
                    LOG_TEXT("why", gai_strerror(err)));
    t->failed[i] = err != 0;
    if (err)
        return;
    pthread_mutex_lock(&t->lock);
    for (const struct addrinfo *a = found; a; a = a->ai_next) {
        struct address address = address_of(a->ai_addr);

        if (address.family)
            remember(t, &address, t->names[i], now);
    }
    pthread_mutex_unlock(&t->lock);
    freeaddrinfo(found);
}

static bool any_failed(const struct trunks *t)
{
    for (size_t i = 0; i < t->n_names; i++)
        if (t->failed[i])
            return true;
    return false;
}

/* Where names are not found, what they had may be what they have. */
static void forget_old(struct trunks *t, int64_t now)
{
    if (any_failed(t))
        return;
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < t->n;) {
        if (t->at[i].seen_ns != INT64_MAX && now - t->at[i].seen_ns > KEPT_NS) {
            t->at[i] = t->at[--t->n];
            t->generation++;
        } else {
            i++;
        }
    }
    pthread_mutex_unlock(&t->lock);
}

/* True when it is to end. */
static bool rest(struct trunks *t)
{
    struct timespec until;
    bool stop;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += AGAIN_S;
    pthread_mutex_lock(&t->lock);
    while (!t->stop && pthread_cond_timedwait(&t->wake, &t->lock, &until) == 0)
        ;
    stop = t->stop;
    pthread_mutex_unlock(&t->lock);
    return stop;
}

static void *thread_main(void *arg)
{
    struct trunks *t = arg;

    do {
        for (size_t i = 0; i < t->n_names; i++)
            look_up(t, i);
        forget_old(t, clock_now().boot_ns);
    } while (!rest(t));
    return NULL;
}

int trunks_start(struct trunks *t, struct fault *f)
{
    sigset_t all, before;
    int err;

    if (!t->n_names)
        return 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    err = pthread_create(&t->thread, NULL, thread_main, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err)
        return fault(f, ERR_IO, "cannot start a thread to look names up: %s", strerror(err));
    t->running = true;
    return 0;
}

size_t trunks_get(struct trunks *t, struct trunk *out, size_t max, uint64_t *generation)
{
    size_t n;

    pthread_mutex_lock(&t->lock);
    n = t->n < max ? t->n : max;
    if (n)
        memcpy(out, t->at, n * sizeof(*out));
    *generation = t->generation;
    pthread_mutex_unlock(&t->lock);
    return n;
}

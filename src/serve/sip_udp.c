/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/sip_udp.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/repeats.h"
#include "serve/sip_flood.h"
#include "serve/sip_socket.h"

/* So many batches of one socket before others have their turn. */
#define TURN 16

struct worker {
    struct sip_desk *desk;
    struct sip_mail *mail;
    struct sip_socket sockets[SIP_LISTEN_MAX];
    size_t n_sockets;
    int stop; /* an eventfd */
    struct repeats strangers;
    struct sip_flood flood;
    const struct snapshot *snapshot;
    pthread_t thread;
    bool running;
};

struct sip_udp {
    struct worker *workers;
    unsigned n;
};

/* ---- a worker's thread ---------------------------------------------------------------------- */

static void tell_strangers(struct worker *w, int64_t now_ns)
{
    struct address address;
    char text[ADDRESS_TEXT_MAX];
    uint64_t times;

    if (sip_desk_stranger(w->desk, &address) && repeats_count(&w->strangers, &address, now_ns))
        log_warning("sip-stranger", LOG_TEXT("address", address_ip_text(&address, text)));
    while (repeats_due(&w->strangers, now_ns, &address, &times))
        log_warning("sip-stranger", LOG_TEXT("address", address_ip_text(&address, text)),
                    LOG_INT("times", times));
}

static void look_for_flood(struct worker *w, int64_t now_ns)
{
    uint64_t strangers = sip_desk_strangers(w->desk);

    switch (sip_flood_look(&w->flood, w->snapshot, w->sockets, w->n_sockets, strangers, now_ns)) {
    case SIP_FLOOD_AS_BEFORE: return;
    case SIP_FLOOD_BEGUN:
        sip_desk_weigh(w->desk, SIP_FILTER_SAMPLE);
        log_warning("sip-flood", LOG_TEXT("what", "begins"), LOG_INT("strangers", strangers));
        return;
    case SIP_FLOOD_ENDED:
        sip_desk_weigh(w->desk, 1);
        log_warning("sip-flood", LOG_TEXT("what", "ends"), LOG_INT("strangers", strangers));
        return;
    }
}

/* Answers what one socket has, some batches at most. */
static void serve_socket(struct worker *w, const struct sip_socket *s)
{
    size_t n = SIP_BATCH_MAX;

    for (unsigned turn = 0; turn < TURN && n == SIP_BATCH_MAX; turn++) {
        n = sip_mail_take(w->mail, s);
        if (!n)
            return;
        struct instant now = clock_now();

        sip_desk_answer(w->desk, sip_mail_packets(w->mail), n, now);
        for (size_t unsent = sip_mail_send(w->mail, s, n); unsent; unsent--)
            sip_desk_unsent(w->desk);
        tell_strangers(w, now.boot_ns);
        look_for_flood(w, now.boot_ns);
    }
}

static int wait_ms(const struct worker *w)
{
    int64_t due = repeats_due_ns(&w->strangers), now = clock_now().boot_ns;

    if (w->flood.on && w->flood.looked_ns + SIP_FLOOD_LOOK_NS < due)
        due = w->flood.looked_ns + SIP_FLOOD_LOOK_NS;
    if (due == INT64_MAX)
        return -1;
    return due <= now ? 0 : (int)((due - now) / 1000000) + 1;
}

static void run(struct worker *w)
{
    struct pollfd fds[SIP_LISTEN_MAX + 1];

    for (size_t i = 0; i < w->n_sockets; i++)
        fds[i] = (struct pollfd){.fd = w->sockets[i].fd, .events = POLLIN};
    fds[w->n_sockets] = (struct pollfd){.fd = w->stop, .events = POLLIN};
    do {
        if (poll(fds, w->n_sockets + 1, wait_ms(w)) <= 0) {
            tell_strangers(w, clock_now().boot_ns);
            look_for_flood(w, clock_now().boot_ns);
        }
        for (size_t i = 0; i < w->n_sockets; i++)
            if (fds[i].revents)
                serve_socket(w, &w->sockets[i]);
    } while (!fds[w->n_sockets].revents);
}

static void *thread_main(void *arg)
{
    struct worker *w = arg;

    snapshot_reader_register();
    run(w);
    snapshot_reader_unregister();
    return NULL;
}

/* ---- making and ending ---------------------------------------------------------------------- */

/* With SO_REUSEPORT two daemons could have one port, and each half of the questions. */
static int check_free(const struct address *address, struct fault *f)
{
    struct sip_socket probe;
    int err = sip_socket_open(&probe, address, false, f);

    if (!err)
        sip_socket_close(&probe);
    return err;
}

/* `listen` gets the ports that were chosen for the first one. */
static int open_worker(struct worker *w, struct authorizer *authorizer,
                       const uint8_t key[SIP_KEY_BYTES], struct address *listen, size_t n_listen,
                       struct fault *f)
{
    int err = sip_desk_new(&w->desk, authorizer, key, f);

    if (err)
        return err;
    repeats_begin(&w->strangers);
    w->snapshot = authorizer_snapshot(authorizer);
    w->mail = sip_mail_new();
    if (!w->mail)
        return fault_nomem(f);
    w->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->stop < 0)
        return fault(f, ERR_IO, "cannot make an eventfd: %m");
    for (size_t i = 0; i < n_listen && !err; i++) {
        err = sip_socket_open(&w->sockets[i], &listen[i], true, f);
        if (!err)
            listen[i] = sip_socket_address(&w->sockets[w->n_sockets++]);
    }
    return err;
}

int sip_udp_new(struct sip_udp **out, struct authorizer *authorizer,
                const uint8_t key[SIP_KEY_BYTES], const struct address *listen, size_t n_listen,
                unsigned workers, struct fault *f)
{
    struct address at[SIP_LISTEN_MAX];
    struct sip_udp *udp;
    int err = 0;

    if (n_listen > SIP_LISTEN_MAX)
        return fault(f, ERR_RANGE, "more than %d addresses to listen on", SIP_LISTEN_MAX);
    udp = calloc(1, sizeof(*udp));
    if (!udp)
        return fault_nomem(f);
    if (n_listen) {
        memcpy(at, listen, n_listen * sizeof(*at));
        udp->n = workers ? workers : 1;
    }
    udp->workers = calloc(udp->n + 1, sizeof(*udp->workers));
    if (!udp->workers)
        err = fault_nomem(f);
    for (unsigned i = 0; i < udp->n && !err; i++)
        udp->workers[i].stop = -1;
    for (size_t i = 0; i < n_listen && !err; i++)
        err = check_free(&at[i], f);
    for (unsigned i = 0; i < udp->n && !err; i++)
        err = open_worker(&udp->workers[i], authorizer, key, at, n_listen, f);
    if (err) {
        sip_udp_free(udp);
        return err;
    }
    *out = udp;
    return 0;
}

void sip_udp_free(struct sip_udp *udp)
{
    if (!udp)
        return;
    for (unsigned i = 0; udp->workers && i < udp->n; i++) {
        struct worker *w = &udp->workers[i];

        for (size_t k = 0; k < w->n_sockets; k++)
            sip_socket_close(&w->sockets[k]);
        if (w->stop >= 0)
            close(w->stop);
        sip_mail_free(w->mail);
        sip_desk_free(w->desk);
    }
    free(udp->workers);
    free(udp);
}

int sip_udp_start(struct sip_udp *udp, struct fault *f)
{
    sigset_t all, before;
    int err = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 0; i < udp->n && !err; i++) {
        err = pthread_create(&udp->workers[i].thread, NULL, thread_main, &udp->workers[i]);
        udp->workers[i].running = !err;
        if (!err)
            pthread_setname_np(udp->workers[i].thread, "sekishod-sip"); /* for top and perf */
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err ? fault(f, ERR_IO, "cannot start a thread for SIP: %s", strerror(err)) : 0;
}

void sip_udp_stop(struct sip_udp *udp)
{
    const uint64_t one = 1;

    for (unsigned i = 0; udp && i < udp->n; i++)
        if (udp->workers[i].running)
            (void)!write(udp->workers[i].stop, &one, sizeof(one));
    for (unsigned i = 0; udp && i < udp->n; i++)
        if (udp->workers[i].running)
            pthread_join(udp->workers[i].thread, NULL);
    for (unsigned i = 0; udp && i < udp->n; i++)
        udp->workers[i].running = false;
}

struct address sip_udp_address(const struct sip_udp *udp, size_t i)
{
    return udp->n && i < udp->workers[0].n_sockets ? sip_socket_address(&udp->workers[0].sockets[i])
                                                   : (struct address){0};
}

void sip_udp_figures(const struct sip_udp *udp, struct sip_figures *out)
{
    for (unsigned i = 0; i < udp->n; i++)
        sip_desk_figures(udp->workers[i].desk, out);
}

struct sip_last sip_udp_last(const struct sip_udp *udp)
{
    struct sip_last last = {0};

    for (unsigned i = 0; i < udp->n; i++) {
        struct sip_last one = sip_desk_last(udp->workers[i].desk);

        if (one.switch_id && one.at_ms >= last.at_ms)
            last = one;
    }
    return last;
}

unsigned sip_udp_workers(const struct sip_udp *udp)
{
    return udp->n;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/guard_watch.h"
#include "intake/hep.h"

#define BATCHES_AT_ONCE 8

struct watch {
    struct hep *hep;
    const struct ours *ours;
    struct instant since;
    int64_t switch_id;
    size_t n_peers;
    struct hep_peer peers[HEP_PEERS_MAX];
};

static bool wanted(const struct config_switch *config)
{
    return config->hep.n > 0;
}

static void what(const struct config_switch *config, char *out, size_t size)
{
    char text[ADDRESS_TEXT_MAX];

    snprintf(out, size, "HEP to %s", address_text(&config->hep.at[0], text));
}

static int bind_socket(const struct address *address, struct fault *f)
{
    struct sockaddr_storage to;
    socklen_t n = address_to(address, &to);
    char text[ADDRESS_TEXT_MAX];
    int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&to, n) == 0)
        return fd;
    fault(f, ERR_IO, "cannot listen for HEP on %s: %m", address_text(address, text));
    if (fd >= 0)
        close(fd);
    return -1;
}

static int add_peer(struct watch *w, const struct watch_place *place, const struct network *from,
                    struct fault *f)
{
    struct hep_peer *peer = &w->peers[w->n_peers];
    size_t n = strlen(place->secret);

    if (w->n_peers == HEP_PEERS_MAX)
        return fault(f, ERR_FULL, "hep_from has more than %d networks", HEP_PEERS_MAX);
    if (n > HEP_KEY_MAX)
        return fault(f, ERR_RANGE, "the key in hep_key_file is longer than %d bytes", HEP_KEY_MAX);
    *peer = (struct hep_peer){
        .from = *from, .switch_id = place->switch_id, .ours = *place->ours, .key_n = n};
    memcpy(peer->key, place->secret, n);
    w->n_peers++;
    return 0;
}

/* Whom it is taken from: the listed, else loopback or, with a key, everybody. */
static int add_peers(struct watch *w, const struct watch_place *place, struct fault *f)
{
    static const struct network here[] = {{4, 8, {127}}, {6, 128, {[15] = 1}}};
    static const struct network all[] = {{4, 0, {0}}, {6, 0, {0}}};
    const struct config_networks *from = &place->config->hep_from;
    const struct network *few = address_is_loopback(&place->config->hep.at[0]) ? here : all;
    int err = 0;

    for (size_t i = 0; i < from->n && !err; i++)
        err = add_peer(w, place, &from->at[i], f);
    for (size_t i = 0; i < 2 && !from->n && !err; i++)
        err = add_peer(w, place, &few[i], f);
    return err;
}

static int open_hep(struct watch *w, const struct watch_place *place, struct fault *f)
{
    struct hep_config config = {
        .peers = w->peers,
        .n_peers = w->n_peers,
        .exchange = {.request_buckets = EXCHANGE_REQUEST_BUCKETS,
                     .nonce_buckets = EXCHANGE_NONCE_BUCKETS,
                     .give = place->give,
                     .trunk = place->trunk,
                     .context = place->context},
    };
    int err = watch_random(config.exchange.key, f);
    int fd = err ? -1 : bind_socket(&place->config->hep.at[0], f);

    if (err || fd < 0)
        return err ? err : ERR_IO;
    return hep_open(&w->hep, fd, &config, f);
}

static int open_watch(void **out, const struct watch_place *place, struct instant now,
                      struct fault *f)
{
    struct watch *w = calloc(1, sizeof(*w));
    int err = w ? add_peers(w, place, f) : fault_nomem(f);

    if (!err)
        err = open_hep(w, place, f);
    if (err) {
        free(w);
        return err;
    }
    w->ours = place->ours;
    w->since = now;
    w->switch_id = place->switch_id;
    *out = w;
    return 0;
}

static void close_watch(void *watch)
{
    struct watch *w = watch;

    hep_close(w->hep);
    free(w);
}

static int fd(const void *watch)
{
    const struct watch *w = watch;

    return hep_fd(w->hep);
}

static int read_some(void *watch, struct instant now)
{
    struct watch *w = watch;
    int n = hep_read(w->hep, now, BATCHES_AT_ONCE);

    return n > 0 ? n == HEP_BATCH * BATCHES_AT_ONCE : n;
}

static void tick(void *watch, struct instant now)
{
    struct watch *w = watch;

    for (size_t i = 0; i < w->n_peers; i++)
        w->peers[i].ours = *w->ours;
    hep_tick(w->hep, now);
}

static uint64_t taken(const void *watch)
{
    const struct watch *w = watch;

    return hep_figures(w->hep).datagrams;
}

static void figures(void *watch, struct instant now, struct witness_figures *out, uint64_t *lost)
{
    const struct watch *w = watch;
    struct hep_figures f = hep_figures(w->hep);

    *out = (struct witness_figures){
        .witness = WITNESS_HEP, .switch_id = w->switch_id, .connected = true, .since = w->since};
    watch_exchange_figures(&f.exchange, now, out);
    out->not_understood += f.broken + f.other;
    out->dropped += f.lost + f.strangers + f.wrong_key;
    *lost = f.lost;
}

const struct watch_kind watch_hep = {
    .wanted = wanted,
    .what = what,
    .open = open_watch,
    .close = close_watch,
    .fd = fd,
    .read = read_some,
    .taken = taken,
    .taken_each = 4,
    .tick = tick,
    .figures = figures,
};

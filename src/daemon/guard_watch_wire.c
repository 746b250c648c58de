/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/guard_watch.h"
#include "intake/wire.h"

#define BLOCKS_AT_ONCE 8

struct watch {
    struct wire *wire;
    struct instant since;
    int64_t switch_id;
    uint64_t taken;
};

static bool wanted(const struct config_switch *config)
{
    return config->wire;
}

static void what(const struct config_switch *config, char *out, size_t size)
{
    snprintf(out, size, "packets of the SIP ports");
}

static int open_watch(void **out, const struct watch_place *place, struct instant now,
                      struct fault *f)
{
    struct wire_config config = {
        .switch_id = place->switch_id,
        .ours = place->ours,
        .ring_bytes = WIRE_RING,
        .exchange = {.request_buckets = EXCHANGE_REQUEST_BUCKETS,
                     .nonce_buckets = EXCHANGE_NONCE_BUCKETS,
                     .give = place->give,
                     .trunk = place->trunk,
                     .context = place->context},
    };
    struct watch *w = calloc(1, sizeof(*w));
    int err = w ? watch_random(config.exchange.key, f) : fault_nomem(f);

    if (!err)
        err = wire_open(&w->wire, place->socket, &config, f);
    if (err) {
        free(w);
        return err;
    }
    w->since = now;
    w->switch_id = place->switch_id;
    *out = w;
    return 0;
}

static void close_watch(void *watch)
{
    struct watch *w = watch;

    wire_close(w->wire);
    free(w);
}

static int fd(const void *watch)
{
    const struct watch *w = watch;

    return wire_fd(w->wire);
}

static int read_some(void *watch, struct instant now)
{
    struct watch *w = watch;
    int n = wire_read(w->wire, now, BLOCKS_AT_ONCE);

    w->taken += n > 0 ? (uint64_t)n : 0;
    return n > 0 ? 1 : n;
}

static uint64_t taken(const void *watch)
{
    const struct watch *w = watch;

    return w->taken;
}

static void tick(void *watch, struct instant now)
{
    struct watch *w = watch;

    wire_tick(w->wire, now);
}

static void figures(void *watch, struct instant now, struct witness_figures *out, uint64_t *lost)
{
    struct watch *w = watch;
    struct wire_figures f = wire_figures(w->wire);

    *out = (struct witness_figures){
        .witness = WITNESS_WIRE, .switch_id = w->switch_id, .connected = true, .since = w->since};
    watch_exchange_figures(&f.exchange, now, out);
    out->dropped += f.lost;
    *lost = f.lost;
}

const struct watch_kind watch_wire = {
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

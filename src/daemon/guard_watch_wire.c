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
    watch_vouch_fn *vouch;
    watch_trunk_fn *trunk;
    void *context; /* of those */
};

static bool wanted(const struct config_switch *config)
{
    return config->wire;
}

static void what(const struct config_switch *config, char *out, size_t size)
{
    snprintf(out, size, "packets of the SIP ports%s",
             config->wire_reports ? "" : ", to prove what log and AMI report");
}

/* Instead of reporting it. */
static void prove(void *context, const struct attempt *attempt)
{
    const struct watch *w = context;

    if (attempt->proof == PROOF_PROVED && (attempt->outcome == OUTCOME_WRONG_CREDENTIALS ||
                                           attempt->outcome == OUTCOME_UNKNOWN_ACCOUNT))
        w->vouch(w->context, attempt);
}

static void on_trunk(void *context, const struct address *trunk)
{
    const struct watch *w = context;

    w->trunk(w->context, trunk);
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

    if (!err && !place->config->wire_reports) {
        *w =
            (struct watch){.vouch = place->vouch, .trunk = place->trunk, .context = place->context};
        config.exchange.give = prove;
        config.exchange.trunk = on_trunk;
        config.exchange.context = w;
    }
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

    *out = (struct witness_figures){.witness = WITNESS_WIRE,
                                    .switch_id = w->switch_id,
                                    .connected = true,
                                    .only_proves = w->vouch != NULL,
                                    .since = w->since};
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

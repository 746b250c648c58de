/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/guard_watch.h"
#include "intake/asterisk_log.h"

struct watch {
    struct asterisk_log *log;
    watch_give_fn *give;
    void *context;
};

static bool wanted(const struct config_switch *config)
{
    return config->log[0] != '\0';
}

static void what(const struct config_switch *config, char *out, size_t size)
{
    snprintf(out, size, "%s", config->log);
}

static int open_watch(void **out, const struct watch_place *place, struct instant now,
                      struct fault *f)
{
    struct watch *w = calloc(1, sizeof(*w));
    int err = w ? asterisk_log_open(&w->log, place->config->log, place->switch_id, now, f)
                : fault_nomem(f);

    if (err) {
        free(w);
        return err;
    }
    w->give = place->give;
    w->context = place->context;
    *out = w;
    return 0;
}

static void close_watch(void *watch)
{
    struct watch *w = watch;

    asterisk_log_close(w->log);
    free(w);
}

static int fd(const void *watch)
{
    const struct watch *w = watch;

    return asterisk_log_fd(w->log);
}

static int read_some(void *watch, struct instant now)
{
    struct watch *w = watch;

    return asterisk_log_read(w->log, now, w->give, w->context);
}

static uint64_t taken(const void *watch)
{
    const struct watch *w = watch;

    return asterisk_log_figures(w->log)->seen;
}

static void tick(void *watch, struct instant now)
{
    read_some(watch, now);
}

static void figures(void *watch, struct instant now, struct witness_figures *out, uint64_t *lost)
{
    const struct watch *w = watch;

    *out = *asterisk_log_figures(w->log);
    *lost = 0;
}

const struct watch_kind watch_log = {
    .wanted = wanted,
    .what = what,
    .open = open_watch,
    .close = close_watch,
    .fd = fd,
    .read = read_some,
    .taken = taken,
    .taken_each = 2,
    .tick = tick,
    .figures = figures,
};

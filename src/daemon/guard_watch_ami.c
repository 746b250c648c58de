/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "daemon/guard_watch.h"
#include "intake/ami.h"

struct watch {
    struct ami *ami;
    watch_give_fn *give;
    watch_ends_fn *ends;
    void *context;
    int64_t switch_id;
    const char *switch_name;
};

static bool wanted(const struct config_switch *config)
{
    return config->ami.n > 0;
}

static void what(const struct config_switch *config, char *out, size_t size)
{
    char text[ADDRESS_TEXT_MAX];

    snprintf(out, size, "AMI of %s", address_text(&config->ami.at[0], text));
}

static bool ends(void *arg, const struct ami_call *call)
{
    const struct watch *w = arg;

    return w->ends && w->ends(w->context, w->switch_id, call->account, call->number);
}

static void ended(void *arg, const struct ami_call *call)
{
    const struct watch *w = arg;

    log_warning("call-ended", LOG_TEXT("switch", w->switch_name),
                LOG_SPAN("account", call->account), LOG_SPAN("number", call->number));
}

static int open_watch(void **out, const struct watch_place *place, struct instant now,
                      struct fault *f)
{
    struct watch *w = calloc(1, sizeof(*w));
    const struct ami_config config = {
        .switch_id = place->switch_id,
        .server = place->config->ami.at[0],
        .user = span_of(place->config->ami_user),
        .secret = span_of(place->secret),
        .calls = {ends, ended, w},
    };
    int err = w ? ami_open(&w->ami, &config, now, f) : fault_nomem(f);

    if (err) {
        free(w);
        return err;
    }
    w->give = place->give;
    w->ends = place->ends;
    w->context = place->context;
    w->switch_id = place->switch_id;
    w->switch_name = place->config->named.name;
    *out = w;
    return 0;
}

static void close_watch(void *watch)
{
    struct watch *w = watch;

    ami_close(w->ami);
    free(w);
}

static int fd(const void *watch)
{
    const struct watch *w = watch;

    return ami_fd(w->ami);
}

static int read_some(void *watch, struct instant now)
{
    struct watch *w = watch;

    return ami_run(w->ami, now, w->give, w->context);
}

static void tick(void *watch, struct instant now)
{
    read_some(watch, now);
}

static void end_calls(void *watch, struct instant now)
{
    struct watch *w = watch;

    ami_end_calls(w->ami, now);
}

static void endings(const void *watch, struct guard_room_endings *sum)
{
    const struct watch *w = watch;
    const struct ami_ending_figures *f = ami_ending_figures(w->ami);

    sum->orders += f->orders;
    sum->given_up += f->given_up;
    sum->ended += f->calls.ended;
    sum->refused += f->calls.refused;
    sum->unreadable += f->calls.unreadable;
}

static void figures(void *watch, struct instant now, struct witness_figures *out, uint64_t *lost)
{
    const struct watch *w = watch;

    *out = *ami_figures(w->ami);
    *lost = 0;
}

const struct watch_kind watch_ami = {
    .wanted = wanted,
    .what = what,
    .open = open_watch,
    .close = close_watch,
    .fd = fd,
    .read = read_some,
    .tick = tick,
    .end_calls = end_calls,
    .endings = endings,
    .figures = figures,
};

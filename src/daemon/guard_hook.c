/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/guard_hook.h"

#include <stdlib.h>

#include "base/log.h"
#include "notify/hook_event.h"
#include "policy/snapshot.h"

#define COMPLAIN_NS (INT64_C(60) * 1000000000)

struct guard_hook {
    struct hook *hook;
    const struct snapshot *snapshot;
    int64_t complained_ns; /* that something was dropped; 0: never */
};

static void render(const struct guard_hook *h, const struct guard_event *event, struct buf *out)
{
    const struct levels_gate *gate;

    snapshot_read_lock();
    gate = snapshot_switch_by_id(h->snapshot, event->switch_id);
    hook_event_json(out, event, span_of(gate ? gate->name : ""));
    snapshot_read_unlock();
}

static void complain(struct guard_hook *h, struct instant now)
{
    if (h->complained_ns && now.boot_ns - h->complained_ns < COMPLAIN_NS)
        return;
    h->complained_ns = now.boot_ns;
    log_warning("hook-dropped", LOG_INT("dropped", hook_figures(h->hook).dropped));
}

static void on_event(void *arg, const struct guard *guard, const struct guard_event *event)
{
    struct guard_hook *h = arg;
    struct buf json = {0};

    if (!hook_event_counts(event))
        return;
    render(h, event, &json);
    if (!json.failed && !hook_tell(h->hook, buf_span(&json)))
        complain(h, event->at);
    buf_free(&json);
}

int guard_hook_open(struct guard_hook **out, const char *path, struct guard_thread *thread,
                    const struct snapshot *snapshot, struct fault *f)
{
    struct guard_hook *h;
    int err;

    *out = NULL;
    if (!path[0])
        return 0;
    h = calloc(1, sizeof(*h));
    if (!h)
        return fault_nomem(f);
    h->snapshot = snapshot;
    err = hook_open(&h->hook, path, f);
    if (!err)
        err = guard_thread_hear(thread, on_event, NULL, h, f);
    if (err) {
        guard_hook_close(h);
        fault_in(f, "[guard] hook");
        return err;
    }
    *out = h;
    return 0;
}

struct hook_figures guard_hook_figures(const struct guard_hook *h)
{
    return hook_figures(h->hook);
}

void guard_hook_close(struct guard_hook *h)
{
    if (!h)
        return;
    hook_close(h->hook);
    free(h);
}

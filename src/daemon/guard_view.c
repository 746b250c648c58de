/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/guard_view.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define WITNESSES_SHOWN 256
#define ANSWERED_SHOWN 8
#define ANSWERED_NS (INT64_C(3600) * 1000000000) /* an alarm stands for so long */
#define PRESSURE_NS (INT64_C(600) * 1000000000)
#define PATIENCE_NS (INT64_C(10) * 1000000000) /* for an enforcer to begin */

struct seen_witness {
    enum witness_trouble trouble;
    struct witness_figures figures;
    char switch_name[64], what[200];
};

/* A banned source that is answered all the same. */
struct answered {
    struct network network;
    int64_t at_ns; /* 0: none */
};

struct guard_view {
    /* The guard's thread alone. */
    struct answered answered[ANSWERED_SHOWN];
    int64_t pressure_ns;
    /* Under the lock. */
    pthread_mutex_t lock;
    bool there;
    struct instant now;
    struct guard_enforcement enforcement;
    char why[2 * FAULT_MAX];
    size_t n_witnesses;
    struct seen_witness witnesses[WITNESSES_SHOWN];
    struct answered shown[ANSWERED_SHOWN];
    bool pressed;
};

int guard_view_new(struct guard_view **out, struct fault *f)
{
    struct guard_view *v = calloc(1, sizeof(*v));

    if (!v)
        return fault_nomem(f);
    pthread_mutex_init(&v->lock, NULL);
    *out = v;
    return 0;
}

void guard_view_free(struct guard_view *v)
{
    if (!v)
        return;
    pthread_mutex_destroy(&v->lock);
    free(v);
}

/* ---- the guard's thread --------------------------------------------------------------------- */

static struct answered *answered_of(struct guard_view *v, const struct network *network)
{
    struct answered *oldest = &v->answered[0];

    for (size_t i = 0; i < ANSWERED_SHOWN; i++) {
        struct answered *a = &v->answered[i];

        if (a->at_ns && memcmp(&a->network, network, sizeof(*network)) == 0)
            return a;
        if (a->at_ns < oldest->at_ns)
            oldest = a;
    }
    return oldest;
}

void guard_view_take(struct guard_view *v, const struct guard_event *event)
{
    struct answered *a;

    if (event->kind == GUARD_PRESSURE)
        v->pressure_ns = event->at.boot_ns;
    if (event->observed || (event->kind != GUARD_STILL_ANSWERED && event->kind != GUARD_UNBAN))
        return;
    a = answered_of(v, &event->network);
    if (event->kind == GUARD_STILL_ANSWERED)
        *a = (struct answered){event->network, event->at.boot_ns};
    else if (memcmp(&a->network, &event->network, sizeof(a->network)) == 0)
        a->at_ns = 0;
}

static void copy_witness(struct seen_witness *to, const struct guard_room_witness *from)
{
    to->trouble = from->trouble;
    to->figures = from->figures;
    snprintf(to->switch_name, sizeof(to->switch_name), "%s", from->switch_name);
    snprintf(to->what, sizeof(to->what), "%s", from->what);
}

void guard_view_copy(struct guard_view *v, const struct guard_room *room)
{
    size_t n = room->n_witnesses < WITNESSES_SHOWN ? room->n_witnesses : WITNESSES_SHOWN;

    pthread_mutex_lock(&v->lock);
    v->there = true;
    v->now = room->now;
    v->enforcement = room->enforcement;
    snprintf(v->why, sizeof(v->why), "%s", room->enforcement.why);
    v->n_witnesses = n;
    for (size_t i = 0; i < n; i++)
        copy_witness(&v->witnesses[i], &room->witnesses[i]);
    memcpy(v->shown, v->answered, sizeof(v->shown));
    v->pressed = v->pressure_ns && room->now.boot_ns - v->pressure_ns < PRESSURE_NS;
    pthread_mutex_unlock(&v->lock);
}

/* ---- whoever asks --------------------------------------------------------------------------- */

struct speaker {
    health_say_fn *say;
    void *arg;
};

__attribute__((format(printf, 3, 4))) static void
tell(const struct speaker *to, enum health_kind kind, const char *format, ...)
{
    char sentence[2 * FAULT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    to->say(to->arg, kind, sentence);
}

/* It is asked for its counters every few seconds: one that hangs is as good as dead, though its connection stands. */
static bool is_hung(const struct guard_view *v)
{
    const struct guard_enforcement *e = &v->enforcement;
    int64_t heard_ns =
        e->counted.boot_ns > e->since.boot_ns ? e->counted.boot_ns : e->since.boot_ns;

    return (e->state == GUARD_ENFORCEMENT_EFFECTIVE || e->state == GUARD_ENFORCEMENT_RESTORING) &&
           v->now.boot_ns - heard_ns > PATIENCE_NS;
}

static void tell_enforcement(const struct guard_view *v, const struct speaker *to)
{
    const struct guard_enforcement *e = &v->enforcement;

    if (is_hung(v))
        tell(to, HEALTH_PROBLEM,
             "guard: new bans have no effect: sekisho-enforcer does not answer%s%s; another one is "
             "started within half a minute, or when you end the process \"enforcer\" (kill -9)",
             v->why[0] ? ": " : "", v->why);
    switch (e->state) {
    case GUARD_ENFORCEMENT_NONE:
        tell(to, HEALTH_WARNING, "guard: nobody is dropped in the kernel, for %s", v->why);
        break;
    case GUARD_ENFORCEMENT_OFF:
        tell(to, HEALTH_WARNING,
             "guard: it only observes, by [guard] enforce: nobody is dropped or locked");
        break;
    case GUARD_ENFORCEMENT_GONE:
        tell(to, HEALTH_PROBLEM, "guard: new bans have no effect: %s", v->why);
        break;
    case GUARD_ENFORCEMENT_STARTING:
        if (v->now.boot_ns - e->since.boot_ns > PATIENCE_NS)
            tell(to, HEALTH_PROBLEM,
                 "guard: new bans have no effect: sekisho-enforcer does not start: %s",
                 v->why[0] ? v->why : "the log says why");
        break;
    case GUARD_ENFORCEMENT_RESTORING:
        if (v->now.boot_ns - e->since.boot_ns > PATIENCE_NS)
            tell(to, HEALTH_WARNING, "guard: the kernel does not hold all bans yet");
        break;
    case GUARD_ENFORCEMENT_EFFECTIVE: break;
    }
    if (e->refused)
        tell(to, HEALTH_WARNING,
             "guard: %" PRIu64 " bans since the start were refused by the kernel or the enforcer",
             e->refused);
}

static void tell_witnesses(const struct guard_view *v, const struct speaker *to)
{
    for (size_t i = 0; i < v->n_witnesses; i++) {
        const struct seen_witness *w = &v->witnesses[i];
        struct buf text = {0};

        if (w->trouble == WITNESS_WELL)
            continue;
        witness_trouble_say(&text, &w->figures, w->trouble, false);
        if (!text.failed)
            tell(to, HEALTH_WARNING, "switch %s (%s): %.*s", w->switch_name, w->what, (int)text.n,
                 text.p);
        buf_free(&text);
    }
    if (!v->n_witnesses)
        tell(to, HEALTH_WARNING, "guard: no witness watches any switch");
}

static void tell_alarms(const struct guard_view *v, const struct speaker *to)
{
    char text[ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < ANSWERED_SHOWN; i++)
        if (v->shown[i].at_ns && v->now.boot_ns - v->shown[i].at_ns < ANSWERED_NS)
            tell(to, HEALTH_WARNING,
                 "guard: the PBX still answers %s, which is banned: its packets do not pass the "
                 "kernel of this machine, or something lets them through",
                 network_text(&v->shown[i].network, text));
    if (v->pressed)
        tell(to, HEALTH_WARNING,
             "guard: more attackers than its tables have room for; raise [guard] memory_mib");
}

void guard_view_tell(struct guard_view *v, health_say_fn *say, void *arg)
{
    const struct speaker to = {say, arg};

    pthread_mutex_lock(&v->lock);
    if (v->there) {
        tell_enforcement(v, &to);
        tell_witnesses(v, &to);
        tell_alarms(v, &to);
    }
    pthread_mutex_unlock(&v->lock);
}

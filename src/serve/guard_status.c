/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/guard_status.h"

static const char *copy(struct reader *reader, const char *text)
{
    size_t n = text ? strlen(text) : 0;
    char *out = reader_alloc(reader, n + 1);

    if (out && n)
        memcpy(out, text, n);
    return out;
}

int guard_status_take(struct guard_status *view, struct reader *reader,
                      const struct guard_room *room, struct fault *f)
{
    bool whole = true;

    view->enforcement = room->enforcement;
    view->enforcement.why = copy(reader, room->enforcement.why);
    view->witnesses = reader_alloc(reader, (room->n_witnesses + 1) * sizeof(*view->witnesses));
    if (!view->witnesses || !view->enforcement.why)
        return fault_nomem(f);
    for (size_t i = 0; i < room->n_witnesses; i++) {
        view->witnesses[i] = room->witnesses[i];
        view->witnesses[i].what = copy(reader, room->witnesses[i].what);
        whole = whole && view->witnesses[i].what;
    }
    view->n_witnesses = room->n_witnesses;
    guard_figures(room->guard, &view->figures);
    view->journal = room->journal;
    view->endings = room->endings;
    view->there = whole;
    return whole ? 0 : fault_nomem(f);
}

/* ---- JSON ---- */

static json_t *moment_or_null(struct instant at)
{
    return at.boot_ns ? api_time_ms(at.wall_ms) : json_null();
}

const char *guard_counter_name(enum enforce_counter counter)
{
    switch (counter) {
    case ENFORCE_COUNT_NEVER: return "passed_never_ban";
    case ENFORCE_COUNT_OBSERVED: return "passed_observed";
    case ENFORCE_COUNT_NO_ACCESS: return "dropped_access";
    case ENFORCE_COUNT_SIP_HOSTS: return "dropped_hosts";
    case ENFORCE_COUNT_SIP_NETS: return "dropped_networks";
    case ENFORCE_COUNT_EVERY_HOSTS: return "dropped_hosts_every_port";
    case ENFORCE_COUNT_EVERY_NETS: return "dropped_networks_every_port";
    case ENFORCE_COUNTERS: break;
    }
    return "other";
}

static json_t *enforcer_json(const struct guard_enforcement *e)
{
    json_t *counts = json_object();

    for (size_t i = 0; i < ENFORCE_COUNTERS && e->counted.boot_ns; i++)
        json_object_set_new(counts, guard_counter_name((enum enforce_counter)i),
                            json_integer((json_int_t)e->counts[i].packets));
    return json_pack("{s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "state",
                     guard_enforcement_name(e->state), "why", api_word_or_null(e->why), "since",
                     api_time_ms(e->since.wall_ms), "bans", (json_int_t)e->bans, "unbans",
                     (json_int_t)e->unbans, "refused", (json_int_t)e->refused, "removed",
                     (json_int_t)e->removed, "disturbed", (json_int_t)e->disturbed, "slowest_us",
                     (json_int_t)e->slowest_us, "counts", counts, "counted",
                     moment_or_null(e->counted));
}

static json_t *witness_json(const struct guard_room_witness *w,
                            const struct api_switch_names *names)
{
    const struct witness_figures *figures = &w->figures;
    struct buf en = {0}, ja = {0};
    json_t *json;

    witness_trouble_say(&en, figures, w->trouble, false);
    witness_trouble_say(&ja, figures, w->trouble, true);
    json = json_pack(
        "{s:o, s:s, s:s, s:s, s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "switch",
        api_switch_or_null(names, figures->switch_id), "witness", witness_name(figures->witness),
        "what", w->what, "trouble", witness_trouble_name(w->trouble), "text",
        api_words(en.p ? en.p : "", ja.p ? ja.p : ""), "connected", figures->connected, "seen",
        (json_int_t)figures->seen, "understood", (json_int_t)figures->understood, "attempts",
        (json_int_t)figures->attempts, "not_understood", (json_int_t)figures->not_understood,
        "dropped", (json_int_t)figures->dropped, "shared_nonces", (json_int_t)figures->shared,
        "lost", (json_int_t)w->lost, "last", moment_or_null(figures->last));
    buf_free(&en);
    buf_free(&ja);
    return json;
}

static json_t *figures_json(const struct guard_figures *f)
{
    json_int_t attempts = 0, refused = 0;

    for (int w = 0; w < WITNESSES; w++) {
        for (int o = 0; o < OUTCOMES; o++) {
            attempts += (json_int_t)f->attempts[w][o];
            if (outcome_is_failure((enum outcome)o))
                refused += (json_int_t)f->attempts[w][o];
        }
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "attempts", attempts,
                     "refused", refused, "paired", (json_int_t)f->paired, "retransmits",
                     (json_int_t)f->retransmits, "bans", (json_int_t)f->events[GUARD_BAN],
                     "quenches", (json_int_t)f->events[GUARD_QUENCH], "lockouts",
                     (json_int_t)(f->events[GUARD_LOCKOUT] + f->events[GUARD_INTERNATIONAL]),
                     "takeovers", (json_int_t)f->events[GUARD_TAKEOVER], "pressure",
                     (json_int_t)f->events[GUARD_PRESSURE], "memory", (json_int_t)f->memory);
}

json_t *guard_status_json(const struct guard_status *view, const struct api_switch_names *names)
{
    json_t *witnesses;

    if (!view->there)
        return json_null();
    witnesses = json_array();
    for (size_t i = 0; i < view->n_witnesses; i++)
        json_array_append_new(witnesses, witness_json(&view->witnesses[i], names));
    return json_pack("{s:o, s:o, s:o}", "enforcer", enforcer_json(&view->enforcement), "witnesses",
                     witnesses, "figures", figures_json(&view->figures));
}

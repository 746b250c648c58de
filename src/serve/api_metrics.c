/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_metrics.h"

#include "base/log.h"
#include "policy/snapshot.h"
#include "serve/authorize.h"
#include "serve/guard_status.h"
#include "serve/metrics.h"

/* What was taken on the guard's thread. */
struct taken {
    struct guard_status guard;
    uint64_t bans[2][2];  /* observed; quench */
    uint64_t locks[2][3]; /* observed; enum guard_lock_kind */
};

static int take(struct api *api, const struct guard_room *room, struct fault *f)
{
    struct taken *taken = api->state;
    struct guard_ban ban;
    struct guard_lock lock;
    size_t cursor = 0;

    if (!room)
        return 0;
    while (guard_next_ban(room->guard, room->now, &cursor, &ban))
        taken->bans[ban.observed][ban.quench]++;
    cursor = 0;
    while (guard_next_lock(room->guard, room->now, &cursor, &lock))
        taken->locks[lock.observed][lock.kind]++;
    return guard_status_take(&taken->guard, &api->reader, room, f);
}

/* ---- decisions and the store ---------------------------------------------------------------- */

static void add_decisions(struct metrics *m, const struct api *api)
{
    struct authorize_figures figures = authorizer_figures(api->services->authorizer);
    size_t accounts;

    metrics_family(m, METRICS_COUNTER, "decisions_total", "Calls that were decided about.");
    metrics_word(m, "verdict", "allow", figures.allowed);
    metrics_word(m, "verdict", "deny", figures.denied);
    metrics_one(m, METRICS_COUNTER, "decisions_observed_total",
                "Allowed only because switch or tenant are observed.", figures.observed);
    metrics_one(m, METRICS_COUNTER, "decisions_emergency_total", "Allowed as emergency calls.",
                figures.emergency);
    snapshot_read_lock();
    accounts = snapshot_accounts(api->services->snapshot);
    snapshot_read_unlock();
    metrics_one(m, METRICS_GAUGE, "accounts", "Accounts in memory.", accounts);
}

static void add_store(struct metrics *m, const struct api *api)
{
    struct store_stats s;

    store_stats(api->services->store, &s);
    metrics_one(m, METRICS_GAUGE, "change", "The last change that is durable.", (uint64_t)s.change);
    metrics_family(m, METRICS_GAUGE, "store_queue", "Jobs that wait for the store.");
    metrics_word(m, "lane", "write", s.write_queue);
    metrics_word(m, "lane", "read", s.read_queue);
    metrics_word(m, "lane", "evidence", s.evidence_queue);
    metrics_one(m, METRICS_COUNTER, "store_jobs_total", "Jobs of the store's writer.", s.jobs);
    metrics_one(m, METRICS_COUNTER, "store_commits_total", "Commits of the store's writer.",
                s.commits);
    metrics_one(m, METRICS_COUNTER, "store_commits_failed_total", "Of those: failed.",
                s.failed_commits);
    metrics_one(m, METRICS_COUNTER, "store_jobs_refused_total",
                "Jobs that were refused because too many waited.", s.refused_jobs);
    metrics_family(m, METRICS_GAUGE, "store_failing", "1 where the last commit failed.");
    metrics_word(m, "file", "sekisho.db", s.failing);
    metrics_word(m, "file", "evidence.db", s.failing_evidence);
}

/* ---- the guard ------------------------------------------------------------------------------ */

static void add_attempts(struct metrics *m, const struct guard_figures *figures)
{
    metrics_family(m, METRICS_COUNTER, "attempts_total",
                   "Attempts that the guard judged, each witness's by itself.");
    for (int w = 0; w < WITNESSES; w++) {
        for (int o = 0; o < OUTCOMES; o++) {
            const struct metrics_label labels[] = {
                {"witness", span_of(witness_name((enum witness)w))},
                {"outcome", span_of(outcome_name((enum outcome)o))},
            };

            metrics_sample(m, labels, 2, figures->attempts[w][o]);
        }
    }
}

static void add_guard(struct metrics *m, const struct guard_figures *figures)
{
    add_attempts(m, figures);
    metrics_family(m, METRICS_COUNTER, "guard_events_total", "Decisions and alarms of the guard.");
    for (int e = 0; e < GUARD_EVENTS; e++)
        metrics_word(m, "event", guard_event_name((enum guard_event_kind)e), figures->events[e]);
    metrics_one(m, METRICS_COUNTER, "guard_retransmits_total",
                "Attempts that said nothing new: retransmissions.", figures->retransmits);
    metrics_one(m, METRICS_COUNTER, "guard_paired_total",
                "Attempts of log or AMI that wire or HEP proved.", figures->paired);
    metrics_one(m, METRICS_COUNTER, "guard_turned_away_total",
                "Newcomers for whom a table had no room.", figures->turned_away);
    metrics_one(m, METRICS_COUNTER, "guard_pushed_out_total",
                "What was forgotten to make room for others.", figures->pushed_out);
    metrics_one(m, METRICS_GAUGE, "guard_memory_bytes", "Memory of the guard's tables.",
                figures->memory);
}

static void add_active(struct metrics *m, const struct taken *taken)
{
    static const char *const modes[] = {"enforce", "observe"};
    static const char *const bans[] = {"ban", "quench"};

    metrics_family(m, METRICS_GAUGE, "bans", "Bans and quenches that stand.");
    for (int mode = 0; mode < 2; mode++) {
        for (int quench = 0; quench < 2; quench++) {
            const struct metrics_label labels[] = {{"mode", span_of(modes[mode])},
                                                   {"kind", span_of(bans[quench])}};

            metrics_sample(m, labels, 2, taken->bans[mode][quench]);
        }
    }
    metrics_family(m, METRICS_GAUGE, "lockouts", "Accounts that are locked.");
    for (int mode = 0; mode < 2; mode++) {
        for (int kind = 0; kind < 3; kind++) {
            const struct metrics_label labels[] = {
                {"mode", span_of(modes[mode])},
                {"kind", span_of(api_lock_kind_name((enum guard_lock_kind)kind))},
            };

            metrics_sample(m, labels, 2, taken->locks[mode][kind]);
        }
    }
}

static void add_enforcer(struct metrics *m, const struct guard_enforcement *e)
{
    metrics_family(m, METRICS_GAUGE, "enforcer_state", "1 for the state that the enforcer is in.");
    for (int s = 0; s <= GUARD_ENFORCEMENT_GONE; s++)
        metrics_word(m, "state", guard_enforcement_name((enum guard_enforcement_state)s),
                     (int)e->state == s);
    metrics_one(m, METRICS_COUNTER, "enforcer_bans_total", "Bans that the kernel has confirmed.",
                e->bans);
    metrics_one(m, METRICS_COUNTER, "enforcer_unbans_total",
                "Unbans that the kernel has confirmed.", e->unbans);
    metrics_one(m, METRICS_COUNTER, "enforcer_refused_total",
                "Bans that the kernel or the enforcer refused.", e->refused);
    metrics_one(m, METRICS_COUNTER, "enforcer_removed_total", "Bans that somebody lifted by hand.",
                e->removed);
    metrics_one(m, METRICS_COUNTER, "enforcer_disturbed_total",
                "Times that somebody changed the kernel's table.", e->disturbed);
    metrics_one(m, METRICS_GAUGE, "enforcer_slowest_microseconds",
                "From a decision to the kernel's word, the slowest of the last bans.",
                e->slowest_us);
    metrics_family(m, METRICS_GAUGE, "enforcer_packets",
                   "Packets that the kernel counts; begins again with a new table.");
    for (int c = 0; c < ENFORCE_COUNTERS; c++)
        metrics_word(m, "counter", guard_counter_name((enum enforce_counter)c),
                     e->counts[c].packets);
    metrics_family(m, METRICS_GAUGE, "enforcer_bytes", "The same in bytes.");
    for (int c = 0; c < ENFORCE_COUNTERS; c++)
        metrics_word(m, "counter", guard_counter_name((enum enforce_counter)c), e->counts[c].bytes);
}

/* ---- what is written down, and calls that end ---- */

static void add_journal(struct metrics *m, const struct guard_journal_figures *j)
{
    metrics_family(m, METRICS_COUNTER, "journal_rows_total",
                   "What the guard has given to be written down.");
    metrics_word(m, "of", "decision", j->decisions);
    metrics_word(m, "of", "attempt", j->attempts);
    metrics_family(m, METRICS_COUNTER, "journal_dropped_total", "Of those: no room.");
    metrics_word(m, "of", "decision", j->dropped_decisions);
    metrics_word(m, "of", "evidence", j->dropped_evidence);
    metrics_one(m, METRICS_COUNTER, "journal_merged_total",
                "Attempts that were summed up without account, User-Agent or source.",
                j->merged_attempts);
    metrics_one(m, METRICS_COUNTER, "journal_flushes_total", "Times that it was written.",
                j->flushes);
    metrics_one(m, METRICS_COUNTER, "journal_flushes_failed_total",
                "Of those: the store did not take it.", j->failed);
}

static void add_endings(struct metrics *m, const struct guard_room_endings *e)
{
    metrics_one(m, METRICS_COUNTER, "hangup_orders_total",
                "Orders to a manager to end what must not go on: a stop, a takeover.", e->orders);
    metrics_one(m, METRICS_COUNTER, "hangup_orders_given_up_total",
                "Of those: the manager did not answer.", e->given_up);
    metrics_one(m, METRICS_COUNTER, "hangups_total", "Calls that were hung up.", e->ended);
    metrics_family(m, METRICS_COUNTER, "hangups_failed_total", "Calls that were not.");
    metrics_word(m, "why", "refused", e->refused);
    metrics_word(m, "why", "unreadable", e->unreadable);
}

/* ---- witnesses ------------------------------------------------------------------------------ */

static uint64_t connected(const struct guard_room_witness *w)
{
    return w->figures.connected;
}

static uint64_t seen(const struct guard_room_witness *w)
{
    return w->figures.seen;
}

static uint64_t understood(const struct guard_room_witness *w)
{
    return w->figures.understood;
}

static uint64_t attempts(const struct guard_room_witness *w)
{
    return w->figures.attempts;
}

static uint64_t not_understood(const struct guard_room_witness *w)
{
    return w->figures.not_understood;
}

static uint64_t dropped(const struct guard_room_witness *w)
{
    return w->figures.dropped;
}

static uint64_t shared_nonces(const struct guard_room_witness *w)
{
    return w->figures.shared;
}

static uint64_t restarts(const struct guard_room_witness *w)
{
    return w->figures.restarts;
}

static uint64_t troubled(const struct guard_room_witness *w)
{
    return w->trouble != WITNESS_WELL && w->trouble != WITNESS_WEAK;
}

static const struct {
    enum metrics_type type;
    const char *name, *help;
    uint64_t (*of)(const struct guard_room_witness *w);
} witness_families[] = {
    {METRICS_GAUGE, "witness_connected", "1 where it is connected.", connected},
    {METRICS_GAUGE, "witness_in_trouble", "1 where it does not see or understand as it should.",
     troubled},
    {METRICS_COUNTER, "witness_seen_total", "Packets, lines, messages.", seen},
    {METRICS_COUNTER, "witness_understood_total", "Of those: understood.", understood},
    {METRICS_COUNTER, "witness_attempts_total", "Of those: attempts.", attempts},
    {METRICS_COUNTER, "witness_not_understood_total", "Meant for it, and not understood.",
     not_understood},
    {METRICS_COUNTER, "witness_dropped_total", "Split, forged, or without room.", dropped},
    {METRICS_COUNTER, "witness_shared_nonces_total", "Challenges whose nonce others may have too.",
     shared_nonces},
    {METRICS_COUNTER, "witness_restarts_total", "Connections lost, files exchanged.", restarts},
};

/* The switch by its name, as far as it is still there. */
static void add_witness(struct metrics *m, const struct api *api,
                        const struct guard_room_witness *w, uint64_t value)
{
    const struct levels_gate *gate;

    snapshot_read_lock();
    gate = snapshot_switch_by_id(api->services->snapshot, w->figures.switch_id);
    const struct metrics_label labels[] = {
        {"switch", gate ? span_of(gate->name) : SPAN("")},
        {"witness", span_of(witness_name(w->figures.witness))},
        {"watches", span_of(w->what)},
    };

    metrics_sample(m, labels, 3, value);
    snapshot_read_unlock();
}

static void add_witnesses(struct metrics *m, const struct api *api, const struct guard_status *s)
{
    for (size_t i = 0; i < sizeof(witness_families) / sizeof(*witness_families); i++) {
        metrics_family(m, witness_families[i].type, witness_families[i].name,
                       witness_families[i].help);
        for (size_t w = 0; w < s->n_witnesses; w++)
            add_witness(m, api, &s->witnesses[w], witness_families[i].of(&s->witnesses[w]));
    }
}

/* ---- all of it ------------------------------------------------------------------------------ */

static void add_process(struct metrics *m, const struct api *api)
{
    metrics_family(m, METRICS_GAUGE, "build_info", "1, with the version.");
    metrics_word(m, "version", api->services->version, 1);
    metrics_family(m, METRICS_GAUGE, "start_time_seconds", "When sekishod started, since 1970.");
    metrics_sample_seconds(m, api->services->started.wall_ms);
    metrics_one(m, METRICS_COUNTER, "log_lines_dropped_total",
                "Log lines for which there was no room.", log_dropped());
    metrics_one(m, METRICS_GAUGE, "guard_running", "1 where there is a guard.",
                ((const struct taken *)api->state)->guard.there);
}

static int answer(struct api *api, struct fault *f)
{
    const struct taken *taken = api->state;
    struct metrics m = {0};

    add_process(&m, api);
    add_decisions(&m, api);
    add_store(&m, api);
    if (api->services->metrics)
        api->services->metrics(api->services->arg, &m);
    if (taken->guard.there) {
        add_guard(&m, &taken->guard.figures);
        add_active(&m, taken);
        add_enforcer(&m, &taken->guard.enforcement);
        add_witnesses(&m, api, &taken->guard);
        add_journal(&m, &taken->guard.journal);
        add_endings(&m, &taken->guard.endings);
    }
    if (m.out.failed) {
        buf_free(&m.out);
        return fault_nomem(f);
    }
    buf_free(&api->out);
    api->out = m.out;
    api->metrics = true;
    api->status = 200;
    return 0;
}

int api_metrics(struct api *api, struct store_tx *tx, struct fault *f)
{
    if (api->step)
        return answer(api, f);
    api->state = reader_alloc(&api->reader, sizeof(struct taken));
    if (!api->state)
        return fault_nomem(f);
    api->ask_anyway = true;
    return api_ask_first(api, take);
}

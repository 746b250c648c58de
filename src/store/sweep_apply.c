/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan is carried out: one batch, without those who have called abroad since. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/change.h"
#include "store/notices.h"
#include "store/rules.h"
#include "store/store_impl.h"
#include "store/sweep_plan.h"

/* What a rule set becomes. */
struct successor {
    int64_t before; /* 0: free */
    uint32_t at;    /* the switch */
    int64_t after;
};

struct apply {
    const struct store_by *by;
    bool early;
    const struct sweep_plan *plan;
    bool *called; /* who has called abroad since, by target */
    struct successor *successors;
    size_t n_successors, size;
    uint64_t rows;
    int64_t sweep;
    const char *dir;
    struct db *calls;      /* NULL: there were none when it was looked for who has called */
    int64_t calls_version; /* then */
    uint64_t n_called;
    bool stale;  /* calls have come in since then */
    bool insist; /* then the writer looks itself */
};

static struct successor *successor_slot(const struct apply *a, int64_t before, uint32_t at)
{
    size_t i = (size_t)(((uint64_t)before * 31 + at) * UINT64_C(0x9e3779b97f4a7c15) >> 20);

    for (i &= a->size - 1; a->successors[i].before; i = (i + 1) & (a->size - 1))
        if (a->successors[i].before == before && a->successors[i].at == at)
            break;
    return &a->successors[i];
}

static int successors_grow(struct apply *a, struct fault *f)
{
    struct apply more = *a;

    more.size = a->size ? 2 * a->size : 64;
    more.successors = calloc(more.size, sizeof(*more.successors));
    if (!more.successors)
        return fault_nomem(f);
    for (size_t i = 0; i < a->size; i++)
        if (a->successors[i].before)
            *successor_slot(&more, a->successors[i].before, a->successors[i].at) = a->successors[i];
    free(a->successors);
    *a = more;
    return 0;
}

/* The rules of a set, and the restriction of the access prefix. */
static int restricted_set(struct store_tx *tx, const struct sweep_switch *on, int64_t before,
                          int64_t *after, struct fault *f)
{
    const struct rule *rules;
    size_t n;
    int err = rules_read(tx->db, &tx->arena, before, &rules, &n, f);
    struct rule *more = err ? NULL : arena_alloc(&tx->arena, (n + 1) * sizeof(*more));

    if (err)
        return err;
    if (!more)
        return fault_nomem(f);
    if (n)
        memcpy(more, rules, n * sizeof(*more));
    more[n] = (struct rule){.action = RULE_RESTRICT, .prefix = span_of(on->access)};
    return rules_intern(tx, more, n + 1, false, after, f);
}

static int successor_of(struct apply *a, struct store_tx *tx, const struct sweep_target *target,
                        int64_t *after, struct fault *f)
{
    int err = 2 * a->n_successors >= a->size ? successors_grow(a, f) : 0;

    if (err)
        return err;
    struct successor *slot = successor_slot(a, target->rule_set, target->at);
    if (!slot->before) {
        err = restricted_set(tx, &a->plan->switches[target->at], target->rule_set, after, f);
        if (err)
            return err;
        *slot = (struct successor){target->rule_set, target->at, *after};
        a->n_successors++;
    }
    *after = slot->after;
    return 0;
}

static int touch(struct store_tx *tx, int64_t account, struct fault *f)
{
    struct query q;
    int err = query_start(&q, tx->db, "SELECT switch, name FROM accounts WHERE id = ?1",
                          DB_VALUES(INT(account)), f);

    if (err)
        return err;
    err = query_row(&q, f);
    if (err == 1)
        touched_account(tx->touched, query_int(&q, 0), query_text(&q, 1));
    query_end(&q);
    return err < 0 ? err : 0;
}

static int note_one(struct apply *a, struct store_tx *tx, const struct sweep_target *target,
                    struct fault *f)
{
    int64_t after = 0;
    int err = successor_of(a, tx, target, &after, f);

    return err ? err
               : db_run(tx->db,
                        "INSERT INTO sweep_rows (sweep, account, before, after)"
                        " VALUES (?1, ?2, ?3, ?4)",
                        DB_VALUES(INT(a->sweep), INT(target->account_id), INT(target->rule_set),
                                  INT(after)),
                        f);
}

/* All of them by one statement: each statement of a million would keep the pages that it changes for the case that
 * it fails. */
static int restrict_noted(struct apply *a, struct store_tx *tx, struct fault *f)
{
    int err = db_run(tx->db,
                     "UPDATE accounts SET change = ?1, rule_set = r.after FROM sweep_rows r"
                     " WHERE r.sweep = ?1 AND accounts.id = r.account"
                     " AND accounts.rule_set = r.before",
                     DB_VALUES(INT(a->sweep)), f);

    if (!err && (uint64_t)db_changes(tx->db) != a->rows)
        err = fault(f, ERR_CONFLICT,
                    "%" PRIu64 " accounts were changed since the preview; make another one",
                    a->rows - (uint64_t)db_changes(tx->db));
    return err;
}

/* New accounts are none of the preview's business; all else that it looked at is. */
int sweep_check_fresh(struct store_tx *tx, const struct sweep_plan *plan, int64_t before,
                      struct fault *f)
{
    int64_t since = 0;
    bool found;
    int err = db_int(
        tx->db, &since, &found,
        "SELECT count(*) FROM audit WHERE id > ?1 AND id < ?2 AND (action IN ('account.update',"
        " 'account.delete') OR action GLOB 'rules.*' OR action GLOB 'tenant.*'"
        " OR action GLOB 'switch.*' OR action GLOB 'objection.*'"
        " OR action IN ('sweep.apply', 'sweep.undo'))",
        DB_VALUES(INT(plan->change), INT(before)), f);

    if (!err && since)
        err = fault(f, ERR_CONFLICT,
                    "the preview of change %" PRId64 " is stale: %" PRId64
                    " changes of accounts, rules, tenants, switches or objections have been made "
                    "since; make another one",
                    plan->change, since);
    return err;
}

/* Those who were told a day have until then to object. What was announced last counts. */
static int check_due(struct store_tx *tx, const struct sweep_plan *plan, struct fault *f)
{
    int64_t due_ms = 0;
    bool found;
    int err = db_int(tx->db, &due_ms, &found,
                     "SELECT due FROM announcements WHERE tenant IS NULL OR ?1 = 0 OR tenant = ?1"
                     " ORDER BY id DESC LIMIT 1",
                     DB_VALUES(INT(plan->ask.within)), f);
    char day[SWEEP_DAY_SIZE];

    if (err || due_ms <= tx->now.wall_ms)
        return err;
    sweep_day(due_ms, day);
    return fault(
        f, ERR_CONFLICT,
        "the tenants were told that it happens on %s: wait until then, or say that it is to "
        "be early",
        day);
}

/* In the outbox by the same transaction: they are told if, and only if, it was done. */
static int tell_tenants(struct store_tx *tx, const struct apply *a, struct fault *f)
{
    char since[SWEEP_DAY_SIZE], facts[64];
    uint64_t told = 0;

    sweep_day(a->plan->ask.terms.since_ms, since);
    int n = snprintf(facts, sizeof(facts), "{\"since\":\"%s\"}", since);
    const struct notice notice = {
        .kind = NOTICE_SWEEP_APPLIED, .change = a->sweep, .facts = {facts, (size_t)n}};
    return store_notice_add_batch(tx, &notice, a->sweep, &told, f);
}

static int describe(struct change *c, const struct apply *a, struct fault *f)
{
    const struct sweep_terms *terms = &a->plan->ask.terms;
    char after[128];
    bool ok = true;
    int n = snprintf(after, sizeof(after),
                     "{\"restricted\":%" PRIu64 ",\"since\":%" PRId64 ",\"include_lifted\":%s}",
                     a->rows, terms->since_ms, terms->include_lifted ? "true" : "false");

    c->after = arena_copy(&c->tx->arena, (struct span){after, (size_t)n}, &ok);
    c->object = c->object_name = SPAN("accounts");
    c->tenant = a->plan->ask.within;
    c->rows = a->rows;
    return ok ? 0 : fault_nomem(f);
}

static int restrict_all(struct change *c, struct apply *a, struct fault *f)
{
    const struct sweep_plan *plan = a->plan;
    struct store_tx *tx = c->tx;
    int err = sweep_check_fresh(tx, plan, c->number, f);

    if (!err && !a->early)
        err = check_due(tx, plan, f);
    a->sweep = c->number;
    a->rows = 0;
    if (!err)
        err =
            db_run(tx->db, "INSERT INTO sweeps (id, since, lifted, tenant) VALUES (?1, ?2, ?3, ?4)",
                   DB_VALUES(INT(a->sweep), INT(plan->ask.terms.since_ms),
                             INT(plan->ask.terms.include_lifted), ID(plan->ask.within)),
                   f);
    for (size_t i = 0; !err && i < plan->n; i++) {
        if (a->called[i])
            continue;
        err = note_one(a, tx, &plan->targets[i], f);
        if (!err && plan->n <= SWEEP_ONE_BY_ONE)
            err = touch(tx, plan->targets[i].account_id, f);
        a->rows += !err;
    }
    if (!err && a->rows == 0)
        return fault(f, ERR_MISSING, "there is no account to restrict");
    if (!err)
        err = restrict_noted(a, tx, f);
    if (!err)
        err = db_run(tx->db, "UPDATE sweeps SET standing = ?2 WHERE id = ?1",
                     DB_VALUES(INT(a->sweep), INT((int64_t)a->rows)), f);
    if (!err && plan->n > SWEEP_ONE_BY_ONE)
        touched_above(tx->touched, 0);
    if (!err)
        err = tell_tenants(tx, a, f);
    return err ? err : describe(c, a, f);
}

/* ---- who has called since ------------------------------------------------------------------- */

struct by_caller {
    uint32_t caller;
    size_t target;
};

static int order_callers(const void *left, const void *right)
{
    const struct by_caller *a = left, *b = right;

    return (a->caller > b->caller) - (a->caller < b->caller);
}

/* History is in the order of callers: one walk through both. */
static int mark_called(struct apply *a, struct db *calls, struct by_caller *of, size_t n,
                       uint64_t *called, struct fault *f)
{
    struct query q;
    size_t i = 0;
    int err = query_start(&q, calls,
                          "SELECT caller FROM history WHERE abroad = 1 AND spoke_last >= ?1"
                          " ORDER BY caller",
                          DB_VALUES(INT(a->plan->ask.terms.since_ms)), f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        uint32_t caller = (uint32_t)query_int(&q, 0);

        while (i < n && of[i].caller < caller)
            i++;
        if (i < n && of[i].caller == caller && !a->called[of[i].target]) {
            a->called[of[i].target] = true;
            ++*called;
        }
    }
    query_end(&q);
    return err;
}

static int order_target(const void *key, const void *item)
{
    int64_t account = *(const int64_t *)key,
            other = ((const struct sweep_target *)item)->account_id;

    return (account > other) - (account < other);
}

static int mark_newcomer(struct apply *a, struct db *main, int64_t switch_id, struct span name,
                         uint64_t *called, struct fault *f)
{
    const struct sweep_plan *plan = a->plan;
    const struct sweep_target *target = NULL;
    int64_t account = 0;
    bool found;
    int err =
        db_int(main, &account, &found, "SELECT id FROM accounts WHERE switch = ?1 AND name = ?2",
               DB_VALUES(INT(switch_id), TEXT(name)), f);

    if (!err && found && plan->n)
        target = bsearch(&account, plan->targets, plan->n, sizeof(*target), order_target);
    if (target && !a->called[target - plan->targets]) {
        a->called[target - plan->targets] = true;
        ++*called;
    }
    return err;
}

/* Who had never called, and so was no caller yet: looked for by name. */
static int mark_newcomers(struct apply *a, struct db *main, struct db *calls, uint64_t *called,
                          struct fault *f)
{
    struct query q;
    int err =
        query_start(&q, calls,
                    "SELECT c.switch, c.name FROM callers c JOIN history h ON h.caller = c.id"
                    " WHERE c.id > ?1 AND h.abroad = 1 AND h.spoke_last >= ?2",
                    DB_VALUES(INT(a->plan->last_caller), INT(a->plan->ask.terms.since_ms)), f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        err = mark_newcomer(a, main, query_int(&q, 0), query_text(&q, 1), called, f);
        if (err)
            break;
    }
    query_end(&q);
    return err;
}

/* From one view of calls. */
static int look_at_calls(struct apply *a, struct by_caller *of, size_t n, struct fault *f)
{
    struct db *main = NULL;
    bool found;
    int err = store_file_read(&main, a->dir, &store_file_main, f);

    if (!err) /* before the view: what comes in between is looked for twice */
        err = db_int(a->calls, &a->calls_version, &found, "PRAGMA data_version", NULL, 0, f);
    if (!err)
        err = db_run(a->calls, DB_BEGIN, NULL, 0, f);
    if (!err)
        err = sweep_check_summed(a->calls, f);
    if (!err)
        err = mark_called(a, a->calls, of, n, &a->n_called, f);
    if (!err)
        err = mark_newcomers(a, main, a->calls, &a->n_called, f);
    if (!db_idle(a->calls))
        db_run(a->calls, DB_ROLLBACK, NULL, 0, NULL);
    db_close(main);
    return err;
}

static int find_called(struct apply *a, struct fault *f)
{
    const struct sweep_plan *plan = a->plan;
    struct by_caller *of = calloc(plan->n + 1, sizeof(*of));
    size_t n = 0;
    int err = of ? 0 : fault_nomem(f);

    for (size_t i = 0; !err && i < plan->n; i++)
        if (plan->targets[i].caller)
            of[n++] = (struct by_caller){plan->targets[i].caller, i};
    if (!err && !a->calls && store_file_exists(a->dir, &store_file_calls))
        err = store_file_view(&a->calls, a->dir, &store_file_calls, f);
    if (!err && a->calls) {
        qsort(of, n, sizeof(*of), order_callers);
        err = look_at_calls(a, of, n, f);
    }
    free(of);
    return err;
}

/* Whether calls have come in since find_called(): cheap, whatever there is. */
static int calls_are_stale(const struct apply *a, bool *stale, struct fault *f)
{
    int64_t version = 0;
    bool found;

    *stale = !a->calls && store_file_exists(a->dir, &store_file_calls);
    if (!a->calls)
        return 0;
    int err = db_int(a->calls, &version, &found, "PRAGMA data_version", NULL, 0, f);
    *stale = version != a->calls_version;
    return err;
}

/* ---- the job -------------------------------------------------------------------------------- */

static int apply_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct apply *a = arg;
    struct change c;
    int err = calls_are_stale(a, &a->stale, f);

    if (!err && a->stale && a->insist)
        err = find_called(a, f);
    if (err || (a->stale && !a->insist))
        return err;
    err = change_begin(&c, tx, a->by, &sweep_kind, "sweep.apply", CHANGE_NEW, f);
    if (!err)
        err = restrict_all(&c, a, f);
    return change_end(&c, err, f);
}

/* Who has called is looked for before the writer is held. Where calls came in until it was there it is looked for
 * again, a few times; who follows a busy switch may never be let through otherwise. */
#define LOOKS 3

static int look_and_apply(struct store *store, struct apply *a, struct fault *f)
{
    int err = 0;

    a->stale = true;
    for (int i = 0; !err && a->stale && i < LOOKS; i++) {
        a->insist = i + 1 == LOOKS;
        err = find_called(a, f);
        if (!err)
            err = store_write_alone_wait(store, apply_job, a, f);
        a->stale = a->stale && !a->insist;
    }
    return err;
}

int store_sweep_apply_wait(struct store *store, const struct store_by *by,
                           const struct sweep_plan *plan, bool early, int64_t *sweep,
                           uint64_t *called, struct fault *f)
{
    struct apply a = {.by = by,
                      .plan = plan,
                      .early = early,
                      .dir = store->dir,
                      .called = calloc(plan->n + 1, sizeof(bool))};
    int err = a.called ? look_and_apply(store, &a, f) : fault_nomem(f);

    free(a.successors);
    free(a.called);
    db_close(a.calls);
    if (!err) {
        *sweep = a.sweep;
        *called = a.n_called;
    }
    return err;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sweeps: applied as one batch, listed, undone. */
#include "store/sweeps.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/change.h"
#include "store/page.h"
#include "store/rules.h"
#include "store/store_impl.h"
#include "store/sweep_plan.h"

/* What the record says of a batch: how many, not who. The rows point to it. */
static const struct change_kind sweep_kind = {"sweep", NULL, NULL};

/* So many accounts are published one by one; more of them by reading all anew, which is quicker then. */
#define ONE_BY_ONE 10000

/* ---- applying ------------------------------------------------------------------------------- */

/* What a rule set becomes. */
struct successor {
    int64_t before; /* 0: free */
    uint32_t at;    /* the switch */
    int64_t after;
};

struct apply {
    const struct store_by *by;
    const struct sweep_plan *plan;
    bool *called; /* who has called abroad since, by target */
    struct successor *successors;
    size_t n_successors, size;
    uint64_t rows;
    int64_t sweep;
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
static int check_fresh(struct store_tx *tx, const struct sweep_plan *plan, int64_t before,
                       struct fault *f)
{
    int64_t since = 0;
    bool found;
    int err = db_int(
        tx->db, &since, &found,
        "SELECT count(*) FROM audit WHERE id > ?1 AND id < ?2 AND (action IN ('account.update',"
        " 'account.delete') OR action GLOB 'rules.*' OR action GLOB 'tenant.*'"
        " OR action GLOB 'switch.*' OR action GLOB 'sweep.*')",
        DB_VALUES(INT(plan->change), INT(before)), f);

    if (!err && since)
        err = fault(f, ERR_CONFLICT,
                    "the preview of change %" PRId64 " is stale: %" PRId64
                    " changes of accounts, rules, tenants or switches have been made since; make "
                    "another one",
                    plan->change, since);
    return err;
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
    int err = check_fresh(tx, plan, c->number, f);

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
        if (!err && plan->n <= ONE_BY_ONE)
            err = touch(tx, plan->targets[i].account_id, f);
        a->rows += !err;
    }
    if (!err && a->rows == 0)
        return fault(f, ERR_MISSING, "there is no account to restrict");
    if (!err)
        err = restrict_noted(a, tx, f);
    if (!err && plan->n > ONE_BY_ONE)
        touched_above(tx->touched, 0);
    return err ? err : describe(c, a, f);
}

static int apply_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct apply *a = arg;
    struct change c;
    int err = change_begin(&c, tx, a->by, &sweep_kind, "sweep.apply", CHANGE_NEW, f);

    if (!err)
        err = restrict_all(&c, a, f);
    return change_end(&c, err, f);
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
static int look_at_calls(struct apply *a, const char *dir, struct by_caller *of, size_t n,
                         uint64_t *called, struct fault *f)
{
    struct db *calls = NULL, *main = NULL;
    int err = store_file_read(&calls, dir, &store_file_calls, f);

    if (!err)
        err = store_file_read(&main, dir, &store_file_main, f);
    if (!err)
        err = db_run(calls, DB_BEGIN, NULL, 0, f);
    if (!err)
        err = sweep_check_summed(calls, f);
    if (!err)
        err = mark_called(a, calls, of, n, called, f);
    if (!err)
        err = mark_newcomers(a, main, calls, called, f);
    if (calls && !db_idle(calls))
        db_run(calls, DB_ROLLBACK, NULL, 0, NULL);
    db_close(main);
    db_close(calls);
    return err;
}

static int find_called(struct apply *a, const char *dir, uint64_t *called, struct fault *f)
{
    const struct sweep_plan *plan = a->plan;
    struct by_caller *of = calloc(plan->n + 1, sizeof(*of));
    size_t n = 0;
    int err = of ? 0 : fault_nomem(f);

    for (size_t i = 0; !err && i < plan->n; i++)
        if (plan->targets[i].caller)
            of[n++] = (struct by_caller){plan->targets[i].caller, i};
    if (!err && store_file_exists(dir, &store_file_calls)) {
        qsort(of, n, sizeof(*of), order_callers);
        err = look_at_calls(a, dir, of, n, called, f);
    }
    free(of);
    return err;
}

int store_sweep_apply_wait(struct store *store, const struct store_by *by,
                           const struct sweep_plan *plan, int64_t *sweep, uint64_t *called,
                           struct fault *f)
{
    struct apply a = {.by = by, .plan = plan, .called = calloc(plan->n + 1, sizeof(bool))};
    uint64_t n = 0;
    int err = a.called ? find_called(&a, store->dir, &n, f) : fault_nomem(f);

    if (!err)
        err = store_write_alone_wait(store, apply_job, &a, f);
    free(a.successors);
    free(a.called);
    if (!err) {
        *sweep = a.sweep;
        *called = n;
    }
    return err;
}

/* ---- undoing -------------------------------------------------------------------------------- */

struct undo {
    const struct store_by *by;
    int64_t sweep;
    uint64_t restored;
};

static int touch_restored(struct store_tx *tx, const struct undo *u, struct fault *f)
{
    struct query q;

    if (u->restored > ONE_BY_ONE) {
        touched_above(tx->touched, 0);
        return 0;
    }
    int err = query_start(&q, tx->db,
                          "SELECT a.switch, a.name FROM sweep_rows r JOIN accounts a"
                          " ON a.id = r.account WHERE r.sweep = ?1 AND r.restored = 1",
                          DB_VALUES(INT(u->sweep)), f);
    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1)
        touched_account(tx->touched, query_int(&q, 0), query_text(&q, 1));
    query_end(&q);
    return err;
}

static int restore(struct change *c, struct undo *u, struct fault *f)
{
    struct store_tx *tx = c->tx;
    bool ok = true;
    char after[96];
    int err =
        db_run(tx->db,
               "UPDATE accounts SET change = ?2, rule_set = (SELECT before FROM sweep_rows"
               " WHERE sweep = ?1 AND account = accounts.id)"
               " WHERE change = ?1 AND id IN (SELECT account FROM sweep_rows WHERE sweep = ?1)",
               DB_VALUES(INT(u->sweep), INT(c->number)), f);

    u->restored = err ? 0 : (uint64_t)db_changes(tx->db);
    if (!err)
        err = db_run(tx->db,
                     "UPDATE sweep_rows SET restored = 1 WHERE sweep = ?1"
                     " AND (SELECT change FROM accounts WHERE id = sweep_rows.account) = ?2",
                     DB_VALUES(INT(u->sweep), INT(c->number)), f);
    if (!err)
        err = db_run(tx->db, "UPDATE sweeps SET undone = ?2 WHERE id = ?1",
                     DB_VALUES(INT(u->sweep), INT(c->number)), f);
    if (!err)
        err = touch_restored(tx, u, f);
    int n = snprintf(after, sizeof(after), "{\"sweep\":%" PRId64 ",\"restored\":%" PRIu64 "}",
                     u->sweep, u->restored);
    c->after = arena_copy(&tx->arena, (struct span){after, (size_t)n}, &ok);
    c->object = c->object_name = SPAN("accounts");
    c->rows = u->restored ? u->restored : 1;
    return err || ok ? err : fault_nomem(f);
}

static int undo_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct undo *u = arg;
    struct store_sweep sweep;
    struct change c;
    int err = store_sweep_get(tx, u->sweep, &sweep, f);

    if (!err && sweep.undone)
        err = fault(f, ERR_CONFLICT, "sweep %" PRId64 " was undone already, by change %" PRId64,
                    u->sweep, sweep.undone);
    if (err)
        return err;
    err = change_begin(&c, tx, u->by, &sweep_kind, "sweep.undo", CHANGE_NEW, f);
    if (!err)
        err = restore(&c, u, f);
    return change_end(&c, err, f);
}

int store_sweep_undo_wait(struct store *store, const struct store_by *by, int64_t sweep,
                          uint64_t *restored, struct fault *f)
{
    struct undo u = {.by = by, .sweep = sweep};
    int err = store_write_alone_wait(store, undo_job, &u, f);

    if (!err)
        *restored = u.restored;
    return err;
}

/* ---- lists ---------------------------------------------------------------------------------- */

#define SELECT_SWEEP                                                                               \
    "SELECT w.id, c.at, c.actor, w.since, w.lifted, coalesce(t.name, ''), c.rows,"                 \
    " (SELECT count(*) FROM sweep_rows r JOIN accounts a ON a.id = r.account"                      \
    "  WHERE r.sweep = w.id AND a.change = w.id),"                                                 \
    " coalesce(w.undone, 0), (SELECT count(*) FROM sweep_rows WHERE sweep = w.id AND restored = "  \
    "1)"                                                                                           \
    " FROM sweeps w JOIN audit c ON c.id = w.id LEFT JOIN tenants t ON t.id = w.tenant "

static int read_sweep(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    bool ok = true;

    *(struct store_sweep *)item = (struct store_sweep){
        .id = query_int(q, 0),
        .at_ms = query_int(q, 1),
        .actor = query_copy(q, 2, &tx->arena, &ok),
        .since_ms = query_int(q, 3),
        .include_lifted = query_int(q, 4) != 0,
        .tenant = query_copy(q, 5, &tx->arena, &ok),
        .rows = (uint64_t)query_int(q, 6),
        .standing = (uint64_t)query_int(q, 7),
        .undone = query_int(q, 8),
        .restored = (uint64_t)query_int(q, 9),
    };
    return ok ? 0 : fault_nomem(f);
}

int store_sweep_list(struct store_tx *tx, const struct store_page *page,
                     struct store_sweep_list *out, struct fault *f)
{
    struct page p = {.size = sizeof(struct store_sweep), .read = read_sweep};
    struct query q;
    int err = page_begin_id(&p, page, INT64_MAX, f);

    if (!err)
        err = query_start(&q, tx->db, SELECT_SWEEP "WHERE w.id < ?1 ORDER BY w.id DESC LIMIT ?2",
                          DB_VALUES(INT(p.id), INT(p.rows)), f);
    if (!err)
        err = page_read(&p, tx, &q, f);
    if (!err)
        *out = (struct store_sweep_list){p.items, p.n, p.next};
    return err;
}

int store_sweep_get(struct store_tx *tx, int64_t id, struct store_sweep *out, struct fault *f)
{
    struct query q;
    int err = query_start(&q, tx->db, SELECT_SWEEP "WHERE w.id = ?1", DB_VALUES(INT(id)), f);

    if (err)
        return err;
    err = query_row(&q, f);
    if (err == 1)
        err = read_sweep(tx, &q, out, f);
    else if (err == 0)
        err = fault(f, ERR_MISSING, "there is no sweep %" PRId64, id);
    query_end(&q);
    return err;
}

const char *sweep_fate_name(enum sweep_fate fate)
{
    switch (fate) {
    case SWEEP_STANDS: return "stands";
    case SWEEP_CHANGED: return "changed";
    case SWEEP_RESTORED: return "restored";
    case SWEEP_GONE: return "gone";
    }
    return "?";
}

static int read_row(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    struct store_sweep_row *row = item;
    bool ok = true;

    *row = (struct store_sweep_row){
        .account_id = query_int(q, 0),
        .name = query_copy(q, 3, &tx->arena, &ok),
        .switch_name = query_copy(q, 4, &tx->arena, &ok),
        .tenant = query_copy(q, 5, &tx->arena, &ok),
        .change = query_int(q, 2),
    };
    row->fate = query_null(q, 2)                 ? SWEEP_GONE
                : query_int(q, 1)                ? SWEEP_RESTORED
                : row->change == query_int(q, 6) ? SWEEP_STANDS
                                                 : SWEEP_CHANGED;
    return ok ? 0 : fault_nomem(f);
}

int store_sweep_rows(struct store_tx *tx, int64_t sweep, const struct store_page *page,
                     struct store_sweep_rows *out, struct fault *f)
{
    struct page p = {.size = sizeof(struct store_sweep_row), .read = read_row};
    struct query q;
    int err = page_begin_id(&p, page, 0, f);

    if (!err)
        err = query_start(&q, tx->db,
                          "SELECT r.account, r.restored, a.change, coalesce(a.name, ''),"
                          " coalesce(s.name, ''), coalesce(t.name, ''), r.sweep FROM sweep_rows r"
                          " LEFT JOIN accounts a ON a.id = r.account"
                          " LEFT JOIN switches s ON s.id = a.switch"
                          " LEFT JOIN tenants t ON t.id = a.tenant"
                          " WHERE r.sweep = ?3 AND r.account > ?1 ORDER BY r.account LIMIT ?2",
                          DB_VALUES(INT(p.id), INT(p.rows), INT(sweep)), f);
    if (!err)
        err = page_read(&p, tx, &q, f);
    if (!err)
        *out = (struct store_sweep_rows){p.items, p.n, p.next};
    return err;
}

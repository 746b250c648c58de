/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sweeps that were applied: undone, listed. */
#include "store/sweeps.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "store/change.h"
#include "store/notices.h"
#include "store/page.h"
#include "store/store_impl.h"
#include "store/sweep_plan.h"

/* What the record says of a batch: how many, not who. The rows point to it. */
const struct change_kind sweep_kind = {"sweep", NULL, NULL};

/* ---- undoing -------------------------------------------------------------------------------- */

struct undo {
    const struct store_by *by;
    int64_t sweep;
    uint64_t restored;
};

static int touch_restored(struct store_tx *tx, const struct undo *u, struct fault *f)
{
    struct query q;

    if (u->restored > SWEEP_ONE_BY_ONE) {
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
    uint64_t told = 0;
    char after[96];
    /* First, so that what stands is not counted down one by one. */
    int err = db_run(tx->db, "UPDATE sweeps SET undone = ?2, standing = 0 WHERE id = ?1",
                     DB_VALUES(INT(u->sweep), INT(c->number)), f);

    if (!err)
        err =
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
        err = touch_restored(tx, u, f);
    const struct notice notice = {
        .kind = NOTICE_SWEEP_UNDONE, .change = c->number, .facts = SPAN("{}")};
    if (!err && u->restored)
        err = store_notice_add_batch(tx, &notice, u->sweep, &told, f);
    int n = snprintf(after, sizeof(after), "{\"sweep\":%" PRId64 ",\"restored\":%" PRIu64 "}",
                     u->sweep, u->restored);
    c->after = arena_copy(&tx->arena, (struct span){after, (size_t)n}, &ok);
    c->object = c->object_name = SPAN("accounts");
    c->rows = u->restored;
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
    "SELECT w.id, c.at, c.actor, w.since, w.lifted, coalesce(t.name, ''), c.rows, w.standing,"     \
    " coalesce(w.undone, 0), coalesce(u.rows, 0)"                                                  \
    " FROM sweeps w JOIN audit c ON c.id = w.id LEFT JOIN audit u ON u.id = w.undone"              \
    " LEFT JOIN tenants t ON t.id = w.tenant "

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

/* In the order of enum sweep_fate. */
#define FATE                                                                                       \
    "CASE WHEN a.change IS NULL THEN 3 WHEN r.restored THEN 2 WHEN a.change = r.sweep THEN 0"      \
    " ELSE 1 END"
static_assert(SWEEP_STANDS == 0 && SWEEP_CHANGED == 1 && SWEEP_RESTORED == 2 && SWEEP_GONE == 3,
              "FATE has these numbers");

static int read_row(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    bool ok = true;

    *(struct store_sweep_row *)item = (struct store_sweep_row){
        .account_id = query_int(q, 0),
        .fate = (enum sweep_fate)query_int(q, 1),
        .change = query_int(q, 2),
        .name = query_copy(q, 3, &tx->arena, &ok),
        .switch_name = query_copy(q, 4, &tx->arena, &ok),
        .tenant = query_copy(q, 5, &tx->arena, &ok),
    };
    return ok ? 0 : fault_nomem(f);
}

int store_sweep_rows(struct store_tx *tx, int64_t sweep, const enum sweep_fate *fate,
                     const struct store_page *page, struct store_sweep_rows *out, struct fault *f)
{
    struct page p = {.size = sizeof(struct store_sweep_row), .read = read_row};
    struct query q;
    int err = page_begin_id(&p, page, 0, f);

    if (!err)
        err = query_start(
            &q, tx->db,
            "SELECT r.account, " FATE ", a.change, coalesce(a.name, ''),"
            " coalesce(s.name, ''), coalesce(t.name, '') FROM sweep_rows r"
            " LEFT JOIN accounts a ON a.id = r.account"
            " LEFT JOIN switches s ON s.id = a.switch"
            " LEFT JOIN tenants t ON t.id = a.tenant"
            " WHERE r.sweep = ?3 AND r.account > ?1 AND (?4 < 0 OR " FATE " = ?4)"
            " ORDER BY r.account LIMIT ?2",
            DB_VALUES(INT(p.id), INT(p.rows), INT(sweep), INT(fate ? (int64_t)*fate : -1)), f);
    if (!err)
        err = page_read(&p, tx, &q, f);
    if (!err)
        *out = (struct store_sweep_rows){p.items, p.n, p.next};
    return err;
}

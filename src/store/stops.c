/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "store/below.h"
#include "store/change.h"
#include "store/names.h"
#include "store/page.h"

/* A stop is called as what it stops. */
#define STOP_OBJECT                                                                                \
    "CASE WHEN x.account IS NOT NULL THEN 'account:' || x.account"                                 \
    "     WHEN x.tenant IS NOT NULL THEN 'tenant:' || t.name ELSE 'operator' END"
#define STOP_LABEL                                                                                 \
    "CASE WHEN x.account IS NOT NULL THEN a.name || '@' || s.name"                                 \
    "     WHEN x.tenant IS NOT NULL THEN 'tenant:' || t.name ELSE 'operator' END"
#define FROM_STOPS                                                                                 \
    " FROM stops x LEFT JOIN tenants t ON t.id = x.tenant LEFT JOIN accounts a ON a.id = "         \
    "x.account"                                                                                    \
    " LEFT JOIN switches s ON s.id = a.switch "

static const struct change_kind stop_kind = {
    "stop",
    "SELECT " STOP_OBJECT ", " STOP_LABEL
    ", coalesce(a.tenant, x.tenant), x.account, x.change" FROM_STOPS "WHERE x.id = ?1",
    "SELECT json_object('since', since, 'actor', actor, 'note', nullif(note, '')) FROM stops"
    " WHERE id = ?1",
};

/* The row of what is stopped, or CHANGE_NEW. Refuses what cannot be stopped or is not there. */
static int find(struct store_tx *tx, struct store_ref scope, int64_t *id, struct fault *f)
{
    struct span text;
    bool found = false;
    int err = store_ref_text(tx, scope, &text, f);

    if (err)
        return err;
    switch (scope.scope) {
    case SCOPE_OPERATOR:
        err = db_int(tx->db, id, &found,
                     "SELECT id FROM stops WHERE tenant IS NULL AND account IS NULL", NULL, 0, f);
        break;
    case SCOPE_TENANT:
        err = db_int(tx->db, id, &found, "SELECT id FROM stops WHERE tenant = ?1",
                     DB_VALUES(INT(scope.id)), f);
        break;
    case SCOPE_ACCOUNT:
        err = db_int(tx->db, id, &found, "SELECT id FROM stops WHERE account = ?1",
                     DB_VALUES(INT(scope.id)), f);
        break;
    case SCOPE_SWITCH:
    case SCOPE_PRESET:
        return fault(f, ERR_RANGE, "%s cannot be stopped; the operator, a tenant or an account can",
                     ESCAPED(text));
    }
    if (!err && !found)
        *id = CHANGE_NEW;
    return err;
}

static int touch(struct store_tx *tx, struct store_ref scope, struct fault *f)
{
    struct store_account a;

    if (scope.scope != SCOPE_ACCOUNT) {
        tx_touch_levels(tx);
        return 0;
    }
    int err = store_account_get(tx, scope.id, &a, f);
    if (!err)
        touched_account(tx->touched, a.switch_id, a.name);
    return err;
}

int store_stop_put(struct store_tx *tx, const struct store_by *by, struct store_ref scope,
                   struct span note, struct fault *f)
{
    struct change c;
    int64_t id = 0;
    int err = find(tx, scope, &id, f);

    if (err)
        return err;
    err = change_begin(&c, tx, by, &stop_kind, "stop.put", id, f);
    if (!err)
        err = text_check(note, STORE_TEXT_MAX, "the note", f);
    if (!err && id == CHANGE_NEW) {
        err = db_run(tx->db,
                     "INSERT INTO stops (tenant, account, since, actor, note, change)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                     DB_VALUES(scope.scope == SCOPE_TENANT ? INT(scope.id) : NONE,
                               scope.scope == SCOPE_ACCOUNT ? INT(scope.id) : NONE,
                               INT(tx->now.wall_ms), TEXT(by->actor), TEXT(note), INT(c.number)),
                     f);
        c.id = err ? c.id : db_last_id(tx->db);
    } else if (!err) {
        err = db_run(tx->db, "UPDATE stops SET note = ?2, change = ?3 WHERE id = ?1",
                     DB_VALUES(INT(id), TEXT(note), INT(c.number)), f);
    }
    if (!err)
        err = touch(tx, scope, f);
    if (!err && tx->touched)
        tx->touched->stop = true;
    return change_end(&c, err, f);
}

int store_stop_delete(struct store_tx *tx, const struct store_by *by, struct store_ref scope,
                      struct fault *f)
{
    struct change c;
    int64_t id = 0;
    int err = find(tx, scope, &id, f);

    if (!err && id == CHANGE_NEW)
        return fault(f, ERR_MISSING, "there is no such stop");
    if (err)
        return err;
    err = change_begin(&c, tx, by, &stop_kind, "stop.delete", id, f);
    if (!err)
        err = db_run(tx->db, "DELETE FROM stops WHERE id = ?1", DB_VALUES(INT(id)), f);
    if (!err)
        err = touch(tx, scope, f);
    return change_end(&c, err, f);
}

#define SELECT_STOP                                                                                \
    "SELECT x.id, x.tenant, x.account, " STOP_OBJECT ", " STOP_LABEL ", x.change, x.since,"        \
    " x.actor, x.note" FROM_STOPS

static int read_stop(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    struct store_stop *out = item;
    struct arena *a = &tx->arena;
    bool ok = true;
    struct store_stop s = {
        .scope_text = query_copy(q, 3, a, &ok),
        .label = query_copy(q, 4, a, &ok),
        .change = query_int(q, 5),
        .since_ms = query_int(q, 6),
        .actor = query_copy(q, 7, a, &ok),
        .note = query_copy(q, 8, a, &ok),
    };

    if (!query_null(q, 1))
        s.scope = (struct store_ref){SCOPE_TENANT, query_int(q, 1)};
    else if (!query_null(q, 2))
        s.scope = (struct store_ref){SCOPE_ACCOUNT, query_int(q, 2)};
    if (!ok)
        return fault_nomem(f);
    *out = s;
    return 0;
}

int store_stop_get(struct store_tx *tx, struct store_ref scope, struct store_stop *out,
                   struct fault *f)
{
    struct query q;
    int64_t id = 0;
    int err = find(tx, scope, &id, f);

    if (!err)
        err = query_start(&q, tx->db, SELECT_STOP "WHERE x.id = ?1", DB_VALUES(INT(id)), f);
    if (err)
        return err;
    err = query_row(&q, f);
    if (err == 1)
        err = read_stop(tx, &q, out, f);
    else if (err == 0)
        err = fault(f, ERR_MISSING, "there is no such stop");
    query_end(&q);
    return err;
}

int store_stop_list(struct store_tx *tx, const struct store_stop_query *query,
                    struct store_stop_list *out, struct fault *f)
{
    struct page p = {.size = sizeof(struct store_stop), .read = read_stop};
    struct query q;
    int err = page_begin_id(&p, &query->page, 0, f);

    if (!err)
        err = query_start(&q, tx->db,
                          SELECT_STOP "WHERE x.id > ?1 AND (?3 = 0 OR coalesce(a.tenant, x.tenant)"
                                      " IN " TENANTS_BELOW("?3") ") ORDER BY x.id LIMIT ?2",
                          DB_VALUES(INT(p.id), INT(p.rows), INT(query->within)), f);
    if (!err)
        err = page_read(&p, tx, &q, f);
    if (!err)
        *out = (struct store_stop_list){p.items, p.n, p.next};
    return err;
}

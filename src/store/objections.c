/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/objections.h"

#include "store/below.h"
#include "store/change.h"
#include "store/names.h"
#include "store/page.h"

/* An objection is called as what it is for. */
#define OBJECT "iif(o.account IS NULL, 'tenant:' || t.name, 'account:' || o.account)"
#define LABEL "iif(o.account IS NULL, 'tenant:' || t.name, a.name || '@' || s.name)"
#define FROM_OBJECTIONS                                                                            \
    " FROM objections o LEFT JOIN tenants t ON t.id = o.tenant"                                    \
    " LEFT JOIN accounts a ON a.id = o.account LEFT JOIN switches s ON s.id = a.switch "

static const struct change_kind objection_kind = {
    "objection",
    "SELECT " OBJECT ", " LABEL
    ", coalesce(a.tenant, o.tenant), o.account, o.change" FROM_OBJECTIONS "WHERE o.id = ?1",
    "SELECT json_object('at', at, 'actor', actor, 'note', nullif(note, '')) FROM objections"
    " WHERE id = ?1",
};

/* The row of what is objected for, or CHANGE_NEW. Refuses what no sweep asks about, or is not there. */
static int find(struct store_tx *tx, struct store_ref scope, int64_t *id, struct fault *f)
{
    struct span text;
    bool found = false;
    int err = store_ref_text(tx, scope, &text, f);

    if (err)
        return err;
    switch (scope.scope) {
    case SCOPE_TENANT:
        err = db_int(tx->db, id, &found, "SELECT id FROM objections WHERE tenant = ?1",
                     DB_VALUES(INT(scope.id)), f);
        break;
    case SCOPE_ACCOUNT:
        err = db_int(tx->db, id, &found, "SELECT id FROM objections WHERE account = ?1",
                     DB_VALUES(INT(scope.id)), f);
        break;
    case SCOPE_OPERATOR:
    case SCOPE_SWITCH:
    case SCOPE_PRESET:
        return fault(f, ERR_RANGE, "nobody objects to sweeps for %s; for a tenant or an account",
                     ESCAPED(text));
    }
    if (!err && !found)
        *id = CHANGE_NEW;
    return err;
}

int store_objection_put(struct store_tx *tx, const struct store_by *by, struct store_ref scope,
                        struct span note, struct fault *f)
{
    struct change c;
    int64_t id = 0;
    int err = find(tx, scope, &id, f);

    if (err)
        return err;
    err = change_begin(&c, tx, by, &objection_kind, "objection.put", id, f);
    if (!err)
        err = text_check(note, STORE_TEXT_MAX, "the note", f);
    if (!err && id == CHANGE_NEW) {
        err = db_run(tx->db,
                     "INSERT INTO objections (tenant, account, at, actor, note, change)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                     DB_VALUES(scope.scope == SCOPE_TENANT ? INT(scope.id) : NONE,
                               scope.scope == SCOPE_ACCOUNT ? INT(scope.id) : NONE,
                               INT(tx->now.wall_ms), TEXT(by->actor), TEXT(note), INT(c.number)),
                     f);
        c.id = err ? c.id : db_last_id(tx->db);
    } else if (!err) {
        err = db_run(
            tx->db,
            "UPDATE objections SET at = ?2, actor = ?3, note = ?4, change = ?5"
            " WHERE id = ?1",
            DB_VALUES(INT(id), INT(tx->now.wall_ms), TEXT(by->actor), TEXT(note), INT(c.number)),
            f);
    }
    return change_end(&c, err, f);
}

int store_objection_delete(struct store_tx *tx, const struct store_by *by, struct store_ref scope,
                           struct fault *f)
{
    struct change c;
    int64_t id = 0;
    int err = find(tx, scope, &id, f);

    if (!err && id == CHANGE_NEW)
        return fault(f, ERR_MISSING, "there is no such objection");
    if (err)
        return err;
    err = change_begin(&c, tx, by, &objection_kind, "objection.delete", id, f);
    if (!err)
        err = db_run(tx->db, "DELETE FROM objections WHERE id = ?1", DB_VALUES(INT(id)), f);
    return change_end(&c, err, f);
}

#define SELECT_OBJECTION                                                                           \
    "SELECT o.id, o.tenant, o.account, " OBJECT ", " LABEL ", o.change, o.at, o.actor,"            \
    " o.note" FROM_OBJECTIONS

static int read_objection(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    struct arena *a = &tx->arena;
    bool ok = true;

    *(struct store_objection *)item = (struct store_objection){
        .scope = query_null(q, 2) ? (struct store_ref){SCOPE_TENANT, query_int(q, 1)}
                                  : (struct store_ref){SCOPE_ACCOUNT, query_int(q, 2)},
        .scope_text = query_copy(q, 3, a, &ok),
        .label = query_copy(q, 4, a, &ok),
        .change = query_int(q, 5),
        .at_ms = query_int(q, 6),
        .actor = query_copy(q, 7, a, &ok),
        .note = query_copy(q, 8, a, &ok),
    };
    return ok ? 0 : fault_nomem(f);
}

int store_objection_get(struct store_tx *tx, struct store_ref scope, struct store_objection *out,
                        struct fault *f)
{
    struct query q;
    int64_t id = 0;
    int err = find(tx, scope, &id, f);

    if (!err)
        err = query_start(&q, tx->db, SELECT_OBJECTION "WHERE o.id = ?1", DB_VALUES(INT(id)), f);
    if (err)
        return err;
    err = query_row(&q, f);
    if (err == 1)
        err = read_objection(tx, &q, out, f);
    else if (err == 0)
        err = fault(f, ERR_MISSING, "there is no such objection");
    query_end(&q);
    return err;
}

int store_objection_list(struct store_tx *tx, const struct store_objection_query *query,
                         struct store_objection_list *out, struct fault *f)
{
    struct page p = {.size = sizeof(struct store_objection), .read = read_objection};
    struct query q;
    int err = page_begin_id(&p, &query->page, 0, f);

    if (!err)
        err = query_start(&q, tx->db,
                          SELECT_OBJECTION
                          "WHERE o.id > ?1 AND (?3 = 0 OR coalesce(a.tenant, o.tenant)"
                          " IN " TENANTS_BELOW("?3") ") ORDER BY o.id LIMIT ?2",
                          DB_VALUES(INT(p.id), INT(p.rows), INT(query->within)), f);
    if (!err)
        err = page_read(&p, tx, &q, f);
    if (!err)
        *out = (struct store_objection_list){p.items, p.n, p.next};
    return err;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the audit. change.c writes it. */
#include <inttypes.h>

#include "base/buf.h"
#include "store/below.h"
#include "store/page.h"

#define SELECT_AUDIT "SELECT id, at, actor, action, object, object_name, rows, detail FROM audit "

static int read_audit(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    struct store_audit *out = item;
    struct arena *a = &tx->arena;
    bool ok = true;
    struct store_audit record = {
        .id = query_int(q, 0),
        .at_ms = query_int(q, 1),
        .actor = query_copy(q, 2, a, &ok),
        .action = query_copy(q, 3, a, &ok),
        .object = query_copy(q, 4, a, &ok),
        .object_name = query_copy(q, 5, a, &ok),
        .rows = (uint64_t)query_int(q, 6),
        .detail = query_copy(q, 7, a, &ok),
    };

    if (!ok)
        return fault_nomem(f);
    *out = record;
    return 0;
}

int store_audit_get(struct store_tx *tx, int64_t id, struct store_audit *out, struct fault *f)
{
    struct query q;
    int err = query_start(&q, tx->db, SELECT_AUDIT "WHERE id = ?1", DB_VALUES(INT(id)), f);

    if (err)
        return err;
    err = query_row(&q, f);
    if (err == 1)
        err = read_audit(tx, &q, out, f);
    else if (err == 0)
        err = fault(f, ERR_MISSING, "there is no change %" PRId64, id);
    query_end(&q);
    return err;
}

static void list_sql(struct buf *sql, const struct store_audit_query *query)
{
    buf_puts(sql, SELECT_AUDIT "WHERE id < ?1");
    if (query->within)
        buf_puts(sql, " AND tenant IN " TENANTS_BELOW("?3"));
    if (query->account) /* and the batch that made it */
        buf_puts(sql, " AND id IN (SELECT id FROM audit WHERE account = ?4"
                      " UNION SELECT created FROM accounts WHERE id = ?4)");
    if (query->object.n)
        buf_puts(sql, " AND object = ?5");
    if (query->actor.n)
        buf_puts(sql, " AND actor = ?6");
    if (query->action.n) /* '/' is the character behind '.' */
        buf_puts(sql, " AND (action = ?7 OR (action > ?7 || '.' AND action < ?7 || '/'))");
    if (query->since_ms)
        buf_puts(sql, " AND at >= ?8");
    if (query->until_ms)
        buf_puts(sql, " AND at < ?9");
    buf_puts(sql, " ORDER BY id DESC LIMIT ?2");
}

static int list_start(struct store_tx *tx, struct query *q, const struct store_audit_query *query,
                      const struct page *p, struct fault *f)
{
    struct buf sql = {0};

    list_sql(&sql, query);
    int err = sql.failed ? fault_nomem(f)
                         : query_build(q, tx->db, sql.p,
                                       DB_VALUES(INT(p->id), INT(p->rows), INT(query->within),
                                                 INT(query->account), TEXT(query->object),
                                                 TEXT(query->actor), TEXT(query->action),
                                                 INT(query->since_ms), INT(query->until_ms)),
                                       f);
    buf_free(&sql);
    return err;
}

int store_audit_list(struct store_tx *tx, const struct store_audit_query *query,
                     struct store_audit_list *out, struct fault *f)
{
    struct page p = {.size = sizeof(struct store_audit), .read = read_audit};
    struct query q;
    int err = page_begin_id(&p, &query->page, INT64_MAX, f);

    if (!err)
        err = list_start(tx, &q, query, &p, f);
    if (!err)
        err = page_read(&p, tx, &q, f);
    if (!err)
        *out = (struct store_audit_list){p.items, p.n, p.next};
    return err;
}

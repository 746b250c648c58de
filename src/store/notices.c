/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The outbox: looking at it, and what becomes of a notice. */
#include "store/notices.h"

#include <inttypes.h>

#include "store/change.h"
#include "store/names.h"
#include "store/page.h"

#define SELECT_NOTICE                                                                              \
    "SELECT n.id, n.token, n.kind, n.change, n.batch, n.tenant, coalesce(t.name, ''),"             \
    " n.recipient, n.language, n.facts, n.state, n.at, n.tries, n.next, coalesce(n.ended, 0),"     \
    " n.error, coalesce(t.title, '') FROM notices n LEFT JOIN tenants t ON t.id = n.tenant "

static const struct change_kind notice_kind = {
    "notice",
    "SELECT 'notice:' || id, kind, nullif(tenant, 0), NULL, 0 FROM notices WHERE id = ?1",
    "SELECT json_object('state', state, 'tries', tries, 'next', next, 'error', nullif(error, ''))"
    " FROM notices"
    " WHERE id = ?1",
};

static int read_notice(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    struct arena *a = &tx->arena;
    bool ok = true;
    struct store_notice n = {
        .id = query_int(q, 0),
        .token = query_copy(q, 1, a, &ok),
        .change = query_int(q, 3),
        .batch = query_int(q, 4),
        .tenant = query_int(q, 5),
        .tenant_name = query_copy(q, 6, a, &ok),
        .recipient = query_copy(q, 7, a, &ok),
        .language = query_copy(q, 8, a, &ok),
        .facts = query_copy(q, 9, a, &ok),
        .at_ms = query_int(q, 11),
        .tries = query_int(q, 12),
        .next_ms = query_int(q, 13),
        .ended_ms = query_int(q, 14),
        .error = query_copy(q, 15, a, &ok),
        .tenant_title = query_copy(q, 16, a, &ok),
    };

    if (!ok)
        return fault_nomem(f);
    if (!notice_kind_parse(query_text(q, 2), &n.kind) ||
        !notice_state_parse(query_text(q, 10), &n.state))
        return fault(f, ERR_CORRUPT, "notice %" PRId64 " is of no kind or state that is known",
                     n.id);
    *(struct store_notice *)item = n;
    return 0;
}

static int read_one(struct store_tx *tx, struct query *q, struct store_notice *out, bool *found,
                    struct fault *f)
{
    int err = query_row(q, f);

    *found = err == 1;
    if (err == 1)
        err = read_notice(tx, q, out, f);
    query_end(q);
    return err;
}

int store_notice_list(struct store_tx *tx, const struct store_notice_query *query,
                      struct store_notice_list *out, struct fault *f)
{
    struct page p = {.size = sizeof(struct store_notice), .read = read_notice};
    struct query q;
    int64_t tenant = 0;
    int err = page_begin_id(&p, &query->page, INT64_MAX, f);

    if (!err)
        err = tenant_id(tx, query->tenant, true, &tenant, f);
    if (!err)
        err = query_start(&q, tx->db,
                          SELECT_NOTICE
                          "WHERE n.id < ?1 AND (?3 = '' OR n.state = ?3) AND (?4 = '' OR"
                          " n.kind = ?4) AND (?5 = 0 OR n.tenant = ?5) AND (?6 = 0 OR n.change = "
                          "?6) ORDER BY n.id DESC LIMIT ?2",
                          DB_VALUES(INT(p.id), INT(p.rows),
                                    WORD(query->by_state ? notice_state_name(query->state) : ""),
                                    WORD(query->by_kind ? notice_kind_name(query->kind) : ""),
                                    INT(tenant), INT(query->change)),
                          f);
    if (!err)
        err = page_read(&p, tx, &q, f);
    if (!err)
        *out = (struct store_notice_list){p.items, p.n, p.next};
    return err;
}

int store_notice_get(struct store_tx *tx, int64_t id, struct store_notice *out, struct fault *f)
{
    struct query q;
    bool found = false;
    int err = query_start(&q, tx->db, SELECT_NOTICE "WHERE n.id = ?1", DB_VALUES(INT(id)), f);

    if (!err)
        err = read_one(tx, &q, out, &found, f);
    if (!err && !found)
        err = fault(f, ERR_MISSING, "there is no notice %" PRId64, id);
    return err;
}

/* ---- the accounts of a digest --------------------------------------------------------------- */

/* ?1 the change, ?2 who is told, ?3 the batch. */
#define ACCOUNTS_OF(rows)                                                                          \
    "SELECT a.id, a.name, s.name, t.name FROM notice_tenants n JOIN tenants t ON t.id = n.tenant"  \
    " JOIN accounts a ON a.tenant = n.tenant JOIN switches s ON s.id = a.switch"                   \
    " WHERE n.change = ?1 AND n.told = ?2 AND a.id IN (SELECT account FROM " rows ")"              \
    " ORDER BY a.id"

static const char *accounts_sql(enum notice_kind kind)
{
    switch (kind) {
    case NOTICE_SWEEP_ANNOUNCED: return ACCOUNTS_OF("announced WHERE announcement = ?3");
    case NOTICE_SWEEP_APPLIED: return ACCOUNTS_OF("sweep_rows WHERE sweep = ?3");
    case NOTICE_SWEEP_UNDONE: return ACCOUNTS_OF("sweep_rows WHERE sweep = ?3 AND restored = 1");
    case NOTICE_RULE_LOOSENED:
    case NOTICE_LOCKOUT:
    case NOTICE_TAKEOVER:
    case NOTICE_LOCK_ENDED:
    case NOTICE_TEST: break;
    }
    return NULL;
}

int store_notice_accounts(struct store_tx *tx, const struct store_notice *notice,
                          int (*each)(void *arg, const struct notice_account *account), void *arg,
                          struct fault *f)
{
    const char *sql = notice->batch ? accounts_sql(notice->kind) : NULL;
    struct query q;

    if (!sql)
        return 0;
    int err =
        query_start(&q, tx->db, sql,
                    DB_VALUES(INT(notice->change), INT(notice->tenant), INT(notice->batch)), f);
    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        const struct notice_account account = {
            .id = query_int(&q, 0),
            .name = query_text(&q, 1),
            .switch_name = query_text(&q, 2),
            .tenant = query_text(&q, 3),
        };

        err = each(arg, &account);
        if (err)
            break;
    }
    query_end(&q);
    return err;
}

/* ---- sending -------------------------------------------------------------------------------- */

int store_notice_due(struct store_tx *tx, int64_t now_ms, struct store_notice *out,
                     int64_t *next_ms, struct fault *f)
{
    struct store_notice first;
    struct query q;
    bool found = false;
    int err = query_start(&q, tx->db,
                          SELECT_NOTICE
                          "WHERE n.state IN ('waiting', 'sending') ORDER BY n.next, n.id LIMIT 1",
                          NULL, 0, f);

    *next_ms = 0;
    if (!err)
        err = read_one(tx, &q, &first, &found, f);
    if (err)
        return err;
    if (found)
        *next_ms = first.next_ms;
    if (!found || first.next_ms > now_ms)
        return fault(f, ERR_MISSING, "no notice is due");
    *out = first;
    return 0;
}

int store_notice_take(struct store_tx *tx, int64_t id, bool *taken, struct fault *f)
{
    struct store_notice n;
    int64_t now_ms = tx->now.wall_ms;
    int err = store_notice_get(tx, id, &n, f);

    if (err)
        return err;
    *taken = (n.state == NOTICE_WAITING || n.state == NOTICE_SENDING) && n.next_ms <= now_ms;
    if (!*taken)
        return 0;
    return db_run(tx->db,
                  "UPDATE notices SET state = 'sending', tries = tries + 1, next = ?2"
                  " WHERE id = ?1",
                  DB_VALUES(INT(id), INT(now_ms + notice_pause_ms(n.tries + 1))), f);
}

int store_notice_sent(struct store_tx *tx, int64_t id, struct fault *f)
{
    return db_run(tx->db, "UPDATE notices SET state = 'sent', ended = ?2, error = '' WHERE id = ?1",
                  DB_VALUES(INT(id), INT(tx->now.wall_ms)), f);
}

int store_notice_failed(struct store_tx *tx, int64_t id, struct span error, bool for_good,
                        struct fault *f)
{
    return db_run(
        tx->db,
        "UPDATE notices SET error = ?2,"
        " state = CASE WHEN ?3 OR tries >= ?4 THEN 'failed' ELSE 'waiting' END,"
        " ended = CASE WHEN ?3 OR tries >= ?4 THEN ?5 END"
        " WHERE id = ?1 AND state = 'sending'",
        DB_VALUES(INT(id), TEXT(error), INT(for_good), INT(NOTICE_TRIES), INT(tx->now.wall_ms)), f);
}

int store_notice_retry(struct store_tx *tx, const struct store_by *by, int64_t id, struct fault *f)
{
    struct store_notice n;
    struct change c;
    int err = store_notice_get(tx, id, &n, f);

    if (!err && n.state == NOTICE_SENT)
        err = fault(f, ERR_CONFLICT, "notice %" PRId64 " was sent", id);
    if (err)
        return err;
    err = change_begin(&c, tx, by, &notice_kind, "notice.retry", id, f);
    if (!err)
        err = db_run(tx->db,
                     "UPDATE notices SET state = 'waiting', tries = 0, next = ?2, ended = NULL,"
                     " error = '' WHERE id = ?1",
                     DB_VALUES(INT(id), INT(tx->now.wall_ms)), f);
    if (!err && tx->touched)
        tx->touched->noticed = true;
    return change_end(&c, err, f);
}

int store_notice_test(struct store_tx *tx, const struct store_by *by, struct span address,
                      struct span language, int64_t *id, struct fault *f)
{
    struct notice notice = {.kind = NOTICE_TEST};
    struct change c;
    int err = change_begin(&c, tx, by, &notice_kind, "notice.test", CHANGE_NEW, f);

    notice.change = c.number;
    if (!err)
        err = change_text(tx, "SELECT json_object('by', ?1, 'when', ?2)",
                          DB_VALUES(TEXT(by->actor), INT(tx->now.wall_ms)), &notice.facts, f);
    if (!err)
        err = store_notice_add_to(tx, &notice, address, language, &c.id, f);
    err = change_end(&c, err, f);
    if (!err)
        *id = c.id;
    return err;
}

/* ---- bounds --------------------------------------------------------------------------------- */

int store_notice_prune(struct store_tx *tx, int64_t before_ms, size_t most, uint64_t *n,
                       struct fault *f)
{
    const int64_t days_ms = NOTICE_DAYS * 24 * 3600 * (int64_t)1000;
    int64_t rows = 0, over = 0, now_ms = tx->now.wall_ms;
    bool found;
    int err = db_run(tx->db,
                     "UPDATE notices SET state = 'failed', ended = ?1, error = CASE WHEN error = ''"
                     " THEN 'no server took it for days' ELSE error END WHERE id IN"
                     " (SELECT id FROM notices WHERE state IN ('waiting', 'sending') AND at < ?2"
                     " ORDER BY next LIMIT ?3)",
                     DB_VALUES(INT(now_ms), INT(now_ms - days_ms), INT((int64_t)most)), f);

    if (!err)
        err = db_run(tx->db,
                     "DELETE FROM notices WHERE id IN"
                     " (SELECT id FROM notices WHERE ended < ?1 ORDER BY ended LIMIT ?2)",
                     DB_VALUES(INT(before_ms), INT((int64_t)most)), f);

    if (!err) {
        *n = (uint64_t)db_changes(tx->db);
        err = db_int(tx->db, &rows, &found, "SELECT count(*) FROM notices", NULL, 0, f);
    }
    over = rows - NOTICES_MAX;
    if (err || over <= 0)
        return err;
    err = db_run(tx->db,
                 "DELETE FROM notices WHERE id IN (SELECT id FROM notices"
                 " ORDER BY ended IS NULL, ended, id LIMIT ?1)",
                 DB_VALUES(INT(over < (int64_t)most ? over : (int64_t)most)), f);
    if (!err)
        *n += (uint64_t)db_changes(tx->db);
    return err;
}

int store_notice_totals(struct store_tx *tx, struct store_notice_totals *out, struct fault *f)
{
    struct store_notice_totals totals = {0};
    struct query q;
    int err =
        query_start(&q, tx->db,
                    "SELECT state, count(*), min(at), max(coalesce(ended, 0)),"
                    " sum(coalesce(ended, 0) > ?1) FROM notices GROUP BY state",
                    DB_VALUES(INT(tx->now.wall_ms - NOTICE_DAYS * 24 * 3600 * (int64_t)1000)), f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        enum notice_state state;

        if (!notice_state_parse(query_text(&q, 0), &state))
            continue;
        totals.by_state[state] = (uint64_t)query_int(&q, 1);
        if (state == NOTICE_FAILED) {
            totals.failed_ms = query_int(&q, 3);
            totals.failed_lately = (uint64_t)query_int(&q, 4);
        } else if (state != NOTICE_SENT &&
                   (!totals.oldest_ms || query_int(&q, 2) < totals.oldest_ms)) {
            totals.oldest_ms = query_int(&q, 2);
        }
    }
    query_end(&q);
    if (!err)
        *out = totals;
    return err;
}

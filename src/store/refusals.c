/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sodium.h>

#include "base/buf.h"
#include "store/evidence.h"
#include "store/names.h"
#include "store/page.h"

#define HOUR_MS (3600 * (int64_t)1000)
#define DAY_MS (24 * HOUR_MS)
/* Rows that one job deletes because of their age: the rest waits for the next one. */
#define EXPIRE_AT_ONCE 10000

/* Every byte of the longest dialled string escaped. */
#define SHOWN_MAX (4 * NUMBER_BYTES_MAX + 8)
#define SHOWN_NAME_MAX (4 * STORE_ACCOUNT_NAME_MAX + 8)

/* What an outsider chose is kept in the form in which it can be shown. */
struct shown {
    char name[SHOWN_NAME_MAX];
    char remote[160];
    char dialled[SHOWN_MAX];
};

static void show(const struct store_refusal *r, struct shown *s)
{
    escape(r->account, s->name, sizeof(s->name));
    escape(r->remote, s->remote, sizeof(s->remote));
    escape(r->dialled, s->dialled, sizeof(s->dialled));
}

static void hash_part(crypto_generichash_state *state, struct span part)
{
    uint64_t n = part.n;

    crypto_generichash_update(state, (unsigned char *)&n, sizeof(n));
    crypto_generichash_update(state, (const unsigned char *)part.p, part.n);
}

/* What makes two refusals the same. 128 bits of a strong hash: nobody can make one refusal hide in
 * the row of another. */
static void kind_of(const struct store_refusal *r, const struct shown *s, unsigned char out[16])
{
    crypto_generichash_state state;
    int64_t ids[3] = {r->switch_id, r->account_id, r->observed};

    crypto_generichash_init(&state, NULL, 0, 16);
    crypto_generichash_update(&state, (unsigned char *)ids, sizeof(ids));
    hash_part(&state, span_of(s->name));
    hash_part(&state, span_of(s->remote));
    hash_part(&state, span_of(s->dialled));
    hash_part(&state, r->reason);
    hash_part(&state, r->level);
    hash_part(&state, r->rule);
    crypto_generichash_final(&state, out, 16);
}

/* Names that nobody has checked cost their switch one quota together, not one each. */
static int64_t bucket_of(const struct store_refusal *r)
{
    return r->account_id ? r->account_id : -r->switch_id;
}

static int insert(struct db *db, const struct store_refusal *r, const struct shown *s,
                  struct span kind, int64_t at, uint32_t quota, struct fault *f)
{
    int err =
        db_run(db,
               "INSERT INTO refusals (kind, bucket, first, last, count, switch, account, tenant,"
               " name, remote, dialled, class, e164, country, reason, level, rule, observed)"
               " VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
               " ?16, ?17)",
               DB_VALUES(BLOB(kind), INT(bucket_of(r)), INT(at),
                         INT(r->count ? (int64_t)r->count : 1), INT(r->switch_id),
                         ID(r->account_id), ID(r->tenant_id), WORD(s->name), WORD(s->remote),
                         WORD(s->dialled), TEXT(r->class), TEXT(r->e164), TEXT(r->country),
                         TEXT(r->reason), TEXT(r->level), TEXT(r->rule), INT(r->observed)),
               f);

    if (err)
        return err;
    return db_run(db,
                  "DELETE FROM refusals WHERE bucket = ?1 AND id <= (SELECT id FROM refusals"
                  " WHERE bucket = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
                  DB_VALUES(INT(bucket_of(r)), INT(quota)), f);
}

static int add(struct store_tx *tx, const struct store_refusal *r, uint32_t quota, struct fault *f)
{
    struct shown s;
    unsigned char digest[16];
    struct span kind = {(char *)digest, sizeof(digest)};
    int64_t at = r->last_ms ? r->last_ms : tx->now.wall_ms;

    show(r, &s);
    kind_of(r, &s, digest);
    int err = db_run(
        tx->evidence,
        "UPDATE refusals SET last = max(last, ?2), count = count + ?3 WHERE id ="
        " (SELECT id FROM refusals WHERE kind = ?1 AND first > ?2 - ?4"
        "  ORDER BY first DESC LIMIT 1)",
        DB_VALUES(BLOB(kind), INT(at), INT(r->count ? (int64_t)r->count : 1), INT(HOUR_MS)), f);
    if (err || db_changes(tx->evidence) > 0)
        return err;
    return insert(tx->evidence, r, &s, kind, at, quota, f);
}

static int trim(struct store_tx *tx, const struct store_settings *settings, struct fault *f)
{
    int64_t oldest = tx->now.wall_ms - settings->refusal_days * DAY_MS, total = 0;
    bool found;
    int err = db_run(tx->evidence,
                     "DELETE FROM refusals WHERE id IN (SELECT id FROM refusals WHERE last < ?1"
                     " ORDER BY last LIMIT ?2)",
                     DB_VALUES(INT(oldest), INT(EXPIRE_AT_ONCE)), f);

    if (!err)
        err = db_int(tx->evidence, &total, &found, "SELECT rows FROM refusal_total", NULL, 0, f);
    if (err || total <= settings->refusals_max)
        return err;
    return db_run(
        tx->evidence,
        "DELETE FROM refusals WHERE id IN (SELECT id FROM refusals ORDER BY last LIMIT ?1)",
        DB_VALUES(INT(total - settings->refusals_max)), f);
}

int store_refusals_add(struct store_tx *tx, const struct store_refusal *rows, size_t n,
                       struct fault *f)
{
    struct store_settings settings;

    if (tx->lane != LANE_EVIDENCE)
        return fault(f, ERR_DENIED, "only an evidence job may add refusals");
    int err = store_settings_get(tx, &settings, f);
    for (size_t i = 0; !err && i < n; i++)
        err = add(tx, &rows[i], settings.refusals_per_account, f);
    return err ? err : trim(tx, &settings, f);
}

#define SELECT_REFUSAL                                                                             \
    "SELECT id, first, last, count, switch, account, tenant, name, remote, dialled, class, e164,"  \
    " country, reason, level, rule, observed FROM refusals "

static int read_refusal(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    struct store_refusal *out = item;
    struct arena *a = &tx->arena;
    bool ok = true;
    struct store_refusal r = {
        .id = query_int(q, 0),
        .first_ms = query_int(q, 1),
        .last_ms = query_int(q, 2),
        .count = (uint64_t)query_int(q, 3),
        .switch_id = query_int(q, 4),
        .account_id = query_int(q, 5),
        .tenant_id = query_int(q, 6),
        .account = query_copy(q, 7, a, &ok),
        .remote = query_copy(q, 8, a, &ok),
        .dialled = query_copy(q, 9, a, &ok),
        .class = query_copy(q, 10, a, &ok),
        .e164 = query_copy(q, 11, a, &ok),
        .country = query_copy(q, 12, a, &ok),
        .reason = query_copy(q, 13, a, &ok),
        .level = query_copy(q, 14, a, &ok),
        .rule = query_copy(q, 15, a, &ok),
        .observed = query_int(q, 16) != 0,
    };
    int err = ok ? 0 : fault_nomem(f);

    if (!err)
        err = evidence_names(tx, r.switch_id, r.tenant_id, &r.switch_name, &r.tenant, f);
    if (!err)
        *out = r;
    return err;
}

static int list_start(struct store_tx *tx, struct query *q, const struct store_refusal_query *query,
                      const struct page *p, struct fault *f)
{
    struct buf sql = {0};
    /* Bound to a query that outlives this function. */
    char *name = arena_alloc(&tx->arena, SHOWN_NAME_MAX);
    int64_t sw = 0;
    int err = name ? 0 : fault_nomem(f);

    if (!err && query->switch_name.n)
        err = switch_id(tx, query->switch_name, &sw, f);
    if (err)
        return err;
    escape(query->account, name, SHOWN_NAME_MAX);
    buf_puts(&sql, SELECT_REFUSAL "WHERE id < ?1");
    if (query->within)
        err = evidence_within(tx, &sql, query->within, f);
    if (query->account_id) /* its bucket, too, so that the index serves */
        buf_puts(&sql, " AND bucket = ?3 AND account = ?3");
    if (query->account.n)
        buf_puts(&sql, " AND lower(name) = lower(?4)");
    if (sw)
        buf_puts(&sql, " AND switch = ?5");
    if (query->reason.n)
        buf_puts(&sql, " AND reason = ?6");
    if (query->since_ms)
        buf_puts(&sql, " AND last >= ?7");
    buf_puts(&sql, " ORDER BY id DESC LIMIT ?2");
    if (!err)
        err = sql.failed ? fault_nomem(f)
                         : query_build(q, tx->evidence, sql.p,
                                       DB_VALUES(INT(p->id), INT(p->rows), INT(query->account_id),
                                                 WORD(name), INT(sw), TEXT(query->reason),
                                                 INT(query->since_ms)),
                                       f);
    buf_free(&sql);
    return err;
}

int store_refusal_list(struct store_tx *tx, const struct store_refusal_query *query,
                       struct store_refusal_list *out, struct fault *f)
{
    struct page p = {.size = sizeof(struct store_refusal), .read = read_refusal};
    struct query q;
    int err = page_begin_id(&p, &query->page, INT64_MAX, f);

    if (!err)
        err = list_start(tx, &q, query, &p, f);
    if (!err)
        err = page_read(&p, tx, &q, f);
    if (!err)
        *out = (struct store_refusal_list){p.items, p.n, p.next};
    return err;
}

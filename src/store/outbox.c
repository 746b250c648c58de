/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adding to the outbox. */
#include <inttypes.h>

#include "base/mail_address.h"
#include "store/notices.h"
#include "store/tx.h"

#define COLUMNS                                                                                    \
    "INSERT INTO notices (token, kind, change, batch, tenant, recipient, language, facts, at,"     \
    " next) "
/* ?1 kind, ?2 change, ?3 batch, ?4 facts, ?5 now. */
#define VALUES_OF(tenant, recipient, language)                                                     \
    "SELECT lower(hex(randomblob(12))), ?1, ?2, ?3, " tenant ", " recipient ", " language          \
    ", ?4, ?5, ?5 "
/* A tenant's addresses, one a row; they have neither quotes nor backslashes. */
#define ADDRESSES "json_each('[\"' || replace(t.mail, ',', '\",\"') || '\"]') j "
#define ONCE " ON CONFLICT (change, kind, tenant, recipient) WHERE change <> 0 DO NOTHING"

static int check(struct store_tx *tx, const struct notice *notice, struct fault *f)
{
    int64_t valid = 0, object = 0;
    bool found;

    if (tx->lane != LANE_WRITE)
        return fault(f, ERR_DENIED, "only a write job may add a notice");
    if (notice->facts.n > NOTICE_FACTS_MAX)
        return fault(f, ERR_RANGE, "a notice tells %d bytes at most, not %zu", NOTICE_FACTS_MAX,
                     notice->facts.n);
    /* json_type() of what is none is a failure of the statement, and would be one of ours. */
    int err =
        db_int(tx->db, &valid, &found, "SELECT json_valid(?1)", DB_VALUES(TEXT(notice->facts)), f);
    if (!err && valid)
        err = db_int(tx->db, &object, &found, "SELECT json_type(?1) = 'object'",
                     DB_VALUES(TEXT(notice->facts)), f);
    if (!err && !object)
        err = fault(f, ERR_SYNTAX, "what a notice tells is no JSON object");
    return err;
}

static void noticed(struct store_tx *tx)
{
    if (tx->touched)
        tx->touched->noticed = true;
}

/* The nearest from `tenant` upwards that has addresses; 0: none has. UNION ends a circle in a damaged store. */
static int who_is_told(struct store_tx *tx, int64_t tenant, int64_t *told, struct fault *f)
{
    bool found;

    *told = 0;
    return db_int(tx->db, told, &found,
                  "WITH RECURSIVE up (id, mail, parent) AS ("
                  " SELECT id, mail, parent FROM tenants WHERE id = ?1 UNION"
                  " SELECT t.id, t.mail, t.parent FROM up JOIN tenants t ON t.id = up.parent"
                  " WHERE up.mail = '') SELECT id FROM up WHERE mail <> '' LIMIT 1",
                  DB_VALUES(INT(tenant)), f);
}

int store_notice_add(struct store_tx *tx, const struct notice *notice, struct fault *f)
{
    int64_t told = 0;
    int err = check(tx, notice, f);

    if (!err)
        err = who_is_told(tx, notice->tenant, &told, f);
    if (err)
        return err;
    noticed(tx);
    const struct db_value values[] = {
        WORD(notice_kind_name(notice->kind)),
        INT(notice->change),
        INT(0),
        TEXT(notice->facts),
        INT(tx->now.wall_ms),
        INT(told),
    };
    if (!told)
        return db_run(tx->db, COLUMNS VALUES_OF("0", "''", "''") "WHERE true" ONCE, values, 5, f);
    return db_run(tx->db,
                  COLUMNS VALUES_OF("t.id", "j.value", "t.language") "FROM tenants t, " ADDRESSES
                                                                     "WHERE t.id = ?6" ONCE,
                  values, 6, f);
}

/* ---- crowds --------------------------------------------------------------------------------- */

/* ?1 kind, ?2 who is told, ?3 now, ?4 facts: what is still being gathered. What is not due is not being sent. What was only
 * observed and what was done are two mails. */
#define GATHERING                                                                                  \
    " FROM notices WHERE kind = ?1 AND tenant = ?2 AND change = 0 AND state = 'waiting'"           \
    " AND tries = 0 AND next > ?3 AND json_extract(facts, '$.observed') IS"                        \
    " json_extract(?4, '$.observed')"

static int add_to_gathered(struct store_tx *tx, const struct db_value values[6], struct fault *f)
{
    return db_run(tx->db,
                  "UPDATE notices SET facts = json_set(facts, '$.count',"
                  " json_extract(facts, '$.count') + json_extract(?4, '$.count'), '$.' || ?5,"
                  " (SELECT json_group_array(json(item)) FROM ("
                  "  SELECT value AS item FROM json_each(notices.facts, '$.' || ?5) UNION ALL"
                  "  SELECT value FROM json_each(?4, '$.' || ?5) LIMIT ?6)))"
                  " WHERE id IN (SELECT id" GATHERING ")",
                  values, 6, f);
}

static int begin_gathering(struct store_tx *tx, const struct notice *notice, int64_t told,
                           int64_t due, struct fault *f)
{
    const struct db_value values[] = {
        WORD(notice_kind_name(notice->kind)),
        INT(0),
        INT(0),
        TEXT(notice->facts),
        INT(due),
        INT(told),
    };
    int err =
        told
            ? db_run(tx->db,
                     COLUMNS VALUES_OF("t.id", "j.value", "t.language") "FROM tenants t, " ADDRESSES
                                                                        "WHERE t.id = ?6",
                     values, 6, f)
            : db_run(tx->db, COLUMNS VALUES_OF("0", "''", "''"), values, 5, f);

    /* Its age begins now, not when it is due. */
    if (!err)
        err = db_run(tx->db,
                     "UPDATE notices SET at = ?1 WHERE at = ?2 AND kind = ?3 AND tenant = ?4"
                     " AND change = 0 AND state = 'waiting'",
                     DB_VALUES(INT(tx->now.wall_ms), INT(due), WORD(notice_kind_name(notice->kind)),
                               INT(told)),
                     f);
    return err;
}

int store_notice_gather(struct store_tx *tx, const struct notice *notice, struct span list,
                        int64_t gather_ms, int64_t apart_ms, struct fault *f)
{
    int64_t told = 0, waiting = 0, last = 0, now_ms = tx->now.wall_ms;
    bool found;
    int err = check(tx, notice, f);

    if (!err && notice->tenant)
        err = who_is_told(tx, notice->tenant, &told, f);
    if (err || (!told && notice->tenants_only))
        return err;
    const struct db_value values[] = {WORD(notice_kind_name(notice->kind)),
                                      INT(told),
                                      INT(now_ms),
                                      TEXT(notice->facts),
                                      TEXT(list),
                                      INT(NOTICE_GATHERED)};
    noticed(tx);
    err = db_int(tx->db, &waiting, &found, "SELECT count(*)" GATHERING, values, 4, f);
    if (!err && waiting)
        return add_to_gathered(tx, values, f);
    if (!err)
        err = db_int(tx->db, &last, &found,
                     "SELECT coalesce(max(next), 0) FROM (SELECT next FROM notices WHERE kind = ?1"
                     " AND tenant = ?2 AND change = 0 AND ?3 = ?3 ORDER BY id DESC LIMIT 20)",
                     values, 3, f);
    int64_t due = last + apart_ms > now_ms + gather_ms ? last + apart_ms : now_ms + gather_ms;
    /* Neither a clock that was set back nor the pauses of what fails put it off. */
    if (due > now_ms + gather_ms + apart_ms)
        due = now_ms + gather_ms;
    return err ? err : begin_gathering(tx, notice, told, due, f);
}

int store_notice_add_to(struct store_tx *tx, const struct notice *notice, struct span address,
                        struct span language, int64_t *id, struct fault *f)
{
    int err = check(tx, notice, f);

    if (!err && !mail_address_ok(address))
        err = notice_addresses_check(address, f);
    if (!err && !address.n)
        err = fault(f, ERR_SYNTAX, "an address is wanted");
    if (err)
        return err;
    noticed(tx);
    err = db_run(tx->db, COLUMNS VALUES_OF("?6", "?7", "?8"),
                 DB_VALUES(WORD(notice_kind_name(notice->kind)), INT(notice->change), INT(0),
                           TEXT(notice->facts), INT(tx->now.wall_ms), INT(notice->tenant),
                           TEXT(address), TEXT(language)),
                 f);
    if (!err)
        *id = db_last_id(tx->db);
    return err;
}

/* ---- digests -------------------------------------------------------------------------------- */

/* For each tenant with accounts among `rows` of batch ?2: who is told of them. */
#define TENANTS_OF(rows)                                                                           \
    "WITH RECURSIVE concerned (id) AS MATERIALIZED ("                                              \
    " SELECT DISTINCT a.tenant FROM " rows " JOIN accounts a ON a.id = r.account),"                \
    " up (tenant, id, mail, parent) AS ("                                                          \
    " SELECT t.id, t.id, t.mail, t.parent FROM concerned c JOIN tenants t ON t.id = c.id UNION"    \
    " SELECT up.tenant, t.id, t.mail, t.parent FROM up JOIN tenants t ON t.id = up.parent"         \
    " WHERE up.mail = '')"                                                                         \
    " INSERT INTO notice_tenants (change, tenant, told)"                                           \
    " SELECT ?1, tenant, max(CASE WHEN mail = '' THEN 0 ELSE id END) FROM up WHERE true"           \
    " GROUP BY tenant ON CONFLICT DO NOTHING"

static int note_tenants(struct store_tx *tx, const struct notice *notice, int64_t batch,
                        struct fault *f)
{
    const struct db_value values[] = {INT(notice->change), INT(batch)};

    switch (notice->kind) {
    case NOTICE_SWEEP_ANNOUNCED:
        return db_run(tx->db,
                      TENANTS_OF("(SELECT account FROM announced WHERE announcement = ?2) r"),
                      values, 2, f);
    case NOTICE_SWEEP_APPLIED:
        return db_run(tx->db, TENANTS_OF("(SELECT account FROM sweep_rows WHERE sweep = ?2) r"),
                      values, 2, f);
    case NOTICE_SWEEP_UNDONE:
        return db_run(tx->db,
                      TENANTS_OF("(SELECT account FROM sweep_rows WHERE sweep = ?2"
                                 " AND restored = 1) r"),
                      values, 2, f);
    case NOTICE_RULE_LOOSENED:
    case NOTICE_LOCKOUT:
    case NOTICE_TAKEOVER:
    case NOTICE_LOCK_ENDED:
    case NOTICE_TEST: break;
    }
    return fault(f, ERR_RANGE, "a notice of kind %s has no batch", notice_kind_name(notice->kind));
}

int store_notice_add_batch(struct store_tx *tx, const struct notice *notice, int64_t batch,
                           uint64_t *n, struct fault *f)
{
    const struct db_value values[] = {
        WORD(notice_kind_name(notice->kind)),
        INT(notice->change),
        INT(batch),
        TEXT(notice->facts),
        INT(tx->now.wall_ms),
    };
    int err = check(tx, notice, f);
    int64_t rows = 0;

    if (!err && !notice->change)
        err = fault(f, ERR_RANGE, "a digest of a batch comes with a change");
    if (!err)
        err = note_tenants(tx, notice, batch, f);
    if (!err)
        err = db_run(
            tx->db,
            COLUMNS VALUES_OF("t.id", "j.value", "t.language") "FROM tenants t, " ADDRESSES
                                                               "WHERE t.id IN (SELECT told FROM "
                                                               "notice_tenants WHERE change = ?2)"
                                                               " ORDER BY t.id, j.id" ONCE,
            values, 5, f);
    rows = err ? 0 : db_changes(tx->db);
    if (!err)
        err = db_run(tx->db,
                     COLUMNS VALUES_OF("0", "''", "''") "WHERE EXISTS (SELECT 1 FROM notice_tenants"
                                                        " WHERE change = ?2 AND told = 0)" ONCE,
                     values, 5, f);
    if (err)
        return err;
    *n = (uint64_t)(rows + db_changes(tx->db));
    noticed(tx);
    return 0;
}

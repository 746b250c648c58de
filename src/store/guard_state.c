/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing down what the guard must know again after a restart. */
#include "store/guard_state.h"

#include <sodium.h>

#include "store/guard_batch.h"
#include "store/guard_names.h"

int store_guard_key(struct store_tx *tx, uint8_t key[GUARD_KEY_BYTES], struct fault *f)
{
    uint8_t made[GUARD_KEY_BYTES];
    struct query q;

    if (tx->lane != LANE_EVIDENCE)
        return fault(f, ERR_DENIED, "only an evidence job may make the guard's key");
    randombytes_buf(made, sizeof(made));
    int err =
        db_run(tx->evidence, "INSERT INTO guard (id, key) VALUES (0, ?1) ON CONFLICT DO NOTHING",
               DB_VALUES(BLOB(((struct span){(char *)made, sizeof(made)}))), f);
    sodium_memzero(made, sizeof(made));
    if (!err)
        err = query_start(&q, tx->evidence, "SELECT key FROM guard", NULL, 0, f);
    if (err)
        return err;
    err = query_row(&q, f);
    if (err == 1) {
        struct span kept = query_text(&q, 0);

        /* Its length is in the schema: another one means that there was no memory to read it into. */
        err = kept.n == GUARD_KEY_BYTES ? 0 : fault_nomem(f);
        if (!err)
            memcpy(key, kept.p, GUARD_KEY_BYTES);
    } else if (err == 0) {
        err = fault(f, ERR_CORRUPT, "%s has lost the guard's key", db_path(tx->evidence));
    }
    query_end(&q);
    return err;
}

/* ---- counts as bytes ------------------------------------------------------------------------ */

static void put(char *out, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (char)(value >> 8 * (n - 1 - i));
}

static uint64_t get(const char *p, size_t n)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++)
        value = value << 8 | (uint8_t)p[i];
    return value;
}

struct span count_subject_pack(const struct guard_count *c, char out[COUNT_SUBJECT_MAX])
{
    out[0] = c->is_account ? 'a' : 's';
    out[1] = (char)(c->observed | c->proved << 1);
    if (!c->is_account)
        return (struct span){out, 2 + guard_network_pack(&c->network, out + 2).n};
    put(out + 2, (uint64_t)c->switch_id, 8);
    memcpy(out + 10, c->name, c->name_n);
    return (struct span){out, (size_t)10 + c->name_n};
}

bool count_subject_unpack(struct span s, struct guard_count *out)
{
    if (s.n < 3)
        return false;
    out->is_account = s.p[0] == 'a';
    out->observed = s.p[1] & 1;
    out->proved = (s.p[1] & 2) != 0;
    if (!out->is_account) {
        out->network = guard_network_unpack(span_skip(s, 2));
        return out->network.family != 0;
    }
    if (s.n < 10 || s.n > 10 + ACCOUNT_NAME_MAX)
        return false;
    out->switch_id = (int64_t)get(s.p + 2, 8);
    out->name_n = (uint8_t)(s.n - 10);
    memcpy(out->name, s.p + 10, out->name_n);
    return true;
}

struct span counts_pack(const struct guard_count *c, char out[COUNTS_BYTES])
{
    for (size_t i = 0; i < 16; i++)
        put(out + 4 * i, c->parts[i / 4][i % 4], 4);
    return (struct span){out, COUNTS_BYTES};
}

bool counts_unpack(struct span s, struct guard_count *out)
{
    if (s.n != COUNTS_BYTES)
        return false;
    for (size_t i = 0; i < 16; i++)
        out->parts[i / 4][i % 4] = (uint32_t)get(s.p + 4 * i, 4);
    return true;
}

/* ---- rows ----------------------------------------------------------------------------------- */

static int write_ban(struct db *db, const struct batch_ban *b, int64_t sweep, struct fault *f)
{
    const struct guard_ban *ban = &b->ban;
    char packed[GUARD_NETWORK_MAX];
    struct span network = guard_network_pack(&ban->network, packed);

    /* The operator's bans are in sekisho.db. */
    if (b->gone || ban->attack == ATTACK_OPERATOR)
        return db_run(db, "DELETE FROM bans WHERE network = ?1 AND observed = ?2",
                      DB_VALUES(BLOB(network), INT(ban->observed)), f);
    return db_run(
        db,
        "INSERT OR REPLACE INTO bans (network, observed, quench, attack, witness, switch,"
        " since, until, length, level, quench_level, threshold, count, window, heard, last,"
        " sweep) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
        " ?16, ?17)",
        DB_VALUES(BLOB(network), INT(ban->observed), INT(ban->quench),
                  WORD(guard_attack_name(ban->attack)), WORD(witness_name(ban->witness)),
                  INT(ban->switch_id), INT(ban->since), INT(ban->until), INT(ban->length),
                  INT(ban->level), INT(ban->quench_level), INT(ban->threshold), INT(ban->count),
                  INT(ban->window), INT(ban->heard), INT((int64_t)ban->last), INT(sweep)),
        f);
}

static int write_lock(struct db *db, const struct batch_lock *b, int64_t sweep, struct fault *f)
{
    const struct guard_lock *l = &b->lock;
    struct span name = {l->name, l->name_n};

    if (b->gone)
        return db_run(db, "DELETE FROM locks WHERE switch = ?1 AND name = ?2",
                      DB_VALUES(INT(l->switch_id), BLOB(name)), f);
    return db_run(
        db,
        "INSERT OR REPLACE INTO locks (switch, name, kind, observed, since, until, length,"
        " level, threshold, count, window, last, sweep)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        DB_VALUES(INT(l->switch_id), BLOB(name), INT((int64_t)l->kind), INT(l->observed),
                  INT(l->since), INT(l->until), INT(l->length), INT(l->level), INT(l->threshold),
                  INT(l->count), INT(l->window), INT((int64_t)l->last), INT(sweep)),
        f);
}

static int write_pair(struct db *db, const struct guard_pair *p, int64_t sweep, struct fault *f)
{
    char packed[GUARD_NETWORK_MAX];

    return db_run(db,
                  "INSERT OR REPLACE INTO pairs (account, home, first_day, last_day, taint, days,"
                  " good, sweep) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                  DB_VALUES(INT((int64_t)p->account), BLOB(guard_network_pack(&p->home, packed)),
                            INT(p->first_day), INT(p->last_day), INT(p->taint_until_day),
                            INT(p->days), INT(p->good), INT(sweep)),
                  f);
}

static int write_count(struct store_tx *tx, const struct guard_count *c, int64_t sweep,
                       struct fault *f)
{
    char subject[COUNT_SUBJECT_MAX], counts[COUNTS_BYTES];

    return db_run(tx->evidence,
                  "INSERT OR REPLACE INTO counts (subject, known, counts, names, saved, sweep)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                  DB_VALUES(BLOB(count_subject_pack(c, subject)), INT(c->known),
                            BLOB(counts_pack(c, counts)), INT(c->names), INT(tx->now.wall_ms),
                            INT(sweep)),
                  f);
}

/* What is no longer good leaves nothing behind that a restart could make good again. */
static int write_good(struct store_tx *tx, const struct batch_good *g, struct fault *f)
{
    char packed[GUARD_NETWORK_MAX], shown[GUARD_NAME_SHOWN_MAX];
    struct span network = guard_network_pack(&g->network, packed);
    int64_t tenant = 0;
    bool found;
    int err;

    if (!g->good) {
        err = db_run(tx->evidence, "DELETE FROM known_good WHERE pair = ?1 AND network = ?2",
                     DB_VALUES(INT((int64_t)g->account), BLOB(network)), f);
        return err ? err
                   : db_run(tx->evidence, "DELETE FROM pairs WHERE account = ?1 AND home = ?2",
                            DB_VALUES(INT((int64_t)g->account), BLOB(network)), f);
    }
    guard_name_show((struct span){g->name, g->name_n}, shown);
    err = db_int(tx->db, &tenant, &found,
                 "SELECT tenant FROM accounts WHERE switch = ?1 AND name = ?2",
                 DB_VALUES(INT(g->switch_id), WORD(shown)), f);
    return err ? err
               : db_run(tx->evidence,
                        "INSERT INTO known_good (pair, network, switch, account, tenant, since)"
                        " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (pair, network)"
                        " DO UPDATE SET since = excluded.since, tenant = excluded.tenant",
                        DB_VALUES(INT((int64_t)g->account), BLOB(network), INT(g->switch_id),
                                  WORD(shown), ID(tenant), INT(g->at_ms)),
                        f);
}

/* Rows of `table` that the walk did not see. */
static int end_sweep(struct store_tx *tx, const struct guard_batch *b, struct fault *f)
{
    const struct db_value sweep = INT(b->sweep);
    struct db *db = tx->evidence;
    int err = db_run(db, "DELETE FROM pairs WHERE sweep <> ?1", &sweep, 1, f);

    if (!err)
        err = db_run(db, "DELETE FROM counts WHERE sweep <> ?1", &sweep, 1, f);
    if (!err) /* idle for too long: the guard tells nobody */
        err = db_run(db,
                     "DELETE FROM known_good WHERE since < ?1 AND NOT EXISTS (SELECT 1 FROM pairs"
                     " WHERE account = known_good.pair AND home = known_good.network AND good = 1)",
                     &sweep, 1, f);
    if (!err && b->swept_bans)
        err = db_run(db, "DELETE FROM bans WHERE sweep <> ?1", &sweep, 1, f);
    if (!err && b->swept_bans)
        err = db_run(db, "DELETE FROM locks WHERE sweep <> ?1", &sweep, 1, f);
    return err;
}

int guard_state_write(struct store_tx *tx, const struct guard_batch *b, struct fault *f)
{
    int err = 0;

    for (size_t i = 0; !err && i < b->n_bans; i++)
        err = write_ban(tx->evidence, &b->bans[i], b->sweep, f);
    for (size_t i = 0; !err && i < b->n_locks; i++)
        err = write_lock(tx->evidence, &b->locks[i], b->sweep, f);
    for (size_t i = 0; !err && i < b->n_pairs; i++)
        err = write_pair(tx->evidence, &b->pairs[i], b->sweep, f);
    for (size_t i = 0; !err && i < b->n_counts; i++)
        err = write_count(tx, &b->counts[i], b->sweep, f);
    for (size_t i = 0; !err && i < b->n_goods; i++)
        err = write_good(tx, &b->goods[i], f);
    return err || !b->sweep_ends ? err : end_sweep(tx, b, f);
}

int guard_batch_write(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct guard_batch *b = arg;
    int err = guard_state_write(tx, b, f);

    if (!err)
        err = decisions_write(tx, b, f);
    return err || !b->n_attempts ? err : store_attempts_add(tx, b->attempts, b->n_attempts, f);
}

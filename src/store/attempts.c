/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sums of attempts: what is kept of how many, and what gives way. attack_report.c reads them. */
#include "store/guard_names.h"
#include "store/guard_records.h"
#include "store/tx.h"

#define HOUR_MS (3600 * (int64_t)1000)
#define USER_AGENT_MAX 80
/* Rows with account and User-Agent of one source and switch within an hour. */
#define ROWS_PER_SOURCE 64
/* What one hour may take of all: attempts_max divided by this; of what is not proved half as much. */
#define HOURS 8

enum { DETAIL_NONE, DETAIL_SOURCE, DETAIL_FULL };

/* A row in the form in which it is kept. */
struct row {
    int64_t hour, sw;
    char packed[GUARD_NETWORK_MAX], account[GUARD_NAME_SHOWN_MAX],
        user_agent[4 * USER_AGENT_MAX + 8];
    struct span source;
    const char *witness, *outcome, *proof;
    int64_t count, first, last;
    bool firm;
};

static void make_row(const struct store_attempts *a, struct row *r)
{
    struct span agent = a->user_agent;

    if (agent.n > USER_AGENT_MAX)
        agent.n = USER_AGENT_MAX;
    r->hour = a->last_ms / HOUR_MS;
    r->sw = a->switch_id;
    r->source = guard_network_pack(&a->source, r->packed);
    guard_name_show(a->account, r->account);
    escape(agent, r->user_agent, sizeof(r->user_agent));
    r->witness = witness_name(a->witness);
    r->outcome = outcome_name(a->outcome);
    r->proof = proof_name(a->proof);
    r->count = (int64_t)a->count;
    r->first = a->first_ms;
    r->last = a->last_ms;
    r->firm = a->proof == PROOF_PROVED;
}

/* Takes from the row what that much detail does not tell. */
static void reduce(struct row *r, int detail)
{
    if (detail < DETAIL_FULL)
        r->account[0] = r->user_agent[0] = '\0';
    if (detail < DETAIL_SOURCE)
        r->source.n = 0;
}

static int count_in(struct db *db, const struct row *r, int detail, bool *done, struct fault *f)
{
    int err =
        db_run(db,
               "UPDATE attempts SET count = count + ?10, first = min(first, ?11),"
               " last = max(last, ?12) WHERE hour = ?1 AND switch = ?2 AND source = ?3 AND"
               " witness = ?4 AND outcome = ?5 AND proof = ?6 AND detail = ?7 AND account = ?8"
               " AND user_agent = ?9",
               DB_VALUES(INT(r->hour), INT(r->sw), BLOB(r->source), WORD(r->witness),
                         WORD(r->outcome), WORD(r->proof), INT(detail), WORD(r->account),
                         WORD(r->user_agent), INT(r->count), INT(r->first), INT(r->last)),
               f);

    *done = !err && db_changes(db) > 0;
    return err;
}

static int insert(struct db *db, const struct row *r, int detail, struct fault *f)
{
    return db_run(db,
                  "INSERT INTO attempts (hour, switch, source, witness, outcome, proof, detail,"
                  " account, user_agent, count, first, last)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                  DB_VALUES(INT(r->hour), INT(r->sw), BLOB(r->source), WORD(r->witness),
                            WORD(r->outcome), WORD(r->proof), INT(detail), WORD(r->account),
                            WORD(r->user_agent), INT(r->count), INT(r->first), INT(r->last)),
                  f);
}

static int has_room(struct db *db, const struct row *r, int detail, uint32_t most, bool *room,
                    struct fault *f)
{
    int64_t used = 0, of_source = 0, share = most / HOURS / (r->firm ? 1 : 2);
    bool found;
    int err =
        db_int(db, &used, &found, "SELECT iif(?2, firm, loose) FROM attempt_hours WHERE hour = ?1",
               DB_VALUES(INT(r->hour), INT(r->firm)), f);

    /* A quarter is for sources alone. */
    if (detail == DETAIL_FULL)
        share -= share / 4;
    if (!err && detail == DETAIL_FULL && used < share)
        err = db_int(db, &of_source, &found,
                     "SELECT count(*) FROM attempts WHERE hour = ?1 AND switch = ?2 AND source = ?3"
                     " AND detail = 2",
                     DB_VALUES(INT(r->hour), INT(r->sw), BLOB(r->source)), f);
    *room = used < share && of_source < ROWS_PER_SOURCE;
    return err;
}

static int add(struct db *db, const struct store_attempts *a, uint32_t most, struct fault *f)
{
    struct row r;
    int err = 0;

    make_row(a, &r);
    /* What reported neither is one of the others to begin with. */
    int detail = a->merged ? DETAIL_SOURCE : r.source.n || r.account[0] ? DETAIL_FULL : DETAIL_NONE;
    for (; !err; detail--) {
        bool done = false, room = detail == DETAIL_NONE;

        if (detail == DETAIL_SOURCE && !r.source.n)
            continue;
        reduce(&r, detail);
        err = count_in(db, &r, detail, &done, f);
        if (!err && !done && !room)
            err = has_room(db, &r, detail, most, &room, f);
        if (!err && !done && room) {
            err = insert(db, &r, detail, f);
            done = true;
        }
        if (err || done)
            return err;
    }
    return err;
}

/* The oldest hour that tells details loses them; its sums stay. */
static int fold_oldest(struct db *db, bool *found, struct fault *f)
{
    int64_t hour = 0;
    int err = db_int(db, &hour, found,
                     "SELECT hour FROM attempt_hours WHERE firm + loose > 0 ORDER BY hour LIMIT 1",
                     NULL, 0, f);

    if (err || !*found)
        return err;
    err = db_run(db,
                 "INSERT INTO attempts (hour, switch, source, witness, outcome, proof, detail,"
                 " account, user_agent, count, first, last)"
                 " SELECT hour, switch, x'', witness, outcome, proof, 0, '', '', sum(count),"
                 " min(first), max(last) FROM attempts WHERE hour = ?1 AND detail > 0"
                 " GROUP BY switch, witness, outcome, proof"
                 " ON CONFLICT DO UPDATE SET count = count + excluded.count,"
                 " first = min(first, excluded.first), last = max(last, excluded.last)",
                 DB_VALUES(INT(hour)), f);
    return err ? err
               : db_run(db, "DELETE FROM attempts WHERE hour = ?1 AND detail > 0",
                        DB_VALUES(INT(hour)), f);
}

static int trim(struct store_tx *tx, const struct store_settings *s, struct fault *f)
{
    struct db *db = tx->evidence;
    int64_t oldest = tx->now.wall_ms / HOUR_MS - (int64_t)s->attempt_days * 24, total = 0;
    bool found = true;
    int err = db_run(db, "DELETE FROM attempts WHERE hour < ?1", DB_VALUES(INT(oldest)), f);

    if (!err)
        err = db_run(db, "DELETE FROM attempt_hours WHERE hour < ?1", DB_VALUES(INT(oldest)), f);
    while (!err && found) {
        err = db_int(db, &total, &found, "SELECT rows FROM attempt_total", NULL, 0, f);
        if (err || total <= s->attempts_max)
            break;
        err = fold_oldest(db, &found, f);
    }
    return err;
}

int store_attempts_add(struct store_tx *tx, const struct store_attempts *rows, size_t n,
                       struct fault *f)
{
    struct store_settings settings;

    if (tx->lane != LANE_EVIDENCE)
        return fault(f, ERR_DENIED, "only an evidence job may add attempts");
    int err = store_settings_get(tx, &settings, f);
    for (size_t i = 0; !err && i < n; i++)
        err = add(tx->evidence, &rows[i], settings.attempts_max, f);
    return err ? err : trim(tx, &settings, f);
}

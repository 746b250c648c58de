/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that do not speak for their account: what an operator disowns, and what fell into an attack. */
#include <inttypes.h>
#include <stdlib.h>

#include "ledger/pack.h"
#include "store/calls_impl.h"

/* Callers whose history is to be made again. */
struct again {
    uint32_t *callers; /* ascending */
    size_t n;
};

static int by_number(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

static int sum_block(struct calls *calls, const struct again *again, int64_t switch_id,
                     struct span bytes, struct fault *f)
{
    struct pack_reader reader;
    struct call call;
    int err = pack_open(&reader, bytes, f);

    while (!err && (err = pack_next(&reader, &call, f)) == 1) {
        err = 0;
        if (bsearch(&call.caller, again->callers, again->n, sizeof(call.caller), by_number))
            err = calls_sum_one(calls, switch_id, &call, f);
    }
    return err;
}

/* In the transaction that is open. Blocks that are not summed yet bring theirs when they are. */
static int sum_again(struct calls *calls, struct again *again, struct fault *f)
{
    struct query q;
    int err = doubts_load(&calls->doubts, calls->db, f);

    qsort(again->callers, again->n, sizeof(*again->callers), by_number);
    for (size_t i = 0; !err && i < again->n; i++)
        err = db_run(calls->db, "DELETE FROM history WHERE caller = ?1",
                     DB_VALUES(INT(again->callers[i])), f);
    if (err || !again->n)
        return err;
    err =
        query_start(&q, calls->db, "SELECT switch, bytes FROM blocks WHERE summed = 1", NULL, 0, f);
    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        err = sum_block(calls, again, query_int(&q, 0), query_text(&q, 1), f);
        if (err)
            break;
    }
    query_end(&q);
    return err ? err : calls_sum_keep(calls, f);
}

static int caller_of(struct calls *calls, int64_t switch_id, struct span name, uint32_t *out,
                     struct fault *f)
{
    int64_t id = 0;
    bool found;
    int err =
        db_int(calls->db, &id, &found, "SELECT id FROM callers WHERE switch = ?1 AND name = ?2",
               DB_VALUES(INT(switch_id), TEXT(name)), f);

    *out = err || !found ? 0 : (uint32_t)id;
    return err;
}

static int sum_name_again(struct calls *calls, int64_t switch_id, struct span name, struct fault *f)
{
    uint32_t caller = 0;
    int err = caller_of(calls, switch_id, name, &caller, f);
    struct again again = {&caller, 1};

    return err || !caller ? err : sum_again(calls, &again, f);
}

static int finish(struct calls *calls, int err, struct fault *f)
{
    err = calls_end(calls, err, f);
    if (err)
        history_clear(calls->history);
    return err;
}

int calls_disown(struct calls *calls, int64_t switch_id, const struct calls_disowned *what,
                 int64_t *id, struct fault *f)
{
    int64_t made = 0;
    int err = calls_begin(calls, f);

    if (!err)
        err = db_run(calls->db,
                     "INSERT INTO disowned (switch, name, country, since, until, at, actor)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                     DB_VALUES(INT(switch_id), TEXT(what->name), WORD(what->country),
                               INT(what->since_ms), INT(what->until_ms), INT(what->at_ms),
                               TEXT(what->actor)),
                     f);
    made = db_last_id(calls->db);
    if (!err)
        err = sum_name_again(calls, switch_id, what->name, f);
    err = finish(calls, err, f);
    if (!err)
        *id = made;
    return err;
}

int calls_own_again(struct calls *calls, int64_t switch_id, struct span name, int64_t id,
                    struct fault *f)
{
    int err = calls_begin(calls, f);

    if (!err)
        err = db_run(calls->db, "DELETE FROM disowned WHERE id = ?1 AND switch = ?2 AND name = ?3",
                     DB_VALUES(INT(id), INT(switch_id), TEXT(name)), f);
    if (!err && !db_changes(calls->db))
        err = fault(f, ERR_MISSING, "calls of this account are not disowned under number %" PRId64,
                    id);
    if (!err)
        err = sum_name_again(calls, switch_id, name, f);
    return finish(calls, err, f);
}

int calls_disowned_list(struct calls *calls, int64_t switch_id, struct span name,
                        int (*take)(void *arg, const struct calls_disowned *what), void *arg,
                        struct fault *f)
{
    struct query q;
    int err = query_start(&q, calls->db,
                          "SELECT id, country, since, until, at, actor FROM disowned"
                          " WHERE switch = ?1 AND name = ?2 ORDER BY id",
                          DB_VALUES(INT(switch_id), TEXT(name)), f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        struct calls_disowned what = {.id = query_int(&q, 0),
                                      .name = name,
                                      .since_ms = query_int(&q, 2),
                                      .until_ms = query_int(&q, 3),
                                      .at_ms = query_int(&q, 4),
                                      .actor = query_text(&q, 5)};
        struct span country = query_text(&q, 1);

        if (country.n < sizeof(what.country))
            memcpy(what.country, country.p, country.n);
        err = take(arg, &what);
        if (err)
            break;
    }
    query_end(&q);
    return err;
}

/* ---- attacks -------------------------------------------------------------------------------- */

/* `*news`: something of the caller's calls is to be seen otherwise. */
static int take_attack(struct calls *calls, const struct calls_attack *a, bool *news,
                       struct fault *f)
{
    int err;

    if (a->ends)
        err = db_run(
            calls->db,
            "UPDATE attacks SET until = ?3 WHERE switch = ?1 AND name = ?2"
            " AND since < ?3 AND until > ?3 AND decision < ?4",
            DB_VALUES(INT(a->switch_id), TEXT(a->name), INT(a->since_ms), INT(a->decision)), f);
    else
        err = db_run(calls->db, "INSERT OR IGNORE INTO attacks VALUES (?1, ?2, ?3, ?4, ?5)",
                     DB_VALUES(INT(a->decision), INT(a->switch_id), TEXT(a->name), INT(a->since_ms),
                               INT(a->until_ms)),
                     f);
    *news = !err && db_changes(calls->db) > 0;
    return err;
}

/* Has the caller called abroad since it began? Else nothing of its history changes. */
static int touched(struct calls *calls, const struct calls_attack *a, uint32_t *caller,
                   struct fault *f)
{
    int64_t n = 0;
    bool found = false;
    int err = caller_of(calls, a->switch_id, a->name, caller, f);

    if (!err && *caller)
        err = db_int(calls->db, &n, &found,
                     "SELECT 1 FROM history WHERE caller = ?1 AND answered + doubted > 0"
                     " AND last >= ?2",
                     DB_VALUES(INT(*caller), INT(a->ends ? 0 : a->since_ms)), f);
    if (!err && !found)
        *caller = 0;
    return err;
}

int calls_attacked(struct calls *calls, const struct calls_attack *attacks, size_t n,
                   struct fault *f)
{
    struct again again = {.callers = calloc(n + 1, sizeof(*again.callers))};
    int err = again.callers ? calls_begin(calls, f) : fault_nomem(f);

    for (size_t i = 0; !err && i < n; i++) {
        uint32_t caller = 0;
        bool news = false;

        err = take_attack(calls, &attacks[i], &news, f);
        if (!err && news)
            err = touched(calls, &attacks[i], &caller, f);
        if (!err && caller)
            again.callers[again.n++] = caller;
    }
    if (!err)
        err = sum_again(calls, &again, f);
    if (again.callers)
        err = finish(calls, err, f);
    free(again.callers);
    return err;
}

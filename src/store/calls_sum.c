/* SPDX-License-Identifier: GPL-2.0-or-later */
/* History: sums of calls per caller and country. */
#include "ledger/pack.h"
#include "store/calls_impl.h"

/* NULL where no call speaks for the account. */
#define SPOKE(ms) ((ms) == HISTORY_NEVER ? NONE : INT(ms))
#define SECONDS(n) INT((n) > INT64_MAX ? INT64_MAX : (int64_t)(n))

static int keep(void *arg, const struct history_sum *sum)
{
    struct calls *calls = arg;

    return db_run(
        calls->db,
        "INSERT INTO history (caller, country, abroad, answered, unanswered, failed, refused,"
        " doubted, seconds, first, last, spoke_first, spoke_last)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
        " ON CONFLICT DO UPDATE SET answered = min(answered + ?4, 4294967295),"
        " unanswered = min(unanswered + ?5, 4294967295), failed = min(failed + ?6, 4294967295),"
        " refused = min(refused + ?7, 4294967295), doubted = min(doubted + ?8, 4294967295),"
        " seconds = seconds + ?9, first = min(first, ?10), last = max(last, ?11),"
        " spoke_first = min(coalesce(spoke_first, ?12), coalesce(?12, spoke_first)),"
        " spoke_last = max(coalesce(spoke_last, ?13), coalesce(?13, spoke_last))",
        DB_VALUES(INT(sum->caller), WORD(sum->country), INT(sum->abroad), INT(sum->answered),
                  INT(sum->unanswered), INT(sum->failed), INT(sum->refused), INT(sum->doubted),
                  SECONDS(sum->seconds), INT(sum->first_ms), INT(sum->last_ms),
                  SPOKE(sum->spoke_first_ms), SPOKE(sum->spoke_last_ms)),
        calls->fault);
}

int calls_sum_keep(struct calls *calls, struct fault *f)
{
    calls->fault = f;
    return history_drain(calls->history, keep, calls);
}

struct history_place calls_place(struct calls *calls, int64_t switch_id, const struct call *call)
{
    struct history_place place = calls->config.place(calls->config.place_arg, switch_id, call);

    place.doubted = place.doubted || doubts_cover(&calls->doubts, call, place.country);
    return place;
}

int calls_sum_one(struct calls *calls, int64_t switch_id, const struct call *call, struct fault *f)
{
    struct history_place place = calls_place(calls, switch_id, call);
    int err = history_add(calls->history, call, place);

    if (err == ERR_FULL) {
        err = calls_sum_keep(calls, f);
        if (!err)
            err = history_add(calls->history, call, place);
    }
    return err;
}

/* ---- many blocks ---------------------------------------------------------------------------- */

/* One round over all blocks that are not summed, for the callers that there is room for: a caller's sums are
 * written once, not once for every time that the table is full. */
struct round {
    uint32_t lowest, highest;
};

static int sum_within(struct calls *calls, struct round *round, int64_t switch_id,
                      const struct call *call, struct fault *f)
{
    struct history_place place = calls_place(calls, switch_id, call);

    while (call->caller <= round->highest) {
        int err = history_add(calls->history, call, place);

        if (err != ERR_FULL)
            return err;
        if (history_halve(calls->history, &round->highest))
            return fault(f, ERR_FULL,
                         "the calls of one caller go to more countries than there are");
    }
    return 0;
}

static int sum_block(struct calls *calls, struct round *round, int64_t switch_id, struct span bytes,
                     struct fault *f)
{
    struct pack_reader reader;
    struct call call;
    int err = pack_open(&reader, bytes, f);

    while (!err && (err = pack_next(&reader, &call, f)) == 1) {
        err = 0;
        if (call.caller >= round->lowest && call.caller <= round->highest)
            err = sum_within(calls, round, switch_id, &call, f);
    }
    return err;
}

static int sum_round(struct calls *calls, struct round *round, struct fault *f)
{
    struct query q;
    int err =
        query_start(&q, calls->db, "SELECT switch, bytes FROM blocks WHERE summed = 0", NULL, 0, f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        if (calls->config.ending && __atomic_load_n(calls->config.ending, __ATOMIC_RELAXED)) {
            err = fault(f, ERR_CONFLICT, "sekishod is ending: calls are summed after its start");
            break;
        }
        err = sum_block(calls, round, query_int(&q, 0), query_text(&q, 1), f);
        if (err)
            break;
    }
    query_end(&q);
    return err ? err : calls_sum_keep(calls, f);
}

static int sum_all(struct calls *calls, struct fault *f)
{
    struct round round = {.highest = UINT32_MAX};
    int64_t blocks = 0;
    bool found;
    int err = db_int(calls->db, &blocks, &found, "SELECT count(*) FROM blocks WHERE summed = 0",
                     NULL, 0, f);

    if (!err && blocks)
        err = doubts_load(&calls->doubts, calls->db, f);
    if (err || blocks == 0)
        return err;
    for (;;) {
        err = sum_round(calls, &round, f);
        if (err || round.highest == UINT32_MAX)
            break;
        round = (struct round){.lowest = round.highest + 1, .highest = UINT32_MAX};
    }
    return err ? err
               : db_run(calls->db, "UPDATE blocks SET summed = 1 WHERE summed = 0", NULL, 0, f);
}

static int sum(struct calls *calls, bool again, struct fault *f)
{
    int err = calls_begin(calls, f);

    if (!err && again)
        err = db_exec(calls->db, "DELETE FROM history; UPDATE blocks SET summed = 0", f);
    if (!err)
        err = sum_all(calls, f);
    if (err)
        history_clear(calls->history);
    return calls_end(calls, err, f);
}

int calls_sum(struct calls *calls, struct fault *f)
{
    return sum(calls, false, f);
}

int calls_sum_again(struct calls *calls, struct fault *f)
{
    return sum(calls, true, f);
}

/* ---- reading -------------------------------------------------------------------------------- */

static int64_t spoke(struct query *q, int column)
{
    return query_null(q, column) ? HISTORY_NEVER : query_int(q, column);
}

static struct history_sum read_sum(struct query *q, uint32_t caller)
{
    struct history_sum sum = {
        .caller = caller,
        .abroad = query_int(q, 1) != 0,
        .answered = (uint32_t)query_int(q, 2),
        .unanswered = (uint32_t)query_int(q, 3),
        .failed = (uint32_t)query_int(q, 4),
        .refused = (uint32_t)query_int(q, 5),
        .doubted = (uint32_t)query_int(q, 6),
        .seconds = (uint64_t)query_int(q, 7),
        .first_ms = query_int(q, 8),
        .last_ms = query_int(q, 9),
        .spoke_first_ms = spoke(q, 10),
        .spoke_last_ms = spoke(q, 11),
    };
    struct span country = query_text(q, 0);

    if (country.n && country.n < sizeof(sum.country))
        memcpy(sum.country, country.p, country.n);
    return sum;
}

int calls_history(struct calls *calls, uint32_t caller,
                  int (*take)(void *arg, const struct history_sum *sum), void *arg, struct fault *f)
{
    struct query q;
    int err = query_start(&q, calls->db,
                          "SELECT country, abroad, answered, unanswered, failed, refused, doubted,"
                          " seconds, first, last, spoke_first, spoke_last FROM history"
                          " WHERE caller = ?1 ORDER BY country, abroad",
                          DB_VALUES(INT(caller)), f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        struct history_sum sum = read_sum(&q, caller);

        err = take(arg, &sum);
        if (err)
            break;
    }
    query_end(&q);
    return err;
}

int calls_history_of(struct calls *calls, int64_t switch_id, struct span name,
                     int (*take)(void *arg, const struct history_sum *sum), void *arg,
                     struct fault *f)
{
    int64_t caller = 0;
    bool found = false;
    int err =
        db_int(calls->db, &caller, &found, "SELECT id FROM callers WHERE switch = ?1 AND name = ?2",
               DB_VALUES(INT(switch_id), TEXT(name)), f);

    return err || !found ? err : calls_history(calls, (uint32_t)caller, take, arg, f);
}

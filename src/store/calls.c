/* SPDX-License-Identifier: GPL-2.0-or-later */
/* calls.db: opening, callers, the files that were read, and what asks for calls. */
#include <stdlib.h>

#include "ledger/pack.h"
#include "store/calls_impl.h"
#include "store/open.h"
#include "store/store.h"

#define SUMS_DEFAULT ((size_t)1 << 18)
/* More than one caller can have: the countries of the world, called either way. */
#define SUMS_LEAST 2048

int calls_open(struct calls **out, const struct calls_config *config, struct fault *f)
{
    struct calls *calls = calloc(1, sizeof(*calls));
    size_t sums = config->sums ? config->sums : SUMS_DEFAULT;
    int err;

    if (!calls)
        return fault_nomem(f);
    calls->config = *config;
    calls->config.dir = NULL; /* borrowed for this call only */
    callers_init(&calls->callers);
    calls->history = history_new(sums < SUMS_LEAST ? SUMS_LEAST : sums);
    err = calls->history ? store_file_write(&calls->db, config->dir, &store_file_calls, f)
                         : fault_nomem(f);
    if (err)
        calls_close(calls);
    else
        *out = calls;
    return err;
}

void calls_close(struct calls *calls)
{
    if (!calls)
        return;
    if (calls->db && !db_idle(calls->db))
        db_run(calls->db, DB_ROLLBACK, NULL, 0, NULL);
    db_close(calls->db);
    callers_free(&calls->callers);
    history_free(calls->history);
    doubts_free(&calls->doubts);
    free(calls);
}

int calls_begin(struct calls *calls, struct fault *f)
{
    return db_idle(calls->db) ? db_run(calls->db, DB_BEGIN_WRITE, NULL, 0, f) : 0;
}

int calls_end(struct calls *calls, int err, struct fault *f)
{
    if (!err)
        err = db_run(calls->db, DB_COMMIT, NULL, 0, f);
    if (err) {
        if (!db_idle(calls->db))
            db_run(calls->db, DB_ROLLBACK, NULL, 0, NULL);
        callers_forget(&calls->callers);
    }
    return err;
}

void calls_undo(struct calls *calls)
{
    if (!db_idle(calls->db))
        calls_end(calls, ERR_CONFLICT, NULL);
}

int calls_caller(struct calls *calls, int64_t switch_id, struct span name, uint32_t *out,
                 struct fault *f)
{
    int err;

    if (name.n == 0 || name.n > STORE_ACCOUNT_NAME_MAX)
        return fault(f, ERR_RANGE, "the name of a caller has 1 to %d bytes",
                     STORE_ACCOUNT_NAME_MAX);
    err = calls_begin(calls, f);
    return err ? err : callers_find(&calls->callers, calls->db, switch_id, name, out, f);
}

int calls_files(struct calls *calls, int64_t switch_id, struct span head,
                int (*take)(void *arg, const struct calls_file *file), void *arg, struct fault *f)
{
    struct query q;
    int err = query_start(&q, calls->db,
                          "SELECT id, bytes, hash, rows, unread, name FROM files"
                          " WHERE switch = ?1 AND head = ?2 ORDER BY bytes DESC, id",
                          DB_VALUES(INT(switch_id), BLOB(head)), f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        struct calls_file file = {.id = query_int(&q, 0),
                                  .head = head,
                                  .bytes = (uint64_t)query_int(&q, 1),
                                  .rows = (uint64_t)query_int(&q, 3),
                                  .unread = (uint64_t)query_int(&q, 4),
                                  .name = query_text(&q, 5)};
        struct span hash = query_text(&q, 2);

        if (hash.n != sizeof(file.hash)) {
            err = fault(f, ERR_CORRUPT, "%s has a file without its hash", db_path(calls->db));
            break;
        }
        memcpy(file.hash, hash.p, sizeof(file.hash));
        err = take(arg, &file);
        if (err)
            break;
    }
    query_end(&q);
    return err;
}

/* One block: those of its calls that lie in the range. */
static int each_of(const struct calls_range *range, int64_t switch_id, struct span bytes,
                   int (*take)(void *arg, int64_t switch_id, const struct call *call), void *arg,
                   struct fault *f)
{
    struct pack_reader reader;
    struct call call;
    int err = pack_open(&reader, bytes, f);

    while (!err && (err = pack_next(&reader, &call, f)) == 1) {
        err = 0;
        if (call.start_ms >= range->from_ms && call.start_ms < range->before_ms)
            err = take(arg, switch_id, &call);
    }
    return err;
}

int calls_each(struct calls *calls, const struct calls_range *range,
               int (*take)(void *arg, int64_t switch_id, const struct call *call), void *arg,
               struct fault *f)
{
    struct query q;
    int err = query_start(
        &q, calls->db,
        range->switch_id ? "SELECT switch, bytes FROM blocks WHERE switch = ?1 AND last >= ?2"
                           " AND first < ?3 ORDER BY last, id"
                         : "SELECT switch, bytes FROM blocks WHERE last >= ?2 AND first < ?3"
                           " AND ?1 = 0 ORDER BY last, id",
        DB_VALUES(INT(range->switch_id), INT(range->from_ms), INT(range->before_ms)), f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        err = each_of(range, query_int(&q, 0), query_text(&q, 1), take, arg, f);
        if (err)
            break;
    }
    query_end(&q);
    return err;
}

int calls_days(struct calls *calls, int64_t switch_id,
               int (*take)(void *arg, int64_t day, uint64_t calls), void *arg, struct fault *f)
{
    struct query q;
    int err =
        query_start(&q, calls->db, "SELECT day, calls FROM days WHERE switch = ?1 ORDER BY day",
                    DB_VALUES(INT(switch_id)), f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        err = take(arg, query_int(&q, 0), (uint64_t)query_int(&q, 1));
        if (err)
            break;
    }
    query_end(&q);
    return err;
}

/* ---- forgetting ----------------------------------------------------------------------------- */

/* The block that the limit goes through, without the calls before it. */
static int shorten(struct calls *calls, int64_t before_ms, int64_t id, struct span bytes,
                   int64_t *gone, struct fault *f)
{
    struct pack_reader reader;
    struct pack pack = {0};
    struct call call;
    struct buf left = {0};
    int64_t first_ms = INT64_MAX, n = 0;
    int err = pack_open(&reader, bytes, f);

    while (!err && (err = pack_next(&reader, &call, f)) == 1) {
        err = 0;
        if (call.start_ms < before_ms) {
            ++*gone;
            continue;
        }
        err = pack_add(&pack, &call) ? fault_nomem(f) : 0;
        first_ms = call.start_ms < first_ms ? call.start_ms : first_ms;
        n++;
    }
    pack_close(&pack, &left);
    if (!err)
        err = left.failed
                  ? fault_nomem(f)
                  : db_run(calls->db,
                           "UPDATE blocks SET first = ?2, calls = ?3, bytes = ?4 WHERE id = ?1",
                           DB_VALUES(INT(id), INT(first_ms), INT(n), BLOB(buf_span(&left))), f);
    pack_free(&pack);
    buf_free(&left);
    return err;
}

static int shorten_all(struct calls *calls, int64_t before_ms, int64_t *gone, struct fault *f)
{
    struct query q;
    int err =
        query_start(&q, calls->db, "SELECT id, bytes FROM blocks WHERE last >= ?1 AND first < ?1",
                    DB_VALUES(INT(before_ms)), f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1) {
        err = shorten(calls, before_ms, query_int(&q, 0), query_text(&q, 1), gone, f);
        if (err)
            break;
    }
    query_end(&q);
    return err;
}

int calls_expire(struct calls *calls, int64_t before_ms, uint64_t *gone, struct fault *f)
{
    int64_t n = 0;
    bool found;
    int err = calls_begin(calls, f);

    if (!err)
        err = db_int(calls->db, &n, &found,
                     "SELECT coalesce(sum(calls), 0) FROM blocks WHERE last < ?1",
                     DB_VALUES(INT(before_ms)), f);
    if (!err)
        err = db_run(calls->db, "DELETE FROM blocks WHERE last < ?1", DB_VALUES(INT(before_ms)), f);
    if (!err)
        err = shorten_all(calls, before_ms, &n, f);
    err = calls_end(calls, err, f);
    if (!err)
        *gone = (uint64_t)n;
    return err;
}

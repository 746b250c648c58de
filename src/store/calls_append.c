/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls come in: each once, in blocks, in the order of their time. */
#include <stdlib.h>

#include "ledger/pack.h"
#include "store/calls_impl.h"

/* A block with fewer calls takes in those that come within the next day: who follows a live file has
 * a few at a time. */
#define TAIL_CALLS 1024
#define TAIL_SPAN_MS (24 * 3600 * (int64_t)1000)
/* So many are summed at once, more when calls_sum() is called. */
#define SUM_AT_ONCE PACK_CALLS_MAX

/* The calls that are to come in, by their keys. */
struct newcomers {
    struct call *call; /* by time */
    size_t n;
    bool *known;
    uint32_t *slots; /* 1 + index, 0: free */
    size_t mask;
    size_t n_known;
};

static int by_time(const void *left, const void *right)
{
    const struct call *a = left, *b = right;

    if (a->start_ms != b->start_ms)
        return a->start_ms < b->start_ms ? -1 : 1;
    return a->key < b->key ? -1 : a->key > b->key;
}

static void newcomers_free(struct newcomers *set)
{
    free(set->known);
    free(set->slots);
}

static void mark(struct newcomers *set, size_t i)
{
    set->n_known += !set->known[i];
    set->known[i] = true;
}

/* The index of a key, or where it would be. */
static size_t slot_of(const struct newcomers *set, uint64_t key)
{
    size_t i = (size_t)key & set->mask; /* a key is a hash */

    while (set->slots[i] && set->call[set->slots[i] - 1].key != key)
        i = (i + 1) & set->mask;
    return i;
}

static int newcomers_init(struct newcomers *set, struct call *call, size_t n, struct fault *f)
{
    size_t size = 16;

    while (size < 2 * n)
        size *= 2;
    *set = (struct newcomers){.call = call, .n = n, .mask = size - 1};
    set->known = calloc(n, sizeof(set->known[0]));
    set->slots = calloc(size, sizeof(set->slots[0]));
    if (!set->known || !set->slots) {
        newcomers_free(set);
        return fault_nomem(f);
    }
    qsort(call, n, sizeof(call[0]), by_time);
    for (size_t i = 0; i < n; i++) {
        size_t at = slot_of(set, call[i].key);

        if (set->slots[at])
            mark(set, i);
        else
            set->slots[at] = (uint32_t)i + 1;
    }
    return 0;
}

/* Marks those that a block has. */
static int meet(struct newcomers *set, struct span bytes, struct fault *f)
{
    struct pack_reader reader;
    struct call old;
    int err = pack_open(&reader, bytes, f);

    while (!err && (err = pack_next(&reader, &old, f)) == 1) {
        size_t at = slot_of(set, old.key);

        err = 0;
        if (set->slots[at])
            mark(set, set->slots[at] - 1);
    }
    return err;
}

static int meet_all(struct calls *calls, int64_t switch_id, struct newcomers *set, struct fault *f)
{
    struct query q;
    int err = query_start(
        &q, calls->db, "SELECT bytes FROM blocks WHERE switch = ?1 AND last >= ?2 AND first <= ?3",
        DB_VALUES(INT(switch_id), INT(set->call[0].start_ms), INT(set->call[set->n - 1].start_ms)),
        f);

    if (err)
        return err;
    while (set->n_known < set->n && (err = query_row(&q, f)) == 1) {
        err = meet(set, query_text(&q, 0), f);
        if (err)
            break;
    }
    query_end(&q);
    return err;
}

/* ---- blocks --------------------------------------------------------------------------------- */

/* A block in the making. */
struct block {
    int64_t switch_id;
    struct pack pack;
    int64_t first_ms, last_ms;
    int64_t id; /* of the row that it takes the place of; 0: none */
    bool summed;
};

static int block_add(struct block *block, const struct call *call, struct fault *f)
{
    int err = pack_add(&block->pack, call);

    if (err == ERR_NOMEM)
        return fault_nomem(f);
    if (err)
        return fault(f, err,
                     "a call that cannot be kept: it began before 1970 or after 9999, or "
                     "what was dialled has more than %d bytes",
                     CALL_DIALLED_MAX);
    if (block->pack.n == 1 || call->start_ms < block->first_ms)
        block->first_ms = call->start_ms;
    if (block->pack.n == 1 || call->start_ms > block->last_ms)
        block->last_ms = call->start_ms;
    return 0;
}

/* Writes it, and begins the next. */
static int block_write(struct calls *calls, struct block *block, struct fault *f)
{
    struct buf bytes = {0};
    size_t n = block->pack.n;
    int err;

    if (n == 0)
        return 0;
    pack_close(&block->pack, &bytes);
    err = bytes.failed
              ? fault_nomem(f)
              : db_run(calls->db,
                       "INSERT OR REPLACE INTO blocks"
                       " (id, switch, first, last, calls, summed, bytes)"
                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                       DB_VALUES(ID(block->id), INT(block->switch_id), INT(block->first_ms),
                                 INT(block->last_ms), INT((int64_t)n), INT(block->summed),
                                 BLOB(buf_span(&bytes))),
                       f);
    block->id = 0;
    buf_free(&bytes);
    return err;
}

/* Takes the calls of the last block in, when it is short and these follow on it. */
static int take_tail(struct calls *calls, struct block *block, const struct call *next,
                     struct fault *f)
{
    struct query q;
    struct pack_reader reader;
    struct call call;
    int err = query_start(
        &q, calls->db,
        "SELECT id, bytes FROM (SELECT * FROM blocks WHERE switch = ?1 ORDER BY last DESC LIMIT 1)"
        " WHERE calls < ?2 AND first <= ?3 AND last > ?3 - ?4 AND summed = ?5",
        DB_VALUES(INT(block->switch_id), INT(TAIL_CALLS), INT(next->start_ms), INT(TAIL_SPAN_MS),
                  INT(block->summed)),
        f);

    if (err)
        return err;
    err = query_row(&q, f);
    if (err == 1) {
        block->id = query_int(&q, 0);
        err = pack_open(&reader, query_text(&q, 1), f);
        while (!err && (err = pack_next(&reader, &call, f)) == 1)
            err = block_add(block, &call, f);
    }
    query_end(&q);
    return err;
}

static int write_new(struct calls *calls, int64_t switch_id, const struct newcomers *set,
                     struct fault *f)
{
    struct block block = {.switch_id = switch_id, .summed = set->n - set->n_known <= SUM_AT_ONCE};
    size_t first = 0;
    int err;

    while (set->known[first])
        first++;
    err = take_tail(calls, &block, &set->call[first], f);
    if (!err && block.summed)
        err = doubts_load(&calls->doubts, calls->db, f);
    for (size_t i = first; !err && i < set->n; i++) {
        if (set->known[i])
            continue;
        if (block.pack.n == PACK_CALLS_MAX)
            err = block_write(calls, &block, f);
        if (!err)
            err = block_add(&block, &set->call[i], f);
        if (!err && block.summed)
            err = calls_sum_one(calls, switch_id, &set->call[i], f);
    }
    if (!err)
        err = block_write(calls, &block, f);
    if (!err && block.summed)
        err = calls_sum_keep(calls, f);
    pack_free(&block.pack);
    return err;
}

/* ---- the days that they are of ------------------------------------------------------------- */

#define DAY_MS (24 * 3600 * (int64_t)1000)

static int note_day(struct calls *calls, int64_t switch_id, int64_t day, int64_t n, struct fault *f)
{
    return n == 0 ? 0
                  : db_run(calls->db,
                           "INSERT INTO days (switch, day, calls) VALUES (?1, ?2, ?3)"
                           " ON CONFLICT DO UPDATE SET calls = calls + ?3",
                           DB_VALUES(INT(switch_id), INT(day), INT(n)), f);
}

/* They are in the order of time: a statement for each day. */
static int note_days(struct calls *calls, int64_t switch_id, const struct newcomers *set,
                     struct fault *f)
{
    int64_t day = 0, n = 0;
    int err = 0;

    for (size_t i = 0; !err && i < set->n; i++) {
        if (set->known[i])
            continue;
        if (set->call[i].start_ms / DAY_MS != day) {
            err = note_day(calls, switch_id, day, n, f);
            day = set->call[i].start_ms / DAY_MS;
            n = 0;
        }
        n++;
    }
    return err ? err : note_day(calls, switch_id, day, n, f);
}

/* ---- the file that they came from ----------------------------------------------------------- */

static int note_file(struct calls *calls, int64_t switch_id, struct calls_file *file,
                     int64_t now_ms, struct fault *f)
{
    struct span hash = {(const char *)file->hash, sizeof(file->hash)};
    int err =
        db_run(calls->db,
               "INSERT INTO files (id, switch, head, bytes, hash, rows, unread, name, changed)"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO UPDATE SET"
               " bytes = ?4, hash = ?5, rows = ?6, unread = ?7, name = ?8, changed = ?9",
               DB_VALUES(ID(file->id), INT(switch_id), BLOB(file->head), INT((int64_t)file->bytes),
                         BLOB(hash), INT((int64_t)file->rows), INT((int64_t)file->unread),
                         TEXT(file->name), INT(now_ms)),
               f);

    if (!err && !file->id)
        file->id = db_last_id(calls->db);
    return err;
}

static int append(struct calls *calls, int64_t switch_id, struct newcomers *set, struct fault *f)
{
    int err = meet_all(calls, switch_id, set, f);

    if (err || set->n_known == set->n)
        return err;
    err = write_new(calls, switch_id, set, f);
    return err ? err : note_days(calls, switch_id, set, f);
}

int calls_append(struct calls *calls, int64_t switch_id, struct call *call, size_t n,
                 struct calls_file *file, int64_t now_ms, struct calls_added *out, struct fault *f)
{
    struct newcomers set = {0};
    int64_t file_id = file ? file->id : 0;
    int err = n > CALLS_APPEND_MAX
                  ? fault(f, ERR_RANGE, "at most %zu calls can be added at once", CALLS_APPEND_MAX)
                  : 0;

    if (!err && n)
        err = newcomers_init(&set, call, n, f);
    if (!err)
        err = calls_begin(calls, f);
    if (!err && n)
        err = append(calls, switch_id, &set, f);
    if (!err && file)
        err = note_file(calls, switch_id, file, now_ms, f);
    err = calls_end(calls, err, f);
    if (err) {
        if (file)
            file->id = file_id;
        history_clear(calls->history);
    } else {
        *out = (struct calls_added){.added = n - set.n_known, .known = set.n_known};
    }
    newcomers_free(&set);
    return err;
}

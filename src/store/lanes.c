/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs at work: the writer with its group commit, and the reader. */
#include <inttypes.h>

#include "policy/snapshot.h"
#include "store/publish.h"
#include "store/store_impl.h"

/* So often gives a long job way at most: then it goes on, and those who come wait for it. */
#define GIVES_WAY_MAX 8

/* One transaction that many jobs share. */
struct commit {
    struct store *store;
    enum lane lane;
    struct db *db;
    const struct job *jobs;
    struct outcome *outcomes;
    size_t n;
    int64_t change;       /* the last one of these jobs, or 0 */
    struct outcome whole; /* why all of it failed */
    struct token_table *tokens;
};

static void set_outcome(struct outcome *o, int code, const struct fault *f)
{
    o->code = code;
    o->fault = *f;
    if (code && f->text[0] == '\0')
        fault(&o->fault, code, "the job failed (error %d)", code);
    o->fault.code = code;
}

static struct store_tx begin_tx(struct commit *c)
{
    struct store *s = c->store;

    return (struct store_tx){
        .store = s,
        .lane = c->lane,
        .db = s->writer,
        .evidence = c->lane == LANE_EVIDENCE ? s->writer_evidence : NULL,
        .tables = s->next_tables ? s->next_tables : s->tables,
        .now = store_now(s),
        .touched = c->lane == LANE_WRITE ? &s->touched : NULL,
    };
}

/* Within a savepoint SQLite keeps a copy of every page that is changed. Who has the transaction to himself needs none: it
 * is rolled back, and another is begun. */
static int begin_job(struct commit *c, struct fault *f)
{
    return c->n > 1 ? db_run(c->db, DB_JOB, NULL, 0, f) : 0;
}

static int keep_job(struct commit *c, struct fault *f)
{
    return c->n > 1 ? db_run(c->db, DB_JOB_KEEP, NULL, 0, f) : 0;
}

static int undo_job(struct commit *c, struct fault *f)
{
    int err = db_run(c->db, c->n > 1 ? DB_JOB_UNDO : DB_ROLLBACK, NULL, 0, f);

    if (err)
        return err;
    return c->n > 1 ? keep_job(c, f) : db_run(c->db, DB_BEGIN_WRITE, NULL, 0, f);
}

/* A failure of `code` means that the transaction itself is in doubt, not only this job. */
static int run_job(struct commit *c, size_t i, struct fault *f)
{
    struct store_tx tx = begin_tx(c);
    struct fault why = {0};
    const struct bulk *before = c->store->touched.bulk;
    int err = begin_job(c, f);

    if (err)
        return err;
    int code = c->jobs[i].run(&tx, c->jobs[i].arg, &why);
    if (!code && tx.broken)
        code = fault(&why, ERR_IO, "a change could not be taken back");
    set_outcome(&c->outcomes[i], code, &why);
    if (!code && tx.change)
        c->change = tx.change;
    arena_free(&tx.arena);
    /* Some failures (a full disk) make SQLite roll back everything, other jobs' work too. */
    if (db_idle(c->db)) {
        *f = why;
        return code ? code : fault(f, ERR_IO, "the transaction was lost");
    }
    if (!code)
        return keep_job(c, f);
    c->store->touched.bulk = before; /* is not read again from the store, as all else is */
    return undo_job(c, f);
}

static int stage(struct commit *c, struct fault *f)
{
    struct store *s = c->store;

    if (c->lane != LANE_WRITE || !s->loaded)
        return 0;
    struct store_tx tx = begin_tx(c);
    int err = publish_stage(&tx, &s->touched, f);
    arena_free(&tx.arena);
    if (!err && s->touched.tokens)
        err = token_table_load(&c->tokens, c->db, f);
    return err;
}

/* Now everything is durable, and nothing below can fail. */
static void make_visible(struct commit *c)
{
    struct store *s = c->store;

    if (c->lane != LANE_WRITE)
        return;
    if (s->next_tables)
        s->tables = s->next_tables;
    if (s->loaded && c->change)
        publish_commit(s, c->change);
    else if (s->loaded && s->next_tables)
        publish_commit(s, s->stats.change);
    if (c->tokens) {
        pthread_rwlock_wrlock(&s->tokens_lock);
        struct token_table *old = s->tokens;
        s->tokens = c->tokens;
        pthread_rwlock_unlock(&s->tokens_lock);
        token_table_free(old);
        c->tokens = NULL;
    }
    if (s->loaded && c->change && s->touched.guard && s->config.guard_changed)
        s->config.guard_changed(s->config.guard_changed_arg);
    if (s->loaded && c->change && s->touched.stop && s->config.stopped)
        s->config.stopped(s->config.guard_changed_arg);
    if (s->touched.noticed && s->config.noticed)
        s->config.noticed(s->config.noticed_arg);
}

static int attempt(struct commit *c, struct fault *f)
{
    /* Should a rollback ever have failed, nothing may be built on what it left. */
    if (!db_idle(c->db))
        db_run(c->db, DB_ROLLBACK, NULL, 0, NULL);
    int err = db_run(c->db, DB_BEGIN_WRITE, NULL, 0, f);

    for (size_t i = 0; !err && i < c->n; i++)
        err = run_job(c, i, f);
    if (!err)
        err = stage(c, f);
    if (!err)
        err = db_run(c->db, DB_COMMIT, NULL, 0, f);
    return err;
}

static void give_up(struct commit *c)
{
    struct store *s = c->store;

    if (!db_idle(c->db))
        db_run(c->db, DB_ROLLBACK, NULL, 0, NULL);
    if (c->lane == LANE_WRITE)
        publish_discard(s);
    token_table_free(c->tokens);
    c->tokens = NULL;
    /* A job that failed by itself keeps its own reason. */
    for (size_t i = 0; i < c->n; i++)
        if (c->outcomes[i].code == 0)
            c->outcomes[i] = c->whole;
}

/* The two files fail and heal each by itself. */
static void note(struct commit *c, int err)
{
    static const char *const what[] = {
        [LANE_WRITE] = "changes", [LANE_EVIDENCE] = "refusals and attacks"};
    struct store *s = c->store;

    pthread_mutex_lock(&s->mutex);
    bool was_failing = s->failing[c->lane];
    s->stats.jobs += c->n;
    s->failing[c->lane] = err != 0;
    if (err) {
        s->stats.failed_commits++;
        memcpy(s->trouble[c->lane], c->whole.fault.text, sizeof(s->trouble[c->lane]));
    } else {
        s->stats.commits++;
        if (c->change)
            s->stats.change = c->change;
    }
    pthread_mutex_unlock(&s->mutex);
    if (err && !was_failing)
        store_log(s, STORE_LOG_ERROR, "%s cannot be stored: %s", what[c->lane],
                  c->whole.fault.text);
    else if (!err && was_failing)
        store_log(s, STORE_LOG_INFO, "%s can be stored again", what[c->lane]);
}

static void run_commit(struct commit *c)
{
    struct store *s = c->store;
    struct fault f = {0};

    touched_clear(&s->touched);
    memset(c->outcomes, 0, c->n * sizeof(*c->outcomes));
    int err = attempt(c, &f);
    if (err) {
        set_outcome(&c->whole, err, &f);
        give_up(c);
    } else {
        make_visible(c);
    }
    s->next_tables = NULL;
    note(c, err);
}

bool store_gives_way(const struct store *s)
{
    return s->gave_way < GIVES_WAY_MAX && __atomic_load_n(&s->urgent, __ATOMIC_RELAXED) > 0;
}

/* False: it was one job that gave way, and is to be run again. */
static bool run_batch(struct store *s, enum lane lane, size_t n)
{
    struct commit c = {
        .store = s,
        .lane = lane,
        .db = lane == LANE_WRITE ? s->writer : s->writer_evidence,
        .jobs = s->batch,
        .outcomes = s->outcomes,
        .n = n,
    };

    /* What the batch before has replaced: the levels of a big house are megabytes. Readers have long left
     * it, so that this hardly waits. */
    if (lane == LANE_WRITE && s->config.snapshot)
        snapshot_reclaim(s->config.snapshot);
    run_commit(&c);
    if (s->batch[0].alone && s->outcomes[0].code == STORE_AGAIN)
        return false;
    for (size_t i = 0; i < n; i++)
        if (s->batch[i].done)
            s->batch[i].done(s->batch[i].done_arg, s->outcomes[i].code, &s->outcomes[i].fault);
    if (lane == LANE_WRITE && s->config.snapshot)
        snapshot_prepare(s->config.snapshot);
    return true;
}

int lanes_run(struct store *s, store_job job, void *arg, struct fault *f)
{
    s->batch[0] = (struct job){.run = job, .arg = arg};
    run_batch(s, LANE_WRITE, 1);
    if (s->outcomes[0].code && f)
        *f = s->outcomes[0].fault;
    return s->outcomes[0].code;
}

static size_t take(struct store *s, enum lane lane)
{
    pthread_mutex_lock(&s->mutex);
    size_t n = queue_take(&s->queues[lane], s->batch, BATCH_MAX);
    if (lane == LANE_URGENT)
        __atomic_store_n(&s->urgent, (unsigned)s->queues[lane].n, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&s->mutex);
    return n;
}

/* One transaction of them before each of the others: who comes with one after another keeps nobody waiting
 * for ever. */
static void run_urgent(struct store *s)
{
    size_t n = take(s, LANE_URGENT);

    if (n)
        run_batch(s, LANE_WRITE, n);
}

static void run_lane(struct store *s, enum lane lane)
{
    run_urgent(s);
    size_t n = take(s, lane);
    if (!n)
        return;
    struct job first = s->batch[0];
    s->gave_way = 0;
    if (first.alone)
        db_checkpoints(s->writer, false);
    while (!run_batch(s, lane, n)) {
        s->gave_way++;
        run_urgent(s);
        s->batch[0] = first;
    }
    if (first.alone)
        db_checkpoints(s->writer, true);
}

void *lanes_writer(void *p)
{
    struct store *s = p;

    for (;;) {
        run_lane(s, LANE_WRITE);
        run_lane(s, LANE_EVIDENCE);
        pthread_mutex_lock(&s->mutex);
        bool empty = s->queues[LANE_WRITE].n == 0 && s->queues[LANE_EVIDENCE].n == 0 &&
                     s->queues[LANE_URGENT].n == 0;
        bool end = empty && s->closing;
        if (empty && !end)
            pthread_cond_wait(&s->writer_wakes, &s->mutex);
        pthread_mutex_unlock(&s->mutex);
        if (end)
            return NULL;
    }
}

static void end_read(struct store *s)
{
    if (!db_idle(s->reader_evidence))
        db_run(s->reader_evidence, DB_ROLLBACK, NULL, 0, NULL);
    if (!db_idle(s->reader))
        db_run(s->reader, DB_ROLLBACK, NULL, 0, NULL);
}

static void run_read(struct store *s, const struct job *job)
{
    struct store_tx tx = {
        .store = s,
        .lane = LANE_READ,
        .db = s->reader,
        .evidence = s->reader_evidence,
        .now = store_now(s),
    };
    struct outcome outcome = {0};
    struct fault f = {0};

    end_read(s);
    /* Both begin to see when they first read: each is consistent in itself. */
    int err = db_run(s->reader, DB_BEGIN, NULL, 0, &f);

    if (!err)
        err = db_run(s->reader_evidence, DB_BEGIN, NULL, 0, &f);
    if (!err)
        err = job->run(&tx, job->arg, &f);
    end_read(s);
    arena_free(&tx.arena);
    set_outcome(&outcome, err, &f);
    if (job->done)
        job->done(job->done_arg, outcome.code, &outcome.fault);
}

int store_read_aside(struct store *s, store_job job, void *arg, struct fault *f)
{
    struct store_tx tx = {.store = s, .lane = LANE_READ, .now = store_now(s)};
    int err = store_file_read(&tx.db, s->dir, &store_file_main, f);

    if (err)
        return err;
    err = db_run(tx.db, DB_BEGIN, NULL, 0, f);
    if (!err)
        err = job(&tx, arg, f);
    if (!db_idle(tx.db))
        db_run(tx.db, DB_ROLLBACK, NULL, 0, NULL);
    db_close(tx.db);
    arena_free(&tx.arena);
    return err;
}

void *lanes_reader(void *p)
{
    struct store *s = p;
    struct job job;

    for (;;) {
        pthread_mutex_lock(&s->mutex);
        while (s->queues[LANE_READ].n == 0 && !s->closing)
            pthread_cond_wait(&s->reader_wakes, &s->mutex);
        size_t n = queue_take(&s->queues[LANE_READ], &job, 1);
        pthread_mutex_unlock(&s->mutex);
        if (n == 0)
            return NULL;
        run_read(s, &job);
    }
}

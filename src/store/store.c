/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening and closing the store, and the doors of its lanes. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "numbering/site.h"
#include "policy/snapshot.h"
#include "store/publish.h"
#include "store/rules.h"
#include "store/store_impl.h"
#include "store/waiter.h"

#define QUEUE_DEFAULT 4096

struct snapshot *store_snapshot(struct store *store)
{
    return store->config.snapshot;
}

struct instant store_now(const struct store *store)
{
    return store->config.now ? store->config.now() : clock_now();
}

void store_log(struct store *store, enum store_log level, const char *format, ...)
{
    char line[2 * FAULT_MAX];
    va_list args;

    if (!store->config.log)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    store->config.log(store->config.log_arg, level, line);
}

/* ---- the files ------------------------------------------------------------------------------ */

/* SQLite's own locks are for transactions; this one says that a daemon lives here. It ends with the
 * process, however that ends. */
static int lock_dir(struct store *s, struct fault *f)
{
    char pid[32] = {0};
    char *path = store_path(s->dir, "sekisho.lock");

    if (!path)
        return fault_nomem(f);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    free(path);
    if (fd < 0)
        return fault(f, errno == ENOSPC ? ERR_FULL : ERR_IO,
                     "the state directory %s cannot be used: %s", s->dir, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int why = errno;
        ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);
        close(fd);
        if (why != EWOULDBLOCK)
            return fault(f, ERR_IO, "%s/sekisho.lock cannot be locked: %s", s->dir, strerror(why));
        return fault(f, ERR_CONFLICT,
                     "another sekishod (process %s) uses the state directory %s; stop it first, or "
                     "choose another directory",
                     n > 0 ? pid : "unknown", s->dir);
    }
    s->lock_fd = fd;
    int n = snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    /* The number is a courtesy for the sentence above: without it the lock holds all the same. */
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)n, 0) != n)
        store_log(s, STORE_LOG_WARNING, "%s/sekisho.lock cannot be written: %s", s->dir,
                  strerror(errno));
    return 0;
}

/* Evidence is written as it comes and hardly ever read again: SQLite's memory of its pages would only grow with it. The
 * journal brings at most some thousand rows at a time; what does not fit goes into the log before the commit. */
static int keep_few_pages(struct store *s, struct fault *f)
{
    static const char few[] = "PRAGMA cache_size = -2000;";
    int err = db_exec(s->writer_evidence, few, f);

    return err ? err : db_exec(s->reader_evidence, few, f);
}

static int open_files(struct store *s, struct fault *f)
{
    int err = lock_dir(s, f);

    if (!err)
        err = store_file_write(&s->writer, s->dir, &store_file_main, f);
    if (!err)
        err = store_file_write(&s->writer_evidence, s->dir, &store_file_evidence, f);
    if (!err)
        err = rules_collect(s->writer, f);
    if (!err)
        err = store_file_read(&s->reader, s->dir, &store_file_main, f);
    if (!err)
        err = store_file_read(&s->reader_evidence, s->dir, &store_file_evidence, f);
    return err ? err : keep_few_pages(s, f);
}

/* ---- opening and closing -------------------------------------------------------------------- */

static int make(struct store **out, const struct store_config *config, struct fault *f)
{
    struct store *s = calloc(1, sizeof(*s));
    size_t room = config->queue ? config->queue : QUEUE_DEFAULT;
    int err = 0;

    if (!s)
        return fault_nomem(f);
    s->config = *config;
    s->tables = config->tables;
    s->lock_fd = -1;
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->writer_wakes, NULL);
    pthread_cond_init(&s->reader_wakes, NULL);
    pthread_rwlock_init(&s->tokens_lock, NULL);
    s->dir = strdup(config->dir);
    if (!s->dir)
        err = fault_nomem(f);
    for (size_t lane = 0; !err && lane < LANES; lane++)
        err = queue_init(&s->queues[lane], room, f);
    if (err)
        store_close(s);
    else
        *out = s;
    return err;
}

/* Fills the memory: tokens, and the snapshot. */
static int load(struct store *s, struct fault *f)
{
    struct store_tx tx = {.store = s, .db = s->writer, .tables = s->tables, .now = store_now(s)};
    int64_t began_ns = clock_now().boot_ns;
    int err = token_table_load(&s->tokens, s->writer, f);

    if (!err)
        err = store_change(&tx, &s->stats.change, f);
    if (!err)
        err = publish_stage_all(&tx, f);
    arena_free(&tx.arena);
    if (err)
        return err;
    publish_commit(s, s->stats.change);
    /* All accounts were read once, and stay in the snapshot. */
    db_release(s->writer);
    s->loaded = true;
    s->stats.load_ms = (uint64_t)(clock_now().boot_ns - began_ns) / 1000000;
    if (store_snapshot(s))
        store_log(s, STORE_LOG_INFO, "%zu accounts were loaded in %" PRIu64 " ms",
                  snapshot_figures(store_snapshot(s)).accounts, s->stats.load_ms);
    return 0;
}

static int start_threads(struct store *s, struct fault *f)
{
    int why = pthread_create(&s->writer_thread, NULL, lanes_writer, s);

    s->writer_runs = why == 0;
    if (why == 0) {
        why = pthread_create(&s->reader_thread, NULL, lanes_reader, s);
        s->reader_runs = why == 0;
    }
    return why ? fault(f, ERR_IO, "the store's threads cannot start: %s", strerror(why)) : 0;
}

int store_open(struct store **out, const struct store_config *config, struct store_first *first,
               struct fault *f)
{
    struct store_first ignored = {0}, seeded = {0};
    struct store *s = NULL;

    if (sodium_init() < 0)
        return fault(f, ERR_IO, "libsodium cannot start: there is no source of randomness");
    int err = make(&s, config, f);
    if (err)
        return err;
    err = open_files(s, f);
    if (!err)
        err = lanes_run(s, seed_job, &seeded, f);
    if (!err)
        err = load(s, f);
    if (!err)
        err = start_threads(s, f);
    if (err) {
        store_close(s);
        return err;
    }
    *(first ? first : &ignored) = seeded;
    sodium_memzero(&ignored, sizeof(ignored));
    sodium_memzero(&seeded, sizeof(seeded));
    *out = s;
    return 0;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->mutex);
    s->closing = true;
    pthread_cond_broadcast(&s->writer_wakes);
    pthread_cond_broadcast(&s->reader_wakes);
    pthread_mutex_unlock(&s->mutex);
    if (s->writer_runs)
        pthread_join(s->writer_thread, NULL);
    if (s->reader_runs)
        pthread_join(s->reader_thread, NULL);
    backup_join(s);
    db_close(s->reader);
    db_close(s->reader_evidence);
    /* The writers go last: the last connection folds the log into the file. */
    db_close(s->writer);
    db_close(s->writer_evidence);
    touched_free(&s->touched);
    token_table_free(s->tokens);
    for (size_t lane = 0; lane < LANES; lane++)
        queue_free(&s->queues[lane]);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    pthread_rwlock_destroy(&s->tokens_lock);
    pthread_cond_destroy(&s->reader_wakes);
    pthread_cond_destroy(&s->writer_wakes);
    pthread_mutex_destroy(&s->mutex);
    free(s->dir);
    free(s);
}

/* ---- the doors of the lanes ----------------------------------------------------------------- */

static int enqueue(struct store *s, enum lane lane, const struct job *job, struct fault *f)
{
    static const char *const names[] = {"write", "read", "evidence", "urgent"};
    int err = 0;

    pthread_mutex_lock(&s->mutex);
    if (s->closing) {
        err = fault(f, ERR_DENIED, "the store is closing");
    } else if (!queue_put(&s->queues[lane], job)) {
        s->stats.refused_jobs++;
        err = fault(f, ERR_FULL, "%zu %s jobs wait already, and no more can: try again in a moment",
                    s->queues[lane].n, names[lane]);
    } else {
        if (lane == LANE_URGENT)
            __atomic_add_fetch(&s->urgent, 1, __ATOMIC_RELAXED);
        pthread_cond_signal(lane == LANE_READ ? &s->reader_wakes : &s->writer_wakes);
    }
    pthread_mutex_unlock(&s->mutex);
    return err;
}

int store_write(struct store *s, store_job job, void *arg, store_done done, void *done_arg,
                struct fault *f)
{
    return enqueue(s, LANE_WRITE, &(struct job){job, arg, done, done_arg, false}, f);
}

int store_urgent(struct store *s, store_job job, void *arg, store_done done, void *done_arg,
                 struct fault *f)
{
    return enqueue(s, LANE_URGENT, &(struct job){job, arg, done, done_arg, false}, f);
}

int store_read(struct store *s, store_job job, void *arg, store_done done, void *done_arg,
               struct fault *f)
{
    return enqueue(s, LANE_READ, &(struct job){job, arg, done, done_arg, false}, f);
}

int store_evidence(struct store *s, store_job job, void *arg, store_done done, void *done_arg,
                   struct fault *f)
{
    return enqueue(s, LANE_EVIDENCE, &(struct job){job, arg, done, done_arg, false}, f);
}

static int wait_for(struct store *s, enum lane lane, store_job job, void *arg, bool alone,
                    struct fault *f)
{
    struct waiter w = WAITER_INIT;
    int err = enqueue(s, lane, &(struct job){job, arg, waiter_done, &w, alone}, f);

    return err ? err : waiter_wait(&w, f);
}

int store_write_wait(struct store *s, store_job job, void *arg, struct fault *f)
{
    return wait_for(s, LANE_WRITE, job, arg, false, f);
}

int store_write_alone_wait(struct store *s, store_job job, void *arg, struct fault *f)
{
    int err = wait_for(s, LANE_WRITE, job, arg, true, f);

    /* Much may stand in the log: it is copied here, and not where others wait for the writer. */
    if (!err)
        db_checkpoint(db_path(s->writer));
    return err;
}

int store_read_wait(struct store *s, store_job job, void *arg, struct fault *f)
{
    return wait_for(s, LANE_READ, job, arg, false, f);
}

int store_evidence_wait(struct store *s, store_job job, void *arg, struct fault *f)
{
    return wait_for(s, LANE_EVIDENCE, job, arg, false, f);
}

void store_stats(struct store *s, struct store_stats *out)
{
    pthread_mutex_lock(&s->mutex);
    *out = s->stats;
    out->failing = s->failing[LANE_WRITE];
    out->failing_evidence = s->failing[LANE_EVIDENCE];
    if (out->failing)
        memcpy(out->trouble, s->trouble[LANE_WRITE], sizeof(out->trouble));
    if (out->failing_evidence)
        memcpy(out->trouble_evidence, s->trouble[LANE_EVIDENCE], sizeof(out->trouble_evidence));
    out->write_queue = s->queues[LANE_WRITE].n + s->queues[LANE_URGENT].n;
    out->read_queue = s->queues[LANE_READ].n;
    out->evidence_queue = s->queues[LANE_EVIDENCE].n;
    pthread_mutex_unlock(&s->mutex);
}

int store_token_verify(struct store *s, struct span secret, int64_t now_s, struct store_pass *out,
                       struct fault *f)
{
    pthread_rwlock_rdlock(&s->tokens_lock);
    bool found = token_table_find(s->tokens, secret, now_s, out);
    pthread_rwlock_unlock(&s->tokens_lock);
    return found ? 0 : fault(f, ERR_DENIED, "the token is unknown, revoked or expired");
}

/* ---- other number tables -------------------------------------------------------------------- */

static int fits(const struct store_switch *s, const struct tables *tables, struct fault *f)
{
    struct site *site = NULL;
    struct site_config config = {
        .plan = s->plan, .outside = s->outside, .extensions = s->extensions, .area = s->area};

    if (site_new(&site, tables, &config, f) != 0)
        return fault_in(f, "switch \"%s\"", ESCAPED(s->name));
    site_free(site);
    return 0;
}

/* Looks at every switch first: this job alone fails when one does not fit, not the whole commit. */
static int tables_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct store_page page = {.limit = STORE_PAGE_MAX};
    struct store_switch_list list;

    do {
        int err = store_switch_list(tx, &page, &list, f);
        for (size_t i = 0; !err && i < list.n; i++)
            err = fits(&list.items[i], arg, f);
        if (err)
            return err;
        page.cursor = list.next;
    } while (list.next.n);
    tx->store->next_tables = arg;
    tx_touch_levels(tx);
    return 0;
}

int store_tables_wait(struct store *s, const struct tables *tables, struct fault *f)
{
    return store_write_wait(s, tables_job, (void *)tables, f);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_STORE_IMPL_H
#define SEKISHO_STORE_STORE_IMPL_H

#include <pthread.h>

#include "store/open.h"
#include "store/queue.h"
#include "store/tokens.h"
#include "store/tx.h"

/* As many jobs share one commit at most: enough that fsync costs little, few enough that the first of
 * them does not wait long. */
#define BATCH_MAX 256

struct outcome {
    int code;
    struct fault fault;
};

/*
 * Who touches what: the writer thread (or store_open() and store_close(), when there is none) has
 * `writer`, `writer_evidence`, `touched`, `batch`, `outcomes`, `tables`, `next_tables` and `gave_way`; the reader
 * thread has `reader` and `reader_evidence`. `mutex` guards the queues, `closing`, `stats` and
 * `backing_up`. `tokens` is read by everybody under its own lock.
 */
struct store {
    struct store_config config;
    char *dir;
    int lock_fd;
    struct db *writer, *writer_evidence;
    struct db *reader, *reader_evidence;

    const struct tables *tables, *next_tables;
    unsigned gave_way; /* how often the job that is alone has done so */
    bool loaded;       /* the snapshot was filled: from now on what is touched is published */
    struct touched touched;
    struct job batch[BATCH_MAX];
    struct outcome outcomes[BATCH_MAX];

    pthread_rwlock_t tokens_lock;
    struct token_table *tokens;

    pthread_mutex_t mutex;
    pthread_cond_t writer_wakes, reader_wakes;
    struct queue queues[LANES];
    unsigned urgent; /* jobs in that queue, for store_gives_way(); by __atomic builtins */
    bool closing;
    struct store_stats stats; /* but for what is told of the lanes' last commits: */
    bool failing[LANES];
    char trouble[LANES][FAULT_MAX];

    pthread_t writer_thread, reader_thread;
    bool writer_runs, reader_runs;

    pthread_t backup_thread;
    bool backup_joinable, backing_up;
};

struct snapshot *store_snapshot(struct store *store);
struct instant store_now(const struct store *store);
__attribute__((format(printf, 3, 4))) void store_log(struct store *store, enum store_log level,
                                                     const char *format, ...);

/* A job that is alone may end with this where store_gives_way() says that somebody cannot wait for it: it
 * is undone, and begins again behind that. */
#define STORE_AGAIN 1
bool store_gives_way(const struct store *store);

/* The lanes (lanes.c). */
void *lanes_writer(void *store);
void *lanes_reader(void *store);
/* Runs one write job here and now; only while the threads do not run. */
int lanes_run(struct store *store, store_job job, void *arg, struct fault *f);

/* Makes what an empty store needs (seed.c). A write job; arg is a struct store_first. */
int seed_job(struct store_tx *tx, void *arg, struct fault *f);

/* Ends a backup that still runs (backup.c). */
void backup_join(struct store *store);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes a store as fast as it can and tells every acknowledged change on standard output, until it
 * is killed: kill_writer DIR FIRST. Numbers go up from FIRST. A line is a letter and the number:
 *
 *     p NUMBER   a pair: account pNUMBER, and the rule except NUMBER put to it, in one job
 *     b NUMBER   a batch: 20 accounts bNUMBER-0 … bNUMBER-19 imported
 *     n NUMBER   the note of the preset jp's title became NUMBER
 *     d NUMBER   account dNUMBER added, then deleted, in two jobs; the second was acknowledged
 *
 * and behind the number stands the account's id, where there is one account.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "store/bulk.h"

#define BATCH 20
#define IN_FLIGHT 8

static const struct store_by by = {.actor = SPAN("kill_writer")};

struct work {
    struct store *store;
    char kind;
    int64_t number;
    int64_t account;
    int row;
    char name[32];
};

static int64_t next_number;

static int pair_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct work *w = arg;
    struct rule rule = {.action = RULE_EXCEPT};
    struct store_account a = {.name = span_of(w->name)};
    int err = store_account_add(tx, &by, &a, &w->account, f);

    rule.prefix = span_of(w->name + 1);
    return err ? err
               : store_rule_put(tx, &by, (struct store_ref){SCOPE_ACCOUNT, w->account}, &rule, f);
}

static int next_row(void *arg, struct store_import_row *row, struct fault *f)
{
    struct work *w = arg;

    if (w->row == BATCH)
        return 0;
    snprintf(w->name, sizeof(w->name), "b%" PRId64 "-%d", w->number, w->row++);
    row->account.name = span_of(w->name);
    return 1;
}

static int batch_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct store_import import = {.next = next_row, .arg = arg};

    return store_account_import(tx, &by, &import, f);
}

static int note_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct work *w = arg;
    struct store_preset p;
    int err = store_preset_find(tx, SPAN("jp"), &p, f);

    p.title = span_of(w->name + 1);
    return err ? err : store_preset_update(tx, &by, &p, f);
}

static int add_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct work *w = arg;
    struct store_account a = {.name = span_of(w->name)};

    return store_account_add(tx, &by, &a, &w->account, f);
}

static int delete_job(struct store_tx *tx, void *arg, struct fault *f)
{
    return store_account_delete(tx, &by, ((struct work *)arg)->account, f);
}

static void start(struct work *w);

static void check(int code, const struct fault *f)
{
    if (code) {
        fprintf(stderr, "kill_writer: %s\n", f->text);
        exit(1);
    }
}

static void done(void *arg, int code, const struct fault *f)
{
    struct work *w = arg;
    char line[64];
    int n = snprintf(line, sizeof(line), "%c %" PRId64 " %" PRId64 "\n", w->kind, w->number,
                     w->account);

    check(code, f);
    if (write(STDOUT_FILENO, line, (size_t)n) != n)
        exit(1);
    start(w);
}

static void added(void *arg, int code, const struct fault *f)
{
    struct work *w = arg;

    check(code, f);
    struct fault why;
    check(store_write(w->store, delete_job, w, done, w, &why), &why);
}

/* Called on the writer thread only, once the first ones have begun. */
static void start(struct work *w)
{
    static const store_job jobs[] = {pair_job, batch_job, note_job, add_job};
    struct fault f;

    w->number = next_number++;
    w->kind = "pbnd"[w->number % 4];
    w->row = 0;
    w->account = 0;
    snprintf(w->name, sizeof(w->name), "%c%" PRId64, w->kind, w->number);
    check(store_write(w->store, jobs[w->number % 4], w, w->kind == 'd' ? added : done, w, &f), &f);
}

static int begin_job(struct store_tx *tx, void *arg, struct fault *f)
{
    for (int i = 0; i < IN_FLIGHT; i++)
        start(&((struct work *)arg)[i]);
    return 0;
}

#define LONG 2000

static int long_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct store_import out;

    return store_bulk_import(tx, &by, arg, true, &out, f);
}

/* Longer imports between, as the daemon does them: alone, and giving way. They are not told; all their
 * rows are there or none. */
static void import_long(struct store *store, const char *first, int k)
{
    struct bulk *bulk;
    struct fault f;

    check(bulk_new(&bulk, false, NULL, &f), &f);
    for (uint64_t i = 1; i <= LONG; i++) {
        char name[64];
        struct store_import_row row = {.line = i};

        snprintf(name, sizeof(name), "z%s-%d-%d", first, k, (int)i);
        row.account.name = span_of(name);
        check(bulk_add(bulk, &row, BULK_BORN, &f), &f);
    }
    check(store_write_alone_wait(store, long_job, bulk, &f), &f);
    bulk_free(bulk);
}

int main(int argc, char **argv)
{
    static struct work work[IN_FLIGHT];
    struct store_config config = {.dir = argc == 3 ? argv[1] : "."};
    struct store *store;
    struct fault f;

    next_number = argc == 3 ? strtoll(argv[2], NULL, 10) : 1;
    check(store_open(&store, &config, NULL, &f), &f);
    for (int i = 0; i < IN_FLIGHT; i++)
        work[i].store = store;
    check(store_write(store, begin_job, work, NULL, NULL, &f), &f);
    for (int k = 0;; k++)
        import_long(store, argc == 3 ? argv[2] : "0", k);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_import DIR ACCOUNTS: from a file in memory to accounts in the store and in the snapshot, how long
 * others wait meanwhile, and the start with all of them.
 */
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "measure.h"
#include "numbering/tables.h"
#include "serve/import_rows.h"
#include "visible.h"

#define SETS 3000
#define RULES 10

static struct tables *tables;
static const struct store_by by = {.actor = SPAN("bench")};

static void must(int err, const struct fault *f)
{
    if (!err)
        return;
    fprintf(stderr, "bench_import: %s\n", f->text);
    exit(1);
}

/* ---- the files ---- */

static void prefix(struct buf *b, size_t set, size_t k)
{
    buf_printf(b, "010%zu", 1000 + set * RULES + k);
}

static void csv_line(struct buf *b, size_t i, bool rules)
{
    buf_printf(b, i % 5 ? "05%08zu,,main" : "05%08zu,\"lobby, %zuF\",main", i, i % 60);
    if (rules)
        buf_putc(b, ',');
    for (size_t k = 0; rules && k < RULES; k++) {
        buf_puts(b, k ? " " : "");
        prefix(b, i % SETS, k);
    }
    buf_putc(b, '\n');
}

static void json_line(struct buf *b, size_t i, bool rules)
{
    buf_printf(b,
               i % 5 ? "{\"name\":\"05%08zu\",\"tenant\":\"main\""
                     : "{\"name\":\"05%08zu\",\"note\":\"lobby, %zuF\",\"tenant\":\"main\"",
               i, i % 60);
    for (size_t k = 0; rules && k < RULES; k++) {
        buf_puts(b, k ? ",{\"action\":\"restrict\",\"prefix\":\""
                      : ",\"rules\":[{\"action\":\"restrict\",\"prefix\":\"");
        prefix(b, i % SETS, k);
        buf_puts(b, k == RULES - 1 ? "\"}]" : "\"}");
    }
    buf_puts(b, "}\n");
}

static struct buf file(size_t n, bool csv, bool rules)
{
    struct buf b = {0};

    if (csv)
        buf_puts(&b, rules ? "name,note,tenant,restrict\n" : "name,note,tenant\n");
    for (size_t i = 0; i < n; i++)
        (csv ? csv_line : json_line)(&b, i, rules);
    if (b.failed)
        must(ERR_NOMEM, &(struct fault){.text = "out of memory"});
    return b;
}

/* ---- a house ---- */

struct house {
    struct snapshot *snap;
    struct store *store;
};

static void open_house(struct house *h, const char *dir)
{
    const struct snapshot_options options = {.key = "0123456789abcde"};
    struct store_config config = {.dir = dir, .tables = tables};
    struct fault f;

    must(snapshot_new(&h->snap, &options, &f), &f);
    config.snapshot = h->snap;
    must(store_open(&h->store, &config, NULL, &f), &f);
}

static void close_house(struct house *h)
{
    store_close(h->store);
    snapshot_free(h->snap);
}

static double cpu(void)
{
    return measure_clock(CLOCK_PROCESS_CPUTIME_ID);
}

/* ---- those who come meanwhile ---- */

static int stop_job(struct store_tx *tx, void *arg, struct fault *f)
{
    char note[32];

    snprintf(note, sizeof(note), "%g", measure_now());
    return store_stop_put(tx, &by, (struct store_ref){SCOPE_OPERATOR, 0}, span_of(note), f);
}

static int title_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct store_preset p;
    char title[32];
    int err = store_preset_find(tx, SPAN("jp"), &p, f);

    snprintf(title, sizeof(title), "%g", measure_now());
    p.title = span_of(title);
    return err ? err : store_preset_update(tx, &by, &p, f);
}

struct waits {
    struct store *store;
    bool urgent;
    bool over;
    double worst;
    size_t n;
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool answered;
};

static void answered(void *arg, int code, const struct fault *f)
{
    struct waits *w = arg;

    must(code, f);
    pthread_mutex_lock(&w->lock);
    w->answered = true;
    pthread_cond_signal(&w->done);
    pthread_mutex_unlock(&w->lock);
}

/* Again and again: a stop now and then, the others without a pause. */
static void *visit(void *arg)
{
    struct waits *w = arg;
    struct fault f;

    while (!__atomic_load_n(&w->over, __ATOMIC_RELAXED)) {
        double start = measure_now();
        w->answered = false;
        must(w->urgent ? store_urgent(w->store, stop_job, NULL, answered, w, &f)
                       : store_write(w->store, title_job, NULL, answered, w, &f),
             &f);
        pthread_mutex_lock(&w->lock);
        while (!w->answered)
            pthread_cond_wait(&w->done, &w->lock);
        pthread_mutex_unlock(&w->lock);
        double took = measure_now() - start;
        w->worst = took > w->worst ? took : w->worst;
        w->n++;
        usleep(w->urgent ? 1500000 : 1000);
    }
    return NULL;
}

/* ---- the import ---- */

static int add_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct store_import out;

    return store_bulk_import(tx, &by, arg, true, &out, f);
}

struct taken {
    double read, add_cpu, add_wall;
};

static struct taken import(struct house *h, struct buf *text, bool csv)
{
    const struct import_options options = {.csv = csv, .locks = true};
    struct bulk *bulk;
    struct fault f;
    struct taken t;

    double start = measure_cpu();
    must(bulk_new(&bulk, false, NULL, &f), &f);
    must(import_rows(bulk, text->p, text->n, &options, &f), &f);
    if (bulk_faults(bulk)->n)
        must(bulk_fault(bulk, &f), &f);
    t.read = measure_cpu() - start;
    double wall = measure_now();
    start = cpu();
    must(store_write_alone_wait(h->store, add_job, bulk, &f), &f);
    t.add_cpu = cpu() - start;
    t.add_wall = measure_now() - wall;
    bulk_free(bulk);
    return t;
}

static void one(const char *dir, const char *what, size_t n, bool csv, bool rules)
{
    struct buf text = file(n, csv, rules);
    double mib = (double)text.n / 1048576;
    char path[512];
    struct house h;

    snprintf(path, sizeof(path), "%s/%c%c", dir, csv ? 'c' : 'j', rules ? 'r' : 'b');
    mkdir(path, 0700);
    open_house(&h, path);
    struct taken t = import(&h, &text, csv);
    struct snapshot_figures figures = snapshot_figures(h.snap);
    buf_free(&text);
    close_house(&h);
    double wall = measure_now(), start = cpu();
    open_house(&h, path);
    start = cpu() - start;
    wall = measure_now() - wall;
    close_house(&h);
    printf("%-24s %6.0f %8.2f %8.2f %8.2f %10.0f %10.0f %8.2f %8.2f %8.1f\n", what, mib,
           t.read / 1e9, t.add_cpu / 1e9, t.add_wall / 1e9, (double)n / (t.read + t.add_cpu) * 1e9,
           (double)n / (t.read + t.add_wall) * 1e9, start / 1e9, wall / 1e9,
           (double)figures.bytes / (double)figures.accounts - 16);
}

static void crowd(const char *dir, size_t n, bool urgent)
{
    struct buf text = file(n, true, false);
    struct waits w = {
        .urgent = urgent, .lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};
    struct house h;
    pthread_t visitor;
    char path[512];

    snprintf(path, sizeof(path), "%s/w%d", dir, urgent);
    mkdir(path, 0700);
    open_house(&h, path);
    w.store = h.store;
    pthread_create(&visitor, NULL, visit, &w);
    struct taken t = import(&h, &text, true);
    __atomic_store_n(&w.over, true, __ATOMIC_RELAXED);
    pthread_join(visitor, NULL);
    printf("%-24s %8zu %12.1f %18.2f\n", urgent ? "stops" : "other changes", w.n, w.worst / 1e6,
           t.add_wall / 1e9);
    close_house(&h);
    buf_free(&text);
}

int main(int argc, char **argv)
{
    size_t n_files, n = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000;
    const struct tables_file *files = tables_builtin(&n_files);
    struct fault f;

    must(tables_load(&tables, files, n_files, &f), &f);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf(
        "import of %zu accounts: seconds; rows a second by CPU and by the clock; start: seconds\n",
        n);
    printf("%-24s %6s %8s %8s %8s %10s %10s %8s %8s %8s\n", "", "MiB", "read", "add cpu",
           "add wall", "/s cpu", "/s wall", "st. cpu", "st. wall", "B/acct");
    one(argv[1], "CSV", n, true, false);
    one(argv[1], "JSON lines", n, false, false);
    one(argv[1], "CSV, 10 rules each", n, true, true);
    one(argv[1], "JSON lines, 10 rules", n, false, true);
    printf("\nwho comes during an import       how many   worst wait, ms   import, s\n");
    crowd(argv[1], n, true);
    crowd(argv[1], n, false);
    visible(n, tables);
    tables_free(tables);
    return 0;
}

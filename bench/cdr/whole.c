/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How fast records become history, from bytes to calls.db, and in how much memory: whole DIRECTORY ROWS ZONE */
#include <stdio.h>
#include <sys/resource.h>

#include "base/zoneinfo.h"
#include "measure.h"
#include "numbering/tables.h"
#include "plausible.h"
#include "policy/snapshot.h"
#include "serve/call_import.h"
#include "store/store.h"

#define PIECE ((size_t)4 << 20)
#define STEPS 10

static struct fault f;

static void must(int err)
{
    if (!err)
        return;
    fprintf(stderr, "whole: %s\n", f.text);
    exit(1);
}

static double peak_mb(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

struct whole {
    struct call_import *import;
    struct plausible plausible;
    struct buf text;
    double cpu; /* ns, without making the rows */
};

/* Rows until there are `rows` in all. */
static void feed(struct whole *w, uint64_t rows)
{
    while (w->plausible.calls < rows || w->text.n) {
        size_t used = 0;

        while (w->text.n < PIECE - 4096 && w->plausible.calls < rows)
            plausible_line(&w->plausible, &w->text);
        double began = measure_cpu();
        must(call_import_piece(w->import, buf_span(&w->text), w->plausible.calls >= rows, NULL, 1,
                               &used, NULL, &f));
        w->cpu += measure_cpu() - began;
        memmove(w->text.p, w->text.p + used, w->text.n - used);
        w->text.n -= used;
    }
}

static void all(struct whole *w, struct calls *calls, uint64_t rows)
{
    for (uint64_t i = 1; i <= STEPS; i++) {
        feed(w, rows * i / STEPS);
        printf("%12llu rows %10.0f rows per CPU second, %6.1f MB at most\n",
               (unsigned long long)w->plausible.calls, (double)w->plausible.calls / w->cpu * 1e9,
               peak_mb());
    }
    double began = measure_cpu();
    must(calls_sum(calls, &f));
    double summed = measure_cpu() - began;
    printf("into the history: %.0f rows per CPU second, %.1f MB at most\n",
           (double)rows / summed * 1e9, peak_mb());
    printf("whole path: %.0f rows per CPU second\n", (double)rows / (w->cpu + summed) * 1e9);
    struct call_import_figures figures = call_import_figures(w->import, NULL, NULL);
    if (figures.added + figures.unowned + figures.passed < rows || figures.bad) {
        fprintf(stderr, "whole: rows were not taken\n");
        exit(1);
    }
}

int main(int argc, char **argv)
{
    const struct snapshot_options snapshot_options = {.key = "0123456789abcde"};
    struct call_import_options options = {.switch_id = 1, .format.format = CDR_FORMAT_ASTERISK};
    struct store_config config = {.dir = argc == 4 ? argv[1] : ""};
    struct calls_config calls_config = {.dir = config.dir, .place = call_place};
    struct whole w = {.cpu = 0};
    struct tables *tables;
    struct snapshot *snapshot;
    struct store *store;
    struct calls *calls;
    struct buf tzif = {0};
    struct tz *tz;

    if (argc != 4) {
        fputs("Usage: whole DIRECTORY ROWS ZONE\n", stderr);
        return 1;
    }
    snapshot_reader_register();
    must(zoneinfo_read(NULL, span_of(argv[3]), &tzif, &f));
    must(tz_new(&tz, buf_span(&tzif), &f));
    must(tables_load(&tables, NULL, 0, &f));
    must(snapshot_new(&snapshot, &snapshot_options, &f));
    config.tables = tables;
    config.snapshot = calls_config.place_arg = snapshot;
    must(store_open(&store, &config, NULL, &f));
    must(calls_open(&calls, &calls_config, &f));
    options.format.tz = tz;
    must(cdr_payer_rule_parse(&options.payer, SPAN("accountcode, endpoint, src"), &f));
    must(call_import_new(&w.import, calls, snapshot, &options, &f));
    plausible_begin(&w.plausible, 1, 100000);
    all(&w, calls, strtoull(argv[2], NULL, 10));
    call_import_free(w.import);
    calls_close(calls);
    store_close(store);
    snapshot_free(snapshot);
    tables_free(tables);
    tz_free(tz);
    buf_free(&tzif);
    buf_free(&w.text);
    snapshot_reader_unregister();
    return 0;
}

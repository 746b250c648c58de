/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_sweep DIR ACCOUNTS CALLS: calls into the store and their history summed, then a sweep of accounts of which
 * one in twenty calls abroad and half are restricted already: previewed, applied, undone.
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>

#include "measure.h"
#include "numbering/numbering.h"
#include "numbering/site.h"
#include "numbering/tables.h"
#include "policy/snapshot.h"
#include "store/calls.h"
#include "store/sweeps.h"

#define DAY_MS (24 * 3600 * (int64_t)1000)
#define NOW_MS INT64_C(1790000000000)
#define BATCH ((size_t)1 << 18)

static struct tables *tables;
static struct site *site;
static const struct store_by by = {.actor = SPAN("bench")};
static struct fault f;

static void must(int err)
{
    if (!err)
        return;
    fprintf(stderr, "bench_sweep: %s\n", f.text);
    exit(1);
}

static double process_cpu(void)
{
    return measure_clock(CLOCK_PROCESS_CPUTIME_ID) / 1e9;
}

static struct instant now(void)
{
    return (struct instant){.wall_ms = NOW_MS};
}

static struct history_place place_of(void *arg, int64_t switch_id, const struct call *call)
{
    struct number number;

    numbering_parse(site, call->dialled, &number);
    return (struct history_place){.country = number.country ? span_of(number.country->iso)
                                                            : (struct span){NULL, 0},
                                  .abroad = number.target == CLASS_INTERNATIONAL};
}

static void add_accounts(const char *dir, size_t n)
{
    char path[512], sql[1024];
    sqlite3 *db = NULL;
    char *why = NULL;

    snprintf(path, sizeof(path), "%s/sekisho.db", dir);
    snprintf(
        sql, sizeof(sql),
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %zu)"
        " INSERT INTO accounts (switch, name, tenant, state, state_set, note, adopted, rule_set,"
        " created, change) SELECT 1, printf('05%%08d', i), 1, 'active', 1, '', 0,"
        " iif(i %% 2, 1, (SELECT rule_set FROM presets)), 1, 1 FROM n; UPDATE audit SET at = 0",
        n);
    if (sqlite3_open(path, &db) ||
        sqlite3_exec(db, "DROP TRIGGER audit_is_final", NULL, NULL, &why) ||
        sqlite3_exec(db, sql, NULL, NULL, &why)) {
        fprintf(stderr, "bench_sweep: %s\n", why ? why : path);
        exit(1);
    }
    sqlite3_close(db);
}

/* ---- calls ---------------------------------------------------------------------------------- */

static const char *const abroad[] = {"01012125551234", "010442071234567", "0108613912345678",
                                     "010639171234567"};

static void make_call(struct call *call, char dialled[16], size_t i, size_t n, size_t accounts,
                      struct calls *calls, uint64_t *seed)
{
    size_t who = (size_t)(measure_random(seed) % accounts) + 1;
    char name[16];

    snprintf(name, sizeof(name), "05%08zu", who);
    *call = (struct call){.start_ms = NOW_MS - 390 * DAY_MS +
                                      (int64_t)((double)(390 * DAY_MS) * (double)i / (double)n),
                          .seconds = (uint32_t)(measure_random(seed) % 300),
                          .end = measure_random(seed) % 4 ? CALL_ANSWERED : CALL_UNANSWERED};
    must(calls_caller(calls, 1, span_of(name), &call->caller, &f));
    if (who % 20 == 1 && measure_random(seed) % 2)
        snprintf(dialled, 16, "%s", abroad[measure_random(seed) % 4]);
    else
        snprintf(dialled, 16, "0%u%08u", 3 + (unsigned)(measure_random(seed) % 6),
                 20000000 + (unsigned)(measure_random(seed) % 70000000));
    call->dialled = span_of(dialled);
    call->key = call_key(call, (struct span){name, 10}, (uint32_t)i);
}

static void add_calls(struct calls *calls, size_t n, size_t accounts)
{
    struct call *batch = calloc(BATCH, sizeof(*batch));
    char(*dialled)[16] = calloc(BATCH, sizeof(*dialled));
    struct calls_added added;
    uint64_t seed = 7;
    double making = 0, adding = 0;

    for (size_t i = 0; i < n;) {
        double start = process_cpu();
        size_t k = 0;

        for (; k < BATCH && i < n; k++, i++)
            make_call(&batch[k], dialled[k], i, n, accounts, calls, &seed);
        making += process_cpu() - start;
        start = process_cpu();
        must(calls_append(calls, 1, batch, k, NULL, NOW_MS, &added, &f));
        adding += process_cpu() - start;
    }
    printf("%-48s %8.0f\n", "made up, callers found, thousand/CPU s", (double)n / making / 1e3);
    printf("%-48s %8.0f\n", "calls added, thousand/CPU s", (double)n / adding / 1e3);
    free(dialled);
    free(batch);
}

static void timed(const char *what, double start_wall, double start_cpu)
{
    printf("%-48s %8.2f %8.2f\n", what, (measure_now() - start_wall) / 1e9,
           process_cpu() - start_cpu);
}

static void fill_calls(const char *dir, size_t n, size_t accounts)
{
    const struct calls_config config = {.dir = dir, .place = place_of};
    struct calls *calls = NULL;

    must(calls_open(&calls, &config, &f));
    add_calls(calls, n, accounts);
    double wall = measure_now(), cpu = process_cpu();
    must(calls_sum(calls, &f));
    timed("history summed, s (wall, CPU)", wall, cpu);
    calls_close(calls);
}

/* ---- the sweep ------------------------------------------------------------------------------ */

static void run_sweep(struct store *store)
{
    const struct sweep_ask ask = {.terms = {.now_ms = NOW_MS,
                                            .since_ms = NOW_MS - 395 * DAY_MS,
                                            .young_ms = 30 * DAY_MS,
                                            .believed_ms = 14 * DAY_MS}};
    struct sweep_plan *plan = NULL;
    int64_t id = 0;
    uint64_t called = 0, restored = 0;
    double wall = measure_now(), cpu = process_cpu();

    must(store_sweep_preview(store, &ask, NULL, NULL, &plan, &f));
    timed("sweep previewed, s (wall, CPU)", wall, cpu);
    for (enum sweep_verdict v = 0; v < SWEEP_VERDICTS; v++)
        printf("  %-46s %8" PRIu64 "\n", sweep_verdict_name(v), sweep_plan_count(plan, v));
    wall = measure_now();
    cpu = process_cpu();
    must(store_sweep_apply_wait(store, &by, plan, false, &id, &called, &f));
    timed("sweep applied, s (wall, CPU)", wall, cpu);
    wall = measure_now();
    cpu = process_cpu();
    must(store_sweep_undo_wait(store, &by, id, &restored, &f));
    timed("sweep undone, s (wall, CPU)", wall, cpu);
    sweep_plan_free(plan);
}

int main(int argc, char **argv)
{
    const struct site_config plan = {.plan = SPAN("JP")};
    const struct snapshot_options options = {0};
    struct snapshot *snapshot = NULL;
    struct store *store = NULL;
    struct rusage usage;

    if (argc != 4)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    size_t accounts = strtoul(argv[2], NULL, 10), calls = strtoul(argv[3], NULL, 10);
    must(tables_load(&tables, NULL, 0, &f));
    must(site_new(&site, tables, &plan, &f));
    struct store_config config = {.dir = argv[1], .tables = tables, .now = now};
    must(store_open(&store, &config, NULL, &f));
    store_close(store);
    add_accounts(argv[1], accounts);
    fill_calls(argv[1], calls, accounts);
    getrusage(RUSAGE_SELF, &usage);
    printf("%-48s %8ld\n", "memory at its most until here, MiB", usage.ru_maxrss / 1024);
    must(snapshot_new(&snapshot, &options, &f));
    config.snapshot = snapshot;
    must(store_open(&store, &config, NULL, &f));
    run_sweep(store);
    store_close(store);
    snapshot_free(snapshot);
    site_free(site);
    tables_free(tables);
    return 0;
}

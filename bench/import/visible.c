/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "visible.h"

#include <stdio.h>

#include "measure.h"

#define CHANGES 20000
#define TENANTS 10000

struct times {
    double taken[CHANGES];
    size_t n;
};

static void must(int err, const struct fault *f)
{
    if (!err)
        return;
    fprintf(stderr, "%s\n", f->text);
    exit(1);
}

static void print(const char *what, struct times *stage, struct times *publish)
{
    qsort(stage->taken, stage->n, sizeof(double), measure_compare);
    qsort(publish->taken, publish->n, sizeof(double), measure_compare);
    printf("%-34s %10.1f %10.1f %12.2f %10.2f\n", what, stage->taken[stage->n / 2] / 1e3,
           stage->taken[stage->n - 1] / 1e3, publish->taken[publish->n / 2] / 1e3,
           publish->taken[publish->n - 1] / 1e3);
    stage->n = publish->n = 0;
}

static void stage(struct snapshot *snap, size_t i, const struct ruleset *set)
{
    char name[32];
    struct fault f;
    struct snapshot_account account = {
        .id = (int64_t)i + 1,
        .switch_id = 1,
        .tenant = 1,
        .rules = set,
        .name = {name, (size_t)snprintf(name, sizeof(name), "05%08zu", i)},
    };

    must(snapshot_stage_account(snap, &account, &f), &f);
}

static void stage_levels(struct snapshot *snap, const struct tables *tables)
{
    static struct levels_tenant tenants[TENANTS];
    static char names[TENANTS][16];
    static const struct rule born[] = {{.action = RULE_RESTRICT, .prefix = SPAN("010")}};
    struct levels_switch gate = {
        .id = 1, .name = SPAN("pbx"), .site = {.plan = SPAN("JP")}, .mode = MODE_ENFORCE};
    struct levels_config config = {.tables = tables,
                                   .switches = &gate,
                                   .n_switches = 1,
                                   .tenants = tenants,
                                   .n_tenants = TENANTS};
    struct fault f;

    for (size_t i = 0; i < TENANTS; i++) {
        snprintf(names[i], sizeof(names[i]), "tenant-%zu", i);
        tenants[i] = (struct levels_tenant){
            .id = (int64_t)i + 1, .name = span_of(names[i]), .born = {born, 1}};
    }
    must(snapshot_stage_levels(snap, &config, &f), &f);
}

/* One change each: an account that is there, or a new one. The writer's reclaiming before each counts to
 * what comes before the commit. */
static void change(struct snapshot *snap, size_t n, size_t first, size_t step, size_t modulo,
                   const struct ruleset *sets[2], struct times *before, struct times *after)
{
    for (size_t i = 0; i < n; i++) {
        double start = measure_now();
        snapshot_reclaim(snap);
        stage(snap, first + i * step % modulo, sets[i % 2]);
        double staged = measure_now();
        snapshot_publish(snap, (int64_t)i + 2);
        before->taken[before->n++] = staged - start;
        after->taken[after->n++] = measure_now() - staged;
    }
}

void visible(size_t accounts, const struct tables *tables)
{
    static const struct rule rules[] = {{.action = RULE_RESTRICT, .prefix = SPAN("010")},
                                        {.action = RULE_RESTRICT, .prefix = SPAN("0990")}};
    static struct times before, after;
    const struct snapshot_options options = {.key = "0123456789abcde"};
    const struct ruleset *sets[2];
    struct snapshot *snap;
    struct fault f;

    must(snapshot_new(&snap, &options, &f), &f);
    for (size_t i = 0; i < 2; i++)
        must(snapshot_rules(snap, rules, i + 1, &sets[i], &f), &f);
    must(snapshot_reserve(snap, accounts, &f), &f);
    for (size_t i = 0; i < accounts; i++)
        stage(snap, i, sets[0]);
    stage_levels(snap, tables);
    snapshot_publish(snap, 1);
    printf("\nfrom durable to visible, %zu accounts   before the commit, us     after it, us\n",
           accounts);
    printf("%-34s %10s %10s %12s %10s\n", "", "median", "worst", "median", "worst");
    change(snap, CHANGES, 0, 7919, accounts, sets, &before, &after);
    print("an account's rules", &before, &after);
    change(snap, CHANGES, accounts, 1, accounts, sets, &before, &after);
    print("a new account", &before, &after);
    /* Behind its last change before the table is full, the writer makes room. */
    size_t bytes = snapshot_figures(snap).bytes, next = accounts + CHANGES;
    double grew = 0;
    while (snapshot_figures(snap).bytes == bytes) {
        before.n = after.n = 0;
        change(snap, 1, next++, 1, accounts, sets, &before, &after);
        grew = measure_now();
        snapshot_prepare(snap);
        grew = measure_now() - grew;
    }
    printf("%-34s %10.1f\n", "growing, behind a change", grew / 1e3);
    before.n = after.n = 0;
    for (size_t i = 0; i < 20; i++) {
        double start = measure_now();
        snapshot_reclaim(snap);
        stage_levels(snap, tables);
        double staged = measure_now();
        snapshot_publish(snap, (int64_t)i + 2);
        before.taken[before.n++] = staged - start;
        after.taken[after.n++] = measure_now() - staged;
    }
    print("a level, with 10,000 tenants", &before, &after);
    for (size_t i = 0; i < 2; i++)
        snapshot_rules_unref(snap, sets[i]);
    snapshot_free(snap);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that runs out at every point, in our own code and inside of SQLite: the job fails with a
 * sentence, the store and the snapshot are as before, and the same job succeeds afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "failalloc.h"
#include "fixture.h"
#include "numbering/tables.h"
#include "policy/snapshot.h"
#include "store/guard_batch.h"
#include "store/guard_lists.h"

/* SQLite's allocations are counted and refused like our own: through a malloc that is wrapped here. */
static sqlite3_mem_methods plain;

static bool refused(void)
{
    void *p = malloc(1);

    free(p);
    return p == NULL;
}

static void *lite_malloc(int n)
{
    return refused() ? NULL : plain.xMalloc(n);
}

static void *lite_realloc(void *p, int n)
{
    return refused() ? NULL : plain.xRealloc(p, n);
}

static struct place place;
static struct tables *tables;
static struct snapshot *snapshot;
static struct store *store;

static const struct store_by by = {.actor = SPAN("test")};

static int open_store(struct fault *f)
{
    struct store_config config = {.dir = place.dir, .tables = tables, .snapshot = snapshot};

    return store_open(&store, &config, NULL, f);
}

static int setup(void **state)
{
    const struct snapshot_options options = {.key = "0123456789abcde"};

    place_make(&place);
    assert_int_equal(snapshot_new(&snapshot, &options, NULL), 0);
    return 0;
}

static int teardown(void **state)
{
    store_close(store);
    store = NULL;
    snapshot_free(snapshot);
    place_remove(&place);
    return 0;
}

/* The job, with memory that ends after `n` allocations of the writer thread, from the job's beginning
 * to its done: the COMMIT and what is published are within. */
struct starving {
    store_job job;
    size_t n;
    bool ran_out;
};

static int start_starving(struct store_tx *tx, void *arg, struct fault *f)
{
    struct starving *a = arg;

    failalloc_after(a->n);
    return a->job(tx, NULL, f);
}

static void end_starving(void *arg, int code, const struct fault *f)
{
    ((struct starving *)arg)->ran_out = failalloc_off();
}

struct result {
    struct starving attempt;
    int code;
    struct fault fault;
};

static void end_and_tell(void *arg, int code, const struct fault *f)
{
    struct result *r = arg;

    end_starving(&r->attempt, code, f);
    r->code = code;
    r->fault = *f;
}

static int nothing(struct store_tx *tx, void *arg, struct fault *f)
{
    return 0;
}

struct state {
    int64_t audit, accounts, presets, rules;
    int64_t published;
    size_t in_snapshot;
};

static struct state look(void)
{
    const char *path = place_file(&place, "sekisho.db");

    return (struct state){
        .audit = fixture_number(path, "SELECT count(*) FROM audit"),
        .accounts = fixture_number(path, "SELECT count(*) FROM accounts"),
        .presets = fixture_number(path, "SELECT count(*) FROM presets"),
        .rules = fixture_number(path, "SELECT count(*) FROM rules"),
        .published = snapshot_change(snapshot),
        .in_snapshot = snapshot_figures(snapshot).accounts,
    };
}

/* Every point at first, then one of a few: SQLite allocates much in the same places. */
static size_t stride(size_t n)
{
    return 1 + n / 60;
}

/* Runs `job` with less memory than it needs until it has enough. Returns how often it failed. */
static size_t starve(store_job job)
{
    struct state before = look();

    for (size_t n = 0;; n += stride(n)) {
        struct result r = {.attempt = {job, n, false}};
        assert_int_equal(store_write(store, start_starving, &r.attempt, end_and_tell, &r, NULL), 0);
        store_write_wait(store, nothing, NULL, NULL); /* may have shared its commit */
        if (r.code == 0)
            return n; /* SQLite may have done without, for a cache */
        assert_true(r.attempt.ran_out);
        if (r.code != ERR_NOMEM)
            fail_msg("%s: %s", fixture_error_name(r.code), r.fault.text);
        struct state after = look();
        assert_memory_equal(&after, &before, sizeof(before));
    }
}

static int add_account(struct store_tx *tx, void *arg, struct fault *f)
{
    return fixture_add_account(tx, (void *)"1001", f);
}

static int lift(struct store_tx *tx, void *arg, struct fault *f)
{
    return store_rule_delete(tx, &by, (struct store_ref){SCOPE_ACCOUNT, 1}, RULE_RESTRICT,
                             SPAN("010"), f);
}

static int add_preset(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct rule rules[] = {{.prefix = SPAN("0990")}, {.prefix = SPAN("0570")}};
    const struct store_preset p = {.name = SPAN("strict"), .rules = rules, .n_rules = 2};
    int64_t id;

    return store_preset_add(tx, &by, &p, &id, f);
}

static int stop_all(struct store_tx *tx, void *arg, struct fault *f)
{
    return store_stop_put(tx, &by, (struct store_ref){SCOPE_OPERATOR, 0}, SPAN("x"), f);
}

static int put_canary(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_canary c = {.switch_name = SPAN("local"), .name = SPAN("admin")};
    int64_t id;

    return store_canary_put(tx, &by, &c, &id, f);
}

static int ban(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_ban b = {.network = {4, 32, {198, 51, 100, 7}}};
    int64_t id;

    return store_ban_put(tx, &by, &b, &id, f);
}

/* Ends the ban, too. */
static int never_ban(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct network network = {4, 24, {198, 51, 100}};
    int64_t id;

    return store_network_put(tx, &by, STORE_NEVER_BAN, &network, SPAN("x"), &id, f);
}

static int unlock(struct store_tx *tx, void *arg, struct fault *f)
{
    return store_unlock(tx, &by, SPAN("local"), SPAN("1001"), f);
}

static int add_token(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_token t = {.label = SPAN("x")};
    char secret[STORE_SECRET_MAX];
    int64_t id;

    return store_token_add(tx, &by, &t, &id, secret, f);
}

static int next_row(void *arg, struct store_import_row *row, struct fault *f)
{
    static const char *const names[] = {"a", "b", "c"};
    int *n = arg;

    if (*n == 3)
        return 0;
    row->account.name = span_of(names[(*n)++]);
    return 1;
}

static int import_job(struct store_tx *tx, void *arg, struct fault *f)
{
    int n = 0;
    struct store_import import = {.next = next_row, .arg = &n};

    return store_account_import(tx, &by, &import, f);
}

static void jobs_without_memory_change_nothing(void **state)
{
    assert_int_equal(open_store(NULL), 0);
    assert_true(starve(add_account) > 20);
    assert_true(starve(lift) > 20);
    assert_true(starve(add_preset) > 20);
    assert_true(starve(stop_all) > 20);
    assert_true(starve(add_token) > 10);
    assert_true(starve(import_job) > 20);
    assert_true(starve(put_canary) > 10);
    assert_true(starve(ban) > 10);
    assert_true(starve(never_ban) > 10);
    assert_true(starve(unlock) > 10);
    assert_int_equal(snapshot_figures(snapshot).accounts, 4);
    assert_int_equal(fixture_count(store), 4);
}

/* One row of everything that the guard's journal writes. */
static int write_batch(struct store_tx *tx, void *arg, struct fault *f)
{
    struct evidence evidence = {.switch_id = 1, .account_n = 4, .account = "1001"};
    struct batch_ban b = {.ban = {.network = {4, 32, {198, 51, 100, 7}}}};
    struct batch_lock lock = {.lock = {.switch_id = 1, .name = "1001", .name_n = 4}};
    struct batch_good good = {.account = 7, .network = {4, 32, {192, 0, 2, 9}}, .good = true};
    struct batch_decision decision = {
        .event = {.kind = GUARD_BAN, .switch_id = 1, .at = store_tx_now(tx)},
        .n_counted = 1,
        .counted = &evidence};
    struct guard_pair pair = {.account = 7, .home = good.network, .days = 3, .good = true};
    struct guard_count count = {.network = b.ban.network, .parts = {{1}}};
    struct store_attempts attempts = {.count = 1,
                                      .switch_id = 1,
                                      .source = b.ban.network,
                                      .first_ms = store_tx_now(tx).wall_ms,
                                      .last_ms = store_tx_now(tx).wall_ms};
    struct guard_batch batch = {&b, &lock, &good, &decision, &pair, &count, &attempts, 1,
                                1,  1,     1,     1,         1,     1,      .sweep = 1};

    return guard_batch_write(tx, &batch, f);
}

struct evidence_state {
    int64_t bans, locks, goods, decisions, counted, pairs, counts, attempts;
};

static struct evidence_state look_at_evidence(void)
{
    const char *path = place_file(&place, "evidence.db");

    return (struct evidence_state){
        fixture_number(path, "SELECT count(*) FROM bans"),
        fixture_number(path, "SELECT count(*) FROM locks"),
        fixture_number(path, "SELECT count(*) FROM known_good"),
        fixture_number(path, "SELECT sum(rows) FROM decision_total"),
        fixture_number(path, "SELECT count(*) FROM counted"),
        fixture_number(path, "SELECT count(*) FROM pairs"),
        fixture_number(path, "SELECT count(*) FROM counts"),
        fixture_number(path, "SELECT count(*) FROM attempts"),
    };
}

static int see_ban(void *arg, const struct guard_ban *b, struct fault *f)
{
    return b->network.family ? 0 : ERR_CORRUPT;
}

static int see_pair(void *arg, const struct guard_pair *pair, struct fault *f)
{
    return pair->good ? 0 : ERR_CORRUPT;
}

static int load_guard(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_guard_loader loader = {.ban = see_ban, .pair = see_pair};
    struct guard_limits limits;

    guard_limits_default(&limits);
    return store_guard_load(tx, &limits, &loader, f);
}

static int read_decisions(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_decision_query query = {.network = {4, 24, {198, 51, 100}}, .inside = true};
    struct store_decision_list list;

    return store_decision_list(tx, &query, &list, f);
}

static int read_report(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_attack_query query = {0};
    struct store_attack_report out;

    return store_attack_report(tx, &query, &out, f);
}

static int read_lists(struct store_tx *tx, void *arg, struct fault *f)
{
    struct store_guard_lists lists;

    return store_guard_lists_read(tx, &lists, f);
}

typedef int queue_fn(struct store *to, store_job job, void *arg, store_done done, void *done_arg,
                     struct fault *f);

/* The same for a job of another lane, whose next job is a barrier: a lane runs them in order. */
static size_t starve_in(queue_fn *queue,
                        int (*barrier)(struct store *, store_job, void *, struct fault *),
                        store_job job)
{
    struct evidence_state before = look_at_evidence();

    for (size_t n = 0;; n += stride(n)) {
        struct result r = {.attempt = {job, n, false}};
        assert_int_equal(queue(store, start_starving, &r.attempt, end_and_tell, &r, NULL), 0);
        barrier(store, nothing, NULL, NULL);
        if (r.code == 0)
            return n;
        assert_true(r.attempt.ran_out);
        if (r.code != ERR_NOMEM)
            fail_msg("%s: %s", fixture_error_name(r.code), r.fault.text);
        struct evidence_state after = look_at_evidence();
        assert_memory_equal(&after, &before, sizeof(before));
    }
}

static void evidence_without_memory_is_written_later(void **state)
{
    const struct evidence_state one = {1, 1, 1, 1, 1, 1, 1, 1};

    assert_int_equal(open_store(NULL), 0);
    assert_true(starve_in(store_evidence, store_evidence_wait, write_batch) > 10);
    struct evidence_state after = look_at_evidence();
    assert_memory_equal(&after, &one, sizeof(one));
    assert_true(starve_in(store_read, store_read_wait, load_guard) > 5);
    assert_true(starve_in(store_read, store_read_wait, read_decisions) > 5);
    assert_true(starve_in(store_read, store_read_wait, read_report) > 5);
    assert_true(starve_in(store_read, store_read_wait, read_lists) > 5);
}

static void a_start_without_memory_can_be_repeated(void **state)
{
    size_t n = 0;

    for (;; n += stride(n)) {
        struct fault f = {0};
        failalloc_after(n);
        int err = open_store(&f);
        bool ran_out = failalloc_off();
        if (err == 0)
            break;
        assert_true(ran_out);
        assert_null(store);
        if (err != ERR_NOMEM)
            fail_msg("allocation %zu: %s", n, f.text);
        snapshot_discard(snapshot, 0);
    }
    assert_true(n > 100);
    assert_int_equal(store_write_wait(store, add_account, NULL, NULL), 0);
    assert_int_equal(
        fixture_number(place_file(&place, "sekisho.db"), "SELECT count(*) FROM presets"), 1);
}

static int load_tables(void **state)
{
    return tables_load(&tables, NULL, 0, NULL);
}

static int free_tables(void **state)
{
    tables_free(tables);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(jobs_without_memory_change_nothing),
        TEST(evidence_without_memory_is_written_later),
        TEST(a_start_without_memory_can_be_repeated),
    };
    sqlite3_mem_methods starving;

    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain);
    starving = plain;
    starving.xMalloc = lite_malloc;
    starving.xRealloc = lite_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &starving);
    return cmocka_run_group_tests(tests, load_tables, free_tables);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sweep on a whole store: whom it restricts, whom it leaves, and what undo gives back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"
#include "numbering/numbering.h"
#include "numbering/tables.h"
#include "policy/snapshot.h"
#include "store/calls.h"
#include "store/sweeps.h"

#define DAY_MS (24 * 3600 * (int64_t)1000)
#define NOW_MS INT64_C(1800000000000)

static struct place place;
static struct tables *tables;
static struct snapshot *snapshot;
static struct store *store;
static struct calls *calls;
static struct fault f;

static const struct store_by by = {.actor = SPAN("test")}, owner = {.actor = SPAN("owner")};

static struct instant now(void)
{
    return (struct instant){.wall_ms = NOW_MS - 400 * DAY_MS};
}

/* What begins with 010 goes to the United States. */
static struct history_place place_of(void *arg, int64_t switch_id, const struct call *call)
{
    bool abroad = span_starts(call->dialled, SPAN("010"));

    return (struct history_place){
        .country = abroad ? SPAN("US") : SPAN("JP"), .abroad = abroad, .doubted = false};
}

static void start(void)
{
    const struct snapshot_options options = {.key = "0123456789abcde"};
    const struct calls_config calls_config = {.dir = place.dir, .place = place_of};
    struct store_config config = {.dir = place.dir, .tables = tables, .now = now};

    assert_int_equal(snapshot_new(&snapshot, &options, &f), 0);
    config.snapshot = snapshot;
    if (store_open(&store, &config, NULL, &f) != 0 || calls_open(&calls, &calls_config, &f) != 0)
        fail_msg("%s", f.text);
}

static void stop(void)
{
    calls_close(calls);
    store_close(store);
    snapshot_free(snapshot);
}

static int setup(void **state)
{
    place_make(&place);
    start();
    return 0;
}

static int teardown(void **state)
{
    stop();
    place_remove(&place);
    return 0;
}

/* ---- the house ------------------------------------------------------------------------------ */

/* An account: what it is called, and the rules that it has (not the born ones). */
struct person {
    const char *name;
    const struct rule *rules;
    size_t n;
};

static int add_job(struct store_tx *tx, void *arg, struct fault *why)
{
    const struct person *p = arg;
    const struct store_account a = {.name = span_of(p->name)};
    struct store_ref ref = {.scope = SCOPE_ACCOUNT};
    int err = store_account_add(tx, &by, &a, &ref.id, why);

    /* As an import brings it: nobody has lifted anything. */
    return err ? err : store_rules_replace(tx, &by, ref, p->rules, p->n, why);
}

static void must(int err)
{
    if (err)
        fail_msg("%s", f.text);
}

static void add(const char *name, const struct rule *rules, size_t n)
{
    struct person p = {name, rules, n};

    must(store_write_wait(store, add_job, &p, &f));
    /* The record of how the test made it is no lifting: it was made without its born rules. */
    fixture_sql(place_file(&place, "sekisho.db"),
                "DROP TRIGGER IF EXISTS audit_is_final;"
                "UPDATE audit SET detail = '{}' WHERE action = 'rules.replace' AND actor = 'test'");
}

static int find(struct store_tx *tx, const char *name, struct store_account *a, struct fault *why)
{
    return store_account_find(tx, SPAN("local"), span_of(name), a, why);
}

static int lift_job(struct store_tx *tx, void *arg, struct fault *why)
{
    struct store_account a;
    int err = find(tx, arg, &a, why);

    return err ? err
               : store_rule_delete(tx, &owner, (struct store_ref){SCOPE_ACCOUNT, a.id},
                                   RULE_RESTRICT, SPAN("010"), why);
}

static int delete_job(struct store_tx *tx, void *arg, struct fault *why)
{
    struct store_account a;
    int err = find(tx, arg, &a, why);

    return err ? err : store_account_delete(tx, &by, a.id, why);
}

static int note_job(struct store_tx *tx, void *arg, struct fault *why)
{
    struct store_account a;
    int err = find(tx, arg, &a, why);

    a.note = SPAN("changed");
    return err ? err : store_account_update(tx, &by, &a, why);
}

static void change(store_job job, const char *name)
{
    must(store_write_wait(store, job, (void *)name, &f));
}

/* A call so many days ago. */
static void call(const char *name, const char *dialled, int64_t days, enum call_end end)
{
    struct call one = {
        .start_ms = NOW_MS - days * DAY_MS, .seconds = 60, .end = end, .dialled = span_of(dialled)};
    struct calls_added added;

    must(calls_caller(calls, 1, span_of(name), &one.caller, &f));
    one.key = call_key(&one, SPAN(""), 0);
    must(calls_append(calls, 1, &one, 1, NULL, NOW_MS, &added, &f));
}

#define ABROAD "01012125551234"
#define TOKYO "0312345678"

/* Whether a call abroad goes out: what readers see. */
static bool open_abroad(const char *name)
{
    struct snapshot_subject subject;
    struct number number;
    struct verdict verdict;

    snapshot_read_lock();
    snapshot_find(snapshot, snapshot_switch_by_name(snapshot, SPAN("local")), span_of(name),
                  &subject);
    numbering_parse(subject.site, SPAN(ABROAD), &number);
    snapshot_decide(snapshot, &subject, &number, false, NOW_MS / 1000, &verdict);
    snapshot_read_unlock();
    return verdict.action == VERDICT_ALLOW;
}

/* ---- sweeping ------------------------------------------------------------------------------- */

/* What a preview says of everybody, by name. */
struct said {
    struct {
        char name[16];
        enum sweep_verdict verdict;
        int64_t abroad_ms, lifted_ms;
        char by[32];
    } of[16384];
    size_t n;
};
static struct said said;

static int hear(void *arg, const struct sweep_found *found)
{
    size_t i = said.n++;

    snprintf(said.of[i].name, sizeof(said.of[i].name), "%.*s", SPAN_FMT(found->name));
    snprintf(said.of[i].by, sizeof(said.of[i].by), "%.*s", SPAN_FMT(found->lifted_by));
    said.of[i].verdict = found->verdict;
    said.of[i].abroad_ms = found->abroad_ms;
    said.of[i].lifted_ms = found->lifted_ms;
    assert_true(span_is(found->switch_name, "local"));
    assert_true(span_is(found->access, "010"));
    return 0;
}

static struct sweep_plan *preview(bool include_lifted)
{
    const struct sweep_ask ask = {.terms = {.now_ms = NOW_MS,
                                            .since_ms = NOW_MS - 365 * DAY_MS,
                                            .young_ms = 30 * DAY_MS,
                                            .include_lifted = include_lifted}};
    struct sweep_plan *plan = NULL;

    said.n = 0;
    must(store_sweep_preview(store, &ask, hear, NULL, &plan, &f));
    return plan;
}

static void expect(const char *name, enum sweep_verdict verdict)
{
    for (size_t i = 0; i < said.n; i++)
        if (strcmp(said.of[i].name, name) == 0) {
            assert_string_equal(sweep_verdict_name(said.of[i].verdict),
                                sweep_verdict_name(verdict));
            return;
        }
    fail_msg("nothing was said of %s", name);
}

static int64_t sweep(bool include_lifted)
{
    struct sweep_plan *plan = preview(include_lifted);
    int64_t id = 0;
    uint64_t called = 0;

    must(store_sweep_apply_wait(store, &by, plan, &id, &called, &f));
    assert_int_equal(called, 0);
    sweep_plan_free(plan);
    return id;
}

static int64_t rule_sets(void)
{
    return fixture_number(place_file(&place, "sekisho.db"),
                          "SELECT coalesce(sum(id * 1009 + rule_set * 31), 0) FROM accounts");
}

static void everybody_is_judged(void **state)
{
    const struct rule born = {.prefix = SPAN("010")}, own = {.prefix = SPAN("0101")};

    add("quiet", NULL, 0);
    add("caller", NULL, 0);
    add("tried", NULL, 0);
    add("long-ago", NULL, 0);
    add("born", &born, 1);
    add("own", &own, 1);
    add("lifter", &born, 1);
    change(lift_job, "lifter");
    call("quiet", TOKYO, 3, CALL_ANSWERED);
    call("caller", ABROAD, 3, CALL_ANSWERED);
    call("tried", ABROAD, 3, CALL_UNANSWERED);
    call("tried", ABROAD, 4, CALL_REFUSED);
    call("long-ago", ABROAD, 366, CALL_ANSWERED);
    struct sweep_plan *plan = preview(false);
    assert_int_equal(said.n, 7);
    expect("quiet", SWEEP_RESTRICT);
    expect("caller", SWEEP_CALLS_ABROAD);
    expect("tried", SWEEP_RESTRICT);
    expect("long-ago", SWEEP_RESTRICT);
    expect("born", SWEEP_RESTRICTED);
    expect("own", SWEEP_OWN_RULES);
    expect("lifter", SWEEP_LIFTED);
    for (size_t i = 0; i < said.n; i++)
        if (said.of[i].verdict == SWEEP_LIFTED) {
            assert_string_equal(said.of[i].by, "owner");
            assert_int_equal(said.of[i].lifted_ms, NOW_MS - 400 * DAY_MS);
        }
    assert_int_equal(sweep_plan_count(plan, SWEEP_RESTRICT), 3);
    assert_int_equal(sweep_plan_count(plan, SWEEP_LIFTED), 1);
    sweep_plan_free(plan);

    sweep_plan_free(preview(true));
    expect("lifter", SWEEP_RESTRICT);
}

static void restricted_in_the_store_and_for_readers(void **state)
{
    add("quiet", NULL, 0);
    add("caller", NULL, 0);
    call("caller", ABROAD, 3, CALL_ANSWERED);
    assert_true(open_abroad("quiet"));
    int64_t id = sweep(false);
    assert_false(open_abroad("quiet"));
    assert_true(open_abroad("caller"));
    assert_int_equal(
        fixture_number(
            place_file(&place, "sekisho.db"),
            "SELECT rows FROM audit WHERE action = 'sweep.apply' AND object = 'accounts'"),
        1);
    stop();
    start(); /* what it was before outlives the start that forgets what nobody has */
    assert_false(open_abroad("quiet"));
    uint64_t restored = 0;
    must(store_sweep_undo_wait(store, &by, id, &restored, &f));
    assert_int_equal(restored, 1);
    assert_true(open_abroad("quiet"));
}

static void without_records_nobody_is_swept(void **state)
{
    struct sweep_plan *plan;
    int64_t id = 77;
    uint64_t called = 77;

    add("quiet", NULL, 0);
    plan = preview(false);
    expect("quiet", SWEEP_NO_RECORDS);
    assert_int_equal(store_sweep_apply_wait(store, &by, plan, &id, &called, &f), ERR_MISSING);
    assert_string_equal(f.text, "there is no account to restrict");
    assert_int_equal(id, 77);
    sweep_plan_free(plan);
}

static void a_stale_preview_is_refused(void **state)
{
    struct sweep_plan *plan;
    int64_t id = 0;
    uint64_t called = 0;
    const struct rule born = {.prefix = SPAN("010")};

    add("quiet", NULL, 0);
    add("other", &born, 1);
    call("quiet", TOKYO, 3, CALL_ANSWERED);
    plan = preview(false);
    change(fixture_add_account, "newcomer"); /* is not in it: makes no difference */
    must(store_sweep_apply_wait(store, &by, plan, &id, &called, &f));
    sweep_plan_free(plan);
    plan = preview(true);
    change(lift_job, "other");
    assert_int_equal(store_sweep_apply_wait(store, &by, plan, &id, &called, &f), ERR_CONFLICT);
    assert_non_null(strstr(f.text, "is stale: 1 changes of accounts, rules, tenants or switches"));
    assert_true(open_abroad("other"));
    sweep_plan_free(plan);
}

static void who_has_called_since_is_left_out(void **state)
{
    struct sweep_plan *plan;
    int64_t id = 0;
    uint64_t called = 0;

    add("quiet", NULL, 0);
    add("late", NULL, 0);
    call("quiet", TOKYO, 3, CALL_ANSWERED);
    call("late", TOKYO, 3, CALL_ANSWERED);
    plan = preview(false);
    expect("late", SWEEP_RESTRICT);
    call("late", ABROAD, 0, CALL_ANSWERED);
    must(store_sweep_apply_wait(store, &by, plan, &id, &called, &f));
    assert_int_equal(called, 1);
    assert_false(open_abroad("quiet"));
    assert_true(open_abroad("late"));
    sweep_plan_free(plan);
}

/* No call of it was on record when the preview was made: it was no caller yet. */
static void who_calls_for_the_first_time_since_is_left_out(void **state)
{
    struct sweep_plan *plan;
    int64_t id = 0;
    uint64_t called = 0;

    add("quiet", NULL, 0);
    add("first", NULL, 0);
    add("refused", NULL, 0);
    call("quiet", TOKYO, 3, CALL_ANSWERED);
    plan = preview(false);
    expect("first", SWEEP_RESTRICT);
    call("first", ABROAD, 0, CALL_ANSWERED);
    call("first", ABROAD, 1, CALL_ANSWERED);
    call("refused", ABROAD, 0, CALL_REFUSED);
    call("nobody", ABROAD, 0, CALL_ANSWERED);
    must(store_sweep_apply_wait(store, &by, plan, &id, &called, &f));
    assert_int_equal(called, 1);
    assert_true(open_abroad("first"));
    assert_false(open_abroad("quiet"));
    assert_false(open_abroad("refused"));
    sweep_plan_free(plan);
}

/* More calls than are summed at once: as in the midst of an import. */
static void import(const char *name)
{
    enum { N = 8193 };
    struct call *many = calloc(N, sizeof(*many));
    struct calls_added added;

    assert_non_null(many);
    for (size_t i = 0; i < N; i++) {
        many[i] = (struct call){.start_ms = NOW_MS - DAY_MS + (int64_t)i,
                                .seconds = 60,
                                .end = CALL_ANSWERED,
                                .dialled = SPAN(ABROAD)};
        must(calls_caller(calls, 1, span_of(name), &many[i].caller, &f));
        many[i].key = call_key(&many[i], SPAN(""), 0);
    }
    must(calls_append(calls, 1, many, N, NULL, NOW_MS, &added, &f));
    assert_int_equal(added.added, N);
    free(many);
}

static void calls_that_are_not_summed_are_waited_for(void **state)
{
    const struct sweep_ask ask = {.terms = {.now_ms = NOW_MS, .since_ms = NOW_MS - 365 * DAY_MS}};
    struct sweep_plan *plan, *none = NULL;
    int64_t id = 0;
    uint64_t called = 0;

    add("quiet", NULL, 0);
    add("caller", NULL, 0);
    call("quiet", TOKYO, 3, CALL_ANSWERED);
    plan = preview(false);
    expect("caller", SWEEP_RESTRICT);
    import("caller");
    assert_int_equal(store_sweep_preview(store, &ask, NULL, NULL, &none, &f), ERR_CONFLICT);
    assert_non_null(strstr(f.text, "call records are being imported"));
    assert_null(none);
    assert_int_equal(store_sweep_apply_wait(store, &by, plan, &id, &called, &f), ERR_CONFLICT);
    assert_true(open_abroad("quiet"));
    must(calls_sum(calls, &f));
    must(store_sweep_apply_wait(store, &by, plan, &id, &called, &f));
    assert_int_equal(called, 1);
    assert_true(open_abroad("caller"));
    sweep_plan_free(plan);
    sweep_plan_free(preview(false));
    expect("caller", SWEEP_CALLS_ABROAD);
}

/* ---- undo ----------------------------------------------------------------------------------- */

static int rows_job(struct store_tx *tx, void *arg, struct fault *why)
{
    static const char *const names[] = {"stands", "lifter", "noted", "gone"};
    static const enum sweep_fate fates[2][4] = {
        {SWEEP_STANDS, SWEEP_CHANGED, SWEEP_CHANGED, SWEEP_GONE},
        {SWEEP_RESTORED, SWEEP_CHANGED, SWEEP_CHANGED, SWEEP_GONE},
    };
    const int64_t *ask = arg;
    struct store_page page = {.limit = 3};
    struct store_sweep_rows rows;
    size_t seen = 0;

    do {
        int err = store_sweep_rows(tx, ask[0], &page, &rows, why);
        if (err)
            return err;
        for (size_t i = 0; i < rows.n; i++, seen++) {
            assert_string_equal(sweep_fate_name(rows.items[i].fate),
                                sweep_fate_name(fates[ask[1]][seen]));
            assert_true(span_is(rows.items[i].name, seen == 3 ? "" : names[seen]));
        }
        page.cursor = rows.next;
    } while (rows.next.n);
    assert_int_equal(seen, 4);
    return 0;
}

static int get_job(struct store_tx *tx, void *arg, struct fault *why)
{
    struct store_sweep *sweep = arg;
    struct store_sweep_list list;
    int err = store_sweep_get(tx, sweep->id, sweep, why);

    if (!err)
        err = store_sweep_list(tx, &(struct store_page){0}, &list, why);
    if (!err) {
        assert_int_equal(list.n, 1);
        assert_int_equal(list.items[0].id, sweep->id);
        assert_int_equal(list.items[0].restored, sweep->restored);
        sweep->actor = sweep->tenant = (struct span){NULL, 0}; /* end with the job */
    }
    return err;
}

static void undo_restores_what_nobody_has_changed(void **state)
{
    struct store_sweep got = {0};
    uint64_t restored = 0;

    add("stands", NULL, 0);
    add("lifter", NULL, 0);
    add("noted", NULL, 0);
    add("gone", NULL, 0);
    call("stands", TOKYO, 3, CALL_ANSWERED);
    int64_t id = sweep(false);
    change(lift_job, "lifter");
    change(note_job, "noted");
    change(delete_job, "gone");
    must(store_read_wait(store, rows_job, &(int64_t[]){id, 0}, &f));
    got.id = id;
    must(store_read_wait(store, get_job, &got, &f));
    assert_int_equal(got.rows, 4);
    assert_int_equal(got.standing, 1);
    assert_int_equal(got.undone, 0);

    must(store_sweep_undo_wait(store, &by, id, &restored, &f));
    assert_int_equal(restored, 1);
    assert_true(open_abroad("stands"));
    assert_true(open_abroad("lifter"));
    assert_false(open_abroad("noted"));
    must(store_read_wait(store, rows_job, &(int64_t[]){id, 1}, &f));
    must(store_read_wait(store, get_job, &got, &f));
    assert_int_equal(got.restored, 1);
    assert_int_not_equal(got.undone, 0);
    assert_int_equal(store_sweep_undo_wait(store, &by, id, &restored, &f), ERR_CONFLICT);
    assert_non_null(strstr(f.text, "was undone already, by change "));
    assert_int_equal(store_sweep_undo_wait(store, &by, 12345, &restored, &f), ERR_MISSING);
    assert_string_equal(f.text, "there is no sweep 12345");
}

/* Who lifts what a sweep did is not swept again. */
static void a_lifted_sweep_is_not_repeated(void **state)
{
    add("lifter", NULL, 0);
    call("lifter", TOKYO, 3, CALL_ANSWERED);
    sweep(false);
    assert_false(open_abroad("lifter"));
    change(lift_job, "lifter");
    sweep_plan_free(preview(false));
    expect("lifter", SWEEP_LIFTED);
    sweep(true);
    assert_false(open_abroad("lifter"));
}

/* ---- properties ----------------------------------------------------------------------------- */

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* A house of `n` accounts with any history and any rules. `abroad[i]`: has called abroad in the year. */
static void build(uint64_t *seed, size_t n, bool *abroad)
{
    static const struct rule some[] = {{.prefix = SPAN("010")},
                                       {.prefix = SPAN("0101")},
                                       {.prefix = SPAN("0990")},
                                       {.action = RULE_EXCEPT, .prefix = SPAN("01044")}};

    for (size_t i = 0; i < n; i++) {
        char name[16];
        size_t from = random_next(seed) % 4, rules = random_next(seed) % (5 - from);

        snprintf(name, sizeof(name), "p%zu", i);
        add(name, some + from, rules < 2 ? rules : 0);
        for (uint64_t k = random_next(seed) % 4; k; k--) {
            int64_t days = (int64_t)(random_next(seed) % 730);
            bool far = random_next(seed) % 3 == 0;
            enum call_end end = (enum call_end)(random_next(seed) % 4);

            call(name, far ? ABROAD : TOKYO, days, end);
            if (far && end == CALL_ANSWERED && days <= 365)
                abroad[i] = true;
        }
    }
    call("nobody", TOKYO, 1, CALL_ANSWERED);
}

static void sweep_and_undo_is_the_identity(void **state)
{
    enum { N = 40 };

    for (uint64_t seed = 1; seed <= 5; seed++) {
        uint64_t s = seed * UINT64_C(0x9e3779b97f4a7c15), restored = 0;
        bool abroad[N] = {false}, open[N];
        int64_t before, after;

        build(&s, N, abroad);
        before = rule_sets();
        for (size_t i = 0; i < N; i++)
            open[i] = open_abroad((char[16]){'p', i < 10 ? (char)('0' + i) : (char)('0' + i / 10),
                                             i < 10 ? '\0' : (char)('0' + i % 10)});
        int64_t id = sweep(false);
        after = rule_sets();
        for (size_t i = 0; i < N; i++) {
            char name[16];

            snprintf(name, sizeof(name), "p%zu", i);
            if (abroad[i])
                assert_true(open_abroad(name) == open[i]);
            else
                assert_true(!open_abroad(name) || open[i]);
        }
        /* Again: nothing is left to do, and nothing is done. */
        struct sweep_plan *plan = preview(false);
        int64_t none = 0;
        uint64_t called = 0;
        assert_int_equal(sweep_plan_count(plan, SWEEP_RESTRICT), 0);
        assert_int_equal(store_sweep_apply_wait(store, &by, plan, &none, &called, &f), ERR_MISSING);
        sweep_plan_free(plan);
        assert_int_equal(rule_sets(), after);

        must(store_sweep_undo_wait(store, &by, id, &restored, &f));
        assert_int_equal(rule_sets(), before);
        teardown(state);
        setup(state);
    }
}

static void many_are_swept_at_once(void **state)
{
    enum { N = 12000 };
    char name[16];
    uint64_t restored = 0;

    fixture_sql(
        place_file(&place, "sekisho.db"),
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)"
        " INSERT INTO accounts (switch, name, tenant, state, state_set, note, adopted,"
        " rule_set, created, change) SELECT 1, 'm' || i, 1, 'active', 1, '', 0, 1, 1, 1 FROM n;"
        "UPDATE audit SET at = 0 WHERE id = 1 AND detail IS NULL");
    stop();
    start();
    call("m7", ABROAD, 3, CALL_ANSWERED);
    int64_t id = sweep(false);
    for (size_t i = 1; i <= N; i += 97) {
        snprintf(name, sizeof(name), "m%zu", i);
        assert_int_equal(open_abroad(name), i == 7);
    }
    assert_int_equal(
        fixture_number(place_file(&place, "sekisho.db"), "SELECT count(*) FROM sweep_rows"), N - 1);
    must(store_sweep_undo_wait(store, &by, id, &restored, &f));
    assert_int_equal(restored, N - 1);
    assert_true(open_abroad("m1"));
}

static int load_tables(void **state)
{
    snapshot_reader_register();
    return tables_load(&tables, NULL, 0, &f);
}

static int free_tables(void **state)
{
    tables_free(tables);
    snapshot_reader_unregister();
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(everybody_is_judged),
        TEST(restricted_in_the_store_and_for_readers),
        TEST(without_records_nobody_is_swept),
        TEST(a_stale_preview_is_refused),
        TEST(who_has_called_since_is_left_out),
        TEST(who_calls_for_the_first_time_since_is_left_out),
        TEST(calls_that_are_not_summed_are_waited_for),
        TEST(undo_restores_what_nobody_has_changed),
        TEST(a_lifted_sweep_is_not_repeated),
        TEST(sweep_and_undo_is_the_identity),
        TEST(many_are_swept_at_once),
    };

    return cmocka_run_group_tests(tests, load_tables, free_tables);
}

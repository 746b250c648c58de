/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sweep on a whole store: whom it restricts, whom it leaves, and what undo gives back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"
#include "numbering/numbering.h"
#include "numbering/tables.h"
#include "policy/snapshot.h"
#include "store/calls.h"
#include "store/objections.h"
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
    const struct store_account a = {.name = span_of(p->name), .tenant = SPAN("main")};
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

/* Somebody calls every ten days: the records of the switch reach so many days back. */
static void records(int64_t days)
{
    for (; days >= 0; days -= 10)
        call("somebody", TOKYO, days, CALL_ANSWERED);
}

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
        int64_t abroad_ms, deed_ms;
        char by[32], rules_of[32];
    } of[16384];
    size_t n;
};
static struct said said;

static int hear(void *arg, const struct sweep_found *found)
{
    size_t i = said.n++;

    snprintf(said.of[i].name, sizeof(said.of[i].name), "%.*s", SPAN_FMT(found->name));
    snprintf(said.of[i].by, sizeof(said.of[i].by), "%.*s", SPAN_FMT(found->deed_by));
    snprintf(said.of[i].rules_of, sizeof(said.of[i].rules_of), "%.*s", SPAN_FMT(found->rules_of));
    said.of[i].verdict = found->verdict;
    said.of[i].abroad_ms = found->abroad_ms;
    said.of[i].deed_ms = found->deed_ms;
    assert_true(span_is(found->switch_name, "local"));
    assert_true(span_is(found->access, "010"));
    return 0;
}

static struct sweep_plan *preview(bool include_lifted)
{
    const struct sweep_ask ask = {.terms = {.now_ms = NOW_MS,
                                            .since_ms = NOW_MS - 365 * DAY_MS,
                                            .young_ms = 30 * DAY_MS,
                                            .believed_ms = 14 * DAY_MS,
                                            .include_lifted = include_lifted}};
    struct sweep_plan *plan = NULL;

    said.n = 0;
    must(store_sweep_preview(store, &ask, hear, NULL, &plan, &f));
    return plan;
}

static size_t said_of(const char *name)
{
    for (size_t i = 0; i < said.n; i++)
        if (strcmp(said.of[i].name, name) == 0)
            return i;
    fail_msg("nothing was said of %s", name);
    return 0;
}

static void expect(const char *name, enum sweep_verdict verdict)
{
    assert_string_equal(sweep_verdict_name(said.of[said_of(name)].verdict),
                        sweep_verdict_name(verdict));
}

/* The same, and whose rules or deed it was. */
static void expect_by(const char *name, enum sweep_verdict verdict, const char *rules_of,
                      const char *by_whom)
{
    expect(name, verdict);
    assert_string_equal(said.of[said_of(name)].rules_of, rules_of);
    assert_string_equal(said.of[said_of(name)].by, by_whom);
}

static int64_t sweep(bool include_lifted)
{
    struct sweep_plan *plan = preview(include_lifted);
    int64_t id = 0;
    uint64_t called = 0;

    must(store_sweep_apply_wait(store, &by, plan, false, &id, &called, &f));
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
    records(370);
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
            assert_int_equal(said.of[i].deed_ms, NOW_MS - 400 * DAY_MS);
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
    records(370);
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
    assert_int_equal(store_sweep_apply_wait(store, &by, plan, false, &id, &called, &f),
                     ERR_MISSING);
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
    records(370);
    call("quiet", TOKYO, 3, CALL_ANSWERED);
    plan = preview(false);
    change(fixture_add_account, "newcomer"); /* is not in it: makes no difference */
    must(store_sweep_apply_wait(store, &by, plan, false, &id, &called, &f));
    sweep_plan_free(plan);
    plan = preview(true);
    change(lift_job, "other");
    assert_int_equal(store_sweep_apply_wait(store, &by, plan, false, &id, &called, &f),
                     ERR_CONFLICT);
    assert_non_null(strstr(f.text, "is stale: 1 changes of accounts, rules, tenants, switches or"));
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
    records(370);
    call("quiet", TOKYO, 3, CALL_ANSWERED);
    call("late", TOKYO, 3, CALL_ANSWERED);
    plan = preview(false);
    expect("late", SWEEP_RESTRICT);
    call("late", ABROAD, 0, CALL_ANSWERED);
    must(store_sweep_apply_wait(store, &by, plan, false, &id, &called, &f));
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
    records(370);
    call("quiet", TOKYO, 3, CALL_ANSWERED);
    plan = preview(false);
    expect("first", SWEEP_RESTRICT);
    call("first", ABROAD, 0, CALL_ANSWERED);
    call("first", ABROAD, 1, CALL_ANSWERED);
    call("refused", ABROAD, 0, CALL_REFUSED);
    call("nobody", ABROAD, 0, CALL_ANSWERED);
    must(store_sweep_apply_wait(store, &by, plan, false, &id, &called, &f));
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
    records(370);
    plan = preview(false);
    expect("caller", SWEEP_RESTRICT);
    import("caller");
    assert_int_equal(store_sweep_preview(store, &ask, NULL, NULL, &none, &f), ERR_CONFLICT);
    assert_non_null(strstr(f.text, "call records are being imported"));
    assert_null(none);
    assert_int_equal(store_sweep_apply_wait(store, &by, plan, false, &id, &called, &f),
                     ERR_CONFLICT);
    assert_true(open_abroad("quiet"));
    must(calls_sum(calls, &f));
    must(store_sweep_apply_wait(store, &by, plan, false, &id, &called, &f));
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
        int err = store_sweep_rows(tx, ask[0], NULL, &page, &rows, why);
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
    int err = store_sweep_rows(tx, ask[0], &(enum sweep_fate){SWEEP_GONE}, &(struct store_page){0},
                               &rows, why);
    if (!err)
        assert_int_equal(rows.n, 1);
    return err;
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
    records(370);
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
    records(370);
    sweep(false);
    assert_false(open_abroad("lifter"));
    change(lift_job, "lifter");
    sweep_plan_free(preview(false));
    expect("lifter", SWEEP_LIFTED);
    sweep(true);
    assert_false(open_abroad("lifter"));
}

/* ---- from above ----------------------------------------------------------------------------- */

/* Rules of a tenant (made when it is missing, below `parent`) or, without a name, of the operator. */
struct level {
    const char *tenant, *parent;
    const struct rule *rules;
    size_t n;
};

static int level_job(struct store_tx *tx, void *arg, struct fault *why)
{
    const struct level *l = arg;
    struct store_ref ref = {.scope = SCOPE_OPERATOR};
    struct store_tenant t;
    int err = 0;

    if (l->tenant) {
        ref.scope = SCOPE_TENANT;
        err = store_tenant_find(tx, span_of(l->tenant), &t, why);
        ref.id = err ? 0 : t.id;
        t = (struct store_tenant){.name = span_of(l->tenant),
                                  .parent = span_of(l->parent ? l->parent : ""),
                                  .language = SPAN("ja")};
        if (err == ERR_MISSING)
            err = store_tenant_add(tx, &by, &t, &ref.id, why);
    }
    return err ? err : store_rules_replace(tx, &owner, ref, l->rules, l->n, why);
}

static void level(const char *tenant, const char *parent, const struct rule *rules, size_t n)
{
    struct level l = {tenant, parent, rules, n};

    must(store_write_wait(store, level_job, &l, &f));
}

struct move {
    const char *name, *tenant;
};

static int move_job(struct store_tx *tx, void *arg, struct fault *why)
{
    const struct move *m = arg;
    struct store_account a;
    int err = find(tx, m->name, &a, why);

    a.tenant = span_of(m->tenant);
    return err ? err : store_account_update(tx, &by, &a, why);
}

static void add_to(const char *tenant, const char *name, const struct rule *rules, size_t n)
{
    struct move m = {name, tenant};

    add(name, rules, n);
    must(store_write_wait(store, move_job, &m, &f));
}

struct objection {
    const char *account, *tenant;
    bool take_back;
};

static int object_job(struct store_tx *tx, void *arg, struct fault *why)
{
    const struct objection *o = arg;
    struct store_ref ref = {o->tenant ? SCOPE_TENANT : SCOPE_ACCOUNT, 0};
    struct store_tenant t;
    struct store_account a;
    int err = o->tenant ? store_tenant_find(tx, span_of(o->tenant), &t, why)
                        : find(tx, o->account, &a, why);

    if (err)
        return err;
    ref.id = o->tenant ? t.id : a.id;
    return o->take_back ? store_objection_delete(tx, &owner, ref, why)
                        : store_objection_put(tx, &owner, ref, SPAN("we call Jamaica"), why);
}

static void object(const char *account, const char *tenant, bool take_back)
{
    struct objection o = {account, tenant, take_back};

    must(store_write_wait(store, object_job, &o, &f));
}

static void what_is_restricted_from_above_is_restricted(void **state)
{
    const struct rule all = {.prefix = SPAN("010")},
                      open = {.action = RULE_EXCEPT, .prefix = SPAN("010")};

    records(370);
    level("acme", NULL, &all, 1);
    level("branch", "acme", NULL, 0);
    level("loose", "acme", &open, 1);
    add_to("acme", "direct", NULL, 0);
    add_to("branch", "below", NULL, 0);
    add_to("loose", "exempt", NULL, 0);
    add("other", NULL, 0);
    sweep_plan_free(preview(true));
    expect_by("direct", SWEEP_RESTRICTED, "tenant:acme", "");
    expect_by("below", SWEEP_RESTRICTED, "tenant:acme", "");
    expect_by("exempt", SWEEP_OWN_RULES, "tenant:loose", "");
    expect_by("other", SWEEP_RESTRICT, "", "");
    level(NULL, NULL, &all, 1);
    sweep_plan_free(preview(true));
    expect_by("direct", SWEEP_RESTRICTED, "tenant:acme", "");
    expect_by("other", SWEEP_RESTRICTED, "operator", "");
}

/* A tenant that takes its own restriction back has decided for all of its accounts, as an owner has for one. */
static void what_a_tenant_lifts_is_lifted_for_all_below(void **state)
{
    const struct rule all = {.prefix = SPAN("010")};

    records(370);
    level("acme", NULL, &all, 1);
    level("branch", "acme", NULL, 0);
    add_to("acme", "direct", NULL, 0);
    add_to("branch", "below", NULL, 0);
    level("acme", NULL, NULL, 0);
    level(NULL, NULL, &all, 1);
    level(NULL, NULL, NULL, 0); /* the operator is not their owner: nothing is lifted by this */
    add("other", NULL, 0);
    sweep_plan_free(preview(false));
    expect_by("direct", SWEEP_LIFTED, "", "owner");
    expect_by("below", SWEEP_LIFTED, "", "owner");
    expect("other", SWEEP_RESTRICT);
    sweep_plan_free(preview(true));
    expect("below", SWEEP_RESTRICT);
}

static void who_objects_is_left_in_peace(void **state)
{
    struct sweep_plan *plan;
    int64_t id = 0;
    uint64_t called = 0;

    records(370);
    level("acme", NULL, NULL, 0);
    level("branch", "acme", NULL, 0);
    add_to("branch", "below", NULL, 0);
    add("one", NULL, 0);
    add("other", NULL, 0);
    object("one", NULL, false);
    object(NULL, "acme", false);
    sweep_plan_free(preview(true));
    expect_by("below", SWEEP_OBJECTED, "", "owner");
    expect_by("one", SWEEP_OBJECTED, "", "owner");
    expect("other", SWEEP_RESTRICT);
    object("one", NULL, true);
    plan = preview(true);
    expect("one", SWEEP_RESTRICT);
    object("one", NULL, false); /* in the last moment */
    assert_int_equal(store_sweep_apply_wait(store, &by, plan, false, &id, &called, &f),
                     ERR_CONFLICT);
    assert_non_null(strstr(f.text, "is stale"));
    sweep_plan_free(plan);
    sweep(true);
    assert_true(open_abroad("one"));
    assert_true(open_abroad("below"));
    assert_false(open_abroad("other"));
    change(delete_job, "one"); /* with what was said for it */
    assert_int_equal(
        fixture_number(place_file(&place, "sekisho.db"), "SELECT count(*) FROM objections"), 1);
}

/* ---- how far records reach ------------------------------------------------------------------ */

static void few_records_restrict_nobody(void **state)
{
    struct sweep_plan *plan;
    struct sweep_records of;

    add("quiet", NULL, 0);
    add("caller", NULL, 0);
    for (int64_t days = 0; days <= 3; days++)
        call("quiet", TOKYO, days, CALL_ANSWERED);
    call("caller", ABROAD, 2, CALL_ANSWERED);
    plan = preview(true);
    expect("quiet", SWEEP_NO_RECORDS);
    expect("caller", SWEEP_CALLS_ABROAD);
    assert_int_equal(sweep_plan_switches(plan), 1);
    of = sweep_plan_records(plan, 0);
    assert_true(span_is(of.switch_name, "local"));
    assert_false(of.hold);
    assert_int_equal(of.records.reach_ms / DAY_MS, NOW_MS / DAY_MS - 3);
    assert_int_equal(of.records.last_ms / DAY_MS, NOW_MS / DAY_MS + 1);
    sweep_plan_free(plan);
    /* What is brought later counts as well, whatever order it came in. */
    records(370);
    plan = preview(true);
    expect("quiet", SWEEP_RESTRICT);
    assert_true(sweep_plan_records(plan, 0).hold);
    sweep_plan_free(plan);
}

static void a_month_that_is_missing_restricts_nobody(void **state)
{
    struct sweep_plan *plan;

    add("quiet", NULL, 0);
    for (int64_t days = 370; days >= 0; days -= 10)
        if (days < 200 || days > 230)
            call("quiet", TOKYO, days, CALL_ANSWERED);
    plan = preview(true);
    expect("quiet", SWEEP_NO_RECORDS);
    struct sweep_records of = sweep_plan_records(plan, 0);
    assert_int_equal((of.records.gap_ends_ms - of.records.gap_ms) / DAY_MS, 49);
    sweep_plan_free(plan);
    for (int64_t days = 230; days >= 200; days -= 10)
        call("quiet", TOKYO, days, CALL_ANSWERED);
    sweep_plan_free(preview(true));
    expect("quiet", SWEEP_RESTRICT);
}

static void records_of_strangers_restrict_nobody(void **state)
{
    struct sweep_plan *plan;

    add("quiet", NULL, 0);
    records(370);
    fixture_sql(place_file(&place, "calls.db"),
                "INSERT INTO payers VALUES (1, 0, 100, 20, 9, 3, 1, 0)");
    plan = preview(true);
    expect("quiet", SWEEP_NO_RECORDS);
    assert_true(sweep_plan_records(plan, 0).strays);
    assert_false(sweep_plan_records(plan, 0).hold);
    sweep_plan_free(plan);
    fixture_sql(place_file(&place, "calls.db"), "UPDATE payers SET stray_calls = 19");
    sweep_plan_free(preview(true));
    expect("quiet", SWEEP_RESTRICT);
}

/* The days are what is left when calls are forgotten: history has them still. */
static void records_reach_as_far_as_history(void **state)
{
    uint64_t gone = 0;

    add("quiet", NULL, 0);
    records(370);
    must(calls_expire(calls, NOW_MS - 100 * DAY_MS, &gone, &f));
    assert_true(gone > 20);
    sweep_plan_free(preview(true));
    expect("quiet", SWEEP_RESTRICT);
}

static void a_strange_file_of_calls_is_refused(void **state)
{
    const struct sweep_ask ask = {.terms = {.now_ms = NOW_MS, .since_ms = NOW_MS - 365 * DAY_MS}};
    struct sweep_plan *plan = NULL;

    records(370);
    calls_close(calls);
    calls = NULL;
    fixture_sql(place_file(&place, "calls.db"), "PRAGMA application_id = 77");
    assert_int_equal(store_sweep_preview(store, &ask, NULL, NULL, &plan, &f), ERR_CORRUPT);
    assert_non_null(strstr(f.text, "another application"));
    fixture_sql(place_file(&place, "calls.db"),
                "PRAGMA application_id = 0x53656b63; PRAGMA user_version = 1");
    assert_int_equal(store_sweep_preview(store, &ask, NULL, NULL, &plan, &f), ERR_CONFLICT);
    assert_non_null(strstr(f.text, "older Sekisho"));
    fixture_sql(place_file(&place, "calls.db"), "PRAGMA user_version = 99");
    assert_int_equal(store_sweep_preview(store, &ask, NULL, NULL, &plan, &f), ERR_CORRUPT);
    assert_null(plan);
}

/* ---- the record ----------------------------------------------------------------------------- */

static void an_undo_that_restores_none_says_so(void **state)
{
    struct store_sweep got = {0};
    uint64_t restored = 77;

    add("lifter", NULL, 0);
    records(370);
    int64_t id = sweep(false);
    change(lift_job, "lifter");
    must(store_sweep_undo_wait(store, &by, id, &restored, &f));
    assert_int_equal(restored, 0);
    assert_int_equal(fixture_number(place_file(&place, "sekisho.db"),
                                    "SELECT rows FROM audit WHERE action = 'sweep.undo'"),
                     0);
    got.id = id;
    must(store_read_wait(store, get_job, &got, &f));
    assert_int_equal(got.standing, 0);
    assert_int_equal(got.restored, 0);
}

/* ---- under load ----------------------------------------------------------------------------- */

static bool ended, mixed, reopened;

/* Two countries of one account are open or closed together, and what was closed stays so. */
static void *decide_all_the_time(void *arg)
{
    static const char *const abroad[] = {ABROAD, "010442071234567"};
    bool closed[64] = {false};

    snapshot_reader_register();
    for (size_t i = 0; !__atomic_load_n(&ended, __ATOMIC_ACQUIRE); i = (i + 1) % 64) {
        struct snapshot_subject subject;
        bool open[2];
        char name[16];

        snprintf(name, sizeof(name), "m%zu", i + 1);
        snapshot_read_lock();
        snapshot_find(snapshot, snapshot_switch_by_name(snapshot, SPAN("local")), span_of(name),
                      &subject);
        for (size_t k = 0; k < 2; k++) {
            struct number number;
            struct verdict verdict;

            numbering_parse(subject.site, span_of(abroad[k]), &number);
            snapshot_decide(snapshot, &subject, &number, false, NOW_MS / 1000, &verdict);
            open[k] = verdict.action == VERDICT_ALLOW;
        }
        snapshot_read_unlock();
        if (open[0] != open[1])
            __atomic_store_n(&mixed, true, __ATOMIC_RELAXED);
        if (open[0] && closed[i])
            __atomic_store_n(&reopened, true, __ATOMIC_RELAXED);
        closed[i] = !open[0];
    }
    snapshot_reader_unregister();
    return NULL;
}

static void house_of(int n)
{
    char sql[512];

    snprintf(
        sql, sizeof(sql),
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
        " INSERT INTO accounts (switch, name, tenant, state, state_set, note, adopted,"
        " rule_set, created, change) SELECT 1, 'm' || i, 1, 'active', 1, '', 0, 1, 1, 1 FROM n",
        n);
    fixture_sql(place_file(&place, "sekisho.db"), sql);
    stop();
    start();
}

static void decisions_see_the_old_or_the_new(void **state)
{
    static const int sizes[] = {500, 12000}; /* published one by one, and all anew */
    pthread_t threads[2];

    for (size_t k = 0; k < 2; k++) {
        ended = mixed = reopened = false;
        house_of(sizes[k]);
        records(370);
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, decide_all_the_time, NULL), 0);
        sweep(false);
        for (size_t i = 1; i <= 64; i++) {
            char name[16];

            snprintf(name, sizeof(name), "m%zu", i);
            assert_false(open_abroad(name));
        }
        __atomic_store_n(&ended, true, __ATOMIC_RELEASE);
        for (size_t i = 0; i < 2; i++)
            pthread_join(threads[i], NULL);
        assert_false(mixed);
        assert_false(reopened);
        teardown(state);
        setup(state);
    }
}

/* ---- properties ----------------------------------------------------------------------------- */

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

#define N 40

/* A house with any history, rules on any level, and any objections. */
struct made {
    bool abroad[N];   /* has called abroad in the year */
    bool objected[N]; /* itself, or its tenant */
    bool open[N];     /* calls abroad are let through */
};

static const char *const tenants[] = {"main", "acme", "branch", "loose"};

static void build_levels(uint64_t *seed, bool objected[4])
{
    static const struct rule some[] = {{.prefix = SPAN("010")},
                                       {.action = RULE_EXCEPT, .prefix = SPAN("010")},
                                       {.prefix = SPAN("0107")}};

    for (size_t i = 1; i < 4; i++) {
        size_t which = random_next(seed) % 5;

        level(tenants[i], i == 2 ? "acme" : NULL, some + which % 3, which < 3);
        objected[i] = random_next(seed) % 4 == 0;
        if (objected[i])
            object(NULL, tenants[i], false);
    }
    objected[2] = objected[2] || objected[1];
}

static void build_calls(uint64_t *seed, const char *name, bool *abroad)
{
    for (uint64_t k = random_next(seed) % 4; k; k--) {
        int64_t days = (int64_t)(random_next(seed) % 730);
        bool far = random_next(seed) % 3 == 0;
        enum call_end end = (enum call_end)(random_next(seed) % 4);

        call(name, far ? ABROAD : TOKYO, days, end);
        if (far && end == CALL_ANSWERED && days <= 365)
            *abroad = true;
    }
}

static void build(uint64_t *seed, struct made *made)
{
    static const struct rule some[] = {{.prefix = SPAN("010")},
                                       {.prefix = SPAN("0101")},
                                       {.prefix = SPAN("0990")},
                                       {.action = RULE_EXCEPT, .prefix = SPAN("01044")}};
    bool objected[4] = {false};

    build_levels(seed, objected);
    for (size_t i = 0; i < N; i++) {
        char name[16];
        size_t from = random_next(seed) % 4, rules = random_next(seed) % (5 - from);
        size_t tenant = random_next(seed) % 4;

        snprintf(name, sizeof(name), "p%zu", i);
        add_to(tenants[tenant], name, some + from, rules < 2 ? rules : 0);
        build_calls(seed, name, &made->abroad[i]);
        made->objected[i] = objected[tenant];
        if (random_next(seed) % 8 == 0) {
            object(name, NULL, false);
            made->objected[i] = true;
        }
        made->open[i] = open_abroad(name);
    }
}

static int64_t rule_set_of(size_t i)
{
    char sql[80];

    snprintf(sql, sizeof(sql), "SELECT rule_set FROM accounts WHERE name = 'p%zu'", i);
    return fixture_number(place_file(&place, "sekisho.db"), sql);
}

/* Nothing is left to do, and nothing is done. */
static void nobody_is_left(void)
{
    struct sweep_plan *plan = preview(false);
    int64_t none = 0, before = rule_sets();
    uint64_t called = 0;

    assert_int_equal(sweep_plan_count(plan, SWEEP_RESTRICT), 0);
    assert_int_equal(store_sweep_apply_wait(store, &by, plan, false, &none, &called, &f),
                     ERR_MISSING);
    sweep_plan_free(plan);
    assert_int_equal(rule_sets(), before);
}

static void a_sweep_of_a_house(uint64_t seed)
{
    struct made made = {0};
    int64_t was[N], before;
    size_t swept = 0;
    uint64_t restored = 0;

    build(&seed, &made);
    call("somebody", TOKYO, 0, CALL_ANSWERED);
    nobody_is_left(); /* of records that do not reach back */
    records(370);
    before = rule_sets();
    for (size_t i = 0; i < N; i++)
        was[i] = rule_set_of(i);
    int64_t id = sweep(false);
    for (size_t i = 0; i < N; i++) {
        char name[16];

        snprintf(name, sizeof(name), "p%zu", i);
        bool touched = rule_set_of(i) != was[i];
        swept += touched;
        /* Whoever calls abroad or has objected is not touched, nor who is restricted; the others are closed. */
        assert_false(touched && (made.abroad[i] || made.objected[i] || !made.open[i]));
        assert_int_equal(open_abroad(name), made.open[i] && !touched);
    }
    assert_true(swept > 0);
    nobody_is_left();
    must(store_sweep_undo_wait(store, &by, id, &restored, &f));
    assert_int_equal(restored, swept);
    assert_int_equal(rule_sets(), before);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(rule_set_of(i), was[i]);
}

static void sweep_and_undo_is_the_identity(void **state)
{
    for (uint64_t seed = 1; seed <= 8; seed++) {
        a_sweep_of_a_house(seed * UINT64_C(0x9e3779b97f4a7c15));
        teardown(state);
        setup(state);
    }
}
#undef N

static void many_are_swept_at_once(void **state)
{
    enum { N = 12000 }; /* more than are published one by one */
    char name[16];
    uint64_t restored = 0;

    house_of(N);
    records(370);
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
        TEST(what_is_restricted_from_above_is_restricted),
        TEST(what_a_tenant_lifts_is_lifted_for_all_below),
        TEST(who_objects_is_left_in_peace),
        TEST(few_records_restrict_nobody),
        TEST(a_month_that_is_missing_restricts_nobody),
        TEST(records_of_strangers_restrict_nobody),
        TEST(records_reach_as_far_as_history),
        TEST(a_strange_file_of_calls_is_refused),
        TEST(an_undo_that_restores_none_says_so),
        TEST(decisions_see_the_old_or_the_new),
        TEST(sweep_and_undo_is_the_identity),
        TEST(many_are_swept_at_once),
    };

    return cmocka_run_group_tests(tests, load_tables, free_tables);
}

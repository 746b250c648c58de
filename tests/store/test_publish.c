/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the store into the snapshot: what is acknowledged is what readers see, at once, and after a new
 * start the same; what fails is never seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "fixture.h"
#include "numbering/numbering.h"
#include "numbering/tables.h"
#include "policy/snapshot.h"

static struct place place;
static struct tables *tables;
static struct snapshot *snapshot;
static struct store *store;

static const struct store_by by = {.actor = SPAN("test")};

static void start(void)
{
    const struct snapshot_options options = {.key = "0123456789abcde"};
    struct store_config config = {.dir = place.dir, .tables = tables};
    struct fault f = {0};

    assert_int_equal(snapshot_new(&snapshot, &options, &f), 0);
    config.snapshot = snapshot;
    if (store_open(&store, &config, NULL, &f) != 0)
        fail_msg("%s", f.text);
}

static void stop(void)
{
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

/* What a call gets: the reason of its verdict. */
static const char *reason(const char *sw, const char *account, const char *dialled)
{
    struct snapshot_subject subject;
    struct number number;
    struct verdict verdict;

    snapshot_read_lock();
    snapshot_find(snapshot, snapshot_switch_by_name(snapshot, span_of(sw)), span_of(account),
                  &subject);
    numbering_parse(subject.site, span_of(dialled), &number);
    snapshot_decide(snapshot, &subject, &number, false, 1800000000, &verdict);
    snapshot_read_unlock();
    return verdict_reason_name(verdict.reason);
}

#define SOMALIA "010252615123456"
#define TOKYO "0312345678"
#define expect(account, dialled, why) assert_string_equal(reason("local", account, dialled), why)

/* Runs a job that must succeed, and checks that the snapshot has its change number. */
static void change(store_job job, const void *arg)
{
    struct store_stats stats;
    struct fault f = {0};

    if (store_write_wait(store, job, (void *)arg, &f) != 0)
        fail_msg("%s", f.text);
    store_stats(store, &stats);
    assert_int_equal(snapshot_change(snapshot), stats.change);
}

static void add(const char *name)
{
    change(fixture_add_account, name);
}

static int find(struct store_tx *tx, const char *name, struct store_account *a, struct fault *f)
{
    return store_account_find(tx, SPAN("local"), span_of(name), a, f);
}

static int lift(struct store_tx *tx, void *arg, struct fault *f)
{
    struct store_account a;
    int err = find(tx, arg, &a, f);

    return err ? err
               : store_rule_delete(tx, &by, (struct store_ref){SCOPE_ACCOUNT, a.id}, RULE_RESTRICT,
                                   SPAN("010"), f);
}

static int lift_and_fail(struct store_tx *tx, void *arg, struct fault *f)
{
    int err = lift(tx, arg, f);

    return err ? err : fault(f, ERR_RANGE, "on purpose");
}

static int suspend(struct store_tx *tx, void *arg, struct fault *f)
{
    struct store_account a;
    int err = find(tx, arg, &a, f);

    a.state = STORE_SUSPENDED;
    return err ? err : store_account_update(tx, &by, &a, f);
}

static int rename_to_2001(struct store_tx *tx, void *arg, struct fault *f)
{
    struct store_account a;
    int err = find(tx, arg, &a, f);

    a.name = SPAN("2001");
    return err ? err : store_account_update(tx, &by, &a, f);
}

static int delete (struct store_tx *tx, void *arg, struct fault *f)
{
    struct store_account a;
    int err = find(tx, arg, &a, f);

    return err ? err : store_account_delete(tx, &by, a.id, f);
}

static int deny_unknown(struct store_tx *tx, void *arg, struct fault *f)
{
    struct store_switch s;
    int err = store_switch_find(tx, SPAN("local"), &s, f);

    s.unknown = STORE_DENY;
    return err ? err : store_switch_update(tx, &by, &s, f);
}

static void an_account_is_seen_when_it_is_acknowledged(void **state)
{
    change(deny_unknown, NULL);
    expect("1001", TOKYO, "unknown-account");
    add("1001");
    expect("1001", TOKYO, "unrestricted");
    expect("1001", SOMALIA, "restricted");
    change(lift, "1001");
    expect("1001", SOMALIA, "unrestricted");
    change(suspend, "1001");
    expect("1001", TOKYO, "suspended");
    expect("1001", "110", "emergency");
    change(rename_to_2001, "1001");
    expect("1001", TOKYO, "unknown-account");
    expect("2001", TOKYO, "suspended");
    change(delete, "2001");
    expect("2001", TOKYO, "unknown-account");
}

static void a_change_that_fails_is_not_seen(void **state)
{
    add("1001");
    assert_int_equal(store_write_wait(store, lift_and_fail, (void *)"1001", NULL), ERR_RANGE);
    expect("1001", SOMALIA, "restricted");
}

static void an_unknown_account_is_born_restricted(void **state)
{
    expect("9", SOMALIA, "restricted");
    expect("9", TOKYO, "unrestricted");
}

static int stop_put(struct store_tx *tx, void *arg, struct fault *f)
{
    struct store_ref ref;
    int err = store_ref_parse(tx, span_of(arg), &ref, f);

    return err ? err : store_stop_put(tx, &by, ref, SPAN(""), f);
}

static int stop_delete(struct store_tx *tx, void *arg, struct fault *f)
{
    struct store_ref ref;
    int err = store_ref_parse(tx, span_of(arg), &ref, f);

    return err ? err : store_stop_delete(tx, &by, ref, f);
}

static void a_stop_is_seen_and_its_end(void **state)
{
    static const char *const scopes[] = {"operator", "tenant:main", "account:1"};

    add("1001");
    change(lift, "1001");
    for (size_t i = 0; i < 3; i++) {
        expect("1001", SOMALIA, "unrestricted");
        change(stop_put, scopes[i]);
        expect("1001", SOMALIA, "stopped");
        expect("1001", TOKYO, "unrestricted");
        change(stop_delete, scopes[i]);
    }
    expect("1001", SOMALIA, "unrestricted");
}

static int put_rule(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct rule premium = {.prefix = SPAN("0990")};
    struct store_ref ref;
    int err = store_ref_parse(tx, span_of(arg), &ref, f);

    return err ? err : store_rule_put(tx, &by, ref, &premium, f);
}

static void rules_of_all_levels_are_seen(void **state)
{
    add("1001");
    expect("1001", "0990123456", "unrestricted");
    change(put_rule, "tenant:main");
    expect("1001", "0990123456", "restricted");
    change(put_rule, "preset:jp");
    expect("9", "0990123456", "restricted"); /* adopted */
}

static void operator_rules_are_seen(void **state)
{
    add("1001");
    change(put_rule, "operator");
    expect("1001", "0990123456", "restricted");
}

static int second_switch(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct span addresses[] = {SPAN("192.0.2.0/24")};
    const struct store_switch s = {.name = SPAN("second"),
                                   .addresses = addresses,
                                   .n_addresses = 1,
                                   .plan = SPAN("JP"),
                                   .outside = SPAN("9"),
                                   .mode = STORE_ENFORCE,
                                   .unknown = STORE_DENY};
    int64_t id;

    return store_switch_add(tx, &by, &s, &id, f);
}

static int switch_that_covers_110(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_switch s = {.name = SPAN("third"),
                                   .plan = SPAN("JP"),
                                   .extensions = SPAN("1XX"),
                                   .mode = STORE_ENFORCE,
                                   .unknown = STORE_DENY};
    int64_t id;

    return store_switch_add(tx, &by, &s, &id, f);
}

static int account_on_second(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_account a = {.name = span_of(arg), .switch_name = SPAN("second")};
    int64_t id;

    return store_account_add(tx, &by, &a, &id, f);
}

static void switches_are_seen(void **state)
{
    struct address address;
    struct fault f = {0};

    change(second_switch, NULL);
    change(account_on_second, "1001");
    assert_string_equal(reason("second", "1001", "9" SOMALIA), "restricted");
    assert_string_equal(reason("second", "1001", "9110"), "emergency");
    assert_string_equal(reason("second", "1002", TOKYO), "unknown-account");
    address_parse_ip(SPAN("192.0.2.77"), &address, NULL);
    snapshot_read_lock();
    assert_string_equal(snapshot_switch_by_address(snapshot, &address)->name, "second");
    snapshot_read_unlock();
    assert_int_equal(store_write_wait(store, switch_that_covers_110, NULL, &f), ERR_RANGE);
}

static int import_row(void *arg, struct store_import_row *row, struct fault *f)
{
    static char name[16];
    int *n = arg;

    if (*n == 300)
        return 0;
    snprintf(name, sizeof(name), "i%d", (*n)++);
    row->account.name = span_of(name);
    return 1;
}

static int import_job(struct store_tx *tx, void *arg, struct fault *f)
{
    int n = 0;
    struct store_import import = {.next = import_row, .arg = &n};

    return store_account_import(tx, &by, &import, f);
}

static void an_import_is_seen_whole(void **state)
{
    change(deny_unknown, NULL);
    add("1001");
    change(import_job, NULL);
    assert_int_equal(snapshot_figures(snapshot).accounts, 301);
    expect("i0", SOMALIA, "restricted");
    expect("i299", SOMALIA, "restricted");
    expect("i300", SOMALIA, "unknown-account");
}

static void after_a_new_start_all_is_the_same(void **state)
{
    add("1001");
    add("1002");
    add("1003");
    change(lift, "1002");
    change(suspend, "1003");
    change(second_switch, NULL);
    change(account_on_second, "2001");
    change(put_rule, "operator");
    int64_t number = snapshot_change(snapshot);
    stop();
    start();
    assert_int_equal(snapshot_change(snapshot), number);
    assert_int_equal(snapshot_figures(snapshot).accounts, 4);
    assert_int_equal(snapshot_figures(snapshot).profiles, 3);
    expect("1001", SOMALIA, "restricted");
    expect("1002", SOMALIA, "unrestricted");
    expect("1003", TOKYO, "suspended");
    expect("1002", "0990123456", "restricted");
    assert_string_equal(reason("second", "2001", "9" SOMALIA), "restricted");
}

static int bad_zone(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct rule rule = {.prefix = SPAN("0"), .schedule = SPAN("all all Asia/Edo")};

    return store_rule_put(tx, &by, (struct store_ref){SCOPE_OPERATOR, 0}, &rule, f);
}

static int no_zone(void *arg, struct span name, struct buf *out, struct fault *f)
{
    return fault(f, ERR_MISSING, "there is no zone %s", ESCAPED(name));
}

static void a_zone_that_nobody_knows_is_refused(void **state)
{
    struct snapshot_options options = {.zones = NULL};
    struct store_config config = {.dir = place.dir, .tables = tables};
    struct fault f = {0};

    stop();
    assert_int_equal(zones_new(&options.zones, no_zone, NULL, NULL), 0);
    assert_int_equal(snapshot_new(&snapshot, &options, NULL), 0);
    config.snapshot = snapshot;
    assert_int_equal(store_open(&store, &config, NULL, NULL), 0);
    assert_int_equal(store_write_wait(store, bad_zone, NULL, &f), ERR_MISSING);
    assert_non_null(strstr(f.text, "Asia/Edo"));
    stop();
    zones_free(options.zones);
    start();
}

static void other_tables_are_taken(void **state)
{
    struct tables *more = NULL;

    add("1001");
    assert_int_equal(tables_load(&more, NULL, 0, NULL), 0);
    assert_int_equal(store_tables_wait(store, more, NULL), 0);
    expect("1001", SOMALIA, "restricted");
    stop();
    tables_free(tables);
    tables = more;
    start();
}

static int load_tables(void **state)
{
    struct fault f = {0};

    snapshot_reader_register();
    if (tables_load(&tables, NULL, 0, &f) != 0)
        print_error("%s\n", f.text);
    return tables ? 0 : -1;
}

static int free_tables(void **state)
{
    tables_free(tables);
    snapshot_reader_unregister();
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_account_is_seen_when_it_is_acknowledged),
        TEST(a_change_that_fails_is_not_seen),
        TEST(an_unknown_account_is_born_restricted),
        TEST(a_stop_is_seen_and_its_end),
        TEST(rules_of_all_levels_are_seen),
        TEST(operator_rules_are_seen),
        TEST(switches_are_seen),
        TEST(an_import_is_seen_whole),
        TEST(after_a_new_start_all_is_the_same),
        TEST(a_zone_that_nobody_knows_is_refused),
        TEST(other_tables_are_taken),
    };

    return cmocka_run_group_tests(tests, load_tables, free_tables);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>

#include "fixture.h"

static struct place place;
static struct store *store;
static int64_t wall_ms;

static struct instant test_now(void)
{
    return (struct instant){.wall_ms = wall_ms};
}

static int setup(void **state)
{
    struct store_config config = {.now = test_now};

    wall_ms = 1800000000000;
    place_make(&place);
    config.dir = place.dir;
    return store_open(&store, &config, NULL, NULL);
}

static int teardown(void **state)
{
    store_close(store);
    place_remove(&place);
    return 0;
}

struct many {
    const struct store_refusal *rows;
    size_t n;
};

static int add_job(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct many *m = arg;

    return store_refusals_add(tx, m->rows, m->n, f);
}

static void add(struct store_refusal r)
{
    struct many one = {&r, 1};
    struct fault f = {0};

    if (store_evidence_wait(store, add_job, &one, &f) != 0)
        fail_msg("%s", f.text);
}

/* A refusal of account 1 on switch 1, tenant 1. */
static struct store_refusal refusal(const char *dialled)
{
    return (struct store_refusal){
        .switch_id = 1,
        .account_id = 1,
        .tenant_id = 1,
        .account = SPAN("1001"),
        .remote = SPAN("192.0.2.7"),
        .dialled = span_of(dialled),
        .class = SPAN("INTERNATIONAL"),
        .e164 = SPAN("+252615123456"),
        .country = SPAN("SO"),
        .reason = SPAN("restricted"),
        .level = SPAN("account"),
        .rule = SPAN("010"),
    };
}

/* What a list holds, as "dialled×count" of each row. */
struct listing {
    struct store_refusal_query query;
    char text[4096];
    size_t n;
};

static int list_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct listing *l = arg;
    struct store_refusal_list list;
    int err = store_refusal_list(tx, &l->query, &list, f);

    l->text[0] = '\0';
    for (size_t i = 0; !err && i < list.n && i < 50; i++) {
        size_t at = strlen(l->text);
        snprintf(l->text + at, sizeof(l->text) - at, "%s%.*s×%" PRIu64, i ? " " : "",
                 SPAN_FMT(list.items[i].dialled), list.items[i].count);
    }
    l->n = err ? 0 : list.n;
    return err;
}

static const char *listed(struct listing *l)
{
    struct fault f = {0};

    if (store_read_wait(store, list_job, l, &f) != 0)
        fail_msg("%s", f.text);
    return l->text;
}

static void the_same_within_an_hour_is_one_row(void **state)
{
    struct listing all = {0};

    add(refusal("0102521"));
    wall_ms += 59 * 60 * 1000;
    add(refusal("0102521"));
    add(refusal("0102522"));
    assert_string_equal(listed(&all), "0102522×1 0102521×2");
    wall_ms += 2 * 60 * 1000; /* an hour after the first */
    add(refusal("0102521"));
    assert_string_equal(listed(&all), "0102521×1 0102522×1 0102521×2");
}

static void what_differs_in_kind_is_another_row(void **state)
{
    struct listing all = {0};
    struct store_refusal r = refusal("1");

    add(r);
    r.remote = SPAN("192.0.2.8");
    add(r);
    r.observed = true;
    add(r);
    r.reason = SPAN("stopped");
    add(r);
    r.account_id = 2;
    add(r);
    r.rule = SPAN("0");
    add(r);
    /* Where one field ends and the next begins must not be confused. */
    r.dialled = SPAN("12");
    r.remote = SPAN("3");
    add(r);
    r.dialled = SPAN("1");
    r.remote = SPAN("23");
    add(r);
    listed(&all);
    assert_int_equal(all.n, 8);
}

static void hostile_bytes_are_kept_escaped(void **state)
{
    struct listing all = {0};
    struct store_refusal r = refusal("");

    r.dialled = SPAN("010\0,1)\r\n\xff");
    add(r);
    assert_string_equal(listed(&all), "010\\x00,1)\\x0d\\x0a\\xff×1");
}

static void one_account_cannot_push_out_another(void **state)
{
    struct listing one = {.query = {.account_id = 1, .page = {.limit = 1000}}};
    struct listing two = {.query = {.account_id = 2}};
    struct store_refusal rows[300];
    char dialled[300][16];
    struct many many = {rows, 300};
    struct store_refusal other = refusal("0102529");

    other.account_id = 2;
    add(other);
    for (size_t k = 0; k < 5; k++) {
        for (size_t i = 0; i < 300; i++) {
            snprintf(dialled[i], sizeof(dialled[i]), "010%zu", 1000 * k + i);
            rows[i] = refusal(dialled[i]);
        }
        assert_int_equal(store_evidence_wait(store, add_job, &many, NULL), 0);
    }
    listed(&one);
    assert_int_equal(one.n, 1000);                  /* the quota */
    assert_memory_equal(one.text, "0104299×1", 10); /* the newest is there */
    assert_string_equal(listed(&two), "0102529×1");
}

static void unknown_accounts_share_one_quota(void **state)
{
    struct listing all = {.query = {.page = {.limit = 1000}}};
    struct store_refusal rows[300];
    char names[300][16];
    struct many many = {rows, 300};

    add(refusal("1")); /* of a known account */
    for (size_t k = 0; k < 5; k++) {
        for (size_t i = 0; i < 300; i++) {
            snprintf(names[i], sizeof(names[i]), "made-up-%zu", 300 * k + i);
            rows[i] = refusal("2");
            rows[i].account_id = 0;
            rows[i].account = span_of(names[i]);
        }
        assert_int_equal(store_evidence_wait(store, add_job, &many, NULL), 0);
    }
    listed(&all);
    assert_int_equal(all.n, 1000);
    assert_int_equal(fixture_number(place_file(&place, "evidence.db"),
                                    "SELECT count(*) FROM refusals WHERE account = 1"),
                     1);
    assert_int_equal(
        fixture_number(place_file(&place, "evidence.db"), "SELECT rows FROM refusal_total"), 1001);
}

static int settings_job(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_by by = {.actor = SPAN("test")};

    return store_settings_update(tx, &by, arg, f);
}

static void the_whole_is_bounded_and_the_oldest_goes(void **state)
{
    struct store_settings settings = {.refusal_days = 30,
                                      .refusals_max = 1000,
                                      .refusals_per_account = 1000,
                                      .adopted_max = 10,
                                      .attempt_days = 90,
                                      .attempts_max = 1000,
                                      .decision_days = 180,
                                      .decisions_max = 1000,
                                      .decisions_per_subject = 100};
    struct listing old = {.query = {.account_id = 5000}};
    struct store_refusal r = refusal("1");

    assert_int_equal(store_write_wait(store, settings_job, &settings, NULL), 0);
    for (int64_t id = 5000; id < 6010; id++) {
        r.account_id = id;
        wall_ms++;
        add(r);
    }
    assert_int_equal(
        fixture_number(place_file(&place, "evidence.db"), "SELECT count(*) FROM refusals"), 1000);
    assert_string_equal(listed(&old), "");
}

static void what_is_too_old_goes(void **state)
{
    struct listing all = {0};

    add(refusal("1"));
    wall_ms += (int64_t)179 * 24 * 3600 * 1000;
    add(refusal("2"));
    assert_string_equal(listed(&all), "2×1 1×1");
    wall_ms += (int64_t)2 * 24 * 3600 * 1000;
    add(refusal("3"));
    assert_string_equal(listed(&all), "3×1 2×1");
}

static int tenants_job(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_by by = {.actor = SPAN("test")};
    struct store_tenant t = {.name = SPAN("shop"), .parent = SPAN("main"), .language = SPAN("en")};
    int64_t id;

    return store_tenant_add(tx, &by, &t, &id, f);
}

static void lists_have_conditions_and_pages(void **state)
{
    struct listing l = {0};
    struct store_refusal r = refusal("1");

    assert_int_equal(store_write_wait(store, tenants_job, NULL, NULL), 0); /* tenant 2 */
    add(r);
    r.dialled = SPAN("2");
    r.tenant_id = 2;
    r.account_id = 2;
    r.account = SPAN("1002");
    wall_ms += 1000;
    add(r);
    r.dialled = SPAN("3");
    r.tenant_id = 0;
    r.account_id = 0;
    r.account = SPAN("NoBody");
    r.reason = SPAN("unknown-account");
    wall_ms += 1000;
    add(r);

    l.query = (struct store_refusal_query){.within = 1};
    assert_string_equal(listed(&l), "2×1 1×1");
    l.query = (struct store_refusal_query){.within = 2};
    assert_string_equal(listed(&l), "2×1");
    l.query = (struct store_refusal_query){.account_id = 1};
    assert_string_equal(listed(&l), "1×1");
    l.query = (struct store_refusal_query){.account = SPAN("nobody")};
    assert_string_equal(listed(&l), "3×1");
    l.query = (struct store_refusal_query){.reason = SPAN("restricted")};
    assert_string_equal(listed(&l), "2×1 1×1");
    l.query = (struct store_refusal_query){.since_ms = wall_ms - 1000};
    assert_string_equal(listed(&l), "3×1 2×1");
    l.query = (struct store_refusal_query){.switch_name = SPAN("local"), .page = {.limit = 2}};
    assert_string_equal(listed(&l), "3×1 2×1");
    l.query = (struct store_refusal_query){.page = {.limit = 2, .cursor = SPAN("2")}};
    assert_string_equal(listed(&l), "1×1");
}

static int names_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct store_refusal_query query = {0};
    struct store_refusal_list list;
    int err = store_refusal_list(tx, &query, &list, f);

    if (!err) {
        assert_true(span_is(list.items[0].switch_name, "local"));
        assert_true(span_is(list.items[0].tenant, "main"));
        assert_true(list.items[1].switch_name.n == 0);
        assert_true(list.items[1].tenant.n == 0);
    }
    return err;
}

static void rows_outlive_what_they_name(void **state)
{
    struct store_refusal r = refusal("1");

    r.switch_id = r.tenant_id = 99;
    add(r);
    add(refusal("1"));
    assert_int_equal(store_read_wait(store, names_job, NULL, NULL), 0);
}

static void only_an_evidence_job_adds(void **state)
{
    struct store_refusal r = refusal("1");
    struct many one = {&r, 1};
    struct fault f;

    assert_int_equal(store_write_wait(store, add_job, &one, &f), ERR_DENIED);
    assert_int_equal(store_read_wait(store, add_job, &one, &f), ERR_DENIED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same_within_an_hour_is_one_row),
        TEST(what_differs_in_kind_is_another_row),
        TEST(hostile_bytes_are_kept_escaped),
        TEST(one_account_cannot_push_out_another),
        TEST(unknown_accounts_share_one_quota),
        TEST(the_whole_is_bounded_and_the_oldest_goes),
        TEST(what_is_too_old_goes),
        TEST(lists_have_conditions_and_pages),
        TEST(rows_outlive_what_they_name),
        TEST(only_an_evidence_job_adds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

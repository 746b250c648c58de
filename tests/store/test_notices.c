/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The outbox on a whole store: who is told of what, once; and what becomes of a notice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "fixture.h"
#include "store/notices.h"

#define START_MS INT64_C(1800000000000)
#define MINUTE_MS (60 * (int64_t)1000)

static struct place place;
static struct store *store;
static struct fault f;
static int64_t wall_ms;
static unsigned noticed;

static const struct store_by by = {.actor = SPAN("test")};

static struct instant test_now(void)
{
    return (struct instant){.wall_ms = wall_ms};
}

static void on_noticed(void *arg)
{
    ++*(unsigned *)arg;
}

static void open_it(void)
{
    const struct store_config config = {
        .dir = place.dir, .now = test_now, .noticed = on_noticed, .noticed_arg = &noticed};

    if (store_open(&store, &config, NULL, &f) != 0)
        fail_msg("%s", f.text);
}

static void must(int err)
{
    if (err)
        fail_msg("%s", f.text);
}

/* ---- the house: a reseller with addresses, under it one tenant with and one without ---------- */

struct tenant {
    const char *name, *parent, *mail, *language;
};

static int tenant_job(struct store_tx *tx, void *arg, struct fault *why)
{
    const struct tenant *t = arg;
    const struct store_tenant tenant = {.name = span_of(t->name),
                                        .parent = span_of(t->parent),
                                        .mail = span_of(t->mail),
                                        .language = span_of(t->language)};
    int64_t id;

    return store_tenant_add(tx, &by, &tenant, &id, why);
}

struct account {
    const char *name, *tenant;
};

static int account_job(struct store_tx *tx, void *arg, struct fault *why)
{
    const struct account *a = arg;
    const struct store_account account = {.name = span_of(a->name), .tenant = span_of(a->tenant)};
    int64_t id;

    return store_account_add(tx, &by, &account, &id, why);
}

static int setup(void **state)
{
    static const struct tenant tenants[] = {
        {"reseller", "", "noc@reseller.example,boss@reseller.example", "en"},
        {"acme", "reseller", "it@acme.example", "ja"},
        {"small", "reseller", "", "ja"},
        {"alone", "", "", "ja"},
    };
    static const struct account accounts[] = {{"1001", "acme"},
                                              {"1002", "acme"},
                                              {"2001", "small"},
                                              {"3001", "alone"},
                                              {"4001", "reseller"}};

    wall_ms = START_MS;
    place_make(&place);
    open_it();
    for (size_t i = 0; i < sizeof(tenants) / sizeof(*tenants); i++)
        must(store_write_wait(store, tenant_job, (void *)&tenants[i], &f));
    for (size_t i = 0; i < sizeof(accounts) / sizeof(*accounts); i++)
        must(store_write_wait(store, account_job, (void *)&accounts[i], &f));
    noticed = 0;
    return 0;
}

static int teardown(void **state)
{
    store_close(store);
    place_remove(&place);
    return 0;
}

/* ---- what is asked --------------------------------------------------------------------------- */

struct add {
    struct notice notice;
    int64_t batch;
    uint64_t n;
    bool refused;
};

static int add_job(struct store_tx *tx, void *arg, struct fault *why)
{
    struct add *a = arg;
    int err = a->batch ? store_notice_add_batch(tx, &a->notice, a->batch, &a->n, why)
                       : store_notice_add(tx, &a->notice, why);

    if (!err && a->refused)
        return fault(why, ERR_DENIED, "the change that it tells of is refused");
    return err;
}

static int told_account(void *arg, const struct notice_account *account)
{
    buf_printf(arg, " %.*s/%.*s", SPAN_FMT(account->tenant), SPAN_FMT(account->name));
    return 0;
}

static int told_job(struct store_tx *tx, void *arg, struct fault *why)
{
    const struct store_notice_query query = {0};
    struct store_notice_list list;
    struct buf *out = arg;
    int err = store_notice_list(tx, &query, &list, why);

    for (size_t i = list.n; !err && i-- > 0;) {
        const struct store_notice *n = &list.items[i];

        buf_printf(out, "%s to %.*s <%.*s> in %.*s:", notice_kind_name(n->kind),
                   SPAN_FMT(n->tenant_name), SPAN_FMT(n->recipient), SPAN_FMT(n->language));
        err = store_notice_accounts(tx, n, told_account, out, why);
        buf_putc(out, '\n');
    }
    return err;
}

/* Everything that is in the outbox, in words. */
static void assert_told(const char *expected)
{
    struct buf out = {0};

    must(store_read_wait(store, told_job, &out, &f));
    buf_putc(&out, '\0');
    assert_string_equal(out.p, expected);
    buf_free(&out);
}

static void announce(int64_t change)
{
    char sql[160];

    snprintf(sql, sizeof(sql),
             "INSERT INTO announced SELECT %" PRId64 ", id FROM accounts WHERE name <> '1002'",
             change);
    fixture_sql(place_file(&place, "sekisho.db"), sql);
    struct add a = {.notice = {.kind = NOTICE_SWEEP_ANNOUNCED,
                               .change = change,
                               .facts = SPAN("{\"day\":\"2026-12-01\"}")},
                    .batch = change};
    must(store_write_wait(store, add_job, &a, &f));
}

#define DIGESTS                                                                                    \
    "sweep-announced to reseller <noc@reseller.example> in en: small/2001 reseller/4001\n"         \
    "sweep-announced to reseller <boss@reseller.example> in en: small/2001 reseller/4001\n"        \
    "sweep-announced to acme <it@acme.example> in ja: acme/1001\n"                                 \
    "sweep-announced to  <> in : alone/3001\n"

static void one_digest_for_each_who_is_told(void **state)
{
    announce(7);
    assert_told(DIGESTS);
    assert_int_equal(noticed, 1);
}

static void who_was_told_of_whom_stays_when_addresses_change(void **state)
{
    announce(7);
    fixture_sql(place_file(&place, "sekisho.db"),
                "UPDATE tenants SET mail = 'late@small.example' WHERE name = 'small'");
    assert_told(DIGESTS);
}

static void the_same_of_one_change_is_added_once(void **state)
{
    struct add a = {.notice = {.kind = NOTICE_RULE_LOOSENED, .change = 3, .facts = SPAN("{}")}};

    a.notice.tenant = fixture_number(place_file(&place, "sekisho.db"),
                                     "SELECT id FROM tenants WHERE name = 'small'");
    must(store_write_wait(store, add_job, &a, &f));
    must(store_write_wait(store, add_job, &a, &f));
    a.notice.tenant = 0;
    must(store_write_wait(store, add_job, &a, &f));
    must(store_write_wait(store, add_job, &a, &f));
    assert_told("rule-loosened to reseller <noc@reseller.example> in en:\n"
                "rule-loosened to reseller <boss@reseller.example> in en:\n"
                "rule-loosened to  <> in :\n");
}

static void what_is_refused_tells_nobody(void **state)
{
    struct add a = {.notice = {.kind = NOTICE_LOCKOUT, .facts = SPAN("{}")}, .refused = true};

    assert_int_equal(store_write_wait(store, add_job, &a, &f), ERR_DENIED);
    a = (struct add){.notice = {.kind = NOTICE_LOCKOUT, .facts = SPAN("[1]")}};
    assert_int_equal(store_write_wait(store, add_job, &a, &f), ERR_SYNTAX);
    a.notice.facts = SPAN("{\"name\":");
    assert_int_equal(store_write_wait(store, add_job, &a, &f), ERR_SYNTAX);
    a = (struct add){.notice = {.kind = NOTICE_LOCKOUT, .change = 1, .facts = SPAN("{}")},
                     .batch = 1};
    assert_int_equal(store_write_wait(store, add_job, &a, &f), ERR_RANGE);
    assert_told("");
}

/* ---- what becomes of it ---------------------------------------------------------------------- */

struct step {
    struct store_notice notice;
    int64_t next_ms;
    bool taken, for_good;
    char token[32];
};

static int due_job(struct store_tx *tx, void *arg, struct fault *why)
{
    struct step *s = arg;
    int err = store_notice_due(tx, wall_ms, &s->notice, &s->next_ms, why);

    if (!err)
        snprintf(s->token, sizeof(s->token), "%.*s", SPAN_FMT(s->notice.token));
    return err;
}

static int take_job(struct store_tx *tx, void *arg, struct fault *why)
{
    struct step *s = arg;

    return store_notice_take(tx, s->notice.id, &s->taken, why);
}

static int sent_job(struct store_tx *tx, void *arg, struct fault *why)
{
    return store_notice_sent(tx, ((struct step *)arg)->notice.id, why);
}

static int failed_job(struct store_tx *tx, void *arg, struct fault *why)
{
    struct step *s = arg;

    return store_notice_failed(tx, s->notice.id, SPAN("451 later"), s->for_good, why);
}

static int retry_job(struct store_tx *tx, void *arg, struct fault *why)
{
    return store_notice_retry(tx, &by, ((struct step *)arg)->notice.id, why);
}

static int totals_job(struct store_tx *tx, void *arg, struct fault *why)
{
    return store_notice_totals(tx, arg, why);
}

static struct step tell_operator(void)
{
    struct add a = {.notice = {.kind = NOTICE_TAKEOVER, .facts = SPAN("{}")}};
    struct step s = {0};

    must(store_write_wait(store, add_job, &a, &f));
    must(store_read_wait(store, due_job, &s, &f));
    must(store_write_wait(store, take_job, &s, &f));
    assert_true(s.taken);
    return s;
}

static void assert_totals(uint64_t waiting, uint64_t sending, uint64_t sent, uint64_t failed)
{
    struct store_notice_totals t = {0};

    must(store_read_wait(store, totals_job, &t, &f));
    assert_int_equal(t.by_state[NOTICE_WAITING], waiting);
    assert_int_equal(t.by_state[NOTICE_SENDING], sending);
    assert_int_equal(t.by_state[NOTICE_SENT], sent);
    assert_int_equal(t.by_state[NOTICE_FAILED], failed);
}

static void what_was_sent_is_never_due_again(void **state)
{
    struct step s = tell_operator();

    must(store_write_wait(store, sent_job, &s, &f));
    wall_ms += 1000 * 24 * 60 * MINUTE_MS;
    assert_int_equal(store_read_wait(store, due_job, &s, &f), ERR_MISSING);
    assert_int_equal(s.next_ms, 0);
    assert_int_equal(store_write_wait(store, retry_job, &s, &f), ERR_CONFLICT);
    assert_totals(0, 0, 1, 0);
}

static void a_crash_while_sending_sends_it_again_by_the_same_name(void **state)
{
    struct step first = tell_operator(), second = {0};

    store_close(store);
    open_it();
    assert_totals(0, 1, 0, 0);
    assert_int_equal(store_read_wait(store, due_job, &second, &f), ERR_MISSING);
    assert_int_equal(second.next_ms, wall_ms + MINUTE_MS);
    wall_ms += MINUTE_MS;
    must(store_read_wait(store, due_job, &second, &f));
    assert_int_equal(second.notice.id, first.notice.id);
    assert_string_equal(second.token, first.token);
    assert_int_equal(first.token[23] != '\0' && first.token[24] == '\0', 1);
}

static void failures_are_tried_again_ever_later_and_then_given_up(void **state)
{
    struct step s = tell_operator();
    int64_t pause = 0;
    int tries = 1;

    for (;; tries++) {
        must(store_write_wait(store, failed_job, &s, &f));
        if (store_read_wait(store, due_job, &s, &f) == 0)
            fail_msg("it is due at once");
        if (!s.next_ms)
            break;
        assert_true(s.next_ms - wall_ms >= pause);
        pause = s.next_ms - wall_ms;
        wall_ms = s.next_ms;
        must(store_read_wait(store, due_job, &s, &f));
        must(store_write_wait(store, take_job, &s, &f));
        assert_true(s.taken);
    }
    assert_int_equal(tries, NOTICE_TRIES);
    assert_in_range((wall_ms - START_MS) / MINUTE_MS, 24 * 60, 72 * 60);
    assert_totals(0, 0, 0, 1);
    must(store_write_wait(store, retry_job, &s, &f));
    assert_totals(1, 0, 0, 0);
    must(store_read_wait(store, due_job, &s, &f));
    assert_int_equal(s.notice.tries, 0);
}

static void what_is_refused_for_good_is_not_tried_again(void **state)
{
    struct step s = tell_operator();

    s.for_good = true;
    must(store_write_wait(store, failed_job, &s, &f));
    assert_totals(0, 0, 0, 1);
}

static int prune_job(struct store_tx *tx, void *arg, struct fault *why)
{
    return store_notice_prune(tx, wall_ms, 10, arg, why);
}

static void only_what_has_ended_is_forgotten(void **state)
{
    struct step s = tell_operator();
    uint64_t n = 0;

    must(store_write_wait(store, sent_job, &s, &f));
    s = tell_operator();
    wall_ms += MINUTE_MS / 2;
    must(store_write_wait(store, prune_job, &n, &f));
    assert_int_equal(n, 1);
    assert_totals(0, 1, 0, 0);
}

/* ---- addresses ------------------------------------------------------------------------------- */

static void an_address_can_be_nothing_else(void **state)
{
    static const struct {
        const char *mail;
        int code;
    } cases[] = {
        {"", 0},
        {"a@example.jp", 0},
        {"first.last+tag@mail.example.co.jp", 0},
        {"a@example.jp,b@example.jp", 0},
        {"a@localhost", 0},
        {"a", ERR_SYNTAX},
        {"@example.jp", ERR_SYNTAX},
        {"a@", ERR_SYNTAX},
        {"a@b@c", ERR_SYNTAX},
        {"a..b@example.jp", ERR_SYNTAX},
        {".a@example.jp", ERR_SYNTAX},
        {"a.@example.jp", ERR_SYNTAX},
        {"-a@example.jp", ERR_SYNTAX},
        {"a@-example.jp", ERR_SYNTAX},
        {"a@example.jp.", ERR_SYNTAX},
        {"a b@example.jp", ERR_SYNTAX},
        {"a@example.jp\r\nBcc: x@example.jp", ERR_SYNTAX},
        {"a@example.jp>", ERR_SYNTAX},
        {"\"a\"@example.jp", ERR_SYNTAX},
        {"a'@example.jp", ERR_SYNTAX},
        {"a%b@example.jp", ERR_SYNTAX},
        {"\xe6\x97\xa5@example.jp", ERR_SYNTAX},
        {"a@example.jp,", ERR_SYNTAX},
        {",a@example.jp", ERR_SYNTAX},
        {"a@example.jp,A@Example.jp", ERR_RANGE},
        {"a@b,b@b,c@b,d@b,e@b,f@b,g@b,h@b", 0},
        {"a@b,b@b,c@b,d@b,e@b,f@b,g@b,h@b,i@b", ERR_RANGE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (notice_addresses_check(span_of(cases[i].mail), &f) != cases[i].code)
            fail_msg("\"%s\" should be %s", cases[i].mail, fixture_error_name(cases[i].code));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_digest_for_each_who_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(who_was_told_of_whom_stays_when_addresses_change, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_same_of_one_change_is_added_once, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_refused_tells_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_sent_is_never_due_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_crash_while_sending_sends_it_again_by_the_same_name,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(failures_are_tried_again_ever_later_and_then_given_up,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_refused_for_good_is_not_tried_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(only_what_has_ended_is_forgotten, setup, teardown),
        cmocka_unit_test(an_address_can_be_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

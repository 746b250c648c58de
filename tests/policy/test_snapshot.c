/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "failalloc.h"
#include "world.h"

#define SOMALIA "010252615123456"
#define TOKYO "0312345678"

static int open_world(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    world_open(w, 0);
    *state = w;
    return 0;
}

static int close_world(void **state)
{
    world_close(*state);
    free(*state);
    return 0;
}

static void answers(const struct world *w, const char *gate, const char *account,
                    const char *dialled, enum verdict_action action, enum verdict_reason reason)
{
    struct verdict v = world_ask(w, gate, account, dialled);

    assert_string_equal(verdict_reason_name(v.reason), verdict_reason_name(reason));
    assert_int_equal(v.action, action);
}

#define DENIED(gate, account, dialled, reason)                                                     \
    answers(w, gate, account, dialled, VERDICT_DENY, reason)
#define ALLOWED(gate, account, dialled, reason)                                                    \
    answers(w, gate, account, dialled, VERDICT_ALLOW, reason)

/* ---- finding ---- */

static void a_null_snapshot_only_passes_emergencies(void **state)
{
    const struct number emergency = {.class = CLASS_EMERGENCY, .dialled = "119"};
    const struct number national = {.class = CLASS_NATIONAL, .dialled = TOKYO};
    struct snapshot_subject subject;
    struct address address = {.family = 4};
    struct verdict v;

    snapshot_read_lock();
    assert_null(snapshot_switch_by_name(NULL, SPAN("pbx")));
    assert_null(snapshot_switch_by_address(NULL, &address));
    assert_int_equal(snapshot_change(NULL), 0);
    snapshot_find(NULL, NULL, SPAN("1001"), &subject);
    snapshot_decide(NULL, &subject, &emergency, false, 0, &v);
    assert_int_equal(v.action, VERDICT_ALLOW);
    snapshot_decide(NULL, &subject, &national, false, 0, &v);
    assert_int_equal(v.reason, REASON_UNAVAILABLE);
    assert_int_equal(v.action, VERDICT_DENY);
    snapshot_read_unlock();
    snapshot_free(NULL);
}

static void a_snapshot_without_levels_decides_nothing(void **state)
{
    struct snapshot_options options = {.key = "another 16 bytes"};
    struct snapshot_subject subject;
    struct snapshot *snap;
    struct address address = {.family = 4};
    struct fault f;

    must(snapshot_new(&snap, &options, &f), &f);
    snapshot_read_lock();
    assert_null(snapshot_switch_by_name(snap, SPAN("pbx")));
    assert_null(snapshot_switch_by_address(snap, &address));
    snapshot_find(snap, NULL, SPAN("1001"), &subject);
    assert_null(subject.site);
    snapshot_read_unlock();
    snapshot_free(snap);
}

static void switches_are_found_by_name(void **state)
{
    struct world *w = *state;

    assert_string_equal(snapshot_switch_by_name(w->snap, SPAN("pbx"))->name, "pbx");
    assert_int_equal(snapshot_switch_by_name(w->snap, SPAN("sbc"))->id, 2);
    assert_null(snapshot_switch_by_name(w->snap, SPAN("pb")));
    assert_null(snapshot_switch_by_name(w->snap, SPAN("pbxx")));
    assert_null(snapshot_switch_by_name(w->snap, SPAN("PBX")));
    assert_null(snapshot_switch_by_name(w->snap, (struct span){0}));
}

static void switches_are_found_by_the_longest_network(void **state)
{
    static const struct {
        const char *address, *name;
    } cases[] = {
        {"192.0.2.1", "pbx"},       {"192.0.2.127", "pbx"},      {"192.0.2.128", "sbc"},
        {"192.0.2.255", "sbc"},     {"10.0.0.1", "sbc"},         {"10.0.0.2", NULL},
        {"192.0.3.0", NULL},        {"2001:db8:ffff::1", "pbx"}, {"2001:db9::", NULL},
        {"::ffff:10.0.0.1", "sbc"},
    };
    struct world *w = *state;
    struct fault f;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct levels_gate *gate;
        struct address a;

        must(address_parse_ip(span_of(cases[i].address), &a, &f), &f);
        gate = snapshot_switch_by_address(w->snap, &a);
        assert_string_equal(gate ? gate->name : "(none)", cases[i].name ? cases[i].name : "(none)");
    }
}

static void account_names_are_of_any_case_and_of_one_switch(void **state)
{
    struct snapshot_subject subject;
    struct world *w = *state;

    world_account(w, 11, 1, "Trunk-A@example", 1, "-010");
    world_account(w, 12, 2, "trunk-a@example", 3, "-0120");
    snapshot_publish(w->snap, 2);
    world_ask_at(w, "pbx", "TRUNK-a@EXAMPLE", TOKYO, 0, &subject);
    assert_int_equal(subject.account, 11);
    assert_int_equal(subject.tenant, 1);
    assert_string_equal(subject.tenant_name, "reseller");
    assert_int_equal(subject.change, 2);
    world_ask_at(w, "sbc", "trunk-A@example", TOKYO, 0, &subject);
    assert_int_equal(subject.account, 12);
    DENIED("sbc", "trunk-a@example", "90120123456", REASON_RESTRICTED);
    ALLOWED("pbx", "trunk-a@example", "0120123456", REASON_UNRESTRICTED);
}

static void assert_same_subject(const struct snapshot_subject *a, const struct snapshot_subject *b)
{
    assert_ptr_equal(a->gate, b->gate);
    assert_int_equal(a->account, b->account);
    assert_int_equal(a->tenant, b->tenant);
    assert_ptr_equal(a->tenant_name, b->tenant_name);
    assert_int_equal(a->adopt, b->adopt);
    assert_int_equal(a->observe, b->observe);
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->stopped, b->stopped);
    assert_ptr_equal(a->site, b->site);
    assert_ptr_equal(a->internal[0], b->internal[0]);
    assert_ptr_equal(a->internal[1], b->internal[1]);
    assert_int_equal(a->change, b->change);
}

static void many_are_found_as_one_is(void **state)
{
    static const char too_long[] = "1234567890123456789012345678901234567890123456789012345"
                                   "678901234567890";
    static const char *const names[] = {"a1",         "A2", "nobody", "a3",
                                        "not a name", "",   "a4",     too_long};
    enum { N = 37 }; /* more than are looked for at once, and no multiple of that */
    struct snapshot_question questions[N];
    struct snapshot_subject many[N], one;
    struct world *w = *state;

    world_account(w, 21, 1, "a1", 1, "-010");
    world_account(w, 22, 1, "a2", 2, "-0120");
    world_account(w, 23, 1, "a3", 3, "");
    world_account(w, 24, 2, "a4", 1, "");
    snapshot_publish(w->snap, 2);
    snapshot_read_lock();
    for (size_t i = 0; i < N; i++) {
        const char *gate = i % 3 == 0 ? "pbx" : i % 3 == 1 ? "sbc" : "nowhere";

        questions[i] = (struct snapshot_question){snapshot_switch_by_name(w->snap, span_of(gate)),
                                                  span_of(names[i % 8])};
    }
    snapshot_find_many(w->snap, questions, N, many);
    for (size_t i = 0; i < N; i++) {
        snapshot_find(w->snap, questions[i].gate, questions[i].account, &one);
        assert_same_subject(&many[i], &one);
    }
    assert_int_equal(many[0].account, 21);
    assert_int_equal(many[9].account, 22);
    assert_true(many[18].adopt);  /* "nobody" at pbx */
    assert_false(many[12].adopt); /* "not a name" */
    assert_false(many[15].adopt); /* too long */
    assert_null(many[2].gate);
    snapshot_find_many(NULL, questions, N, many);
    assert_null(many[N - 1].gate);
    snapshot_find_many(w->snap, NULL, 0, NULL);
    snapshot_read_unlock();
}

static void unknown_accounts_are_born_or_denied(void **state)
{
    struct snapshot_subject subject;
    struct world *w = *state;

    world_ask_at(w, "pbx", "2002", TOKYO, 0, &subject);
    assert_true(subject.adopt);
    assert_int_equal(subject.account, 0);
    assert_int_equal(subject.tenant, 2);
    DENIED("pbx", "2002", SOMALIA, REASON_RESTRICTED);
    ALLOWED("pbx", "2002", TOKYO, REASON_UNRESTRICTED);
    DENIED("sbc", "2002", TOKYO, REASON_UNKNOWN_ACCOUNT);
    ALLOWED("sbc", "2002", "110", REASON_EMERGENCY);
    world_ask_at(w, "sbc", "2002", TOKYO, 0, &subject);
    assert_false(subject.adopt);
}

static void names_that_are_none_are_not_adopted(void **state)
{
    static const char *const names[] = {
        "",
        "a b",
        "x\n",
        "1001;x",
        "\xef\xbc\x91",
        "a/b",
        "%31",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        DENIED("pbx", names[i], TOKYO, REASON_UNKNOWN_ACCOUNT);
    ALLOWED("pbx", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", TOKYO,
            REASON_UNRESTRICTED);
}

static void an_account_out_of_reach_is_unknown(void **state)
{
    struct world *w = *state;

    world_account(w, 21, 2, "2001", 1, "");
    world_account(w, 22, 2, "2002", 3, "");
    snapshot_publish(w->snap, 2);
    DENIED("sbc", "2001", TOKYO, REASON_UNKNOWN_ACCOUNT);
    ALLOWED("sbc", "2002", "9" TOKYO, REASON_UNRESTRICTED);
}

static void reach_goes_down_the_tenants(void **state)
{
    static const int64_t reseller[] = {1};
    struct world *w = *state;

    world_account(w, 21, 2, "2001", 2, "");
    w->switches[1].tenants = reseller;
    world_stage(w);
    snapshot_publish(w->snap, 2);
    ALLOWED("sbc", "2001", "9" TOKYO, REASON_UNRESTRICTED);
}

static void an_account_of_a_tenant_that_is_gone_is_denied(void **state)
{
    struct world *w = *state;

    world_account(w, 21, 1, "2001", 77, "");
    snapshot_publish(w->snap, 2);
    DENIED("pbx", "2001", TOKYO, REASON_UNKNOWN_ACCOUNT);
    world_stage(w);
    snapshot_publish(w->snap, 3);
    DENIED("pbx", "2001", TOKYO, REASON_UNAVAILABLE);
    ALLOWED("pbx", "2001", "110", REASON_EMERGENCY);
}

/* ---- levels ---- */

static void tenants_rules_go_down(void **state)
{
    static const struct rule parents[] = {{.prefix = SPAN("010")}, {.prefix = SPAN("0570")}};
    static const struct rule own[] = {{.action = RULE_EXCEPT, .prefix = SPAN("0570")}};
    struct world *w = *state;

    world_account(w, 1, 1, "shop", 2, "");
    world_account(w, 2, 1, "reseller", 1, "");
    world_account(w, 3, 1, "office", 3, "");
    w->tenants[0].rules = (struct levels_rules){parents, 2};
    w->tenants[1].rules = (struct levels_rules){own, 1};
    world_stage(w);
    snapshot_publish(w->snap, 2);
    DENIED("pbx", "shop", SOMALIA, REASON_RESTRICTED);
    ALLOWED("pbx", "shop", "0570012345", REASON_EXCEPTION);
    DENIED("pbx", "reseller", "0570012345", REASON_RESTRICTED);
    ALLOWED("pbx", "office", "0570012345", REASON_UNRESTRICTED);
}

static void the_operators_rules_are_for_all(void **state)
{
    static const struct rule rules[] = {
        {.prefix = SPAN("0990"), .mandatory = true},
        {.prefix = SPAN("0570")},
    };
    struct world *w = *state;

    world_account(w, 3, 1, "office", 3, "+0990 +0570");
    w->config.operator_rules = (struct levels_rules){rules, 2};
    world_stage(w);
    snapshot_publish(w->snap, 2);
    DENIED("pbx", "office", "0990123456", REASON_MANDATORY);
    ALLOWED("pbx", "office", "0570012345", REASON_EXCEPTION);
    DENIED("pbx", "stranger", "0990123456", REASON_MANDATORY);
    DENIED("pbx", "stranger", "0570012345", REASON_RESTRICTED);
}

static void stops_hold_at_every_scope(void **state)
{
    struct world *w = *state;
    const struct snapshot_account stopped = {
        .id = 2, .switch_id = 1, .name = SPAN("stopped"), .tenant = 3, .stopped = true};
    struct fault f;

    world_account(w, 1, 1, "shop", 2, "");
    must(world_stage_account(w, stopped, "", &f), &f);
    snapshot_publish(w->snap, 2);
    DENIED("pbx", "stopped", SOMALIA, REASON_STOPPED);
    ALLOWED("pbx", "shop", SOMALIA, REASON_UNRESTRICTED);
    w->tenants[0].stopped = true;
    world_stage(w);
    snapshot_publish(w->snap, 3);
    DENIED("pbx", "shop", SOMALIA, REASON_STOPPED);
    DENIED("pbx", "stranger", SOMALIA, REASON_STOPPED);
    w->tenants[0].stopped = false;
    w->config.stopped = true;
    world_stage(w);
    snapshot_publish(w->snap, 4);
    DENIED("pbx", "shop", SOMALIA, REASON_STOPPED);
    ALLOWED("pbx", "shop", TOKYO, REASON_UNRESTRICTED);
}

static void observe_is_inherited_unless_said_otherwise(void **state)
{
    struct world *w = *state;

    world_account(w, 1, 1, "shop", 2, "-010");
    w->tenants[0].mode = MODE_OBSERVE;
    world_stage(w);
    snapshot_publish(w->snap, 2);
    assert_true(world_ask(w, "pbx", "shop", SOMALIA).observed);
    w->tenants[1].mode = MODE_ENFORCE;
    world_stage(w);
    snapshot_publish(w->snap, 3);
    DENIED("pbx", "shop", SOMALIA, REASON_RESTRICTED);
    w->switches[0].mode = MODE_OBSERVE;
    world_stage(w);
    snapshot_publish(w->snap, 4);
    assert_true(world_ask(w, "pbx", "shop", SOMALIA).observed);
    assert_true(world_ask(w, "pbx", "", SOMALIA).observed);
}

static void areas_are_the_tenants_or_the_switchs(void **state)
{
    struct world *w = *state;

    w->tenants[0].area = SPAN("03");
    world_account(w, 1, 1, "shop", 2, "");
    world_account(w, 2, 1, "office", 3, "");
    world_account(w, 3, 2, "office", 3, "");
    world_stage(w);
    snapshot_publish(w->snap, 2);
    assert_string_equal(world_ask(w, "pbx", "shop", "23456789").dial, "0323456789");
    DENIED("pbx", "office", "23456789", REASON_NO_AREA);
    assert_string_equal(world_ask(w, "sbc", "office", "923456789").dial, "+81623456789");
}

static void an_area_that_the_plan_refuses_leaves_the_rest_standing(void **state)
{
    struct world *w = *state;

    w->tenants[1].area = SPAN("none");
    world_account(w, 1, 1, "shop", 2, "");
    world_stage(w);
    snapshot_publish(w->snap, 2);
    ALLOWED("pbx", "shop", TOKYO, REASON_UNRESTRICTED);
    DENIED("pbx", "shop", "23456789", REASON_NO_AREA);
}

static void help_lines_and_holidays_are_the_operators(void **state)
{
    static const struct span help[] = {SPAN(TOKYO)};
    static const int64_t leave[] = {20820, 20790}; /* unsorted; 2027-01-02 and 2026-12-03 */
    struct world *w = *state;
    const struct rule rule = {.prefix = SPAN("010"), .schedule = SPAN("holidays all Asia/Tokyo")};
    struct snapshot_account a = {
        .id = 1, .switch_id = 1, .name = SPAN("locked"), .tenant = 3, .state = ACCOUNT_LOCKED};
    struct snapshot_subject subject;
    struct fault f;

    must(world_stage_account(w, a, "", &f), &f);
    a = (struct snapshot_account){.id = 2, .switch_id = 1, .name = SPAN("leave"), .tenant = 3};
    must(snapshot_rules(w->snap, &rule, 1, &a.rules, &f), &f);
    must(snapshot_stage_account(w->snap, &a, &f), &f);
    snapshot_rules_unref(w->snap, a.rules);
    w->config.help_lines = help;
    w->config.n_help_lines = 1;
    w->config.holidays = (struct holidays){leave, 2};
    world_stage(w);
    snapshot_publish(w->snap, 2);
    ALLOWED("pbx", "locked", TOKYO, REASON_HELP_LINE);
    DENIED("pbx", "locked", "0312345679", REASON_LOCKED);
    for (int64_t day = 20788; day <= 20792; day++)
        assert_int_equal(world_ask_at(w, "pbx", "leave", SOMALIA, day * 86400, &subject).action,
                         day == 20790 ? VERDICT_DENY : VERDICT_ALLOW);
}

static int64_t no_such_tenant[] = {9};

static void wrong_levels_are_refused_with_a_sentence(void **state)
{
    static const struct rule letters[] = {{.prefix = SPAN("x")}};
    struct world *w = *state;
    static const char *const sentences[] = {
        "tenant id 1 is there twice",
        "the parent of tenant \"shop\" does not exist",
        "tenant \"reseller\" has more than 64 tenants above it, or lies in a circle",
        "tenant \"shop\": the prefix \"x\" may hold only digits, \"*\", \"#\" and \"+\"",
        "switch \"pbx\" is there twice",
        "switches \"pbx\" and \"sbc\": network 192.0.2.0/24 belongs to two switches",
        "switch \"sbc\": a tenant in its reach does not exist",
        "switch \"pbx\": the tenant that adopts its accounts does not exist",
    };
    struct fault f = {0};

    for (size_t i = 0; i < sizeof(sentences) / sizeof(*sentences); i++) {
        world_describe(w);
        switch (i) {
        case 0: w->tenants[1].id = 1; break;
        case 1: w->tenants[1].parent = 9; break;
        case 2: w->tenants[0].parent = 2; break;
        case 3: w->tenants[1].rules = (struct levels_rules){letters, 1}; break;
        case 4: w->switches[1].name = SPAN("pbx"); break;
        case 5: w->networks[2] = w->networks[0]; break;
        case 6: w->switches[1].tenants = no_such_tenant; break;
        case 7: w->switches[0].adopt_tenant = 9; break;
        }
        assert_int_not_equal(snapshot_stage_levels(w->snap, &w->config, &f), 0);
        assert_string_equal(f.text, sentences[i]);
        assert_int_equal(snapshot_staged(w->snap), 0);
    }
    world_describe(w);
    w->switches[1].site.plan = SPAN("ZZ");
    assert_int_not_equal(snapshot_stage_levels(w->snap, &w->config, &f), 0);
    assert_int_equal(strncmp(f.text, "switch \"sbc\": ", 14), 0);
    ALLOWED("pbx", "1001", TOKYO, REASON_UNRESTRICTED);
}

/* ---- staging and publishing ---- */

static void nothing_shows_before_it_is_published(void **state)
{
    struct snapshot_subject subject;
    struct world *w = *state;

    world_account(w, 1, 1, "1001", 3, "");
    w->tenants[2].stopped = true;
    world_stage(w);
    world_ask_at(w, "pbx", "1001", SOMALIA, 0, &subject);
    assert_int_equal(subject.account, 0);
    assert_int_equal(subject.change, 1);
    snapshot_publish(w->snap, 7);
    world_ask_at(w, "pbx", "1001", SOMALIA, 0, &subject);
    assert_int_equal(subject.account, 1);
    assert_true(subject.stopped);
    assert_int_equal(subject.change, 7);
    assert_int_equal(world_ask(w, "pbx", "1001", SOMALIA).change, 7);
}

static void what_is_discarded_never_was(void **state)
{
    struct world *w = *state;
    size_t mark;

    world_account(w, 1, 1, "1001", 3, "-010");
    snapshot_publish(w->snap, 2);
    world_account(w, 1, 1, "1001", 3, "-03");
    mark = snapshot_staged(w->snap);
    world_account(w, 1, 1, "1001", 3, "+010");
    world_account(w, 2, 1, "1002", 3, "-06");
    w->config.stopped = true;
    world_stage(w);
    must(snapshot_stage_removal(w->snap, 1, SPAN("1001"), NULL), NULL);
    snapshot_discard(w->snap, mark);
    assert_int_equal(snapshot_staged(w->snap), mark);
    snapshot_publish(w->snap, 3);
    DENIED("pbx", "1001", TOKYO, REASON_RESTRICTED);
    ALLOWED("pbx", "1001", SOMALIA, REASON_UNRESTRICTED);
    snapshot_reclaim(w->snap);
    assert_int_equal(snapshot_figures(w->snap).accounts, 1);
    assert_int_equal(snapshot_figures(w->snap).profiles, 1);
    assert_int_equal(snapshot_figures(w->snap).rulesets, 2); /* born and -03 */
}

static void what_is_staged_twice_is_as_it_was_last(void **state)
{
    struct snapshot_subject subject;
    struct world *w = *state;

    world_account(w, 1, 1, "1001", 3, "-010");
    must(snapshot_stage_removal(w->snap, 1, SPAN("1001"), NULL), NULL);
    world_account(w, 2, 1, "1001", 3, "-03");
    world_account(w, 3, 1, "1001", 3, "-06");
    snapshot_publish(w->snap, 2);
    world_ask_at(w, "pbx", "1001", TOKYO, 0, &subject);
    assert_int_equal(subject.account, 3);
    ALLOWED("pbx", "1001", TOKYO, REASON_UNRESTRICTED);
    DENIED("pbx", "1001", "0612345678", REASON_RESTRICTED);
    must(snapshot_stage_removal(w->snap, 1, SPAN("1001"), NULL), NULL);
    must(snapshot_stage_removal(w->snap, 1, SPAN("1001"), NULL), NULL);
    must(snapshot_stage_removal(w->snap, 1, SPAN("never-there"), NULL), NULL);
    snapshot_publish(w->snap, 3);
    world_ask_at(w, "pbx", "1001", TOKYO, 0, &subject);
    assert_int_equal(subject.account, 0);
    assert_int_equal(snapshot_figures(w->snap).accounts, 0);
}

static void wrong_accounts_are_refused(void **state)
{
    struct world *w = *state;
    struct snapshot_account a = {.id = 1, .switch_id = 1, .name = SPAN("a b"), .tenant = 3};
    struct fault f;

    assert_int_equal(snapshot_stage_account(w->snap, &a, &f), ERR_RANGE);
    assert_string_equal(f.text, "\"a b\" is no account name; it has 1 to 64 letters, digits and "
                                "\"._@+-\"");
    a.name = SPAN("ab");
    a.id = 0;
    assert_int_equal(snapshot_stage_account(w->snap, &a, &f), ERR_RANGE);
    assert_int_equal(snapshot_stage_removal(w->snap, 1, (struct span){0}, &f), ERR_RANGE);
    assert_int_equal(snapshot_staged(w->snap), 0);
}

static void accounts_share_what_is_the_same(void **state)
{
    struct world *w = *state;

    for (int i = 1; i <= 1000; i++) {
        char name[16];

        snprintf(name, sizeof(name), "%d", i);
        world_account(w, i, 1, name, 1 + i % 3, i % 2 ? "-010" : "-010 +0101212");
    }
    snapshot_publish(w->snap, 2);
    assert_int_equal(snapshot_figures(w->snap).accounts, 1000);
    assert_int_equal(snapshot_figures(w->snap).profiles, 6);
    assert_int_equal(snapshot_figures(w->snap).rulesets, 2);
}

static void check_all(const struct world *w, int from, int to, bool there)
{
    struct snapshot_subject subject;
    const struct levels_gate *gate;

    snapshot_read_lock();
    gate = snapshot_switch_by_name(w->snap, SPAN("pbx"));
    for (int i = from; i < to; i++) {
        char name[16];

        snprintf(name, sizeof(name), "user%d", i);
        snapshot_find(w->snap, gate, span_of(name), &subject);
        if (subject.account != (there ? i : 0))
            fail_msg("account %d is %lld", i, (long long)subject.account);
    }
    snapshot_read_unlock();
}

static void the_table_grows_and_forgets_what_is_removed(void **state)
{
    enum { N = 60000 };
    struct world *w = *state;
    struct snapshot_account a = {.switch_id = 1, .tenant = 3};
    struct snapshot_figures figures;
    size_t bytes;
    char name[16];

    for (int i = 1; i < N; i++) {
        snprintf(name, sizeof(name), "user%d", i);
        a.id = i;
        a.name = span_of(name);
        must(snapshot_stage_account(w->snap, &a, NULL), NULL);
        if (i % 97 == 0)
            snapshot_publish(w->snap, i);
        if (i % 9973 == 0) {
            snapshot_publish(w->snap, i);
            check_all(w, 1, i, true);
            check_all(w, i + 1, i + 1000, false);
        }
    }
    snapshot_publish(w->snap, N);
    check_all(w, 1, N, true);
    figures = snapshot_figures(w->snap);
    print_message("# %zu accounts: %.1f bytes each beyond the hash\n", figures.accounts,
                  (double)figures.bytes / (double)figures.accounts - 16);
    assert_true(figures.bytes <= (40 + 16) * figures.accounts);
    bytes = figures.bytes;
    /* As many go and come as there are, many times over: the table does not grow by it. */
    for (int round = 0; round < 4; round++) {
        for (int i = 1; i < N; i++) {
            snprintf(name, sizeof(name), "user%d", i);
            must(snapshot_stage_removal(w->snap, 1, span_of(name), NULL), NULL);
            if (i % 1000 == 0)
                snapshot_publish(w->snap, N + i);
        }
        snapshot_publish(w->snap, 2 * N);
        check_all(w, 1, N, false);
        for (int i = 1; i < N; i++) {
            snprintf(name, sizeof(name), "user%d", i);
            a.id = i;
            a.name = span_of(name);
            must(snapshot_stage_account(w->snap, &a, NULL), NULL);
            if (i % 1000 == 0)
                snapshot_publish(w->snap, 2 * N + i);
        }
        snapshot_publish(w->snap, 3 * N);
        check_all(w, 1, N, true);
        assert_true(snapshot_figures(w->snap).bytes <= 2 * bytes);
    }
}

/* A batch may take names away and give them again, to the same accounts and to others: each has its
 * room, though the table cannot use a slot twice. */
static void a_batch_may_move_every_name(void **state)
{
    enum { N = 48 };
    struct world *w = *state;
    char name[16];

    for (int round = 0; round < 20; round++) {
        for (int i = 1; i <= N; i++) {
            snprintf(name, sizeof(name), "user%d", i);
            if (round % 2)
                must(snapshot_stage_removal(w->snap, 1, span_of(name), NULL), NULL);
            else
                world_account(w, N + i, 1, name, 3, "");
            world_account(w, i, 1, name, 3, round % 3 ? "-010" : "");
        }
        snapshot_publish(w->snap, round + 2);
        check_all(w, 1, N + 1, true);
        check_all(w, N + 1, 2 * N, false);
    }
    assert_int_equal(snapshot_figures(w->snap).accounts, N);
}

/* ---- memory that runs out ---- */

static void no_memory_no_snapshot(void **state)
{
    struct snapshot_options options = {.accounts = 100};
    struct snapshot *snap = NULL;

    for (size_t n = 0;; n++) {
        failalloc_after(n);
        int err = snapshot_new(&snap, &options, NULL);

        if (!failalloc_off()) {
            assert_int_equal(err, 0);
            break;
        }
        assert_int_equal(err, ERR_NOMEM);
        assert_null(snap);
    }
    snapshot_free(snap);
}

static void no_memory_no_levels(void **state)
{
    static const struct rule rules[] = {
        {.prefix = SPAN("0990"), .mandatory = true},
        {.prefix = SPAN("0570"), .schedule = SPAN("mon all Asia/Tokyo")},
    };
    static const struct span help[] = {SPAN(TOKYO)};
    struct world *w = *state;
    size_t n;

    world_account(w, 1, 1, "shop", 2, "-0120");
    snapshot_publish(w->snap, 2);
    w->config.operator_rules = (struct levels_rules){rules, 2};
    w->config.help_lines = help;
    w->config.n_help_lines = 1;
    w->tenants[0].area = SPAN("03");
    w->tenants[0].rules = (struct levels_rules){rules + 1, 1};
    w->tenants[0].stopped = true;
    for (n = 0;; n++) {
        struct fault f;

        failalloc_after(n);
        int err = snapshot_stage_levels(w->snap, &w->config, &f);

        if (!failalloc_off()) {
            assert_int_equal(err, 0);
            break;
        }
        assert_int_equal(err, ERR_NOMEM);
        assert_string_equal(strstr(f.text, "out of memory"), "out of memory");
        assert_int_equal(snapshot_staged(w->snap), 0);
        ALLOWED("pbx", "shop", SOMALIA, REASON_UNRESTRICTED);
        DENIED("pbx", "shop", "0120123456", REASON_RESTRICTED);
    }
    assert_true(n > 20);
    /* Publishing itself needs none. */
    failalloc_after(0);
    snapshot_publish(w->snap, 3);
    assert_false(failalloc_off());
    DENIED("pbx", "shop", SOMALIA, REASON_STOPPED);
}

static void no_memory_no_account(void **state)
{
    struct world *w = *state;
    struct snapshot_account a = {.id = 1000, .switch_id = 1, .name = SPAN("new"), .tenant = 500};
    char name[16];
    size_t points = 0;

    world_account(w, 1, 1, "old", 3, "-0120");
    snapshot_publish(w->snap, 2);
    /* So many that staging one more must grow all that grows. */
    for (int i = 2; i <= 64; i++) {
        for (size_t n = 0;; n++, points++) {
            size_t staged = snapshot_staged(w->snap);

            snprintf(name, sizeof(name), "new%d", i);
            a.id = i;
            a.tenant = i;
            a.name = span_of(name);
            failalloc_after(n);
            int err = world_stage_account(w, a, i % 2 ? "-010" : "-010 +0101212", NULL);

            if (!failalloc_off()) {
                assert_int_equal(err, 0);
                break;
            }
            assert_int_equal(err, ERR_NOMEM);
            assert_int_equal(snapshot_staged(w->snap), staged);
            DENIED("pbx", "old", "0120123456", REASON_RESTRICTED);
        }
    }
    assert_true(points > 64);
    failalloc_after(0);
    snapshot_publish(w->snap, 3);
    snapshot_reclaim(w->snap);
    assert_false(failalloc_off());
    assert_int_equal(snapshot_figures(w->snap).accounts, 64);
    DENIED("pbx", "old", "0120123456", REASON_RESTRICTED);
}

static void no_memory_no_removal(void **state)
{
    struct world *w = *state;

    world_account(w, 1, 1, "old", 3, "-0120");
    snapshot_publish(w->snap, 2);
    for (int i = 0; i < 200; i++) {
        failalloc_after(0);
        int err = snapshot_stage_removal(w->snap, 1, SPAN("old"), NULL);

        if (failalloc_off()) {
            assert_int_equal(err, ERR_NOMEM);
            must(snapshot_stage_removal(w->snap, 1, SPAN("old"), NULL), NULL);
        }
        DENIED("pbx", "old", "0120123456", REASON_RESTRICTED);
    }
    snapshot_publish(w->snap, 3);
    assert_int_equal(snapshot_figures(w->snap).accounts, 0);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_null_snapshot_only_passes_emergencies),
        cmocka_unit_test(a_snapshot_without_levels_decides_nothing),
        IN_WORLD(switches_are_found_by_name),
        IN_WORLD(switches_are_found_by_the_longest_network),
        IN_WORLD(account_names_are_of_any_case_and_of_one_switch),
        IN_WORLD(many_are_found_as_one_is),
        IN_WORLD(unknown_accounts_are_born_or_denied),
        IN_WORLD(names_that_are_none_are_not_adopted),
        IN_WORLD(an_account_out_of_reach_is_unknown),
        IN_WORLD(reach_goes_down_the_tenants),
        IN_WORLD(an_account_of_a_tenant_that_is_gone_is_denied),
        IN_WORLD(tenants_rules_go_down),
        IN_WORLD(the_operators_rules_are_for_all),
        IN_WORLD(stops_hold_at_every_scope),
        IN_WORLD(observe_is_inherited_unless_said_otherwise),
        IN_WORLD(areas_are_the_tenants_or_the_switchs),
        IN_WORLD(an_area_that_the_plan_refuses_leaves_the_rest_standing),
        IN_WORLD(help_lines_and_holidays_are_the_operators),
        IN_WORLD(wrong_levels_are_refused_with_a_sentence),
        IN_WORLD(nothing_shows_before_it_is_published),
        IN_WORLD(what_is_discarded_never_was),
        IN_WORLD(what_is_staged_twice_is_as_it_was_last),
        IN_WORLD(wrong_accounts_are_refused),
        IN_WORLD(accounts_share_what_is_the_same),
        IN_WORLD(the_table_grows_and_forgets_what_is_removed),
        IN_WORLD(a_batch_may_move_every_name),
        cmocka_unit_test(no_memory_no_snapshot),
        IN_WORLD(no_memory_no_levels),
        IN_WORLD(no_memory_no_account),
        IN_WORLD(no_memory_no_removal),
    };
    int failed;

    snapshot_reader_register();
    failed = cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
    snapshot_reader_unregister();
    return failed;
}

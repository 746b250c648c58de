/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "failalloc.h"
#include "serve/ending.h"

#define ROWS_MAX 200

static struct tables *tables;
static struct snapshot *snapshot;
static struct authorizer *authorizer;
static struct locks *locks;
static char records[8];
static struct authorize_refusal last;

/* ---- the world ------------------------------------------------------------------------------ */

static void note(char what)
{
    size_t n = strlen(records);

    assert_true(n + 1 < sizeof(records));
    records[n] = what;
    records[n + 1] = '\0';
}

static void on_refused(void *arg, const struct authorize_refusal *refusal)
{
    last = *refusal;
    note('R');
}

static void on_unknown(void *arg, int64_t switch_id, struct span name)
{
    assert_true(switch_id > 0 && name.n > 0);
    note('U');
}

static void add_levels(void)
{
    static const struct rule born_jp = {.action = RULE_RESTRICT, .prefix = {"010", 3}};
    const struct levels_tenant tenant = {.id = 1, .name = SPAN("main"), .born = {&born_jp, 1}};
    const struct site_config jp = {.plan = SPAN("JP"), .extensions = SPAN("1XXX")};
    const struct site_config de = {.plan = SPAN("DE")};
    const struct levels_switch switches[] = {
        {.id = 1, .name = SPAN("pbx"), .site = jp, .mode = MODE_ENFORCE, .adopt_tenant = 1},
        {.id = 2,
         .name = SPAN("strict"),
         .site = jp,
         .mode = MODE_ENFORCE,
         .unknown = UNKNOWN_DENY},
        {.id = 3,
         .name = SPAN("german"),
         .site = de,
         .mode = MODE_ENFORCE,
         .unknown = UNKNOWN_DENY},
        {.id = 4, .name = SPAN("watch"), .site = jp, .mode = MODE_OBSERVE, .adopt_tenant = 1},
    };
    const struct levels_config config = {.tables = tables,
                                         .switches = switches,
                                         .n_switches = 4,
                                         .tenants = &tenant,
                                         .n_tenants = 1};

    assert_int_equal(snapshot_stage_levels(snapshot, &config, NULL), 0);
}

static void add_account(int64_t id, int64_t gate, const char *name, const char *restricted,
                        enum account_state state, bool stopped)
{
    const struct rule rule = {.action = RULE_RESTRICT, .prefix = span_of(restricted)};
    struct snapshot_account account = {.id = id,
                                       .switch_id = gate,
                                       .name = span_of(name),
                                       .tenant = 1,
                                       .state = state,
                                       .stopped = stopped};

    assert_int_equal(snapshot_rules(snapshot, &rule, restricted ? 1 : 0, &account.rules, NULL), 0);
    assert_int_equal(snapshot_stage_account(snapshot, &account, NULL), 0);
    snapshot_rules_unref(snapshot, account.rules);
}

/* As the guard tells it; everybody asks from 192.0.2.7. */
static void add_lock(enum guard_event_kind kind, const char *name, uint8_t good)
{
    const struct network from = {.family = 4, .bits = 32, .ip = {192, 0, 2, good}};
    const struct guard_event event = {
        .kind = kind, .switch_id = 1, .account = span_of(name), .good = &from, .n_good = 1};

    add_account(20 + good, 1, name, NULL, ACCOUNT_ACTIVE, false);
    locks_take(locks, &event);
}

static void add_locks(void)
{
    const uint8_t key[GUARD_KEY_BYTES] = {1};
    const struct guard_event good = {
        .kind = GUARD_GOOD,
        .switch_id = 1,
        .account = SPAN("locked-good"),
        .network = {.family = 4, .bits = 32, .ip = {192, 0, 2, 7}},
    };

    assert_int_equal(locks_new(&locks, key, NULL), 0);
    add_lock(GUARD_LOCKOUT, "attacked", 8);
    add_lock(GUARD_LOCKOUT, "attacked-here", 7);
    add_lock(GUARD_TAKEOVER, "taken", 9);
    add_lock(GUARD_INTERNATIONAL, "at-home", 11);
    add_account(30, 1, "locked-good", NULL, ACCOUNT_LOCKED, false);
    locks_take(locks, &good);
}

static struct site *new_site(const char *plan)
{
    const struct site_config config = {.plan = span_of(plan)};
    struct site *site;

    assert_int_equal(site_new(&site, tables, &config, NULL), 0);
    return site;
}

static int open_world(void **state)
{
    const struct snapshot_options options = {.key = {1}};
    const struct authorize_sink sink = {on_refused, on_unknown, NULL};

    assert_int_equal(tables_load(&tables, NULL, 0, NULL), 0);
    assert_int_equal(snapshot_new(&snapshot, &options, NULL), 0);
    add_levels();
    add_account(1, 1, "1001", "010", ACCOUNT_ACTIVE, false);
    add_account(2, 1, "open", NULL, ACCOUNT_ACTIVE, false);
    add_account(3, 1, "suspended", NULL, ACCOUNT_SUSPENDED, false);
    add_account(4, 1, "locked", NULL, ACCOUNT_LOCKED, false);
    add_account(5, 1, "stopped", NULL, ACCOUNT_ACTIVE, true);
    add_account(6, 2, "s1", "010", ACCOUNT_ACTIVE, false);
    add_account(7, 3, "g1", "00", ACCOUNT_ACTIVE, false);
    add_account(8, 4, "w1", "010", ACCOUNT_ACTIVE, false);
    add_account(9, 4, "w2", "03", ACCOUNT_ACTIVE, true);
    add_account(10, 4, "w3", NULL, ACCOUNT_SUSPENDED, true);
    add_locks();
    snapshot_publish(snapshot, 77);
    assert_int_equal(authorizer_new(&authorizer, snapshot, new_site("JP"), &sink, NULL), 0);
    authorizer_set_locks(authorizer, locks);
    snapshot_reader_register();
    return 0;
}

static int close_world(void **state)
{
    snapshot_reader_unregister();
    authorizer_free(authorizer);
    locks_free(locks);
    snapshot_free(snapshot);
    tables_free(tables);
    return 0;
}

static struct verdict ask(struct authorizer *a, const char *gate, struct span account,
                          struct span dialled, bool dry_run, struct number *number)
{
    struct verdict verdict;

    records[0] = '\0';
    snapshot_read_lock();
    const struct authorize_question question = {
        .gate = gate ? snapshot_switch_by_name(authorizer_snapshot(a), span_of(gate)) : NULL,
        .account = account,
        .remote = SPAN("192.0.2.7"),
        .dialled = dialled,
        .now = {.boot_ns = 1, .wall_ms = 1790000000000},
        .dry_run = dry_run,
    };
    authorize(a, &question, number, &verdict, NULL);
    snapshot_read_unlock();
    return verdict;
}

/* ---- the table ------------------------------------------------------------------------------ */

struct row {
    char *name;
    char gate[100], account[100], dialled[100], verdict[100], records[100];
    size_t n_account, n_dialled;
};

/* \xHH. */
static size_t decode(struct span from, char to[100])
{
    size_t n = 0;

    for (size_t i = 0; i < from.n && n < 99; i++) {
        unsigned byte;

        if (from.n - i >= 4 && from.p[i] == '\\' && sscanf(from.p + i, "\\x%2x", &byte) == 1) {
            to[n++] = (char)byte;
            i += 3;
        } else {
            to[n++] = from.p[i];
        }
    }
    return n;
}

static void row_holds(void **state)
{
    const struct row *row = *state;
    struct number number;
    char got[200];
    struct verdict v = ask(authorizer, row->gate[0] == '-' ? NULL : row->gate,
                           (struct span){row->account, row->n_account},
                           (struct span){row->dialled, row->n_dialled}, false, &number);

    snprintf(got, sizeof(got), "%s %s %s%s%s", verdict_action_name(v.action),
             verdict_reason_name(v.reason), number_class_name(number.class), v.dial[0] ? " " : "",
             v.dial);
    if (strcmp(row->verdict, "deny *") == 0)
        assert_int_equal(v.action, VERDICT_DENY);
    else
        assert_string_equal(got, row->verdict);
    assert_string_equal(records, strcmp(row->records, "-") == 0    ? ""
                                 : strcmp(row->records, "RU") == 0 ? "UR"
                                                                   : row->records);
    if (row->gate[0] != '-')
        assert_int_equal(v.change, 77);
}

static size_t read_rows(const char *path, struct row *rows)
{
    struct buf text = {0};
    struct fault f;
    size_t n = 0;

    if (file_read(path, 1 << 20, &text, &f) != 0) {
        fprintf(stderr, "%s\n", f.text);
        exit(1);
    }
    for (struct span rest = buf_span(&text); rest.p && n < ROWS_MAX;) {
        struct span line = span_cut(rest, '\n', &rest), cells = line;
        struct row *row = &rows[n];

        if (line.n == 0 || line.p[0] == '#')
            continue;
        row->name = strndup(line.p, line.n);
        decode(span_cut(cells, '\t', &cells), row->gate);
        row->n_account = decode(span_cut(cells, '\t', &cells), row->account);
        row->n_dialled = decode(span_cut(cells, '\t', &cells), row->dialled);
        decode(span_cut(cells, '\t', &cells), row->verdict);
        decode(cells, row->records);
        n++;
    }
    buf_free(&text);
    return n;
}

/* ---- what a table cannot say ---------------------------------------------------------------- */

static void a_dry_run_leaves_no_trace(void **state)
{
    struct authorize_figures before = authorizer_figures(authorizer);
    struct number number;

    ask(authorizer, "pbx", SPAN("new"), SPAN("010252615123456"), true, &number);
    assert_string_equal(records, "");
    struct authorize_figures after = authorizer_figures(authorizer);
    assert_memory_equal(&before, &after, sizeof(before));
}

static void what_is_decided_is_counted(void **state)
{
    struct authorize_figures before = authorizer_figures(authorizer);
    struct number number;

    ask(authorizer, "pbx", SPAN("1001"), SPAN("110"), false, &number);
    ask(authorizer, "pbx", SPAN("1001"), SPAN("0312345678"), false, &number);
    ask(authorizer, "pbx", SPAN("1001"), SPAN("010252615123456"), false, &number);
    ask(authorizer, "watch", SPAN("w1"), SPAN("010252615123456"), false, &number);
    struct authorize_figures after = authorizer_figures(authorizer);
    assert_int_equal(after.allowed - before.allowed, 3);
    assert_int_equal(after.denied - before.denied, 1);
    assert_int_equal(after.observed - before.observed, 1);
    assert_int_equal(after.emergency - before.emergency, 1);
}

/* What `sekisho stop` and a takeover end of what is under way, and what goes on. */
static void stopped_calls_end_and_others_go_on(void **state)
{
    static const struct {
        int64_t switch_id;
        const char *account, *dialled;
        bool ends;
    } cases[] = {
        {1, "stopped", "010252615123456", true},
        {1, "STOPPED", "+252615123456", true},
        {1, "stopped", "0990123456", true},         /* premium */
        {1, "stopped", "142010252615123456", true}, /* forwarding */
        {1, "stopped", "0312345678", false},
        {1, "stopped", "1002", false},
        {1, "stopped", "110", false},
        {1, "stopped", "184110", false},
        {1, "stopped", "not a number", false},
        {1, "taken", "010252615123456", true},
        {1, "taken", "0312345678", false},
        {1, "taken", "119", false},
        /* Locked, in either way, or restricted since it was begun: neither was ordered to end. */
        {1, "attacked", "010252615123456", false},
        {1, "at-home", "010252615123456", false},
        {1, "1001", "010252615123456", false},
        {1, "open", "010252615123456", false},
        {1, "nobody", "010252615123456", false},
        {9, "stopped", "010252615123456", false},
        /* Where a switch is only observed the operator's word holds all the same. */
        {4, "w2", "010252615123456", true},
        {4, "w2", "0312345678", false},
        {4, "w2", "110", false},
        {4, "w3", "010252615123456", true},
        {4, "w1", "010252615123456", false},
    };
    const struct instant now = {.boot_ns = 1, .wall_ms = 1790000000000};
    struct authorize_figures before = authorizer_figures(authorizer);

    records[0] = '\0';
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (ending_is_due(authorizer, cases[i].switch_id, span_of(cases[i].account),
                          span_of(cases[i].dialled), now) != cases[i].ends)
            fail_msg("%s to %s", cases[i].account, cases[i].dialled);
    struct authorize_figures after = authorizer_figures(authorizer);
    assert_memory_equal(&before, &after, sizeof(before));
    assert_string_equal(records, "");
}

static void a_refusal_says_what_was_asked(void **state)
{
    struct number number;

    ask(authorizer, "pbx", SPAN("1001"), SPAN("0033-010-252 615123456"), false, &number);
    assert_int_equal(last.switch_id, 1);
    assert_int_equal(last.account, 1);
    assert_int_equal(last.tenant, 1);
    assert_int_equal(last.at.wall_ms, 1790000000000);
    ask(authorizer, "strict", SPAN("who"), SPAN("0312345678"), false, &number);
    assert_int_equal(last.switch_id, 2);
    assert_int_equal(last.account, 0);
    assert_int_equal(last.tenant, 0);
}

static void without_a_snapshot_only_emergencies_pass(void **state)
{
    struct authorizer *a;
    struct number number;
    struct verdict v;

    assert_int_equal(authorizer_new(&a, NULL, new_site("JP"), NULL, NULL), 0);
    v = ask(a, "pbx", SPAN("1001"), SPAN("110"), false, &number);
    assert_int_equal(v.action, VERDICT_ALLOW);
    assert_string_equal(v.dial, "110");
    v = ask(a, "pbx", SPAN("1001"), SPAN("0312345678"), false, &number);
    assert_int_equal(v.action, VERDICT_DENY);
    assert_int_equal(v.reason, REASON_UNAVAILABLE);
    assert_string_equal(v.dial, "");
    authorizer_free(a);
}

static void without_anything_all_is_refused(void **state)
{
    struct authorizer *a;
    struct number number;

    assert_int_equal(authorizer_new(&a, NULL, NULL, NULL, NULL), 0);
    struct verdict v = ask(a, "pbx", SPAN("1001"), SPAN("0312345678"), false, &number);
    assert_int_equal(v.action, VERDICT_DENY);
    authorizer_free(a);
}

static void the_fallback_can_be_exchanged(void **state)
{
    struct authorizer *a;
    struct number number;

    assert_int_equal(authorizer_new(&a, NULL, new_site("JP"), NULL, NULL), 0);
    struct verdict v = ask(a, NULL, SPAN("1001"), SPAN("118"), false, &number);
    assert_int_equal(v.action, VERDICT_ALLOW);
    authorizer_set_fallback(a, new_site("DE"));
    v = ask(a, NULL, SPAN("1001"), SPAN("118"), false, &number);
    assert_int_equal(v.action, VERDICT_DENY);
    authorizer_free(a);
}

static void an_authorizer_without_memory_is_none(void **state)
{
    struct authorizer *a = NULL;
    struct site *site = new_site("JP");

    failalloc_after(0);
    int err = authorizer_new(&a, NULL, site, NULL, NULL);
    assert_true(failalloc_off());
    assert_int_equal(err, ERR_NOMEM);
    assert_null(a);
    site_free(site);
}

int main(int argc, char **argv)
{
    static struct row rows[ROWS_MAX];
    static struct CMUnitTest tests[ROWS_MAX + 10] = {
        cmocka_unit_test(a_dry_run_leaves_no_trace),
        cmocka_unit_test(what_is_decided_is_counted),
        cmocka_unit_test(stopped_calls_end_and_others_go_on),
        cmocka_unit_test(a_refusal_says_what_was_asked),
        cmocka_unit_test(without_a_snapshot_only_emergencies_pass),
        cmocka_unit_test(without_anything_all_is_refused),
        cmocka_unit_test(the_fallback_can_be_exchanged),
        cmocka_unit_test(an_authorizer_without_memory_is_none),
    };
    const size_t fixed = 8;
    size_t n = read_rows(argv[1], rows);

    for (size_t i = 0; i < n; i++)
        tests[fixed + i] = (struct CMUnitTest){
            .name = rows[i].name, .test_func = row_holds, .initial_state = &rows[i]};
    int failed = _cmocka_run_group_tests("authorize", tests, fixed + n, open_world, close_world);

    for (size_t i = 0; i < n; i++)
        free(rows[i].name);
    return failed;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records as Asterisk writes them, through numbering and into calls.db. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "../store/fixture.h"
#include "numbering/tables.h"
#include "policy/snapshot.h"
#include "serve/call_import.h"
#include "store/payers.h"

static struct place place;
static struct tables *tables;
static struct snapshot *snapshot;
static struct store *store;
static struct calls *calls;
static struct fault f;

static int setup(void **state)
{
    const struct snapshot_options options = {.key = "0123456789abcde"};
    struct store_config config = {.tables = tables};

    place_make(&place);
    assert_int_equal(snapshot_new(&snapshot, &options, &f), 0);
    config.dir = place.dir;
    config.snapshot = snapshot;
    const struct calls_config calls_config = {
        .dir = place.dir, .place = call_place, .place_arg = snapshot};
    if (store_open(&store, &config, NULL, &f) != 0 || calls_open(&calls, &calls_config, &f) != 0)
        fail_msg("%s", f.text);
    return 0;
}

static int teardown(void **state)
{
    calls_close(calls);
    store_close(store);
    snapshot_free(snapshot);
    place_remove(&place);
    return 0;
}

static struct call_import *begin(void)
{
    struct call_import_options options = {.switch_id = 1};
    struct call_import *import = NULL;

    assert_int_equal(cdr_payer_rule_parse(&options.payer, SPAN("accountcode, endpoint, src"), &f),
                     0);
    assert_int_equal(call_import_new(&import, calls, snapshot, &options, &f), 0);
    return import;
}

/* A line of Master.csv: who calls whom, what was sent to the trunk, and how it ended. */
static void line(struct buf *out, const char *account, const char *dialled, const char *sent,
                 int second, const char *disposition)
{
    buf_printf(out,
               "\"%s\",\"5551\",\"%s\",\"from-internal\",\"\"\"A, B\"\" <5551>\","
               "\"PJSIP/1001-%08x\",\"PJSIP/trunk-%08x\",\"Dial\",\"PJSIP/%s@trunk,,\","
               "\"2026-11-%02d 10:00:%02d\",\"2026-11-24 10:00:02\",\"2026-11-24 10:01:02\","
               "62,60,\"%s\",\"DOCUMENTATION\",\"1795487582.%d\",\"\"\n",
               account, dialled, second, second, sent, 1 + second % 20, second % 60, disposition,
               second);
}

static int64_t ask(const char *sql)
{
    return fixture_number(place_file(&place, "calls.db"), sql);
}

static void must(int err)
{
    if (err)
        fail_msg("%s", f.text);
}

static struct call_import_figures all_of(struct buf *text)
{
    struct call_import *import = begin();
    size_t used = 0;

    must(call_import_piece(import, buf_span(text), true, NULL, 1, &used, NULL, &f));
    assert_int_equal(used, text->n);
    struct call_import_figures figures = call_import_figures(import, NULL, NULL);
    call_import_free(import);
    return figures;
}

/* Old spellings of an international call are what they were. */
static void dialled_numbers_go_through_numbering(void **state)
{
    static const char *const abroad[] = {"010441481123456", "184010441481123456",
                                         "0033010441481123456", "+441481123456"};
    struct buf text = {0};

    for (int i = 0; i < 4; i++)
        line(&text, "alice", abroad[i], abroad[i], i, "ANSWERED");
    line(&text, "alice", "0312345678", "0312345678", 4, "ANSWERED");
    line(&text, "alice", "010441481123456", "010441481123456", 5, "NO ANSWER");
    struct call_import_figures figures = all_of(&text);
    assert_int_equal(figures.added, 6);
    assert_int_equal(ask("SELECT answered FROM history WHERE abroad = 1 AND country = 'GG'"), 4);
    assert_int_equal(ask("SELECT unanswered FROM history WHERE abroad = 1"), 1);
    assert_int_equal(ask("SELECT answered FROM history WHERE abroad = 0 AND country = 'JP'"), 1);
    buf_free(&text);
}

/* Calls that were answered, to what no table knows today: a code that nobody has, a length that was right once. */
static void what_is_invalid_today_was_abroad_all_the_same(void **state)
{
    static const char *const abroad[] = {"010999123456", "0104412", "+999123456",
                                         "0033010999123456", "184010999123456"};
    static const char *const home[] = {"0312345678", "+81312345678", "0312345", "1002", "+810000"};
    struct buf text = {0};

    for (int i = 0; i < 5; i++)
        line(&text, "alice", abroad[i], abroad[i], i, "ANSWERED");
    for (int i = 0; i < 5; i++)
        line(&text, "bob", home[i], home[i], 5 + i, "ANSWERED");
    assert_int_equal(all_of(&text).added, 10);
    assert_int_equal(ask("SELECT sum(answered) FROM history WHERE abroad = 1"), 5);
    assert_int_equal(ask("SELECT sum(answered) FROM history WHERE abroad = 1 AND caller ="
                         " (SELECT id FROM callers WHERE name = 'alice')"),
                     5);
    buf_free(&text);
}

/* The disk is full in the midst: figures and reader stand where they were, and the same piece goes in later. */
static void a_piece_that_fails_leaves_everything_as_it_was(void **state)
{
    struct call_import *import = begin();
    struct calls_file file = {.head = SPAN("head"), .name = SPAN("Master.csv")};
    const struct call_import_fault *faults;
    struct buf text = {0};
    size_t used = 7, n, half;
    bool ended = false;

    line(&text, "alice", "0312345678", "0312345678", 0, "ANSWERED");
    half = text.n;
    line(&text, "bob", "0312345678", "0312345678", 1, "ANSWERED");
    buf_puts(&text, "rubbish\n");
    must(call_import_piece(import, (struct span){text.p, half}, false, &file, 1, &used, NULL, &f));
    fixture_sql(place_file(&place, "calls.db"), "ALTER TABLE files RENAME TO gone");
    file.bytes = half;
    used = 7;
    assert_true(call_import_piece(import, span_skip(buf_span(&text), half), true, &file, 1, &used,
                                  &ended, &f) < 0);
    struct call_import_figures figures = call_import_figures(import, &faults, &n);
    assert_int_equal(used, 7);
    assert_false(ended);
    assert_int_equal(figures.added, 1);
    assert_int_equal(figures.bad, 0);
    assert_int_equal(n, 0);
    assert_int_equal(call_import_lines(import), 1);
    assert_int_equal(ask("SELECT count(*) FROM callers"), 1);
    fixture_sql(place_file(&place, "calls.db"), "ALTER TABLE gone RENAME TO files");
    must(call_import_piece(import, span_skip(buf_span(&text), half), true, &file, 1, &used, &ended,
                           &f));
    figures = call_import_figures(import, &faults, &n);
    assert_true(ended);
    assert_int_equal(figures.added, 2);
    assert_int_equal(figures.bad, 1);
    assert_int_equal(faults[0].line, 3);
    assert_int_equal(ask("SELECT sum(calls) FROM blocks"), 2);
    assert_int_equal(ask("SELECT bytes FROM files"), (int64_t)half);
    call_import_free(import);
    buf_free(&text);
}

static bool is_alice(void *arg, struct span name)
{
    return span_is(name, "alice");
}

/* A wrong rule of who pays shows: names that no account has. */
static void names_that_are_no_accounts_are_counted(void **state)
{
    struct payers payers;
    struct payers_top top;
    struct buf text = {0};

    for (int i = 0; i < 4; i++)
        line(&text, "alice", "0312345678", "0312345678", i, "ANSWERED");
    line(&text, "trunk", "0312345678", "0312345678", 4, "ANSWERED");
    assert_int_equal(all_of(&text).added, 5);
    must(payers_count(calls, 1, is_alice, NULL, 3, 1, &payers, &top, &f));
    assert_int_equal(payers.calls, 5);
    assert_int_equal(payers.stray_calls, 1);
    assert_int_equal(payers.callers, 2);
    assert_int_equal(payers.stray_callers, 1);
    assert_int_equal(payers.silent, 2);
    assert_true(payers_doubtful(&payers));
    assert_int_equal(top.n, 1);
    assert_string_equal(top.items[0].name, "trunk");
    payers.calls = 6;
    assert_false(payers_doubtful(&payers));
    assert_int_equal(ask("SELECT stray_calls * 10 + silent FROM payers WHERE switch = 1"), 12);
    buf_free(&text);
}

/* Fraud is no reason to exempt an account, and can be taken back. */
static void what_is_disowned_speaks_for_nobody(void **state)
{
    struct calls_disowned what = {
        .name = SPAN("alice"), .country = "SO", .until_ms = INT64_MAX, .actor = SPAN("uid:0")};
    struct buf text = {0};
    int64_t id = 0;

    line(&text, "alice", "010252615123456", "010252615123456", 0, "ANSWERED");
    line(&text, "alice", "010441481123456", "010441481123456", 1, "ANSWERED");
    line(&text, "bob", "010252615123456", "010252615123456", 2, "ANSWERED");
    must(calls_disown(calls, 1, &what, &id, &f)); /* before the records come */
    assert_int_equal(all_of(&text).added, 3);
    assert_int_equal(ask("SELECT count(*) FROM history WHERE doubted = 1 AND answered = 0"
                         " AND country = 'SO' AND spoke_last IS NULL"),
                     1);
    assert_int_equal(ask("SELECT sum(answered) FROM history"), 2);
    must(calls_own_again(calls, 1, SPAN("alice"), id, &f));
    assert_int_equal(ask("SELECT sum(answered) FROM history"), 3);
    assert_int_equal(calls_own_again(calls, 1, SPAN("alice"), id, &f), ERR_MISSING);
    what.country[0] = '\0';
    must(calls_disown(calls, 1, &what, &id, &f)); /* and behind them */
    assert_int_equal(ask("SELECT sum(answered) FROM history"), 1);
    assert_int_equal(ask("SELECT sum(doubted) FROM history"), 2);
    must(calls_sum_again(calls, &f));
    assert_int_equal(ask("SELECT sum(doubted) FROM history"), 2);
    buf_free(&text);
}

static void calls_during_an_attack_speak_for_nobody(void **state)
{
    const int64_t day = 86400000, noon = INT64_C(1795478400000) - 22 * day; /* 2026-11-02 */
    struct calls_attack attacks[] = {
        {.decision = 5,
         .switch_id = 1,
         .name = SPAN("alice"),
         .since_ms = noon,
         .until_ms = INT64_MAX},
        {.decision = 6,
         .switch_id = 1,
         .name = SPAN("alice"),
         .since_ms = noon + 2 * day,
         .ends = true},
        /* Locked again soon: what is doubted reaches back behind the moment of that end. */
        {.decision = 7,
         .switch_id = 1,
         .name = SPAN("alice"),
         .since_ms = noon + 2 * day - 3600000,
         .until_ms = INT64_MAX},
    };
    struct buf text = {0};

    for (int i = 0; i < 5; i++)
        line(&text, "alice", "010252615123456", "010252615123456", i, "ANSWERED");
    assert_int_equal(all_of(&text).added, 5);
    must(calls_attacked(calls, attacks, 1, &f));
    assert_int_equal(ask("SELECT doubted FROM history"), 4); /* all but that of the first */
    must(calls_attacked(calls, attacks, 2, &f));
    assert_int_equal(ask("SELECT doubted FROM history"), 2);
    must(calls_attacked(calls, attacks, 2, &f)); /* told again */
    assert_int_equal(ask("SELECT doubted FROM history"), 2);
    must(calls_attacked(calls, attacks, 3, &f));
    assert_int_equal(ask("SELECT doubted FROM history"), 4);
    must(calls_attacked(calls, attacks, 3, &f)); /* as after a restart */
    assert_int_equal(ask("SELECT doubted FROM history"), 4);
    buf_free(&text);
}

/* A transfer: an extension was dialled, and Somalia called. */
static void what_was_sent_abroad_counts(void **state)
{
    struct buf text = {0};

    line(&text, "alice", "1002", "010252615123456", 0, "ANSWERED");
    line(&text, "alice", "0312345678", "+81312345678", 1, "ANSWERED");
    assert_int_equal(all_of(&text).added, 2);
    assert_int_equal(ask("SELECT answered FROM history WHERE abroad = 1 AND country = 'SO'"), 1);
    assert_int_equal(ask("SELECT count(*) FROM history WHERE abroad = 1"), 1);
    buf_free(&text);
}

static void who_pays_is_a_name_in_lower_case(void **state)
{
    struct buf text = {0};

    line(&text, "Alice", "0312345678", "0312345678", 0, "ANSWERED");
    line(&text, "", "0312345678", "0312345678", 1, "ANSWERED");
    line(&text, "no name", "0312345678", "0312345678", 2, "ANSWERED");
    struct call_import_figures figures = all_of(&text);
    assert_int_equal(figures.added, 2);
    assert_int_equal(figures.unowned, 1);
    assert_int_equal(ask("SELECT count(*) FROM callers WHERE name IN ('alice', '1001')"), 2);
    assert_int_equal(ask("SELECT count(*) FROM callers"), 2);
    buf_free(&text);
}

static void a_bad_row_is_told_and_the_rest_goes_on(void **state)
{
    const struct call_import_fault *faults;
    struct call_import *import = begin();
    struct buf text = {0};
    size_t used, n;

    line(&text, "alice", "0312345678", "0312345678", 0, "ANSWERED");
    buf_puts(&text, "rubbish\n");
    line(&text, "alice", "0312345678", "0312345678", 1, "ANSWERED");
    must(call_import_piece(import, buf_span(&text), true, NULL, 1, &used, NULL, &f));
    struct call_import_figures figures = call_import_figures(import, &faults, &n);
    assert_int_equal(figures.added, 2);
    assert_int_equal(figures.bad, 1);
    assert_int_equal(n, 1);
    assert_int_equal(faults[0].line, 2);
    assert_true(faults[0].text[0] != '\0');
    call_import_free(import);
    buf_free(&text);
}

/* However it is cut into pieces, and however often it comes: each call once. */
static void pieces_make_no_difference(void **state)
{
    enum { N = 3000 };
    struct buf text = {0};

    for (int i = 0; i < N; i++)
        line(&text, i % 3 ? "alice" : "bob", i % 7 ? "0312345678" : "010441481123456", "1", i,
             i % 5 ? "ANSWERED" : "BUSY");
    for (size_t size = 5000; size < text.n; size = size * 7 + 1) {
        struct call_import *import = begin();
        struct calls_file file = {.head = SPAN("head"), .name = SPAN("Master.csv")};
        size_t at = 0, used;

        while (at < text.n) {
            struct span piece = span_skip(buf_span(&text), at);
            bool last = piece.n <= size;

            piece.n = last ? piece.n : size;
            must(call_import_piece(import, piece, last, &file, 1, &used, NULL, &f));
            assert_true(used > 0);
            at += used;
            file.bytes = at;
        }
        struct call_import_figures figures = call_import_figures(import, NULL, NULL);
        assert_int_equal(figures.added + figures.known, N);
        assert_int_equal(figures.bad, 0);
        call_import_free(import);
    }
    assert_int_equal(ask("SELECT sum(calls) FROM blocks"), N);
    assert_int_equal(ask("SELECT sum(answered + unanswered) FROM history"), N);
    assert_int_equal(all_of(&text).known, N);
    buf_free(&text);
}

#define ACC_HEAD "method,from_tag,to_tag,callid,sip_code,time,account,dst_ouser\n"
#define ACC_ROW(method, time) method ",a,b,call-1,200," time ",alice,010441481123456\n"

/* kill -9 between the row of a call's answer and that of its end: read again, it is there, once. */
static void a_call_that_kamailio_had_open_is_not_lost(void **state)
{
    const struct span rows = SPAN(ACC_HEAD ACC_ROW("INVITE", "2026-11-24 10:00:00")
                                      ACC_ROW("BYE", "2026-11-24 10:01:00"));
    struct span begin_of = SPAN(ACC_HEAD ACC_ROW("INVITE", "2026-11-24 10:00:00"));
    struct call_import_options options = {.switch_id = 1, .format.format = CDR_FORMAT_KAMAILIO};
    struct calls_file file = {.head = SPAN("head"), .name = SPAN("acc.csv")};
    struct call_import *import;
    size_t used;

    must(cdr_payer_rule_parse(&options.payer, SPAN("accountcode"), &f));
    must(call_import_new(&import, calls, snapshot, &options, &f));
    must(call_import_piece(import, begin_of, false, &file, 1, &used, NULL, &f));
    assert_int_equal(used, begin_of.n);
    file.bytes = used;
    must(call_import_piece(import, SPAN(""), false, &file, 1, &used, NULL, &f));
    call_import_free(import);
    assert_int_equal(ask("SELECT coalesce(max(bytes), 0) FROM files"), 0);

    for (int again = 0; again < 2; again++) {
        file = (struct calls_file){.head = SPAN("head"), .name = SPAN("acc.csv"), .bytes = rows.n};
        must(call_import_new(&import, calls, snapshot, &options, &f));
        must(call_import_piece(import, rows, true, &file, 1, &used, NULL, &f));
        assert_int_equal(call_import_figures(import, NULL, NULL).added, !again);
        call_import_free(import);
        assert_int_equal(ask("SELECT seconds FROM history WHERE abroad = 1 AND answered = 1"), 60);
        assert_int_equal(ask("SELECT max(bytes) FROM files"), (int64_t)rows.n);
    }
}

static void a_switch_that_is_gone_speaks_for_nobody(void **state)
{
    const struct call call = {.dialled = SPAN("010441481123456"), .end = CALL_ANSWERED};
    struct history_place place_now = call_place(snapshot, 77, &call);

    assert_true(place_now.doubted);
    assert_false(place_now.abroad);
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
        TEST(dialled_numbers_go_through_numbering),
        TEST(what_is_invalid_today_was_abroad_all_the_same),
        TEST(a_piece_that_fails_leaves_everything_as_it_was),
        TEST(names_that_are_no_accounts_are_counted),
        TEST(what_is_disowned_speaks_for_nobody),
        TEST(calls_during_an_attack_speak_for_nobody),
        TEST(what_was_sent_abroad_counts),
        TEST(who_pays_is_a_name_in_lower_case),
        TEST(a_bad_row_is_told_and_the_rest_goes_on),
        TEST(pieces_make_no_difference),
        TEST(a_call_that_kamailio_had_open_is_not_lost),
        TEST(a_switch_that_is_gone_speaks_for_nobody),
    };

    return cmocka_run_group_tests(tests, load_tables, free_tables);
}

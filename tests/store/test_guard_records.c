/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the store keeps of the guard: through its journal into the files, and back into another guard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "fixture.h"
#include "store/attempt_tally.h"
#include "store/guard_batch.h"
#include "store/guard_journal.h"
#include "store/guard_lists.h"
#include "store/guard_records.h"

#define START_MS 1800000000000
#define DAY_S 86400

static struct place place;
static struct store *store;
static struct guard *guard;
static struct guard_journal *journal;
static struct guard_limits limits;
static uint8_t key[GUARD_KEY_BYTES];
static int64_t clock_s, clock_ms; /* since the test began, and within the second */
static int64_t skew_ms;           /* of the wall clock's seconds against those since boot */
static int changed;               /* how often the store said that lists changed */

static const struct store_by by = {.actor = SPAN("test")};

static struct instant now(void)
{
    return (struct instant){.boot_ns = (1000 + clock_s) * 1000000000 + clock_ms * 1000000,
                            .wall_ms = START_MS + clock_s * 1000 + clock_ms + skew_ms};
}

static void on_changed(void *arg)
{
    changed++;
}

static void open_store(void)
{
    struct store_config config = {.dir = place.dir, .now = now, .guard_changed = on_changed};
    struct fault f = {0};

    if (store_open(&store, &config, NULL, &f))
        fail_msg("%s", f.text);
}

static int key_job(struct store_tx *tx, void *arg, struct fault *f)
{
    return store_guard_key(tx, arg, f);
}

static void on_event(void *arg, const struct guard_event *event)
{
    guard_journal_event(journal, guard, event);
}

static int load_ban(void *arg, const struct guard_ban *ban, struct fault *f)
{
    return guard_restore_ban(guard, now(), ban, f);
}

static int load_lock(void *arg, const struct guard_lock *lock, struct fault *f)
{
    return guard_restore_lock(guard, now(), lock, f);
}

static int load_pair(void *arg, const struct guard_pair *pair, struct fault *f)
{
    return guard_restore_pair(guard, now(), pair, f);
}

static int load_count(void *arg, const struct guard_count *count, struct fault *f)
{
    return guard_restore_count(guard, now(), count, f);
}

static int load_job(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_guard_loader loader = {
        .ban = load_ban, .lock = load_lock, .pair = load_pair, .count = load_count};

    return store_guard_load(tx, &limits, &loader, f);
}

static void open_guard(void)
{
    struct fault f = {0};

    guard_limits_default(&limits);
    if (store_evidence_wait(store, key_job, key, &f) ||
        guard_new(&guard, &limits, key, now(), on_event, NULL, &f) ||
        guard_journal_new(&journal, key, &f) || store_read_wait(store, load_job, NULL, &f))
        fail_msg("%s", f.text);
    guard_set_mode(guard, now(), 1, GUARD_ENFORCE, NULL);
}

static int setup(void **state)
{
    clock_s = clock_ms = skew_ms = 0;
    changed = 0;
    place_make(&place);
    open_store();
    open_guard();
    return 0;
}

/* As if the process had been killed: what was not flushed is lost. */
static void leave(void)
{
    store_close(store);
    guard_journal_free(journal);
    guard_free(guard);
    store = NULL;
    journal = NULL;
    guard = NULL;
}

static int teardown(void **state)
{
    leave();
    place_remove(&place);
    return 0;
}

static void come_back(void)
{
    leave();
    open_store();
    open_guard();
}

static int nothing(struct store_tx *tx, void *arg, struct fault *f)
{
    return 0;
}

static void flush(void)
{
    for (int i = 0; i < 6; i++) { /* a walk takes one for each kind of row */
        guard_journal_flush(journal, guard, now(), store);
        assert_int_equal(store_evidence_wait(store, nothing, NULL, NULL), 0);
    }
}

static void finish(void)
{
    struct fault f = {0};

    if (guard_journal_finish(journal, guard, now(), store, 20000, &f))
        fail_msg("%s", f.text);
}

static int64_t in_evidence(const char *sql)
{
    return fixture_number(place_file(&place, "evidence.db"), sql);
}

static struct network net(const char *text)
{
    struct network n = {0};

    assert_int_equal(network_parse(span_of(text), &n, NULL), 0);
    return n;
}

static struct attempt attempt_of(const char *source, const char *account, enum outcome outcome)
{
    struct attempt a = {.at = now(),
                        .switch_id = 1,
                        .witness = WITNESS_WIRE,
                        .outcome = outcome,
                        .proof = PROOF_PROVED,
                        .transport = TRANSPORT_UDP,
                        .method = METHOD_REGISTER,
                        .account_known = true,
                        .account = span_of(account),
                        .user_agent = SPAN("friendly-scanner")};

    assert_int_equal(address_parse_ip(span_of(source), &a.source, NULL), 0);
    return a;
}

static void see(const struct attempt *a)
{
    guard_journal_attempt(journal, a);
    guard_attempt(guard, a);
}

static void fails(const char *source, const char *account, int times)
{
    for (int i = 0; i < times; i++) {
        struct attempt a = attempt_of(source, account, OUTCOME_WRONG_CREDENTIALS);

        see(&a);
        clock_s++;
    }
}

static bool banned(const char *network)
{
    const struct network n = net(network);
    struct guard_ban ban;

    return guard_find_ban(guard, now(), &n, false, &ban);
}

/* ---- reading -------------------------------------------------------------------------------- */

struct asked {
    struct store_decision_query query;
    char text[4000];
    struct buf out;
};

static int decisions_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct asked *a = arg;
    struct store_decision_list list;
    char network[ADDRESS_TEXT_MAX];
    int err = store_decision_list(tx, &a->query, &list, f);

    for (size_t i = 0; !err && i < list.n; i++) {
        const struct store_decision *d = &list.items[i];
        buf_printf(&a->out, "%s%s %s %s %.*s %u/%u +%zu", i ? "; " : "", guard_event_name(d->kind),
                   guard_attack_name(d->attack), network_text(&d->network, network),
                   SPAN_FMT(d->account), d->count, d->threshold, d->n_attempts);
    }
    if (!err && list.next.n)
        buf_puts(&a->out, "; …");
    return err;
}

static const char *decisions(struct store_decision_query query)
{
    static struct asked a;
    struct fault f = {0};

    a = (struct asked){.query = query};
    if (store_read_wait(store, decisions_job, &a, &f))
        fail_msg("%s", f.text);
    snprintf(a.text, sizeof(a.text), "%s", a.out.p ? a.out.p : "");
    buf_free(&a.out);
    return a.text;
}

static int report_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct store_attack_report *out = arg;
    const struct store_attack_query query = {.since_ms = START_MS - 1, .top = 3};
    int err = store_attack_report(tx, &query, out, f);

    assert_true(err || out->sources.n <= 3);
    return err;
}

static struct store_attack_report report(void)
{
    struct store_attack_report r;
    struct fault f = {0};

    if (store_read_wait(store, report_job, &r, &f))
        fail_msg("%s", f.text);
    return r;
}

/* ---- what outlives a restart ---------------------------------------------------------------- */

static void the_key_is_made_once(void **state)
{
    uint8_t before[GUARD_KEY_BYTES];

    memcpy(before, key, sizeof(before));
    come_back();
    assert_memory_equal(key, before, sizeof(before));
}

static void a_ban_comes_back_and_tells_why(void **state)
{
    fails("198.51.100.7", "1001", 5);
    assert_true(banned("198.51.100.7"));
    flush();
    come_back();
    assert_true(banned("198.51.100.7"));
    assert_string_equal(decisions((struct store_decision_query){0}),
                        "ban brute-force 198.51.100.7 1001 5/5 +5");
    clock_s += 601;
    guard_tick(guard, now());
    assert_false(banned("198.51.100.7"));
    flush();
    assert_int_equal(in_evidence("SELECT count(*) FROM bans"), 0);
}

static void a_ban_that_is_over_does_not_come_back(void **state)
{
    fails("198.51.100.7", "1001", 5);
    flush();
    clock_s += 700;
    come_back();
    assert_false(banned("198.51.100.7"));
    flush();
    assert_int_equal(in_evidence("SELECT count(*) FROM bans"), 0);
}

static int unban_job(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct network n = net(arg);

    return store_unban(tx, &by, &n, f);
}

/* Killed between the operator's decision and the guard. */
static void what_was_lifted_stays_lifted(void **state)
{
    fails("198.51.100.7", "1001", 5);
    fails("198.51.100.8", "1001", 5);
    flush();
    clock_s += 10;
    assert_int_equal(store_write_wait(store, unban_job, (void *)"198.51.100.7", NULL), 0);
    come_back();
    assert_false(banned("198.51.100.7"));
    assert_true(banned("198.51.100.8"));
    fails("198.51.100.7", "1001", 5);
    flush();
    come_back();
    assert_true(banned("198.51.100.7"));
}

static int ban_job(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_ban ban = {.network = net(arg), .until = START_MS / 1000 + 500};
    int64_t id;

    return store_ban_put(tx, &by, &ban, &id, f);
}

static void the_operators_bans_come_from_the_other_file(void **state)
{
    assert_int_equal(store_write_wait(store, ban_job, (void *)"203.0.113.0/24", NULL), 0);
    assert_int_equal(changed, 1);
    come_back();
    assert_true(banned("203.0.113.0/24"));
    flush();
    assert_int_equal(in_evidence("SELECT count(*) FROM bans"), 0);
    clock_s += 501;
    come_back();
    assert_false(banned("203.0.113.0/24"));
}

static int unlock_job(struct store_tx *tx, void *arg, struct fault *f)
{
    return store_unlock(tx, &by, SPAN("local"), span_of(arg), f);
}

static bool locked(const char *account)
{
    struct guard_lock lock;

    return guard_find_lock(guard, now(), 1, span_of(account), &lock);
}

static void a_lock_comes_back_unless_it_was_lifted(void **state)
{
    char source[32];

    for (int i = 0; i < 12; i++) {
        snprintf(source, sizeof(source), "198.51.100.%d", i + 1);
        fails(source, "1001", 1);
        fails(source, "A\x01", 1);
    }
    assert_true(locked("1001"));
    assert_true(locked("a\x01"));
    flush();
    come_back();
    assert_true(locked("1001"));
    assert_true(locked("A\x01"));
    clock_s += 5;
    assert_int_equal(store_write_wait(store, unlock_job, (void *)"a\\x01", NULL), 0);
    come_back();
    assert_true(locked("1001"));
    assert_false(locked("a\x01"));
    assert_string_equal(
        decisions((struct store_decision_query){.account = SPAN("a\\x01"), .bare = true}),
        "international-locked brute-force 198.51.100.10 a\\x01 10/10 +0");
}

/* An attack goes on while the operator unlocks: what the guard decides after that stands. */
static void what_began_in_the_second_of_the_lift_is_told_by_its_order(void **state)
{
    char source[32];

    fails("198.51.100.7", "1002", 4);
    clock_ms = 200;
    assert_int_equal(store_write_wait(store, unban_job, (void *)"198.51.100.7", NULL), 0);
    clock_ms = 700;
    fails("198.51.100.7", "1002", 1);
    fails("198.51.100.8", "1003", 4);
    clock_ms = 800;
    fails("198.51.100.8", "1003", 1);
    clock_s--;
    clock_ms = 900;
    assert_int_equal(store_write_wait(store, unban_job, (void *)"198.51.100.8", NULL), 0);
    for (int i = 0; i < 10; i++) {
        snprintf(source, sizeof(source), "203.0.113.%d", i + 1);
        clock_ms = 100;
        if (i == 9)
            assert_int_equal(store_write_wait(store, unlock_job, (void *)"1001", NULL), 0);
        clock_ms = 300;
        fails(source, "1001", 1);
    }
    assert_true(banned("198.51.100.7") && banned("198.51.100.8") && locked("1001"));
    flush();
    come_back();
    assert_true(banned("198.51.100.7"));
    assert_false(banned("198.51.100.8"));
    assert_true(locked("1001"));
}

/* The guard's seconds begin where those since boot do: what it tells may be a second ahead of the wall clock. */
static void what_is_lifted_within_the_second_stays_lifted(void **state)
{
    char source[32];

    skew_ms = 200;
    clock_ms = 900;
    come_back();
    clock_ms = 0;
    fails("198.51.100.7", "1002", 4);
    for (int i = 0; i < 10; i++) {
        snprintf(source, sizeof(source), "203.0.113.%d", i + 1);
        fails(source, "1001", i < 9);
    }
    fails("203.0.113.10", "1001", 1);
    fails("198.51.100.7", "1002", 1);
    clock_s--; /* in the second of the ban */
    assert_true(banned("198.51.100.7") && locked("1001"));
    flush();
    assert_int_equal(in_evidence("SELECT since FROM bans"), now().wall_ms / 1000 + 1);
    clock_ms = 300;
    assert_int_equal(store_write_wait(store, unban_job, (void *)"198.51.100.7", NULL), 0);
    assert_int_equal(store_write_wait(store, unlock_job, (void *)"1001", NULL), 0);
    come_back();
    assert_false(banned("198.51.100.7") || locked("1001"));
}

static void counts_come_back_until_their_window_has_passed(void **state)
{
    fails("198.51.100.7", "1001", 4);
    finish();
    assert_true(in_evidence("SELECT count(*) FROM counts") >= 2);
    come_back();
    fails("198.51.100.7", "1001", 1);
    assert_true(banned("198.51.100.7"));

    fails("198.51.100.9", "1001", 4);
    finish();
    clock_s += 700;
    come_back();
    fails("198.51.100.9", "1001", 1);
    assert_false(banned("198.51.100.9"));
}

static void becomes_good(const char *source, const char *account)
{
    for (int day = 0; day < 3; day++) {
        struct attempt a = attempt_of(source, account, OUTCOME_SUCCESS);

        see(&a);
        clock_s += DAY_S;
    }
}

static bool good(const char *source, const char *account)
{
    struct address at;

    assert_int_equal(address_parse_ip(span_of(source), &at, NULL), 0);
    return guard_source_good(guard, now(), 1, span_of(account), &at);
}

static int list_good_job(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_known_good_query query = {.network = net("192.0.2.0/24")};
    struct store_known_good_list list;
    int err = store_known_good_list(tx, &query, &list, f);

    if (!err && list.n) {
        assert_int_equal(list.n, 1);
        assert_true(span_is(list.items[0].account, "phone"));
        assert_true(span_is(list.items[0].switch_name, "local"));
    }
    *(size_t *)arg = list.n;
    return err;
}

static size_t listed_good(void)
{
    size_t n = 0;

    assert_int_equal(store_read_wait(store, list_good_job, &n, NULL), 0);
    return n;
}

static int forget_job(struct store_tx *tx, void *arg, struct fault *f)
{
    return store_forget_good(tx, &by, SPAN("local"), SPAN("phone"), NULL, f);
}

static void known_good_comes_back_unless_it_was_forgotten(void **state)
{
    becomes_good("192.0.2.9", "Phone");
    assert_true(good("192.0.2.9", "phone"));
    guard_journal_flush(journal, guard, now(), store); /* the pair itself is not saved yet */
    come_back();
    assert_true(good("192.0.2.9", "phone"));
    assert_int_equal(listed_good(), 1);
    finish();
    come_back();
    assert_true(good("192.0.2.9", "phone"));
    clock_s += 5;
    assert_int_equal(store_write_wait(store, forget_job, NULL, NULL), 0);
    come_back();
    assert_false(good("192.0.2.9", "phone"));
    clock_s += 5;
    finish();
    assert_int_equal(listed_good(), 0);
}

static void what_the_guard_revokes_stays_revoked(void **state)
{
    becomes_good("192.0.2.9", "phone");
    finish();
    assert_int_equal(guard_forget_good(guard, now(), 1, SPAN("phone"), NULL, NULL), 0);
    guard_journal_flush(journal, guard, now(), store);
    come_back();
    assert_false(good("192.0.2.9", "phone"));
}

/* ---- decisions ------------------------------------------------------------------------------ */

static void decisions_are_found_by_what_they_hit(void **state)
{
    fails("198.51.100.7", "1001", 5);
    fails("198.51.101.8", "1002", 5);
    fails("2001:db8::5", "1003", 5);
    flush();
    assert_string_equal(decisions((struct store_decision_query){.network = net("198.51.100.7")}),
                        "ban brute-force 198.51.100.7 1001 5/5 +5");
    assert_string_equal(
        decisions((struct store_decision_query){.network = net("198.51.100.0/24"), .inside = true}),
        "ban brute-force 198.51.100.7 1001 5/5 +5");
    assert_string_equal(decisions((struct store_decision_query){.network = net("198.51.100.0/24")}),
                        "");
    assert_string_equal(
        decisions((struct store_decision_query){.network = net("2001:db8::/32"), .inside = true}),
        "ban brute-force 2001:db8::5 1003 5/5 +5");
    assert_string_equal(decisions((struct store_decision_query){.account = SPAN("1002")}),
                        "ban brute-force 198.51.101.8 1002 5/5 +5");
    assert_string_equal(decisions((struct store_decision_query){.page = {.limit = 1}}),
                        "ban brute-force 2001:db8::5 1003 5/5 +5; …");
    assert_string_equal(decisions((struct store_decision_query){.kinds = 1u << GUARD_LOCKOUT}), "");
    assert_string_equal(decisions((struct store_decision_query){.switch_name = SPAN("local"),
                                                                .network = net("198.51.101.8"),
                                                                .within = 1}),
                        "");
}

static int settings_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct store_settings s;
    int err = store_settings_get(tx, &s, f);

    s.decisions_max = s.attempts_max = 1000;
    s.decisions_per_subject = 10;
    return err ? err : store_settings_update(tx, &by, &s, f);
}

static int batch_job(struct store_tx *tx, void *arg, struct fault *f)
{
    return guard_batch_write(tx, arg, f);
}

/* `n` decisions of a kind, on as many networks. */
static void decide(enum guard_event_kind kind, uint32_t first, size_t n)
{
    struct batch_decision *at = calloc(n, sizeof(*at));
    struct guard_batch batch = {.decisions = at, .n_decisions = n};
    struct fault f = {0};

    for (size_t i = 0; i < n; i++) {
        uint32_t ip = first + (uint32_t)i;

        at[i].event = (struct guard_event){.kind = kind, .at = now(), .switch_id = 1};
        at[i].event.network =
            (struct network){4, 32, {10, (uint8_t)(ip >> 16), (uint8_t)(ip >> 8), (uint8_t)ip}};
    }
    if (store_evidence_wait(store, batch_job, &batch, &f))
        fail_msg("%s", f.text);
    free(at);
}

static void forged_packets_push_out_no_ban(void **state)
{
    assert_int_equal(store_write_wait(store, settings_job, NULL, NULL), 0);
    decide(GUARD_BAN, 0, 700);
    decide(GUARD_QUENCH, 1000, 3000);
    assert_int_equal(in_evidence("SELECT count(*) FROM decisions WHERE kind = 'ban'"), 700);
    assert_int_equal(in_evidence("SELECT count(*) FROM decisions WHERE kind = 'quench'"), 250);
    decide(GUARD_BAN, 5000, 100);
    assert_int_equal(in_evidence("SELECT count(*) FROM decisions WHERE kind = 'ban'"), 750);
    for (int i = 0; i < 15; i++)
        decide(GUARD_BAN, 9000, 1);
    assert_int_equal(in_evidence("SELECT count(*) FROM decisions WHERE network = x'040a00232820'"),
                     10);
    clock_s += 181 * DAY_S;
    decide(GUARD_BAN, 9001, 1);
    assert_int_equal(in_evidence("SELECT count(*) FROM decisions"), 1);
    assert_int_equal(in_evidence("SELECT sum(rows) FROM decision_total"), 1);
}

/* ---- attempts ------------------------------------------------------------------------------- */

static void the_report_tells_shares_that_add_up(void **state)
{
    struct attempt probe = attempt_of("203.0.113.5", "", OUTCOME_PROBE);

    fails("198.51.100.7", "1001", 8);
    fails("198.51.100.8", "1002", 2);
    see(&probe);
    for (int i = 0; i < 3; i++) { /* another witness sees some of the same */
        struct attempt a = attempt_of("198.51.100.7", "1001", OUTCOME_WRONG_CREDENTIALS);
        a.witness = WITNESS_LOG;
        a.proof = PROOF_NONE;
        see(&a);
    }
    struct attempt ok = attempt_of("192.0.2.9", "phone", OUTCOME_SUCCESS);
    see(&ok);
    finish();

    struct store_attack_report r = report();
    assert_int_equal(r.failures, 11);
    assert_int_equal(r.kinds[ATTACK_BRUTE_FORCE], 10);
    assert_int_equal(r.kinds[ATTACK_SCAN], 1);
    assert_int_equal(r.seen[WITNESS_WIRE][OUTCOME_WRONG_CREDENTIALS], 10);
    assert_int_equal(r.seen[WITNESS_LOG][OUTCOME_WRONG_CREDENTIALS], 3);
    assert_int_equal(r.seen[WITNESS_WIRE][OUTCOME_SUCCESS], 1);
    assert_int_equal(r.decisions[GUARD_BAN], 1);
    assert_int_equal(r.sources.different, 3);
    assert_int_equal(r.networks.different, 2);
    assert_int_equal(r.accounts.different, 2);
    assert_int_equal(r.user_agents.different, 1);
    assert_int_equal(r.others, 0);
}

static void what_was_decided_tells_what_the_attempts_were(void **state)
{
    struct batch_decision decision = {.event = {.kind = GUARD_BAN,
                                                .attack = ATTACK_ENUMERATION,
                                                .at = now(),
                                                .switch_id = 1,
                                                .network = net("198.51.100.7")}};
    struct guard_batch batch = {.decisions = &decision, .n_decisions = 1};

    fails("198.51.100.7", "1001", 3);
    fails("198.51.100.8", "1001", 2);
    finish();
    assert_int_equal(report().kinds[ATTACK_BRUTE_FORCE], 5);
    assert_int_equal(store_evidence_wait(store, batch_job, &batch, NULL), 0);
    struct store_attack_report r = report();
    assert_int_equal(r.failures, 5);
    assert_int_equal(r.kinds[ATTACK_ENUMERATION], 3);
    assert_int_equal(r.kinds[ATTACK_BRUTE_FORCE], 2);
}

/* Successes of phones are counted, and nothing tells whose they were. */
static void who_called_from_where_is_not_kept(void **state)
{
    struct attempt ok = attempt_of("192.0.2.9", "phone", OUTCOME_SUCCESS);

    see(&ok);
    finish();
    assert_int_equal(in_evidence("SELECT count(*) FROM attempts WHERE length(source) = 0 AND"
                                 " account = '' AND user_agent = '' AND count = 1"),
                     1);
}

struct flood {
    struct store_attempts *rows;
    size_t n;
};

static int flood_job(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct flood *flood = arg;

    return store_attempts_add(tx, flood->rows, flood->n, f);
}

static void flood(enum proof proof, uint8_t net, size_t n)
{
    struct flood one = {calloc(n, sizeof(*one.rows)), n};
    struct fault f = {0};

    for (size_t i = 0; i < n; i++)
        one.rows[i] = (struct store_attempts){
            .first_ms = now().wall_ms,
            .last_ms = now().wall_ms,
            .count = 2,
            .switch_id = 1,
            .outcome = OUTCOME_WRONG_CREDENTIALS,
            .proof = proof,
            .source = {4, 32, {net, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}},
            .account = SPAN("x"),
        };
    if (store_evidence_wait(store, flood_job, &one, &f))
        fail_msg("%s", f.text);
    free(one.rows);
}

static void a_flood_loses_detail_and_no_attempt(void **state)
{
    assert_int_equal(store_write_wait(store, settings_job, NULL, NULL), 0);
    flood(PROOF_NONE, 10, 3000);
    flood(PROOF_PROVED, 11, 50);
    struct store_attack_report r = report();
    assert_int_equal(r.failures, 6100);
    assert_int_equal(r.proofs[PROOF_PROVED], 100);
    assert_true(r.others > 5000);
    assert_int_equal(in_evidence("SELECT count(*) FROM attempts WHERE proof = 'proved' AND"
                                 " detail = 2"),
                     50);
    for (int hour = 0; hour < 20; hour++) {
        clock_s += 3600;
        flood(PROOF_PROVED, 12, 200);
    }
    assert_true(in_evidence("SELECT rows FROM attempt_total") <= 1000);
    assert_int_equal(in_evidence("SELECT count(*) FROM attempts WHERE detail > 0"),
                     in_evidence("SELECT rows FROM attempt_total"));
    assert_int_equal(report().failures, 6100 + 20 * 400);
    clock_s += 91 * DAY_S;
    flood(PROOF_PROVED, 12, 1);
    assert_int_equal(in_evidence("SELECT sum(count) FROM attempts"), 2);
}

static void one_source_does_not_fill_an_hour(void **state)
{
    struct store_attempts rows[200];
    char names[200][8];
    struct flood one = {rows, 200};

    for (size_t i = 0; i < 200; i++) {
        snprintf(names[i], sizeof(names[i]), "%zu", i);
        rows[i] = (struct store_attempts){.first_ms = now().wall_ms,
                                          .last_ms = now().wall_ms,
                                          .count = 1,
                                          .switch_id = 1,
                                          .outcome = OUTCOME_UNKNOWN_ACCOUNT,
                                          .proof = PROOF_PROVED,
                                          .source = net("198.51.100.7"),
                                          .account = span_of(names[i])};
    }
    assert_int_equal(store_evidence_wait(store, flood_job, &one, NULL), 0);
    struct store_attack_report r = report();
    assert_int_equal(r.failures, 200);
    assert_int_equal(r.unnamed, 200 - 64);
    assert_int_equal(r.accounts.different, 64);
    assert_int_equal(r.sources.different, 1);
}

static void a_full_tally_still_counts(void **state)
{
    struct attempt_tally *tally;
    uint64_t sum = 0, proved = 0;
    size_t n;

    assert_int_equal(attempt_tally_new(&tally, key, NULL), 0);
    for (uint32_t i = 0; i < 20000; i++) {
        struct attempt a = attempt_of("10.0.0.1", "x", OUTCOME_WRONG_CREDENTIALS);
        a.source.ip[1] = (uint8_t)(i >> 16);
        a.source.ip[2] = (uint8_t)(i >> 8);
        a.source.ip[3] = (uint8_t)i;
        a.proof = PROOF_NONE;
        a.switch_id = 1 + i % 1000;
        attempt_tally_add(tally, &a);
    }
    for (int i = 0; i < 100; i++) {
        struct attempt a = attempt_of("11.0.0.1", "x", OUTCOME_WRONG_CREDENTIALS);
        a.source.ip[3] = (uint8_t)i;
        assert_true(attempt_tally_add(tally, &a));
    }
    const struct store_attempts *rows = attempt_tally_rows(tally, &n);
    for (size_t i = 0; i < n; i++) {
        sum += rows[i].count;
        proved += rows[i].proof == PROOF_PROVED && rows[i].source.family ? rows[i].count : 0;
    }
    assert_int_equal(sum, 20100);
    assert_int_equal(proved, 100);
    attempt_tally_clear(tally);
    attempt_tally_rows(tally, &n);
    assert_int_equal(n, 0);
    attempt_tally_free(tally);
}

/* ---- many, and killed ----------------------------------------------------------------------- */

static int64_t ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int count_ban(void *arg, const struct guard_ban *ban, struct fault *f)
{
    ++*(size_t *)arg;
    return 0;
}

static int count_job(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_guard_loader loader = {.arg = arg, .ban = count_ban};

    return store_guard_load(tx, &limits, &loader, f);
}

/* SEKISHO_BANS=100000 for the figure of docs. */
static void many_bans_are_written_and_read(void **state)
{
    const char *given = getenv("SEKISHO_BANS");
    size_t n = given ? (size_t)atol(given) : 10000, seen = 0;
    struct batch_ban *bans = calloc(n, sizeof(*bans));
    struct guard_batch batch = {.bans = bans, .n_bans = n};
    struct fault f = {0};

    for (size_t i = 0; i < n; i++)
        bans[i].ban = (struct guard_ban){
            .network = {4,
                        32,
                        {10, (uint8_t)(i * 7919 >> 16), (uint8_t)(i * 7919 >> 8),
                         (uint8_t)(i * 7919)}},
            .switch_id = 1,
            .since = START_MS / 1000,
            .until = START_MS / 1000 + 600,
            .length = 600,
            .level = 1,
            .threshold = 5,
            .count = 5,
            .window = 600,
        };
    int64_t began = ms();
    if (store_evidence_wait(store, batch_job, &batch, &f))
        fail_msg("%s", f.text);
    int64_t written = ms();
    assert_int_equal(store_read_wait(store, count_job, &seen, NULL), 0);
    print_message("%zu bans: written in %" PRId64 " ms, read in %" PRId64 " ms\n", n,
                  written - began, ms() - written);
    assert_int_equal(seen, in_evidence("SELECT count(*) FROM bans"));
    free(bans);
}

/* Bans one source after the other, and says after each flush how many are written. */
static void ban_for_ever(int to)
{
    char source[32];

    open_store();
    open_guard();
    for (unsigned i = 0; i < 60000; i++) {
        snprintf(source, sizeof(source), "198.18.%u.%u", i >> 8, i & 255);
        fails(source, "1001", 5);
        guard_journal_flush(journal, guard, now(), store);
        if (store_evidence_wait(store, nothing, NULL, NULL))
            _exit(1);
        if (write(to, &i, sizeof(i)) != sizeof(i))
            _exit(1);
    }
    _exit(0);
}

static void what_was_written_stands_after_a_kill(void **state)
{
    leave();
    for (int round = 0; round < 3; round++) {
        unsigned last = 0, i;
        int ends[2];

        clock_s = 0;
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0)
            ban_for_ever(ends[1]);
        close(ends[1]);
        while (last < (unsigned)(20 + 17 * round) && read(ends[0], &i, sizeof(i)) == sizeof(i))
            last = i;
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        close(ends[0]);
        assert_true(last >= 20);
        clock_s = 5 * (int64_t)last; /* within the time of the first ban */
        open_store();
        open_guard();
        for (i = 0; i <= last; i++) {
            char source[32];
            snprintf(source, sizeof(source), "198.18.%u.%u", i >> 8, i & 255);
            if (!banned(source))
                fail_msg("%s is not banned any more (%u)", source, last);
        }
        leave();
    }
    open_store();
    open_guard();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_key_is_made_once),
        TEST(a_ban_comes_back_and_tells_why),
        TEST(a_ban_that_is_over_does_not_come_back),
        TEST(what_was_lifted_stays_lifted),
        TEST(the_operators_bans_come_from_the_other_file),
        TEST(a_lock_comes_back_unless_it_was_lifted),
        TEST(what_is_lifted_within_the_second_stays_lifted),
        TEST(what_began_in_the_second_of_the_lift_is_told_by_its_order),
        TEST(counts_come_back_until_their_window_has_passed),
        TEST(known_good_comes_back_unless_it_was_forgotten),
        TEST(what_the_guard_revokes_stays_revoked),
        TEST(decisions_are_found_by_what_they_hit),
        TEST(forged_packets_push_out_no_ban),
        TEST(the_report_tells_shares_that_add_up),
        TEST(what_was_decided_tells_what_the_attempts_were),
        TEST(who_called_from_where_is_not_kept),
        TEST(a_flood_loses_detail_and_no_attempt),
        TEST(one_source_does_not_fill_an_hour),
        TEST(a_full_tally_still_counts),
        TEST(many_bans_are_written_and_read),
        TEST(what_was_written_stands_after_a_kill),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

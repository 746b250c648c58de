/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failalloc.h"
#include "guard/counter.h"
#include "guard/guard.h"
#include "guard/table.h"

static int spoofed = 300000; /* or the first argument */

static const uint8_t key[GUARD_KEY_BYTES] = "thirty-two bytes of a known key";

struct seen {
    unsigned n[GUARD_EVENTS];
    struct network last;
    uint64_t hash;
};

static void note(void *context, const struct guard_event *e)
{
    struct seen *seen = context;

    seen->n[e->kind]++;
    seen->last = e->network;
    seen->hash = seen->hash * 31 + (uint64_t)e->kind * 7 + e->count + e->seconds + e->network.ip[3];
}

static struct guard *guard_of(struct seen *seen, uint32_t mib)
{
    struct guard_limits limits;
    struct guard *g;

    guard_limits_default(&limits);
    limits.memory_mib = mib;
    assert_int_equal(
        guard_new(&g, &limits, key, (struct instant){0, 1795478400000}, note, seen, NULL), 0);
    guard_set_mode(g, (struct instant){0}, 1, GUARD_ENFORCE, NULL);
    return g;
}

static struct attempt attempt_of(uint32_t source, enum proof proof, int64_t ns)
{
    struct attempt a = {.at = {ns, 1795478400000 + ns / 1000000},
                        .switch_id = 1,
                        .outcome = OUTCOME_WRONG_CREDENTIALS,
                        .proof = proof,
                        .transport = TRANSPORT_UDP,
                        .source = {.family = 4},
                        .account = SPAN("anna")};

    for (int i = 0; i < 4; i++)
        a.source.ip[i] = (uint8_t)(source >> (24 - 8 * i));
    return a;
}

static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005 + 1442695040888963407;
    return *seed >> 32;
}

/* Should a witness leave an IPv4 address as it stands in IPv6. */
static void mapped_addresses_are_ipv4(void **state)
{
    struct seen seen = {0};
    struct guard *g = guard_of(&seen, 1);
    struct attempt a = attempt_of(0xc0000201, PROOF_PROVED, 0);

    (void)state;
    a.source = (struct address){
        .family = 6, .ip = {[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = 1}};
    for (int i = 0; i < 5; i++)
        guard_attempt(g, &a);
    assert_int_equal(seen.n[GUARD_BAN], 1);
    assert_int_equal(seen.last.family, 4);
    assert_int_equal(seen.last.bits, 32);
    guard_free(g);
}

/* What happened within three quarters of a window counts, what is older than the window does not. */
static void a_counter_counts_its_window(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (uint32_t window = 8; window <= 86400; window = window * 3 + 1) {
        struct counter counter = {0};
        uint32_t times[2000], n = 0, t = 1000000;

        for (int i = 0; i < 2000; i++) {
            uint32_t recent = 0, all = 0, count;

            t += (uint32_t)(draw(&seed) % 8 ? 0 : draw(&seed) % (window / 2 + 1));
            counter_add(&counter, t, window, WITNESS_HEP);
            times[n++] = t;
            for (uint32_t k = 0; k < n; k++) {
                recent += t - times[k] < window - window / 4 - 3;
                all += t - times[k] <= window;
            }
            count = counter_of(&counter, t, window, WITNESS_HEP);
            assert_true(count >= recent && count <= all);
            assert_int_equal(counter_most(&counter, t, window), count);
            assert_int_equal(counter_of(&counter, t, window, WITNESS_LOG), 0);
        }
    }
}

struct weighed {
    uint64_t key;
    uint32_t weight;
};

static uint32_t weight_of(const void *entry, const void *context)
{
    (void)context;
    return ((const struct weighed *)entry)->weight;
}

static void a_table_keeps_who_weighs_more(void **state)
{
    static const struct table_rank rank = {.weight = weight_of, .unit = 1};
    uint64_t seed = 7, first, held = 0;
    struct table t;

    (void)state;
    assert_int_equal(table_init(&t, 64 * 1024, sizeof(struct weighed), 4096), 0);
    first = draw(&seed) << 32 | draw(&seed);
    ((struct weighed *)table_take(&t, first, &rank))->weight = 4;
    for (int i = 0; i < 1000000; i++) {
        struct weighed *w = table_take(&t, draw(&seed) << 32 | draw(&seed) | 1, &rank);

        if (w)
            w->weight = 1;
    }
    assert_non_null(table_find(&t, first));
    for (size_t i = 0; i < table_slots(&t); i++)
        held += table_at(&t, i) != NULL;
    assert_int_equal(held, table_slots(&t));

    /* Strangers are forgotten after a while; who then comes again and again gets a place. */
    table_halve(&t, 3);
    table_halve(&t, 20);
    first ^= UINT64_C(1) << 8; /* the same bucket */
    for (int i = 0; i < 3 && !table_find(&t, first); i++)
        table_take(&t, first, &rank);
    assert_non_null(table_find(&t, first));
    table_free(&t);
    table_free(&t);
}

static void limits_have_ranges(void **state)
{
    struct guard_limit_info info;
    struct guard_limits limits;
    struct fault f;

    (void)state;
    guard_limits_default(&limits);
    assert_int_equal(guard_limits_check(&limits, &f), 0);
    for (size_t i = 0; guard_limits_info(i, &info); i++) {
        uint32_t wrong[2] = {info.least - 1, info.most + 1};

        assert_true(info.least <= info.fallback && info.fallback <= info.most);
        for (int k = info.least == 0; k < 2; k++) {
            guard_limits_default(&limits);
            memcpy((char *)&limits + info.offset, &wrong[k], sizeof(wrong[k]));
            assert_int_equal(guard_limits_check(&limits, &f), ERR_RANGE);
            assert_non_null(strstr(f.text, info.name));
        }
    }
    guard_limits_default(&limits);
    limits.ban = limits.ban_max + 1;
    assert_int_equal(guard_limits_check(&limits, &f), ERR_RANGE);
}

static void words_are_read_as_they_are_written(void **state)
{
    enum transport transport;
    enum outcome outcome;
    enum witness witness;
    enum method method;
    enum proof proof;

    (void)state;
    for (int i = 0; i < OUTCOMES; i++) {
        assert_true(outcome_from(span_of(outcome_name((enum outcome)i)), &outcome));
        assert_int_equal(outcome, i);
    }
    for (int i = 0; i < WITNESSES; i++) {
        assert_true(witness_from(span_of(witness_name((enum witness)i)), &witness));
        assert_int_equal(witness, i);
    }
    for (int i = 0; i < PROOFS; i++)
        assert_true(proof_from(span_of(proof_name((enum proof)i)), &proof) && (int)proof == i);
    for (int i = 0; i < TRANSPORTS; i++)
        assert_true(transport_from(span_of(transport_name((enum transport)i)), &transport) &&
                    (int)transport == i);
    for (int i = 0; i < METHODS; i++)
        assert_true(method_from(span_of(method_name((enum method)i)), &method) && (int)method == i);
    assert_false(outcome_from(SPAN("Success"), &outcome));
    for (int i = 0; i < GUARD_EVENTS; i++)
        assert_non_null(guard_event_name((enum guard_event_kind)i));
    for (int i = 0; i < ATTACKS; i++)
        assert_non_null(guard_attack_name((enum attack)i));
}

/* A banned source, one that has four of five proved failures, one that has nine of ten forged ones, an account that
 * has nine of ten: then a flood of forged sources, each once. All are where they were. */
static void a_flood_of_spoofed_sources_makes_nobody_forgotten(void **state)
{
    struct seen seen = {0};
    struct guard *g = guard_of(&seen, 64);
    struct attempt a = attempt_of(0xc0000201, PROOF_PROVED, 0);
    struct guard_figures before, after;
    uint64_t seed = 3;

    (void)state;
    for (int i = 0; i < 5; i++)
        guard_attempt(g, &a);
    assert_int_equal(seen.n[GUARD_BAN], 1);
    a = attempt_of(0xc0000202, PROOF_PROVED, 0);
    for (int i = 0; i < 4; i++)
        guard_attempt(g, &a);
    a = attempt_of(0xc0000203, PROOF_NONE, 0);
    for (int i = 0; i < 9; i++)
        guard_attempt(g, &a);
    guard_figures(g, &before);

    for (int i = 0; i < spoofed; i++) {
        char name[24];
        int n = snprintf(name, sizeof(name), "%llu", (unsigned long long)draw(&seed));

        a = attempt_of((uint32_t)draw(&seed), PROOF_NONE, i * INT64_C(20000000) / spoofed * 1000);
        a.account = (struct span){name, (size_t)n};
        guard_attempt(g, &a);
    }
    guard_figures(g, &after);
    assert_int_equal(before.memory, after.memory);
    assert_true(after.memory <= (64u << 20) + (1u << 17));
    assert_int_equal(seen.n[GUARD_BAN], 1);

    size_t cursor = 0;
    struct guard_ban ban;
    bool found = false;

    while (guard_next_ban(g, a.at, &cursor, &ban))
        found |= !ban.quench && ban.network.ip[3] == 1;
    assert_true(found);
    a = attempt_of(0xc0000202, PROOF_PROVED, a.at.boot_ns);
    guard_attempt(g, &a);
    assert_int_equal(seen.n[GUARD_BAN], 2);
    unsigned quenches = seen.n[GUARD_QUENCH];

    a = attempt_of(0xc0000203, PROOF_NONE, a.at.boot_ns);
    guard_attempt(g, &a);
    assert_int_equal(seen.n[GUARD_QUENCH], quenches + 1);
    guard_free(g);
}

static void play(struct guard *g, uint64_t seed, int n)
{
    for (int i = 0; i < n; i++) {
        struct attempt a = attempt_of(0xc0000200 + (uint32_t)draw(&seed) % 30,
                                      (enum proof)(draw(&seed) % PROOFS), i * INT64_C(30000000));

        a.outcome = (enum outcome)(draw(&seed) % OUTCOMES);
        a.witness = (enum witness)(draw(&seed) % WITNESSES);
        a.account_known = draw(&seed) % 2;
        if (draw(&seed) % 3 == 0)
            a.source = (struct address){
                .family = 6,
                .ip = {0x20, 1, 0xd, 0xb8, [7] = draw(&seed) % 8, [15] = (uint8_t)draw(&seed)}};
        guard_attempt(g, &a);
    }
}

static void the_same_attempts_give_the_same_events(void **state)
{
    struct seen a = {0}, b = {0};
    struct guard *first = guard_of(&a, 1), *second = guard_of(&b, 1);

    (void)state;
    play(first, 9, 30000);
    play(second, 9, 30000);
    assert_true(a.hash == b.hash && a.hash != 0);
    guard_free(first);
    guard_free(second);
}

static void attempts_allocate_nothing(void **state)
{
    struct seen seen = {0};
    struct guard *g = guard_of(&seen, 1);

    (void)state;
    failalloc_after(0);
    play(g, 5, 20000);
    assert_false(failalloc_off());
    assert_true(seen.n[GUARD_BAN] > 0 && seen.n[GUARD_QUENCH] > 0);
    guard_free(g);
}

static void without_memory_there_is_no_guard(void **state)
{
    struct guard_limits limits;
    struct guard *g = NULL;

    (void)state;
    guard_limits_default(&limits);
    limits.memory_mib = 1;
    for (size_t n = 0;; n++) {
        failalloc_after(n);
        int err = guard_new(&g, &limits, key, (struct instant){0}, NULL, NULL, NULL);

        if (!failalloc_off()) {
            assert_int_equal(err, 0);
            assert_true(n > 10);
            break;
        }
        assert_int_equal(err, ERR_NOMEM);
        assert_null(g);
    }
    guard_free(g);
    guard_free(NULL);
}

/* It is what the enforcer is woken up for. */
static void one_guess_short_of_the_threshold_is_near(void **state)
{
    enum { MS = 1000000 };
    struct seen seen = {0};
    struct guard *g = guard_of(&seen, 1);

    (void)state;
    for (int i = 1; i <= 9; i++) {
        struct attempt a = attempt_of(0xc0000201, PROOF_PROVED, i * MS);

        a.switch_id = i <= 4 ? 2 : 1; /* 2 is only observed */
        guard_attempt(g, &a);
        assert_int_equal(guard_near_ns(g), i < 8 ? 0 : 8 * MS);
    }
    assert_int_equal(seen.n[GUARD_BAN], 1);
    for (int i = 10; i <= 19; i++) {
        struct attempt a = attempt_of(0xc0000202, PROOF_NONE, i * MS);

        guard_attempt(g, &a);
        assert_int_equal(guard_near_ns(g), i < 18 ? 8 * MS : 18 * MS);
    }
    assert_int_equal(seen.n[GUARD_QUENCH], 1);
    guard_free(g);
}

/* Full of bans that last, it refuses new ones and says so; nobody is pushed out. */
static void bans_are_never_pushed_out(void **state)
{
    struct seen seen = {0};
    struct guard *g = guard_of(&seen, 1);
    int64_t two_days = INT64_C(2) * 86400 * 1000000000;
    unsigned bans = 0;

    (void)state;
    for (uint32_t i = 0; i < 20000; i++) {
        struct attempt a = attempt_of(0x0a000000 + i, PROOF_PROVED, 1000);

        for (int k = 0; k < 5; k++)
            guard_attempt(g, &a);
    }
    assert_true(seen.n[GUARD_BAN] > 1000 && seen.n[GUARD_PRESSURE] == 1);
    for (size_t cursor = 0;;) {
        struct guard_ban ban;

        if (!guard_next_ban(g, (struct instant){1000, 0}, &cursor, &ban))
            break;
        bans++;
    }
    assert_int_equal(bans, seen.n[GUARD_BAN]);
    assert_int_equal(seen.n[GUARD_UNBAN], 0);
    guard_tick(g, (struct instant){two_days, 0});
    assert_int_equal(seen.n[GUARD_UNBAN], bans);

    /* The memory of what has ended gives way. */
    for (uint32_t i = 0; i < 100; i++) {
        struct attempt a = attempt_of(0x0b000000 + i, PROOF_PROVED, two_days);

        for (int k = 0; k < 5; k++)
            guard_attempt(g, &a);
    }
    assert_int_equal(seen.n[GUARD_BAN], bans + 100);
    guard_free(g);
}

static struct network network_of(const char *text)
{
    struct network network;

    assert_int_equal(network_parse(span_of(text), &network, NULL), 0);
    return network;
}

/* What `why` asks: one ban, one lock, one count, without a walk through all. */
static void one_thing_can_be_asked_for(void **state)
{
    struct seen seen = {0};
    struct guard *g = guard_of(&seen, 4);
    struct instant now = {0, 1795478400000};
    struct network host = network_of("192.0.2.1"), net = network_of("192.0.2.0/24");
    struct attempt a = attempt_of(0xc0000201, PROOF_PROVED, 0);
    struct guard_count counts[GUARD_SOURCE_COUNTS];
    struct guard_ban bans[4];
    struct guard_lock lock;

    (void)state;
    assert_int_equal(guard_counts_of_source(g, now, &host, counts), 0);
    assert_false(guard_count_of_account(g, now, 1, SPAN("anna"), counts));
    for (int i = 0; i < 3; i++)
        guard_attempt(g, &a);
    assert_int_equal(guard_counts_of_source(g, now, &host, counts), 1);
    assert_true(counts[0].proved && !counts[0].observed);
    assert_int_equal(counts[0].count[0][WITNESS_WIRE], 3);
    assert_int_equal(counts[0].names, 1);
    assert_true(guard_count_of_account(g, now, 1, SPAN("Anna"), counts));
    assert_int_equal(counts[0].count[0][WITNESS_WIRE], 3);
    assert_false(guard_find_ban(g, now, &host, false, bans));
    assert_int_equal(guard_bans_around(g, now, &host, bans, 4), 0);
    assert_false(guard_find_lock(g, now, 1, SPAN("anna"), &lock));

    for (int i = 0; i < 2; i++)
        guard_attempt(g, &a);
    assert_int_equal(guard_ban(g, now, &net, 60, 7, NULL), 0);
    assert_true(guard_find_ban(g, now, &host, false, bans));
    assert_false(guard_find_ban(g, now, &host, true, bans));
    assert_int_equal(bans[0].attack, ATTACK_BRUTE_FORCE);
    assert_int_equal(guard_bans_around(g, now, &host, bans, 4), 2);
    assert_int_equal(bans[0].network.bits, 24);
    assert_int_equal(bans[0].attack, ATTACK_OPERATOR);
    assert_int_equal(bans[0].last, 7);
    assert_int_equal(bans[1].network.bits, 32);
    assert_int_equal(guard_bans_around(g, now, &host, bans, 1), 1);
    assert_int_equal(guard_bans_around(g, now, &net, bans, 4), 1);
    now.boot_ns += INT64_C(60) * 1000000000;
    assert_int_equal(guard_bans_around(g, now, &host, bans, 4), 1);

    for (uint32_t i = 0; i < 10; i++) {
        a = attempt_of(0x0a000000 + i, PROOF_PROVED, now.boot_ns);
        a.account_known = true;
        guard_attempt(g, &a);
    }
    assert_true(guard_find_lock(g, now, 1, SPAN("anna"), &lock));
    assert_int_equal(lock.kind, GUARD_LOCK_INTERNATIONAL);
    assert_false(guard_find_lock(g, now, 2, SPAN("anna"), &lock));

    net = network_of("127.0.0.0/16");
    assert_int_equal(guard_exempt(g, &net), EXEMPT_NEVER_BAN);
    assert_int_equal(guard_may_ban(g, &net, NULL), ERR_CONFLICT);
    assert_int_equal(guard_exempt(g, &host), EXEMPT_NONE);
    assert_int_equal(guard_limits_in_use(g)->source.count, 5);
    guard_free(g);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_counter_counts_its_window),
        cmocka_unit_test(a_table_keeps_who_weighs_more),
        cmocka_unit_test(limits_have_ranges),
        cmocka_unit_test(mapped_addresses_are_ipv4),
        cmocka_unit_test(words_are_read_as_they_are_written),
        cmocka_unit_test(the_same_attempts_give_the_same_events),
        cmocka_unit_test(attempts_allocate_nothing),
        cmocka_unit_test(without_memory_there_is_no_guard),
        cmocka_unit_test(one_guess_short_of_the_threshold_is_near),
        cmocka_unit_test(bans_are_never_pushed_out),
        cmocka_unit_test(one_thing_can_be_asked_for),
        cmocka_unit_test(a_flood_of_spoofed_sources_makes_nobody_forgotten),
    };

    if (argc > 1)
        spoofed = (int)strtol(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

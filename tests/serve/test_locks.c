/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "policy/snapshot.h"
#include "serve/locks.h"

static const uint8_t key[GUARD_KEY_BYTES] = {1, 2, 3};
static const struct instant start = {.boot_ns = 1000000000, .wall_ms = 1790000000000};
static struct locks *locks;

static struct address address_at(const char *text)
{
    struct address out = {0};

    if (text[0])
        assert_int_equal(address_parse_ip(span_of(text), &out, NULL), 0);
    return out;
}

static struct network network_at(const char *text)
{
    struct network out;

    assert_int_equal(network_parse(span_of(text), &out, NULL), 0);
    return out;
}

static void tell(enum guard_event_kind kind, const char *account, const char *network)
{
    struct network one = network_at(network[0] ? network : "192.0.2.1");
    struct guard_event event = {.kind = kind,
                                .switch_id = 1,
                                .account = span_of(account),
                                .network = one,
                                .good = &one,
                                .n_good = kind == GUARD_LOCKOUT && network[0]};

    locks_take(locks, &event);
}

static const char *state_of(const char *account, const char *source)
{
    struct address address = address_at(source);
    struct locks_answer said;

    snapshot_read_lock();
    said = locks_ask(locks, 1, span_of(account), &address);
    snapshot_read_unlock();
    switch (said.state) {
    case GUARD_FREE: return said.source_good ? "free good" : "free";
    case GUARD_LOCKED_OUT: return said.source_good ? "locked good" : "locked";
    case GUARD_INTERNATIONAL_LOCKED: return said.source_good ? "abroad good" : "abroad";
    }
    return "?";
}

static int open_locks(void **state)
{
    snapshot_reader_register();
    return locks_new(&locks, key, NULL);
}

static int close_locks(void **state)
{
    locks_free(locks);
    snapshot_reader_unregister();
    return 0;
}

static void nobody_is_locked_in_the_beginning(void **state)
{
    assert_false(locks_any(NULL));
    assert_false(locks_any(locks));
    assert_string_equal(state_of("1001", "192.0.2.1"), "free");
    assert_string_equal(state_of("", ""), "free");
}

static void a_lockout_leaves_good_sources_alone(void **state)
{
    tell(GUARD_LOCKOUT, "1001", "192.0.2.1");
    assert_true(locks_any(locks));
    assert_string_equal(state_of("1001", "192.0.2.1"), "free good");
    assert_string_equal(state_of("1001", "192.0.2.2"), "locked");
    assert_string_equal(state_of("1001", ""), "locked");
    assert_string_equal(state_of("1002", "192.0.2.2"), "free");
    tell(GUARD_UNLOCK, "1001", "");
    assert_string_equal(state_of("1001", "192.0.2.2"), "free");
    assert_string_equal(state_of("1001", "192.0.2.1"), "free good");
}

static void names_have_no_case(void **state)
{
    tell(GUARD_INTERNATIONAL, "Alice", "");
    assert_string_equal(state_of("aLICE", "192.0.2.1"), "abroad");
}

static void good_comes_and_goes(void **state)
{
    tell(GUARD_GOOD, "1001", "2001:db8:1:2::/64");
    tell(GUARD_GOOD, "1001", "2001:db8:1:2::/64");
    tell(GUARD_GOOD, "1001", "192.0.2.9");
    assert_string_equal(state_of("1001", "2001:db8:1:2:3:4:5:6"), "free good");
    assert_string_equal(state_of("1001", "2001:db8:1:3::1"), "free");
    assert_string_equal(state_of("1001", "192.0.2.9"), "free good");
    tell(GUARD_NOT_GOOD, "1001", "192.0.2.9");
    tell(GUARD_NOT_GOOD, "1001", "2001:db8:1:2::/64");
    assert_string_equal(state_of("1001", "192.0.2.9"), "free");
    assert_false(locks_any(locks));
}

static void a_takeover_locks_wherever_it_comes_from(void **state)
{
    tell(GUARD_GOOD, "1001", "192.0.2.1");
    tell(GUARD_NOT_GOOD, "1001", "192.0.2.1");
    tell(GUARD_TAKEOVER, "1001", "192.0.2.66");
    assert_string_equal(state_of("1001", "192.0.2.1"), "abroad");
    assert_string_equal(state_of("1001", "192.0.2.66"), "abroad");
}

static void what_is_observed_locks_nobody(void **state)
{
    struct guard_event event = {
        .kind = GUARD_LOCKOUT, .switch_id = 1, .account = SPAN("1001"), .observed = true};

    locks_take(locks, &event);
    assert_false(locks_any(locks));
}

static void switches_are_apart(void **state)
{
    struct address address = address_at("192.0.2.1");

    tell(GUARD_INTERNATIONAL, "1001", "");
    snapshot_read_lock();
    assert_int_equal(locks_ask(locks, 2, SPAN("1001"), &address).state, GUARD_FREE);
    snapshot_read_unlock();
}

/* What the guard was restored with has no events. */
static void a_load_says_what_the_guard_says(void **state)
{
    struct guard_limits limits;
    struct guard *guard;
    struct guard_lock lock = {.switch_id = 1,
                              .name = "1001",
                              .name_n = 4,
                              .kind = GUARD_LOCK_OUT,
                              .until = 1790000100,
                              .length = 900};
    struct guard_lock observed = {
        .switch_id = 1, .name = "1002", .name_n = 4, .until = 1790000100, .observed = true};
    struct guard_pair pair = {.home = network_at("192.0.2.1"),
                              .first_day = 20710,
                              .last_day = 20717,
                              .days = 5,
                              .good = true};
    struct keys keys;

    guard_limits_default(&limits);
    limits.memory_mib = 1;
    keys_init(&keys, key);
    pair.account = keys_account(&keys, 1, SPAN("1001"));
    assert_int_equal(guard_new(&guard, &limits, key, start, NULL, NULL, NULL), 0);
    assert_int_equal(guard_restore_lock(guard, start, &lock, NULL), 0);
    assert_int_equal(guard_restore_lock(guard, start, &observed, NULL), 0);
    assert_int_equal(guard_restore_pair(guard, start, &pair, NULL), 0);
    tell(GUARD_INTERNATIONAL, "gone", "");
    assert_int_equal(locks_load(locks, guard, start, NULL), 0);
    assert_string_equal(state_of("1001", "192.0.2.1"), "free good");
    assert_string_equal(state_of("1001", "192.0.2.2"), "locked");
    assert_string_equal(state_of("1002", "192.0.2.2"), "free");
    assert_string_equal(state_of("gone", "192.0.2.2"), "free");
    guard_free(guard);
}

/* ---- readers -------------------------------------------------------------------------------- */

static atomic_bool stop;

/* Either locked and not good, or free and good; nothing in between. */
static void *read_on(void *arg)
{
    uint64_t *mixed = arg;
    struct address good = address_at("192.0.2.1"), other = address_at("192.0.2.2");

    snapshot_reader_register();
    while (!atomic_load(&stop)) {
        snapshot_read_lock();
        struct locks_answer a = locks_ask(locks, 1, SPAN("busy"), &good);
        struct locks_answer b = locks_ask(locks, 1, SPAN("steady"), &other);

        snapshot_read_unlock();
        *mixed += a.state != GUARD_FREE || b.state != GUARD_LOCKED_OUT;
    }
    snapshot_reader_unregister();
    return NULL;
}

static void readers_never_see_half_a_change(void **state)
{
    pthread_t threads[2];
    uint64_t mixed[2] = {0};

    atomic_store(&stop, false);
    tell(GUARD_LOCKOUT, "steady", "192.0.2.1");
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &mixed[i]), 0);
    for (int i = 0; i < 300; i++) {
        char name[8] = {'n', (char)('0' + i % 10), (char)('0' + i / 10 % 10), '\0'};

        tell(GUARD_LOCKOUT, "busy", "192.0.2.1");
        tell(i % 2 ? GUARD_LOCKOUT : GUARD_UNLOCK, name, "");
        tell(GUARD_UNLOCK, "busy", "");
        locks_reclaim(locks);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(mixed[0] + mixed[1], 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_locks, close_locks)
    const struct CMUnitTest tests[] = {
        CASE(nobody_is_locked_in_the_beginning),
        CASE(a_lockout_leaves_good_sources_alone),
        CASE(names_have_no_case),
        CASE(good_comes_and_goes),
        CASE(a_takeover_locks_wherever_it_comes_from),
        CASE(what_is_observed_locks_nobody),
        CASE(switches_are_apart),
        CASE(a_load_says_what_the_guard_says),
        CASE(readers_never_see_half_a_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

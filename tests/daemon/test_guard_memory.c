/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guard's thread reads from the store: the operator's orders, and what outlives a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../store/fixture.h"
#include "daemon/guard_orders.h"
#include "daemon/guard_restore.h"
#include "failalloc.h"

#define START_MS 1800000000000
#define MANY 6000 /* more bans than a guard of one MiB has room for */

static const struct store_by by = {.actor = SPAN("test")};
static struct place place;
static struct store *store;
static sem_t come; /* a book */

static struct instant now(void)
{
    return (struct instant){.boot_ns = 1000000000000, .wall_ms = START_MS};
}

static void on_come(void *arg)
{
    sem_post(&come);
}

static int setup(void **state)
{
    struct fault f = {0};

    place_make(&place);
    sem_init(&come, 0, 0);
    if (store_open(&store, &(struct store_config){.dir = place.dir, .now = now}, NULL, &f))
        fail_msg("%s", f.text);
    return 0;
}

static int teardown(void **state)
{
    store_close(store);
    place_remove(&place);
    sem_destroy(&come);
    return 0;
}

static struct network net(const char *text)
{
    struct network n = {0};

    assert_int_equal(network_parse(span_of(text), &n, NULL), 0);
    return n;
}

static int access_job(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct network n = net(arg);
    int64_t id;

    return store_network_put(tx, &by, STORE_ACCESS, &n, SPAN(""), &id, f);
}

static int never_job(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct network n = net(arg);
    int64_t id;

    return store_network_put(tx, &by, STORE_NEVER_BAN, &n, SPAN(""), &id, f);
}

static int canary_job(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_canary canary = {.switch_name = SPAN("local"), .name = span_of(arg)};
    int64_t id;

    return store_canary_put(tx, &by, &canary, &id, f);
}

static void order(int (*job)(struct store_tx *, void *, struct fault *), const char *what)
{
    struct fault f = {0};

    if (store_write_wait(store, job, (void *)what, &f))
        fail_msg("%s", f.text);
}

static struct guard_order_book *wait_for_book(struct guard_orders *orders)
{
    struct timespec until;
    struct guard_order_book *book;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    assert_int_equal(sem_timedwait(&come, &until), 0);
    book = guard_orders_take(orders);
    assert_non_null(book);
    return book;
}

static struct guard_orders *new_orders(void)
{
    struct guard_orders *orders = NULL;

    assert_int_equal(guard_orders_new(&orders, on_come, NULL, NULL), 0);
    return orders;
}

/* ---- orders ---- */

static void everything_that_was_ordered_is_in_the_book(void **state)
{
    struct guard_order_book *book = NULL;

    order(access_job, "192.0.2.0/24");
    order(never_job, "198.51.100.0/24");
    order(never_job, "2001:db8::/32");
    order(canary_job, "Admin");
    assert_int_equal(guard_orders_wait(store, &book, NULL), 0);
    assert_int_equal(book->n_access, 1);
    assert_int_equal(book->n_never, 2);
    assert_int_equal(book->n_canaries, 1);
    assert_int_equal(book->access[0].bits, 24);
    assert_int_equal(book->never[1].family, 6);
    assert_true(span_is(book->canaries[0].name, "admin"));
    free(book);
}

static int no_job(struct store_tx *tx, void *arg, struct fault *f)
{
    return 0;
}

static void nothing_is_read_before_something_changed(void **state)
{
    struct guard_orders *orders = new_orders();
    int books;

    guard_orders_read(orders, store);
    assert_int_equal(store_read_wait(store, no_job, NULL, NULL), 0);
    sem_getvalue(&come, &books);
    assert_int_equal(books, 0);
    assert_null(guard_orders_take(orders));
    store_close(store);
    guard_orders_free(orders);
    store = NULL;
}

static void what_changes_while_it_is_read_is_read_again(void **state)
{
    struct guard_orders *orders = new_orders();
    struct guard_order_book *book;

    guard_orders_changed(orders);
    guard_orders_read(orders, store);
    order(access_job, "192.0.2.0/24");
    guard_orders_changed(orders);
    guard_orders_read(orders, store); /* nothing, where the first is under way still */
    book = wait_for_book(orders);
    for (int i = 0; i < 400 && !book->n_access; i++) { /* the first one was read before the order */
        struct guard_order_book *next;

        guard_orders_read(orders, store);
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        next = guard_orders_take(orders);
        if (next) {
            free(book);
            book = next;
        }
    }
    assert_int_equal(book->n_access, 1);
    assert_null(guard_orders_take(orders));
    free(book);
    store_close(store);
    guard_orders_free(orders);
    store = NULL;
}

static void what_cannot_be_read_is_read_later(void **state)
{
    struct guard_orders *orders = new_orders();
    const char *file = place_file(&place, "sekisho.db");
    struct guard_order_book *book;
    int books;

    order(never_job, "198.51.100.0/24");
    guard_orders_changed(orders);
    fixture_sql(file, "ALTER TABLE networks RENAME TO elsewhere");
    for (int i = 0; i < 3; i++) {
        guard_orders_read(orders, store);
        assert_int_equal(store_read_wait(store, no_job, NULL, NULL), 0);
    }
    sem_getvalue(&come, &books);
    assert_int_equal(books, 0);
    assert_null(guard_orders_take(orders));
    fixture_sql(file, "ALTER TABLE elsewhere RENAME TO networks");
    for (int i = 0; i < 200 && sem_trywait(&come) != 0; i++) {
        guard_orders_read(orders, store);
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    book = guard_orders_take(orders);
    assert_non_null(book);
    assert_int_equal(book->n_never, 1);
    free(book);
    store_close(store);
    guard_orders_free(orders);
    store = NULL;
}

static void without_memory_orders_are_read_later(void **state)
{
    struct guard_orders *orders = NULL;
    struct guard_order_book *book = NULL;
    size_t n;

    failalloc_after(0);
    assert_int_equal(guard_orders_new(&orders, on_come, NULL, NULL), ERR_NOMEM);
    assert_true(failalloc_off());
    assert_null(orders);
    orders = new_orders();
    order(never_job, "198.51.100.0/24");
    guard_orders_changed(orders);
    for (n = 0;; n++) {
        failalloc_after(n);
        guard_orders_read(orders, store);
        if (!failalloc_off())
            break;
        assert_null(guard_orders_take(orders));
    }
    assert_true(n > 0);
    free(wait_for_book(orders));
    for (n = 0;; n++) {
        failalloc_after(n);
        int err = guard_orders_wait(store, &book, NULL);

        if (!failalloc_off()) {
            assert_int_equal(err, 0);
            break;
        }
        assert_int_equal(err, ERR_NOMEM);
        assert_null(book);
    }
    assert_int_equal(book->n_never, 1);
    free(book);
    store_close(store);
    guard_orders_free(orders);
    store = NULL;
}

/* ---- what outlives a restart ---- */

static void on_event(void *arg, const struct guard_event *event)
{
}

static struct guard *new_guard(uint32_t memory_mib)
{
    uint8_t key[GUARD_KEY_BYTES], again[GUARD_KEY_BYTES];
    struct guard_limits limits;
    struct guard *guard = NULL;

    guard_limits_default(&limits);
    limits.memory_mib = memory_mib;
    assert_int_equal(guard_restore_key(store, key, NULL), 0);
    assert_int_equal(guard_restore_key(store, again, NULL), 0);
    assert_memory_equal(key, again, sizeof(key));
    assert_int_equal(guard_new(&guard, &limits, key, now(), on_event, NULL, NULL), 0);
    guard_set_mode(guard, now(), 1, GUARD_ENFORCE, NULL);
    return guard;
}

static size_t bans_of(const struct guard *guard)
{
    struct guard_ban ban;
    size_t n = 0;

    for (size_t cursor = 0; guard_next_ban(guard, now(), &cursor, &ban);)
        n++;
    return n;
}

static int bans_job(struct store_tx *tx, void *arg, struct fault *f)
{
    int err = 0;

    for (int i = 0; i < *(int *)arg && !err; i++) {
        struct store_ban ban = {.network = {4, 32, {198, 18, (uint8_t)(i >> 8), (uint8_t)i}}};
        int64_t id;

        err = store_ban_put(tx, &by, &ban, &id, f);
    }
    return err;
}

static void ban(int n)
{
    struct fault f = {0};

    if (store_write_wait(store, bans_job, &n, &f))
        fail_msg("%s", f.text);
}

static void what_finds_no_room_stays_out_and_the_rest_comes_back(void **state)
{
    struct guard *small, *large;
    struct adoption *adoption;

    ban(MANY);
    small = new_guard(1);
    large = new_guard(64);
    assert_int_equal(adoption_new(&adoption, NULL), 0);
    assert_int_equal(guard_restore_all(store, small, adoption, now(), NULL), 0);
    assert_int_equal(guard_restore_all(store, large, adoption, now(), NULL), 0);
    adoption_free(adoption);
    assert_in_range(bans_of(small), 500, MANY - 1);
    assert_int_equal(bans_of(large), MANY);
    guard_free(small);
    guard_free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_that_was_ordered_is_in_the_book, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nothing_is_read_before_something_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(what_changes_while_it_is_read_is_read_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_read_later, setup, teardown),
        cmocka_unit_test_setup_teardown(without_memory_orders_are_read_later, setup, teardown),
        cmocka_unit_test_setup_teardown(what_finds_no_room_stays_out_and_the_rest_comes_back, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

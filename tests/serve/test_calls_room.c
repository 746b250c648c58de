/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who writes calls.db: opened at the start, made with the first record, one thing after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "../store/fixture.h"
#include "policy/snapshot.h"
#include "serve/calls_room.h"

static struct place place;
static struct snapshot *snapshot;
static struct calls_room *room;
static struct fault f;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;

static int setup(void **state)
{
    const struct snapshot_options options = {.key = "0123456789abcde"};

    place_make(&place);
    assert_int_equal(snapshot_new(&snapshot, &options, &f), 0);
    assert_int_equal(calls_room_new(&room, place.dir, snapshot, &f), 0);
    return 0;
}

static int teardown(void **state)
{
    calls_room_free(room);
    snapshot_free(snapshot);
    place_remove(&place);
    return 0;
}

/* A job, and whoever waits for it. */
struct errand {
    int (*run)(struct errand *errand, struct fault *f);
    bool done;
    int code;
    struct fault why;
    struct calls *calls;
    int number;
};

static int run(void *arg, struct fault *why)
{
    struct errand *errand = arg;

    return errand->run(errand, why);
}

static void done(void *arg, int code, const struct fault *why)
{
    struct errand *errand = arg;

    pthread_mutex_lock(&lock);
    errand->code = code;
    errand->why = *why;
    errand->done = true;
    pthread_cond_signal(&told);
    pthread_mutex_unlock(&lock);
}

static void ask(struct errand *errand)
{
    assert_int_equal(calls_room_ask(room, run, errand, done, errand, &f), 0);
}

static int wait_for(struct errand *errand)
{
    pthread_mutex_lock(&lock);
    while (!errand->done)
        pthread_cond_wait(&told, &lock);
    pthread_mutex_unlock(&lock);
    return errand->code;
}

static int look(struct errand *errand, struct fault *why)
{
    return calls_room_file(room, false, &errand->calls, why);
}

static int make(struct errand *errand, struct fault *why)
{
    return calls_room_file(room, true, &errand->calls, why);
}

static int settled(struct errand *errand, struct fault *why)
{
    return calls_room_settled(room, why);
}

static int errand_run(int (*what)(struct errand *errand, struct fault *f), struct errand *errand)
{
    *errand = (struct errand){.run = what};
    ask(errand);
    return wait_for(errand);
}

static void the_file_comes_with_the_first_record(void **state)
{
    struct errand errand;

    assert_int_equal(calls_room_start(room, &f), 0);
    assert_int_equal(errand_run(look, &errand), 0);
    assert_null(errand.calls);
    assert_int_equal(calls_room_state(room, NULL), CALLS_NONE);
    assert_int_equal(errand_run(settled, &errand), ERR_CONFLICT);
    assert_non_null(strstr(errand.why.text, "no call records yet"));
    assert_int_equal(errand_run(make, &errand), 0);
    assert_non_null(errand.calls);
    assert_int_equal(calls_room_state(room, NULL), CALLS_READY);
    assert_int_equal(errand_run(settled, &errand), 0);
    assert_int_equal(fixture_number(place_file(&place, "calls.db"), "PRAGMA application_id"),
                     0x53656b63);
}

static int32_t order[100];
static int n_order;

static int count(struct errand *errand, struct fault *why)
{
    order[n_order++] = errand->number;
    return 0;
}

static void one_thing_after_the_other(void **state)
{
    static struct errand errands[100];

    n_order = 0;
    assert_int_equal(calls_room_start(room, &f), 0);
    for (int i = 0; i < 100; i++) {
        errands[i] = (struct errand){.run = count, .number = i};
        ask(&errands[i]);
    }
    calls_room_stop(room); /* when all is done */
    assert_int_equal(n_order, 100);
    for (int i = 0; i < 100; i++) {
        assert_true(errands[i].done);
        assert_int_equal(order[i], i);
    }
    assert_int_equal(calls_room_ask(room, run, &errands[0], done, &errands[0], &f), ERR_FULL);
}

/* What a daemon that was killed had not summed yet is in the history before anybody may look. */
static void what_is_not_summed_is_at_the_start(void **state)
{
    struct errand errand;

    assert_int_equal(calls_room_start(room, &f), 0);
    assert_int_equal(errand_run(make, &errand), 0);
    calls_room_free(room);
    room = NULL;
    fixture_sql(place_file(&place, "calls.db"), "INSERT INTO callers VALUES (1, 1, 'alice');"
                                                "INSERT INTO blocks VALUES (1, 1, 0, 0, 1, 0,"
                                                " x'01010001040000000000000000011f')");
    assert_int_equal(calls_room_new(&room, place.dir, snapshot, &f), 0);
    assert_int_equal(calls_room_start(room, &f), 0);
    assert_int_equal(errand_run(settled, &errand), 0);
    assert_int_equal(fixture_number(place_file(&place, "calls.db"), "SELECT count(*) FROM history"),
                     1);
}

static void damage_is_told_and_not_taken_for_a_history(void **state)
{
    struct errand errand;
    char words[FAULT_MAX];

    assert_int_equal(calls_room_start(room, &f), 0);
    assert_int_equal(errand_run(make, &errand), 0);
    calls_room_free(room);
    room = NULL;
    fixture_sql(place_file(&place, "calls.db"),
                "INSERT INTO blocks VALUES (1, 1, 0, 0, 1, 0, x'07')");
    assert_int_equal(calls_room_new(&room, place.dir, snapshot, &f), 0);
    assert_int_equal(calls_room_start(room, &f), 0);
    assert_int_equal(errand_run(settled, &errand), ERR_CONFLICT);
    assert_int_equal(calls_room_state(room, words), CALLS_BROKEN);
    assert_true(words[0]);
}

static void a_file_of_others_is_refused(void **state)
{
    fixture_sql(place_file(&place, "calls.db"), "PRAGMA application_id = 7; CREATE TABLE t (x)");
    assert_int_equal(calls_room_start(room, &f), ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_file_comes_with_the_first_record, setup, teardown),
        cmocka_unit_test_setup_teardown(one_thing_after_the_other, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_summed_is_at_the_start, setup, teardown),
        cmocka_unit_test_setup_teardown(damage_is_told_and_not_taken_for_a_history, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_of_others_is_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

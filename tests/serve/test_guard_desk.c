/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "serve/guard_desk.h"

#define SLOTS 4

static struct guard_desk *desk;
static const struct guard_room room = {.now = {.boot_ns = 7}};

struct asked {
    int runs, dones;
    int64_t saw; /* the room's time; -1: there was no room */
};

static void on_run(void *arg, const struct guard_room *at)
{
    struct asked *asked = arg;

    asked->runs++;
    asked->saw = at ? at->now.boot_ns : -1;
}

static void on_done(void *arg)
{
    struct asked *asked = arg;

    assert_int_equal(asked->runs, asked->dones + 1);
    asked->dones++;
}

static bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

static int open_desk(void **state)
{
    int err = guard_desk_new(&desk, SLOTS, NULL);

    if (!err)
        guard_desk_reopen(desk);
    return err;
}

static int close_desk(void **state)
{
    guard_desk_free(desk);
    return 0;
}

static void a_question_runs_and_is_done_in_its_turn(void **state)
{
    struct asked asked = {0};

    assert_int_equal(guard_desk_ask(desk, on_run, on_done, &asked, NULL), 0);
    assert_true(readable(guard_desk_work_fd(desk)));
    assert_false(readable(guard_desk_fd(desk)));
    assert_int_equal(asked.runs, 0);
    guard_desk_serve(desk, &room);
    assert_false(readable(guard_desk_work_fd(desk)));
    assert_int_equal(asked.saw, 7);
    assert_int_equal(asked.dones, 0);
    assert_int_equal(guard_desk_open(desk), 1);
    assert_true(readable(guard_desk_fd(desk)));
    guard_desk_finish(desk);
    assert_int_equal(asked.dones, 1);
    assert_int_equal(guard_desk_open(desk), 0);
    assert_false(readable(guard_desk_fd(desk)));
}

static void a_full_desk_refuses_and_calls_nobody(void **state)
{
    struct asked asked = {0}, refused = {0};
    struct fault f;

    for (int i = 0; i < SLOTS; i++)
        assert_int_equal(guard_desk_ask(desk, on_run, NULL, &asked, &f), 0);
    assert_int_equal(guard_desk_ask(desk, on_run, on_done, &refused, &f), ERR_FULL);
    guard_desk_serve(desk, &room);
    assert_int_equal(guard_desk_ask(desk, on_run, on_done, &refused, &f), ERR_FULL);
    guard_desk_finish(desk);
    assert_int_equal(asked.runs, SLOTS);
    assert_int_equal(refused.runs, 0);
    assert_int_equal(guard_desk_ask(desk, on_run, on_done, &refused, &f), 0);
}

static void a_closed_desk_has_no_room(void **state)
{
    struct asked waiting = {0}, late = {0};

    assert_int_equal(guard_desk_ask(desk, on_run, on_done, &waiting, NULL), 0);
    guard_desk_close(desk);
    assert_int_equal(waiting.saw, -1);
    assert_int_equal(guard_desk_ask(desk, on_run, on_done, &late, NULL), 0);
    assert_int_equal(late.saw, -1);
    guard_desk_finish(desk);
    assert_int_equal(waiting.dones, 1);
    assert_int_equal(late.dones, 1);
}

/* ---- threads -------------------------------------------------------------------------------- */

static atomic_bool stop;

static void *serve_on(void *arg)
{
    struct pollfd p = {.fd = guard_desk_work_fd(desk), .events = POLLIN};

    while (!atomic_load(&stop))
        if (poll(&p, 1, 10) == 1)
            guard_desk_serve(desk, &room);
    guard_desk_close(desk);
    return NULL;
}

static void every_question_is_answered_once(void **state)
{
    enum { N = 5000 };
    static struct asked asked[N];
    struct pollfd p = {.fd = guard_desk_fd(desk), .events = POLLIN};
    pthread_t thread;
    int sent = 0;

    atomic_store(&stop, false);
    assert_int_equal(pthread_create(&thread, NULL, serve_on, NULL), 0);
    while (sent < N) {
        if (guard_desk_ask(desk, on_run, on_done, &asked[sent], NULL) == 0)
            sent++;
        else if (poll(&p, 1, 1000) == 1)
            guard_desk_finish(desk);
        if (sent == N - 2)
            atomic_store(&stop, true);
    }
    pthread_join(thread, NULL);
    guard_desk_finish(desk);
    for (int i = 0; i < N; i++) {
        assert_int_equal(asked[i].runs, 1);
        assert_int_equal(asked[i].dones, 1);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)
    const struct CMUnitTest tests[] = {
        CASE(a_question_runs_and_is_done_in_its_turn),
        CASE(a_full_desk_refuses_and_calls_nobody),
        CASE(a_closed_desk_has_no_room),
        CASE(every_question_is_answered_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

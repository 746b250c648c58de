/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/farewell.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define MS INT64_C(1000000)
#define TIMEOUT (2000 * MS)

static int peer[64]; /* of connection number i, which was added at i ms */
static int mine[64];

static struct farewell *with(int n)
{
    struct farewell *w = farewell_new();

    assert_non_null(w);
    for (int i = 0; i < n; i++) {
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        mine[i] = pair[0];
        peer[i] = pair[1];
        farewell_add(w, mine[i], i * MS);
    }
    return w;
}

static void end(struct farewell *w, int n)
{
    farewell_free(w);
    for (int i = 0; i < n; i++) {
        assert_int_equal(fcntl(mine[i], F_GETFD), -1);
        close(peer[i]);
    }
}

static bool is_open(int i)
{
    return fcntl(mine[i], F_GETFD) != -1;
}

static void nothing_is_due_without_connections(void **state)
{
    struct farewell *w = with(0);

    assert_true(farewell_due_ns(w) == INT64_MAX);
    farewell_run(w, 1000 * MS, TIMEOUT);
    assert_int_equal(farewell_make_room(w, 1000 * MS), 0);
    end(w, 0);
    farewell_free(NULL);
}

static void who_has_ended_is_closed_when_it_is_time_to_look(void **state)
{
    struct farewell *w = with(3);

    send(peer[1], "200 result=1\n", 13, 0);
    shutdown(peer[0], SHUT_WR);
    shutdown(peer[1], SHUT_WR);
    assert_true(farewell_due_ns(w) == FAREWELL_LOOK_NS);
    farewell_run(w, FAREWELL_LOOK_NS - 1, TIMEOUT);
    assert_int_equal(farewell_count(w), 3);
    farewell_run(w, FAREWELL_LOOK_NS, TIMEOUT);
    assert_int_equal(farewell_count(w), 1);
    assert_true(!is_open(0) && !is_open(1) && is_open(2));
    end(w, 3);
}

static void who_had_not_ended_is_looked_at_less_often(void **state)
{
    struct farewell *w = with(2);
    int64_t again = FAREWELL_LOOK_NS + FAREWELL_LOOK_AGAIN_NS;

    farewell_run(w, FAREWELL_LOOK_NS, TIMEOUT);
    shutdown(peer[1], SHUT_WR);
    assert_true(farewell_due_ns(w) == again);
    farewell_run(w, again - 1, TIMEOUT);
    assert_int_equal(farewell_count(w), 2);
    farewell_run(w, again, TIMEOUT);
    assert_true(is_open(0) && !is_open(1));
    end(w, 2);
}

static void a_new_one_is_looked_at_beside_those_who_never_end(void **state)
{
    struct farewell *w = with(2);
    int pair[2];

    farewell_run(w, 20 * MS, TIMEOUT);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    farewell_add(w, pair[0], 30 * MS);
    shutdown(pair[1], SHUT_WR);
    assert_true(farewell_due_ns(w) == 30 * MS + FAREWELL_LOOK_NS);
    farewell_run(w, 30 * MS + FAREWELL_LOOK_NS, TIMEOUT);
    assert_int_equal(farewell_count(w), 2);
    assert_int_equal(fcntl(pair[0], F_GETFD), -1);
    close(pair[1]);
    end(w, 2);
}

static void who_never_ends_is_closed_in_time(void **state)
{
    struct farewell *w = with(2);

    while (farewell_count(w)) {
        int64_t due = farewell_due_ns(w);

        assert_true(due <= TIMEOUT + FAREWELL_LOOK_AGAIN_NS + MS);
        farewell_run(w, due, TIMEOUT);
        assert_int_equal(is_open(0), due < TIMEOUT);
    }
    end(w, 2);
}

static void room_is_made_by_those_who_have_ended(void **state)
{
    struct farewell *w = with(40);

    shutdown(peer[39], SHUT_WR);
    assert_int_equal(farewell_make_room(w, 40 * MS), 0);
    assert_int_equal(farewell_count(w), 39);
    assert_true(is_open(0) && !is_open(39));
    end(w, 40);
}

static void else_by_those_who_were_added_first(void **state)
{
    struct farewell *w = with(40);

    assert_int_equal(farewell_make_room(w, 40 * MS), 3);
    assert_true(!is_open(0) && !is_open(1) && !is_open(2) && is_open(3));
    shutdown(peer[39], SHUT_WR);
    assert_int_equal(farewell_make_room(w, 40 * MS + 1), 3); /* too soon to look again */
    assert_int_equal(farewell_make_room(w, 42 * MS), 0);
    assert_int_equal(farewell_count(w), 33);
    end(w, 40);
}

static void making_room_empties_it_at_last(void **state)
{
    struct farewell *w = with(40);
    int n = 0;

    for (; farewell_count(w); n++)
        farewell_make_room(w, 40 * MS);
    assert_true(n <= 40);
    end(w, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_due_without_connections),
        cmocka_unit_test(who_has_ended_is_closed_when_it_is_time_to_look),
        cmocka_unit_test(who_had_not_ended_is_looked_at_less_often),
        cmocka_unit_test(a_new_one_is_looked_at_beside_those_who_never_end),
        cmocka_unit_test(who_never_ends_is_closed_in_time),
        cmocka_unit_test(room_is_made_by_those_who_have_ended),
        cmocka_unit_test(else_by_those_who_were_added_first),
        cmocka_unit_test(making_room_empties_it_at_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kill -9 at any moment loses nothing that was acknowledged, and leaves nothing half done. A process
 * (kill_writer.c) changes a store and tells what was acknowledged; it is killed at a random moment,
 * from before its first breath to the middle of a commit; the store is opened again and compared with
 * everything that was ever told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"

#define ROUNDS 200
#define ROUNDS_ON_ONE 20
#define BATCH 20
#define NUMBERS_MAX 2000000

static const char *writer;
static uint64_t seed;
/* By number; kind 0 is not acknowledged. */
static struct told {
    char kind;
    int64_t account;
} * acknowledged;
static int64_t next_number = 1000;
static size_t n_acknowledged;

static uint64_t random_below(uint64_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static pid_t start_writer(const char *dir, int *out)
{
    char first[32];
    int ends[2];

    snprintf(first, sizeof(first), "%" PRId64, next_number);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    char *const args[] = {(char *)writer, (char *)dir, first, NULL};
    pid_t child = -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    assert_int_equal(posix_spawn(&child, writer, &actions, NULL, args, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *out = ends[0];
    return child;
}

static void take(struct span line)
{
    char kind = 0;
    int64_t number = 0, account = 0;
    char text[64] = {0};

    assert_true(line.n < sizeof(text));
    memcpy(text, line.p, line.n);
    assert_int_equal(sscanf(text, "%c %" SCNd64 " %" SCNd64, &kind, &number, &account), 3);
    assert_in_range(number, next_number, NUMBERS_MAX - 1);
    acknowledged[number] = (struct told){kind, account};
    n_acknowledged++;
}

/* Reads what is acknowledged until `until`, kills, and reads what was still told. The writer's first
 * line starts the clock, so that some rounds die at the start and most in the midst of work. */
static void run_round(const char *dir, bool at_once)
{
    static char text[1 << 20];
    size_t n = 0;
    int out, status;
    bool killed = false;
    pid_t child = start_writer(dir, &out);
    int64_t until = now_us() + (int64_t)random_below(at_once ? 60000 : 20000000);
    bool ticking = at_once;

    for (;;) {
        int64_t left = until - now_us();
        struct pollfd p = {.fd = out, .events = POLLIN};
        if (!killed && left <= 0) {
            kill(child, SIGKILL);
            killed = true;
        }
        if (poll(&p, 1, killed ? -1 : (int)(left / 1000 + 1)) <= 0)
            continue;
        ssize_t got = read(out, text + n, sizeof(text) - n);
        assert_true(got >= 0);
        if (got == 0)
            break;
        n += (size_t)got;
        if (!ticking) {
            until = now_us() + (int64_t)random_below(40000);
            ticking = true;
        }
    }
    close(out);
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    for (struct span rest = {text, n}; rest.n;) {
        struct span line = span_cut(rest, '\n', &rest);
        if (rest.p) /* a line that was cut off was not told */
            take(line);
    }
}

static void no_rows(const char *path, const char *what, const char *sql)
{
    if (fixture_number(path, sql) != 0)
        fail_msg("%s", what);
}

static void nothing_is_half_done(const char *path)
{
    no_rows(
        path, "an account of a pair without its rule",
        "SELECT count(*) FROM accounts a WHERE name GLOB 'p*' AND NOT EXISTS (SELECT 1 FROM rules r"
        " WHERE r.rule_set = a.rule_set AND action = 'except' AND prefix = substr(a.name, 2))");
    no_rows(path, "part of a batch",
            "SELECT count(*) FROM audit u WHERE action = 'account.import' AND rows <>"
            " (SELECT count(*) FROM accounts WHERE created = u.id)");
    no_rows(path, "an account without the record that made it",
            "SELECT count(*) FROM accounts a LEFT JOIN audit u ON u.id = a.created"
            " WHERE u.id IS NULL OR u.action NOT IN ('account.add', 'account.import')");
    no_rows(path, "a record of an account that is not there",
            "SELECT count(*) FROM audit u WHERE action = 'account.add' AND"
            " NOT EXISTS (SELECT 1 FROM accounts WHERE id = u.account) AND NOT EXISTS"
            " (SELECT 1 FROM audit d WHERE d.action = 'account.delete' AND d.account = u.account)");
    no_rows(path, "an open record", "SELECT count(*) FROM audit WHERE detail IS NULL");
    no_rows(path, "a rule without a set, or the like",
            "SELECT count(*) FROM pragma_foreign_key_check");
    no_rows(path, "damage",
            "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'");
}

/* Every acknowledged change from `from` on is there, and its record. */
static void all_acknowledged_is_there(const char *path, int64_t from)
{
    static const char *const sql[] = {
        ['p'] = "SELECT (SELECT count(*) FROM audit WHERE account = ?2) = 2 AND"
                " (SELECT name FROM accounts WHERE id = ?2) = 'p' || ?1",
        ['b'] = "SELECT count(*) = 20 FROM accounts WHERE switch = 1 AND"
                " name >= 'b' || ?1 || '-' AND name < 'b' || ?1 || '.'",
        ['n'] = "SELECT ?1 > 0 AND CAST(title AS INTEGER) >= ?1 FROM presets",
        ['d'] = "SELECT count(*) = 2 AND max(action) = 'account.delete' AND"
                " NOT EXISTS (SELECT 1 FROM accounts WHERE id = ?2) FROM audit WHERE account = ?2",
    };
    sqlite3_stmt *stmts[128] = {0};
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    for (int64_t i = from; i < next_number; i++) {
        size_t kind = (size_t)acknowledged[i].kind;
        if (!kind)
            continue;
        if (!stmts[kind])
            assert_int_equal(sqlite3_prepare_v2(db, sql[kind], -1, &stmts[kind], NULL), SQLITE_OK);
        sqlite3_bind_int64(stmts[kind], 1, i);
        sqlite3_bind_int64(stmts[kind], 2, acknowledged[i].account);
        assert_int_equal(sqlite3_step(stmts[kind]), SQLITE_ROW);
        if (!sqlite3_column_int(stmts[kind], 0))
            fail_msg("lost: %c %" PRId64, (int)kind, i);
        sqlite3_reset(stmts[kind]);
    }
    for (size_t i = 0; i < 128; i++)
        sqlite3_finalize(stmts[i]);
    sqlite3_close(db);
}

/* Some rounds on one store: what one killed writer left the next goes on with. */
static void rounds(int n)
{
    struct place place;
    int64_t from = next_number;

    place_make(&place);
    for (int round = 0; round < n; round++) {
        int64_t began = next_number;
        run_round(place.dir, false);
        for (int64_t i = began; i < NUMBERS_MAX && i < began + 100000; i++)
            if (acknowledged[i].kind)
                next_number = i + 1;
        next_number += 100; /* beyond what may have been done without being acknowledged */
        /* The writer of the next round opens it as a daemon would; this is quicker. */
        all_acknowledged_is_there(place_file(&place, "sekisho.db"), began);
    }
    store_close(fixture_open(place.dir));
    nothing_is_half_done(place_file(&place, "sekisho.db"));
    all_acknowledged_is_there(place_file(&place, "sekisho.db"), from);
    place_remove(&place);
}

static void killed_at_work(void **state)
{
    for (int i = 0; i < ROUNDS; i += ROUNDS_ON_ONE)
        rounds(ROUNDS_ON_ONE);
    print_message("# %zu changes acknowledged and found\n", n_acknowledged);
    assert_true(n_acknowledged > ROUNDS);
}

static void killed_at_the_first_start(void **state)
{
    for (int round = 0; round < 20; round++) {
        struct place place;
        place_make(&place);
        run_round(place.dir, true);
        next_number += 10000;
        store_close(fixture_open(place.dir));
        const char *path = place_file(&place, "sekisho.db");
        assert_int_equal(fixture_number(path, "SELECT count(*) FROM switches"), 1);
        assert_int_equal(fixture_number(path, "SELECT count(*) FROM tokens"), 1);
        nothing_is_half_done(path);
        place_remove(&place);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_work),
        cmocka_unit_test(killed_at_the_first_start),
    };

    writer = argc > 1 ? argv[1] : "./kill_writer";
    acknowledged = calloc(NUMBERS_MAX, sizeof(*acknowledged));
    /* The moments are random; the seed is said, though the scheduler will not repeat itself. */
    seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)now_us();
    print_message("# seed %" PRIu64 "\n", seed);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(acknowledged);
    return failed;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls are kept once, summed rightly, and survive whatever interrupts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "store/calls.h"

#define DAY_MS (24 * 3600 * (int64_t)1000)
#define BEGAN_MS INT64_C(1700000000000)

static struct place place;
static struct fault f;

static int setup(void **state)
{
    place_make(&place);
    return 0;
}

static int teardown(void **state)
{
    place_remove(&place);
    return 0;
}

/* The first digit is the country here; 0 is at home. What begins with 9 is doubted. */
static struct history_place place_of(void *arg, int64_t switch_id, const struct call *call)
{
    static const char *const countries[] = {"JP", "US", "JM", "SO"};
    char digit = call->dialled.n ? call->dialled.p[0] : '0';

    (*(size_t *)arg)++;
    return (struct history_place){.country = span_of(countries[(digit - '0') % 4]),
                                  .abroad = digit != '0',
                                  .doubted = digit == '9'};
}

static size_t placed;

static struct calls *opened(size_t sums)
{
    struct calls_config config = {
        .dir = place.dir, .place = place_of, .place_arg = &placed, .sums = sums};
    struct calls *calls = NULL;

    if (calls_open(&calls, &config, &f) != 0)
        fail_msg("%s", f.text);
    return calls;
}

static uint32_t caller(struct calls *calls, const char *name)
{
    uint32_t id = 0;

    assert_int_equal(calls_caller(calls, 1, span_of(name), &id, &f), 0);
    return id;
}

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* `n` calls, one every so often, of callers 0 to callers - 1. The dialled strings are one of ten. */
static void make(struct calls *calls, struct call *call, size_t n, unsigned callers,
                 int64_t every_ms, uint64_t seed)
{
    static const char *const dialled[] = {"0",  "012345678", "1", "2876", "3",
                                          "31", "0",         "0", "9",    "0"};

    for (size_t i = 0; i < n; i++) {
        char name[16];

        snprintf(name, sizeof(name), "c%llu", (unsigned long long)(random_next(&seed) % callers));
        call[i] = (struct call){.start_ms = BEGAN_MS + (int64_t)i * every_ms,
                                .caller = caller(calls, name),
                                .seconds = (uint32_t)(random_next(&seed) % 600),
                                .end = (enum call_end)(random_next(&seed) % 4),
                                .dialled = span_of(dialled[random_next(&seed) % 10])};
        call[i].key = call_key(&call[i], SPAN(""), (uint32_t)i);
    }
}

static struct calls_added append(struct calls *calls, struct call *call, size_t n)
{
    struct calls_added added;

    if (calls_append(calls, 1, call, n, NULL, 1, &added, &f) != 0)
        fail_msg("%s", f.text);
    return added;
}

static int64_t ask(const char *sql)
{
    return fixture_number(place_file(&place, "calls.db"), sql);
}

/* ---- each once ------------------------------------------------------------------------------ */

static void the_same_calls_twice_are_added_once(void **state)
{
    enum { N = 30000 };
    struct call *call = calloc(N, sizeof(*call));
    struct calls *calls = opened(0);

    make(calls, call, N, 500, 1000, 1);
    assert_int_equal(append(calls, call, N).added, N);
    make(calls, call, N, 500, 1000, 1);
    assert_int_equal(append(calls, call, N).known, N);
    /* Another beginning, and backwards: what is new is what is beyond. */
    make(calls, call, N, 500, 1000, 1);
    for (size_t i = 0; i < N / 2; i++) {
        struct call other = call[i];

        call[i] = call[N - 1 - i];
        call[N - 1 - i] = other;
    }
    call[5].key ^= 1;
    assert_int_equal(append(calls, call, N).added, 1);
    assert_int_equal(ask("SELECT sum(calls) FROM blocks"), N + 1);
    /* Twice in one list. */
    call[0].key = call[1].key = 99;
    assert_int_equal(append(calls, call, 2).added, 1);
    calls_close(calls);
    free(call);
}

static void few_calls_at_a_time_fill_blocks(void **state)
{
    enum { N = 3000 };
    static struct call call[N];
    struct calls *calls = opened(0);

    make(calls, call, N, 20, 1000, 3);
    for (size_t i = 0; i < N; i += 7)
        assert_int_equal(append(calls, call + i, N - i < 7 ? N - i : 7).known, 0);
    assert_int_equal(ask("SELECT sum(calls) FROM blocks"), N);
    assert_in_range(ask("SELECT count(*) FROM blocks"), 1, 3);
    assert_int_equal(ask("SELECT count(*) FROM blocks WHERE summed = 0"), 0);
    calls_close(calls);
}

static int count(void *arg, int64_t switch_id, const struct call *call)
{
    assert_int_equal(switch_id, 1);
    assert_true(call->start_ms >= BEGAN_MS);
    ++*(size_t *)arg;
    return 0;
}

static void a_range_gives_its_calls_and_no_other(void **state)
{
    enum { N = 20000 };
    struct call *call = calloc(N, sizeof(*call));
    struct calls *calls = opened(0);
    struct calls_range range = {.from_ms = BEGAN_MS + 777000, .before_ms = BEGAN_MS + 12345000};
    size_t n = 0;

    make(calls, call, N, 20, 1000, 3);
    append(calls, call, N);
    assert_int_equal(calls_each(calls, &range, count, &n, &f), 0);
    assert_int_equal(n, 12345 - 777);
    range.switch_id = 1;
    n = 0;
    assert_int_equal(calls_each(calls, &range, count, &n, &f), 0);
    assert_int_equal(n, 12345 - 777);
    range.switch_id = 2;
    n = 0;
    assert_int_equal(calls_each(calls, &range, count, &n, &f), 0);
    assert_int_equal(n, 0);
    calls_close(calls);
    free(call);
}

/* Calls are forgotten to the very one, whatever blocks they lie in. */
static void what_is_too_old_is_forgotten(void **state)
{
    enum { N = 20000 };
    struct call *call = calloc(N, sizeof(*call));
    struct calls *calls = opened(0);
    struct calls_range all = {.before_ms = CALL_START_MAX};
    uint64_t gone;
    size_t n = 0;

    make(calls, call, N, 20, 1000, 3);
    append(calls, call, N);
    assert_int_equal(calls_sum(calls, &f), 0);
    assert_int_equal(calls_expire(calls, BEGAN_MS + 12345000, &gone, &f), 0);
    assert_int_equal(gone, 12345);
    assert_int_equal(calls_each(calls, &all, count, &n, &f), 0);
    assert_int_equal(n, N - 12345);
    assert_int_equal(ask("SELECT sum(calls) FROM blocks"), N - 12345);
    assert_int_equal(ask("SELECT min(first) FROM blocks"), BEGAN_MS + 12345000);
    assert_int_equal(
        ask("SELECT sum(answered + doubted + unanswered + failed + refused) FROM history"), N);
    assert_int_equal(calls_expire(calls, BEGAN_MS + 12345000, &gone, &f), 0);
    assert_int_equal(gone, 0);
    assert_int_equal(calls_expire(calls, CALL_START_MAX, &gone, &f), 0);
    assert_int_equal(gone, N - 12345);
    assert_int_equal(ask("SELECT count(*) FROM blocks"), 0);
    calls_close(calls);
    free(call);
}

/* ---- history -------------------------------------------------------------------------------- */

/* The sums of all callers, by the plainest way. */
#define SUMS_OF_ALL                                                                                \
    "SELECT count(*) * 1000003 + sum(caller * 7 + length(country) * 11 + unicode(country) * 13 +"  \
    " abroad * 17 + answered * 19 + unanswered * 23 + failed * 29 + refused * 31 + doubted * 37 +" \
    " seconds * 41 + first % 1000000007 + last % 998244353 + coalesce(spoke_first, 5) % 1000003 +" \
    " coalesce(spoke_last, 7) % 1000033) FROM history"

static void history_is_the_same_whatever_the_memory(void **state)
{
    enum { N = 60000, CALLERS = 5000 };
    struct call *call = calloc(N, sizeof(*call));
    struct calls *calls = opened(0);
    int64_t sums;

    make(calls, call, N, CALLERS, 1000, 5);
    for (size_t i = 0; i < N; i += 6000) /* few at a time: summed at once */
        append(calls, call + i, 6000);
    assert_int_equal(ask("SELECT count(*) FROM blocks WHERE summed = 0"), 0);
    sums = ask(SUMS_OF_ALL);
    assert_int_equal(
        ask("SELECT sum(answered + doubted + unanswered + failed + refused) FROM history"), N);
    assert_int_equal(calls_sum_again(calls, &f), 0);
    assert_int_equal(ask(SUMS_OF_ALL), sums);
    calls_close(calls);

    assert_int_equal(unlink(place_file(&place, "calls.db")), 0);
    calls = opened(1); /* the least there can be: many rounds */
    make(calls, call, N, CALLERS, 1000, 5);
    append(calls, call, N);
    assert_int_equal(ask("SELECT count(*) FROM history"), 0);
    placed = 0;
    assert_int_equal(calls_sum(calls, &f), 0);
    assert_true(placed > N);
    assert_int_equal(ask(SUMS_OF_ALL), sums);
    calls_close(calls);
    free(call);
}

static int first_of(void *arg, const struct history_sum *sum)
{
    *(struct history_sum *)arg = *sum;
    return 1;
}

static void history_tells_what_speaks_for_an_account(void **state)
{
    struct calls *calls = opened(0);
    uint32_t id = caller(calls, "1001");
    struct call call[] = {
        {BEGAN_MS, 1, id, 60, CALL_ANSWERED, SPAN("1")},
        {BEGAN_MS + 5, 2, id, 30, CALL_ANSWERED, SPAN("9")}, /* US too, and doubted */
        {BEGAN_MS + 9, 3, id, 0, CALL_REFUSED, SPAN("1")},
        {BEGAN_MS + 7, 4, id, 10, CALL_ANSWERED, SPAN("1")},
    };
    struct history_sum sum;

    append(calls, call, 4);
    assert_int_equal(calls_history(calls, id, first_of, &sum, &f), 1);
    assert_string_equal(sum.country, "US");
    assert_true(sum.abroad);
    assert_int_equal(sum.answered, 2);
    assert_int_equal(sum.doubted, 1);
    assert_int_equal(sum.refused, 1);
    assert_int_equal(sum.seconds, 100);
    assert_int_equal(sum.first_ms, BEGAN_MS);
    assert_int_equal(sum.last_ms, BEGAN_MS + 9);
    assert_int_equal(sum.spoke_first_ms, BEGAN_MS);
    assert_int_equal(sum.spoke_last_ms, BEGAN_MS + 7);
    /* Nothing but a refused call: no day on which anything speaks for it. */
    call[0] = (struct call){BEGAN_MS, 5, caller(calls, "1002"), 0, CALL_REFUSED, SPAN("2")};
    append(calls, call, 1);
    assert_int_equal(calls_history(calls, call[0].caller, first_of, &sum, &f), 1);
    assert_true(sum.spoke_first_ms == HISTORY_NEVER && sum.spoke_last_ms == HISTORY_NEVER);
    call[0] = (struct call){BEGAN_MS + DAY_MS, 6, call[0].caller, 1, CALL_ANSWERED, SPAN("2")};
    append(calls, call, 1);
    assert_int_equal(calls_history(calls, call[0].caller, first_of, &sum, &f), 1);
    assert_int_equal(sum.spoke_first_ms, BEGAN_MS + DAY_MS);
    calls_close(calls);
}

/* ---- files, callers ------------------------------------------------------------------------- */

static int same_file(void *arg, const struct calls_file *file)
{
    const struct calls_file *want = arg;

    assert_int_equal(file->id, want->id);
    assert_int_equal(file->bytes, want->bytes);
    assert_memory_equal(file->hash, want->hash, sizeof(file->hash));
    assert_int_equal(file->rows, want->rows);
    assert_int_equal(file->unread, want->unread);
    return 5;
}

static void how_far_a_file_was_read_is_known_again(void **state)
{
    struct calls *calls = opened(0);
    struct calls_file file = {
        .head = SPAN("1,2,3"), .bytes = 100, .hash = {1, 2}, .rows = 3, .name = SPAN("a.csv")};
    struct call call = {BEGAN_MS, 1, caller(calls, "a"), 0, CALL_REFUSED, SPAN("1")};
    struct calls_added added;

    assert_int_equal(calls_append(calls, 1, &call, 1, &file, 1, &added, &f), 0);
    assert_int_equal(calls_files(calls, 1, SPAN("1,2,3"), same_file, &file, &f), 5);
    file.bytes = 200;
    file.unread = 7;
    assert_int_equal(calls_append(calls, 1, NULL, 0, &file, 2, &added, &f), 0);
    calls_close(calls);
    calls = opened(0);
    assert_int_equal(calls_files(calls, 1, SPAN("1,2,3"), same_file, &file, &f), 5);
    assert_int_equal(calls_files(calls, 2, SPAN("1,2,3"), same_file, &file, &f), 0);
    assert_int_equal(calls_files(calls, 1, SPAN("1,2"), same_file, &file, &f), 0);
    calls_close(calls);
}

static void callers_are_names_on_a_switch(void **state)
{
    struct calls *calls = opened(0);
    uint32_t a = caller(calls, "a"), b = caller(calls, "b"), other = 0;
    struct calls_added added;
    char name[STORE_ACCOUNT_NAME_MAX + 1] = {0};

    assert_int_not_equal(a, b);
    assert_int_equal(calls_caller(calls, 2, SPAN("a"), &other, &f), 0);
    assert_int_not_equal(other, a);
    assert_int_equal(caller(calls, "a"), a);
    assert_int_equal(calls_append(calls, 1, NULL, 0, NULL, 1, &added, &f), 0);
    calls_close(calls);
    calls = opened(0);
    assert_int_equal(caller(calls, "a"), a);
    assert_int_equal(calls_caller(calls, 1, SPAN(""), &other, &f), ERR_RANGE);
    assert_int_equal(calls_caller(calls, 1, (struct span){name, sizeof(name)}, &other, &f),
                     ERR_RANGE);
    calls_close(calls);
    assert_int_equal(ask("SELECT count(*) FROM callers"), 3);
}

/* ---- what goes wrong ------------------------------------------------------------------------ */

static void a_call_that_cannot_be_kept_spoils_nothing(void **state)
{
    struct calls *calls = opened(0);
    uint32_t id = caller(calls, "a");
    struct call call[] = {{BEGAN_MS, 1, id, 0, CALL_REFUSED, SPAN("1")},
                          {-5, 2, id, 0, CALL_REFUSED, SPAN("1")}};
    struct calls_file file = {.head = SPAN("x")};
    struct calls_added added;

    assert_int_equal(calls_append(calls, 1, call, 2, &file, 1, &added, &f), ERR_RANGE);
    assert_string_equal(f.text, "a call that cannot be kept: it began before 1970 or after 9999, "
                                "or what was dialled has more than 127 bytes");
    assert_int_equal(file.id, 0);
    assert_int_equal(ask("SELECT (SELECT count(*) FROM blocks) + (SELECT count(*) FROM callers) +"
                         " (SELECT count(*) FROM history) + (SELECT count(*) FROM files)"),
                     0);
    /* The caller went with the rest: it is made again, and not remembered by a number that is nobody's. */
    call[0] = (struct call){BEGAN_MS, 1, caller(calls, "a"), 0, CALL_REFUSED, SPAN("1")};
    assert_int_equal(append(calls, call, 1).added, 1);
    assert_int_equal(ask("SELECT count(*) FROM callers"), 1);
    calls_close(calls);
}

static void a_damaged_block_is_told(void **state)
{
    struct calls *calls = opened(0);
    struct call call = {BEGAN_MS, 1, caller(calls, "a"), 0, CALL_REFUSED, SPAN("1")};
    struct calls_added added;
    size_t n = 0;
    struct calls_range all = {.before_ms = CALL_START_MAX};

    append(calls, &call, 1);
    fixture_sql(place_file(&place, "calls.db"), "UPDATE blocks SET bytes = x'0105', calls = 2000");
    call.key = 2;
    assert_int_equal(calls_append(calls, 1, &call, 1, NULL, 1, &added, &f), ERR_CORRUPT);
    assert_int_equal(calls_each(calls, &all, count, &n, &f), ERR_CORRUPT);
    calls_close(calls);
}

/* A process that is killed in the midst of an import, again and again: at the end everything is there once. */
static void killed_imports_lose_and_double_nothing(void **state)
{
    enum { N = 40000, AT_ONCE = 1000 };
    struct call *call = calloc(N, sizeof(*call));
    uint64_t seed = 11;
    int kills = 0, status = 0;

    for (;;) {
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0) {
            struct calls *calls = opened(0);

            make(calls, call, N, 300, 1000, 13);
            for (size_t i = 0; i < N; i += AT_ONCE)
                append(calls, call + i, AT_ONCE);
            calls_close(calls);
            _exit(0);
        }
        if (kills < 12) {
            usleep((useconds_t)(20000 + random_next(&seed) % 150000));
            kill(child, SIGKILL);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status))
            break;
        kills++;
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(ask("SELECT sum(calls) FROM blocks"), N);
    assert_int_equal(
        ask("SELECT sum(answered + doubted + unanswered + failed + refused) FROM history"), N);
    free(call);
}

static void foreign_files_are_refused(void **state)
{
    struct calls_config config = {.dir = place.dir, .place = place_of};
    struct calls *calls = NULL;

    fixture_sql(place_file(&place, "calls.db"), "CREATE TABLE t (a); PRAGMA application_id = 5");
    assert_int_equal(calls_open(&calls, &config, &f), ERR_CORRUPT);
    assert_null(calls);
    assert_non_null(strstr(f.text, "is a database of another application"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_same_calls_twice_are_added_once),
        TEST(few_calls_at_a_time_fill_blocks),
        TEST(a_range_gives_its_calls_and_no_other),
        TEST(what_is_too_old_is_forgotten),
        TEST(history_is_the_same_whatever_the_memory),
        TEST(history_tells_what_speaks_for_an_account),
        TEST(how_far_a_file_was_read_is_known_again),
        TEST(callers_are_names_on_a_switch),
        TEST(a_call_that_cannot_be_kept_spoils_nothing),
        TEST(a_damaged_block_is_told),
        TEST(killed_imports_lose_and_double_nothing),
        TEST(foreign_files_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

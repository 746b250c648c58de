/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fixture.h"
#include "store/bulk.h"
#include "store/waiter.h"

static struct place place;
static struct store *store;

static int setup(void **state)
{
    place_make(&place);
    store = fixture_open(place.dir);
    return 0;
}

static int teardown(void **state)
{
    store_close(store);
    place_remove(&place);
    return 0;
}

/* A gate that a job stands before, so that others gather behind it. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static int wait_job(struct store_tx *tx, void *arg, struct fault *f)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return 0;
}

struct answer {
    int code;
    char text[FAULT_MAX];
    int turn; /* when it came, among all */
};

static atomic_int turns;

static void done(void *arg, int code, const struct fault *f)
{
    struct answer *a = arg;

    a->code = code;
    memcpy(a->text, f->text, sizeof(a->text));
    a->turn = ++turns;
}

static int nothing(struct store_tx *tx, void *arg, struct fault *f)
{
    return 0;
}

static int fails(struct store_tx *tx, void *arg, struct fault *f)
{
    int err = fixture_add_account(tx, (void *)"half-done", f);

    return err ? err : fault(f, ERR_RANGE, "on purpose");
}

static int fails_silently(struct store_tx *tx, void *arg, struct fault *f)
{
    return ERR_DENIED;
}

/* Waits until the writer stands before the gate. */
static void wait_for_empty_queue(void)
{
    struct store_stats stats;

    do {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        store_stats(store, &stats);
    } while (stats.write_queue);
}

static void many_jobs_share_a_commit(void **state)
{
    static char names[100][16];
    static struct answer answers[100];
    struct store_stats before, after;

    pthread_mutex_lock(&gate);
    assert_int_equal(store_write(store, wait_job, NULL, NULL, NULL, NULL), 0);
    wait_for_empty_queue();
    store_stats(store, &before);
    for (size_t i = 0; i < 100; i++) {
        snprintf(names[i], sizeof(names[i]), "%zu", i);
        assert_int_equal(store_write(store, fixture_add_account, names[i], done, &answers[i], NULL),
                         0);
    }
    pthread_mutex_unlock(&gate);
    assert_int_equal(store_write_wait(store, nothing, NULL, NULL), 0);
    store_stats(store, &after);
    assert_in_range(after.commits - before.commits, 1, 3);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(answers[i].code, 0);
        assert_true(i == 0 || answers[i].turn == answers[i - 1].turn + 1);
    }
    assert_int_equal(fixture_count(store), 100);
}

static void a_job_that_fails_takes_no_other_along(void **state)
{
    struct answer answers[4] = {0};

    pthread_mutex_lock(&gate);
    store_write(store, wait_job, NULL, NULL, NULL, NULL);
    wait_for_empty_queue();
    store_write(store, fixture_add_account, (void *)"before", done, &answers[0], NULL);
    store_write(store, fails, NULL, done, &answers[1], NULL);
    store_write(store, fails_silently, NULL, done, &answers[2], NULL);
    store_write(store, fixture_add_account, (void *)"behind", done, &answers[3], NULL);
    pthread_mutex_unlock(&gate);
    store_write_wait(store, nothing, NULL, NULL);
    assert_int_equal(answers[0].code, 0);
    assert_int_equal(answers[1].code, ERR_RANGE);
    assert_string_equal(answers[1].text, "on purpose");
    assert_int_equal(answers[2].code, ERR_DENIED);
    assert_true(answers[2].text[0] != '\0');
    assert_int_equal(answers[3].code, 0);
    assert_int_equal(fixture_count(store), 2);
}

/* It had the transaction to itself. */
static void a_lone_job_that_fails_leaves_nothing(void **state)
{
    struct store_stats stats;
    struct fault f;

    assert_int_equal(store_write_wait(store, fails, NULL, &f), ERR_RANGE);
    assert_string_equal(f.text, "on purpose");
    assert_int_equal(fixture_count(store), 0);
    assert_int_equal(store_write_wait(store, fixture_add_account, (void *)"next", NULL), 0);
    assert_int_equal(store_evidence_wait(store, fails_silently, NULL, &f), ERR_DENIED);
    assert_int_equal(fixture_count(store), 1);
    store_stats(store, &stats);
    assert_int_equal(stats.failed_commits, 0);
    assert_false(stats.failing);
    assert_false(stats.failing_evidence);
}

static void a_full_queue_says_so(void **state)
{
    struct store_config config = {.dir = place.dir, .queue = 3};
    struct store_stats stats;
    struct fault f;

    store_close(store);
    assert_int_equal(store_open(&store, &config, NULL, NULL), 0);
    pthread_mutex_lock(&gate);
    store_write(store, wait_job, NULL, NULL, NULL, NULL);
    wait_for_empty_queue();
    for (int i = 0; i < 3; i++)
        assert_int_equal(store_write(store, nothing, NULL, NULL, NULL, &f), 0);
    assert_int_equal(store_write(store, nothing, NULL, NULL, NULL, &f), ERR_FULL);
    assert_non_null(strstr(f.text, "3 write jobs wait"));
    /* The others have room of their own. */
    assert_int_equal(store_read_wait(store, nothing, NULL, NULL), 0);
    store_stats(store, &stats);
    assert_int_equal(stats.refused_jobs, 1);
    assert_int_equal(stats.write_queue, 3);
    pthread_mutex_unlock(&gate);
    wait_for_empty_queue();
    assert_int_equal(store_write_wait(store, nothing, NULL, NULL), 0);
}

static void what_is_queued_is_done_at_the_close(void **state)
{
    struct answer answer = {.code = -99};

    pthread_mutex_lock(&gate);
    store_write(store, wait_job, NULL, NULL, NULL, NULL);
    store_write(store, fixture_add_account, (void *)"late", done, &answer, NULL);
    pthread_mutex_unlock(&gate);
    store_close(store);
    assert_int_equal(answer.code, 0);
    store = fixture_open(place.dir);
    assert_int_equal(fixture_count(store), 1);
}

static int reads(struct store_tx *tx, void *arg, struct fault *f)
{
    struct store_account a;

    return store_account_find(tx, SPAN("local"), SPAN("1001"), &a, f);
}

static void a_read_behind_an_answer_sees_the_change(void **state)
{
    for (int i = 0; i < 50; i++) {
        char name[16];
        snprintf(name, sizeof(name), "%d", 1001 + i);
        assert_int_equal(store_write_wait(store, fixture_add_account, name, NULL), 0);
        assert_int_equal(store_read_wait(store, reads, NULL, NULL), 0);
    }
}

/* An operation that fails inside a job which goes on leaves nothing of itself behind. */
static int ignores_a_failure(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_by by = {.actor = SPAN("test")};
    const struct rule bad[] = {{.prefix = SPAN("010")}, {.prefix = SPAN("x")}};
    const struct store_preset p = {.name = SPAN("p"), .rules = bad, .n_rules = 2};
    int64_t id;

    assert_int_equal(store_preset_add(tx, &by, &p, &id, f), ERR_SYNTAX);
    assert_int_equal(store_tx_change(tx), 0);
    return fixture_add_account(tx, (void *)"1001", f);
}

static void an_operation_is_whole_or_not_at_all(void **state)
{
    assert_int_equal(store_write_wait(store, ignores_a_failure, NULL, NULL), 0);
    assert_int_equal(
        fixture_number(place_file(&place, "sekisho.db"), "SELECT count(*) FROM presets"), 1);
    assert_int_equal(
        fixture_number(place_file(&place, "sekisho.db"),
                       "SELECT count(*) FROM audit WHERE detail IS NULL OR action = 'preset.add'"),
        1); /* the seeded one */
}

static void *adds_many(void *arg)
{
    for (int i = 0; i < 50; i++) {
        char name[32];
        snprintf(name, sizeof(name), "%s-%d", (const char *)arg, i);
        assert_int_equal(store_write_wait(store, fixture_add_account, name, NULL), 0);
    }
    return NULL;
}

static void many_threads_at_once(void **state)
{
    static char names[][2] = {"a", "b", "c", "d"};
    pthread_t threads[4];

    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, adds_many, names[i]), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(fixture_count(store), 200);
}

/* ---- tokens --------------------------------------------------------------------------------- */

struct token_job {
    struct store_token token;
    int64_t id;
    char secret[STORE_SECRET_MAX];
};

static int token_add(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_by by = {.actor = SPAN("test")};
    struct token_job *t = arg;

    return store_token_add(tx, &by, &t->token, &t->id, t->secret, f);
}

static int token_add_and_fail(struct store_tx *tx, void *arg, struct fault *f)
{
    int err = token_add(tx, arg, f);

    return err ? err : ERR_RANGE;
}

static int token_revoke(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_by by = {.actor = SPAN("test")};

    return store_token_revoke(tx, &by, ((struct token_job *)arg)->id, f);
}

static void tokens_open_what_they_are_for_until_they_end(void **state)
{
    struct token_job t = {.token = {.scope = {SCOPE_TENANT, 1}, .expires = 4000000000}};
    struct store_pass pass;
    struct fault f;

    assert_int_equal(store_write_wait(store, token_add, &t, NULL), 0);
    struct span secret = span_of(t.secret);
    assert_int_equal(store_token_verify(store, secret, 3999999999, &pass, &f), 0);
    assert_int_equal(pass.token, t.id);
    assert_int_equal(pass.scope.scope, SCOPE_TENANT);
    assert_int_equal(pass.scope.id, 1);
    assert_int_equal(store_token_verify(store, secret, 4000000000, &pass, &f), ERR_DENIED);
    secret.n--;
    assert_int_equal(store_token_verify(store, secret, 0, &pass, &f), ERR_DENIED);
    secret.n = 0;
    assert_int_equal(store_token_verify(store, secret, 0, &pass, &f), ERR_DENIED);

    /* It is the same after a new start, and gone with its revocation. */
    store_close(store);
    store = fixture_open(place.dir);
    secret = span_of(t.secret);
    assert_int_equal(store_token_verify(store, secret, 0, &pass, &f), 0);
    assert_int_equal(store_write_wait(store, token_revoke, &t, NULL), 0);
    assert_int_equal(store_token_verify(store, secret, 0, &pass, &f), ERR_DENIED);
}

static void a_token_whose_job_fails_never_existed(void **state)
{
    struct token_job t = {0};
    struct store_pass pass;

    assert_int_equal(store_write_wait(store, token_add_and_fail, &t, NULL), ERR_RANGE);
    assert_int_equal(store_token_verify(store, span_of(t.secret), 0, &pass, NULL), ERR_DENIED);
}

static void no_secret_is_in_the_file(void **state)
{
    struct token_job t = {0};
    char command[1024];

    assert_int_equal(store_write_wait(store, token_add, &t, NULL), 0);
    snprintf(command, sizeof(command), "grep -q -a -r -F '%s' %s", t.secret, place.dir);
    assert_int_not_equal(system(command), 0);
}

/* ---- a long job ---- */

#define MANY 50000

static int count_job(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_account_query query = {.page = {.limit = STORE_PAGE_MAX}};
    struct store_account_list list;
    int err = store_account_list(tx, &query, &list, f);

    if (!err)
        *(size_t *)arg = list.n;
    return err;
}

struct long_import {
    struct bulk *bulk;
    struct bulk_progress progress;
    struct store_import out;
    int code;
};

static int import_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct long_import *m = arg;

    return store_bulk_import(tx, &(struct store_by){.actor = SPAN("test")}, m->bulk, true, &m->out,
                             f);
}

static void *import_many(void *arg)
{
    struct long_import *m = arg;
    struct fault f;

    m->code = store_write_alone_wait(store, import_job, m, &f);
    return NULL;
}

static void begin_import(struct long_import *m, pthread_t *thread)
{
    struct fault f;

    *m = (struct long_import){0};
    assert_int_equal(bulk_new(&m->bulk, false, &m->progress, &f), 0);
    for (uint64_t i = 1; i <= MANY; i++) {
        char name[32];
        struct store_import_row row = {.line = i};

        snprintf(name, sizeof(name), "long-%d", (int)i);
        row.account.name = span_of(name);
        assert_int_equal(bulk_add(m->bulk, &row, BULK_BORN, &f), 0);
    }
    assert_int_equal(bulk_faults(m->bulk)->n, 0);
    pthread_create(thread, NULL, import_many, m);
    while (__atomic_load_n(&m->progress.phase, __ATOMIC_RELAXED) < BULK_ADDING ||
           __atomic_load_n(&m->progress.done, __ATOMIC_RELAXED) == 0)
        sched_yield();
}

static void end_import(struct long_import *m, pthread_t thread)
{
    pthread_join(thread, NULL);
    bulk_free(m->bulk);
}

static void a_long_job_gives_way_and_begins_again(void **state)
{
    struct waiter w = WAITER_INIT;
    struct long_import m;
    size_t seen = 99;
    pthread_t thread;
    struct fault f;

    begin_import(&m, &thread);
    assert_int_equal(store_urgent(store, count_job, &seen, waiter_done, &w, &f), 0);
    assert_int_equal(waiter_wait(&w, &f), 0);
    assert_int_equal(seen, 0);
    end_import(&m, thread);
    assert_int_equal(m.code, 0);
    assert_int_equal(m.out.added, MANY);
    assert_int_equal(fixture_count(store), MANY);
}

/* Two urgent jobs at a time, each followed by another as soon as it is done. */
struct flood {
    bool over; /* atomic */
    unsigned running;
};

static void go_on(void *arg, int code, const struct fault *why)
{
    struct flood *flood = arg;
    struct fault f;

    if (__atomic_load_n(&flood->over, __ATOMIC_ACQUIRE) ||
        store_urgent(store, nothing, NULL, go_on, flood, &f) != 0)
        __atomic_sub_fetch(&flood->running, 1, __ATOMIC_ACQ_REL);
}

static void others_come_between_urgent_jobs(void **state)
{
    struct flood flood = {.running = 2};
    struct waiter w = WAITER_INIT;
    size_t seen;
    struct fault f;

    go_on(&flood, 0, NULL);
    go_on(&flood, 0, NULL);
    assert_int_equal(store_write(store, count_job, &seen, waiter_done, &w, &f), 0);
    assert_int_equal(waiter_wait(&w, &f), 0);
    assert_int_equal(__atomic_load_n(&flood.running, __ATOMIC_ACQUIRE), 2);
    __atomic_store_n(&flood.over, true, __ATOMIC_RELEASE);
    while (__atomic_load_n(&flood.running, __ATOMIC_ACQUIRE) > 0)
        sched_yield();
}

static void a_long_job_that_is_cancelled_leaves_nothing(void **state)
{
    struct long_import m;
    pthread_t thread;

    begin_import(&m, &thread);
    __atomic_store_n(&m.progress.cancelled, true, __ATOMIC_RELAXED);
    end_import(&m, thread);
    assert_int_equal(m.code, ERR_CONFLICT);
    assert_int_equal(m.out.added, 0);
    assert_int_equal(fixture_count(store), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(many_jobs_share_a_commit),
        TEST(a_job_that_fails_takes_no_other_along),
        TEST(a_lone_job_that_fails_leaves_nothing),
        TEST(a_full_queue_says_so),
        TEST(what_is_queued_is_done_at_the_close),
        TEST(a_read_behind_an_answer_sees_the_change),
        TEST(an_operation_is_whole_or_not_at_all),
        TEST(many_threads_at_once),
        TEST(tokens_open_what_they_are_for_until_they_end),
        TEST(a_token_whose_job_fails_never_existed),
        TEST(no_secret_is_in_the_file),
        TEST(a_long_job_gives_way_and_begins_again),
        TEST(others_come_between_urgent_jobs),
        TEST(a_long_job_that_is_cancelled_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

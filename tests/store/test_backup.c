/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

static struct place place, other;
static struct store *store;

static int setup(void **state)
{
    place_make(&place);
    place_make(&other);
    store = fixture_open(place.dir);
    return 0;
}

static int teardown(void **state)
{
    store_close(store);
    place_remove(&place);
    place_remove(&other);
    return 0;
}

static void backup(const char *path)
{
    struct fault f = {0};

    if (store_backup_wait(store, path, &f) != 0)
        fail_msg("%s", f.text);
}

static void refused(const char *path, int code, const char *says)
{
    struct fault f = {0};

    assert_int_equal(store_backup_wait(store, path, &f), code);
    if (!strstr(f.text, says))
        fail_msg("\"%s\" does not say \"%s\"", f.text, says);
}

static void a_backup_is_a_store(void **state)
{
    char path[512];
    struct stat st;

    snprintf(path, sizeof(path), "%s", place_file(&other, "copy"));
    store_write_wait(store, fixture_add_account, (void *)"1001", NULL);
    backup(path);
    store_write_wait(store, fixture_add_account, (void *)"1002", NULL);
    struct store *copy = fixture_open(path);
    assert_int_equal(fixture_count(copy), 1);
    store_close(copy);
    assert_int_equal(stat(place_file(&other, "copy/sekisho.db"), &st), 0);
    assert_int_equal(st.st_mode & 07, 0); /* not for others to read */
    assert_int_not_equal(access(place_file(&other, "copy.partial"), F_OK), 0);
}

static void nothing_is_overwritten(void **state)
{
    char path[512];

    snprintf(path, sizeof(path), "%s", place_file(&other, "copy"));
    backup(path);
    refused(path, ERR_EXISTS, "exists already; a backup overwrites nothing");
    refused(place.dir, ERR_EXISTS, "exists already");
    assert_int_equal(symlink("nowhere", place_file(&other, "link")), 0);
    refused(place_file(&other, "link"), ERR_EXISTS, "exists already");
}

static void a_path_must_make_sense(void **state)
{
    refused("relative", ERR_RANGE, "must be absolute");
    refused("", ERR_RANGE, "must be absolute");
    refused(place_file(&other, "no/where"), ERR_IO,
            "no/where.partial cannot be made: No such file");
}

static void a_trailing_slash_is_fine(void **state)
{
    char path[512];

    snprintf(path, sizeof(path), "%s", place_file(&other, "copy/"));
    backup(path);
    assert_int_equal(access(place_file(&other, "copy/sekisho.db"), F_OK), 0);
    assert_int_equal(access(place_file(&other, "copy/evidence.db"), F_OK), 0);
}

static void what_an_interrupted_one_left_is_replaced(void **state)
{
    char path[512];

    snprintf(path, sizeof(path), "%s", place_file(&other, "copy"));
    mkdir(place_file(&other, "copy.partial"), 0750);
    fclose(fopen(place_file(&other, "copy.partial/sekisho.db"), "w"));
    backup(path);
    store_close(fixture_open(path));
}

static void what_is_not_ours_is_left_alone(void **state)
{
    mkdir(place_file(&other, "copy.partial"), 0750);
    fclose(fopen(place_file(&other, "copy.partial/letters"), "w"));
    refused(place_file(&other, "copy"), ERR_EXISTS, "copy.partial cannot be made");
    assert_int_equal(access(place_file(&other, "copy.partial/letters"), F_OK), 0);
}

static atomic_bool enough;

static void *writes(void *arg)
{
    for (int i = 0; !enough; i++) {
        char name[16];
        snprintf(name, sizeof(name), "%d", i);
        if (store_write_wait(store, fixture_add_account, name, NULL) != 0)
            return arg; /* not NULL */
    }
    return NULL;
}

/* Every copy that is taken while changes run is of one moment: as many accounts as records of them. */
static void a_backup_while_changes_run_is_of_one_moment(void **state)
{
    pthread_t thread;
    void *why = NULL;
    int64_t last = -1;

    enough = false;
    assert_int_equal(pthread_create(&thread, NULL, writes, store), 0);
    for (int i = 0; i < 5; i++) {
        char path[512], file[600];
        snprintf(path, sizeof(path), "%s/copy%d", other.dir, i);
        backup(path);
        snprintf(file, sizeof(file), "%s/sekisho.db", path);
        int64_t n = fixture_number(file, "SELECT count(*) FROM accounts");
        assert_int_equal(
            n, fixture_number(file, "SELECT count(*) FROM audit WHERE action = 'account.add'"));
        assert_int_equal(fixture_number(file, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
        assert_true(n >= last);
        last = n;
    }
    enough = true;
    pthread_join(thread, &why);
    assert_null(why);
}

struct end {
    atomic_int code;
};

static void ended(void *arg, int code, const struct fault *f)
{
    ((struct end *)arg)->code = code;
}

static void closing_waits_for_a_backup(void **state)
{
    struct end end = {-99};
    struct fault f = {0};

    assert_int_equal(store_backup(store, place_file(&other, "copy"), ended, &end, &f), 0);
    store_close(store);
    assert_int_equal(end.code, 0);
    store = fixture_open(place.dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_backup_is_a_store),
        TEST(nothing_is_overwritten),
        TEST(a_path_must_make_sense),
        TEST(a_trailing_slash_is_fine),
        TEST(what_an_interrupted_one_left_is_replaced),
        TEST(what_is_not_ours_is_left_alone),
        TEST(a_backup_while_changes_run_is_of_one_moment),
        TEST(closing_waits_for_a_backup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

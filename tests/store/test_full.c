/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk that is full. The test mounts a file system of a few megabytes in a mount namespace of its
 * own, fills it to the last byte, and makes room again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

static struct place place;

static int setup(void **state)
{
    place_make(&place);
    if (mount("sekisho-test", place.dir, "tmpfs", 0, "size=4m") != 0) {
        perror("mount");
        return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    umount2(place.dir, MNT_DETACH);
    place_remove(&place);
    return 0;
}

/* Takes every byte that is left. */
static void fill(const char *name)
{
    static const char block[4096];
    int fd = open(place_file(&place, name), O_WRONLY | O_CREAT | O_APPEND, 0640);

    assert_true(fd >= 0);
    while (write(fd, block, sizeof(block)) > 0)
        ;
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

static int add(struct store *store, int n, struct fault *f)
{
    char name[16];

    snprintf(name, sizeof(name), "%d", n);
    return store_write_wait(store, fixture_add_account, name, f);
}

static int next_row(void *arg, struct store_import_row *row, struct fault *f)
{
    static char name[16];
    int *n = arg;

    if (*n == 20000)
        return 0;
    snprintf(name, sizeof(name), "import-%d", (*n)++);
    row->account.name = span_of(name);
    return 1;
}

static int import_job(struct store_tx *tx, void *arg, struct fault *f)
{
    const struct store_by by = {.actor = SPAN("test")};
    int n = 0;
    struct store_import import = {.next = next_row, .arg = &n};

    return store_account_import(tx, &by, &import, f);
}

static int nothing(struct store_tx *tx, void *arg, struct fault *f)
{
    return 0;
}

static void a_full_disk_loses_nothing_and_heals(void **state)
{
    struct store *store = fixture_open(place.dir);
    struct store_stats stats;
    struct fault f = {0};
    int n = 0;

    for (; n < 20; n++)
        assert_int_equal(add(store, n, &f), 0);
    fill("filler");
    /* The log may have some room in it that was given to it before. */
    while (n < 3000 && add(store, n, &f) == 0)
        n++;
    assert_int_equal(f.code, ERR_FULL);
    assert_non_null(strstr(f.text, "the disk is full; nothing was changed"));
    store_stats(store, &stats);
    assert_true(stats.failing);
    assert_non_null(strstr(stats.trouble, "full"));
    /* What the other file says heals nothing. */
    assert_int_equal(store_evidence_wait(store, nothing, NULL, &f), 0);
    store_stats(store, &stats);
    assert_true(stats.failing);
    assert_false(stats.failing_evidence);
    assert_int_equal(fixture_count(store), n);
    assert_int_equal(add(store, n, &f), ERR_FULL);

    /* With room, it works again, in the same process. */
    unlink(place_file(&place, "filler"));
    for (int k = 0; k < 10; k++, n++)
        assert_int_equal(add(store, n, &f), 0);
    store_stats(store, &stats);
    assert_false(stats.failing);
    assert_string_equal(stats.trouble, "");
    store_close(store);

    store = fixture_open(place.dir);
    assert_int_equal(fixture_count(store), n);
    store_close(store);
    assert_int_equal(fixture_number(place_file(&place, "sekisho.db"),
                                    "SELECT count(*) FROM audit WHERE action = 'account.add'"),
                     n);
}

static void a_change_that_does_not_fit_is_undone_whole(void **state)
{
    struct store *store = fixture_open(place.dir);
    struct fault f = {0};

    assert_int_equal(add(store, 1, &f), 0);
    fill("filler");
    assert_int_equal(truncate(place_file(&place, "filler"), 3 << 20), 0);
    assert_int_equal(store_write_wait(store, import_job, NULL, &f), ERR_FULL);
    assert_int_equal(fixture_count(store), 1);
    assert_int_equal(add(store, 2, &f), 0);
    assert_int_equal(fixture_count(store), 2);
    store_close(store);
}

static void a_crash_on_a_full_disk_loses_nothing(void **state)
{
    struct store *store = fixture_open(place.dir);
    int n = 0;

    for (; n < 20; n++)
        assert_int_equal(add(store, n, NULL), 0);
    fill("filler");
    store_close(store);
    store = fixture_open(place.dir);
    assert_int_equal(fixture_count(store), n);
    store_close(store);
}

static void a_first_start_without_room_is_told_and_can_be_repeated(void **state)
{
    struct store_config config = {.dir = place.dir};
    struct store *store;
    struct fault f = {0};

    fill("filler");
    assert_int_equal(store_open(&store, &config, NULL, &f), ERR_FULL);
    unlink(place_file(&place, "filler"));
    store_close(fixture_open(place.dir));
}

static void a_backup_without_room_leaves_nothing_behind(void **state)
{
    struct store *store = fixture_open(place.dir);
    struct fault f = {0};

    fill("filler");
    assert_int_equal(store_backup_wait(store, place_file(&place, "copy"), &f), ERR_FULL);
    assert_non_null(strstr(f.text, "full"));
    assert_int_not_equal(access(place_file(&place, "copy"), F_OK), 0);
    assert_int_not_equal(access(place_file(&place, "copy.partial"), F_OK), 0);
    unlink(place_file(&place, "filler"));
    assert_int_equal(add(store, 1, &f), 0);
    store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_full_disk_loses_nothing_and_heals),
        TEST(a_change_that_does_not_fit_is_undone_whole),
        TEST(a_crash_on_a_full_disk_loses_nothing),
        TEST(a_first_start_without_room_is_told_and_can_be_repeated),
        TEST(a_backup_without_room_leaves_nothing_behind),
    };

    /* Root can; others can within a user namespace of their own, where that is allowed. */
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
        printf("1..0 # SKIP mounting a small file system is not allowed here\n");
        return 0;
    }
    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

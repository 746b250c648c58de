/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may stand in the state directory, and what is said of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "store/migrate.h"

static struct place place;

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

/* A store with one account, closed again. */
static void make_store(void)
{
    struct store *store = fixture_open(place.dir);

    assert_int_equal(store_write_wait(store, fixture_add_account, (void *)"1001", NULL), 0);
    store_close(store);
}

static void refused(const char *dir, int code, const char *says)
{
    struct store_config config = {.dir = dir};
    struct store *store = NULL;
    struct store_first first = {.seeded = true};
    struct fault f = {0};

    assert_int_equal(store_open(&store, &config, &first, &f), code);
    if (!strstr(f.text, says))
        fail_msg("\"%s\" does not say \"%s\"", f.text, says);
    assert_null(store);
    assert_true(first.seeded); /* untouched */
}

/* A whole file in memory. */
struct content {
    char *p;
    size_t n;
};

static struct content content(const char *path)
{
    struct content c = {malloc(1 << 20), 0};
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    c.n = fread(c.p, 1, 1 << 20, file);
    fclose(file);
    return c;
}

static void put_content(const char *path, const char *bytes, size_t n, off_t at)
{
    int fd = open(path, O_RDWR | O_CREAT, 0640);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, n, at), n);
    close(fd);
}

static void refused_and_untouched(const char *path, int code, const char *says)
{
    struct content before = content(path);

    refused(place.dir, code, says);
    struct content after = content(path);
    assert_int_equal(before.n, after.n);
    assert_memory_equal(before.p, after.p, after.n);
    free(before.p);
    free(after.p);
}

static void an_empty_directory_becomes_a_store_once(void **state)
{
    struct store_config config = {.dir = place.dir};
    struct store_first first = {0};
    struct store_pass pass;
    struct store *store;
    struct stat st;

    assert_int_equal(store_open(&store, &config, &first, NULL), 0);
    assert_true(first.seeded);
    assert_memory_equal(first.secret, "sekisho_", 8);
    assert_int_equal(store_token_verify(store, span_of(first.secret), 0, &pass, NULL), 0);
    assert_int_equal(pass.scope.scope, SCOPE_OPERATOR);
    store_close(store);

    struct store_first second = {0};
    assert_int_equal(store_open(&store, &config, &second, NULL), 0);
    assert_false(second.seeded);
    assert_string_equal(second.secret, "");
    assert_int_equal(store_token_verify(store, span_of(first.secret), 0, &pass, NULL), 0);
    store_close(store);

    assert_int_equal(stat(place_file(&place, "sekisho.db"), &st), 0);
    assert_int_equal(st.st_mode & 07, 0); /* not for others to read */
}

static void what_was_deleted_is_not_seeded_again(void **state)
{
    struct store *store = fixture_open(place.dir);

    store_close(store);
    fixture_sql(place_file(&place, "sekisho.db"),
                "DELETE FROM switch_addresses; DELETE FROM switches");
    store = fixture_open(place.dir);
    store_close(store);
    assert_int_equal(
        fixture_number(place_file(&place, "sekisho.db"), "SELECT count(*) FROM switches"), 0);
}

static void the_schema_keeps_its_promises(void **state)
{
    const char *path = place_file(&place, "sekisho.db");

    make_store();
    assert_int_equal(fixture_number(path, "PRAGMA user_version"), 6);
    assert_int_equal(fixture_number(path, "PRAGMA application_id"), 0x53656b31);
    assert_int_equal(fixture_number(path, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_int_equal(fixture_number(path, "SELECT count(*) FROM pragma_table_list"
                                          " WHERE type = 'table' AND strict = 0"
                                          " AND name NOT LIKE 'sqlite_%'"),
                     0);
    /* Foreign keys that point to a row which may be deleted have an index, or deleting is slow. */
    assert_int_equal(
        fixture_number(
            path, "SELECT count(*) FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) k"
                  " WHERE m.type = 'table' AND k.\"table\" NOT IN ('audit')"
                  " AND m.name NOT IN ('operator') AND NOT EXISTS"
                  " (SELECT 1 FROM pragma_index_list(m.name) i JOIN pragma_index_info(i.name) c"
                  "  WHERE c.seqno = 0 AND c.name = k.\"from\")"),
        0);
}

static void the_audit_cannot_be_rewritten(void **state)
{
    sqlite3 *db;

    make_store();
    sqlite3_open(place_file(&place, "sekisho.db"), &db);
    assert_int_equal(sqlite3_exec(db, "UPDATE audit SET actor = 'nobody'", NULL, NULL, NULL),
                     SQLITE_CONSTRAINT);
    assert_int_equal(sqlite3_exec(db, "DELETE FROM audit", NULL, NULL, NULL), SQLITE_CONSTRAINT);
    sqlite3_close(db);
}

/* A file as the first version made it. */
static void make_first_version(const char *name, int64_t application_id, const char *const *steps)
{
    const char *const first[] = {steps[0], NULL};
    struct db *db = NULL;

    assert_int_equal(db_open(&db, place_file(&place, name), DB_WRITE, NULL), 0);
    assert_int_equal(db_prepare(db, true, NULL), 0);
    assert_int_equal(migrate(db, application_id, first, NULL), 0);
    db_close(db);
}

/* How a switch asks over SIP came with the third. */
static void a_switch_of_the_first_version_asks_over_sip_as_a_new_one(void **state)
{
    const char *path = place_file(&place, "sekisho.db");

    make_first_version("sekisho.db", MIGRATE_MAIN_ID, migrate_main_steps);
    fixture_sql(path, "INSERT INTO switches VALUES"
                      " (7, 'old', 'JP', '', '', '', '+e164', 'observe', 'deny', NULL, '', 1)");
    store_close(fixture_open(place.dir));
    assert_int_equal(fixture_number(path, "SELECT count(*) FROM switches WHERE name = 'old'"
                                          " AND form = '+e164' AND mode = 'observe'"
                                          " AND sip_account = 'P-Asserted-Identity'"
                                          " AND sip_allow = 302 AND sip_deny = 603"
                                          " AND fail_open = 0"),
                     1);
}

static void a_store_of_the_first_version_is_taken_over(void **state)
{
    const char *path = place_file(&place, "sekisho.db");

    make_first_version("sekisho.db", MIGRATE_MAIN_ID, migrate_main_steps);
    make_first_version("evidence.db", MIGRATE_EVIDENCE_ID, migrate_evidence_steps);
    fixture_sql(path, "UPDATE settings SET refusal_days = 7");
    make_store();
    assert_int_equal(fixture_number(path, "SELECT refusal_days FROM settings"), 7);
    assert_int_equal(fixture_number(path, "SELECT attempt_days FROM settings"), 90);
    assert_int_equal(fixture_number(path, "SELECT count(*) FROM bans"), 0);
    assert_int_equal(fixture_number(path, "SELECT count(*) FROM accounts"), 1);
}

static void a_newer_schema_is_refused(void **state)
{
    make_store();
    fixture_sql(place_file(&place, "sekisho.db"), "PRAGMA user_version = 99");
    refused_and_untouched(place_file(&place, "sekisho.db"), ERR_CORRUPT,
                          "written by a newer Sekisho (schema 99, this one knows up to 6)");
}

static void a_newer_schema_of_the_evidence_is_refused(void **state)
{
    make_store();
    fixture_sql(place_file(&place, "evidence.db"), "PRAGMA user_version = 99");
    refused_and_untouched(place_file(&place, "evidence.db"), ERR_CORRUPT, "newer Sekisho");
}

static void another_application_is_refused(void **state)
{
    fixture_sql(place_file(&place, "sekisho.db"),
                "CREATE TABLE cdr (id INTEGER); PRAGMA user_version = 1");
    refused_and_untouched(place_file(&place, "sekisho.db"), ERR_CORRUPT,
                          "is a database of another application");
}

static void the_files_cannot_be_exchanged(void **state)
{
    make_store();
    rename(place_file(&place, "evidence.db"), place_file(&place, "sekisho.db"));
    refused_and_untouched(place_file(&place, "sekisho.db"), ERR_CORRUPT, "another application");
}

static void what_is_no_database_is_refused(void **state)
{
    const char *path = place_file(&place, "sekisho.db");

    for (int i = 0; i < 100; i++)
        put_content(path, "these are not the bytes of a database\n", 38, 38 * i);
    refused_and_untouched(path, ERR_CORRUPT, "is not a database");
}

static void damage_is_found_at_the_start(void **state)
{
    char garbage[600];
    struct stat st;

    memset(garbage, 0x5a, sizeof(garbage));
    make_store();
    assert_int_equal(stat(place_file(&place, "sekisho.db"), &st), 0);
    /* Every page but the first, one at a time. */
    for (off_t page = 1; page < st.st_size / 4096; page += 5) {
        struct content good = content(place_file(&place, "sekisho.db"));
        put_content(place_file(&place, "sekisho.db"), garbage, sizeof(garbage), page * 4096);
        refused_and_untouched(place_file(&place, "sekisho.db"), ERR_CORRUPT, "is damaged");
        put_content(place_file(&place, "sekisho.db"), good.p, good.n, 0);
        free(good.p);
    }
    struct store *store = fixture_open(place.dir);
    assert_int_equal(fixture_count(store), 1);
    store_close(store);
}

static void a_file_that_was_cut_is_found(void **state)
{
    make_store();
    assert_int_equal(truncate(place_file(&place, "sekisho.db"), 4096 * 10), 0);
    refused(place.dir, ERR_CORRUPT, "is damaged");
}

static void damaged_evidence_is_found(void **state)
{
    make_store();
    put_content(place_file(&place, "evidence.db"), "garbage!", 8, 0);
    refused(place.dir, ERR_CORRUPT, "evidence.db is not a database");
}

static void a_second_daemon_is_refused(void **state)
{
    struct store *store = fixture_open(place.dir);
    char pid[64];

    snprintf(pid, sizeof(pid), "another sekishod (process %ld) uses", (long)getpid());
    refused(place.dir, ERR_CONFLICT, pid);
    assert_int_equal(store_write_wait(store, fixture_add_account, (void *)"1001", NULL), 0);
    store_close(store);
    store_close(fixture_open(place.dir));
}

static void a_foreign_lock_is_told_and_waited_for(void **state)
{
    struct fault f = {0};
    sqlite3 *db;

    make_store();
    struct store *store = fixture_open(place.dir);
    sqlite3_open(place_file(&place, "sekisho.db"), &db);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(store_write_wait(store, fixture_add_account, (void *)"1002", &f), ERR_TIMEOUT);
    assert_non_null(strstr(f.text, "locked by another process"));
    assert_int_equal(fixture_count(store), 1); /* readers go on */
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    assert_int_equal(store_write_wait(store, fixture_add_account, (void *)"1002", &f), 0);
    sqlite3_close(db);
    store_close(store);
}

static void a_missing_directory_is_told(void **state)
{
    refused(place_file(&place, "nowhere"), ERR_IO, "nowhere cannot be used: No such file");
}

static void a_file_is_no_directory(void **state)
{
    put_content(place_file(&place, "file"), "x", 1, 0);
    refused(place_file(&place, "file"), ERR_IO, "Not a directory");
}

/* Permissions bind everybody but root: a child becomes nobody. */
static void refused_to_nobody(const char *says)
{
    pid_t child = fork();

    if (child == 0) {
        struct store_config config = {.dir = place.dir};
        struct store *store;
        struct fault f = {0};
        if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(2);
        int err = store_open(&store, &config, NULL, &f);
        if (err != ERR_IO || !strstr(f.text, says))
            fprintf(stderr, "%d %s\n", err, f.text);
        _exit(err == ERR_IO && strstr(f.text, says) ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

static void a_read_only_directory_is_told(void **state)
{
    chmod(place.dir, 0555);
    refused_to_nobody("cannot be used: Permission denied");
    chmod(place.dir, 0755);
}

static void read_only_files_are_told(void **state)
{
    make_store();
    chmod(place.dir, 0777);
    unlink(place_file(&place, "sekisho.lock"));
    chmod(place_file(&place, "sekisho.db"), 0444);
    refused_to_nobody("sekisho.db cannot be opened: Permission denied");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_directory_becomes_a_store_once),
        TEST(what_was_deleted_is_not_seeded_again),
        TEST(the_schema_keeps_its_promises),
        TEST(a_store_of_the_first_version_is_taken_over),
        TEST(a_switch_of_the_first_version_asks_over_sip_as_a_new_one),
        TEST(the_audit_cannot_be_rewritten),
        TEST(a_newer_schema_is_refused),
        TEST(a_newer_schema_of_the_evidence_is_refused),
        TEST(another_application_is_refused),
        TEST(the_files_cannot_be_exchanged),
        TEST(what_is_no_database_is_refused),
        TEST(damage_is_found_at_the_start),
        TEST(a_file_that_was_cut_is_found),
        TEST(damaged_evidence_is_found),
        TEST(a_second_daemon_is_refused),
        TEST(a_foreign_lock_is_told_and_waited_for),
        TEST(a_missing_directory_is_told),
        TEST(a_file_is_no_directory),
        TEST(a_read_only_directory_is_told),
        TEST(read_only_files_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

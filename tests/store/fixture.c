/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void place_make(struct place *p)
{
    const char *tmp = getenv("TMPDIR");

    /* In memory, where fsync costs nothing: no test here takes the power away. */
    if (!tmp)
        tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(p->dir, sizeof(p->dir), "%s/sekisho-store-XXXXXX", tmp);
    if (!mkdtemp(p->dir)) {
        perror(p->dir);
        exit(1);
    }
}

static void remove_tree(const char *path)
{
    DIR *d = opendir(path);

    for (struct dirent *e; d && (e = readdir(d));) {
        char inner[512];
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(inner, sizeof(inner), "%s/%s", path, e->d_name);
        if (lstat(inner, &st) == 0 && S_ISDIR(st.st_mode))
            remove_tree(inner);
        else
            unlink(inner);
    }
    if (d)
        closedir(d);
    rmdir(path);
}

void place_remove(struct place *p)
{
    remove_tree(p->dir);
}

const char *place_file(const struct place *p, const char *name)
{
    static char paths[4][512];
    static unsigned turn;
    char *path = paths[turn++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", p->dir, name);
    return path;
}

struct store *fixture_open(const char *dir)
{
    struct store_config config = {.dir = dir};
    struct store *store = NULL;
    struct fault f = {0};

    if (store_open(&store, &config, NULL, &f) != 0)
        fail_msg("%s", f.text);
    return store;
}

const char *fixture_error_name(int code)
{
    switch ((enum error)code) {
    case ERR_NOMEM: return "NOMEM";
    case ERR_SYNTAX: return "SYNTAX";
    case ERR_RANGE: return "RANGE";
    case ERR_MISSING: return "MISSING";
    case ERR_EXISTS: return "EXISTS";
    case ERR_CONFLICT: return "CONFLICT";
    case ERR_DENIED: return "DENIED";
    case ERR_IO: return "IO";
    case ERR_FULL: return "FULL";
    case ERR_CORRUPT: return "CORRUPT";
    case ERR_TIMEOUT: return "TIMEOUT";
    }
    return "?";
}

void fixture_sql(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    char *why = NULL;

    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why ? why : sqlite3_errmsg(db));
    sqlite3_close(db);
}

int64_t fixture_number(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    int64_t n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return n;
}

int fixture_add_account(struct store_tx *tx, void *name, struct fault *f)
{
    const struct store_by by = {.actor = SPAN("test")};
    const struct store_account a = {.name = span_of(name)};
    int64_t id;

    return store_account_add(tx, &by, &a, &id, f);
}

static int count_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct store_account_query query = {.page = {.limit = STORE_PAGE_MAX}};
    struct store_account_list list;

    do {
        int err = store_account_list(tx, &query, &list, f);
        if (err)
            return err;
        *(size_t *)arg += list.n;
        query.page.cursor = list.next;
    } while (list.next.n);
    return 0;
}

size_t fixture_count(struct store *store)
{
    struct fault f = {0};
    size_t n = 0;

    if (store_read_wait(store, count_job, &n, &f) != 0)
        fail_msg("%s", f.text);
    return n;
}

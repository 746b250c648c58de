/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/bulk_impl.h"

/* A power of two, several times the statements in this folder. */
#define SLOTS 1024
/* How long a foreign process (a shell, a backup tool) may hold a lock before it is a failure. */
#define BUSY_MS 3000

const char DB_BEGIN[] = "BEGIN";
const char DB_BEGIN_WRITE[] = "BEGIN IMMEDIATE";
const char DB_COMMIT[] = "COMMIT";
const char DB_ROLLBACK[] = "ROLLBACK";
const char DB_JOB[] = "SAVEPOINT job";
const char DB_JOB_UNDO[] = "ROLLBACK TO job";
const char DB_JOB_KEEP[] = "RELEASE job";
const char DB_CHANGE[] = "SAVEPOINT change";
const char DB_CHANGE_UNDO[] = "ROLLBACK TO change";
const char DB_CHANGE_KEEP[] = "RELEASE change";

struct db_slot {
    const char *sql;
    sqlite3_stmt *stmt;
    bool busy;
};

struct db {
    sqlite3 *handle;
    char *path;
    struct db_slot slots[SLOTS];
};

const char *db_path(const struct db *db)
{
    return db->path;
}

sqlite3 *db_handle(struct db *db)
{
    return db->handle;
}

bool db_idle(struct db *db)
{
    return sqlite3_get_autocommit(db->handle) != 0;
}

int64_t db_last_id(struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int64_t db_changes(struct db *db)
{
    return sqlite3_changes64(db->handle);
}

static int constraint_fault(struct db *db, int code, struct fault *f)
{
    const char *what = sqlite3_errmsg(db->handle);

    if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY)
        return fault(f, ERR_EXISTS, "there is one already (%s)", what);
    if (code == SQLITE_CONSTRAINT_FOREIGNKEY)
        return fault(f, ERR_CONFLICT, "something else still refers to it (%s)", what);
    return fault(f, ERR_RANGE, "the store does not take this value (%s)", what);
}

int db_fault(struct db *db, int code, struct fault *f)
{
    const char *path = db->path;
    int system = sqlite3_system_errno(db->handle);
    const char *why = system ? strerror(system) : sqlite3_errmsg(db->handle);

    switch (code & 0xff) {
    case SQLITE_NOMEM: return fault_nomem(f);
    case SQLITE_CONSTRAINT: return constraint_fault(db, code, f);
    case SQLITE_FULL: return fault(f, ERR_FULL, "%s: the disk is full; nothing was changed", path);
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_NOMEM)
            return fault_nomem(f);
        if (system == ENOSPC || system == EDQUOT)
            return fault(f, ERR_FULL, "%s: the disk is full; nothing was changed", path);
        return fault(f, ERR_IO, "%s: reading or writing failed: %s", path, why);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return fault(f, ERR_TIMEOUT,
                     "%s is locked by another process; end it (fuser %s names it) and try again",
                     path, path);
    case SQLITE_READONLY:
        return fault(f, ERR_IO, "%s cannot be written: the file or its directory is read-only",
                     path);
    case SQLITE_CANTOPEN: return fault(f, ERR_IO, "%s cannot be opened: %s", path, why);
    case SQLITE_NOTADB:
        return fault(f, ERR_CORRUPT,
                     "%s is not a database; put the file from the last backup in its place", path);
    case SQLITE_CORRUPT:
        return fault(
            f, ERR_CORRUPT,
            "%s is damaged (%s); stop sekishod and put the file from the last backup in its "
            "place",
            path, sqlite3_errmsg(db->handle));
    default: return fault(f, ERR_IO, "%s: %s", path, sqlite3_errmsg(db->handle));
    }
}

int db_exec(struct db *db, const char *sql, struct fault *f)
{
    int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

    return code == SQLITE_OK ? 0 : db_fault(db, sqlite3_extended_errcode(db->handle), f);
}

/* Prepares a statement that will be needed when nothing may fail. */
static int warm(struct db *db, struct fault *f)
{
    static const char *const control[] = {
        DB_BEGIN,    DB_BEGIN_WRITE, DB_COMMIT, DB_ROLLBACK,    DB_JOB,
        DB_JOB_UNDO, DB_JOB_KEEP,    DB_CHANGE, DB_CHANGE_UNDO, DB_CHANGE_KEEP,
    };
    struct query q;

    for (size_t i = 0; i < sizeof(control) / sizeof(*control); i++) {
        int err = query_start(&q, db, control[i], NULL, 0, f);
        if (err)
            return err;
        query_end(&q);
    }
    return 0;
}

static int settle(struct db *db, enum db_access access, struct fault *f)
{
    sqlite3_busy_timeout(db->handle, BUSY_MS);
    /* What a damaged or hostile file may make SQLite do is kept small. */
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    int err = warm(db, f);
    if (!err && access == DB_WRITE && bulk_rows_register(db->handle) != SQLITE_OK)
        err = db_fault(db, sqlite3_extended_errcode(db->handle), f);
    if (err)
        return err;
    return db_exec(db,
                   access == DB_READ ? "PRAGMA query_only = 1; PRAGMA cache_size = -16000;"
                                       "PRAGMA temp_store = MEMORY;"
                                     : "PRAGMA foreign_keys = 1; PRAGMA cache_size = -64000;"
                                       "PRAGMA temp_store = MEMORY;",
                   f);
}

int db_prepare(struct db *db, bool durable, struct fault *f)
{
    /* The limit: a burst leaves no gigabytes of log behind. */
    int err = db_exec(db, "PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 67108864;", f);

    if (err)
        return err;
    return db_exec(db, durable ? "PRAGMA synchronous = FULL;" : "PRAGMA synchronous = NORMAL;", f);
}

#define CHECKPOINT_PAGES 1000 /* SQLite's own default */

void db_checkpoints(struct db *db, bool at_once)
{
    sqlite3_wal_autocheckpoint(db->handle, at_once ? CHECKPOINT_PAGES : 0);
}

void db_checkpoint(const char *path)
{
    sqlite3 *handle = NULL;

    if (sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
        SQLITE_OK)
        sqlite3_wal_checkpoint_v2(handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    sqlite3_close(handle);
}

int db_create_private(const char *path, struct fault *f)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);

    if (fd < 0)
        return fault(f, errno == ENOSPC ? ERR_FULL : ERR_IO, "%s cannot be opened: %s", path,
                     strerror(errno));
    close(fd);
    return 0;
}

/* Nobody asks SQLite how much memory it has, and the count costs a lock for every allocation. Refused, and
 * harmless, where SQLite was used before. */
static void settle_sqlite(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int db_open(struct db **out, const char *path, enum db_access access, struct fault *f)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    /* A reader opens for writing too: with WAL it must be able to write the shared index. */
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    struct db *db = calloc(1, sizeof(*db));

    pthread_once(&once, settle_sqlite);
    if (!db || !(db->path = strdup(path))) {
        free(db);
        return fault_nomem(f);
    }
    if (access == DB_WRITE)
        flags |= SQLITE_OPEN_CREATE;
    int code = sqlite3_open_v2(path, &db->handle, flags, NULL);
    int err = code == SQLITE_OK ? settle(db, access, f)
              : db->handle      ? db_fault(db, code, f)
                                : fault_nomem(f);
    if (err) {
        db_close(db);
        return err;
    }
    *out = db;
    return 0;
}

void db_release(struct db *db)
{
    sqlite3_db_release_memory(db->handle);
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

void db_close(struct db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        sqlite3_finalize(db->slots[i].stmt);
    sqlite3_close(db->handle);
    free(db->path);
    free(db);
}

/* The slot of `sql`, prepared or free; NULL when the table is full. */
static struct db_slot *slot_of(struct db *db, const char *sql)
{
    size_t at = ((uintptr_t)sql * 0x9e3779b97f4a7c15u) >> 48;

    for (size_t i = 0; i < SLOTS; i++) {
        struct db_slot *s = &db->slots[(at + i) % SLOTS];
        if (!s->sql || s->sql == sql)
            return s;
    }
    return NULL;
}

static int bind(struct query *q, const struct db_value *values, size_t n)
{
    int code = SQLITE_OK;

    for (int i = 0; i < (int)n && code == SQLITE_OK; i++) {
        const struct db_value *v = &values[i];

        switch (v->type) {
        case DB_NULL: code = sqlite3_bind_null(q->stmt, i + 1); break;
        case DB_INT: code = sqlite3_bind_int64(q->stmt, i + 1, v->i); break;
        case DB_TEXT:
            code = sqlite3_bind_text64(q->stmt, i + 1, v->s.p ? v->s.p : "", v->s.n, SQLITE_STATIC,
                                       SQLITE_UTF8);
            break;
        case DB_BLOB:
            code = sqlite3_bind_blob64(q->stmt, i + 1, v->s.p ? v->s.p : "", v->s.n, SQLITE_STATIC);
            break;
        case DB_POINTER:
            code = sqlite3_bind_pointer(q->stmt, i + 1, v->pointer, v->pointer_type, NULL);
            break;
        }
    }
    return code;
}

int query_start(struct query *q, struct db *db, const char *sql, const struct db_value *values,
                size_t n, struct fault *f)
{
    struct db_slot *slot = slot_of(db, sql);
    int code = SQLITE_OK;

    *q = (struct query){.db = db};
    if (slot && !slot->busy) {
        if (!slot->stmt)
            code = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &slot->stmt,
                                      NULL);
        if (code == SQLITE_OK) {
            slot->sql = sql;
            slot->busy = true;
            q->slot = slot;
            q->stmt = slot->stmt;
        }
    } else {
        code = sqlite3_prepare_v2(db->handle, sql, -1, &q->stmt, NULL);
    }
    if (code == SQLITE_OK)
        code = bind(q, values, n);
    if (code == SQLITE_OK)
        return 0;
    int err = db_fault(db, code, f);
    query_end(q);
    return err;
}

int query_build(struct query *q, struct db *db, const char *sql, const struct db_value *values,
                size_t n, struct fault *f)
{
    *q = (struct query){.db = db};
    int code = sqlite3_prepare_v2(db->handle, sql, -1, &q->stmt, NULL);

    if (code == SQLITE_OK) {
        size_t used = (size_t)sqlite3_bind_parameter_count(q->stmt);
        code = bind(q, values, n < used ? n : used);
    }
    if (code == SQLITE_OK)
        return 0;
    int err = db_fault(db, code, f);
    query_end(q);
    return err;
}

int query_row(struct query *q, struct fault *f)
{
    int code = sqlite3_step(q->stmt);

    if (code == SQLITE_ROW)
        return 1;
    return code == SQLITE_DONE ? 0 : db_fault(q->db, code, f);
}

void query_end(struct query *q)
{
    if (q->slot) {
        sqlite3_reset(q->stmt);
        sqlite3_clear_bindings(q->stmt);
        q->slot->busy = false;
    } else {
        sqlite3_finalize(q->stmt);
    }
    *q = (struct query){0};
}

int64_t query_int(struct query *q, int column)
{
    return sqlite3_column_int64(q->stmt, column);
}

struct span query_text(struct query *q, int column)
{
    const char *p = (const char *)sqlite3_column_text(q->stmt, column);

    return (struct span){p, p ? (size_t)sqlite3_column_bytes(q->stmt, column) : 0};
}

struct span query_copy(struct query *q, int column, struct arena *a, bool *ok)
{
    struct span s = query_text(q, column);

    /* A NULL pointer from a column that holds something means that memory ran out. */
    if (!s.p && sqlite3_column_type(q->stmt, column) != SQLITE_NULL)
        *ok = false;
    return arena_copy(a, s, ok);
}

bool query_null(struct query *q, int column)
{
    return sqlite3_column_type(q->stmt, column) == SQLITE_NULL;
}

int db_run(struct db *db, const char *sql, const struct db_value *values, size_t n, struct fault *f)
{
    struct query q;
    int err = query_start(&q, db, sql, values, n, f);

    if (err)
        return err;
    while ((err = query_row(&q, f)) == 1)
        ;
    query_end(&q);
    return err;
}

int db_int(struct db *db, int64_t *out, bool *found, const char *sql, const struct db_value *values,
           size_t n, struct fault *f)
{
    struct query q;
    int err = query_start(&q, db, sql, values, n, f);

    if (err)
        return err;
    err = query_row(&q, f);
    if (err >= 0) {
        *found = err == 1;
        if (*found)
            *out = query_int(&q, 0);
        err = 0;
    }
    query_end(&q);
    return err;
}

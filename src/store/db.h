/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_DB_H
#define SEKISHO_STORE_DB_H

#include <stdint.h>

#include "base/fault.h"
#include "store/arena.h"

/*
 * One connection to one SQLite file, with its prepared statements. One thread at a time. Every
 * failure becomes a sentence that names the file.
 */
struct db;

enum db_access { DB_READ, DB_WRITE };

/* Makes an empty file that only its owner and group may read, unless there is one: who may call what,
 * and hashes of tokens, are nobody else's business. SQLite gives its log files the same mode. */
int db_create_private(const char *path, struct fault *f);

/* `path` is borrowed for the call. DB_WRITE makes the file when it is not there. Nothing in a file that
 * is there is changed or checked: migrate_admit() does that, then db_prepare(). */
int db_open(struct db **out, const char *path, enum db_access access, struct fault *f);
/* A write-ahead log, so that readers and the writer do not wait for each other. `durable`: a commit is
 * on the disk when it returns (synchronous FULL, else NORMAL). */
int db_prepare(struct db *db, bool durable, struct fault *f);
void db_close(struct db *db);
/* Gives back the memory that pages of the file are kept in; what is needed again is read again. */
void db_release(struct db *db);

/* Whether a commit that leaves much in the log copies it into the file at once, as it does at first. */
void db_checkpoints(struct db *db, bool at_once);
/* Copies the log into the file at `path` as far as nobody needs it, on a connection of its own, while
 * others read and write. What it cannot do, a later commit does. */
void db_checkpoint(const char *path);

const char *db_path(const struct db *db);
/* The connection itself, for what has no wrapper here (backup). */
struct sqlite3 *db_handle(struct db *db);
/* No transaction is open: it never was, or a failure has rolled it back. */
bool db_idle(struct db *db);
/* Turns the connection's last failure into a sentence. */
int db_fault(struct db *db, int code, struct fault *f);

/* The statements that hold transactions together, for db_run(). They are prepared when the file is
 * opened: taking something back must not fail for want of memory. */
extern const char DB_BEGIN[], DB_BEGIN_WRITE[], DB_COMMIT[], DB_ROLLBACK[];
extern const char DB_JOB[], DB_JOB_UNDO[], DB_JOB_KEEP[];
extern const char DB_CHANGE[], DB_CHANGE_UNDO[], DB_CHANGE_KEEP[];

/* Runs SQL that has no parameters and gives no rows; several statements are fine. */
int db_exec(struct db *db, const char *sql, struct fault *f);

/* A value to bind: ?1, ?2, … in order. */
struct db_value {
    enum { DB_NULL, DB_INT, DB_TEXT, DB_BLOB, DB_POINTER } type;
    int64_t i;
    struct span s;
    void *pointer; /* for a virtual table that knows its type */
    const char *pointer_type;
};

#define INT(value) ((struct db_value){.type = DB_INT, .i = (value)})
#define TEXT(span) ((struct db_value){.type = DB_TEXT, .s = (span)})
#define WORD(text) ((struct db_value){.type = DB_TEXT, .s = span_of(text)})
#define BLOB(span) ((struct db_value){.type = DB_BLOB, .s = (span)})
#define POINTER(value, kind)                                                                       \
    ((struct db_value){.type = DB_POINTER, .pointer = (value), .pointer_type = (kind)})
#define NONE ((struct db_value){.type = DB_NULL})
/* NULL for 0: references that may be absent. */
#define ID(value) ((value) ? INT(value) : NONE)

#define DB_VALUES(...)                                                                             \
    (const struct db_value[]){__VA_ARGS__},                                                        \
        sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value)

/*
 * A statement in use. `sql` must be a string that lives as long as the connection (a literal):
 * statements are kept by its address. After a query_start() that succeeded every path must pass
 * query_end(), and until then the texts among the values must stay where they are.
 */
struct query {
    struct db *db;
    struct sqlite3_stmt *stmt;
    struct db_slot *slot;
};

int query_start(struct query *q, struct db *db, const char *sql, const struct db_value *values,
                size_t n, struct fault *f);
/* The same for SQL that is put together for this once; values that it does not use are left out. */
int query_build(struct query *q, struct db *db, const char *sql, const struct db_value *values,
                size_t n, struct fault *f);
/* 1 for a row, 0 at the end, or an error code. */
int query_row(struct query *q, struct fault *f);
void query_end(struct query *q);

/* Columns of the present row. Text is borrowed until the next query_row(); the copying one belongs
 * to the arena. */
int64_t query_int(struct query *q, int column);
struct span query_text(struct query *q, int column);
struct span query_copy(struct query *q, int column, struct arena *a, bool *ok);
bool query_null(struct query *q, int column);

/* Runs a statement to its end. */
int db_run(struct db *db, const char *sql, const struct db_value *values, size_t n,
           struct fault *f);
/* The first column of the first row. Without a row: `*found` is false and `*out` untouched. */
int db_int(struct db *db, int64_t *out, bool *found, const char *sql, const struct db_value *values,
           size_t n, struct fault *f);
int64_t db_last_id(struct db *db);
/* Rows that the last statement changed. */
int64_t db_changes(struct db *db);

#endif

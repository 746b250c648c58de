/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/cdr_sqlite.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "intake/cdr_kamailio.h"

#define PAUSE_NS 1000000 /* and nothing is locked */
#define BATCH 64         /* rows; some tens of microseconds */
#define PATIENCE_MS 5000 /* with a writer that is writing */
#define FIELDS_MAX 32
#define CELL_MAX (64 * 1024)

_Static_assert(CDR_AST_FIELDS <= FIELDS_MAX && CDR_ACC_FIELDS <= FIELDS_MAX, "room for fields");

struct cell {
    size_t at, n;
};

struct cdr_sqlite {
    sqlite3 *db;
    sqlite3_stmt *rows;
    enum cdr_format format;
    struct cdr_asterisk asterisk;
    struct cdr_kamailio *kamailio;
    int columns[FIELDS_MAX]; /* of each field: which of the statement, -1 none */
    struct cdr_figures figures;
    bool wal;             /* readers are in nobody's way */
    int64_t unlocked_ns;  /* when the last fetch was over */
    int64_t fetched, row; /* rowids */
    size_t at, n;         /* what is left of the batch */
    struct buf text;
    int64_t rowids[BATCH];
    struct cell cells[BATCH][FIELDS_MAX];
};

static size_t fields_of(enum cdr_format format)
{
    return format == CDR_FORMAT_KAMAILIO ? CDR_ACC_FIELDS : CDR_AST_FIELDS;
}

static int field_named(enum cdr_format format, struct span name)
{
    return format == CDR_FORMAT_KAMAILIO ? cdr_acc_field_named(name)
                                         : cdr_asterisk_field_named(name);
}

static void add_name(struct buf *sql, const char *name)
{
    buf_putc(sql, '"');
    for (; *name; name++) {
        if (*name == '"')
            buf_putc(sql, '"');
        buf_putc(sql, *name);
    }
    buf_putc(sql, '"');
}

static int complete(const struct cdr_sqlite *s, const char *table, struct fault *f)
{
    bool there[CDR_ACC_FIELDS];

    if (s->format == CDR_FORMAT_KAMAILIO) {
        for (size_t i = 0; i < CDR_ACC_FIELDS; i++)
            there[i] = s->columns[i] >= 0;
        return cdr_acc_complete(there, f);
    }
    if (s->columns[CDR_AST_DST] >= 0 && s->columns[CDR_AST_START] >= 0 &&
        s->columns[CDR_AST_DURATION] >= 0 && s->columns[CDR_AST_BILLSEC] >= 0 &&
        s->columns[CDR_AST_DISPOSITION] >= 0)
        return 0;
    return fault(f, ERR_MISSING,
                 "the table %s has not all of the columns calldate, dst, duration, billsec and "
                 "disposition",
                 table);
}

/* The statement names the columns that are there, in the order in which they are. */
static int name_columns(struct cdr_sqlite *s, const char *table, struct buf *sql, struct fault *f)
{
    sqlite3_stmt *all = NULL;
    struct buf look = {0};
    int n = 1;

    buf_puts(&look, "SELECT * FROM ");
    add_name(&look, table);
    buf_puts(&look, " LIMIT 0");
    if (look.failed || sqlite3_prepare_v2(s->db, look.p, -1, &all, NULL) != SQLITE_OK) {
        buf_free(&look);
        return fault(f, ERR_MISSING, "%s", sqlite3_errmsg(s->db));
    }
    buf_free(&look);
    buf_puts(sql, "SELECT rowid");
    for (size_t i = 0; i < FIELDS_MAX; i++)
        s->columns[i] = -1;
    for (int i = 0; i < sqlite3_column_count(all); i++) {
        const char *name = sqlite3_column_name(all, i);
        int field = name ? field_named(s->format, span_of(name)) : -1;

        if (field < 0 || s->columns[field] >= 0)
            continue;
        buf_puts(sql, ", ");
        add_name(sql, name);
        s->columns[field] = n++;
    }
    sqlite3_finalize(all);
    buf_puts(sql, " FROM ");
    add_name(sql, table);
    buf_printf(sql, " WHERE rowid > ? ORDER BY rowid LIMIT %d", BATCH);
    return complete(s, table, f);
}

static bool is_wal(sqlite3 *db)
{
    sqlite3_stmt *mode;
    bool wal = false;

    if (sqlite3_prepare_v2(db, "PRAGMA journal_mode", -1, &mode, NULL) != SQLITE_OK)
        return false;
    if (sqlite3_step(mode) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(mode, 0);

        wal = name && strcmp(name, "wal") == 0;
    }
    sqlite3_finalize(mode);
    return wal;
}

static int open_database(struct cdr_sqlite *s, const char *path, const char *table, struct fault *f)
{
    struct buf sql = {0};
    int err;

    if (access(path, F_OK))
        return fault(f, ERR_MISSING, "there is no %s", path);
    if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        return fault(f, ERR_IO, "cannot open %s: %s", path,
                     s->db ? sqlite3_errmsg(s->db) : "no memory");
    sqlite3_busy_timeout(s->db, PATIENCE_MS);
    s->wal = is_wal(s->db);
    err = name_columns(s, table, &sql, f);
    if (!err && sql.failed)
        err = fault_nomem(f);
    if (!err && sqlite3_prepare_v2(s->db, sql.p, -1, &s->rows, NULL) != SQLITE_OK)
        err = fault(f, ERR_IO, "%s: %s", path, sqlite3_errmsg(s->db));
    else if (err)
        fault_in(f, "%s", path);
    buf_free(&sql);
    return err;
}

int cdr_sqlite_open(struct cdr_sqlite **out, const char *path, const char *table,
                    const struct cdr_options *options, int64_t behind, struct fault *f)
{
    struct cdr_sqlite *s;
    int err = 0;

    if (options->format != CDR_FORMAT_ASTERISK && options->format != CDR_FORMAT_KAMAILIO)
        return fault(f, ERR_RANGE, "a database of SQLite is Asterisk's or Kamailio's");
    s = calloc(1, sizeof(*s));
    if (!s)
        return fault_nomem(f);
    s->format = options->format;
    s->fetched = s->row = behind;
    cdr_zone_begin(&s->asterisk.zone, options->tz);
    if (s->format == CDR_FORMAT_KAMAILIO)
        err = cdr_kamailio_new(&s->kamailio, CDR_OPEN_CALLS, options->tz, options->key, f);
    if (!table)
        table = s->format == CDR_FORMAT_KAMAILIO ? "acc" : "cdr";
    if (!err)
        err = open_database(s, path, table, f);
    if (err) {
        cdr_sqlite_close(s);
        return err;
    }
    *out = s;
    return 0;
}

void cdr_sqlite_close(struct cdr_sqlite *s)
{
    if (!s)
        return;
    sqlite3_finalize(s->rows);
    sqlite3_close(s->db);
    cdr_kamailio_free(s->kamailio);
    buf_free(&s->text);
    free(s);
}

static void add_row(struct cdr_sqlite *s)
{
    s->rowids[s->n] = sqlite3_column_int64(s->rows, 0);
    for (size_t i = 0; i < fields_of(s->format); i++) {
        struct cell *cell = &s->cells[s->n][i];
        const char *text = NULL;
        int n = 0;

        *cell = (struct cell){s->text.n, 0};
        if (s->columns[i] < 0)
            continue;
        text = (const char *)sqlite3_column_text(s->rows, s->columns[i]);
        n = sqlite3_column_bytes(s->rows, s->columns[i]);
        if (!text || n <= 0 || n > CELL_MAX)
            continue;
        buf_add(&s->text, (struct span){text, (size_t)n});
        cell->n = (size_t)n;
    }
    s->n++;
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Whoever writes without patience finds the table free at one of two tries. */
static void pause_for_writer(const struct cdr_sqlite *s)
{
    int64_t left = s->unlocked_ns + PAUSE_NS - now_ns();

    if (!s->wal && s->unlocked_ns && left > 0)
        nanosleep(&(struct timespec){0, left}, NULL);
}

/* Some rows at once, by copy, so that nothing stays locked while they are worked on. */
static int fetch(struct cdr_sqlite *s, struct fault *f)
{
    int step;

    s->at = s->n = 0;
    buf_clear(&s->text);
    pause_for_writer(s);
    sqlite3_bind_int64(s->rows, 1, s->fetched);
    while ((step = sqlite3_step(s->rows)) == SQLITE_ROW && s->n < BATCH)
        add_row(s);
    sqlite3_reset(s->rows);
    s->unlocked_ns = now_ns();
    if (step != SQLITE_DONE && step != SQLITE_ROW)
        return fault(f, ERR_IO, "cannot read the table: %s", sqlite3_errmsg(s->db));
    if (s->text.failed) {
        s->n = 0;
        return fault_nomem(f);
    }
    if (s->n)
        s->fetched = s->rowids[s->n - 1];
    return 0;
}

static int read_row(struct cdr_sqlite *s, struct cdr *out, struct fault *f)
{
    struct span fields[FIELDS_MAX] = {{NULL, 0}};
    const struct cell *cells = s->cells[s->at];

    s->row = s->rowids[s->at++];
    for (size_t i = 0; i < fields_of(s->format); i++)
        if (cells[i].n)
            fields[i] = (struct span){s->text.p + cells[i].at, cells[i].n};
    return s->format == CDR_FORMAT_KAMAILIO
               ? cdr_kamailio_row(s->kamailio, fields, (uint64_t)s->row, out, f)
               : cdr_asterisk_fields(&s->asterisk, fields, out, f);
}

enum cdr_next cdr_sqlite_next(struct cdr_sqlite *s, struct cdr *out, struct fault *f)
{
    for (;;) {
        int read;

        if (s->at == s->n) {
            if (fetch(s, f))
                return CDR_NEXT_ERROR;
            if (s->n == 0)
                return CDR_NEXT_END;
        }
        read = read_row(s, out, f);
        if (read < 0) {
            s->figures.bad++;
            return CDR_NEXT_BAD;
        }
        if (read > 0) {
            s->figures.records++;
            s->figures.doubtful += cdr_clock_doubtful(out);
            return CDR_NEXT_RECORD;
        }
        s->figures.passed++;
    }
}

bool cdr_sqlite_drain(struct cdr_sqlite *s, struct cdr *out)
{
    if (!s->kamailio || !cdr_kamailio_drain(s->kamailio, out))
        return false;
    s->figures.records++;
    return true;
}

int64_t cdr_sqlite_row(const struct cdr_sqlite *s)
{
    return s->row;
}

int64_t cdr_sqlite_place(const struct cdr_sqlite *s)
{
    uint64_t oldest;

    if (s->kamailio && cdr_kamailio_oldest(s->kamailio, &oldest))
        return (int64_t)oldest - 1;
    return s->row;
}

struct cdr_figures cdr_sqlite_figures(const struct cdr_sqlite *s)
{
    return s->figures;
}

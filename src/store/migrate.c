/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/migrate.h"

#include <inttypes.h>
#include <stdio.h>

static int pragma(struct db *db, const char *sql, int64_t *out, struct fault *f)
{
    bool found = false;

    *out = 0;
    return db_int(db, out, &found, sql, NULL, 0, f);
}

/* Where the file stands; refuses what is not ours or is from the future. */
static int read_state(struct db *db, int64_t application_id, int64_t last, int64_t *version,
                      bool *empty, struct fault *f)
{
    int64_t id, tables;
    int err = pragma(db, "PRAGMA application_id", &id, f);

    if (!err)
        err = pragma(db, "PRAGMA user_version", version, f);
    if (!err)
        err = pragma(db, "SELECT count(*) FROM sqlite_schema", &tables, f);
    if (err)
        return err;
    *empty = id == 0 && *version == 0 && tables == 0;
    if (*empty)
        return 0;
    if (id != application_id)
        return fault(f, ERR_CORRUPT,
                     "%s is a database of another application (application_id %" PRId64
                     ", not %" PRId64 "); move it away or choose another state directory",
                     db_path(db), id, application_id);
    if (*version > last)
        return fault(f, ERR_CORRUPT,
                     "%s was written by a newer Sekisho (schema %" PRId64
                     ", this one knows up to %" PRId64 "); install that version again",
                     db_path(db), *version, last);
    return 0;
}

static int64_t count_steps(const char *const *steps)
{
    int64_t n = 0;

    while (steps[n])
        n++;
    return n;
}

static int step(struct db *db, const char *sql, int64_t application_id, int64_t version,
                struct fault *f)
{
    char marks[128];
    int err = db_exec(db, "BEGIN IMMEDIATE", f);

    if (err)
        return err;
    snprintf(marks, sizeof(marks),
             "PRAGMA application_id = %" PRId64 "; PRAGMA user_version = %" PRId64 ";",
             application_id, version);
    err = db_exec(db, sql, f);
    if (!err)
        err = db_exec(db, marks, f);
    if (!err)
        err = db_exec(db, "COMMIT", f);
    if (err && !db_idle(db))
        db_exec(db, "ROLLBACK", NULL);
    return err;
}

int migrate(struct db *db, int64_t application_id, const char *const *steps, struct fault *f)
{
    int64_t last = count_steps(steps), version = 0;
    bool empty = false;
    int err = read_state(db, application_id, last, &version, &empty, f);

    for (int64_t i = version; !err && i < last; i++) {
        err = step(db, steps[i], application_id, i + 1, f);
        if (err)
            fault_in(f, "schema step %" PRId64, i + 1);
    }
    return err;
}

int migrate_admit(struct db *db, int64_t application_id, const char *const *steps, struct fault *f)
{
    int64_t version = 0;
    bool empty = false;

    return read_state(db, application_id, count_steps(steps), &version, &empty, f);
}

int migrate_check(struct db *db, int64_t application_id, const char *const *steps, struct fault *f)
{
    int64_t last = count_steps(steps), version = 0;
    bool empty = false;
    int err = read_state(db, application_id, last, &version, &empty, f);

    if (!err && (empty || version != last))
        return fault(f, ERR_CORRUPT, "%s is not complete", db_path(db));
    return err;
}

int migrate_verify(struct db *db, struct fault *f)
{
    struct query q;
    int err = query_start(&q, db, "PRAGMA quick_check(1)", NULL, 0, f);

    if (err)
        return err;
    err = query_row(&q, f);
    if (err == 1) {
        struct span said = query_text(&q, 0);
        err = span_is(said, "ok")
                  ? 0
                  : fault(f, ERR_CORRUPT,
                          "%s is damaged (%s); put the file from the last backup in "
                          "its place",
                          db_path(db), ESCAPED(said));
    }
    query_end(&q);
    return err;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_CDR_SQLITE_H
#define SEKISHO_INTAKE_CDR_SQLITE_H

#include "intake/cdr_stream.h"

/*
 * Records out of a table of SQLite that a switch writes: Asterisk's (cdr_sqlite3_custom: columns by the names of Master.csv's
 * fields, calldate for start) or Kamailio's acc. Rows come by ascending rowid, behind the last that was read.
 *
 * The database is opened for reading only, and some rows are fetched at a time; for a millisecond after each fetch nothing
 * is locked, which the reader waits for where it must: Asterisk tries only five times, a fifth of a millisecond apart,
 * and then loses its record. Not so with a WAL, where readers are in nobody's way.
 */

struct cdr_sqlite;

/* `table` NULL: "cdr" or "acc". `options->format`: Asterisk or Kamailio. `behind`: the rowid of the last row that is not
 * wanted again; 0: all. ERR_MISSING where there is no such file, table or column, each with a sentence. */
int cdr_sqlite_open(struct cdr_sqlite **out, const char *path, const char *table,
                    const struct cdr_options *options, int64_t behind, struct fault *f);
void cdr_sqlite_close(struct cdr_sqlite *s);

/* As cdr_stream_next(). END: nothing more now; there may be later. */
enum cdr_next cdr_sqlite_next(struct cdr_sqlite *s, struct cdr *out, struct fault *f);

/* The calls of Kamailio's that are held, when no row will come any more. */
bool cdr_sqlite_drain(struct cdr_sqlite *s, struct cdr *out);

/* The rowid of the row that came last, for sentences. */
int64_t cdr_sqlite_row(const struct cdr_sqlite *s);

/* Behind which rowid one goes on after an interruption: the last, or the one before the oldest call that is held. */
int64_t cdr_sqlite_place(const struct cdr_sqlite *s);

struct cdr_figures cdr_sqlite_figures(const struct cdr_sqlite *s);

#endif

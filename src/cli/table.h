/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_TABLE_H
#define SEKISHO_CLI_TABLE_H

#include "base/buf.h"

/*
 * A table for people: columns aligned by what a terminal shows (East Asian wide characters take two
 * places, combining marks none), every cell escaped. Zero-initialised with `columns` set is empty.
 */
#define TABLE_COLUMNS_MAX 12

struct table {
    size_t columns;
    size_t width[TABLE_COLUMNS_MAX];
    struct buf cells; /* escaped, each ended by NUL, row after row */
    size_t n;         /* cells */
};

/* Adds a cell; the table's rows fill from left to right. */
void table_cell(struct table *t, struct span untrusted);
void table_text(struct table *t, const char *untrusted); /* NULL is "-" */
__attribute__((format(printf, 2, 3))) void table_format(struct table *t, const char *format, ...);

/* Writes the rows to stdout and forgets them; the widths stay, so that a later part lines up. False
 * where memory ran out meanwhile. */
bool table_print(struct table *t);
void table_free(struct table *t);

/* Places that the text takes on a terminal. */
size_t text_width(struct span utf8);

/* Adds escape(untrusted) to `b`, however long; double quotes stay as they are. */
void text_escape(struct buf *b, struct span untrusted);

#endif

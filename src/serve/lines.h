/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_LINES_H
#define SEKISHO_SERVE_LINES_H

#include <jansson.h>

#include "serve/reader.h"

/*
 * A body of many lines, one JSON object each: JSON lines as they are, or CSV (RFC 4180) whose first line
 * names the fields. A cell becomes a string, an empty cell is a field that is not given. Empty lines
 * are skipped; a byte order mark in front of CSV is, too.
 */

#define LINES_COLUMNS_MAX 16

struct lines {
    char *at; /* what is left */
    size_t left;
    uint64_t line; /* that begins at `at`; the first is 1 */
    bool csv;
    struct span columns[LINES_COLUMNS_MAX]; /* CSV */
    size_t n_columns;
};

/*
 * Takes the body, which is overwritten while it is read. `columns` are the names that a CSV header may
 * have, up to NULL; the first of them must be there. ERR_SYNTAX or ERR_RANGE with a sentence.
 */
int lines_begin(struct lines *lines, char *text, size_t n, bool csv, const char *const *columns,
                struct fault *f);

/*
 * The next line: 1 and an object that the caller decrefs, 0 at the end, or an error code; then the line is
 * passed over, and one may go on. `*line` is its number in either case.
 */
int lines_next(struct lines *lines, struct reader *reader, json_t **out, uint64_t *line,
               struct fault *f);

#endif

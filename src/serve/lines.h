/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_LINES_H
#define SEKISHO_SERVE_LINES_H

#include <jansson.h>

#include "serve/reader.h"

/*
 * A body of many lines: JSON lines, one object each, or CSV (RFC 4180) whose first line names the columns.
 * Empty lines are skipped; so is a byte order mark in front. Nothing is copied: what comes out stands in
 * the body.
 */

#define LINES_COLUMNS_MAX 16

struct lines {
    char *at; /* what is left */
    size_t left;
    uint64_t line; /* that begins at `at`; the first is 1 */
    bool csv;
    const char *const *names; /* what fields there are */
    size_t n_names;
    unsigned columns[LINES_COLUMNS_MAX]; /* CSV: which of `names` */
    size_t n_columns;
};

/* One line: its cells by `names`, p == NULL where it has none (in CSV: an empty one); or an object of JSON
 * that has anything but plain strings and arrays of the names (see flat.h). */
struct line {
    uint64_t number;
    json_t *json; /* or NULL; the caller decrefs */
    struct span cells[LINES_COLUMNS_MAX];
};

/*
 * Takes the body, which is overwritten while it is read. `names` are what a line may give, up to NULL, at
 * most LINES_COLUMNS_MAX; the first of them must be in a CSV header. ERR_SYNTAX or ERR_RANGE with a
 * sentence.
 */
int lines_begin(struct lines *lines, char *text, size_t n, bool csv, const char *const *names,
                struct fault *f);

/*
 * The next line: 1, 0 at the end, or an error code; then the line is passed over, and one may go on.
 * `out->number` is right in either case. `reader` is for JSON that is not plain.
 */
int lines_next(struct lines *lines, struct reader *reader, struct line *out, struct fault *f);

#endif

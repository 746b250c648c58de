/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_CDR_CSV_H
#define SEKISHO_INTAKE_CDR_CSV_H

#include <stdint.h>

#include "base/fault.h"

/*
 * Splits comma-separated values (RFC 4180, which Asterisk and FreeSWITCH write too) into rows and cells,
 * block by block. A cell in quotes may hold delimiters, line ends and doubled quotes; lines end in LF or
 * CR LF; empty lines and a byte order mark in front are passed over. Pure, and allocates nothing: cells are
 * views into the block, and only a cell with doubled quotes is copied, when it is asked for.
 *
 * A quote that stands where none may begin or end a cell makes its row bad as soon as it is seen, and reading goes
 * on behind the first line end: one stray quote costs one line, not the rest of the file.
 */

#define CDR_COLUMNS_MAX 64
#define CDR_ROW_MAX (64 * 1024) /* bytes; a longer one is bad */

/* Zero-initialised but for the delimiter, which is any byte but a quote, CR and LF. */
struct cdr_csv {
    char delimiter;
    uint64_t line; /* line ends so far */
    /* FreeSWITCH writes blanks before quotes, and SQL around the cells: INSERT INTO cdr VALUES ("a", "b"); */
    bool loose;
    bool begun;
    bool passing; /* the rest of a bad line */
};

struct cdr_row {
    uint64_t line; /* of its first byte; the first of a file is 1 */
    size_t n;
    bool doubled;                       /* some cell has doubled quotes */
    uint64_t single;                    /* cells in which they have been made single, by bit */
    struct span cells[CDR_COLUMNS_MAX]; /* without the quotes around; see cdr_row_cell() */
    size_t text_n;
    char text[CDR_ROW_MAX]; /* of cells whose doubled quotes have been made single */
};

enum cdr_csv_found {
    CDR_CSV_MORE, /* no whole row is left */
    CDR_CSV_ROW,
    CDR_CSV_BAD, /* `f` says why, `row->line` where; one may go on */
};

/*
 * The next row of `n` bytes at `p`. `*used` gets what is done with: the caller gives the rest again, with more behind
 * it, where MORE was found. A block of CDR_ROW_MAX bytes or more always gets on. `last`: nothing comes
 * behind these bytes, so that a line without its end is one; without, it waits.
 */
enum cdr_csv_found cdr_csv_next(struct cdr_csv *csv, const char *p, size_t n, bool last,
                                struct cdr_row *row, size_t *used, struct fault *f);

/* Cell `i`, empty with p == NULL where the row has none, with every doubled quote made one. It lives as long as
 * the block does and the row is not read into again. */
struct span cdr_row_cell(struct cdr_row *row, size_t i);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_TSV_H
#define SEKISHO_NUMBERING_TSV_H

#include <stdint.h>

#include "base/fault.h"

/*
 * Reads a table of tab-separated values: UTF-8, a first line that names the columns, then one row a
 * line with exactly that many cells. Lines that begin with '#' and empty lines are skipped, a final
 * carriage return is dropped, other control characters are refused.
 */
#define TSV_CELLS_MAX 12

struct tsv {
    struct span name; /* for sentences */
    struct span rest;
    size_t line; /* of the row last read, from 1 */
    size_t n_columns;
    struct span cells[TSV_CELLS_MAX]; /* of the row last read; views into the content */
};

/* Begins at the first line, which must name `columns` (`n` of them, at most TSV_CELLS_MAX). */
int tsv_open(struct tsv *t, struct span name, struct span content, const char *const *columns,
             size_t n, struct fault *f);

/* Reads the next row into `cells`: 1, or 0 at the end of the table, or an error. */
int tsv_next(struct tsv *t, struct fault *f);

/* Puts "NAME, line N" before the sentence in `f`, where NAME is the table's; returns its code. */
int tsv_fault(const struct tsv *t, struct fault *f);

/* Lengths as in "7", "8,10" or "[7-11],13" (brackets mean nothing) as a mask: bit n for n, at most
 * `most` (31 or less). An empty list is ERR_SYNTAX. */
int tsv_lengths(struct span text, unsigned most, uint32_t *mask, struct fault *f);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_CDR_READER_H
#define SEKISHO_INTAKE_CDR_READER_H

#include "intake/cdr_asterisk.h"
#include "intake/cdr_mapping.h"

/* Records out of blocks of bytes, whatever format they are in. Pure, but for the memory that it begins with. */

enum cdr_format {
    CDR_FORMAT_ASTERISK,
    CDR_FORMAT_FREESWITCH,
    CDR_FORMAT_MAPPING,
    CDR_FORMAT_KAMAILIO, /* acc with a header that names the columns */
};

/* "asterisk", "freeswitch", "mapping", "kamailio"; false: no such format. */
bool cdr_format_named(struct span name, enum cdr_format *out);

struct cdr_options {
    enum cdr_format format;
    const struct tz *tz;               /* whose clocks the records show; NULL: UTC. Borrowed */
    const struct cdr_mapping *mapping; /* CDR_FORMAT_MAPPING needs one. Borrowed */
    enum cdr_asterisk_17th asterisk_17th;
    uint8_t key[16]; /* CDR_FORMAT_KAMAILIO: random */
};

enum cdr_step {
    CDR_STEP_MORE,   /* give what was not used again, with more behind it */
    CDR_STEP_RECORD, /* `out` is one */
    CDR_STEP_BAD, /* a row that cannot be read: the fault says why, cdr_reader_line() where. Go on */
    CDR_STEP_FORMAT, /* the header has not what is needed: nothing of the file can be read */
};

struct cdr_figures {
    uint64_t records;
    uint64_t bad;
    uint64_t passed;   /* rows that are no calls: headers, channels on which nothing was dialled */
    uint64_t doubtful; /* records whose time does not fit their id: see cdr_clock_doubtful() */
};

struct cdr_reader;

int cdr_reader_new(struct cdr_reader **out, const struct cdr_options *options, struct fault *f);
void cdr_reader_free(struct cdr_reader *r);

/*
 * Goes on in `n` bytes at `p`, which begin where the last call said that it had used all before. `*used` is a whole number of
 * rows: a good place to be interrupted at. `last` as in cdr_csv_next(); then, of Kamailio's, come the calls that have no
 * end in the file. The record lives until the next call, and
 * as long as the block does.
 */
enum cdr_step cdr_reader_next(struct cdr_reader *r, const char *p, size_t n, bool last,
                              size_t *used, struct cdr *out, struct fault *f);

/* Of the row that came last; the first line is 1. */
uint64_t cdr_reader_line(const struct cdr_reader *r);

/* Of the next. */
uint64_t cdr_reader_next_line(const struct cdr_reader *r);

/* An import that goes on in the middle of a file says which line comes next; and gives a reader by a mapping with a header the
 * beginning of the file first (ERR_MISSING: it has no such columns; ERR_SYNTAX: no whole row). */
void cdr_reader_resume(struct cdr_reader *r, uint64_t line);
int cdr_reader_header(struct cdr_reader *r, const char *p, size_t n, struct fault *f);

/* Remembers where it is, and goes back to there: when the records of a block could not be kept. False with Kamailio's, whose
 * calls lie all over the file: that reader is of no more use. */
void cdr_reader_mark(struct cdr_reader *r);
bool cdr_reader_back(struct cdr_reader *r);

struct cdr_figures cdr_reader_figures(const struct cdr_reader *r);

#endif

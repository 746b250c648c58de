/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_CDR_STREAM_H
#define SEKISHO_INTAKE_CDR_STREAM_H

#include "intake/cdr_file.h"
#include "intake/cdr_reader.h"

/*
 * The records of one file, one after the other: a cdr_file and a cdr_reader, which may be asked for what they know. An
 * import that must survive being killed keeps, in the same transaction as the records, cdr_stream_place(); and
 * goes on by cdr_stream_resume() of the same content, whatever its name.
 */

struct cdr_stream;

/* Where one may go on. */
struct cdr_place {
    uint64_t position; /* in plain bytes */
    uint64_t line;     /* the next */
    uint8_t digest[CDR_FILE_DIGEST];
};

enum cdr_next {
    CDR_NEXT_RECORD,
    CDR_NEXT_BAD,   /* a row; the fault says what is wrong with it, cdr_reader_line() where */
    CDR_NEXT_END,   /* `live`: nothing more now; ask again */
    CDR_NEXT_ERROR, /* the file cannot be read, or not further; the fault says why */
};

/* `live`: somebody writes to the file yet, so that its last line is no row before its line end has come. */
int cdr_stream_open(struct cdr_stream **out, const char *path, const struct cdr_options *options,
                    bool live, struct fault *f);
void cdr_stream_close(struct cdr_stream *s);

/* The record lives until the next call. */
enum cdr_next cdr_stream_next(struct cdr_stream *s, struct cdr *out, struct fault *f);

/* Behind the last row that came. Costs no more than hashing what has come since the last fill. Of Kamailio's rows, which
 * mean nothing without others that may be far away, it is the beginning until END has come: then all is read again, and
 * the identities of records tell that they are the same. */
void cdr_stream_place(const struct cdr_stream *s, struct cdr_place *out);

/* Before anything was read: on to that place. ERR_CONFLICT: what stands before it is another content. */
int cdr_stream_resume(struct cdr_stream *s, const struct cdr_place *place, struct fault *f);

const struct cdr_reader *cdr_stream_reader(const struct cdr_stream *s);
const struct cdr_file *cdr_stream_file(const struct cdr_stream *s);

#endif

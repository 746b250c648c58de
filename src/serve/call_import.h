/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_CALL_IMPORT_H
#define SEKISHO_SERVE_CALL_IMPORT_H

#include "intake/cdr_reader.h"
#include "store/calls.h"

struct snapshot; /* policy/snapshot.h */

/*
 * Records of one file of one switch on their way into calls.db, piece by piece: read, given to who pays, added in
 * one commit for each piece. What calls are is asked of the numbering of the live switch. On one thread, which is
 * a registered reader of the snapshot.
 */
struct call_import;

struct call_import_options {
    int64_t switch_id;
    struct cdr_options format; /* what it points to is borrowed */
    struct cdr_payer_rule payer;
};

/* A row that cannot be read. */
struct call_import_fault {
    uint64_t line;
    char text[200];
};
#define CALL_IMPORT_FAULTS 1000

struct call_import_figures {
    uint64_t added, known;     /* calls: new, and told before */
    uint64_t bad;              /* rows that cannot be read; those of the last piece are told */
    uint64_t unowned;          /* calls that name nobody who could pay */
    uint64_t passed;           /* rows that are no calls */
    uint64_t doubtful;         /* records whose time does not fit their id: is the zone right? */
    int64_t first_ms, last_ms; /* of the calls read; 0: there were none */
};

/* `calls` and `snapshot` are borrowed. */
int call_import_new(struct call_import **out, struct calls *calls, struct snapshot *snapshot,
                    const struct call_import_options *options, struct fault *f);
void call_import_free(struct call_import *import);

/*
 * Reads rows of a piece and adds their calls, in one commit with how far `file` (may be NULL) has been read before it. `*used`
 * is a whole number of rows: what is behind comes again with the next piece, which must be longer than one row; it may be
 * much, for a piece ends where it has CALL_IMPORT_FAULTS bad rows or 65,536 calls. `last`: nothing comes behind it; give it until
 * `*ended` (may be NULL). Of Kamailio's acc `file` is noted in the end only: what was broken off is read again
 * from the beginning, and adds what is missing.
 *
 * Nothing of the piece counts unless 0 is returned: the same may be given again then, but for Kamailio's acc, whose import
 * has to begin again. ERR_MISSING: the header has not the columns that are needed.
 */
int call_import_piece(struct call_import *import, struct span piece, bool last,
                      struct calls_file *file, int64_t now_ms, size_t *used, bool *ended,
                      struct fault *f);

/* Which line comes next, where reading begins in the midst of a file. */
void call_import_resume(struct call_import *import, uint64_t line);
/* The same for a reader by a mapping with a header: the beginning of the file. As cdr_reader_header(). */
int call_import_header(struct call_import *import, struct span beginning, struct fault *f);

/* Lines that are behind. */
uint64_t call_import_lines(const struct call_import *import);

/* Until now. `faults` (may be NULL) gets what was bad in the last piece, `*n` of them. */
struct call_import_figures call_import_figures(const struct call_import *import,
                                               const struct call_import_fault **faults, size_t *n);

/* For calls_config: where a call goes, by the numbering that the switch has in the snapshot `arg` now. */
struct history_place call_place(void *arg, int64_t switch_id, const struct call *call);

#endif

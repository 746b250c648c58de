/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_CDR_ASTERISK_H
#define SEKISHO_INTAKE_CDR_ASTERISK_H

#include "intake/cdr_csv.h"
#include "intake/cdr_time.h"

/*
 * What Asterisk records (cdr_csv's Master.csv, cdr_sqlite3_custom), all versions since 1.4. What a real one writes
 * where calls go through Sekisho's gate, and what follows from it:
 *
 * - dst is what the caller dialled, untouched, with separators, carrier codes and commas, even a line end; the gate
 *   asks in a subroutine, which leaves it alone. So dst is `dialled`, to be read as live calls are. What
 *   went to the trunk stands in Dial's lastdata (PJSIP/010252615123456@trunk,,) and is `sent`. A call that was
 *   transferred abroad has the dst of its first leg; one that a Local channel makes has a record of that
 *   channel's second half.
 * - The gate refuses by Hangup(21). lastapp and lastdata say so, and no far channel. The disposition is NO ANSWER, or ANSWERED
 *   on a channel that was answered before (DISA, transfers). cdr.conf writes no record of it, nor of any other call
 *   for which no channel was made, unless `unanswered = yes`.
 * - The channel of a call that was forwarded is Local/..., and src is the caller from outside: neither names who pays.
 *   accountcode does, where the dialplan sets it.
 */

enum cdr_asterisk_field {
    CDR_AST_ACCOUNTCODE,
    CDR_AST_SRC,
    CDR_AST_DST,
    CDR_AST_DCONTEXT,
    CDR_AST_CLID,
    CDR_AST_CHANNEL,
    CDR_AST_DSTCHANNEL,
    CDR_AST_LASTAPP,
    CDR_AST_LASTDATA,
    CDR_AST_START,
    CDR_AST_ANSWER,
    CDR_AST_END,
    CDR_AST_DURATION,
    CDR_AST_BILLSEC,
    CDR_AST_DISPOSITION,
    CDR_AST_AMAFLAGS,
    CDR_AST_UNIQUEID,
    CDR_AST_USERFIELD,
    CDR_AST_PEERACCOUNT,
    CDR_AST_LINKEDID,
    CDR_AST_SEQUENCE,
};
#define CDR_AST_FIELDS (CDR_AST_SEQUENCE + 1)

/* Of 17 columns, and of 20: which of loguniqueid and loguserfield is on. The others tell by their number. */
enum cdr_asterisk_17th { CDR_17TH_UNKNOWN, CDR_17TH_UNIQUEID, CDR_17TH_USERFIELD };

/* Zero-initialised finds out what the 17th column is; the operator may say it instead. The zone is begun by
 * cdr_zone_begin(): the one of the switch, or UTC with usegmtime. */
struct cdr_asterisk {
    struct cdr_zone zone;
    enum cdr_asterisk_17th is;
};

/* 1: `out` is a record. 0: the row is none of a call (nothing was dialled). ERR_SYNTAX with a sentence: it cannot be read. */
int cdr_asterisk_read(struct cdr_asterisk *a, struct cdr_row *row, struct cdr *out,
                      struct fault *f);

/* The same of fields that were found by their names; those that are not there are empty. */
int cdr_asterisk_fields(struct cdr_asterisk *a, const struct span fields[CDR_AST_FIELDS],
                        struct cdr *out, struct fault *f);

/* Which field a column of that name is (calldate is start); -1 for another. */
int cdr_asterisk_field_named(struct span name);

/* Unix seconds from a uniqueid: 1795487582.0, pbx-1795487582.0. 0: it is none. */
int64_t cdr_asterisk_id_time(struct span id);

#endif

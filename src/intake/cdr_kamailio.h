/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_CDR_KAMAILIO_H
#define SEKISHO_INTAKE_CDR_KAMAILIO_H

#include "intake/cdr_csv.h"
#include "intake/cdr_time.h"

/*
 * What Kamailio's acc module writes, with caller and callee beside (db_extra): one row for each transaction that was
 * accounted, so that a call that was answered is an INVITE with 2xx and a BYE. They belong together by Call-ID and
 * both tags, in either order, for either side may hang up. Until its BYE a call is held, in a table of bounded size; when that
 * is full, the call that was held longest is given out as one whose end is not known.
 *
 * Columns are known by their names: method, callid, sip_code and time must be there; from_tag, to_tag; src_user (also caller,
 * from_user), account (auth_user, username); dst_ouser (also dialled, to_user) is `dialled`; dst_user (callee, ruri_user) is
 * `sent`; dst_domain is the trunk. `time` is local, or a Julian day, which is UTC: what Kamailio's db_sqlite
 * writes. A call begins when it was answered or failed: acc does not say when it was asked for.
 */

enum cdr_acc_field {
    CDR_ACC_METHOD,
    CDR_ACC_FROM_TAG,
    CDR_ACC_TO_TAG,
    CDR_ACC_CALLID,
    CDR_ACC_SIP_CODE,
    CDR_ACC_TIME,
    CDR_ACC_SRC,
    CDR_ACC_ACCOUNT,
    CDR_ACC_DIALLED,
    CDR_ACC_SENT,
    CDR_ACC_TRUNK,
};
#define CDR_ACC_FIELDS (CDR_ACC_TRUNK + 1)

/* Which field a column of that name is; -1: none that is read. */
int cdr_acc_field_named(struct span name);

/* Whether all columns are there that must be; else a sentence. */
int cdr_acc_complete(const bool there[CDR_ACC_FIELDS], struct fault *f);

#define CDR_OPEN_CALLS 65536 /* a good bound: some dozen MB when full */

struct cdr_kamailio;

/* `key`: random, of this run, for Call-IDs are chosen by strangers. `tz` is borrowed; NULL: UTC. */
int cdr_kamailio_new(struct cdr_kamailio **out, size_t open_calls, const struct tz *tz,
                     const uint8_t key[16], struct fault *f);
void cdr_kamailio_free(struct cdr_kamailio *k);

/*
 * One row, which stands at `place` (a position, a rowid: what ascends). 1: `out` is a record, which lives until the next call
 * and as long as the row does. 0: none yet, or none of a call. Else an error code with a sentence.
 */
int cdr_kamailio_row(struct cdr_kamailio *k, const struct span fields[CDR_ACC_FIELDS],
                     uint64_t place, struct cdr *out, struct fault *f);

/* No row comes any more: gives out the calls that are held, the oldest first. False: none is left. */
bool cdr_kamailio_drain(struct cdr_kamailio *k, struct cdr *out);

/* The place of the oldest call that is held, from which one must read again after an interruption; false: none. */
bool cdr_kamailio_oldest(const struct cdr_kamailio *k, uint64_t *place);

struct cdr_kamailio_figures {
    uint64_t open;      /* held now */
    uint64_t displaced; /* given out without their end because of the bound */
    uint64_t ends;      /* BYEs of calls that are not held */
};

struct cdr_kamailio_figures cdr_kamailio_figures(const struct cdr_kamailio *k);

#endif

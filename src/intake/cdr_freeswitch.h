/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_CDR_FREESWITCH_H
#define SEKISHO_INTAKE_CDR_FREESWITCH_H

#include "intake/cdr_csv.h"
#include "intake/cdr_time.h"

/*
 * What FreeSWITCH's mod_cdr_csv writes by the templates that it brings: default (13 columns), example (15), linksys
 * (17), snom (20), asterisk (18), and sql, whose lines are the default's within INSERT INTO cdr VALUES (...);. Rows are
 * to be split loosely (see cdr_csv.h). Other templates are for cdr_mapping.h.
 *
 * Its values stand between quotes without being quoted: who calls himself a "b" makes a line that cannot be read, which is
 * told like any other. `duration` and `billsec` are seconds, times are those of the machine's zone. A call is
 * answered when it has an answer's time. The default template names no channel: only accountcode and the
 * caller's number can say who pays.
 */
struct cdr_freeswitch {
    struct cdr_zone zone;
};

/* As cdr_asterisk_read(). */
int cdr_freeswitch_read(struct cdr_freeswitch *fs, struct cdr_row *row, struct cdr *out,
                        struct fault *f);

/* Of a hangup cause (NORMAL_CLEARING, USER_BUSY ...) of a call that was not answered; false: no such cause. */
bool cdr_freeswitch_cause(struct span cause, enum cdr_outcome *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_SECURITY_LINE_H
#define SEKISHO_INTAKE_SECURITY_LINE_H

#include "base/buf.h"
#include "intake/security_kind.h"

/*
 * Lines of Asterisk's `security` log, whatever stands before the event: the date in any dateformat, ANSI
 * colours, syslog's or journald's head. Pure, but for memory.
 *
 *   [2026-11-24 02:33:12.141] SECURITY[4774] res_security_log.c: SecurityEvent="InvalidAccountID",...
 *
 * A line is read from both ends. At the front stand Asterisk's words up to AccountID. The address is the
 * last RemoteAddress, behind which only fields without a quote may stand; of events that end in what the
 * peer sent (a failed response to a challenge), there must be one place only that can be it, or the attempt
 * has no source (family 0) and counts for its account alone.
 *
 * A line end that the peer sent splits an event. The line is then open: what comes next is its rest,
 * however much it looks like an event of its own, until the event ends as its kind must, or until the line
 * end stands where none can have been sent (see security_kind.h): then the open one is given up, and the
 * line is read for itself.
 */

/* Zero-initialised is ready. */
struct security_reader {
    struct buf open; /* what there is of a split event */
    size_t first;    /* the bytes of its first line, 0 while none is open */
    bool odd;        /* the last event may have been made to end early */
    size_t distrust; /* bytes in which nothing is believed */
    uint64_t split;  /* events that were split */
    uint64_t lost;   /* of those: given up */
    struct security_echoes echoes;
};

/*
 * One line without its line end. SECURITY_ATTEMPT writes `*out`, whose spans live until the next call.
 * Lack of memory while a split event is held is SECURITY_DROPPED.
 */
enum security_reading security_line_read(struct security_reader *r, struct span line,
                                         struct attempt *out);

/* The next line does not follow from the last one (rotation, truncation, a line left out): gives up
 * what is open. */
void security_line_gap(struct security_reader *r);

void security_reader_free(struct security_reader *r);

#endif

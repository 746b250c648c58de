/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_CDR_TIME_H
#define SEKISHO_INTAKE_CDR_TIME_H

#include "intake/cdr.h"
#include "policy/tz.h"

/*
 * Local times of records, which say nothing of their zone, to moments by a zone that the operator states. Pure. Where
 * clocks were put forward, a time that they skipped is read as if they had not been put forward yet (02:30 becomes what
 * they then show as 03:30); where they were put back, a time that they showed twice is the first of both. So what
 * mktime() leaves open is the same each time that a file is read.
 */

/* For one thread. `tz` NULL: UTC. It remembers which offset was in force last. */
struct cdr_zone {
    const struct tz *tz;
    int64_t from, until; /* Unix seconds between which `offset` holds, well within */
    int64_t offset;
};

/* Borrows `tz`. */
void cdr_zone_begin(struct cdr_zone *z, const struct tz *tz);

/* `local` seconds since 1970-01-01 00:00:00 of the zone's own clocks, to Unix seconds. `near`: where a time is
 * twice and this is a moment other than 0, the one that lies nearer to it. */
enum cdr_clock cdr_zone_moment(struct cdr_zone *z, int64_t local, int64_t near, int64_t *unix_s);

/* The same of milliseconds, as start_ms and clock of `c`; nothing is changed where the moment is none of a call. */
int cdr_zone_start(struct cdr_zone *z, int64_t local_ms, int64_t near, struct cdr *c,
                   struct fault *f);

/* Whether a call can have begun then: from 1970 to 9999 (UTC); else ERR_RANGE with a sentence. */
int cdr_time_check(int64_t ms, struct fault *f);

/* "2026-11-24 02:33:02", with "T" for the space too, and with a fraction of a second behind: milliseconds of that
 * clock. False for anything else, and for days that do not exist. Second 60 is the next minute. Years 1970 to 9999. */
bool cdr_time_read(struct span text, int64_t *local_ms);

#endif

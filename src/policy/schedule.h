/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_SCHEDULE_H
#define SEKISHO_POLICY_SCHEDULE_H

#include "policy/holidays.h"
#include "policy/rule.h"
#include "policy/zones.h"

/*
 * When a rule is in force. The text is
 *
 *     schedule = part *( ";" part )         in force while any part is
 *     part     = days SP hours SP zone
 *     days     = day *( "," day )           mon tue wed thu fri sat sun, mon-fri, fri-mon, all,
 *                                           holidays (those too), !holidays (but not those)
 *     hours    = "all" / range *( "," range )
 *     range    = HH:MM "-" HH:MM            24:00 is the end of the day; an end before the beginning is
 *                                           on the next day, and the range belongs to the day on
 *                                           which it begins
 *     zone     = IANA name                  "Asia/Tokyo"
 *
 * "mon-fri,!holidays 09:00-18:00 Asia/Tokyo; sat 09:00-12:00 Asia/Tokyo". "holidays" alone is only
 * these, "!holidays" alone all other days. Holidays are Japan's and the operator's own (holidays.h), by
 * the date in the zone. The clock on the wall counts: an hour that a change of the clock repeats is
 * in force twice, one that it skips not at all.
 */
struct schedule;

enum schedule_state {
    SCHEDULE_OFF,
    SCHEDULE_ON,
    SCHEDULE_UNKNOWN, /* a zone could not be read, and no other part is in force */
};

/* Only the form: ERR_SYNTAX or ERR_RANGE with a sentence. */
int schedule_check(struct span text, struct fault *f);

/* Writes the canonical text (lower case, single spaces, days in order; the same for texts that differ
 * only in such) and NUL. The errors of schedule_check(); ERR_RANGE where it is longer than
 * RULE_SCHEDULE_MAX. */
int schedule_canonical(struct span text, char out[RULE_SCHEDULE_MAX + 1], struct fault *f);

/* Borrows the zones' tz, not `zones` itself, which may be NULL. A zone that cannot be read is no
 * error: the state is then UNKNOWN where it depends on it. */
int schedule_new(struct schedule **out, struct span text, struct zones *zones, struct fault *f);
void schedule_free(struct schedule *schedule);

/* The canonical text, NUL-terminated; lives as long as the schedule. */
struct span schedule_text(const struct schedule *schedule);

/* At wall time `now` in seconds; `extra` may be NULL. */
enum schedule_state schedule_state(const struct schedule *schedule, const struct holidays *extra,
                                   int64_t now);

/* The first moment after `now` at which the schedule, ON at `now`, is ON no longer; INT64_MAX where
 * that is more than a month (31 days) away. Not ON at `now`: `now`. */
int64_t schedule_end(const struct schedule *schedule, const struct holidays *extra, int64_t now);

#endif

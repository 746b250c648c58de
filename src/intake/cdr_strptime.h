/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_CDR_STRPTIME_H
#define SEKISHO_INTAKE_CDR_STRPTIME_H

#include <stdint.h>

#include "base/fault.h"

/*
 * Times as people write them, by a format as strptime() has it, without a locale and without memory of what was read
 * before: %Y %m %d %H %M %S, %y (69 to 99 are 19..), %b (Jan, English, any case), %e (as %d, or with a blank in
 * front), %I with %p (AM, PM), %F (%Y-%m-%d), %T (%H:%M:%S), %f (a fraction, 1 to 9 digits), %z (+0900, +09:00,
 * Z), %%; other bytes stand for themselves. Of two digits one may be left out (4.7.2026). "unix" and "unix-ms" are
 * seconds (with or without a fraction) and milliseconds since 1970.
 */

/* Milliseconds: Unix time, or (`local`) of clocks of which nothing is said. False: not such a time, or a day
 * that does not exist, or before 1970. */
bool cdr_strptime(struct span format, struct span text, int64_t *ms, bool *local);

/* Whether a format says year, month and day, and has nothing unknown. */
bool cdr_strptime_valid(struct span format);

#endif

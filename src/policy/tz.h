/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_TZ_H
#define SEKISHO_POLICY_TZ_H

#include <stdint.h>

#include "base/fault.h"
#include "policy/civil.h"

/* A time zone, read from the bytes of a TZif file (RFC 8536 and 9636, versions 1 to 4). Immutable. */
struct tz;

struct tz_local {
    struct civil date;
    enum civil_weekday weekday;
    int hour, minute, second;
    int32_t offset; /* seconds east of UTC */
};

#define TZ_NAME_MAX 64

/* Whether `name` can be the name of an IANA zone ("Asia/Tokyo"): letters, digits, "_+-" in parts
 * separated by single slashes, each beginning with a letter or digit. Such a name is safe behind a
 * directory. */
bool tz_name_valid(struct span name);

/* Copies what it needs. ERR_SYNTAX with a sentence for bytes that are no TZif file or contradict
 * themselves, ERR_NOMEM. Leap seconds are ignored (POSIX time). */
int tz_new(struct tz **out, struct span tzif, struct fault *f);
void tz_free(struct tz *tz);

/* The local time at `at`, behind the last transition by the footer's rule. `at` beyond
 * year -9999 or 9999 is taken as that bound. */
void tz_local(const struct tz *tz, int64_t at, struct tz_local *out);

/* The first moment after `at` at which the offset may change; INT64_MAX where it never does. */
int64_t tz_next_change(const struct tz *tz, int64_t at);

#endif

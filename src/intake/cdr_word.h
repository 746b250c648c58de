/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_CDR_WORD_H
#define SEKISHO_INTAKE_CDR_WORD_H

#include <stdint.h>

#include "base/fault.h"

/* Words of records. */

/* Digits alone, up to `most`. */
static inline bool cdr_number(struct span s, int64_t most, int64_t *out)
{
    int64_t value = 0;

    if (s.n == 0 || s.n > 18)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';

        if (digit > 9)
            return false;
        value = value * 10 + (int64_t)digit;
    }
    if (value > most)
        return false;
    *out = value;
    return true;
}

/* Seconds of a call, with or without a fraction ("12.25"), which is dropped. */
static inline int cdr_seconds(struct span s, const char *what, uint32_t *out, struct fault *f)
{
    struct span fraction, whole = span_cut(s, '.', &fraction);
    int64_t value, dropped;

    if (!cdr_number(whole, UINT32_MAX, &value) ||
        (fraction.p && !cdr_number(fraction, INT64_MAX, &dropped)))
        return fault(f, ERR_SYNTAX, "%s \"%s\" is no number of seconds", what, ESCAPED(s));
    *out = (uint32_t)value;
    return 0;
}

#endif

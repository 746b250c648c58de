/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_PACE_H
#define SEKISHO_INTAKE_PACE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How long a witness may rest after it was read, so that what comes one by one is not read one by one: to wake up costs
 * more than to read. While less than 200 attempts a second come it rests for up to ten milliseconds, in which at that rate an
 * attacker is answered twice; as soon as more come, not at all. Rests end at the same times for all witnesses, which are
 * then read in one go. Pure; boot time. Zero-initialised is ready.
 */
#define PACE_NS INT64_C(10000000)

struct pace {
    int64_t full_ns; /* of a bucket that runs out by the clock; an attempt pours in 5 ms */
    int64_t read_ns; /* the last time */
    int64_t until_ns;
    uint64_t taken;
};

/* It was read. `taken`: messages or lines since it was opened, of which an attempt has `each`; `rests` at most that many
 * times PACE_NS. Until pace_ends() it need not be read. */
void pace_read(struct pace *pace, uint64_t taken, unsigned each, unsigned rests, int64_t now_ns);

/* INT64_MAX: it does not rest. */
static inline int64_t pace_ends(const struct pace *pace)
{
    return pace->until_ns ? pace->until_ns : INT64_MAX;
}

static inline bool pace_rests(const struct pace *pace)
{
    return pace->until_ns != 0;
}

#endif

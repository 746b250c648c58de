/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/pace.h"

#define ATTEMPT_NS INT64_C(5000000) /* 200 a second */
/* For each rest: an attacker at 1,000 a second is beyond it with his fourth. */
#define CALM_NS (3 * ATTEMPT_NS)

void pace_read(struct pace *pace, uint64_t taken, unsigned each, unsigned rests, int64_t now_ns)
{
    int64_t passed = now_ns - pace->read_ns, calm_ns = CALM_NS * rests;
    uint64_t came = taken - pace->taken;

    pace->read_ns = now_ns;
    pace->taken = taken;
    pace->full_ns = pace->full_ns > passed ? pace->full_ns - passed : 0;
    pace->full_ns += came < 1000 ? (int64_t)came * ATTEMPT_NS / each : 1000 * ATTEMPT_NS;
    /* As much again would only have to run out. */
    if (pace->full_ns > 2 * calm_ns)
        pace->full_ns = 2 * calm_ns;
    if (!came || pace->full_ns > calm_ns)
        pace->until_ns = 0;
    else
        pace->until_ns = (now_ns / PACE_NS + rests) * PACE_NS;
}

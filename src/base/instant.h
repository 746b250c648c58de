/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BASE_INSTANT_H
#define SEKISHO_BASE_INSTANT_H

#include <stdint.h>

/*
 * One reading of both clocks. Windows and time-outs are measured on `boot` (CLOCK_BOOTTIME, which
 * no one can set); records and schedules use `wall` (CLOCK_REALTIME). Pure code is given one, it
 * never asks for one.
 */
struct instant {
    int64_t boot_ns; /* nanoseconds since the machine started */
    int64_t wall_ms; /* milliseconds since 1970-01-01T00:00:00Z */
};

static inline int64_t instant_wall_s(struct instant now)
{
    return now.wall_ms / 1000;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_TESTS_GUARD_SCENARIO_H
#define SEKISHO_TESTS_GUARD_SCENARIO_H

#include "base/buf.h"
#include "guard/guard.h"

/*
 * A play with the guard: clock, switches and the outside are lines of a file. The words are explained at the top of
 * scenarios.cases.
 */
#define SCENARIO_EVENTS 4096

struct scenario {
    struct guard *guard;
    struct guard_limits limits;
    struct instant now;
    struct buf events[SCENARIO_EVENTS]; /* told and not yet expected */
    size_t first, n;
    uint32_t ignored;   /* bits of kinds */
    char trouble[1024]; /* what went wrong; empty: nothing */
};

/* Plays all lines. False: `trouble` says what line did not hold. */
bool scenario_play(struct scenario *scenario, struct span lines);
/* The same by lines, for who has other lines between. Events that nobody expects stay. */
bool scenario_begin(struct scenario *scenario);
bool scenario_line(struct scenario *scenario, struct span line);
void scenario_end(struct scenario *scenario);

#endif

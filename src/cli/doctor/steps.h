/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_DOCTOR_STEPS_H
#define SEKISHO_CLI_DOCTOR_STEPS_H

#include "cli/doctor/destination.h"
#include "cli/doctor/dialplan.h"

/* What one statement of the dialplan can do next. */

enum gate {
    GATE_NONE,
    GATE_AGI,  /* AGI(agi://…/v1/authorize/…) by hand */
    GATE_ASKS, /* Gosub(sekisho-authorize,s,1) */
    GATE_ENDS, /* sekisho-out, sekisho-dial: asks, obeys, dials; nothing is left to check */
};

struct steps {
    size_t *jumps; /* statements that it may go on with instead of the next */
    size_t n_jumps;
    size_t *calls; /* subroutines that it may call before the next */
    size_t n_calls;
    struct destination *dials;
    size_t n_dials;
    enum gate gate;           /* that it may come to */
    struct span gate_context; /* the context of the gate that was named, or empty */
    enum gate asked;          /* that was asked for sure when the next statement follows */
    bool stays;               /* it may go on with the next priority: */
    size_t *next;             /* that of its extension; where it has none, Asterisk takes one of the
                                 context or its includes that matches what was dialled */
    size_t n_next;
    bool returns; /* it ends a subroutine */
};

struct steps_world {
    const struct dialplan *dialplan;
    const struct devices *devices;
};

/*
 * `known` is what ${EXTEN} is, where it is known; else empty: then every extension of a context is
 * meant. Memory is the dialplan's arena's.
 */
void steps_of(const struct steps_world *w, size_t statement, struct span known, struct steps *out);

/* The same for an application that is not in the dialplan (a feature). */
void steps_of_app(const struct steps_world *w, struct span app, struct span args,
                  struct steps *out);

/* Where a call enters a context: the first statements of the extension, or of all where `exten` is
 * empty or not known. `gate` is set where the context, or one that it includes, is the gate's. */
void steps_enter(const struct steps_world *w, struct span context, struct span exten,
                 struct span priority, struct steps *out);

#endif

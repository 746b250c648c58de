/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_DOCTOR_REACH_H
#define SEKISHO_CLI_DOCTOR_REACH_H

#include "cli/doctor/roots.h"
#include "cli/doctor/steps.h"

struct reach {
    const struct dialplan *dialplan;
    const struct devices *devices;
    const struct roots *roots;
    struct findings *findings;
    const struct span *emergency; /* the dial plan's emergency numbers: may go out unasked */
    size_t n_emergency;
    const struct span *required; /* those of them that every phone must reach */
    size_t n_required;
};

/*
 * Follows every call from where it begins (roots) through the dialplan. Finds the statements that reach
 * a trunk although nobody asked Sekisho ("trunk-unasked"), that asked and do not obey
 * ("verdict-ignored") or dial what was keyed instead of SEKISHO_DIAL ("original-dialled"), that cannot
 * be told ("dial-unclear"), and a gate that is named and not there ("gate-missing").
 *
 * The walk is over (statement, what was asked so far). An extension that is exactly an emergency number
 * may go out unasked.
 */
void reach_trunks(const struct reach *r);

/*
 * For each context in which phones dial, whether each emergency number goes out without an answer from
 * Sekisho: "emergency-missing", "emergency-asked".
 */
void reach_emergency(const struct reach *r);

/* sekisho-site.conf: trunks that do not exist. */
void reach_site(const struct reach *r);

#endif

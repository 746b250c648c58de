/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_SWEEPING_H
#define SEKISHO_SERVE_SWEEPING_H

#include "store/sweeps.h"

/* The preview that was made last, for whoever applies it. Used by requests that run alone (API_ALONE), of which there is
 * one at a time. */
struct sweeping {
    struct sweep_plan *plan; /* NULL: there is none, or it was applied */
};

#endif

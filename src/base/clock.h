/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BASE_CLOCK_H
#define SEKISHO_BASE_CLOCK_H

#include "base/instant.h"

/* Reads both clocks. Not for the pure folders: they are given `now`. */
struct instant clock_now(void);

#endif

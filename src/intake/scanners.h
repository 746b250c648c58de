/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_SCANNERS_H
#define SEKISHO_INTAKE_SCANNERS_H

#include "base/span.h"

/* Is it the User-Agent of a known scanner? In any case, anywhere in the text. Only the careless are found by it. Pure. */
bool scanner_is(struct span user_agent);

#endif

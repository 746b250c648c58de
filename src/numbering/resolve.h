/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_RESOLVE_H
#define SEKISHO_NUMBERING_RESOLVE_H

#include "numbering/fits.h"
#include "numbering/reading.h"

/*
 * Where a number leads, once all that stood before it is gone: steps 9 and 10 of DESIGN.md's order. Each
 * fills `out` and returns its class.
 */

/* The digits behind a '+'. Those of the own country are national. */
enum number_class resolve_plus(struct reading *r, struct span digits);

/* The country code and all behind it, reached by way of the keys `access`. The own country is no less
 * an international call for being at home. */
enum number_class resolve_abroad(struct reading *r, struct span digits, struct span access);

/* A national significant number of the own country code. */
enum number_class resolve_national(struct reading *r, struct span nsn);

/* A national number by the row of codes.tsv that it fits. `canonical` has the trunk prefix. */
enum number_class resolve_row(struct reading *r, const struct fit *fit, struct span canonical);

#endif

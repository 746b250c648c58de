/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_NUMBERING_H
#define SEKISHO_NUMBERING_NUMBERING_H

#include "numbering/number.h"

struct site; /* numbering/site.h: one dial plan as one switch or tenant uses it */

/*
 * Understands a dialled string (a bare number, a sip:, sips: or tel: URI, a name-addr, an emergency
 * URN) in the order that DESIGN.md gives. Always gives an answer: what cannot be understood is
 * CLASS_MALFORMED, CLASS_INVALID, CLASS_INCOMPLETE or CLASS_UNKNOWN. Allocates nothing, reads no
 * clock; `dialled` may hold any bytes.
 */
void numbering_parse(const struct site *site, struct span dialled, struct number *out);

/*
 * What the switch must dial for `number`: rebuilt from the parse, [0-9+*#] only, the caller's
 * presentation put back in front (184 stays 184, for emergencies too). Writes a NUL-terminated
 * string of less than NUMBER_DIGITS_MAX bytes and returns 0; ERR_RANGE where the class cannot be
 * dialled (INVALID, INCOMPLETE, MALFORMED, UNKNOWN, a local number without an area code), then `out`
 * is untouched.
 */
int numbering_dial(const struct site *site, const struct number *number, enum number_form form,
                   char out[NUMBER_DIGITS_MAX]);

#endif

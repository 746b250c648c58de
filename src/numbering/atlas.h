/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_ATLAS_H
#define SEKISHO_NUMBERING_ATLAS_H

#include "base/fault.h"
#include "numbering/atlas_region.h"

struct site;

/*
 * All numbers that a dial plan can dial, in canonical form (number.h, `dialled`), as regions: sets of
 * strings whose numbers are all alike. For Japan "0101876" is Jamaica, "0990" premium, "117" one short
 * number. What no region holds is nobody's: no number of it can be dialled.
 *
 * The atlas is made from numbering_parse() itself: where the tables have a prefix, and one digit
 * below, numbers are tried, and what is said of them holds for all that begins alike. It knows the
 * plan only: extensions, outside lines and the area of a site are not in it (an extension is never
 * restricted; the others are spellings of numbers that are). Immutable; borrows the site's tables.
 */
struct atlas;

/* ERR_NOMEM only. The site may go before the atlas, its tables may not. */
int atlas_new(struct atlas **out, const struct site *site, struct fault *f);
void atlas_free(struct atlas *atlas);

/* Sorted by prefix as ASCII sorts. */
size_t atlas_count(const struct atlas *atlas);
const struct atlas_region *atlas_region(const struct atlas *atlas, size_t i);

/* The regions whose prefix begins with `prefix`: the index of the first, and how many. */
size_t atlas_below(const struct atlas *atlas, struct span prefix, size_t *n);

/* The region of a whole number in canonical form; NULL where it is nobody's. */
const struct atlas_region *atlas_find(const struct atlas *atlas, struct span dialled);

/* Whether numbers begin with `prefix`, or are it. */
bool atlas_has(const struct atlas *atlas, struct span prefix);

/* Of a prefix that no number begins with: whether it begins what can be keyed for one, which is not its
 * canonical form: +, a carrier, another access prefix, a code for caller ID or forwarding. */
bool atlas_spells(const struct atlas *atlas, struct span prefix);

/* Whether the plan has calls that an operator completes; their region is the access prefix alone. */
bool atlas_open_ended(const struct atlas *atlas);

/* The plan's own country, access prefix ("010"), country code ("81") and trunk prefix ("0"). */
const struct country *atlas_country(const struct atlas *atlas);
struct span atlas_access(const struct atlas *atlas);
struct span atlas_cc(const struct atlas *atlas);
struct span atlas_trunk(const struct atlas *atlas);

/* How many digits behind the access prefix are a country calling code; 0 where none are. */
size_t atlas_calling_code(const struct atlas *atlas, struct span dialled);

/* A number that exists and begins with `prefix`, one of the shortest; `whole`: exactly that. What it is
 * goes to `traits`. False where there is none. */
bool atlas_example(const struct atlas *atlas, struct span prefix, bool whole,
                   char out[NUMBER_DIGITS_MAX], struct atlas_traits *traits);

#endif

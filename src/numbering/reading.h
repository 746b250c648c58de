/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_READING_H
#define SEKISHO_NUMBERING_READING_H

#include "base/bytes.h"
#include "numbering/number.h"
#include "numbering/site_internal.h"

/* One dialled string while it is being understood. */
struct reading {
    const struct site *site;
    struct number *out;
    enum number_presentation presentation;
    bool abroad; /* some reading of the place at hand left the country */
    /* How many places may still be read. Codes that can be read in two ways double the readings behind
     * them, and 128 bytes hold thirty such codes; what a person dials takes a dozen. */
    unsigned places;
};

#define READING_PLACES 1024

/* Gives `out` the class and nothing else; `literal`, `target` and presentation stay. Returns it. */
enum number_class reading_only(struct reading *r, enum number_class class);

/* Fills `out` as a number without E.164, country or risk: `dialled` and `network` both `keys`. */
enum number_class reading_as(struct reading *r, enum number_class class, enum number_kind kind,
                             struct span keys);

/* The class is one that can be dialled: not a local number that lacks its area code, nor a forwarding
 * to nowhere. */
bool reading_understood(const struct number *number);

/* Writes `s` and a NUL at to[at]. */
void reading_put(char *to, size_t at, struct span s);

#endif

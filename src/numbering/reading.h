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

/* Fills `out` as a number without E.164, country or risk: `dialled` and `network` both `keys`. */
enum number_class reading_as(struct reading *r, enum number_class class, enum number_kind kind,
                             struct span keys);

/* These are short and asked at every turn. */

/* Gives `out` the class and nothing else; `literal`, `target` and presentation stay. Returns it. */
static inline enum number_class reading_only(struct reading *r, enum number_class class)
{
    struct number *out = r->out;

    out->class = class;
    out->kind = KIND_NONE;
    out->risk = RISK_NONE;
    out->country = NULL;
    out->open_ended = false;
    out->as_network = false;
    out->e164[0] = out->dialled[0] = out->network[0] = '\0';
    return class;
}

/* The class is one that can be dialled: not a local number that lacks its area code, nor a forwarding
 * to nowhere. */
static inline bool reading_understood(const struct number *number)
{
    switch (number->class) {
    case CLASS_EMERGENCY:
    case CLASS_INTERNAL:
    case CLASS_FREEPHONE:
    case CLASS_SHARED_COST:
    case CLASS_PREMIUM:
    case CLASS_SPECIAL:
    case CLASS_INTERNATIONAL: return true;
    case CLASS_FORWARDING: return number->network[0] != '\0';
    case CLASS_NATIONAL: return number->kind != KIND_LOCAL;
    case CLASS_INVALID:
    case CLASS_INCOMPLETE:
    case CLASS_MALFORMED:
    case CLASS_UNKNOWN: return false;
    }
    return false;
}

/* Writes `s` and a NUL at to[at]. */
static inline void reading_put(char *to, size_t at, struct span s)
{
    bytes_copy(to + at, s);
    to[at + s.n] = '\0';
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/reading.h"

void reading_put(char *to, size_t at, struct span s)
{
    if (s.n)
        memcpy(to + at, s.p, s.n);
    to[at + s.n] = '\0';
}

bool reading_understood(const struct number *number)
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

enum number_class reading_only(struct reading *r, enum number_class class)
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

enum number_class reading_as(struct reading *r, enum number_class class, enum number_kind kind,
                             struct span keys)
{
    reading_only(r, class);
    r->out->kind = kind;
    reading_put(r->out->dialled, 0, keys);
    reading_put(r->out->network, 0, keys);
    return class;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_UNDERSTAND_H
#define SEKISHO_NUMBERING_UNDERSTAND_H

#include "numbering/reading.h"

/* What may still stand at the place that is read. */
enum understand_may {
    MAY_EXTENSION = 1,
    MAY_OUTSIDE = 2,
    MAY_CARRIER = 4,
    MAY_FORWARD = 8,
    MAY_RELAY = 16,
    NEED_TRUNK = 32, /* a carrier was selected: only a trunk or access prefix goes on */
    NOT_LOCAL = 64,  /* the first digit takes an outside line, so no local number begins with it */
};
#define MAY_ALL (MAY_EXTENSION | MAY_OUTSIDE | MAY_CARRIER | MAY_FORWARD | MAY_RELAY)

/*
 * Steps 4 to 10 of DESIGN.md's order over folded keys. Returns the class and fills class, kind, risk,
 * country, e164, dialled, network and open_ended of `out`; of a class that cannot be dialled only
 * the class is meant. Where several readings are possible the first that can be dialled stands.
 */
enum number_class understand(struct reading *r, struct span keys, unsigned may);

/* The keys that ask the network for this caller ID, "" for none. */
const char *understand_prefix(const struct site *site, enum number_presentation presentation);

#endif

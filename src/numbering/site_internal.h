/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_SITE_INTERNAL_H
#define SEKISHO_NUMBERING_SITE_INTERNAL_H

#include "numbering/plan.h"
#include "numbering/ranges.h"
#include "numbering/site.h"

/* What numbering.c reads of a site; nobody else may. */
struct site {
    const struct plan *plan;
    const struct plan *any; /* codes that hold in every plan */
    const struct ranges *ranges;
    struct span outside, area; /* into `text` */
    struct trie extensions; /* value 0 is 1 where an extension ends; no nodes without extensions */
    char text[64];
};

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_ATLAS_PLACE_H
#define SEKISHO_NUMBERING_ATLAS_PLACE_H

#include "numbering/site_internal.h"

/*
 * The atlas is drawn by a walk over all prefixes at which the tables may change their mind. At such a
 * place several things may go on at once: codes of the plan, the world's ranges behind the access prefix,
 * those of the own country behind the trunk prefix.
 */
struct atlas_ground {
    bool there;
    uint16_t node; /* of the ranges' trie; 0: beyond it, or at its root */
    const struct calling_code *code;
    size_t since;  /* digits behind the country code */
    bool doubtful; /* the first of them may be a trunk prefix that does not belong there, */
    bool pairs;    /* and with some second digits a number can begin so, with others not */
    size_t habit;  /* and so many of the first match the one that people write */
};

struct atlas_place {
    const struct site *site;
    bool codes[2];
    uint16_t code[2]; /* of the plan for all, and of the plan */
    struct atlas_ground abroad, national;
    bool at_home;
    uint16_t home[2]; /* codes at the trunk prefix and the national number, reached by 010 and CC */
    struct atlas_ground
        other; /* the national number, reached without the trunk prefix or by another */
    uint16_t other_home[2];
    /* The same from the other side: behind the trunk prefix, codes by way of which the number would be
     * written instead; and how many of its digits were read. */
    uint16_t instead[2];
    bool in_national;
    size_t nsn;
    uint32_t lengths; /* that a number here may have: never too few */
    /* What follows a service such as 114 may be a number itself, and then not every one may. */
    bool carries;
};

/* Before the first key. */
void atlas_place_begin(struct atlas_place *at, const struct site *site);

/* One key further; `path` is all that were read, with it. */
void atlas_place_step(struct atlas_place *at, struct span path);

/* Whether what follows the path has to be looked at digit by digit. */
bool atlas_place_goes_on(const struct atlas_place *at, struct span path);

#endif

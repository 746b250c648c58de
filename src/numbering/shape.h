/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_SHAPE_H
#define SEKISHO_NUMBERING_SHAPE_H

#include "numbering/trie.h"

/*
 * The shape of a code, as the number tables write it: digits, '*' and '#' for themselves; X for 0-9,
 * Z for 1-9, N for 2-9 (Asterisk's letters); [13-5] for one of; (12|34) for either; ? behind any of
 * these where it may be missing. The notation of libphonenumber's prefixes, (?:...) and \d, means the
 * same. There is no repetition, so a shape stands for a finite set of codes.
 */

/* The nodes where a shape ends in a trie. */
struct shape_ends {
    uint16_t *nodes;
    size_t n, cap;
    size_t longest; /* keys of the longest code */
};

/*
 * Lays `shape` into the trie from its root and gives the nodes at its ends, each once; free them with
 * shape_ends_free(). ERR_SYNTAX for what is no shape, or one that an empty string fits; ERR_RANGE
 * for one that stands for more than 4,096 codes. On failure the trie may have grown by nodes that
 * carry no value.
 */
int shape_lay(struct trie *t, struct span shape, struct shape_ends *ends, struct fault *f);
void shape_ends_free(struct shape_ends *ends);

#endif

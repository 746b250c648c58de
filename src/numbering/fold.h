/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_FOLD_H
#define SEKISHO_NUMBERING_FOLD_H

#include "numbering/number.h"

/* The keys that somebody meant: '0'-'9', '*', '#' and '+'. */
struct keys {
    char key[NUMBER_BYTES_MAX];
    size_t n;
    size_t pause; /* keys before the first pause or wait mark; 0: no pause between keys */
};

/*
 * Folds UTF-8 into keys: decimal digits of every script, full-width and other forms of + * #; spaces,
 * dashes, brackets, zero-width and bidi marks are dropped, and so are pauses (, ; p w) and what
 * trails of # and *. False where anything else stands, where nothing is left, or where the '+' is
 * doubled or has no digit behind it. With `letters`, Latin letters are the keys that they stand on.
 */
bool fold(struct span bytes, bool letters, struct keys *out);

/* Takes `bytes` as they are where all are digits, perhaps behind a '+': nearly all that is dialled. Says what
 * fold() would say, or false, which says nothing. */
bool fold_plain(struct span bytes, struct keys *out);

#endif

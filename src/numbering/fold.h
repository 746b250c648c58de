/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_FOLD_H
#define SEKISHO_NUMBERING_FOLD_H

#include "base/bytes.h"
#include "numbering/number.h"

/* The keys that somebody meant: '0'-'9', '*', '#' and '+'. */
struct keys {
    struct span all;
    size_t pause; /* keys before the first pause or wait mark; 0: no pause between keys */
};

/* Digits, perhaps behind a '+': nearly all that is dialled, and keys as they are. */
static inline bool fold_is_plain(struct span bytes)
{
    struct span digits = bytes.n && bytes.p[0] == '+' ? span_skip(bytes, 1) : bytes;

    return digits.n && span_all_digits(digits);
}

/*
 * Folds UTF-8 into keys: decimal digits of every script, full-width and other forms of + * #; spaces,
 * dashes, brackets, zero-width and bidi marks are dropped, and so are pauses (, ; p w) and what
 * trails of # and *. False where anything else stands, where nothing is left, or where the '+' is
 * doubled or has no digit behind it. With `letters`, Latin letters are the keys that they stand on.
 *
 * The keys are written to `room`, which has at least bytes.n bytes and may be where `bytes` are; those
 * of a plain string are a view of `bytes`.
 */
bool fold(struct span bytes, bool letters, char *room, struct keys *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_GUARD_WORDS_H
#define SEKISHO_STORE_GUARD_WORDS_H

#include "guard/guard.h"

/* The words of guard.h the other way round; false, and `*out` untouched, for any other. */
bool guard_word_event(struct span word, enum guard_event_kind *out);
bool guard_word_attack(struct span word, enum attack *out);

#endif

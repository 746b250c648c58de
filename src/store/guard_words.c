/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/guard_words.h"

bool guard_word_event(struct span word, enum guard_event_kind *out)
{
    for (int i = 0; i < GUARD_EVENTS; i++) {
        if (!span_is(word, guard_event_name((enum guard_event_kind)i)))
            continue;
        *out = (enum guard_event_kind)i;
        return true;
    }
    return false;
}

bool guard_word_attack(struct span word, enum attack *out)
{
    for (int i = 0; i < ATTACKS; i++) {
        if (!span_is(word, guard_attack_name((enum attack)i)))
            continue;
        *out = (enum attack)i;
        return true;
    }
    return false;
}

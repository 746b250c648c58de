/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_GUARD_STRAYS_H
#define SEKISHO_GUARD_STRAYS_H

#include "guard/keys.h"
#include "guard/table.h"

/*
 * Accounts that failed at a shared or known good home and never succeeded there: how many in a day, about and never
 * too many. What is wrong with an office's own phones makes no entry; who looks for accounts, or sprays one password
 * over them, makes one of every account. Counted from the first on and forgotten a window after it.
 *
 * Only such homes make entries. In a full bucket the one with the fewest accounts gives way.
 */
#define STRAY_WORDS 4

struct stray {
    uint64_t key;
    uint64_t account[STRAY_WORDS]; /* a bit for each, of 256 */
    uint32_t since;
};

static inline int strays_init(struct table *strays, size_t bytes)
{
    return table_init(strays, bytes, sizeof(struct stray), 0);
}

/* One more failure of the account (its key); returns how many accounts there are now. 0: there is no room. */
uint32_t strays_add(struct table *strays, const struct keys *keys, const struct network *home,
                    bool observed, uint64_t account, uint32_t t, uint32_t window);
void strays_forget(struct table *strays, const struct keys *keys, const struct network *home,
                   bool observed);

#endif

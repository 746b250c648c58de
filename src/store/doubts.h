/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_DOUBTS_H
#define SEKISHO_STORE_DOUBTS_H

#include "ledger/history.h"
#include "store/db.h"

/* Which calls do not speak for their account: those that were disowned, and those of times when it was under attack. */
struct doubts {
    struct doubt {
        uint32_t caller;
        char country[4]; /* "": all */
        int64_t since_ms, until_ms;
    } * at; /* by caller */
    size_t n, cap;
    uint8_t some
        [1024]; /* a bit for each caller modulo its size: most calls are nobody's whom one doubts */
};

/* Reads all from calls.db anew. */
int doubts_load(struct doubts *doubts, struct db *db, struct fault *f);
void doubts_free(struct doubts *doubts);
bool doubts_cover(const struct doubts *doubts, const struct call *call, struct span country);

#endif

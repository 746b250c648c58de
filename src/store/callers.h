/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_CALLERS_H
#define SEKISHO_STORE_CALLERS_H

#include <sodium.h>

#include "store/db.h"

/*
 * Callers that were asked for lately, so that a row of a CDR file costs no query. By a keyed hash of 128 bits of switch and
 * name: nobody who has no key can make two names one. Forgets everything when it has CALLERS_MAX, about 50 MB.
 */
#define CALLERS_MAX ((size_t)1 << 20)

struct callers {
    struct caller {
        uint64_t hash[2];
        uint32_t id; /* 0: free */
    } * slots;
    size_t n, size; /* a power of two, or 0 */
    unsigned char key[crypto_shorthash_siphashx24_KEYBYTES];
};

void callers_init(struct callers *callers);
void callers_free(struct callers *callers);
/* For when a transaction is undone: ids may have gone with it. */
void callers_forget(struct callers *callers);

/* From memory or from the file, where it is made when it is missing (in the transaction that is open). */
int callers_find(struct callers *callers, struct db *db, int64_t switch_id, struct span name,
                 uint32_t *out, struct fault *f);

#endif

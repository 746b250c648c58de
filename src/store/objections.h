/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_OBJECTIONS_H
#define SEKISHO_STORE_OBJECTIONS_H

#include "store/store.h"

/* "Do not sweep": what a tenant says for itself and all below it, or for one account. Sweeps leave them alone until
 * it is taken back. Who is objected for may restrict itself all the same. */
struct store_objection {
    struct store_ref scope; /* tenant or account */
    struct span scope_text; /* "tenant:acme"; set by the store, like what follows */
    struct span label;      /* an account's "name@switch"; else the same */
    int64_t change;
    int64_t at_ms;
    struct span actor;
    struct span note;
};

struct store_objection_list {
    const struct store_objection *items;
    size_t n;
    struct span next;
};

struct store_objection_query {
    struct store_page page;
    int64_t within; /* of this tenant, those below it and their accounts; 0 is all */
};

/* put on what is objected for already replaces the note, who and when. delete: ERR_MISSING when it is not. */
int store_objection_put(struct store_tx *tx, const struct store_by *by, struct store_ref scope,
                        struct span note, struct fault *f);
int store_objection_delete(struct store_tx *tx, const struct store_by *by, struct store_ref scope,
                           struct fault *f);
int store_objection_get(struct store_tx *tx, struct store_ref scope, struct store_objection *out,
                        struct fault *f);
int store_objection_list(struct store_tx *tx, const struct store_objection_query *query,
                         struct store_objection_list *out, struct fault *f);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/api_rank.h"

int64_t rank_of(struct store_tx *tx, struct span actor)
{
    struct store_ref ref;
    struct span scope;
    struct fault ignored;

    span_cut(actor, ' ', &scope);
    if (!span_starts(actor, SPAN("token:")) || !span_starts(scope, SPAN("tenant:")) ||
        store_ref_parse(tx, scope, &ref, &ignored))
        return 0;
    return ref.id;
}

int rank_may_undo(struct api *api, struct store_tx *tx, int64_t rank, bool *out, struct fault *f)
{
    *out = !api_within(api);
    if (*out || !rank)
        return 0;
    return store_tenant_within(tx, rank, api_within(api), out, f);
}

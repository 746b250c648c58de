/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_API_RANK_H
#define SEKISHO_SERVE_API_RANK_H

#include "serve/api_common.h"

/* Who stands how high: what the operator or a tenant above did to protect an account (a stop, a
 * suspension), a tenant below must not undo. */

/* Who did it, by the actor that api_by() wrote: the tenant behind the token, or 0 for the operator. What a
 * tenant did that is gone is the operator's. */
int64_t rank_of(struct store_tx *tx, struct span actor);

/* Does the caller stand as high as `rank`, or higher? */
int rank_may_undo(struct api *api, struct store_tx *tx, int64_t rank, bool *out, struct fault *f);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_PUBLISH_H
#define SEKISHO_STORE_PUBLISH_H

#include "store/tx.h"

struct snapshot_options;

/*
 * From the store into the snapshot. What a transaction has touched is staged before its COMMIT, when a
 * lack of memory can still undo it, and published after it, which cannot fail: what is durable is
 * visible, and what is visible is durable.
 */

/* Stages everything there is, as `tx` sees it. */
int publish_stage_all(struct store_tx *tx, struct fault *f);
/* Stages what was touched. */
int publish_stage(struct store_tx *tx, const struct touched *touched, struct fault *f);
/* Makes it visible as change number `change`, or forgets it. */
void publish_commit(struct store *store, int64_t change);
void publish_discard(struct store *store);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_EVIDENCE_H
#define SEKISHO_STORE_EVIDENCE_H

#include "base/buf.h"
#include "store/tx.h"

/* What rows of evidence.db have in common: they point into sekisho.db, which another connection reads. */

/* How switch and tenant are called, if they are still there; "" else. */
int evidence_names(struct store_tx *tx, int64_t switch_id, int64_t tenant_id,
                   struct span *switch_name, struct span *tenant, struct fault *f);

/* Adds " AND tenant IN (...)": the ids of a tenant and of those below it. */
int evidence_within(struct store_tx *tx, struct buf *sql, int64_t within, struct fault *f);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_GUARD_LISTS_IMPL_H
#define SEKISHO_STORE_GUARD_LISTS_IMPL_H

#include "base/address.h"
#include "store/tx.h"

/* Ends the operator's bans that have an address in common with the network. */
int guard_lists_end_bans(struct store_tx *tx, const struct store_by *by,
                         const struct network *network, struct fault *f);

#endif

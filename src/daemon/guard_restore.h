/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_GUARD_RESTORE_H
#define SEKISHO_DAEMON_GUARD_RESTORE_H

#include "daemon/guard_adoption.h"
#include "guard/guard.h"
#include "store/store.h"

/* What outlives a restart, from the store into a new guard. Both wait for the store: for the start. */

int guard_restore_key(struct store *store, uint8_t key[GUARD_KEY_BYTES], struct fault *f);

/* The modes of switches and who is exempt must be known to the guard. What it has no room for stays out, and the log
 * says so. The adoption is told what it must leave alone. */
int guard_restore_all(struct store *store, struct guard *guard, struct adoption *adoption,
                      struct instant now, struct fault *f);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_ATTACK_SPANS_H
#define SEKISHO_SERVE_ATTACK_SPANS_H

#include "store/calls.h"
#include "store/store.h"

/*
 * When accounts were under attack, from the guard's decisions (lockouts, international locks, takeovers), into calls.db: calls
 * of that time do not speak for the account. It begins with the window in which attempts were counted, and ends when
 * the lock does.
 */
/* What came since `*since_ms`, which moves on. On the calls room's thread. */
int attack_spans_take(struct store *store, struct calls *calls, int64_t *since_ms, struct fault *f);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_GUARD_ALERTS_H
#define SEKISHO_DAEMON_GUARD_ALERTS_H

#include "daemon/guard_thread.h"

/*
 * Puts lockouts, takeovers and the end of locks into the outbox (store/notices.h): one digest for the operator, one for each
 * tenant concerned. An attack on 1,000 accounts is one mail: what comes within half a minute is together, and the next mail
 * of a kind comes a quarter of an hour later. In addition to the hook.
 */
struct guard_alerts;

/* Begins to hear; before the guard's thread is started. */
int guard_alerts_open(struct guard_alerts **out, struct guard_thread *thread,
                      const struct snapshot *snapshot, struct fault *f);
/* From now on, what was heard is written within seconds. */
void guard_alerts_attach(struct guard_alerts *alerts, struct store *store);
/* When the guard's thread has ended, before the store is closed: what was heard is written. NULL is fine, in both. */
void guard_alerts_detach(struct guard_alerts *alerts);
void guard_alerts_free(struct guard_alerts *alerts);

/* Writes what was heard. From time to time, on any thread; does not wait. NULL is fine. */
void guard_alerts_flush(struct guard_alerts *alerts);

#endif

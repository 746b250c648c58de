/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NOTIFY_HOOK_EVENT_H
#define SEKISHO_NOTIFY_HOOK_EVENT_H

#include "base/buf.h"
#include "guard/guard.h"

/* What the hook is told of: bans, lockouts (of both kinds) and takeovers, those that are only observed too. */
bool hook_event_counts(const struct guard_event *event);

/*
 * One JSON object and a line end. docs/interfaces.md has its fields. `switch_name` may be empty. An account is written
 * as it is in the log, escaped: it is whatever somebody sent.
 */
void hook_event_json(struct buf *out, const struct guard_event *event, struct span switch_name);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_GUARD_VIEW_H
#define SEKISHO_DAEMON_GUARD_VIEW_H

#include "daemon/health.h"
#include "serve/guard_desk.h"

/*
 * What is not well about the guard, for status and /healthz: a copy that the guard's thread makes once a second
 * and that any other thread may look at, without asking the guard.
 */
struct guard_view;

int guard_view_new(struct guard_view **out, struct fault *f);
void guard_view_free(struct guard_view *view);

/* On the guard's thread. */
void guard_view_take(struct guard_view *view, const struct guard_event *event);
void guard_view_copy(struct guard_view *view, const struct guard_room *room);

/* Any thread. */
void guard_view_tell(struct guard_view *view, health_say_fn *say, void *arg);

#endif

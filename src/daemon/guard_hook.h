/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_GUARD_HOOK_H
#define SEKISHO_DAEMON_GUARD_HOOK_H

#include "daemon/guard_thread.h"
#include "notify/hook.h"

/* Tells the operator's program (notify/hook.h) what the guard decides. */
struct guard_hook;

/* Begins to hear; before the thread is started. `path` "": there is no program, `*out` is NULL. */
int guard_hook_open(struct guard_hook **out, const char *path, struct guard_thread *thread,
                    const struct snapshot *snapshot, struct fault *f);
/* Any thread. */
struct hook_figures guard_hook_figures(const struct guard_hook *hook);
/* When the guard's thread has ended. NULL is fine. */
void guard_hook_close(struct guard_hook *hook);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_PRIVILEGE_H
#define SEKISHO_DAEMON_PRIVILEGE_H

#include "base/fault.h"

/* Makes the state directory (0750, its parent must be there) unless it is there already. */
int privilege_state_dir(const char *path, struct fault *f);

/*
 * As root: gives state directory and `runtime_dir` (NULL: none) to the system account `user`, becomes it for good, and makes sure
 * that there is no way back. Not as root, or with an empty `user`: nothing. Failure is fatal: nobody may
 * go on with rights that he was told to give up.
 */
int privilege_drop(const char *user, const char *state_dir, const char *runtime_dir,
                   struct fault *f);

/* Raises the soft limit on descriptors to the hard one; returns it. */
unsigned long privilege_descriptors(void);

#endif

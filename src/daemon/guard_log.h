/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_GUARD_LOG_H
#define SEKISHO_DAEMON_GUARD_LOG_H

#include "guard/guard.h"

/* A decision of the guard's as a log line: why and by whose word. */
void guard_log(const struct guard_event *event);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_ENFORCE_CONFINE_H
#define SEKISHO_ENFORCE_CONFINE_H

#include "base/fault.h"

/*
 * Gives up everything but what bans need: becomes `user`, keeps CAP_NET_ADMIN alone (no way to more: bounding
 * set, securebits, no_new_privs), lives in a directory that no longer exists, can start nothing, and may call
 * only what reading and writing its sockets, waiting and memory need. Opening a file fails; most other calls
 * end the process. Descriptors stay, and whoever calls closes those it does not need.
 *
 * Needs root. Any failure is fatal: the caller must end.
 */
int confine(const char *user, struct fault *f);

#endif

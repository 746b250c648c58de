/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_GUARD_TRUST_H
#define SEKISHO_DAEMON_GUARD_TRUST_H

#include "config/config.h"
#include "intake/ours.h"
#include "serve/guard_desk.h"

/*
 * Whom the guard never bans: what the operator and the never-ban file say, this machine's own addresses, and the
 * trunks of its switches, named and found. For the guard's thread.
 */
struct trust;

int trust_new(struct trust **out, const struct config *config, struct fault *f);
void trust_free(struct trust *trust);

/* Starts looking names up. */
int trust_start(struct trust *trust, struct fault *f);

/* This machine's addresses, as they are now; filled from trust_new() on. */
const struct ours *trust_machine(const struct trust *trust);

void trust_file(struct trust *trust, const struct network *network); /* the enforcer says so */
void trust_trunk(struct trust *trust, const struct address *trunk, struct instant now);
/* Replaces what the operator decided. ERR_FULL. */
int trust_operator(struct trust *trust, const struct network *networks, size_t n, struct fault *f);

/* Once a second: looks what has changed, and tells the guard if anything has. */
void trust_tick(struct trust *trust, struct guard *guard, struct instant now);

const struct guard_room_exempt *trust_list(const struct trust *trust, size_t *n);

#endif

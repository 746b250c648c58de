/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_ENFORCE_TRUST_H
#define SEKISHO_ENFORCE_TRUST_H

#include "base/address.h"

/*
 * Who is never banned without being asked: found before privilege is dropped.
 *
 * Gateways and name servers are not among them: a ban of the SIP ports does not touch what they do.
 */
typedef void (*trust_function)(void *context, const struct network *network, const char *why);

/* Loopback, and the addresses of this machine's interfaces. ERR_IO. */
int trust_own(trust_function each, void *context, struct fault *f);

/*
 * Addresses from which somebody is logged in by SSH: of `ssh_connection` (SSH_CONNECTION of who started us;
 * may be NULL), and the peers of those sshd processes under `proc` ("/proc") that say that their user has
 * logged in ("sshd: alice@pts/0"). A connection that has not logged in yet is a stranger's: it does not count.
 * What cannot be read is nothing.
 */
void trust_ssh(const char *proc, const char *ssh_connection, trust_function each, void *context);

#endif

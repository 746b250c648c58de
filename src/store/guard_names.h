/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_GUARD_NAMES_H
#define SEKISHO_STORE_GUARD_NAMES_H

#include "base/address.h"
#include "policy/account_hash.h"
#include "store/arena.h"

/*
 * How accounts and networks of the guard stand in the files. An account may be any bytes: it is kept as it can be shown,
 * in lower case, cut at ACCOUNT_NAME_MAX bytes and escaped as by escape(). A network in evidence.db is a BLOB that
 * sorts by address: family, address, length of the prefix.
 */
#define GUARD_NAME_SHOWN_MAX (4 * ACCOUNT_NAME_MAX + 8)

/* NUL-terminated. Returns `out`. */
char *guard_name_show(struct span raw, char out[GUARD_NAME_SHOWN_MAX]);
/* The bytes behind a name that was shown, in lower case. ERR_SYNTAX: it is none. */
int guard_name_read(struct span shown, char raw[ACCOUNT_NAME_MAX], size_t *n, struct fault *f);

#define GUARD_NETWORK_MAX 18 /* 0 to 18 bytes: none, 6 for IPv4, 18 for IPv6 */
struct span guard_network_pack(const struct network *network, char out[GUARD_NETWORK_MAX]);
/* Family 0 for anything that is none. */
struct network guard_network_unpack(struct span packed);

#endif

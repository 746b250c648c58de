/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_GUARD_KEYS_H
#define SEKISHO_GUARD_KEYS_H

#include "base/address.h"
#include "policy/account_hash.h"

/*
 * What the guard's tables find things by: keyed hashes, never 0. SipHash for addresses (libsodium's shorthash),
 * the universal hash of account_hash.h for accounts. Whoever does not know the key can neither choose a bucket nor
 * make two things one.
 */
#define GUARD_KEY_BYTES 32

struct keys {
    uint8_t address[16];
    struct account_hash_keys account;
};

void keys_init(struct keys *keys, const uint8_t key[GUARD_KEY_BYTES]);

/* The network of `bits` that the address is in. `salt` tells tables and modes apart. */
uint64_t keys_network(const struct keys *keys, const struct network *network, uint8_t salt);
/* Names are compared without case and by their first ACCOUNT_NAME_MAX bytes. */
uint64_t keys_account(const struct keys *keys, int64_t switch_id, struct span name);
/* Two keys, or a key and a number, as one. */
uint64_t keys_join(const struct keys *keys, uint64_t a, uint64_t b);

/* The network of that many bits around an address of a family, family 0 for none. */
struct network keys_around(const struct address *address, uint8_t bits);
/* The address alone; of IPv6 the /64 that it is in, which is what one customer has. Family 0 where strangers share
 * one: keys_shares(). */
struct network keys_home(const struct address *address);
/* IPv6 addresses that stand for IPv4 hosts of all the world: translated (64:ff9b::/32, RFC 6052 and 8215) and
 * Teredo (2001::/32). Their /64 is nobody's. */
bool keys_shares(const struct address *address);
/* ::ffff:192.0.2.1 as 192.0.2.1, should a witness have left it as it was. */
struct address keys_unmapped(const struct address *address);

static inline struct network keys_host(const struct address *address)
{
    return keys_around(address, address->family == 4 ? 32 : 128);
}

#endif

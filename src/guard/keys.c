/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/keys.h"

#include <sodium/crypto_shorthash.h>
#include <string.h>

_Static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8, "SipHash-2-4");

void keys_init(struct keys *keys, const uint8_t key[GUARD_KEY_BYTES])
{
    memcpy(keys->address, key, 16);
    account_hash_keys(&keys->account, key + 16);
}

static uint64_t hash(const struct keys *keys, const void *bytes, size_t n)
{
    uint64_t out;

    crypto_shorthash((unsigned char *)&out, bytes, n, keys->address);
    return out ? out : 1;
}

uint64_t keys_network(const struct keys *keys, const struct network *network, uint8_t salt)
{
    uint8_t bytes[19] = {network->family, network->bits, salt};

    memcpy(bytes + 3, network->ip, 16);
    return hash(keys, bytes, network->family == 4 ? 7 : sizeof(bytes));
}

uint64_t keys_account(const struct keys *keys, int64_t switch_id, struct span name)
{
    struct account_hash out;

    name.n = name.n < ACCOUNT_NAME_MAX ? name.n : ACCOUNT_NAME_MAX;
    out = account_hash(&keys->account, switch_id, name);
    return out.what ? out.what : 1;
}

uint64_t keys_join(const struct keys *keys, uint64_t a, uint64_t b)
{
    uint64_t both[2] = {a, b};

    return hash(keys, both, sizeof(both));
}

struct network keys_around(const struct address *address, uint8_t bits)
{
    struct network n = {.family = address->family, .bits = bits};

    if (!address->family)
        return (struct network){0};
    memcpy(n.ip, address->ip, bits / 8);
    if (bits % 8)
        n.ip[bits / 8] = (uint8_t)(address->ip[bits / 8] & 0xff << (8 - bits % 8));
    return n;
}

bool keys_shares(const struct address *address)
{
    static const uint8_t translated[4] = {0, 0x64, 0xff, 0x9b}, teredo[4] = {0x20, 1, 0, 0};

    return address->family == 6 &&
           (memcmp(address->ip, translated, 4) == 0 || memcmp(address->ip, teredo, 4) == 0);
}

struct address keys_unmapped(const struct address *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct address out = {.family = 4, .port = address->port};

    if (address->family != 6 || memcmp(address->ip, mapped, sizeof(mapped)) != 0)
        return *address;
    memcpy(out.ip, address->ip + sizeof(mapped), 4);
    return out;
}

struct network keys_home(const struct address *address)
{
    if (keys_shares(address))
        return (struct network){0};
    return keys_around(address, address->family == 4 ? 32 : 64);
}

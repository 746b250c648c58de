/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/call.h"

#include <assert.h>
#include <sodium.h>

static_assert(crypto_shorthash_BYTES == sizeof(uint64_t), "a hash is a key");

uint64_t call_key(const struct call *call, struct span id, uint32_t nth)
{
    static const unsigned char key[crypto_shorthash_KEYBYTES] = "sekisho's calls";
    unsigned char hash[crypto_shorthash_BYTES];
    uint64_t fixed[6] = {
        (uint64_t)call->start_ms,
        (uint64_t)call->caller << 32 | nth,
        call->seconds,
        call->end,
        call->dialled.n,
        id.n,
    };
    unsigned char text[sizeof(fixed) + 2 * CALL_DIALLED_MAX];
    size_t n = sizeof(fixed), room = CALL_DIALLED_MAX;
    uint64_t out;

    memcpy(text, fixed, sizeof(fixed));
    if (call->dialled.n)
        memcpy(text + n, call->dialled.p, call->dialled.n);
    n += call->dialled.n;
    if (id.n > room) { /* a Call-ID may have any length */
        crypto_shorthash(hash, (const unsigned char *)id.p, id.n, key);
        id = (struct span){(const char *)hash, sizeof(hash)};
    }
    if (id.n)
        memcpy(text + n, id.p, id.n);
    crypto_shorthash(hash, text, n + id.n, key);
    memcpy(&out, hash, sizeof(out));
    return out;
}

const char *call_end_name(enum call_end end)
{
    switch (end) {
    case CALL_ANSWERED: return "answered";
    case CALL_UNANSWERED: return "unanswered";
    case CALL_FAILED: return "failed";
    case CALL_REFUSED: return "refused";
    }
    return "?";
}

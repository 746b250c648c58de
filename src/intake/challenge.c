/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/challenge.h"

/* Whether others may have it too. */
static bool sent(struct nonces *nonces, const struct exchange_message *message,
                 const struct credentials *c, uint64_t id)
{
    bool of_second = nonces_of_second(c->field[DIGEST_NONCE], instant_wall_s(message->at));

    return nonces_sent(nonces, id, &message->to, c->field[DIGEST_REALM], of_second,
                       message->at.boot_ns);
}

static void add_once(struct challenge *challenge, uint64_t ids[CLAIM_REALMS], size_t *n,
                     uint64_t id)
{
    for (size_t i = 0; i < *n; i++)
        if (ids[i] == id)
            return;
    if (*n < CLAIM_REALMS)
        ids[(*n)++] = id;
    else
        challenge->many = true;
}

bool challenge_asks_for_more(const struct challenge *challenge, const struct claim *claim)
{
    if (claim->odd || challenge->many || !challenge->n_realms)
        return false;
    for (size_t i = 0; i < challenge->n_realms; i++)
        if (claim_has_realm(claim, challenge->realms[i]))
            return false;
    return true;
}

struct challenge challenge_read(struct nonces *nonces, const struct exchange_message *message,
                                const struct sip_message *m)
{
    static const enum sip_header headers[] = {SIP_H_WWW_AUTHENTICATE, SIP_H_PROXY_AUTHENTICATE};
    struct challenge out = {.is = m->status == 401 || m->status == 407};
    struct span line;

    for (size_t i = 0; i < 2; i++) {
        struct sip_values lines = sip_values(m, headers[i]);

        while (sip_values_line(&lines, &line)) {
            struct credentials c;

            while (credentials_next(&c, &line) == 0) {
                if (!c.digest || !c.field[DIGEST_NONCE].n)
                    continue;
                uint64_t id = nonces_id(nonces, message->switch_id, c.field[DIGEST_NONCE]);

                out.shared += sent(nonces, message, &c, id);
                add_once(&out, out.nonces, &out.n_nonces, id);
                add_once(&out, out.realms, &out.n_realms,
                         nonces_realm_id(nonces, c.field[DIGEST_REALM]));
                out.stale |= credentials_stale(&c);
            }
        }
    }
    return out;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/proving.h"

#include "intake/echo.h"

static enum proof nonce_proof(struct nonces *nonces, const struct exchange_message *message,
                              uint64_t nonce)
{
    switch (nonces_came(nonces, nonce, &message->from, message->at.boot_ns)) {
    case NONCE_UNKNOWN: break;
    case NONCE_ELSEWHERE: return PROOF_ELSEWHERE;
    case NONCE_SHARED: return PROOF_SHARED;
    case NONCE_HERE: return PROOF_PROVED;
    }
    return PROOF_NONE;
}

static void add_realms(struct nonces *nonces, const struct exchange_message *message,
                       const struct credentials *c, uint64_t nonce, struct claim *claim)
{
    struct span realm = c->field[DIGEST_REALM];

    claim->odd |= !realm.p || credentials_escaped(c, DIGEST_REALM);
    claim_add_realm(claim, nonces_realm_id(nonces, realm));
    claim_add_realm(claim, nonces_realm(nonces, nonce, message->at.boot_ns));
}

/* Those of the request that are best proved speak; of several such, those that a switch would look at: for the realm
 * that it gave the nonce for. Returns how well; -1: there are none. */
static int read_credentials(struct nonces *nonces, const struct exchange_message *message,
                            const struct sip_message *m, struct claim *claim)
{
    struct claim_credentials each = claim_credentials(m);
    struct credentials c;
    int best = -1;

    while (claim_credentials_next(&each, &c)) {
        uint64_t id = nonces_id(nonces, message->switch_id, c.field[DIGEST_NONCE]);
        uint64_t realm = nonces_realm_id(nonces, c.field[DIGEST_REALM]);
        bool fits = realm == nonces_realm(nonces, id, message->at.boot_ns);
        int rank = 2 * (int)nonce_proof(nonces, message, id) + fits;

        add_realms(nonces, message, &c, id, claim);
        if (rank > best) {
            best = rank;
            claim_speak(claim, &c);
        }
    }
    return best < 0 ? -1 : best / 2;
}

/* A nonce that went out to the sender, better proved than `than`, and stands anywhere in `text`; PROOF_NONE: none. */
static enum proof find_echo(struct nonces *nonces, const struct exchange_message *message,
                            struct span text, int than, struct claim *claim)
{
    struct span rest = text, value, user;

    while (echo_next(&rest, SPAN("nonce"), &value)) {
        uint64_t id = nonces_id(nonces, message->switch_id, value);

        enum proof proof = nonce_proof(nonces, message, id);

        if (proof < PROOF_SHARED || (int)proof <= than)
            continue;
        if (echo_next(&text, SPAN("username"), &user))
            claim_name(claim, user);
        claim->odd = true;
        return proof;
    }
    return PROOF_NONE;
}

/* In credentials that are no such as we read; where lines may end elsewhere for others, in the whole header. */
static enum proof read_oddly(struct nonces *nonces, const struct exchange_message *message,
                             const struct sip_message *m, int than, struct claim *claim)
{
    static const enum sip_header headers[] = {SIP_H_AUTHORIZATION, SIP_H_PROXY_AUTHORIZATION};
    struct span line;

    if (m->faults & (SIP_BARE_CR | SIP_NUL | SIP_CONTROL | SIP_HEADER_LINE))
        return find_echo(nonces, message, m->head, than, claim);
    for (size_t i = 0; i < 2; i++) {
        struct sip_values lines = sip_values(m, headers[i]);

        while (sip_values_line(&lines, &line)) {
            enum proof proof = find_echo(nonces, message, line, than, claim);

            if (proof != PROOF_NONE)
                return proof;
        }
    }
    return PROOF_NONE;
}

bool proving_read(struct nonces *nonces, const uint8_t key[16],
                  const struct exchange_message *message, const struct sip_message *m,
                  struct claim *claim)
{
    int best = read_credentials(nonces, message, m, claim);
    enum proof odd =
        best < (int)PROOF_PROVED ? read_oddly(nonces, message, m, best, claim) : PROOF_NONE;
    bool oddly = odd != PROOF_NONE;
    enum proof proof = oddly ? odd : best < 0 ? PROOF_NONE : (enum proof)best;

    if (oddly || best >= 0)
        claim_hash_credentials(claim, m, key);
    claim->proof = message->proved && message->transport != TRANSPORT_UDP ? PROOF_PROVED : proof;
    return oddly;
}

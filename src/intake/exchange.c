/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/exchange.h"

#include <stdlib.h>

#include "base/pages.h"
#include "intake/claim.h"
#include "intake/keyed_hash.h"
#include "intake/nonces.h"
#include "sip/via.h"

#define WAYS 8
#define SECOND INT64_C(1000000000)
#define WAIT_NS (32 * SECOND)   /* timers B, F: RFC 3261 section 17.1 */
#define FOLLOW_NS (10 * SECOND) /* a phone answers a challenge in one round trip */

/* What is kept of a request: the order is that in which they give way. */
enum state {
    FREE,
    ANSWERED,        /* for retransmissions */
    CALL_CHALLENGED, /* an INVITE whose nonce has not come back */
    WAITING,
    WAITING_PROVED, /* with credentials of a nonce that went out to its sender */
};

/* The claim stands apart, so that a bucket is looked through in four cache lines. */
struct request {
    uint64_t key;
    int64_t since_ns;
    uint64_t nonce; /* of the credentials, or of the challenge that they are waited for */
    uint8_t state;  /* enum state */
    bool trying, told;
};
_Static_assert(WAYS * sizeof(struct request) == 256, "four cache lines");

struct exchange {
    struct exchange_config config;
    struct request *requests;
    struct claim *claims; /* of each request */
    struct nonces *nonces;
    struct exchange_figures figures;
};

struct exchange *exchange_new(const struct exchange_config *config)
{
    struct exchange *x = calloc(1, sizeof(*x));

    if (!x)
        return NULL;
    x->config = *config;
    x->requests = pages_new_present(config->request_buckets * WAYS * sizeof(*x->requests));
    x->claims = pages_new_present(config->request_buckets * WAYS * sizeof(*x->claims));
    x->nonces = nonces_new(config->nonce_buckets, config->key);
    if (!x->requests || !x->claims || !x->nonces) {
        exchange_free(x);
        return NULL;
    }
    return x;
}

void exchange_free(struct exchange *x)
{
    if (!x)
        return;
    pages_free(x->requests, x->config.request_buckets * WAYS * sizeof(*x->requests));
    pages_free(x->claims, x->config.request_buckets * WAYS * sizeof(*x->claims));
    nonces_free(x->nonces);
    free(x);
}

const struct exchange_figures *exchange_figures(const struct exchange *x)
{
    return &x->figures;
}

static void tell(struct exchange *x, struct instant at, const struct claim *claim,
                 enum outcome outcome, enum proof proof)
{
    struct attempt a = {
        .at = at,
        .switch_id = claim->switch_id,
        .witness = x->config.witness,
        .outcome = outcome,
        .proof = proof,
        .transport = claim->transport,
        .method = claim->method,
        .source = claim->source,
        .account = claim_span(claim, CLAIM_ACCOUNT),
        .realm = claim_span(claim, CLAIM_REALM),
        .user_agent = claim_span(claim, CLAIM_USER_AGENT),
        .dialled = claim_span(claim, CLAIM_DIALLED),
        .call_id = claim_span(claim, CLAIM_CALL_ID),
        .credentials = claim->credentials,
    };

    x->figures.attempts++;
    x->config.give(x->config.context, &a);
}

/* ---- requests ---- */

static uint64_t key_of(const struct exchange *x, const struct sip_message *m, int64_t switch_id,
                       const struct address *remote)
{
    struct sip_values vias = sip_values(m, SIP_H_VIA);
    struct span top;
    struct via via = {0};

    if (sip_values_next(&vias, &top) && via_parse(&via, top))
        via.branch = (struct span){NULL, 0};

    const struct span parts[] = {
        {(const char *)remote->ip, sizeof(remote->ip)},
        {(const char *)&m->cseq, sizeof(m->cseq)},
        via.branch,
        sip_message_get(m, SIP_H_CALL_ID),
        m->cseq_name,
    };

    return keyed_hash_all(x->config.key, (uint64_t)switch_id, parts,
                          sizeof(parts) / sizeof(parts[0]));
}

static struct request *bucket_of(const struct exchange *x, uint64_t key)
{
    return &x->requests[key % x->config.request_buckets * WAYS];
}

static struct claim *claim_of(const struct exchange *x, const struct request *r)
{
    return &x->claims[r - x->requests];
}

static struct request *find(const struct exchange *x, uint64_t key, int64_t boot_ns)
{
    struct request *ways = bucket_of(x, key);

    for (size_t i = 0; i < WAYS; i++)
        if (ways[i].state != FREE && ways[i].key == key && boot_ns - ways[i].since_ns < WAIT_NS)
            return &ways[i];
    return NULL;
}

/* Its time is over. */
static void expire(struct exchange *x, struct request *r, struct instant now)
{
    int64_t age = now.boot_ns - r->since_ns;

    switch ((enum state)r->state) {
    case FREE: return;
    case CALL_CHALLENGED:
        if (age < FOLLOW_NS)
            return;
        if (nonces_unused(x->nonces, r->nonce, now.boot_ns))
            tell(x, now, claim_of(x, r), OUTCOME_REFUSED_CALL, claim_of(x, r)->proof);
        r->state = ANSWERED;
        return;
    case WAITING:
    case WAITING_PROVED:
        if (age < WAIT_NS)
            return;
        x->figures.unanswered += claim_of(x, r)->credentials != 0;
        break;
    case ANSWERED:
        if (age < WAIT_NS)
            return;
        break;
    }
    r->state = FREE;
}

void exchange_tick(struct exchange *x, struct instant now)
{
    for (size_t i = 0; i < x->config.request_buckets * WAYS; i++)
        expire(x, &x->requests[i], now);
}

static struct request *make_room(struct exchange *x, uint64_t key, struct instant now)
{
    struct request *ways = bucket_of(x, key), *least = &ways[0];

    for (size_t i = 0; i < WAYS; i++) {
        expire(x, &ways[i], now);
        if (ways[i].state < least->state ||
            (ways[i].state == least->state && ways[i].since_ns < least->since_ns))
            least = &ways[i];
    }
    if (least->state >= WAITING) {
        const struct claim *claim = claim_of(x, least);

        x->figures.pushed_out++;
        if (claim->proof != PROOF_NONE && claim->credentials)
            tell(x, now, claim, OUTCOME_WRONG_CREDENTIALS, PROOF_ELSEWHERE);
    }
    return least;
}

/* The credentials of the request that are best proved, and how well. */
static void prove(struct exchange *x, const struct exchange_message *message,
                  const struct sip_message *m, struct claim *claim, uint64_t *nonce)
{
    struct claim_credentials each = claim_credentials(m);
    struct credentials c;
    enum proof best = PROOF_NONE;
    bool first = true;

    while (claim_credentials_next(&each, &c)) {
        uint64_t id = nonces_id(x->nonces, message->switch_id, c.field[DIGEST_NONCE]);
        enum proof proof = PROOF_NONE;

        switch (nonces_came(x->nonces, id, &message->from, message->at.boot_ns)) {
        case NONCE_UNKNOWN: break;
        case NONCE_ELSEWHERE: proof = PROOF_ELSEWHERE; break;
        case NONCE_HERE: proof = PROOF_PROVED; break;
        }
        claim_add_credentials(claim, &c, x->config.key, first || proof > best);
        if (first || proof > best) {
            best = proof;
            *nonce = id;
        }
        first = false;
    }
    claim->proof = message->proved && message->transport != TRANSPORT_UDP ? PROOF_PROVED : best;
}

/* Is a reply to it of any interest? */
static bool is_asked(const struct claim *claim)
{
    if (claim->sip == SIP_ACK || claim->sip == SIP_CANCEL)
        return false;
    if (claim->credentials)
        return true;
    return !claim->in_dialog &&
           (claim->sip == SIP_REGISTER || claim->sip == SIP_INVITE || claim->sip == SIP_SUBSCRIBE ||
            claim->sip == SIP_MESSAGE || claim->sip == SIP_PUBLISH || claim->sip == SIP_OPTIONS);
}

/* What shows without a reply. */
static bool tell_at_once(struct exchange *x, const struct exchange_message *message,
                         const struct claim *claim, bool malformed)
{
    bool probe = !claim->credentials && !claim->in_dialog &&
                 (claim->sip == SIP_OPTIONS ||
                  (claim->scanner && claim->sip != SIP_ACK && claim->sip != SIP_CANCEL));

    if (malformed)
        tell(x, message->at, claim, OUTCOME_MALFORMED, claim->proof);
    else if (probe)
        tell(x, message->at, claim, OUTCOME_PROBE, claim->proof);
    return malformed || probe;
}

static void request(struct exchange *x, const struct exchange_message *message,
                    const struct sip_message *m)
{
    struct instant at = message->at;
    struct claim claim;
    uint64_t nonce = 0, key = key_of(x, m, message->switch_id, &message->from);
    struct request *r = find(x, key, at.boot_ns);
    const struct claim *before = r ? claim_of(x, r) : NULL;

    claim_read(&claim, m, message->switch_id, &message->from, message->transport);
    prove(x, message, m, &claim, &nonce);
    if (before && before->credentials == claim.credentials && before->sip == claim.sip) {
        x->figures.retransmitted++;
        return;
    }
    bool told =
        tell_at_once(x, message, &claim, claim_is_malformed(m, message->cut, message->doubtful));

    if (!is_asked(&claim) && !told)
        return;
    if (before && r->state >= WAITING && before->credentials)
        tell(x, at, before, OUTCOME_WRONG_CREDENTIALS, before->proof);
    if (!r)
        r = make_room(x, key, at);
    *r = (struct request){
        .key = key,
        .since_ns = at.boot_ns,
        .state = claim.credentials && claim.proof == PROOF_PROVED ? WAITING_PROVED : WAITING,
        .nonce = nonce,
        .told = told && !claim.credentials,
    };
    *claim_of(x, r) = claim;
}

/* ---- replies ---- */

struct challenge {
    bool is;
    bool stale;
    struct span realm;
    uint64_t nonce; /* of the first that has one */
};

/* Remembers all nonces that go out. */
static struct challenge challenges(struct exchange *x, const struct exchange_message *message,
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
                uint64_t id = nonces_id(x->nonces, message->switch_id, c.field[DIGEST_NONCE]);

                nonces_sent(x->nonces, id, &message->to, c.field[DIGEST_REALM],
                            message->at.boot_ns);
                if (!out.nonce) {
                    out.nonce = id;
                    out.realm = c.field[DIGEST_REALM];
                }
                out.stale |= credentials_stale(&c);
            }
        }
    }
    return out;
}

/* A reply that says what a request with credentials was; -1: nothing. */
static int with_credentials(const struct exchange *x, const struct request *r, unsigned status,
                            const struct challenge *challenge, int64_t boot_ns)
{
    enum sip_method method = claim_of(x, r)->sip;

    if (challenge->is) {
        bool other = challenge->nonce &&
                     nonces_of_other_realm(x->nonces, r->nonce, challenge->realm, boot_ns);

        return challenge->stale || other ? OUTCOME_CHALLENGED : OUTCOME_WRONG_CREDENTIALS;
    }
    if (status == 403)
        return method == SIP_INVITE && r->trying ? -1 : OUTCOME_WRONG_CREDENTIALS;
    if (status == 404 && method == SIP_REGISTER)
        return OUTCOME_UNKNOWN_ACCOUNT;
    if (method == SIP_INVITE ? status > 100 && status < 300
                             : method == SIP_REGISTER && status >= 200 && status < 300)
        return OUTCOME_SUCCESS;
    return -1;
}

static int without_credentials(const struct claim *claim, unsigned status,
                               const struct challenge *challenge)
{
    if (challenge->is)
        return OUTCOME_CHALLENGED;
    if (claim->sip == SIP_REGISTER && (status == 403 || status == 404))
        return OUTCOME_UNKNOWN_ACCOUNT;
    if (claim->sip == SIP_INVITE &&
        (status == 403 || status == 404 || status == 484 || status == 603 || status == 604))
        return OUTCOME_REFUSED_CALL;
    return -1;
}

static void answered(struct exchange *x, const struct exchange_message *message, struct request *r,
                     unsigned status, const struct challenge *challenge)
{
    struct instant at = message->at;
    const struct claim *claim = claim_of(x, r);
    bool final = status >= 200, rings = status > 100 && !final;
    int outcome = claim->credentials ? with_credentials(x, r, status, challenge, at.boot_ns)
                  : final            ? without_credentials(claim, status, challenge)
                                     : -1;

    if (r->told)
        outcome = -1;
    r->trying |= status < 200;
    if (rings) /* what comes now is about the call, not about the caller */
        r->told = true;
    if (final)
        r->state = ANSWERED;
    if (outcome < 0)
        return;
    if (challenge->is && claim->sip == SIP_INVITE && !claim->credentials && challenge->nonce) {
        r->state = CALL_CHALLENGED;
        r->since_ns = at.boot_ns;
        r->nonce = challenge->nonce;
    }
    tell(x, at, claim, (enum outcome)outcome, claim->proof);
}

static void reply(struct exchange *x, const struct exchange_message *message,
                  const struct sip_message *m)
{
    struct challenge challenge = challenges(x, message, m);
    struct request *r =
        find(x, key_of(x, m, message->switch_id, &message->to), message->at.boot_ns);

    if (!r) {
        x->figures.orphans += m->status == 401 || m->status == 403 || m->status == 407;
        return;
    }
    if (r->state < WAITING || !m->status) {
        x->figures.retransmitted += r->state < WAITING;
        return;
    }
    answered(x, message, r, m->status, &challenge);
}

/* ---- messages ---- */

/* Line ends, zeros and STUN (RFC 5389) keep a way through NAT open. */
static bool is_keepalive(struct span bytes)
{
    size_t i = 0;

    if (bytes.n >= 20 && (bytes.p[0] & 0xc0) == 0 &&
        memcmp(bytes.p + 4, "\x21\x12\xa4\x42", 4) == 0)
        return true;
    while (i < bytes.n &&
           (bytes.p[i] == 0 || bytes.p[i] == ' ' || bytes.p[i] == '\r' || bytes.p[i] == '\n'))
        i++;
    return i == bytes.n;
}

static void no_sip(struct exchange *x, const struct exchange_message *message)
{
    struct claim claim;

    x->figures.not_understood++;
    if (message->way != EXCHANGE_IN)
        return;
    claim_none(&claim, message->switch_id, &message->from, message->transport);
    tell(x, message->at, &claim, OUTCOME_MALFORMED,
         message->proved && message->transport != TRANSPORT_UDP ? PROOF_PROVED : PROOF_NONE);
}

/* A REGISTER of the switch's own: whoever passes one on adds a Via to the one that was there. */
static void going_out(const struct exchange *x, const struct exchange_message *message,
                      const struct sip_message *m)
{
    struct sip_values vias = sip_values(m, SIP_H_VIA);
    struct span via;

    if (x->config.trunk && m->method == SIP_REGISTER && sip_values_next(&vias, &via) &&
        !sip_values_next(&vias, &via))
        x->config.trunk(x->config.context, &message->to);
}

void exchange_take(struct exchange *x, const struct exchange_message *message)
{
    struct sip_message m;

    x->figures.seen++;
    if (message->way == EXCHANGE_PASSING) {
        x->figures.passing++;
        return;
    }
    if (is_keepalive(message->bytes)) {
        x->figures.keepalives++;
        return;
    }
    if (sip_message_read(&m, message->bytes)) {
        no_sip(x, message);
        return;
    }
    if (claim_is_malformed(&m, message->cut, message->doubtful)) {
        x->figures.not_understood++;
    } else {
        x->figures.understood++;
        x->figures.last_ns = message->at.boot_ns;
    }
    if (m.request && message->way == EXCHANGE_IN) {
        x->figures.requests++;
        request(x, message, &m);
    } else if (!m.request && message->way == EXCHANGE_OUT) {
        x->figures.replies++;
        reply(x, message, &m);
    } else if (m.request && message->way == EXCHANGE_OUT) {
        going_out(x, message, &m);
    }
}

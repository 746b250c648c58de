/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/exchange.h"

#include <stdlib.h>

#include "intake/challenge.h"
#include "intake/keyed_hash.h"
#include "intake/proving.h"
#include "intake/pushed_out.h"
#include "intake/requests.h"
#include "sip/via.h"

#define FOLLOW_NS INT64_C(10000000000) /* a phone answers a challenge in one round trip */

struct exchange {
    struct exchange_config config;
    struct requests requests;
    struct nonces *nonces;
    struct pushed_out *gone;
    struct exchange_figures figures;
};

struct exchange *exchange_new(const struct exchange_config *config)
{
    struct exchange *x = calloc(1, sizeof(*x));

    if (!x)
        return NULL;
    x->config = *config;
    int err = requests_init(&x->requests, config->request_buckets);

    x->nonces = nonces_new(config->nonce_buckets, config->key);
    x->gone = calloc(1, sizeof(*x->gone));
    if (err || !x->nonces || !x->gone) {
        exchange_free(x);
        return NULL;
    }
    return x;
}

void exchange_free(struct exchange *x)
{
    if (!x)
        return;
    requests_done(&x->requests);
    nonces_free(x->nonces);
    free(x->gone);
    free(x);
}

const struct exchange_figures *exchange_figures(const struct exchange *x)
{
    return &x->figures;
}

static void hand_on(struct exchange *x, struct instant at, const struct claim *claim,
                    enum outcome outcome, enum proof proof, bool doubtful)
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
        .doubtful = doubtful,
    };

    x->figures.attempts++;
    x->config.give(x->config.context, &a);
}

static void tell(struct exchange *x, struct instant at, const struct claim *claim,
                 enum outcome outcome, enum proof proof)
{
    hand_on(x, at, claim, outcome, proof, false);
}

/* ---- requests ---- */

/* "register" is answered as REGISTER. */
static struct span method_of(const struct sip_message *m)
{
    bool exact;
    enum sip_method method = sip_method_find(m->cseq_name, &exact);

    return method == SIP_OTHER ? m->cseq_name : span_of(sip_method_name(method));
}

static uint64_t key_of(const struct exchange *x, const struct sip_message *m, int64_t switch_id,
                       const struct address *remote)
{
    const struct span parts[] = {
        {(const char *)remote->ip, sizeof(remote->ip)},
        {(const char *)&m->cseq, sizeof(m->cseq)},
        sip_message_get(m, SIP_H_CALL_ID),
        method_of(m),
    };

    return keyed_hash_all(x->config.key, (uint64_t)switch_id, parts,
                          sizeof(parts) / sizeof(parts[0]));
}

/* Which of several with the same key. What does not come back as it went, of a Via as nobody writes it, is none. */
static uint32_t branch_of(const struct exchange *x, const struct sip_message *m)
{
    struct sip_values vias = sip_values(m, SIP_H_VIA);
    struct span top;
    struct via via;

    if (!sip_values_next(&vias, &top) || via_parse(&via, top) || !field_is_token(via.branch))
        return 0;
    return (uint32_t)keyed_hash(x->config.key, 0, via.branch) | 1;
}

/* None of the nonces that it was given has come back. */
static bool all_unused(const struct exchange *x, const struct claim *claim, struct instant now)
{
    for (size_t i = 0; i < claim->n_awaited; i++)
        if (!nonces_unused(x->nonces, claim->awaited[i], &claim->source, now.boot_ns))
            return false;
    return true;
}

/* Its time is over. */
static void expire(struct exchange *x, struct request *r, struct instant now)
{
    int64_t age = now.boot_ns - r->since_ns;
    const struct claim *claim;

    switch ((enum request_state)r->state) {
    case REQUEST_FREE: return;
    case REQUEST_CALL_CHALLENGED:
        if (age < FOLLOW_NS)
            return;
        claim = requests_claim(&x->requests, r);
        if (all_unused(x, claim, now))
            tell(x, now, claim, OUTCOME_REFUSED_CALL, claim->proof);
        requests_enter(&x->requests, r, REQUEST_ANSWERED);
        return;
    case REQUEST_WAITING:
    case REQUEST_WAITING_PROVED:
        if (age < request_kept_ns(r))
            return;
        x->figures.unanswered += r->credentials != 0;
        break;
    case REQUEST_ANSWERED:
    case REQUEST_GRANTED:
        if (age < request_kept_ns(r))
            return;
        break;
    }
    requests_enter(&x->requests, r, REQUEST_FREE);
}

void exchange_tick(struct exchange *x, struct instant now)
{
    for (size_t i = 0; i < x->config.request_buckets * REQUESTS_WAYS; i++)
        expire(x, &x->requests.at[i], now);
}

static struct request *make_room(struct exchange *x, uint64_t key, struct instant now)
{
    struct request *ways = requests_bucket(&x->requests, key);

    for (size_t i = 0; i < REQUESTS_WAYS; i++)
        expire(x, &ways[i], now);

    struct request *least = requests_least(&x->requests, key);

    if (least->credentials && least->state >= REQUEST_WAITING)
        pushed_out_note(x->gone, least->key, now.boot_ns, REQUEST_REPEAT_NS);
    if (request_is_waiting(least)) {
        const struct claim *claim = requests_claim(&x->requests, least);
        bool own = least->key == key;

        x->figures.pushed_out++;
        if (claim->credentials && !least->told && (own || claim->proof != PROOF_NONE))
            tell(x, now, claim, OUTCOME_WRONG_CREDENTIALS, own ? claim->proof : PROOF_ELSEWHERE);
    }
    return least;
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

/* Is it a guess whose reply we would not know? `oddly`: as prove() says. */
static bool is_hidden(const struct claim *claim, const struct sip_message *m, bool oddly)
{
    return claim->credentials && claim->sip != SIP_ACK && claim->sip != SIP_CANCEL &&
           (claim_is_unmatchable(m) || (oddly && m->faults & SIP_BARE_CR));
}

/* What shows without a reply. */
static bool tell_at_once(struct exchange *x, const struct exchange_message *message,
                         const struct claim *claim, bool malformed, bool hidden)
{
    bool probe = !claim->credentials && !claim->in_dialog &&
                 (claim->sip == SIP_OPTIONS ||
                  (claim->scanner && claim->sip != SIP_ACK && claim->sip != SIP_CANCEL));

    if (hidden)
        tell(x, message->at, claim, OUTCOME_WRONG_CREDENTIALS, claim->proof);
    else if (malformed)
        tell(x, message->at, claim, OUTCOME_MALFORMED, claim->proof);
    else if (probe)
        tell(x, message->at, claim, OUTCOME_PROBE, claim->proof);
    return hidden || malformed || probe;
}

/* Two in one place, of which the switch answers one: where it lets in, nobody knows whom. */
static bool is_mixed(const struct request *before, const struct claim *claim)
{
    return before && claim->credentials &&
           (request_is_waiting(before) || before->state == REQUEST_GRANTED || before->mixed);
}

static void request(struct exchange *x, const struct exchange_message *message,
                    const struct sip_message *m)
{
    struct instant at = message->at;
    struct claim claim;
    uint64_t key = key_of(x, m, message->switch_id, &message->from);
    uint32_t branch = branch_of(x, m);
    struct request *r = requests_find(&x->requests, key, branch, at.boot_ns);

    claim_read(&claim, m, message->switch_id, &message->from, message->transport);
    bool hidden = is_hidden(&claim, m, proving_read(x->nonces, x->config.key, message, m, &claim));
    /* The credentials may stand behind what we have: no phone has so long a header. */
    bool endless = message->cut && m->faults & SIP_NO_END && !claim.credentials;

    if (endless) {
        claim_hash_credentials(&claim, m, x->config.key);
        claim.odd = true;
    }

    if (r && r->credentials == claim.credentials && (enum sip_method)r->sip == claim.sip) {
        x->figures.retransmitted++;
        return;
    }
    bool told = tell_at_once(x, message, &claim,
                             claim_is_malformed(m, message->cut, message->doubtful), hidden);
    bool mixed = is_mixed(r, &claim) || endless;
    bool doubtful =
        claim.credentials && pushed_out_has(x->gone, key, at.boot_ns, REQUEST_REPEAT_NS);

    if (!is_asked(&claim) && !told)
        return;
    if (r && request_is_waiting(r) && r->credentials && !r->told) {
        const struct claim *before = requests_claim(&x->requests, r);

        tell(x, at, before, OUTCOME_WRONG_CREDENTIALS, before->proof);
    }
    if (!r)
        r = make_room(x, key, at);
    const struct request as = {
        .key = key,
        .branch = branch,
        .mixed = mixed,
        .doubtful = doubtful,
        .since_ns = at.boot_ns,
        .state = claim.credentials && claim.proof == PROOF_PROVED ? REQUEST_WAITING_PROVED
                                                                  : REQUEST_WAITING,
        .told = hidden || (told && !claim.credentials),
    };

    requests_put(&x->requests, r, &as, &claim);
}

/* ---- replies ---- */

static bool lets_in(enum sip_method method, unsigned status)
{
    return method == SIP_INVITE ? status > 100 && status < 300
                                : method == SIP_REGISTER && status >= 200 && status < 300;
}

/* A reply that says what a request with credentials was; -1: nothing. */
static int with_credentials(const struct request *r, const struct claim *claim, unsigned status,
                            const struct challenge *challenge)
{
    enum sip_method method = claim->sip;

    if (challenge->is)
        return challenge->stale || challenge_asks_for_more(challenge, claim)
                   ? OUTCOME_CHALLENGED
                   : OUTCOME_WRONG_CREDENTIALS;
    if (status == 403)
        return method == SIP_INVITE && r->trying ? -1 : OUTCOME_WRONG_CREDENTIALS;
    if (status == 404 && method == SIP_REGISTER)
        return OUTCOME_UNKNOWN_ACCOUNT;
    return !r->mixed && lets_in(method, status) ? OUTCOME_SUCCESS : -1;
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
    struct claim *claim = requests_claim(&x->requests, r);
    bool final = status >= 200, rings = status > 100 && !final;
    int outcome = claim->credentials ? with_credentials(r, claim, status, challenge)
                  : final            ? without_credentials(claim, status, challenge)
                                     : -1;

    if (r->told)
        outcome = -1;
    r->trying |= status < 200;
    if (rings) /* what comes now is about the call, not about the caller */
        r->told = true;
    if (outcome >= 0)
        hand_on(x, at, claim, (enum outcome)outcome, claim->proof,
                r->doubtful && outcome == OUTCOME_SUCCESS);
    if (outcome >= 0 && challenge->is && claim->sip == SIP_INVITE && !claim->credentials &&
        challenge->n_nonces && !challenge->many) {
        r->since_ns = at.boot_ns;
        claim_await(claim, challenge->nonces, challenge->n_nonces);
        requests_enter(&x->requests, r, REQUEST_CALL_CHALLENGED);
    } else if (final) {
        bool granted = lets_in(claim->sip, status);

        r->since_ns = granted ? at.boot_ns : r->since_ns;
        requests_enter(&x->requests, r, granted ? REQUEST_GRANTED : REQUEST_ANSWERED);
    }
}

static void reply(struct exchange *x, const struct exchange_message *message,
                  const struct sip_message *m)
{
    struct challenge challenge = challenge_read(x->nonces, message, m);
    struct request *r = requests_find(&x->requests, key_of(x, m, message->switch_id, &message->to),
                                      branch_of(x, m), message->at.boot_ns);

    x->figures.shared += challenge.shared;
    if (challenge.shared)
        x->figures.shared_ns = message->at.boot_ns;

    if (!r) {
        x->figures.orphans += m->status == 401 || m->status == 403 || m->status == 407;
        return;
    }
    if (!request_is_waiting(r) || !m->status) {
        x->figures.retransmitted += !request_is_waiting(r);
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
    if (is_keepalive(message->bytes) && !message->doubtful) {
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

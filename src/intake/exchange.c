/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/exchange.h"

#include <stdlib.h>

#include "base/pages.h"
#include "intake/claim.h"
#include "intake/echo.h"
#include "intake/keyed_hash.h"
#include "intake/nonces.h"
#include "intake/pushed_out.h"
#include "sip/via.h"

#define WAYS 8
#define SECOND INT64_C(1000000000)
#define WAIT_NS (32 * SECOND) /* timers B, F: RFC 3261 section 17.1 */
#define REPEAT_NS                                                                                  \
    (36 * SECOND) /* for so long a switch repeats its answer: timer J, and some more */
#define FOLLOW_NS (10 * SECOND) /* a phone answers a challenge in one round trip */

/* What is kept of a request: the order is that in which they give way. */
enum state {
    FREE,
    ANSWERED,        /* for retransmissions */
    CALL_CHALLENGED, /* an INVITE whose nonce has not come back */
    WAITING,
    GRANTED,        /* answered with what lets in */
    WAITING_PROVED, /* with credentials of a nonce that went out to its sender */
};

/* The claim stands apart, so that a bucket is looked through in three cache lines. */
struct request {
    uint64_t key;
    int64_t since_ns;
    uint32_t branch; /* 0: none, or one that a switch may read otherwise */
    uint8_t state;   /* enum state */
    bool trying : 1, told : 1;
    bool mixed : 1;    /* what lets in may be the answer to another request */
    bool doubtful : 1; /* the same, if there was one: a flood has pushed out what would tell */
};
_Static_assert(WAYS * sizeof(struct request) == 192, "three cache lines");

struct exchange {
    struct exchange_config config;
    struct request *requests;
    struct claim *claims; /* of each request */
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
    x->requests = pages_new_present(config->request_buckets * WAYS * sizeof(*x->requests));
    x->claims = pages_new_present(config->request_buckets * WAYS * sizeof(*x->claims));
    x->nonces = nonces_new(config->nonce_buckets, config->key);
    x->gone = calloc(1, sizeof(*x->gone));
    if (!x->requests || !x->claims || !x->nonces || !x->gone) {
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

static struct request *bucket_of(const struct exchange *x, uint64_t key)
{
    return &x->requests[key % x->config.request_buckets * WAYS];
}

static struct claim *claim_of(const struct exchange *x, const struct request *r)
{
    return &x->claims[r - x->requests];
}

static bool is_waiting(const struct request *r)
{
    return r->state == WAITING || r->state == WAITING_PROVED;
}

static int64_t kept_ns(const struct request *r)
{
    return r->state == GRANTED ? REPEAT_NS : WAIT_NS;
}

/* The one with this branch; else, where it or the branch is none, the one that weighs most. */
static struct request *find(const struct exchange *x, uint64_t key, uint32_t branch,
                            int64_t boot_ns)
{
    struct request *ways = bucket_of(x, key), *likely = NULL;

    for (size_t i = 0; i < WAYS; i++) {
        struct request *r = &ways[i];

        if (r->state == FREE || r->key != key || boot_ns - r->since_ns >= kept_ns(r))
            continue;
        if (r->branch == branch)
            return r;
        if ((!r->branch || !branch) && (!likely || r->state > likely->state))
            likely = r;
    }
    return likely;
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

    switch ((enum state)r->state) {
    case FREE: return;
    case CALL_CHALLENGED:
        if (age < FOLLOW_NS)
            return;
        if (all_unused(x, claim_of(x, r), now))
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
    case GRANTED:
        if (age < kept_ns(r))
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

/* Who sends many with one Call-ID and CSeq takes from himself. */
static bool gives_way(const struct request *a, const struct request *b, uint64_t key)
{
    bool own = a->key == key && is_waiting(a), other = b->key == key && is_waiting(b);

    if (own != other && a->state >= WAITING && b->state >= WAITING)
        return own;
    return a->state != b->state ? a->state < b->state : a->since_ns < b->since_ns;
}

static struct request *make_room(struct exchange *x, uint64_t key, struct instant now)
{
    struct request *ways = bucket_of(x, key), *least = &ways[0];

    for (size_t i = 0; i < WAYS; i++) {
        expire(x, &ways[i], now);
        if (gives_way(&ways[i], least, key))
            least = &ways[i];
    }
    const struct claim *claim = claim_of(x, least);

    if (claim->credentials && least->state >= WAITING)
        pushed_out_note(x->gone, least->key, now.boot_ns, REPEAT_NS);
    if (is_waiting(least)) {
        bool own = least->key == key;

        x->figures.pushed_out++;
        if (claim->credentials && !least->told && (own || claim->proof != PROOF_NONE))
            tell(x, now, claim, OUTCOME_WRONG_CREDENTIALS, own ? claim->proof : PROOF_ELSEWHERE);
    }
    return least;
}

static enum proof nonce_proof(struct exchange *x, const struct exchange_message *message,
                              uint64_t nonce)
{
    switch (nonces_came(x->nonces, nonce, &message->from, message->at.boot_ns)) {
    case NONCE_UNKNOWN: break;
    case NONCE_ELSEWHERE: return PROOF_ELSEWHERE;
    case NONCE_SHARED: return PROOF_SHARED;
    case NONCE_HERE: return PROOF_PROVED;
    }
    return PROOF_NONE;
}

static void add_realms(const struct exchange *x, const struct exchange_message *message,
                       const struct credentials *c, uint64_t nonce, struct claim *claim)
{
    struct span realm = c->field[DIGEST_REALM];

    claim->odd |= !realm.p || credentials_escaped(c, DIGEST_REALM);
    claim_add_realm(claim, nonces_realm_id(x->nonces, realm));
    claim_add_realm(claim, nonces_realm(x->nonces, nonce, message->at.boot_ns));
}

/* Those of the request that are best proved speak; of several such, those that a switch would look at: for the realm
 * that it gave the nonce for. Returns how well; -1: there are none. */
static int read_credentials(struct exchange *x, const struct exchange_message *message,
                            const struct sip_message *m, struct claim *claim)
{
    struct claim_credentials each = claim_credentials(m);
    struct credentials c;
    int best = -1;

    while (claim_credentials_next(&each, &c)) {
        uint64_t id = nonces_id(x->nonces, message->switch_id, c.field[DIGEST_NONCE]);
        uint64_t realm = nonces_realm_id(x->nonces, c.field[DIGEST_REALM]);
        bool fits = realm == nonces_realm(x->nonces, id, message->at.boot_ns);
        int rank = 2 * (int)nonce_proof(x, message, id) + fits;

        add_realms(x, message, &c, id, claim);
        if (rank > best) {
            best = rank;
            claim_speak(claim, &c);
        }
    }
    return best < 0 ? -1 : best / 2;
}

/* A nonce that went out to the sender, better proved than `than`, and stands anywhere in `text`; PROOF_NONE: none. */
static enum proof find_echo(struct exchange *x, const struct exchange_message *message,
                            struct span text, int than, struct claim *claim)
{
    struct span rest = text, value, user;

    while (echo_next(&rest, SPAN("nonce"), &value)) {
        uint64_t id = nonces_id(x->nonces, message->switch_id, value);

        enum proof proof = nonce_proof(x, message, id);

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
static enum proof read_oddly(struct exchange *x, const struct exchange_message *message,
                             const struct sip_message *m, int than, struct claim *claim)
{
    static const enum sip_header headers[] = {SIP_H_AUTHORIZATION, SIP_H_PROXY_AUTHORIZATION};
    struct span line;

    if (m->faults & (SIP_BARE_CR | SIP_NUL | SIP_CONTROL | SIP_HEADER_LINE))
        return find_echo(x, message, m->head, than, claim);
    for (size_t i = 0; i < 2; i++) {
        struct sip_values lines = sip_values(m, headers[i]);

        while (sip_values_line(&lines, &line)) {
            enum proof proof = find_echo(x, message, line, than, claim);

            if (proof != PROOF_NONE)
                return proof;
        }
    }
    return PROOF_NONE;
}

/* How well the credentials are proved. Of what the switch may read otherwise than we, the worst is believed. Returns
 * whether they were found where we read none. */
static bool prove(struct exchange *x, const struct exchange_message *message,
                  const struct sip_message *m, struct claim *claim)
{
    int best = read_credentials(x, message, m, claim);
    enum proof odd = best < (int)PROOF_PROVED ? read_oddly(x, message, m, best, claim) : PROOF_NONE;
    bool oddly = odd != PROOF_NONE;
    enum proof proof = oddly ? odd : best < 0 ? PROOF_NONE : (enum proof)best;

    if (oddly || best >= 0)
        claim_hash_credentials(claim, m, x->config.key);
    claim->proof = message->proved && message->transport != TRANSPORT_UDP ? PROOF_PROVED : proof;
    return oddly;
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
           (is_waiting(before) || before->state == GRANTED || before->mixed);
}

static void request(struct exchange *x, const struct exchange_message *message,
                    const struct sip_message *m)
{
    struct instant at = message->at;
    struct claim claim;
    uint64_t key = key_of(x, m, message->switch_id, &message->from);
    uint32_t branch = branch_of(x, m);
    struct request *r = find(x, key, branch, at.boot_ns);
    const struct claim *before = r ? claim_of(x, r) : NULL;

    claim_read(&claim, m, message->switch_id, &message->from, message->transport);
    bool hidden = is_hidden(&claim, m, prove(x, message, m, &claim));
    /* The credentials may stand behind what we have: no phone has so long a header. */
    bool endless = message->cut && m->faults & SIP_NO_END && !claim.credentials;

    if (endless) {
        claim_hash_credentials(&claim, m, x->config.key);
        claim.odd = true;
    }

    if (before && before->credentials == claim.credentials && before->sip == claim.sip) {
        x->figures.retransmitted++;
        return;
    }
    bool told = tell_at_once(x, message, &claim,
                             claim_is_malformed(m, message->cut, message->doubtful), hidden);
    bool mixed = is_mixed(r, &claim) || endless;
    bool doubtful = claim.credentials && pushed_out_has(x->gone, key, at.boot_ns, REPEAT_NS);

    if (!is_asked(&claim) && !told)
        return;
    if (before && is_waiting(r) && before->credentials && !r->told)
        tell(x, at, before, OUTCOME_WRONG_CREDENTIALS, before->proof);
    if (!r)
        r = make_room(x, key, at);
    *r = (struct request){
        .key = key,
        .branch = branch,
        .mixed = mixed,
        .doubtful = doubtful,
        .since_ns = at.boot_ns,
        .state = claim.credentials && claim.proof == PROOF_PROVED ? WAITING_PROVED : WAITING,
        .told = hidden || (told && !claim.credentials),
    };
    *claim_of(x, r) = claim;
}

/* ---- replies ---- */

struct challenge {
    bool is;
    bool stale;

    /* Each algorithm has a line, perhaps with a nonce of its own (RFC 8760); each server behind a proxy may ask for a realm
     * of its own. `many`: and more. */
    uint64_t realms[CLAIM_REALMS], nonces[CLAIM_REALMS];
    size_t n_realms, n_nonces;
    bool many;
};

static void sent(struct exchange *x, const struct exchange_message *message,
                 const struct credentials *c, uint64_t id)
{
    bool of_second = nonces_of_second(c->field[DIGEST_NONCE], instant_wall_s(message->at));

    if (nonces_sent(x->nonces, id, &message->to, c->field[DIGEST_REALM], of_second,
                    message->at.boot_ns)) {
        x->figures.shared++;
        x->figures.shared_ns = message->at.boot_ns;
    }
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

/* Does it ask for other realms than the credentials were for, and for those alone? One of theirs among several was
 * refused. */
static bool asks_for_more(const struct challenge *challenge, const struct claim *claim)
{
    if (claim->odd || challenge->many || !challenge->n_realms)
        return false;
    for (size_t i = 0; i < challenge->n_realms; i++)
        if (claim_has_realm(claim, challenge->realms[i]))
            return false;
    return true;
}

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

                sent(x, message, &c, id);
                add_once(&out, out.nonces, &out.n_nonces, id);
                add_once(&out, out.realms, &out.n_realms,
                         nonces_realm_id(x->nonces, c.field[DIGEST_REALM]));
                out.stale |= credentials_stale(&c);
            }
        }
    }
    return out;
}

static bool lets_in(enum sip_method method, unsigned status)
{
    return method == SIP_INVITE ? status > 100 && status < 300
                                : method == SIP_REGISTER && status >= 200 && status < 300;
}

/* A reply that says what a request with credentials was; -1: nothing. */
static int with_credentials(const struct exchange *x, const struct request *r, unsigned status,
                            const struct challenge *challenge)
{
    enum sip_method method = claim_of(x, r)->sip;

    if (challenge->is)
        return challenge->stale || asks_for_more(challenge, claim_of(x, r))
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
    const struct claim *claim = claim_of(x, r);
    bool final = status >= 200, rings = status > 100 && !final;
    int outcome = claim->credentials ? with_credentials(x, r, status, challenge)
                  : final            ? without_credentials(claim, status, challenge)
                                     : -1;

    if (r->told)
        outcome = -1;
    r->trying |= status < 200;
    if (rings) /* what comes now is about the call, not about the caller */
        r->told = true;
    if (final) {
        r->state = lets_in(claim->sip, status) ? GRANTED : ANSWERED;
        r->since_ns = r->state == GRANTED ? at.boot_ns : r->since_ns;
    }
    if (outcome < 0)
        return;
    if (challenge->is && claim->sip == SIP_INVITE && !claim->credentials && challenge->n_nonces &&
        !challenge->many) {
        r->state = CALL_CHALLENGED;
        r->since_ns = at.boot_ns;
        claim_await(claim_of(x, r), challenge->nonces, challenge->n_nonces);
    }
    hand_on(x, at, claim, (enum outcome)outcome, claim->proof,
            r->doubtful && outcome == OUTCOME_SUCCESS);
}

static void reply(struct exchange *x, const struct exchange_message *message,
                  const struct sip_message *m)
{
    struct challenge challenge = challenges(x, message, m);
    struct request *r = find(x, key_of(x, m, message->switch_id, &message->to), branch_of(x, m),
                             message->at.boot_ns);

    if (!r) {
        x->figures.orphans += m->status == 401 || m->status == 403 || m->status == 407;
        return;
    }
    if (!is_waiting(r) || !m->status) {
        x->figures.retransmitted += !is_waiting(r);
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

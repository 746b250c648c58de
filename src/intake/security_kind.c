/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/security_kind.h"

#define ALSO "Module", "SessionTV"

/* Of Asterisk's main/security_events.c. SessionLimit, MemoryLimit and LoadAverageLimit speak of Asterisk's
 * state, RequestNotSupported of a phone that may not REGISTER by its configuration: nobody's guess. */
static const struct security_kind kinds[] = {
    {"ChallengeSent", true, OUTCOME_CHALLENGED, .required = {"Challenge"}, .optional = {ALSO}},
    {"ChallengeResponseFailed", true, OUTCOME_WRONG_CREDENTIALS, .hostile = true,
     .required = {"Challenge", "Response", "ExpectedResponse"}, .optional = {ALSO}},
    {"InvalidAccountID", true, OUTCOME_UNKNOWN_ACCOUNT, .optional = {ALSO}},
    {"InvalidPassword", true, OUTCOME_WRONG_CREDENTIALS, .hostile = true,
     .optional = {ALSO, "Challenge", "ReceivedChallenge", "ReceivedHash"}},
    {"SuccessfulAuth", true, OUTCOME_SUCCESS, .required = {"UsingPassword"}, .optional = {ALSO}},
    {"FailedACL", true, OUTCOME_LISTED, .optional = {"Module", "ACLName", "SessionTV"}},
    {"UnexpectedAddress", true, OUTCOME_LISTED, .required = {"ExpectedAddress"},
     .optional = {ALSO}},
    {"InvalidTransport", true, OUTCOME_LISTED, .required = {"AttemptedTransport"},
     .optional = {ALSO}},
    {"AuthMethodNotAllowed", true, OUTCOME_WRONG_CREDENTIALS, .hostile = true,
     .required = {"AuthMethod"}, .optional = {ALSO}},
    {"RequestBadFormat", true, OUTCOME_MALFORMED, .hostile = true, .without_account = true,
     .required = {"RequestType"}, .optional = {ALSO, "AccountID", "RequestParams"}},
    {"RequestNotAllowed", true, OUTCOME_REFUSED_CALL, .hostile = true, .required = {"RequestType"},
     .optional = {ALSO, "RequestParams"}},
    {"RequestNotSupported", false, .hostile = true, .required = {"RequestType"},
     .optional = {ALSO}},
    {"SessionLimit", false, .optional = {ALSO}},
    {"MemoryLimit", false, .optional = {ALSO}},
    {"LoadAverageLimit", false, .optional = {ALSO}},
};

const struct security_kind *security_kind(struct span name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (span_is(name, kinds[i].name))
            return &kinds[i];
    return NULL;
}

static bool transport_of(struct span word, enum transport *out)
{
    static const struct {
        const char *word;
        enum transport transport;
    } known[] = {{"UDP", TRANSPORT_UDP}, {"TCP", TRANSPORT_TCP}, {"TLS", TRANSPORT_TLS},
                 {"WS", TRANSPORT_WS},   {"WSS", TRANSPORT_WSS}, {"Undefined", TRANSPORT_UNKNOWN}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (span_is(word, known[i].word)) {
            *out = known[i].transport;
            return true;
        }
    return false;
}

/* The common form by hand: inet_pton wants a copy with a NUL, and there are two of these in every line. */
static bool dotted(struct span s, uint8_t ip[16])
{
    unsigned part = 0, digits = 0, value = 0;

    for (size_t i = 0; i <= s.n; i++) {
        if (i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && digits < 3) {
            value = value * 10 + (unsigned)(s.p[i] - '0');
            digits++;
            continue;
        }
        if ((i < s.n && s.p[i] != '.') || !digits || value > 255 || part == 4)
            return false;
        ip[part++] = (uint8_t)value;
        digits = value = 0;
    }
    return part == 4;
}

static bool ip_of(struct span text, bool v4, struct address *out)
{
    struct address address = {.family = 4};
    struct span scope;

    if (dotted(text, address.ip)) {
        *out = address;
        return v4;
    }
    /* fe80::1%eth0: the interface is no part of the address. */
    text = span_cut(text, '%', &scope);
    if (address_parse_ip(text, &address, NULL))
        return false;
    *out = address;
    return !v4 || address.family == 4;
}

static bool port_of(struct span text, uint16_t *out)
{
    unsigned value = 0;

    if (!text.n || text.n > 5)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text.p[i] - '0');
    }
    *out = (uint16_t)value;
    return value <= UINT16_MAX;
}

bool security_address(struct span text, struct address *address, enum transport *transport)
{
    bool v4 = span_starts(text, SPAN("IPV4/"));
    struct span ip, port, word;
    struct address found;
    enum transport by;

    if (!v4 && !span_starts(text, SPAN("IPV6/")))
        return false;
    word = span_cut(span_skip(text, 5), '/', &ip);
    ip = span_cut(ip, '/', &port);
    if (!transport_of(word, &by) || !ip_of(ip, v4, &found) || !port_of(port, &found.port))
        return false;
    *address = found;
    *transport = by;
    return true;
}

bool security_is_time(struct span s)
{
    static const char form[] = "0000-00-00T00:00:00.000+0000";

    if (s.n != sizeof(form) - 1)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        bool digit = s.p[i] >= '0' && s.p[i] <= '9';

        if (form[i] == '0' ? !digit : s.p[i] != form[i] && !(form[i] == '+' && s.p[i] == '-'))
            return false;
    }
    return true;
}

bool security_is_severity(struct span s)
{
    return span_is(s, "Error") || span_is(s, "Informational");
}

bool security_is_service(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
            return false;
    }
    return s.n > 0 && s.n <= 16;
}

bool security_is_version(struct span s)
{
    return s.n == 1 && s.p[0] >= '0' && s.p[0] <= '9';
}

bool security_is_digest(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!memchr("0123456789abcdefABCDEF", s.p[i], 22))
            return false;
    return s.n == 32 || s.n == 64;
}

bool security_is_sip(struct span service)
{
    return span_is(service, "PJSIP") || span_is(service, "SIP");
}

bool security_is_session(struct span service, struct span session)
{
    struct span digits = span_skip(session, 2);

    if (!span_is(service, "SIP"))
        return true;
    if (!span_starts(session, SPAN("0x")) || digits.n < 6 || digits.n > 16)
        return false;
    for (size_t i = 0; i < digits.n; i++)
        if (!memchr("0123456789abcdef", digits.p[i], 16))
            return false;
    return true;
}

/* FNV-1a. Without a key: who makes two of these equal hides one of two reports of his own request. */
static uint64_t mark(const struct security_fields *f)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < f->session.n; i++)
        h = (h ^ (uint8_t)f->session.p[i]) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < sizeof(f->source.ip); i++)
        h = (h ^ f->source.ip[i]) * UINT64_C(0x100000001b3);
    return (h ^ f->source.port) | 1;
}

static bool is_echo(struct security_echoes *e, const struct security_fields *f, bool unknown)
{
    if (f->kind->outcome == OUTCOME_UNKNOWN_ACCOUNT || f->kind->outcome == OUTCOME_LISTED) {
        e->seen[e->next++ % 16] = mark(f);
        return false;
    }
    if (!unknown || f->kind->outcome != OUTCOME_WRONG_CREDENTIALS)
        return false;
    uint64_t wanted = mark(f);
    for (unsigned i = 0; i < 16; i++)
        if (e->seen[i] == wanted) {
            e->seen[i] = 0;
            return true;
        }
    return false;
}

static bool was_connected(enum transport transport)
{
    switch (transport) {
    case TRANSPORT_TCP:
    case TRANSPORT_TLS:
    case TRANSPORT_WS:
    case TRANSPORT_WSS: return true;
    case TRANSPORT_UNKNOWN:
    case TRANSPORT_UDP: return false;
    }
    return false;
}

enum security_reading security_attempt(struct security_echoes *echoes,
                                       const struct security_fields *f, struct attempt *out)
{
    bool pjsip = span_is(f->service, "PJSIP");
    bool unknown = span_is(f->account, "<unknown>");
    enum outcome outcome = f->kind->outcome;

    if (!f->kind->tells || !security_is_sip(f->service))
        return SECURITY_NOTHING;
    /* An endpoint that is known by its address alone says nothing about who knows a password. */
    if (outcome == OUTCOME_SUCCESS && !f->used_password)
        return SECURITY_NOTHING;
    if (pjsip && is_echo(echoes, f, unknown))
        return SECURITY_NOTHING;
    if (unknown && outcome == OUTCOME_WRONG_CREDENTIALS)
        outcome = OUTCOME_UNKNOWN_ACCOUNT;
    *out = (struct attempt){
        .outcome = outcome,
        .proof = was_connected(f->transport) ? PROOF_PROVED : PROOF_NONE,
        .transport = f->transport,
        .source = f->source,
        .account = unknown ? (struct span){NULL, 0} : f->account,
        .call_id = pjsip ? f->session : (struct span){NULL, 0},
    };
    return SECURITY_ATTEMPT;
}

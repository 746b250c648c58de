/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/claim.h"

#include "intake/keyed_hash.h"
#include "intake/scanners.h"
#include "sip/field.h"
#include "sip/uri.h"

static void set(struct claim *claim, enum claim_text text, struct span s)
{
    claim->n[text] = (uint8_t)(s.n < CLAIM_TEXT_MAX ? s.n : CLAIM_TEXT_MAX);
    if (claim->n[text])
        memcpy(claim->text[text], s.p, claim->n[text]);
}

/* %31001 is 1001 to a switch. */
static void set_user(struct claim *claim, enum claim_text text, struct span s)
{
    char plain[3 * CLAIM_TEXT_MAX];
    size_t n;

    if (s.n > sizeof(plain))
        s.n = sizeof(plain);
    if (s.n && memchr(s.p, '%', s.n) && uri_unescape(s, plain, &n) == 0)
        s = (struct span){plain, n};
    set(claim, text, s);
}

static enum method method_of(enum sip_method m)
{
    switch (m) {
    case SIP_REGISTER: return METHOD_REGISTER;
    case SIP_INVITE: return METHOD_INVITE;
    case SIP_OPTIONS: return METHOD_OPTIONS;
    case SIP_SUBSCRIBE: return METHOD_SUBSCRIBE;
    case SIP_MESSAGE: return METHOD_MESSAGE;
    case SIP_BYE: return METHOD_BYE;
    case SIP_ACK: return METHOD_ACK;
    case SIP_OTHER:
    case SIP_CANCEL:
    case SIP_NOTIFY:
    case SIP_REFER:
    case SIP_INFO:
    case SIP_UPDATE:
    case SIP_PRACK:
    case SIP_PUBLISH: break;
    }
    return METHOD_UNKNOWN;
}

void claim_none(struct claim *out, int64_t switch_id, const struct address *source,
                enum transport transport)
{
    out->switch_id = switch_id;
    out->source = *source;
    out->transport = transport;
    out->method = METHOD_UNKNOWN;
    out->sip = SIP_OTHER;
    out->proof = PROOF_NONE;
    out->in_dialog = out->scanner = false;
    out->credentials = 0;
    out->odd = false;
    out->n_realms = out->n_awaited = 0;
    memset(out->n, 0, sizeof(out->n));
}

void claim_read(struct claim *out, const struct sip_message *m, int64_t switch_id,
                const struct address *source, enum transport transport)
{
    struct span to = sip_message_get(m, SIP_H_TO), tag;
    struct name_addr from, called;
    struct uri uri;

    claim_none(out, switch_id, source, transport);
    out->sip = m->method;
    out->method = method_of(m->method);
    set(out, CLAIM_CALL_ID, sip_message_get(m, SIP_H_CALL_ID));
    set(out, CLAIM_USER_AGENT, sip_message_get(m, SIP_H_USER_AGENT));
    out->scanner = scanner_is(sip_message_get(m, SIP_H_USER_AGENT));
    if (name_addr_parse_field(&from, sip_message_get(m, SIP_H_FROM), NULL) == 0)
        set_user(out, CLAIM_ACCOUNT, from.uri.user);
    if (name_addr_parse_field(&called, to, NULL) == 0)
        out->in_dialog = field_param(called.params, SPAN("tag"), &tag) > 0;
    if (m->method == SIP_INVITE && uri_parse(&uri, m->uri, NULL) == 0)
        set_user(out, CLAIM_DIALLED, uri.user);
}

struct claim_credentials claim_credentials(const struct sip_message *m)
{
    return (struct claim_credentials){
        .values = sip_values(m, SIP_H_AUTHORIZATION),
        .other = sip_values(m, SIP_H_PROXY_AUTHORIZATION),
    };
}

bool claim_credentials_next(struct claim_credentials *each, struct credentials *out)
{
    for (;;) {
        while (credentials_next(out, &each->line) == 0)
            if (out->digest)
                return true;
        while (!sip_values_line(&each->values, &each->line)) {
            if (each->second)
                return false;
            each->second = true;
            each->values = each->other;
        }
    }
}

/* As they stand there: in what one reader steps over another one may see the response. */
void claim_hash_credentials(struct claim *claim, const struct sip_message *m, const uint8_t key[16])
{
    static const enum sip_header headers[] = {SIP_H_AUTHORIZATION, SIP_H_PROXY_AUTHORIZATION};
    struct span line;

    for (size_t i = 0; i < 2; i++) {
        struct sip_values lines = sip_values(m, headers[i]);

        while (sip_values_line(&lines, &line))
            claim->credentials = keyed_hash(key, claim->credentials, line);
    }
    if (!claim->credentials)
        claim->credentials = keyed_hash(key, 0, m->head);
}

void claim_add_realm(struct claim *claim, uint64_t realm)
{
    if (claim_has_realm(claim, realm))
        return;
    if (!realm || claim->n_realms == CLAIM_REALMS)
        claim->odd = true;
    else
        claim->realms[claim->n_realms++] = realm;
}

bool claim_has_realm(const struct claim *claim, uint64_t realm)
{
    for (size_t i = 0; i < claim->n_realms; i++)
        if (claim->realms[i] == realm)
            return true;
    return false;
}

void claim_await(struct claim *claim, const uint64_t *nonces, size_t n)
{
    claim->n_realms = 0;
    claim->n_awaited = (uint8_t)n;
    memcpy(claim->awaited, nonces, n * sizeof(*nonces));
}

void claim_name(struct claim *claim, struct span user)
{
    if (user.n)
        set(claim, CLAIM_ACCOUNT, user);
}

void claim_speak(struct claim *claim, const struct credentials *c)
{
    struct span user = c->field[DIGEST_USERNAME];
    char plain[3 * CLAIM_TEXT_MAX];
    size_t n;

    if (credentials_escaped(c, DIGEST_USERNAME) && user.n <= sizeof(plain) &&
        field_unquote(user, plain, &n) == 0)
        user = (struct span){plain, n};
    if (user.p)
        set(claim, CLAIM_ACCOUNT, user);
    set(claim, CLAIM_REALM, c->field[DIGEST_REALM]);
}

bool claim_is_malformed(const struct sip_message *m, bool cut, bool doubtful)
{
    uint32_t bad = SIP_START_LINE | SIP_VERSION | SIP_STATUS | SIP_METHOD_CASE | SIP_HEADER_LINE |
                   SIP_TOO_MANY | SIP_NUL | SIP_REPEATED | SIP_MISSING | SIP_CSEQ |
                   SIP_CSEQ_METHOD | SIP_CONTENT_LENGTH;

    if (cut)
        bad &= ~(uint32_t)(SIP_MISSING | SIP_HEADER_LINE);
    else
        bad |= SIP_NO_END;
    return doubtful || (m->faults & bad);
}

bool claim_is_unmatchable(const struct sip_message *m)
{
    struct span call = sip_message_get(m, SIP_H_CALL_ID);

    return sip_message_count(m, SIP_H_CALL_ID) > 1 || sip_message_count(m, SIP_H_CSEQ) > 1 ||
           m->faults & SIP_NUL || (call.n && memchr(call.p, '\n', call.n));
}

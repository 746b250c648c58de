/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts.h"
#include "sip/credentials.h"
#include "sip/message.h"
#include "sip/uri.h"
#include "sip/via.h"

static void address(struct buf *facts, const char *key, unsigned index, struct span value)
{
    struct name_addr a;
    struct span tag;

    if (name_addr_parse_field(&a, value, NULL))
        return;
    facts_user(facts, key, index, a.uri.user);
    facts_add(facts, key, index, "host", a.uri.host);
    facts_number(facts, key, index, "port", a.uri.port);
    if (field_param(a.params, SPAN("tag"), &tag))
        facts_add(facts, key, index, "tag", tag);
}

static void addresses(struct buf *facts, const char *key, const struct sip_message *m,
                      enum sip_header h)
{
    struct sip_values v = sip_values(m, h);
    struct span value;

    for (unsigned i = 0; sip_values_next(&v, &value); i++)
        address(facts, key, i, value);
}

static void vias(struct buf *facts, const struct sip_message *m)
{
    struct sip_values v = sip_values(m, SIP_H_VIA);
    struct span value;
    struct via via;

    for (unsigned i = 0; sip_values_next(&v, &value); i++) {
        if (via_parse(&via, value))
            continue;
        facts_add(facts, "via", i, "transport", via.transport);
        facts_add(facts, "via", i, "host", via.host);
        facts_number(facts, "via", i, "port", via.port);
        if (via.branch.p)
            facts_add(facts, "via", i, "branch", via.branch);
        if (via.received.p)
            facts_add(facts, "via", i, "received", via.received);
    }
}

static void credentials(struct buf *facts, const char *key, const struct sip_message *m,
                        enum sip_header h)
{
    static const struct {
        enum digest_field field;
        const char *name;
    } fields[] = {
        {DIGEST_USERNAME, "username"},
        {DIGEST_REALM, "realm"},
        {DIGEST_NONCE, "nonce"},
        {DIGEST_URI, "uri"},
        {DIGEST_RESPONSE, "response"},
        {DIGEST_QOP, "qop"},
        {DIGEST_NC, "nc"},
        {DIGEST_ALGORITHM, "algorithm"},
        {DIGEST_CNONCE, "cnonce"},
        {DIGEST_OPAQUE, "opaque"},
        {DIGEST_STALE, "stale"},
    };
    struct sip_values v = sip_values(m, h);
    struct credentials c;
    struct span value;

    for (unsigned i = 0; sip_values_line(&v, &value); i++) {
        if (credentials_next(&c, &value))
            continue;
        facts_add(facts, key, i, "scheme", c.scheme);
        for (size_t k = 0; k < sizeof(fields) / sizeof(fields[0]); k++)
            if (c.field[fields[k].field].p)
                facts_add(facts, key, i, fields[k].name, c.field[fields[k].field]);
    }
}

static void text(struct buf *facts, const char *key, const struct sip_message *m, enum sip_header h)
{
    struct span value = sip_message_get(m, h);

    if (value.p)
        facts_add(facts, key, 0, "text", value);
}

void facts_of_ours(struct buf *facts, struct span message)
{
    struct sip_message m;
    bool good = sip_message_read(&m, message) == 0;
    uint32_t number;

    facts_add(facts, "message", 0, "read", good ? SPAN("yes") : SPAN("no"));
    if (!good)
        return;
    if (m.request) {
        facts_add(facts, "start", 0, "method", m.method_name);
        facts_add(facts, "start", 0, "uri", m.uri);
    } else {
        facts_number(facts, "start", 0, "status", m.status);
        facts_add(facts, "start", 0, "reason", m.reason);
    }
    vias(facts, &m);
    addresses(facts, "contact", &m, SIP_H_CONTACT);
    addresses(facts, "route", &m, SIP_H_ROUTE);
    addresses(facts, "record-route", &m, SIP_H_RECORD_ROUTE);
    address(facts, "from", 0, sip_message_get(&m, SIP_H_FROM));
    address(facts, "to", 0, sip_message_get(&m, SIP_H_TO));
    text(facts, "call-id", &m, SIP_H_CALL_ID);
    text(facts, "user-agent", &m, SIP_H_USER_AGENT);
    text(facts, "content-type", &m, SIP_H_CONTENT_TYPE);
    facts_number(facts, "cseq", 0, "number", m.cseq);
    facts_add(facts, "cseq", 0, "method", m.cseq_name);
    if (field_number(sip_message_get(&m, SIP_H_MAX_FORWARDS), UINT32_MAX, &number) == 0)
        facts_number(facts, "max-forwards", 0, "number", number);
    if (field_number(sip_message_get(&m, SIP_H_EXPIRES), UINT32_MAX, &number) == 0)
        facts_number(facts, "expires", 0, "number", number);
    if (m.has_length)
        facts_number(facts, "content-length", 0, "number", m.length);
    credentials(facts, "authorization", &m, SIP_H_AUTHORIZATION);
    credentials(facts, "proxy-authorization", &m, SIP_H_PROXY_AUTHORIZATION);
    credentials(facts, "www-authenticate", &m, SIP_H_WWW_AUTHENTICATE);
    credentials(facts, "proxy-authenticate", &m, SIP_H_PROXY_AUTHENTICATE);
}

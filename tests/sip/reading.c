/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reading.h"

#include <stdlib.h>

#include "sip/credentials.h"
#include "sip/uri.h"
#include "sip/via.h"

static void put(struct buf *out, const char *before, struct span s)
{
    char *plain = malloc(s.n + 1);
    size_t n = plain ? field_unfold(s, plain) : 0;

    buf_puts(out, before);
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)plain[i] >= 0x20 && plain[i] != 0x7f)
            buf_putc(out, plain[i]);
        else
            buf_printf(out, "\\x%02x", (unsigned char)plain[i]);
    }
    free(plain);
}

static void put_some(struct buf *out, const char *before, struct span s)
{
    if (s.p)
        put(out, before, s);
}

static void put_port(struct buf *out, unsigned port)
{
    if (port)
        buf_printf(out, ":%u", port);
}

static void via(struct buf *out, struct span value)
{
    struct via v;

    if (via_parse(&v, value)) {
        put(out, " ? ", value);
        return;
    }
    put(out, " ", v.transport);
    put(out, " ", v.host);
    put_port(out, v.port);
    put_some(out, " branch=", v.branch);
    put_some(out, " received=", v.received);
    if (v.has_rport)
        buf_printf(out, " rport=%u", v.rport);
}

static void uri(struct buf *out, const struct uri *u)
{
    static const char *const schemes[] = {
        [URI_SIP] = " sip", [URI_SIPS] = " sips", [URI_TEL] = " tel"};

    buf_puts(out, schemes[u->scheme]);
    put_some(out, " user=", u->user);
    put_some(out, " user-params=", u->user_params);
    put_some(out, " password=", u->password);
    if (u->host.n)
        put(out, " host=", u->host);
    put_port(out, u->port);
    put_some(out, " uri-params=", u->params);
    put_some(out, " uri-headers=", u->headers);
}

static void address(struct buf *out, struct span value)
{
    struct name_addr a;

    if (span_is(value, "*")) {
        buf_puts(out, " *");
    } else if (name_addr_parse_field(&a, value, NULL)) {
        put(out, " ? ", value);
    } else {
        if (a.display.n)
            put(out, " ", a.display);
        uri(out, &a.uri);
        if (a.params.n)
            put(out, " params=", field_trim(a.params));
    }
}

static void credentials(struct buf *out, struct span value)
{
    static const char *const names[] = {
        [DIGEST_USERNAME] = " username=", [DIGEST_REALM] = " realm=",
        [DIGEST_NONCE] = " nonce=",       [DIGEST_URI] = " uri=",
        [DIGEST_RESPONSE] = " response=", [DIGEST_ALGORITHM] = " algorithm=",
        [DIGEST_QOP] = " qop=",           [DIGEST_NC] = " nc=",
        [DIGEST_CNONCE] = " cnonce=",     [DIGEST_OPAQUE] = " opaque=",
        [DIGEST_STALE] = " stale=",       [DIGEST_DOMAIN] = " domain=",
        [DIGEST_USERHASH] = " userhash="};
    struct credentials c;
    int rc;

    while ((rc = credentials_next(&c, &value)) == 0) {
        put(out, " ", c.scheme);
        put_some(out, " ", c.other);
        for (unsigned i = 0; i < DIGEST_FIELDS; i++) {
            put_some(out, names[i], c.field[i]);
            if (c.field[i].p && c.escaped >> i & 1)
                buf_puts(out, " (escaped)");
            if (c.repeated >> i & 1)
                buf_printf(out, "%s(twice)", names[i]);
        }
    }
    if (rc != ERR_MISSING)
        put(out, " ? ", value);
}

/* The header fields that are lists, or hold something with a form of its own. */
static void field(struct buf *out, const struct sip_message *m, enum sip_header h,
                  void (*write)(struct buf *out, struct span value), bool list)
{
    struct sip_values v = sip_values(m, h);
    struct span value;

    while (list ? sip_values_next(&v, &value) : sip_values_line(&v, &value)) {
        buf_puts(out, sip_header_name(h));
        write(out, value);
        buf_putc(out, '\n');
    }
}

static void text(struct buf *out, struct span value)
{
    put(out, " ", value);
}

static void header(struct buf *out, const struct sip_message *m, enum sip_header h)
{
    switch (h) {
    case SIP_H_VIA: field(out, m, h, via, true); return;
    case SIP_H_FROM:
    case SIP_H_TO:
    case SIP_H_REFER_TO:
    case SIP_H_REFERRED_BY: field(out, m, h, address, false); return;
    case SIP_H_CONTACT:
    case SIP_H_P_ASSERTED_IDENTITY:
    case SIP_H_P_PREFERRED_IDENTITY:
    case SIP_H_REMOTE_PARTY_ID:
    case SIP_H_DIVERSION:
    case SIP_H_HISTORY_INFO:
    case SIP_H_ROUTE:
    case SIP_H_RECORD_ROUTE: field(out, m, h, address, true); return;
    case SIP_H_AUTHORIZATION:
    case SIP_H_PROXY_AUTHORIZATION:
    case SIP_H_WWW_AUTHENTICATE:
    case SIP_H_PROXY_AUTHENTICATE: field(out, m, h, credentials, false); return;
    case SIP_H_REQUIRE:
    case SIP_H_PROXY_REQUIRE:
    case SIP_H_SUPPORTED: field(out, m, h, text, true); return;
    case SIP_H_CALL_ID:
    case SIP_H_CSEQ:
    case SIP_H_MAX_FORWARDS:
    case SIP_H_CONTENT_LENGTH:
    case SIP_H_CONTENT_TYPE:
    case SIP_H_EXPIRES:
    case SIP_H_USER_AGENT:
    case SIP_H_SERVER:
    case SIP_H_PRIVACY:
    case SIP_H_REPLACES: field(out, m, h, text, false); return;
    case SIP_H_OTHER: return;
    }
}

static void start(struct buf *out, const struct sip_message *m)
{
    const char *method = sip_method_name(m->method);

    if (m->request) {
        put(out, "request ", m->method_name);
        put(out, " | ", m->uri);
        put(out, " | ", m->version);
    } else {
        buf_printf(out, "response %u", m->status);
        put(out, " | ", m->reason);
        put(out, " | ", m->version);
        put(out, " to ", m->method_name);
    }
    if (!span_is(m->method_name, method))
        buf_printf(out, " (%s)", m->method ? method : "other");
    buf_putc(out, '\n');
}

void reading_write(struct buf *out, const struct sip_message *m)
{
    start(out, m);
    for (enum sip_header h = SIP_H_VIA; h < SIP_HEADERS; h++)
        header(out, m, h);
    buf_printf(out, "body %zu", m->body.n);
    if (m->rest.n)
        buf_printf(out, " rest %zu", m->rest.n);
    for (uint32_t faults = m->faults; faults; faults &= faults - 1)
        buf_printf(out, "\nfault: %s", sip_message_fault_text(faults));
    buf_putc(out, '\n');
}

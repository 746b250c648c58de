/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "request.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

#include "base/md5.h"

#define HASH_HEX_SIZE (2 * crypto_hash_sha256_BYTES + 1)

static const char *const methods[] = {"REGISTER", "INVITE", "OPTIONS"};

static void field(struct buf *out, const struct plan *plan, const char *name, struct span value)
{
    if (plan->without && strcasecmp(plan->without, name) == 0)
        return;
    buf_printf(out, "%s: ", name);
    buf_add(out, value);
    buf_puts(out, "\r\n");
}

static struct span or_else(const struct buf *given, struct span otherwise)
{
    return given->n ? buf_span(given) : otherwise;
}

/* Of `n` spans one after the other, in small hexadecimal letters. */
static void hash(bool sha256, const struct span *parts, size_t n, char out[HASH_HEX_SIZE])
{
    crypto_hash_sha256_state state;
    uint8_t bytes[crypto_hash_sha256_BYTES];

    if (!sha256) {
        md5_hex(parts, n, out);
        return;
    }
    crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < n; i++)
        crypto_hash_sha256_update(&state, (const uint8_t *)parts[i].p, parts[i].n);
    crypto_hash_sha256_final(&state, bytes);
    sodium_bin2hex(out, HASH_HEX_SIZE, bytes, sizeof(bytes));
}

static void credentials(struct buf *out, const struct request *r, const char *uri)
{
    const struct challenge *c = r->challenge;
    struct span realm = or_else(&r->plan->realm, span_of(c->realm)), colon = SPAN(":");
    char ha1[HASH_HEX_SIZE], ha2[HASH_HEX_SIZE], response[HASH_HEX_SIZE], nc[9];
    bool sha256 = r->plan->sha256;

    hash(sha256, (struct span[]){r->account, colon, realm, colon, span_of(r->password)}, 5, ha1);
    hash(sha256, (struct span[]){span_of(methods[r->plan->method]), colon, span_of(uri)}, 3, ha2);
    snprintf(nc, sizeof(nc), "%08x", c->used + 1);
    if (c->qop)
        hash(sha256,
             (struct span[]){span_of(ha1), colon, span_of(c->nonce), colon, span_of(nc), colon,
                             SPAN("0a4f113b"), colon, SPAN("auth"), colon, span_of(ha2)},
             11, response);
    else
        hash(sha256, (struct span[]){span_of(ha1), colon, span_of(c->nonce), colon, span_of(ha2)},
             5, response);
    buf_printf(out, "%s: Digest ", c->proxy ? "Proxy-Authorization" : "Authorization");
    buf_add(out, buf_span(&r->plan->digest));
    buf_puts(out, "username=\"");
    buf_add(out, r->account);
    buf_puts(out, "\", realm=\"");
    buf_add(out, realm);
    buf_printf(out, "\", nonce=\"%s\", uri=\"%s\", response=\"%s\", algorithm=%s", c->nonce, uri,
               response, sha256 ? "SHA-256" : "MD5");
    if (c->qop)
        buf_printf(out, ", qop=auth, nc=%s, cnonce=\"0a4f113b\"", nc);
    if (c->opaque[0])
        buf_printf(out, ", opaque=\"%s\"", c->opaque);
    buf_puts(out, "\r\n");
}

static void start_line(struct buf *out, const struct request *r, char *uri, size_t max)
{
    char to[ADDRESS_TEXT_MAX], from[ADDRESS_TEXT_MAX];
    bool invite = r->plan->method == PLAN_INVITE;

    snprintf(uri, max, "sip:%s%s", invite ? "011252615123456@" : "",
             address_text(&r->plan->to, to));
    buf_printf(out, "%s %s SIP/2.0\r\n", r->ack ? "ACK" : methods[r->plan->method], uri);
    buf_printf(out, "Via: SIP/2.0/%s %s;rport;branch=z9hG4bKa%08x%016" PRIx64 "\r\n",
               r->plan->tcp ? "TCP" : "UDP", address_text(&r->from, from), r->salt, r->id);
}

/* From and To name the account, quoted as a URI wants it only where it is a name of letters and digits: what
 * is crafted goes out as it is. */
static void parties(struct buf *out, const struct request *r, const char *uri)
{
    char to[ADDRESS_TEXT_MAX];
    struct buf line = {0};

    if (r->plan->display.n) {
        buf_add(&line, buf_span(&r->plan->display));
        buf_putc(&line, ' ');
    }
    buf_puts(&line, "<sip:");
    buf_add(&line, r->account);
    buf_printf(&line, "@%s>", address_text(&r->plan->to, to));
    if (r->plan->method == PLAN_REGISTER) {
        field(out, r->plan, "To", buf_span(&line));
    } else {
        struct buf whom = {0};

        buf_printf(&whom, "<%s>", uri);
        if (r->to_tag.n) {
            buf_puts(&whom, ";tag=");
            buf_add(&whom, r->to_tag);
        }
        field(out, r->plan, "To", buf_span(&whom));
        buf_free(&whom);
    }
    buf_printf(&line, ";tag=%x", r->dialog + 1);
    field(out, r->plan, "From", buf_span(&line));
    buf_free(&line);
}

void request_write(struct buf *out, const struct request *r)
{
    const struct plan *plan = r->plan;
    char uri[ADDRESS_TEXT_MAX + 32], text[ADDRESS_TEXT_MAX + 80], from[ADDRESS_TEXT_MAX];

    buf_clear(out);
    start_line(out, r, uri, sizeof(uri));
    parties(out, r, uri);
    snprintf(text, sizeof(text), "%x.%x.%x@%s", r->salt, r->dialog, plan->port,
             address_ip_text(&r->from, from));
    field(out, plan, "Call-ID", or_else(&plan->call_id, span_of(text)));
    snprintf(text, sizeof(text), "%" PRIu32 " %s", r->cseq, r->ack ? "ACK" : methods[plan->method]);
    field(out, plan, "CSeq", span_of(text));
    snprintf(text, sizeof(text), "<sip:phone@%s>", address_text(&r->from, from));
    field(out, plan, "Contact", span_of(text));
    field(out, plan, "Max-Forwards", SPAN("70"));
    if (plan->method == PLAN_REGISTER)
        field(out, plan, "Expires", SPAN("300"));
    field(out, plan, "User-Agent", or_else(&plan->agent, SPAN("Lab phone 1.0")));
    if (r->challenge && !r->ack)
        credentials(out, r, uri);
    if (plan->header.n) {
        buf_add(out, buf_span(&plan->header));
        buf_puts(out, "\r\n");
    }
    buf_printf(out, "Content-Length: %zu\r\n\r\n", plan->body.n);
    buf_add(out, buf_span(&plan->body));
}

bool request_id(struct span branch, uint32_t salt, uint64_t *id)
{
    char text[33];
    unsigned of;

    if (branch.n != 32)
        return false;
    memcpy(text, branch.p, 32);
    text[32] = 0;
    return sscanf(text, "z9hG4bKa%8x%16" SCNx64, &of, id) == 2 && of == salt;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* As libre (baresip's) reads: the topmost Via alone, and views as we do. */
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define HAVE_INTTYPES_H
#include <re/re.h>

/* The house's URI reader has a struct of the same name: what is ours is declared here alone. */
#include "facts.h"

static struct span span_of_pl(struct pl pl)
{
    return (struct span){pl.p, pl.l};
}

static void text(struct buf *facts, const char *key, const char *part, struct pl pl)
{
    if (pl.p)
        facts_add(facts, key, 0, part, span_of_pl(pl));
}

static void host(struct buf *facts, const char *key, const struct uri *uri)
{
    struct buf name = {0};

    buf_printf(&name, uri->af == AF_INET6 ? "[%.*s]" : "%.*s", (int)uri->host.l, uri->host.p);
    facts_add(facts, key, 0, "host", buf_span(&name));
    buf_free(&name);
    facts_number(facts, key, 0, "port", uri->port);
}

static void address(struct buf *facts, const char *key, const struct sip_taddr *a)
{
    facts_user(facts, key, 0, span_of_pl(a->uri.user));
    host(facts, key, &a->uri);
    text(facts, key, "tag", a->tag);
}

static void digest(struct buf *facts, const char *key, const struct sip_hdr *hdr)
{
    struct httpauth_digest_resp r;

    if (!hdr || httpauth_digest_response_decode(&r, &hdr->val))
        return;
    text(facts, key, "username", r.username);
    text(facts, key, "realm", r.realm);
    text(facts, key, "nonce", r.nonce);
    text(facts, key, "uri", r.uri);
    text(facts, key, "response", r.response);
    text(facts, key, "nc", r.nc);
    text(facts, key, "cnonce", r.cnonce);
    text(facts, key, "qop", r.qop);
}

static void challenge(struct buf *facts, const char *key, const struct sip_hdr *hdr)
{
    struct httpauth_digest_chall c;

    if (!hdr || httpauth_digest_challenge_decode(&c, &hdr->val))
        return;
    text(facts, key, "realm", c.realm);
    text(facts, key, "nonce", c.nonce);
    text(facts, key, "opaque", c.opaque);
    text(facts, key, "stale", c.stale);
    text(facts, key, "algorithm", c.algorithm);
    text(facts, key, "qop", c.qop);
}

static void write_all(struct buf *facts, const struct sip_msg *msg)
{
    const struct sip_hdr *contact = sip_msg_hdr(msg, SIP_HDR_CONTACT);
    const struct sip_hdr *agent = sip_msg_hdr(msg, SIP_HDR_USER_AGENT);
    struct sip_addr a;

    if (msg->req) {
        text(facts, "start", "method", msg->met);
        text(facts, "start", "uri", msg->ruri);
    } else {
        facts_number(facts, "start", 0, "status", msg->scode);
        text(facts, "start", "reason", msg->reason);
    }
    text(facts, "via", "branch", msg->via.branch);
    address(facts, "from", &msg->from);
    address(facts, "to", &msg->to);
    text(facts, "call-id", "text", msg->callid);
    facts_number(facts, "cseq", 0, "number", msg->cseq.num);
    text(facts, "cseq", "method", msg->cseq.met);
    if (agent)
        text(facts, "user-agent", "text", agent->val);
    if (msg->maxfwd.p)
        facts_number(facts, "max-forwards", 0, "number", pl_u32(&msg->maxfwd));
    if (msg->expires.p)
        facts_number(facts, "expires", 0, "number", pl_u32(&msg->expires));
    if (msg->clen.p)
        facts_number(facts, "content-length", 0, "number", pl_u32(&msg->clen));
    if (contact && sip_addr_decode(&a, &contact->val) == 0) {
        facts_user(facts, "contact", 0, span_of_pl(a.uri.user));
        host(facts, "contact", &a.uri);
    }
    digest(facts, "authorization", sip_msg_hdr(msg, SIP_HDR_AUTHORIZATION));
    digest(facts, "proxy-authorization", sip_msg_hdr(msg, SIP_HDR_PROXY_AUTHORIZATION));
    challenge(facts, "www-authenticate", sip_msg_hdr(msg, SIP_HDR_WWW_AUTHENTICATE));
    challenge(facts, "proxy-authenticate", sip_msg_hdr(msg, SIP_HDR_PROXY_AUTHENTICATE));
}

void facts_of_re(struct buf *facts, struct span message)
{
    struct mbuf *mb = mbuf_alloc(message.n);
    struct sip_msg *msg = NULL;
    bool good;

    if (!mb || mbuf_write_mem(mb, (const uint8_t *)message.p, message.n))
        abort();
    mbuf_set_pos(mb, 0);
    good = sip_msg_decode(&msg, mb) == 0;
    facts_add(facts, "message", 0, "read", good ? SPAN("yes") : SPAN("no"));
    if (good)
        write_all(facts, msg);
    mem_deref(msg);
    mem_deref(mb);
}

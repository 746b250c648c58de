/* SPDX-License-Identifier: GPL-2.0-or-later */
/* As libosip2 reads. Its hosts stand without the brackets of IPv6; all its text is its own copy. */
#include <osipparser2/osip_parser.h>
#include <osipparser2/osip_port.h>

#include <stdlib.h>

#include "facts.h"

/* It complains on standard output, which is the test's own. */
static void quiet(const char *file, int line, osip_trace_level_t level, const char *format,
                  va_list args)
{
}

static void text(struct buf *facts, const char *key, unsigned i, const char *part,
                 const char *value)
{
    if (value)
        facts_add(facts, key, i, part, span_of(value));
}

static uint32_t number(const char *digits)
{
    return digits ? (uint32_t)strtoul(digits, NULL, 10) : 0;
}

static void host(struct buf *facts, const char *key, unsigned i, const char *name)
{
    struct buf brackets = {0};

    if (!name)
        return;
    buf_printf(&brackets, strchr(name, ':') && name[0] != '[' ? "[%s]" : "%s", name);
    facts_add(facts, key, i, "host", buf_span(&brackets));
    buf_free(&brackets);
}

static void address(struct buf *facts, const char *key, unsigned i, const osip_from_t *a)
{
    osip_generic_param_t *tag = NULL;

    if (!a || !a->url)
        return;
    text(facts, key, i, "user", a->url->username);
    host(facts, key, i, a->url->host);
    facts_number(facts, key, i, "port", number(a->url->port));
    if (osip_generic_param_get_byname((osip_list_t *)&a->gen_params, (char *)"tag", &tag) == 0)
        text(facts, key, i, "tag", tag->gvalue);
}

static void addresses(struct buf *facts, const char *key, const osip_list_t *list)
{
    for (int i = 0; i < osip_list_size(list); i++)
        address(facts, key, (unsigned)i, osip_list_get(list, i));
}

static void vias(struct buf *facts, const osip_list_t *list)
{
    for (int i = 0; i < osip_list_size(list); i++) {
        osip_via_t *v = osip_list_get(list, i);
        osip_generic_param_t *param = NULL;

        text(facts, "via", (unsigned)i, "transport", v->protocol);
        host(facts, "via", (unsigned)i, v->host);
        facts_number(facts, "via", (unsigned)i, "port", number(v->port));
        if (osip_via_param_get_byname(v, (char *)"branch", &param) == 0)
            text(facts, "via", (unsigned)i, "branch", param->gvalue);
        if (osip_via_param_get_byname(v, (char *)"received", &param) == 0)
            text(facts, "via", (unsigned)i, "received", param->gvalue);
    }
}

static void credentials(struct buf *facts, const char *key, const osip_list_t *list)
{
    for (int i = 0; i < osip_list_size(list); i++) {
        const osip_authorization_t *a = osip_list_get(list, i);

        text(facts, key, (unsigned)i, "scheme", a->auth_type);
        text(facts, key, (unsigned)i, "username", a->username);
        text(facts, key, (unsigned)i, "realm", a->realm);
        text(facts, key, (unsigned)i, "nonce", a->nonce);
        text(facts, key, (unsigned)i, "uri", a->uri);
        text(facts, key, (unsigned)i, "response", a->response);
        text(facts, key, (unsigned)i, "algorithm", a->algorithm);
        text(facts, key, (unsigned)i, "cnonce", a->cnonce);
        text(facts, key, (unsigned)i, "opaque", a->opaque);
        text(facts, key, (unsigned)i, "qop", a->message_qop);
        text(facts, key, (unsigned)i, "nc", a->nonce_count);
    }
}

static void challenges(struct buf *facts, const char *key, const osip_list_t *list)
{
    for (int i = 0; i < osip_list_size(list); i++) {
        const osip_www_authenticate_t *a = osip_list_get(list, i);

        text(facts, key, (unsigned)i, "scheme", a->auth_type);
        text(facts, key, (unsigned)i, "realm", a->realm);
        text(facts, key, (unsigned)i, "nonce", a->nonce);
        text(facts, key, (unsigned)i, "algorithm", a->algorithm);
        text(facts, key, (unsigned)i, "stale", a->stale);
        text(facts, key, (unsigned)i, "opaque", a->opaque);
        text(facts, key, (unsigned)i, "qop", a->qop_options);
    }
}

static void other(struct buf *facts, const char *key, const osip_message_t *sip, const char *name)
{
    osip_header_t *header = NULL;

    if (osip_message_header_get_byname(sip, name, 0, &header) >= 0 && header->hvalue)
        text(facts, key, 0, "text", header->hvalue);
}

static void write_all(struct buf *facts, const osip_message_t *sip)
{
    char *whole = NULL;

    if (sip->sip_method) {
        text(facts, "start", 0, "method", sip->sip_method);
    } else {
        facts_number(facts, "start", 0, "status", (uint32_t)sip->status_code);
        text(facts, "start", 0, "reason", sip->reason_phrase);
    }
    vias(facts, &sip->vias);
    addresses(facts, "contact", &sip->contacts);
    addresses(facts, "route", &sip->routes);
    addresses(facts, "record-route", &sip->record_routes);
    address(facts, "from", 0, sip->from);
    address(facts, "to", 0, sip->to);
    if (sip->call_id && osip_call_id_to_str(sip->call_id, &whole) == 0)
        text(facts, "call-id", 0, "text", whole);
    osip_free(whole);
    other(facts, "user-agent", sip, "user-agent");
    if (sip->cseq) {
        facts_number(facts, "cseq", 0, "number", number(sip->cseq->number));
        text(facts, "cseq", 0, "method", sip->cseq->method);
    }
    if (sip->content_length)
        facts_number(facts, "content-length", 0, "number", number(sip->content_length->value));
    credentials(facts, "authorization", &sip->authorizations);
    credentials(facts, "proxy-authorization", &sip->proxy_authorizations);
    challenges(facts, "www-authenticate", &sip->www_authenticates);
    challenges(facts, "proxy-authenticate", &sip->proxy_authenticates);
}

void facts_of_osip(struct buf *facts, struct span message)
{
    osip_message_t *sip = NULL;
    bool good;

    parser_init();
    osip_trace_initialize_func(END_TRACE_LEVEL, quiet);
    if (osip_message_init(&sip))
        abort();
    good = osip_message_parse(sip, message.p, message.n) == 0;
    facts_add(facts, "message", 0, "read", good ? SPAN("yes") : SPAN("no"));
    if (good)
        write_all(facts, sip);
    osip_message_free(sip);
}

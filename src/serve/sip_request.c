/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/sip_request.h"

/* ---- the account ---------------------------------------------------------------------------- */

/* The user of the URI, unescaped once. A name too long to be one stays as it came, and is nobody's. */
static struct span account_of_user(struct sip_request *r, struct span user)
{
    size_t n = 0;

    if (!user.n || !memchr(user.p, '%', user.n) || user.n > sizeof(r->account_room))
        return user;
    if (uri_unescape(user, r->account_room, &n))
        return (struct span){NULL, 0};
    return (struct span){r->account_room, n};
}

static bool names_somebody(struct span value, struct uri *uri)
{
    struct name_addr address;

    if (name_addr_parse_field(&address, value, NULL) || !address.uri.user.n)
        return false;
    *uri = address.uri;
    return true;
}

/* RFC 3325 section 9.1: one sip or sips URI, one tel URI, or one of each, of which the former counts. More
 * of them name nobody: which one a caller brought along cannot be known. */
static struct span account_of_asserted(struct sip_request *r)
{
    struct sip_values values = sip_values(&r->m, SIP_H_P_ASSERTED_IDENTITY);
    struct span value, sip = {NULL, 0}, tel = {NULL, 0};
    unsigned n_sip = 0, n_tel = 0;
    struct uri uri;

    while (sip_values_next(&values, &value)) {
        if (!names_somebody(value, &uri))
            return (struct span){NULL, 0};
        if (uri.scheme == URI_TEL) {
            tel = uri.user;
            n_tel++;
        } else {
            sip = uri.user;
            n_sip++;
        }
    }
    if (n_sip > 1 || n_tel > 1)
        return (struct span){NULL, 0};
    return account_of_user(r, n_sip ? sip : tel);
}

/* A header field whose value is an address, or the name itself. */
static struct span account_of_field(struct sip_request *r, struct span value)
{
    struct uri uri;

    if (names_somebody(value, &uri))
        return account_of_user(r, uri.user);
    return uri_is(value) || memchr(value.p, '<', value.n) ? (struct span){NULL, 0} : value;
}

static struct span account_of_named(struct sip_request *r, struct span name)
{
    struct span value = {NULL, 0};

    if (sip_message_named(&r->m, name, &value) != 1 || !value.n)
        return (struct span){NULL, 0};
    return account_of_field(r, value);
}

/* "alice.pbx.example" is alice; an address has no subdomain, nor has a name of one label. */
static struct span account_of_subdomain(const struct sip_request *r)
{
    struct span rest, first;
    struct address address;

    if (!r->has_uri || !r->uri.host.n || r->uri.host.p[0] == '[' ||
        address_parse_ip(r->uri.host, &address, NULL) == 0)
        return (struct span){NULL, 0};
    first = span_cut(r->uri.host, '.', &rest);
    return rest.n ? first : (struct span){NULL, 0};
}

static struct span account_of(struct sip_request *r, struct span by)
{
    if (span_eq_nocase(by, SPAN("P-Asserted-Identity")))
        return account_of_asserted(r);
    if (span_eq_nocase(by, SPAN("From")))
        return account_of_field(r, sip_message_get(&r->m, SIP_H_FROM));
    if (span_eq_nocase(by, SPAN("subdomain")))
        return account_of_subdomain(r);
    return account_of_named(r, by);
}

/* ---- the number ----------------------------------------------------------------------------- */

static bool has_context(struct span params)
{
    struct span name, value;

    while (uri_next_param(&params, &name, &value))
        if (span_eq_nocase(name, SPAN("phone-context")) || memchr(name.p, '%', name.n))
            return true;
    return false;
}

/*
 * What was dialled is the user of the Request-URI. What numbering bounds is that and its parameters, not the
 * host and what belongs to it: those are left out. A URI that holds more than that goes there whole, and
 * so does what is no URI: numbering says what it is.
 */
static struct span dialled_of(struct sip_request *r)
{
    const struct uri *u = &r->uri;
    size_t n;

    if (!r->has_uri || u->scheme == URI_TEL || !u->user.p || has_context(u->params))
        return r->m.uri;
    if (!u->user_params.p)
        return u->user;
    n = (size_t)(u->user_params.p + u->user_params.n - u->user.p);
    if (n + 6 > sizeof(r->dialled_room))
        return r->m.uri;
    memcpy(r->dialled_room, "sip:", 4);
    memcpy(r->dialled_room + 4, u->user.p, n);
    memcpy(r->dialled_room + 4 + n, "@h", 2);
    return (struct span){r->dialled_room, n + 6};
}

/* ---- where the call comes from -------------------------------------------------------------- */

static struct span without_brackets(struct span host)
{
    return host.n > 2 && host.p[0] == '[' ? (struct span){host.p + 1, host.n - 2} : host;
}

/* Behind NAT: others see it with another address. */
static bool is_inside(const struct address *a)
{
    const uint8_t *ip = a->ip;

    if (address_is_loopback(a))
        return true;
    if (a->family == 6)
        return (ip[0] & 0xfe) == 0xfc || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80);
    return ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
           (ip[0] == 192 && ip[1] == 168) || (ip[0] == 100 && (ip[1] & 0xc0) == 64) ||
           (ip[0] == 169 && ip[1] == 254);
}

/*
 * The second Via is that of whom the switch was asked by. The switch wrote `received` into it unless what
 * stands there is the address that it saw (RFC 3261 section 18.2.1): then the caller may have written one, to be
 * taken for somebody who is known. That would stand beside the caller's own address, where else one
 * of the inside stands: beside any other it says nothing. Who asks from the inside himself could write it too, unless
 * there is an rport: whoever gives that its value writes `received` anew in any case (RFC 3581 section 4).
 */
static struct span remote_of(const struct sip_request *r)
{
    const struct span nobody = {NULL, 0};
    struct sip_values values = r->vias;
    struct address host, received;
    struct span value;
    struct via via;

    if (!sip_values_next(&values, &value) || via_parse(&via, value))
        return nobody;

    struct span said = without_brackets(via.host), seen = without_brackets(via.received);
    bool literal = address_parse_ip(said, &host, NULL) == 0;

    if (!seen.n)
        return literal ? said : nobody;
    if (address_parse_ip(seen, &received, NULL))
        return nobody;
    return !literal || (is_inside(&host) && via.rport) ||
                   memcmp(host.ip, received.ip, sizeof(host.ip)) == 0
               ? seen
               : nobody;
}

/* ---- the request ---------------------------------------------------------------------------- */

static bool is_method(const struct sip_message *m, enum sip_method method)
{
    return m->method == method && !(m->faults & SIP_METHOD_CASE);
}

static bool top_via(struct sip_request *r)
{
    r->vias = sip_values(&r->m, SIP_H_VIA);
    return sip_values_next(&r->vias, &r->via_whole) && via_parse(&r->via, r->via_whole) == 0;
}

static bool has_to_tag(const struct sip_message *m)
{
    struct span to = sip_message_get(m, SIP_H_TO), value;
    struct name_addr address;

    return name_addr_parse_field(&address, to, NULL) == 0 &&
           field_param(address.params, SPAN("tag"), &value) != 0;
}

/* What an answer repeats, each of it once. */
static bool can_be_answered(struct sip_request *r)
{
    static const enum sip_header once[] = {SIP_H_FROM, SIP_H_TO, SIP_H_CALL_ID, SIP_H_CSEQ};

    for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++)
        if (!sip_message_get(&r->m, once[i]).n)
            return false;
    r->tagged = has_to_tag(&r->m);
    return top_via(r);
}

static void answer(struct sip_request *r, unsigned status, const char *fault)
{
    r->kind = SIP_REQUEST_ANSWER;
    r->status = status;
    r->fault = fault;
}

static void read_question(struct sip_request *r, const struct levels_sip *terms)
{
    r->has_uri = uri_parse(&r->uri, r->m.uri, NULL) == 0;
    r->account = account_of(r, terms->account);
    r->dialled = dialled_of(r);
    r->remote = remote_of(r);
}

/* RFC 3261 section 8.2: the message, the method, the header. */
static void judge(struct sip_request *r, const struct levels_sip *terms)
{
    uint32_t faults = r->m.faults & ~(uint32_t)(SIP_METHOD_CASE | SIP_VERSION);
    bool invite = is_method(&r->m, SIP_INVITE);

    if (faults) {
        answer(r, 400, sip_message_fault_text(faults));
        r->emergencies = invite;
        if (invite)
            read_question(r, terms);
    } else if (r->m.faults & SIP_VERSION) {
        answer(r, 505, NULL);
    } else if (!invite && !is_method(&r->m, SIP_OPTIONS)) {
        answer(r, 405, NULL);
    } else if (sip_message_count(&r->m, SIP_H_REQUIRE)) {
        answer(r, 420, NULL);
        r->emergencies = invite;
        if (invite)
            read_question(r, terms);
    } else if (!invite) {
        answer(r, 200, NULL);
    } else if (r->tagged) {
        answer(r, 481, NULL);
    } else {
        r->kind = SIP_REQUEST_QUESTION;
        read_question(r, terms);
    }
}

void sip_request_read(struct sip_request *out, struct span bytes, const struct levels_sip *terms)
{
    out->kind = SIP_REQUEST_GARBAGE;
    out->status = 0;
    out->fault = NULL;
    out->emergencies = out->has_uri = false;
    out->account = out->dialled = out->remote = (struct span){NULL, 0};
    if (sip_message_read(&out->m, bytes) || !out->m.request)
        return;
    /* In any case: an answer to an ACK would be answered by nobody, whoever wrote it. */
    if (out->m.method == SIP_ACK || out->m.method == SIP_CANCEL)
        out->kind = SIP_REQUEST_ABSORBED;
    else if (can_be_answered(out))
        judge(out, terms);
}

void sip_request_need_length(struct sip_request *r)
{
    bool question = r->kind == SIP_REQUEST_QUESTION;

    if (r->m.has_length || !(question || r->kind == SIP_REQUEST_ANSWER) || r->status == 400)
        return;
    answer(r, 400, "no Content-Length");
    r->emergencies |= question;
}

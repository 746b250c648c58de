/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/sip_reply.h"

#include "base/bytes.h"

struct writer {
    char *p, *end;
    bool failed;
};

static void put(struct writer *w, struct span s)
{
    if (s.n > (size_t)(w->end - w->p)) {
        w->failed = true;
        return;
    }
    if (s.n)
        memcpy(w->p, s.p, s.n);
    w->p += s.n;
}

#define PUT(w, literal) put((w), SPAN(literal))

/* Every answer has some of these: printf() would cost more than all the rest of it. */
static void put_number(struct writer *w, unsigned number)
{
    char digits[12], *end = digits + sizeof(digits), *p = end;

    do {
        *--p = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    put(w, (struct span){p, (size_t)(end - p)});
}

static void put_hex(struct writer *w, uint64_t number)
{
    char digits[16];

    for (size_t i = sizeof(digits); i-- > 0; number /= 16)
        digits[i] = "0123456789abcdef"[number % 16];
    put(w, (struct span){digits, sizeof(digits)});
}

static void put_ip(struct writer *w, const struct address *address)
{
    char text[ADDRESS_TEXT_MAX];

    if (address->family != 4) {
        put(w, span_of(address_ip_text(address, text)));
        return;
    }
    for (size_t i = 0; i < 4; i++) {
        put_number(w, address->ip[i]);
        if (i < 3)
            PUT(w, ".");
    }
}

/* What others wrote. A fold becomes a space; no other control leaves here but a tab. */
static void put_copy(struct writer *w, struct span s)
{
    if (!span_has_control(s)) {
        put(w, s);
        return;
    }
    if (s.n > (size_t)(w->end - w->p)) {
        w->failed = true;
        return;
    }

    size_t n = field_unfold(s, w->p);

    for (size_t i = 0; i < n; i++)
        w->failed |= ((unsigned char)w->p[i] < 0x20 && w->p[i] != '\t') || w->p[i] == 0x7f;
    w->p += n;
}

static void put_copied(struct writer *w, struct span name, struct span value)
{
    put(w, name);
    put_copy(w, value);
    PUT(w, "\r\n");
}

/* ---- Via ------------------------------------------------------------------------------------ */

/* The address that was asked from is what stands in sent-by. */
static bool is_sent_by(const struct via *via, const struct address *source)
{
    struct span host = via->host;
    struct address said;

    if (host.n > 2 && host.p[0] == '[')
        host = (struct span){host.p + 1, host.n - 2};
    return address_parse_ip(host, &said, NULL) == 0 && said.family == source->family &&
           memcmp(said.ip, source->ip, sizeof(said.ip)) == 0;
}

static void put_params(struct writer *w, struct span params)
{
    struct span name, value;

    while (field_next_param(&params, &name, &value)) {
        if (span_eq_nocase(name, SPAN("received")) || span_eq_nocase(name, SPAN("rport")))
            continue;
        PUT(w, ";");
        put_copy(w, name);
        if (value.p) {
            PUT(w, "=");
            put_copy(w, value);
        }
    }
}

/* The topmost without its rport, which comes behind it with a value. */
static void put_front(struct writer *w, const struct sip_request *r)
{
    const struct via *via = &r->via;
    struct span whole = r->via_whole, rport = via->rport_at;
    size_t front = rport.p ? (size_t)(rport.p - whole.p) : whole.n;
    struct span before = field_trim((struct span){whole.p, front});

    if (via->received.p) {
        front = (size_t)(via->params.p - whole.p) - 1;
        put_copy(w, field_trim((struct span){whole.p, front}));
        put_params(w, via->params);
        return;
    }
    if (rport.p)
        before.n--; /* its semicolon */
    put_copy(w, field_trim(before));
    if (rport.p)
        put_copy(w, field_trim(span_skip(whole, front + rport.n)));
}

static void put_top_via(struct writer *w, const struct sip_request *r, const struct address *source)
{
    const struct via *via = &r->via;
    bool told = via->has_rport || via->received.p || !is_sent_by(via, source);

    if (!told) {
        put_copy(w, r->via_whole);
        return;
    }
    put_front(w, r);
    PUT(w, ";received=");
    put_ip(w, source);
    if (via->has_rport) {
        PUT(w, ";rport=");
        put_number(w, source->port);
    }
}

/* All of them, in their order; what stood in one line with the topmost stays there. A line without a value
 * says nothing, and is a fault where it is the first. */
static void put_vias(struct writer *w, const struct sip_request *r, const struct address *source)
{
    struct sip_values values = r->vias;
    struct span line, rest, value;

    PUT(w, "Via: ");
    put_top_via(w, r, source);
    if (sip_values_line(&values, &line) && line.n) {
        PUT(w, ", ");
        put_copy(w, field_trim(line));
    }
    PUT(w, "\r\n");
    while (sip_values_line(&values, &line)) {
        rest = line;
        if (field_next(&rest, &value))
            put_copied(w, SPAN("Via: "), line);
    }
}

/* ---- To ------------------------------------------------------------------------------------- */

static void put_to(struct writer *w, const struct sip_request *r, uint64_t tag)
{
    PUT(w, "To: ");
    put_copy(w, sip_message_get(&r->m, SIP_H_TO));
    if (!r->tagged) {
        PUT(w, ";tag=");
        put_hex(w, tag);
    }
    PUT(w, "\r\n");
}

/* ---- what the status needs ------------------------------------------------------------------ */

static struct span status_line(unsigned status)
{
    switch (status) {
    case 200: return SPAN("SIP/2.0 200 OK\r\n");
    case 302: return SPAN("SIP/2.0 302 Moved Temporarily\r\n");
    case 403: return SPAN("SIP/2.0 403 Forbidden\r\n");
    case 404: return SPAN("SIP/2.0 404 Not Found\r\n");
    case 405: return SPAN("SIP/2.0 405 Method Not Allowed\r\n");
    case 420: return SPAN("SIP/2.0 420 Bad Extension\r\n");
    case 481: return SPAN("SIP/2.0 481 Call/Transaction Does Not Exist\r\n");
    case 503: return SPAN("SIP/2.0 503 Service Unavailable\r\n");
    case 505: return SPAN("SIP/2.0 505 Version Not Supported\r\n");
    case 603: return SPAN("SIP/2.0 603 Decline\r\n");
    case 608: return SPAN("SIP/2.0 608 Rejected\r\n");
    default: return SPAN("SIP/2.0 400 Bad Request\r\n");
    }
}

static void put_status(struct writer *w, const struct sip_answer *answer)
{
    if (answer->status != 400 || !answer->fault) {
        put(w, status_line(answer->status));
        return;
    }
    PUT(w, "SIP/2.0 400 Bad Request: ");
    put(w, span_of(answer->fault));
    PUT(w, "\r\n");
}

/* '#' stands in no URI. */
static void put_user(struct writer *w, const char *dial)
{
    for (; *dial; dial++) {
        if (*dial == '#')
            PUT(w, "%23");
        else
            put(w, (struct span){dial, 1});
    }
}

/* Where the request was going, with the number to dial; a tel: URI comes back to who asked. */
static void put_contact(struct writer *w, const struct sip_request *r, const char *dial,
                        const struct address *source)
{
    char text[ADDRESS_TEXT_MAX];

    PUT(w, "Contact: <");
    if (!dial[0]) {
        put(w, r->m.uri);
        PUT(w, ">\r\n");
        return;
    }
    if (r->has_uri && r->uri.scheme == URI_SIPS)
        PUT(w, "sips:");
    else
        PUT(w, "sip:");
    put_user(w, dial);
    PUT(w, "@");
    if (!r->has_uri || r->uri.scheme == URI_TEL) {
        put(w, span_of(address_text(source, text)));
    } else {
        put(w, r->uri.host);
        if (r->uri.port) {
            PUT(w, ":");
            put_number(w, r->uri.port);
        }
    }
    PUT(w, ">\r\n");
}

static struct span reason_words(enum verdict_reason reason)
{
    switch (reason) {
    case REASON_RESTRICTED: return SPAN("restricted number");
    case REASON_MANDATORY: return SPAN("mandatory restricted number");
    case REASON_UNKNOWN_ACCOUNT: return SPAN("unknown account");
    case REASON_SUSPENDED: return SPAN("the account is suspended");
    case REASON_LOCKED: return SPAN("the account is locked");
    case REASON_STOPPED: return SPAN("international calls are stopped");
    case REASON_MALFORMED: return SPAN("not a number");
    case REASON_INVALID: return SPAN("no such number can exist");
    case REASON_INCOMPLETE: return SPAN("incomplete number");
    case REASON_UNKNOWN_NUMBER: return SPAN("unknown number");
    case REASON_NO_TARGET: return SPAN("a forwarding without a number");
    case REASON_NO_AREA: return SPAN("a local number without an area code");
    case REASON_UNAVAILABLE: return SPAN("no decision is possible");
    case REASON_EMERGENCY:
    case REASON_INTERNAL:
    case REASON_UNRESTRICTED:
    case REASON_EXCEPTION:
    case REASON_HELP_LINE: break;
    }
    return SPAN("cannot be dialled");
}

/* "restricted number 010 of the account". A prefix is of [0-9*#+]. */
static void put_reason(struct writer *w, unsigned status, const struct verdict *verdict)
{
    PUT(w, "Reason: SIP;cause=");
    put_number(w, status);
    PUT(w, ";text=\"");
    put(w, reason_words(verdict->reason));
    if (verdict->rule_prefix[0]) {
        PUT(w, " ");
        put(w, span_of(verdict->rule_prefix));
        PUT(w, " of the ");
        put(w, span_of(rule_level_name(verdict->rule_level)));
    }
    PUT(w, "\"\r\n");
}

/* RFC 3261 section 8.2.2.3: what was required and is not known here, which is all. */
static void put_unsupported(struct writer *w, const struct sip_request *r)
{
    struct sip_values values = sip_values(&r->m, SIP_H_REQUIRE);
    struct span option;
    bool first = true;

    while (sip_values_next(&values, &option)) {
        put(w, first ? SPAN("Unsupported: ") : SPAN(", "));
        put_copy(w, option);
        first = false;
    }
    if (!first)
        PUT(w, "\r\n");
}

static void put_needed(struct writer *w, const struct sip_request *r,
                       const struct sip_answer *answer, const struct address *source)
{
    switch (answer->status) {
    case 200:
    case 405: PUT(w, "Allow: INVITE, ACK, CANCEL, OPTIONS\r\n"); break;
    case 302: put_contact(w, r, answer->verdict->dial, source); break;
    case 420: put_unsupported(w, r); break;
    default: break;
    }
    if (answer->reason) {
        put_reason(w, answer->status, answer->verdict);
    } else if (answer->verdict && answer->verdict->max_seconds) {
        PUT(w, "X-Sekisho-Max-Seconds: ");
        put_number(w, answer->verdict->max_seconds);
        PUT(w, "\r\n");
    }
}

size_t sip_reply(const struct sip_request *r, const struct sip_answer *answer,
                 const struct address *source, uint64_t tag, char *out, size_t size)
{
    struct writer w = {out, out + size, false};

    put_status(&w, answer);
    put_vias(&w, r, source);
    put_copied(&w, SPAN("From: "), sip_message_get(&r->m, SIP_H_FROM));
    put_to(&w, r, tag);
    put_copied(&w, SPAN("Call-ID: "), sip_message_get(&r->m, SIP_H_CALL_ID));
    put_copied(&w, SPAN("CSeq: "), sip_message_get(&r->m, SIP_H_CSEQ));
    put_needed(&w, r, answer, source);
    PUT(&w, "Content-Length: 0\r\n\r\n");
    return w.failed ? 0 : (size_t)(w.p - out);
}

struct sip_answer sip_answer_of(const struct sip_request *request, const struct levels_sip *terms,
                                const struct verdict *verdict)
{
    struct sip_answer answer = {.status = terms->allow, .verdict = verdict};

    if (verdict->action == VERDICT_ALLOW &&
        (terms->allow != 302 || verdict->dial[0] || request->has_uri))
        return answer;
    answer.status = terms->deny;
    answer.reason = true;
    return answer;
}

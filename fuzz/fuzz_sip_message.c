/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One datagram. All views lie within it, reading it twice is the same, and what is cut off is never
 * taken for a whole message that the uncut one was not.
 */
#include <string.h>

#include "fuzz.h"
#include "sip/message.h"
#include "sip/uri.h"
#include "sip/via.h"

static void within(struct span part, struct span whole)
{
    PROMISE(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static bool same(struct span a, struct span b)
{
    return a.p == b.p && a.n == b.n;
}

static void check_via(struct span value)
{
    struct via v;

    if (via_parse(&v, value))
        return;
    within(v.transport, value);
    within(v.host, value);
    within(v.branch, value);
    within(v.received, value);
    within(v.params, value);
    PROMISE(v.transport.n && v.host.n && v.port <= 65535 && v.rport <= 65535);
}

static void check_address(struct span value)
{
    struct name_addr a;
    struct span name, param;

    if (name_addr_parse_field(&a, value, NULL))
        return;
    within(a.display, value);
    within(a.uri.user, value);
    within(a.uri.host, value);
    within(a.params, value);
    while (field_next_param(&a.params, &name, &param)) {
        within(name, value);
        within(param, value);
    }
}

static void check_text(struct span value)
{
    char *plain = malloc(value.n + 1);
    size_t n;

    PROMISE(plain != NULL);
    n = field_unfold(value, plain);
    PROMISE(n <= value.n);
    PROMISE(field_eq(value, (struct span){plain, n}));
    n = 0;
    field_unquote(value, plain, &n);
    PROMISE(n <= value.n);
    free(plain);
}

static void check_headers(const struct sip_message *m)
{
    for (enum sip_header h = SIP_H_VIA; h < SIP_HEADERS; h++) {
        struct sip_values v = sip_values(m, h), lines = v;
        const char *last = m->whole.p;
        struct span value;
        unsigned n = 0;

        for (; sip_values_line(&lines, &value); n++) {
            within(value, m->head);
            PROMISE(value.p > last);
            last = value.p;
            check_text(value);
        }
        PROMISE(n == sip_message_count(m, h));
        while (sip_values_next(&v, &value)) {
            PROMISE(value.n > 0);
            within(value, m->head);
            check_via(value);
            check_address(value);
        }
        value = sip_message_get(m, h);
        PROMISE((value.p != NULL) == (n == 1));
    }
}

static void check(const struct sip_message *m, struct span bytes)
{
    within(m->whole, bytes);
    within(m->head, m->whole);
    within(m->body, m->whole);
    within(m->rest, m->whole);
    PROMISE(m->head.n + m->body.n + m->rest.n == m->whole.n);
    within(m->method_name, m->head);
    within(m->uri, m->head);
    within(m->version, m->head);
    within(m->reason, m->head);
    within(m->cseq_name, m->head);
    PROMISE(m->status == 0 || (!m->request && m->status >= 100 && m->status < 700));
    PROMISE(!m->has_length || m->faults & SIP_BODY_CUT || m->body.n == m->length);
    for (uint32_t faults = m->faults; faults; faults &= faults - 1)
        PROMISE(sip_message_fault_text(faults)[0]);
    check_headers(m);
}

static void check_cut(const struct sip_message *m, struct span cut)
{
    struct sip_message part;

    if (sip_message_read(&part, cut) || part.faults & (SIP_NO_END | SIP_BODY_CUT))
        return;
    PROMISE(same(part.head, m->head));
    PROMISE((part.faults | SIP_BODY_CUT) == (m->faults | SIP_BODY_CUT));
    if (part.has_length)
        PROMISE(same(part.body, m->body));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = {(const char *)data, size};
    struct sip_message m, again;

    if (sip_message_read(&m, bytes))
        return 0;
    PROMISE(sip_message_read(&again, bytes) == 0);
    PROMISE(same(again.head, m.head) && same(again.body, m.body) && again.faults == m.faults);
    PROMISE(memcmp(again.count, m.count, sizeof(m.count)) == 0);
    PROMISE(memcmp(again.first, m.first, sizeof(m.first)) == 0);
    check(&m, bytes);
    for (size_t n = 0; n < size; n += 1 + size / 64)
        check_cut(&m, (struct span){bytes.p, n});
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sip/via.h"

#include "sip/field.h"
#include "sip/scan.h"
#include "sip/uri.h"

/* Takes "SIP / 2.0 /" off. */
static int take_protocol(struct span *s)
{
    struct span name, version;

    if (span_starts(*s, SPAN("SIP/2.0/"))) {
        *s = span_skip(*s, 8);
        return 0;
    }
    name = field_trim(span_cut(*s, '/', s));
    version = field_trim(span_cut(*s, '/', s));
    return span_eq_nocase(name, SPAN("SIP")) && span_is(version, "2.0") ? 0 : ERR_SYNTAX;
}

/* A branch, received or rport that stands twice is no Via. */
static int read_param(struct via *v, struct span name, struct span value)
{
    if (name.n == 6 && scan_same(name.p, "branch", 6)) {
        if (v->branch.p || !value.n)
            return ERR_SYNTAX;
        v->branch = value;
    } else if (name.n == 8 && scan_same(name.p, "received", 8)) {
        if (v->received.p || !value.n)
            return ERR_SYNTAX;
        v->received = value;
    } else if (name.n == 5 && scan_same(name.p, "rport", 5)) {
        uint32_t port = 0;

        if (v->has_rport || (value.n && field_number(value, 65535, &port)))
            return ERR_SYNTAX;
        v->has_rport = true;
        v->rport = port;
        v->rport_at =
            (struct span){name.p, value.p ? (size_t)(value.p - name.p) + value.n : name.n};
    }
    return 0;
}

int via_parse(struct via *out, struct span value)
{
    struct span params, name, param;
    struct via v = {0};
    size_t n = 0;

    if (take_protocol(&value))
        return ERR_SYNTAX;
    value = field_trim(value);
    while (n < value.n && field_is_token_byte(value.p[n]))
        n++;
    v.transport = (struct span){value.p, n};
    value = span_skip(value, n);
    if (!n || !value.n || !field_is_space(value.p[0]))
        return ERR_SYNTAX;
    if (uri_hostport(span_cut(value, ';', &v.params), &v.host, &v.port, NULL))
        return ERR_SYNTAX;
    params = v.params;
    while (field_next_param(&params, &name, &param))
        if (!name.n || read_param(&v, name, param))
            return ERR_SYNTAX;
    *out = v;
    return 0;
}

bool via_branch_is_magic(struct span branch)
{
    return branch.n >= 7 && span_eq_nocase((struct span){branch.p, 7}, SPAN("z9hG4bK"));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sip/uri.h"

#include "sip/field.h"
#include "sip/scan.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* What a byte may be a part of. */
enum { IN_URI = 1, IN_HOST = 2, IN_V6 = 4 };

/* Neither a control nor a quote or bracket stands in a URI; bytes beyond ASCII may. */
static const unsigned char kinds[256] = {
    [' ' ... '!'] = IN_URI,
    ['#' ... ','] = IN_URI,
    ['-'] = IN_URI | IN_HOST,
    ['.'] = IN_URI | IN_HOST | IN_V6,
    ['/'] = IN_URI,
    ['0' ... '9'] = IN_URI | IN_HOST | IN_V6,
    [':'] = IN_URI | IN_V6,
    [';'] = IN_URI,
    ['='] = IN_URI,
    ['?' ... '@'] = IN_URI,
    ['A' ... 'F'] = IN_URI | IN_HOST | IN_V6,
    ['G' ... 'Z'] = IN_URI | IN_HOST,
    ['['] = IN_URI,
    [']' ... '`'] = IN_URI,
    ['a' ... 'f'] = IN_URI | IN_HOST | IN_V6,
    ['g' ... 'z'] = IN_URI | IN_HOST,
    ['{' ... '~'] = IN_URI,
    [0x80 ... 0xff] = IN_URI,
};

static bool only(struct span s, unsigned kind)
{
    unsigned all = kind;

    for (size_t i = 0; i < s.n; i++)
        all &= kinds[(unsigned char)s.p[i]];
    return all;
}

/* As only(s, IN_URI). */
static bool is_written(struct span s)
{
#ifdef __SSE2__
    if (s.n >= 16) {
        const char *last = s.p + s.n - 16;
        unsigned odd = scan_no_uri(scan_16(last));

        for (const char *p = s.p; p < last; p += 16)
            odd |= scan_no_uri(scan_16(p));
        return odd == 0;
    }
    if (s.n >= 8)
        return scan_no_uri(scan_ends(s.p, s.p + s.n)) == 0;
#endif
    return only(s, IN_URI);
}

/* The first byte of p..end that no name and no IPv4 address has; `end` where there is none. */
static const char *host_end(const char *p, const char *end)
{
#ifdef __SSE2__
    for (; end - p >= 16; p += 16) {
        unsigned odd = scan_no_host(scan_16(p));

        if (odd)
            return p + __builtin_ctz(odd);
    }
    if (end - p >= 8)
        return scan_place(p, end, scan_no_host(scan_ends(p, end)));
#endif
    while (p < end && kinds[(unsigned char)*p] & IN_HOST)
        p++;
    return p;
}

static bool scheme_of(struct span s, enum uri_scheme *scheme, size_t *length)
{
    static const struct {
        const char *text;
        size_t n;
        enum uri_scheme scheme;
    } schemes[] = {{"sip", 3, URI_SIP}, {"sips", 4, URI_SIPS}, {"tel", 3, URI_TEL}};

    /* Most of what is asked about is a bare number. */
    if (!s.n || ((s.p[0] | 0x20) != 's' && (s.p[0] | 0x20) != 't'))
        return false;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t n = schemes[i].n;

        if (s.n > n && s.p[n] == ':' && scan_same(s.p, schemes[i].text, n)) {
            *scheme = schemes[i].scheme;
            *length = n + 1;
            return true;
        }
    }
    return false;
}

bool uri_is(struct span s)
{
    enum uri_scheme scheme;
    size_t n;

    return scheme_of(s, &scheme, &n);
}

/* Splits at the first `at` only where there is one: `*rest` stays as it was otherwise. */
static inline struct span before(struct span s, char at, struct span *rest)
{
    const char *end = s.p + s.n, *found = scan_either(s.p, end, at, at);

    if (found < end)
        *rest = (struct span){found + 1, (size_t)(end - found) - 1};
    return (struct span){s.p, (size_t)(found - s.p)};
}

static bool port_of(struct span s, unsigned *port)
{
    unsigned v = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        v = v * 10 + (unsigned)(s.p[i] - '0');
        if (v > 65535)
            return false;
    }
    *port = v;
    return s.n > 0 && v > 0;
}

/* hostname, IPv4 address or "[" IPv6 address "]"; not what resolves, only what can be written. */
static bool is_host(struct span s)
{
    bool v6 = s.n >= 2 && s.p[0] == '[' && s.p[s.n - 1] == ']';

    if (v6)
        s = (struct span){s.p + 1, s.n - 2};
    return s.n > 0 && only(s, v6 ? IN_V6 : IN_HOST);
}

static int hostport(struct span s, struct span *host, unsigned *port, struct fault *f)
{
    s = field_trim(s);

    const char *end = s.p + s.n, *behind = s.n ? host_end(s.p, end) : end;

    /* Nearly all of them are a name or an IPv4 address. */
    if (behind > s.p && (behind == end || *behind == ':')) {
        unsigned number = 0;

        if (behind == end ||
            port_of((struct span){behind + 1, (size_t)(end - behind) - 1}, &number)) {
            *host = (struct span){s.p, (size_t)(behind - s.p)};
            *port = number;
            return 0;
        }
    }

    const char *bracket = s.n && s.p[0] == '[' ? memchr(s.p, ']', s.n) : NULL;
    size_t skip = bracket ? (size_t)(bracket - s.p) : 0;
    struct span digits = {NULL, 0};
    struct span tail = before(span_skip(s, skip), ':', &digits);
    struct span name = field_trim((struct span){s.p, skip + tail.n});
    unsigned number = 0;

    if (!is_host(name))
        return fault(f, ERR_SYNTAX, "\"%s\" is no host", ESCAPED(name));
    if (digits.p && !port_of(field_trim(digits), &number))
        return fault(f, ERR_SYNTAX, "\"%s\" is no port: 1 to 65535", ESCAPED(digits));
    *host = name;
    *port = number;
    return 0;
}

int uri_hostport(struct span s, struct span *host, unsigned *port, struct fault *f)
{
    return hostport(s, host, port, f);
}

static int parse_sip(struct uri *u, struct span s, struct fault *f)
{
    struct span rest = {NULL, 0};
    struct span front = before(s, '@', &rest);
    const char *end;

    if (rest.p) {
        end = front.p + front.n;
        u->user = front;
        if (scan_either(front.p, end, ':', ';') < end) {
            u->user = before(front, ':', &u->password);
            u->user = before(u->user, ';', &u->user_params);
        }
        if (u->user.n == 0)
            return fault(f, ERR_SYNTAX, "nothing stands before the @");
    } else {
        rest = s;
    }
    end = rest.p + rest.n;
    if (scan_any(rest.p, end, '?', ';', ' ') < end) {
        rest = before(rest, '?', &u->headers);
        rest = before(rest, ';', &u->params);
        if (rest.n && memchr(rest.p, ' ', rest.n))
            return fault(f, ERR_SYNTAX, "\"%s\" is no host", ESCAPED(rest));
    }
    return hostport(rest, &u->host, &u->port, f);
}

int uri_parse(struct uri *out, struct span s, struct fault *f)
{
    struct uri u = {0};
    size_t n = 0;
    int rc = 0;

    if (!scheme_of(s, &u.scheme, &n))
        return fault(f, ERR_SYNTAX, "\"%s\" is no sip:, sips: or tel: URI", ESCAPED(s));
    if (!is_written(s))
        return fault(f, ERR_SYNTAX, "\"%s\" holds bytes that no URI has", ESCAPED(s));
    s = span_skip(s, n);
    if (u.scheme == URI_TEL) {
        s = before(s, '?', &u.headers);
        u.user = before(s, ';', &u.user_params);
        if (u.user.n == 0)
            rc = fault(f, ERR_SYNTAX, "a tel: URI without a number");
    } else {
        rc = parse_sip(&u, s, f);
    }
    if (rc == 0)
        *out = u;
    return rc;
}

/* The display name in front of the '<', if there is one; `s` becomes what stands behind the '<', with
 * p == NULL where there is no '<'. */
static int take_display(struct span *s, struct span *display, struct fault *f)
{
    struct span whole = *s, front = {NULL, 0}, rest = {NULL, 0};

    if (s->n && s->p[0] == '"') {
        size_t n = field_quoted(*s);

        if (n == 0)
            return fault(f, ERR_SYNTAX, "\"%s\": a quote without its end", ESCAPED(whole));
        *display = (struct span){s->p, n};
        *s = field_trim(span_skip(*s, n));
        if (!s->n || s->p[0] != '<')
            return fault(f, ERR_SYNTAX, "\"%s\": no < behind the display name", ESCAPED(whole));
    }
    if (s->n)
        front = field_trim(before(*s, '<', &rest));
    *s = rest;
    if (!display->n && s->p)
        *display = front;
    return 0;
}

/* `s` is what stands behind the '<'. */
static int in_brackets(struct name_addr *out, struct span whole, struct span s, struct span display,
                       struct fault *f)
{
    struct span tail = {NULL, 0};
    struct span inner = before(s, '>', &tail);
    int rc;

    if (!tail.p)
        return fault(f, ERR_SYNTAX, "\"%s\": a < without its >", ESCAPED(whole));
    tail = field_trim(tail);
    if (tail.n && tail.p[0] != ';')
        return fault(f, ERR_SYNTAX, "\"%s\": only parameters may follow the >", ESCAPED(whole));
    rc = uri_parse(&out->uri, inner, f);
    if (rc == 0) {
        out->display = display;
        out->params = span_skip(tail, 1);
    }
    return rc;
}

int name_addr_parse(struct name_addr *out, struct span s, struct fault *f)
{
    struct span whole = s = field_trim(s), display = {NULL, 0};
    int rc = take_display(&s, &display, f);

    if (rc)
        return rc;
    if (s.p)
        return in_brackets(out, whole, s, display, f);
    rc = uri_parse(&out->uri, whole, f);
    if (rc == 0)
        out->display = out->params = (struct span){NULL, 0};
    return rc;
}

int name_addr_parse_field(struct name_addr *out, struct span s, struct fault *f)
{
    struct span whole = s = field_trim(s), display = {NULL, 0};
    struct name_addr a = {0};
    int rc = take_display(&s, &display, f);

    if (rc)
        return rc;
    if (s.p)
        return in_brackets(out, whole, s, display, f);
    rc = uri_parse(&a.uri, field_trim(span_cut(whole, ';', &a.params)), f);
    if (rc == 0 && a.uri.headers.p)
        rc = fault(f, ERR_SYNTAX, "\"%s\": a ? outside of < >", ESCAPED(whole));
    if (rc == 0)
        *out = a;
    return rc;
}

bool uri_next_param(struct span *params, struct span *name, struct span *value)
{
    while (params->n) {
        struct span one = span_cut(*params, ';', params);

        if (one.n) {
            *name = span_trim(span_cut(one, '=', value));
            *value = span_trim(*value);
            return true;
        }
    }
    return false;
}

int uri_unescape(struct span s, char *out, size_t *n)
{
    size_t at = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '%') {
            out[at++] = s.p[i];
            continue;
        }
        int high = i + 1 < s.n ? hex(s.p[i + 1]) : -1;
        int low = i + 2 < s.n ? hex(s.p[i + 2]) : -1;

        if (high < 0 || low < 0)
            return ERR_SYNTAX;
        out[at++] = (char)(high << 4 | low);
        i += 2;
    }
    *n = at;
    return 0;
}

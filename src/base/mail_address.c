/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/mail_address.h"

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Words of letters, digits and `others`, with single dots between them. */
static bool dotted(struct span text, const char *others)
{
    char before = '.';

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (c == '.' ? before == '.' : !is_alnum(c) && (!c || !strchr(others, c)))
            return false;
        before = c;
    }
    return text.n && before != '.';
}

static bool label_ok(struct span label)
{
    return label.n >= 1 && label.n <= 63 && label.p[0] != '-' && label.p[label.n - 1] != '-';
}

bool mail_address_ok(struct span address)
{
    struct span domain, rest, local = span_cut(address, '@', &domain);

    if (address.n > MAIL_ADDRESS_MAX || local.n > 64 || !dotted(local, "+-_=~#&*^{}|!") ||
        local.p[0] == '-' || !dotted(domain, "-"))
        return false;
    for (rest = domain; rest.n;)
        if (!label_ok(span_cut(rest, '.', &rest)))
            return false;
    return true;
}

bool mail_host_ok(struct span host)
{
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
        host = (struct span){host.p + 1, host.n - 2};
        return strspn(host.p, "0123456789abcdefABCDEF:.") >= host.n;
    }
    for (size_t i = 0; i < host.n; i++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-",
                    host.p[i]) ||
            !host.p[i])
            return false;
    return host.n > 0 && host.n < 254;
}

static bool port_ok(struct span port)
{
    unsigned value = 0;

    for (size_t i = 0; i < port.n; i++) {
        if (port.p[i] < '0' || port.p[i] > '9' || i > 4)
            return false;
        value = value * 10 + (unsigned)(port.p[i] - '0');
    }
    return value >= 1 && value <= 65535;
}

static bool is_loopback(struct span host)
{
    return span_eq_nocase(host, SPAN("localhost")) || span_is(host, "[::1]") ||
           (span_starts(host, SPAN("127.")) && strspn(host.p, "0123456789.") >= host.n);
}

bool mail_server_ok(struct span server, bool *loopback)
{
    bool plain = span_starts(server, SPAN("smtp://"));
    struct span host = span_skip(server, plain ? 7 : 8), port = {0};
    const char *bracket = host.n && host.p[0] == '[' ? memchr(host.p, ']', host.n) : NULL;
    const char *colon = bracket  ? bracket + 1 < host.p + host.n ? bracket + 1 : NULL
                        : host.n ? memchr(host.p, ':', host.n)
                                 : NULL;

    if (colon) {
        port = (struct span){colon, host.n - (size_t)(colon - host.p)};
        host.n -= port.n;
    }
    if ((!plain && !span_starts(server, SPAN("smtps://"))) || !mail_host_ok(host) ||
        (colon && (*colon != ':' || !port_ok(span_skip(port, 1)))))
        return false;
    *loopback = is_loopback(host);
    return true;
}

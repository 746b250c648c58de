/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Valid messages as no PBX would write them: any order, any case, compact forms, folds, odd spaces. */
#include "facts.h"

static uint64_t next(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static unsigned below(uint64_t *seed, unsigned n)
{
    return (unsigned)(next(seed) % n);
}

static const char *one_of(uint64_t *seed, const char *const *list, unsigned n)
{
    return list[below(seed, n)];
}
#define ONE_OF(...)                                                                                \
    one_of(seed, (const char *const[]){__VA_ARGS__},                                               \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* White space where some may stand, and where some must. */
static const char *maybe(uint64_t *seed)
{
    return ONE_OF("", "", "", "", " ", "  ", "\t", "\r\n ");
}

static const char *must(uint64_t *seed)
{
    return ONE_OF(" ", " ", " ", "  ", "\t", "\r\n ", " \r\n\t ");
}

static void name(struct buf *out, uint64_t *seed, const char *full, const char *compact)
{
    const char *text = compact && below(seed, 3) == 0 ? compact : full;
    unsigned how = below(seed, 4);

    for (; *text; text++) {
        bool letter = (*text | 0x20) >= 'a' && (*text | 0x20) <= 'z';

        buf_putc(out, letter && (how == 1 || (how == 2 && below(seed, 2))) ? *text ^ 0x20 : *text);
    }
    buf_puts(out, below(seed, 8) ? ":" : " :");
    buf_puts(out, must(seed));
}

static const char *host(uint64_t *seed)
{
    return ONE_OF("pbx.example.com", "192.0.2.7", "[2001:db8::7]", "a-b.example", "H.Example.NET");
}

static void uri(struct buf *out, uint64_t *seed)
{
    buf_puts(out, ONE_OF("sip:", "sip:", "sip:", "sips:", "SIP:"));
    if (below(seed, 8))
        buf_printf(
            out, "%s@",
            ONE_OF("2001", "alice", "+81312345678", "a.b-c_d", "x%20y", "0101212", "A&=+$,"));
    buf_puts(out, host(seed));
    if (below(seed, 3) == 0)
        buf_printf(out, ":%u", 1 + below(seed, 65535));
}

static void address(struct buf *out, uint64_t *seed, bool tag)
{
    if (below(seed, 4)) {
        buf_puts(out, ONE_OF("", "", "Alice ", "\"A. Lice\" ", "\"a, <b>; \\\"c\\\"\"", "a b\t"));
        buf_putc(out, '<');
        uri(out, seed);
        buf_puts(out, ONE_OF("", "", ";transport=tcp", ";lr;x=y", ";user=phone"));
        buf_putc(out, '>');
    } else {
        uri(out, seed);
    }
    if (tag)
        buf_printf(out, "%s;%s%s=%s%x", maybe(seed), maybe(seed), ONE_OF("tag", "tag", "TAG"),
                   maybe(seed), below(seed, 1u << 30));
    if (below(seed, 4) == 0)
        buf_printf(out, ";%s", ONE_OF("x=y", "q=\"a;b\"", "flag", "z=1;y"));
}

static void via(struct buf *out, uint64_t *seed)
{
    buf_puts(out, ONE_OF("SIP/2.0/UDP", "SIP/2.0/UDP", "SIP/2.0/TCP", "SIP/2.0/TLS"));
    buf_printf(out, "%s%s", must(seed), host(seed));
    if (below(seed, 2))
        buf_printf(out, ":%u", 1 + below(seed, 65535));
    if (below(seed, 4) == 0)
        buf_printf(out, ";received=%s", ONE_OF("192.0.2.1", "198.51.100.7"));
    if (below(seed, 4) == 0)
        buf_puts(out, ";rport=5070");
    buf_printf(out, "%s;%sbranch=%sz9hG4bK%x", maybe(seed), maybe(seed), maybe(seed),
               below(seed, 1u << 30));
}

static void digest(struct buf *out, uint64_t *seed, bool challenge)
{
    static const char *const answers[] = {"username=\"20\\\"01\"", "uri=\"sip:a@h,x\"",
                                          "nc=00000001", "cnonce=\"c\"",
                                          "response=\"d41d8cd98f00b204e9800998\""};
    const char *const fields[] = {"realm=\"pbx, example\"", "nonce=\"1/a=b\"",
                                  challenge ? "qop=\"auth\"" : "qop=auth", "algorithm=MD5",
                                  "opaque=\"\\\\x\""};
    unsigned first = below(seed, 5);

    buf_puts(out, ONE_OF("Digest", "Digest", "digest"));
    buf_puts(out, ONE_OF(" ", "  ", "\r\n "));
    for (unsigned i = 0; i < 5; i++) {
        buf_puts(out, i ? ONE_OF(",", ", ", ",\r\n ") : "");
        buf_puts(out, fields[(first + i) % 5]);
        if (!challenge)
            buf_printf(out, "%s%s", ONE_OF(",", ", ", ",\r\n "), answers[(first + 2 * i) % 5]);
    }
}

static void list(struct buf *out, uint64_t *seed, void (*one)(struct buf *, uint64_t *),
                 unsigned max)
{
    one(out, seed);
    for (unsigned i = below(seed, max); i > 0; i--) {
        buf_printf(out, "%s,%s", maybe(seed), maybe(seed));
        one(out, seed);
    }
}

/* In a list, the commas of a bare URI would be the list's. */
static void bracketed(struct buf *out, uint64_t *seed)
{
    buf_puts(out, ONE_OF("", "\"a, b\" ", "Bob "));
    buf_putc(out, '<');
    uri(out, seed);
    buf_puts(out, ONE_OF(">", ";lr>", ">;expires=60", ">;q=0.5"));
}

static void header(struct buf *out, uint64_t *seed, unsigned which, const char *method,
                   bool request)
{
    switch (which) {
    case 0:
        name(out, seed, "Via", "v");
        list(out, seed, via, 3);
        break;
    case 1:
        name(out, seed, "From", "f");
        address(out, seed, true);
        break;
    case 2:
        name(out, seed, "To", "t");
        address(out, seed, below(seed, 2));
        break;
    case 3:
        name(out, seed, "Call-ID", "i");
        buf_printf(out, "%x%s", below(seed, 1u << 30), ONE_OF("", "@192.0.2.7", "@pbx.example"));
        break;
    case 4:
        name(out, seed, "CSeq", NULL);
        buf_printf(out, "%u%s%s", below(seed, 1u << 31), must(seed), method);
        break;
    case 5:
        name(out, seed, "Contact", "m");
        list(out, seed, bracketed, 3);
        break;
    case 6:
        name(out, seed, "Max-Forwards", NULL);
        buf_printf(out, "%u", below(seed, 256));
        break;
    case 7:
        name(out, seed, "User-Agent", NULL);
        buf_puts(out, ONE_OF("Yealink SIP-T46S 66.85.0.5", "friendly-scanner", "A/1 (b; c, d)"));
        break;
    case 8:
        name(out, seed, "Expires", NULL);
        buf_printf(out, "%u", below(seed, 100000));
        break;
    case 9:
        name(out, seed, request ? "Authorization" : "WWW-Authenticate", NULL);
        digest(out, seed, !request);
        break;
    case 10:
        name(out, seed, "Subject", "s");
        buf_puts(out, "a\r\n b: c");
        break;
    }
    buf_puts(out, "\r\n");
}

/* What a reader is known not to read, in the place of which something else is put. */
static void avoid(struct buf *message, enum generate_without without)
{
    for (size_t i = 0; i < message->n; i++) {
        if (without == WITHOUT_TABS && message->p[i] == '\t')
            message->p[i] = ' ';
        if (without == WITHOUT_COMMA_IN_USER && message->p[i] == ',' && message->p[i + 1] == '@')
            message->p[i] = '!';
    }
}

void generate(struct buf *message, uint64_t number, enum generate_without without)
{
    uint64_t state = number, *seed = &state;
    const char *method = ONE_OF("REGISTER", "INVITE", "OPTIONS", "BYE", "NEWMETHOD");
    bool request = below(seed, 3) > 0;
    unsigned order[11];

    if (request) {
        buf_printf(message, "%s ", method);
        uri(message, seed);
        buf_puts(message, " SIP/2.0\r\n");
    } else {
        buf_printf(message, "SIP/2.0 %s\r\n",
                   ONE_OF("200 OK", "401 Unauthorized", "180 Ringing now"));
    }
    for (unsigned i = 0; i < 11; i++) {
        unsigned k = below(seed, i + 1);

        order[i] = order[k];
        order[k] = i;
    }
    for (unsigned i = 0; i < 11; i++)
        if (order[i] < 5 || below(seed, 3))
            header(message, seed, order[i], method, request);
    name(message, seed, "Content-Length", "l");
    buf_puts(message, below(seed, 2) ? "4\r\n\r\nv=0\n" : "0\r\n\r\n");
    avoid(message, without);
}

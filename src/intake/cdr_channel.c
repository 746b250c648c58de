/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/cdr_channel.h"

static bool drop_end(struct span *s, struct span end)
{
    if (s->n < end.n || memcmp(s->p + s->n - end.n, end.p, end.n) != 0)
        return false;
    s->n -= end.n;
    return true;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Without the number of the call: "-0000002a". */
static struct span drop_call(struct span s)
{
    size_t n = s.n;

    while (n > 0 && is_hex(s.p[n - 1]))
        n--;
    if (n > 0 && n < s.n && s.p[n - 1] == '-')
        s.n = n - 1;
    return s;
}

struct cdr_channel cdr_channel_read(struct span name)
{
    static const char *const fronts[] = {"AsyncGoto/", "Parked/", "Surrogate/", "Transfered/"};
    static const char *const ends[] = {"<ZOMBIE>", "<MASQ>"};
    struct cdr_channel c = {{NULL, 0}, false};
    struct span rest, tech;

    for (size_t i = 0; i < sizeof(fronts) / sizeof(*fronts); i++)
        if (span_starts(name, span_of(fronts[i])))
            name = span_skip(name, strlen(fronts[i]));
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        drop_end(&name, span_of(ends[i]));
    tech = span_cut(name, '/', &rest);
    if (!rest.p)
        return c;
    if (span_is(tech, "Local")) {
        c.near_half = drop_end(&rest, SPAN(";1"));
        return c;
    }
    if (span_is(tech, "DAHDI") || span_is(tech, "Zap")) {
        struct span number, line = span_cut(rest, '/', &number);

        /* Behind a slash stands the number that an ISDN line was called by. */
        c.endpoint = number.p ? line : drop_call(rest);
        return c;
    }
    c.endpoint = drop_call(rest);
    return c;
}

/* A number of itself, or of a SIP URI. */
static struct span bare_number(struct span s)
{
    struct span rest;

    if (span_starts(s, SPAN("sip:")) || span_starts(s, SPAN("sips:"))) {
        span_cut(s, ':', &rest);
        s = rest;
    }
    return span_cut(s, '@', &rest);
}

static struct span number_in(struct span one)
{
    static const struct span none = {NULL, 0};
    struct span line, third, tech = span_cut(one, '/', &line);

    if (!line.p || span_is(tech, "Local"))
        return none;
    line = span_cut(line, '/', &third);
    if (third.p) {
        /* DAHDI waits and dials on behind a w; what was dialled first is the number. */
        struct span rest;

        if (span_is(tech, "DAHDI") || span_is(tech, "Zap"))
            third = span_cut(third, 'w', &rest);
        return bare_number(third);
    }
    /* Before the at sign of IAX2 stand user and secret. */
    if (span_is(tech, "IAX2") || line.n == 0 || !memchr(line.p, '@', line.n))
        return none;
    return bare_number(line);
}

struct span cdr_dialled_number(struct span data)
{
    struct span rest, all;

    /* Asterisk 1.4 had a bar between arguments. */
    all = span_cut(data, ',', &rest);
    all = span_cut(all, '|', &rest);
    for (rest = all; rest.p;) {
        struct span number = number_in(span_cut(rest, '&', &rest));

        if (number.n)
            return number;
    }
    return (struct span){NULL, 0};
}

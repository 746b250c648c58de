/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sip/credentials.h"

#include "sip/field.h"
#include "sip/scan.h"

/* As in header.c: no two names have the same sum of first and last letter. */
#define SLOTS 32
#define SLOT(first, last) (((first) + (last)) % SLOTS)

#define FIELD(field, name, first, last)                                                            \
    [SLOT(first, last)] = {name, sizeof(name) - 1, DIGEST_##field}

static const struct {
    char name[16];
    unsigned char n, field;
} slots[SLOTS] = {
    FIELD(USERNAME, "username", 'u', 'e'), FIELD(REALM, "realm", 'r', 'm'),
    FIELD(NONCE, "nonce", 'n', 'e'),       FIELD(URI, "uri", 'u', 'i'),
    FIELD(RESPONSE, "response", 'r', 'e'), FIELD(ALGORITHM, "algorithm", 'a', 'm'),
    FIELD(QOP, "qop", 'q', 'p'),           FIELD(NC, "nc", 'n', 'c'),
    FIELD(CNONCE, "cnonce", 'c', 'e'),     FIELD(OPAQUE, "opaque", 'o', 'e'),
    FIELD(STALE, "stale", 's', 'e'),       FIELD(DOMAIN, "domain", 'd', 'n'),
    FIELD(USERHASH, "userhash", 'u', 'h'),
};

/* DIGEST_FIELDS for a field that nobody here reads. All up to `end` may be read. */
static inline unsigned field_of(struct span name, const char *end)
{
    if (!name.n)
        return DIGEST_FIELDS;

    unsigned at =
        SLOT((unsigned char)(name.p[0] | 0x20), (unsigned char)(name.p[name.n - 1] | 0x20));

    return slots[at].n == name.n && scan_name(name.p, end, slots[at].name, name.n) ? slots[at].field
                                                                                   : DIGEST_FIELDS;
}

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && field_is_space(*p))
        p++;
    return p;
}

static const char *skip_token(const char *p, const char *end)
{
    while (p < end && field_is_token_byte(*p))
        p++;
    return p;
}

/* What stands behind the '='. */
struct text {
    struct span span;
    unsigned quoted, escaped; /* 0 or 1 */
};

static const bool ends_text[256] = {
    [' '] = true, ['\t'] = true, ['\r'] = true, ['\n'] = true, [','] = true, ['"'] = true,
};

/* Takes the text behind the quote off, up to `p` or further. */
static const char *take_escaped(struct text *t, const char *p, const char *end)
{
    do {
        t->escaped = 1;
        p += *p == '\n' ? 1 : 2;
        if (p > end)
            return NULL;
        p = scan_any(p, end, '"', '\\', '\n');
    } while (p < end && *p != '"');
    return p < end ? p : NULL;
}

/* Takes the text at `p` off: where it ends, or NULL. Outside of quotes all is allowed but white space, a
 * comma and a quote: URIs are sent so. */
static inline const char *take_text(struct text *t, const char *p, const char *end)
{
    const char *start = p;

    t->quoted = t->escaped = 0;
    if (p == end || *p != '"') {
        while (p < end && !ends_text[(unsigned char)*p])
            p++;
        t->span = (struct span){start, (size_t)(p - start)};
        return t->span.n ? p : NULL;
    }
    p = scan_any(++start, end, '"', '\\', '\n');
    if (p == end)
        return NULL;
    if (*p != '"' && !(p = take_escaped(t, p, end)))
        return NULL;
    t->span = (struct span){start, (size_t)(p - start)};
    t->quoted = 1;
    return p + 1;
}

/* Takes the name at `p` off, with its '=' and the space around that: where it ends. NULL when there is no
 * name, `p` itself when no '=' follows it. Of names only those need a look at each byte that are none of
 * ours. */
static inline const char *take_name(unsigned *field, const char *p, const char *end)
{
    const char *equals = scan_near(p, end, '='), *behind;

    *field = equals < end ? field_of((struct span){p, (size_t)(equals - p)}, end) : DIGEST_FIELDS;
    if (*field == DIGEST_FIELDS) {
        behind = skip_token(p, end);
        equals = skip_space(behind, end);
        if (behind == p)
            return NULL;
        if (equals == end || *equals != '=')
            return p;
        *field = field_of((struct span){p, (size_t)(behind - p)}, end);
    }
    p = equals + 1;
    return p < end && *p == '"' ? p : skip_space(p, end);
}

/* Behind a word without '=', and the space behind that; `p` itself where a field follows it, whose scheme it is. */
static const char *skip_flag(const char *p, const char *end)
{
    const char *behind = skip_space(skip_token(p, end), end);

    return behind == end || *behind == ',' ? behind : p;
}

/* Takes fields off until the end, or until a word without '=' begins the next scheme: where that is, or
 * NULL for a field that has not the form. A word without '=' that nothing follows says nothing, and switches step over
 * it. */
static const char *take_fields(struct credentials *c, const char *p, const char *end)
{
    unsigned seen = 0, repeated = 0, quoted = 0, escaped = 0;

    while ((p = skip_space(p, end)) < end) {
        const char *start = p;
        struct text text;
        unsigned field, bit;

        if (*p == ',') {
            p++;
            continue;
        }
        p = take_name(&field, p, end);
        if (p == start) {
            p = skip_flag(start, end);
            if (p == start)
                break;
            continue;
        }
        if (!p || !(p = take_text(&text, p, end)))
            return NULL;
        if (p < end && *p != ',')
            p = skip_space(p, end);
        if (p < end && *p++ != ',')
            return NULL;
        if (field == DIGEST_FIELDS)
            continue;
        bit = 1u << field;
        repeated |= seen & bit;
        if (seen & bit)
            continue;
        seen |= bit;
        c->field[field] = text.span;
        quoted |= text.quoted << field;
        escaped |= text.escaped << field;
    }
    for (unsigned i = 0; repeated >> i; i++)
        if (repeated >> i & 1)
            c->field[i] = (struct span){NULL, 0};
    c->quoted = (uint16_t)quoted;
    c->escaped = (uint16_t)escaped;
    c->repeated = (uint16_t)repeated;
    return p;
}

int credentials_next(struct credentials *out, struct span *value)
{
    const char *p = value->p, *end = p + value->n, *behind;

    while (p < end && (field_is_space(*p) || *p == ','))
        p++;
    if (p == end)
        return ERR_MISSING;
    behind = skip_token(p, end);
    *out = (struct credentials){.scheme = {p, (size_t)(behind - p)}};
    if (!out->scheme.n || (behind < end && !field_is_space(*behind)))
        return ERR_SYNTAX;
    out->digest = out->scheme.n == 6 && scan_same(p, "digest", 6);
    if (out->digest) {
        p = take_fields(out, behind, end);
        if (!p)
            return ERR_SYNTAX;
    } else {
        out->other = field_trim((struct span){behind, (size_t)(end - behind)});
        p = end;
    }
    *value = (struct span){p, (size_t)(end - p)};
    return 0;
}

bool credentials_stale(const struct credentials *c)
{
    return span_eq_nocase(c->field[DIGEST_STALE], SPAN("true"));
}

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
    const char *name;
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

/* DIGEST_FIELDS for a field that nobody here reads. */
static unsigned field_of(struct span name)
{
    if (!name.n)
        return DIGEST_FIELDS;

    unsigned at =
        SLOT((unsigned char)(name.p[0] | 0x20), (unsigned char)(name.p[name.n - 1] | 0x20));

    return slots[at].n == name.n && scan_same(name.p, slots[at].name, name.n) ? slots[at].field
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
    bool quoted, escaped;
};

/* Takes the text at `p` off: where it ends, or NULL. Outside of quotes all is allowed but white space, a
 * comma and a quote: URIs are sent so. */
static const char *take_text(struct text *t, const char *p, const char *end)
{
    const char *start = p;

    *t = (struct text){0};
    if (p == end || *p != '"') {
        while (p < end && !field_is_space(*p) && *p != ',' && *p != '"')
            p++;
        t->span = (struct span){start, (size_t)(p - start)};
        return t->span.n ? p : NULL;
    }
    for (p = ++start; (p = scan_any(p, end, '"', '\\', '\n')) < end && *p != '"';) {
        t->escaped = true;
        p += *p == '\n' ? 1 : 2;
        if (p > end)
            return NULL;
    }
    if (p == end)
        return NULL;
    t->span = (struct span){start, (size_t)(p - start)};
    t->quoted = true;
    return p + 1;
}

static void keep(struct credentials *c, unsigned field, const struct text *t)
{
    unsigned bit = 1u << field;

    if (field == DIGEST_FIELDS)
        return;
    if (c->repeated & bit || c->field[field].p) {
        c->repeated |= (uint16_t)bit;
        c->field[field] = (struct span){NULL, 0};
        return;
    }
    c->field[field] = t->span;
    c->quoted |= t->quoted ? (uint16_t)bit : 0;
    c->escaped |= t->escaped ? (uint16_t)bit : 0;
}

/* Takes the name at `p` off, with its '=' and the space around that: where it ends. NULL when there is no
 * name, `p` itself when no '=' follows it. Of names only those need a look at each byte that are none of
 * ours. */
static const char *take_name(unsigned *field, const char *p, const char *end)
{
    const char *equals = scan_any(p, end, '=', ' ', ',');

    *field = field_of((struct span){p, (size_t)(equals - p)});
    if (*field == DIGEST_FIELDS || equals == end || *equals != '=') {
        const char *behind = skip_token(p, end);

        equals = skip_space(behind, end);
        if (behind == p)
            return NULL;
        if (equals == end || *equals != '=')
            return p;
        *field = field_of((struct span){p, (size_t)(behind - p)});
    }
    return skip_space(equals + 1, end);
}

/* Takes fields off until the end, or until a word without '=' begins the next scheme: where that is, or
 * NULL for a field that has not the form. */
static const char *take_fields(struct credentials *c, const char *p, const char *end)
{
    while ((p = skip_space(p, end)) < end) {
        const char *start = p;
        struct text text;
        unsigned field;

        if (*p == ',') {
            p++;
            continue;
        }
        p = take_name(&field, p, end);
        if (!p || p == start)
            return p;
        p = take_text(&text, p, end);
        if (!p)
            return NULL;
        p = skip_space(p, end);
        if (p < end && *p++ != ',')
            return NULL;
        keep(c, field, &text);
    }
    return p;
}

int credentials_next(struct credentials *out, struct span *value)
{
    const char *p = value->p, *end = p + value->n, *behind;
    struct credentials c = {0};

    while (p < end && (field_is_space(*p) || *p == ','))
        p++;
    if (p == end)
        return ERR_MISSING;
    behind = skip_token(p, end);
    c.scheme = (struct span){p, (size_t)(behind - p)};
    if (!c.scheme.n || (behind < end && !field_is_space(*behind)))
        return ERR_SYNTAX;
    c.digest = c.scheme.n == 6 && scan_same(p, "digest", 6);
    if (c.digest) {
        p = take_fields(&c, behind, end);
        if (!p)
            return ERR_SYNTAX;
    } else {
        c.other = field_trim((struct span){behind, (size_t)(end - behind)});
        p = end;
    }
    *value = (struct span){p, (size_t)(end - p)};
    *out = c;
    return 0;
}

bool credentials_stale(const struct credentials *c)
{
    return span_eq_nocase(c->field[DIGEST_STALE], SPAN("true"));
}

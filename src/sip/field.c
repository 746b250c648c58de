/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sip/field.h"

#include "sip/scan.h"

const bool field_token_bytes[256] = {
    ['0' ... '9'] = true, ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['-'] = true, ['.'] = true,
    ['!'] = true,         ['%'] = true,         ['*'] = true,         ['_'] = true, ['+'] = true,
    ['`'] = true,         ['\''] = true,        ['~'] = true,
};

bool field_is_token(struct span s)
{
    bool all = s.n > 0;

    for (size_t i = 0; i < s.n; i++)
        all &= field_is_token_byte(s.p[i]);
    return all;
}

size_t field_quoted(struct span s)
{
    const char *p = s.p + 1, *end = s.p + s.n;

    while (p < end) {
        p = scan_either(p, end, '"', '\\');
        if (p < end && *p == '"')
            return (size_t)(p - s.p) + 1;
        p += 2;
    }
    return 0;
}

/* Takes all before the first `at` off, and `at` with it, where it stands outside of quoted strings and,
 * with `brackets`, of <...>. */
static struct span take(struct span *s, char at, bool brackets)
{
    const char *p = s->p, *end = p + s->n;

    while ((p = scan_any(p, end, at, '"', brackets ? '<' : at)) < end && *p != at) {
        struct span rest = {p, (size_t)(end - p)};

        if (*p == '"') {
            size_t n = field_quoted(rest);

            p = n ? p + n : end;
        } else {
            p = memchr(p, '>', rest.n);
            p = p ? p + 1 : end;
        }
    }

    struct span front = {s->p, (size_t)(p - s->p)};

    *s = p < end ? (struct span){p + 1, (size_t)(end - p) - 1} : (struct span){end, 0};
    return field_trim(front);
}

bool field_next(struct span *list, struct span *element)
{
    while (list->n) {
        struct span one = take(list, ',', true);

        if (one.n) {
            *element = one;
            return true;
        }
    }
    return false;
}

bool field_next_param(struct span *params, struct span *name, struct span *value)
{
    while (params->n) {
        struct span one = take(params, ';', false);

        if (one.n) {
            *name = field_trim(span_cut(one, '=', value));
            *value = field_trim(*value);
            return true;
        }
    }
    return false;
}

unsigned field_param(struct span params, struct span wanted, struct span *value)
{
    struct span name, found;
    unsigned n = 0;

    while (field_next_param(&params, &name, &found))
        if (span_eq_nocase(name, wanted) && n++ == 0)
            *value = found;
    return n;
}

int field_number(struct span s, uint32_t max, uint32_t *out)
{
    uint64_t v = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return ERR_SYNTAX;
        if (v <= max)
            v = v * 10 + (uint64_t)(s.p[i] - '0');
    }
    if (!s.n || v > max)
        return s.n ? ERR_RANGE : ERR_SYNTAX;
    *out = (uint32_t)v;
    return 0;
}

/* The next byte of `s` as it reads unfolded. White space up to `*plain` is known to hold no fold, so that
 * it is looked through once. */
static char next_byte(struct span *s, const char **plain)
{
    char c = s->p[0];
    bool fold = false;
    size_t i = 0;

    if (field_is_space(c) && (!*plain || s->p >= *plain)) {
        while (i < s->n && field_is_space(s->p[i]))
            fold |= s->p[i++] == '\n';
        *plain = s->p + i;
    }
    *s = span_skip(*s, fold ? i : 1);
    return fold ? ' ' : c;
}

size_t field_unfold(struct span s, char *out)
{
    const char *plain = NULL;
    size_t n = 0;

    while (s.n)
        out[n++] = next_byte(&s, &plain);
    return n;
}

bool field_eq(struct span a, struct span b)
{
    const char *plain_a = NULL, *plain_b = NULL;

    while (a.n && b.n)
        if (next_byte(&a, &plain_a) != next_byte(&b, &plain_b))
            return false;
    return !a.n && !b.n;
}

int field_unquote(struct span s, char *out, size_t *n)
{
    const char *plain = NULL;
    size_t at = 0;

    while (s.n) {
        if (s.p[0] == '\\') {
            if (s.n == 1)
                return ERR_SYNTAX;
            out[at++] = s.p[1];
            s = span_skip(s, 2);
        } else {
            out[at++] = next_byte(&s, &plain);
        }
    }
    *n = at;
    return 0;
}

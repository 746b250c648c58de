/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/flat.h"

#include "base/utf8.h"

struct at {
    const char *p, *end;
};

static bool take(struct at *at, char c)
{
    while (at->p < at->end && (*at->p == ' ' || *at->p == '\t' || *at->p == '\r' || *at->p == '\n'))
        at->p++;
    if (at->p == at->end || *at->p != c)
        return false;
    at->p++;
    return true;
}

/* Behind the opening quote. */
static bool string(struct at *at, struct span *out)
{
    const char *from = at->p;
    bool ascii = true;

    for (; at->p < at->end && *at->p != '"'; at->p++) {
        unsigned char c = (unsigned char)*at->p;
        if (c < 0x20 || c == '\\')
            return false;
        ascii &= c < 0x80;
    }
    if (at->p == at->end)
        return false;
    *out = (struct span){from, (size_t)(at->p++ - from)};
    return ascii || utf8_valid(*out);
}

/* Behind the opening bracket. */
static bool array(struct at *at, struct span *out)
{
    const char *from = at->p - 1;
    struct span ignored;
    unsigned depth = 1;

    while (at->p < at->end && depth) {
        char c = *at->p++;
        if (c == '"' && !string(at, &ignored))
            return false;
        depth += c == '[';
        depth -= c == ']';
    }
    *out = (struct span){from, (size_t)(at->p - from)};
    return depth == 0;
}

static bool member(struct at *at, const char *const *names, size_t n, struct span *values)
{
    struct span name;
    size_t i = 0;

    if (!take(at, '"') || !string(at, &name) || !take(at, ':'))
        return false;
    while (i < n && !span_is(name, names[i] + (names[i][0] == '[')))
        i++;
    if (i == n || values[i].p)
        return false;
    if (names[i][0] == '[')
        return take(at, '[') && array(at, &values[i]);
    return take(at, '"') && string(at, &values[i]);
}

bool flat_read(struct span text, const char *const *names, size_t n, struct span *values)
{
    struct at at = {text.p, text.p + text.n};
    bool more = true;

    for (size_t i = 0; i < n; i++)
        values[i] = (struct span){NULL, 0};
    if (!text.n || !take(&at, '{'))
        return false;
    if (take(&at, '}'))
        more = false;
    while (more) {
        if (!member(&at, names, n, values))
            return false;
        more = take(&at, ',');
        if (!more && !take(&at, '}'))
            return false;
    }
    while (at.p < at.end && (*at.p == ' ' || *at.p == '\t' || *at.p == '\r' || *at.p == '\n'))
        at.p++;
    return at.p == at.end;
}

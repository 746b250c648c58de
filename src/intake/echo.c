/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/echo.h"

#include <string.h>

#include "sip/field.h"

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && field_is_space(*p))
        p++;
    return p;
}

/* Behind the name that stands before `equals`; is it that? */
static bool is_named(const char *start, const char *equals, struct span name)
{
    const char *p = equals;

    while (p > start && field_is_space(p[-1]))
        p--;
    return (size_t)(p - start) >= name.n && span_eq_nocase((struct span){p - name.n, name.n}, name);
}

static bool ends_value(char c)
{
    return field_is_space(c) || c == ',' || c == ';' || c == '"';
}

/* Without quotes '=' stands at the end alone, as padding: so no byte is part of two values. */
static struct span value_at(const char *p, const char *end)
{
    const char *stop;

    if (p < end && *p == '"') {
        p++;
        stop = memchr(p, '"', (size_t)(end - p));
        return (struct span){p, (size_t)((stop ? stop : end) - p)};
    }
    for (stop = p; stop < end && !ends_value(*stop); stop++)
        if (stop > p && stop[-1] == '=' && *stop != '=')
            break;
    return (struct span){p, (size_t)(stop - p)};
}

bool echo_next(struct span *text, struct span name, struct span *value)
{
    const char *end = text->p + text->n, *start = text->p, *equals;

    while (start < end && (equals = memchr(start, '=', (size_t)(end - start)))) {
        bool found = is_named(start, equals, name);

        start = equals + 1;
        if (!found)
            continue;
        *value = value_at(skip_space(start, end), end);
        *text = (struct span){start, (size_t)(end - start)};
        return true;
    }
    *text = (struct span){end, 0};
    return false;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts.h"

#include <stdlib.h>

#include "sip/field.h"
#include "sip/uri.h"

void facts_add(struct buf *facts, const char *key, unsigned index, const char *part,
               struct span value)
{
    bool space = false;

    value = field_trim(value);
    if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
        value = (struct span){value.p + 1, value.n - 2};
    buf_printf(facts, "%s.%u.%s\t", key, index, part);
    for (size_t i = 0; i < value.n; i++) {
        bool blank = field_is_space(value.p[i]);

        if (!blank)
            buf_putc(facts, value.p[i]);
        else if (!space)
            buf_putc(facts, ' ');
        space = blank;
    }
    buf_putc(facts, '\n');
}

void facts_number(struct buf *facts, const char *key, unsigned index, const char *part,
                  uint32_t value)
{
    buf_printf(facts, "%s.%u.%s\t%u\n", key, index, part, value);
}

void facts_user(struct buf *facts, const char *key, unsigned index, struct span user)
{
    char *plain = malloc(user.n + 1);
    size_t n = 0;

    if (!plain)
        abort();
    if (uri_unescape(user, plain, &n))
        facts_add(facts, key, index, "user", user);
    else
        facts_add(facts, key, index, "user", (struct span){plain, n});
    free(plain);
}

bool facts_get(const struct buf *facts, struct span key, struct span *value)
{
    for (struct span rest = buf_span(facts); rest.n;) {
        struct span line = span_cut(rest, '\n', &rest), behind;

        if (span_eq(span_cut(line, '\t', &behind), key)) {
            *value = behind;
            return true;
        }
    }
    return false;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The value of an Authorization or WWW-Authenticate header field. */
#include <string.h>

#include "fuzz.h"
#include "sip/credentials.h"
#include "sip/field.h"

static void within(struct span part, struct span whole)
{
    PROMISE(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void check(const struct credentials *c, struct span whole)
{
    within(c->scheme, whole);
    within(c->other, whole);
    PROMISE(c->scheme.n > 0);
    for (unsigned i = 0; i < DIGEST_FIELDS; i++) {
        struct span field = c->field[i];
        char *plain = malloc(field.n + 1);
        size_t n = 0;

        within(field, whole);
        PROMISE(c->digest || !field.p);
        PROMISE(!field.p || !(c->repeated >> i & 1));
        PROMISE(field.n || !field.p || c->quoted >> i & 1);
        PROMISE(plain != NULL);
        if (field.p && c->quoted >> i & 1) {
            PROMISE(field_unquote(field, plain, &n) == 0);
            PROMISE(n <= field.n);
            if (!credentials_escaped(c, i))
                PROMISE(span_eq(field, (struct span){plain, n}));
        }
        free(plain);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span whole = {(const char *)data, size}, value = whole;
    struct credentials c, again;
    size_t left = size + 1;
    int rc;

    while (1) {
        struct span before = value;

        rc = credentials_next(&c, &value);
        if (rc)
            break;
        within(value, whole);
        PROMISE(value.n < left);
        left = value.n;
        check(&c, whole);
        PROMISE(credentials_next(&again, &before) == 0);
        PROMISE(memcmp(c.field, again.field, sizeof(c.field)) == 0 && c.repeated == again.repeated);
    }
    PROMISE(rc == ERR_MISSING || rc == ERR_SYNTAX);
    return 0;
}

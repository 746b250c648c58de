/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "fuzz.h"
#include "sip/uri.h"

static void within(struct span part, struct span whole)
{
    PROMISE(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void check(const struct uri *u, struct span whole)
{
    struct span params = u->user_params, name, value;
    char *plain = malloc(u->user.n + 1);
    size_t n = 0;

    within(u->user, whole);
    within(u->user_params, whole);
    within(u->password, whole);
    within(u->host, whole);
    within(u->params, whole);
    within(u->headers, whole);
    PROMISE(u->port <= 65535);
    PROMISE(u->scheme == URI_TEL || u->host.n > 0);
    while (uri_next_param(&params, &name, &value)) {
        within(name, whole);
        within(value, whole);
    }
    PROMISE(plain != NULL);
    if (uri_unescape(u->user, plain, &n) == 0)
        PROMISE(n <= u->user.n);
    free(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span whole = {(const char *)data, size};
    struct fault f = {0};
    struct name_addr a;
    struct uri u;

    if (uri_parse(&u, whole, &f) == 0)
        check(&u, whole);
    else
        PROMISE(f.text[0]);
    if (name_addr_parse(&a, whole, &f) == 0) {
        check(&a.uri, whole);
        within(a.display, whole);
        within(a.params, whole);
    }
    return 0;
}

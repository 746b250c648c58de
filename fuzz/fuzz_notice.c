/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "fuzz.h"
#include "notify/mail.h"
#include "notify/mustache.h"

/* The first byte: s(ubject), t(ext) or h(tml). Then a template, up to a NUL; then what somebody is called. */

static const struct mustache_name names[] = {
    {"name", MUSTACHE_FACT}, {"link", MUSTACHE_LINK}, {"list", MUSTACHE_LIST},
    {"item", MUSTACHE_ITEM}, {NULL, MUSTACHE_FACT},
};

static json_t *facts(struct span value)
{
    json_t *name = json_stringn(value.p ? value.p : "", value.n);

    return name ? json_pack("{s:o, s:s, s:[{s:O}, {}]}", "name", name, "link",
                            "https://example.jp/?a&b", "list", "item", name)
                : NULL;
}

static size_t count(const struct buf *b, char c)
{
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++)
        n += b->p[i] == c;
    return n;
}

static void render(const struct mustache *t, struct span value, struct buf *out)
{
    json_t *f = facts(value);

    if (f)
        mustache_render(t, f, out);
    json_decref(f);
}

/* Whoever is called whatever: as many tags, attributes, lines as with a name that is none of these. */
static void compare(const struct mustache *t, enum mustache_as as, struct span value)
{
    struct buf plain = {0}, hostile = {0};

    render(t, SPAN("x"), &plain);
    render(t, value, &hostile);
    if (!plain.failed && !hostile.failed && plain.n < MUSTACHE_OUTPUT_MAX / 2 &&
        hostile.n < MUSTACHE_OUTPUT_MAX / 2 && hostile.n) {
        static const char marks[] = {'\n', '\r', '\0', '<', '>', '"', '\''};

        for (size_t i = 0; i < (as == MUSTACHE_HTML ? sizeof(marks) : 3); i++)
            if (count(&plain, marks[i]) != count(&hostile, marks[i]))
                abort();
    }
    buf_free(&plain);
    buf_free(&hostile);
}

/* A field never ends before its end: behind each line's end stands a blank. */
static void field(struct span value)
{
    struct buf out = {0};

    mail_words(value, 9, &out);
    for (size_t i = 0; i < out.n; i++)
        if ((out.p[i] == '\n' &&
             (i == 0 || out.p[i - 1] != '\r' || i + 1 == out.n || out.p[i + 1] != ' ')) ||
            (out.p[i] == '\r' && (i + 1 == out.n || out.p[i + 1] != '\n')) || out.p[i] == '\0')
            abort();
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = {(const char *)data, size}, value, text;
    struct mustache *t = NULL;
    struct fault f;

    if (!size)
        return 0;
    enum mustache_as as = data[0] == 's'   ? MUSTACHE_LINE
                          : data[0] == 't' ? MUSTACHE_TEXT
                                           : MUSTACHE_HTML;
    text = span_cut(span_skip(input, 1), '\0', &value);
    field(value);
    /* A blank value may leave a section out: the comparison is of two that are there. */
    if (mustache_parse(&t, text, as, names, 1, &f) == 0 && value.n)
        compare(t, as, value);
    mustache_free(t);
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/target.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

/* Decodes text[0..n) onto itself. */
static int decode(char *text, size_t n, bool plus, struct span *out, struct fault *f)
{
    size_t to = 0;

    for (size_t i = 0; i < n; i++) {
        char c = text[i];

        if (c == '%') {
            int high = n - i > 2 ? hex(text[i + 1]) : -1;
            int low = n - i > 2 ? hex(text[i + 2]) : -1;

            if (high < 0 || low < 0)
                return fault(f, ERR_SYNTAX,
                             "a %% in the request's target has no two hex digits behind it");
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (c == 0)
            return fault(f, ERR_SYNTAX, "the request's target holds a NUL");
        text[to++] = c;
    }
    *out = (struct span){text, to};
    return 0;
}

/* The length of what stands before the first of the bytes in `stops`. */
static size_t until(const char *text, size_t n, const char *stops)
{
    size_t i = 0;

    while (i < n && !(text[i] && strchr(stops, text[i])))
        i++;
    return i;
}

static int pair_parse(struct target_pair *out, char *text, size_t n, struct fault *f)
{
    size_t key = until(text, n, "=");
    struct target_pair pair = {0};
    int rc = decode(text, key, true, &pair.key, f);

    if (!rc)
        rc = key < n ? decode(text + key + 1, n - key - 1, true, &pair.value, f)
                     : decode(text + n, 0, true, &pair.value, f);
    if (!rc)
        *out = pair;
    return rc;
}

int target_query_parse(struct target_query *out, char *text, size_t n, struct fault *f)
{
    out->n = 0;
    while (n) {
        size_t length = until(text, n, "&");
        int rc;

        if (length && out->n == TARGET_PAIRS_MAX)
            return fault(f, ERR_RANGE, "more than %d parameters", TARGET_PAIRS_MAX);
        if (length) {
            rc = pair_parse(&out->pairs[out->n], text, length, f);
            if (rc)
                return rc;
            out->n++;
        }
        if (length == n)
            break;
        text += length + 1;
        n -= length + 1;
    }
    return 0;
}

int target_parse(struct target *out, char *text, size_t n, struct fault *f)
{
    size_t path = until(text, n, "?");
    char *at = text;
    size_t left = path;

    out->n = 0;
    out->query.n = 0;
    if (!path || text[0] != '/')
        return fault(f, ERR_SYNTAX, "the request's target does not begin with a /");
    while (left) {
        size_t length = until(at + 1, left - 1, "/");
        int rc;

        if (out->n == TARGET_SEGMENTS_MAX)
            return fault(f, ERR_MISSING, "there is no such path");
        rc = decode(at + 1, length, false, &out->segments[out->n], f);
        if (rc)
            return rc;
        out->n++;
        at += length + 1;
        left -= length + 1;
    }
    if (path == n)
        return 0;
    return target_query_parse(&out->query, text + path + 1, n - path - 1, f);
}

struct span target_query_get(const struct target_query *query, const char *key)
{
    for (size_t i = 0; i < query->n; i++) {
        if (span_is(query->pairs[i].key, key))
            return query->pairs[i].value;
    }
    return (struct span){NULL, 0};
}

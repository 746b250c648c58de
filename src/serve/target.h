/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_TARGET_H
#define SEKISHO_SERVE_TARGET_H

#include "base/fault.h"

/*
 * The target of a request ("/v1/accounts?tenant=main", RFC 9112 section 3.2.1), and a form, which is
 * written like a query. Every part is percent-decoded exactly once, behind the cut: a %2F is no slash
 * and a %26 no ampersand. A part that would hold a NUL, or a % without two hex digits, is refused.
 */

#define TARGET_SEGMENTS_MAX 8
#define TARGET_PAIRS_MAX 128

struct target_pair {
    struct span key;
    struct span value;
};

struct target_query {
    struct target_pair pairs[TARGET_PAIRS_MAX];
    size_t n;
};

struct target {
    struct span segments[TARGET_SEGMENTS_MAX];
    size_t n;
    struct target_query query;
};

/*
 * Decodes in place: `text` is overwritten, and the spans point into it. ERR_SYNTAX where it is
 * malformed, ERR_MISSING where the path has more segments than any resource, ERR_RANGE where there are
 * too many pairs.
 */
int target_parse(struct target *out, char *text, size_t n, struct fault *f);

/* The same for application/x-www-form-urlencoded alone ("a=1&b=2", + is a space). */
int target_query_parse(struct target_query *out, char *text, size_t n, struct fault *f);

/* The first value of `key`; p == NULL where there is none. */
struct span target_query_get(const struct target_query *query, const char *key);

#endif

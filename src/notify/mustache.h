/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NOTIFY_MUSTACHE_H
#define SEKISHO_NOTIFY_MUSTACHE_H

#include <jansson.h>

#include "base/buf.h"
#include "base/fault.h"

/*
 * A text with places to fill, in a part of Mustache:
 *
 *   {{name}}              a fact, escaped for where the text goes
 *   {{#name}}…{{/name}}   once for each item of a list, whose own facts come before the others; of anything else: once, where
 *                         there is such a fact, it is not false, not 0 and not empty
 *   {{^name}}…{{/name}}   once, where the above would not be there
 *   {{! … }}              nothing
 *
 * A line with nothing but one of the last four is left out whole. There is no way to put a fact unescaped. Pure.
 */
struct mustache;

enum mustache_as {
    MUSTACHE_LINE, /* one line: the subject */
    MUSTACHE_TEXT,
    MUSTACHE_HTML, /* a fact may stand between tags, and a MUSTACHE_LINK in a double-quoted href */
};

enum mustache_kind { MUSTACHE_FACT, MUSTACHE_LINK, MUSTACHE_LIST, MUSTACHE_ITEM };

/* What a template may name. Of a list the items' facts stand behind it; they may be named within it alone. */
struct mustache_name {
    const char *name;
    enum mustache_kind kind;
};

#define MUSTACHE_BYTES_MAX 65536
#define MUSTACHE_DEPTH_MAX 8
#define MUSTACHE_OUTPUT_MAX (4 * 1024 * 1024) /* what does not fit is left out */

/*
 * `text` is copied; `names` (ended by name == NULL) is borrowed. The sentence of a failure is "line 12: …", counted from
 * `line`, and says what is allowed. ERR_SYNTAX, ERR_RANGE, ERR_NOMEM.
 */
int mustache_parse(struct mustache **out, struct span text, enum mustache_as as,
                   const struct mustache_name *names, unsigned line, struct fault *f);
void mustache_free(struct mustache *t);

/* Facts are strings, integers, booleans, lists of objects; others are taken as absent. */
void mustache_render(const struct mustache *t, const json_t *facts, struct buf *out);

/* A value as it is put into a text of that kind. What cannot be seen, or turns what is seen around, becomes U+FFFD; of
 * more than 300 characters the rest is left out. */
void mustache_escape(struct span value, enum mustache_as as, struct buf *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "notify/mustache.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

#define VALUE_CHARACTERS 300

enum node_type { NODE_TEXT, NODE_VALUE, NODE_SECTION, NODE_INVERTED, NODE_END };

struct node {
    enum node_type type;
    struct span text; /* or the name, as mustache_name has it */
    size_t end;       /* of a section: its NODE_END */
};

struct mustache {
    enum mustache_as as;
    char *text;
    struct node *nodes;
    size_t n, cap;
};

/* ---- what is untrusted ---------------------------------------------------------------------- */

static bool invisible(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
           (c >= 0xe0000 && c <= 0xe0fff);
}

static const char *entity(uint32_t c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

void mustache_escape(struct span value, enum mustache_as as, struct buf *out)
{
    size_t characters = 0;

    while (value.n && characters++ < VALUE_CHARACTERS) {
        uint32_t c = 0;
        size_t n = utf8_decode(value, &c);
        const char *instead = n == 0 || invisible(c) ? "\xef\xbf\xbd"
                              : as == MUSTACHE_HTML  ? entity(c)
                                                     : NULL;

        if (instead)
            buf_puts(out, instead);
        else
            buf_add(out, (struct span){value.p, n});
        value = span_skip(value, n ? n : 1);
    }
    if (value.n)
        buf_puts(out, "…");
}

/* ---- rendering ------------------------------------------------------------------------------ */

struct view {
    const json_t *facts, *item; /* item: NULL outside of a list */
};

static const json_t *find(const struct view *view, struct span name)
{
    const json_t *found = view->item ? json_object_get(view->item, name.p) : NULL;

    return found ? found : json_object_get(view->facts, name.p);
}

static bool is_there(const json_t *fact)
{
    return json_is_string(fact)    ? json_string_length(fact) > 0
           : json_is_integer(fact) ? json_integer_value(fact) != 0
           : json_is_array(fact)   ? json_array_size(fact) > 0
                                   : json_is_true(fact);
}

static void put(const struct mustache *t, const json_t *fact, struct buf *out)
{
    if (json_is_string(fact))
        mustache_escape((struct span){json_string_value(fact), json_string_length(fact)}, t->as,
                        out);
    else if (json_is_integer(fact))
        buf_printf(out, "%" PRId64, (int64_t)json_integer_value(fact));
}

static void render(const struct mustache *t, size_t from, size_t end, const struct view *view,
                   struct buf *out);

static void render_section(const struct mustache *t, size_t at, const struct view *view,
                           struct buf *out)
{
    const struct node *node = &t->nodes[at];
    const json_t *fact = find(view, node->text);

    if (node->type == NODE_INVERTED) {
        if (!is_there(fact))
            render(t, at + 1, node->end, view, out);
    } else if (!json_is_array(fact)) {
        if (is_there(fact))
            render(t, at + 1, node->end, view, out);
    } else {
        for (size_t i = 0; i < json_array_size(fact); i++) {
            const struct view inner = {view->facts, json_array_get(fact, i)};

            render(t, at + 1, node->end, &inner, out);
        }
    }
}

static void render(const struct mustache *t, size_t from, size_t end, const struct view *view,
                   struct buf *out)
{
    for (size_t i = from; i < end && out->n < MUSTACHE_OUTPUT_MAX; i++) {
        const struct node *node = &t->nodes[i];

        switch (node->type) {
        case NODE_TEXT: buf_add(out, node->text); break;
        case NODE_VALUE: put(t, find(view, node->text), out); break;
        case NODE_SECTION:
        case NODE_INVERTED:
            render_section(t, i, view, out);
            i = node->end;
            break;
        case NODE_END: break;
        }
    }
}

void mustache_render(const struct mustache *t, const json_t *facts, struct buf *out)
{
    const struct view view = {facts, NULL};

    render(t, 0, t->n, &view, out);
}

/* ---- parsing -------------------------------------------------------------------------------- */

/* Where in HTML we are. */
enum place { BETWEEN_TAGS, IN_TAG, IN_HREF, IN_QUOTES };

struct parsing {
    struct mustache *t;
    const struct mustache_name *names;
    size_t open[MUSTACHE_DEPTH_MAX];
    bool list[MUSTACHE_DEPTH_MAX]; /* which of them are lists */
    size_t depth;
    unsigned line;
    enum place place;
    struct fault *f;
};

static int add(struct parsing *p, enum node_type type, struct span text)
{
    struct mustache *t = p->t;

    if (t->n == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 32;
        struct node *more = reallocarray(t->nodes, cap, sizeof(*more));

        if (!more)
            return fault_nomem(p->f);
        t->nodes = more;
        t->cap = cap;
    }
    t->nodes[t->n++] = (struct node){.type = type, .text = text};
    return 0;
}

/* What may be named here, in words. */
static void allowed(const struct parsing *p, bool in_list, char *out, size_t size)
{
    struct buf words = {0};

    for (const struct mustache_name *n = p->names; n->name; n++)
        if (in_list || n->kind != MUSTACHE_ITEM)
            buf_printf(&words, "%s%s", words.n ? ", " : "", n->name);
    snprintf(out, size, "%s", words.p ? words.p : "nothing");
    buf_free(&words);
}

static bool in_list(const struct parsing *p)
{
    for (size_t i = 0; i < p->depth; i++)
        if (p->list[i])
            return true;
    return false;
}

static const struct mustache_name *known(struct parsing *p, struct span name)
{
    bool inside = in_list(p);
    char words[400];

    for (const struct mustache_name *n = p->names; n->name; n++)
        if (span_is(name, n->name) && (inside || n->kind != MUSTACHE_ITEM))
            return n;
    allowed(p, inside, words, sizeof(words));
    fault(p->f, ERR_RANGE, "line %u: {{%s}} is not known here; allowed is %s", p->line,
          ESCAPED(name), words);
    return NULL;
}

static int value(struct parsing *p, struct span name)
{
    const struct mustache_name *n = known(p, name);

    if (!n)
        return ERR_RANGE;
    if (n->kind == MUSTACHE_LIST)
        return fault(p->f, ERR_SYNTAX, "line %u: %s is a list: {{#%s}} … {{/%s}}", p->line, n->name,
                     n->name, n->name);
    if (p->place != BETWEEN_TAGS && !(p->place == IN_HREF && n->kind == MUSTACHE_LINK))
        return fault(p->f, ERR_SYNTAX,
                     "line %u: within a tag only a link may stand, and only as href=\"{{link}}\"",
                     p->line);
    return add(p, NODE_VALUE, span_of(n->name));
}

static int open_section(struct parsing *p, enum node_type type, struct span name)
{
    const struct mustache_name *n = known(p, name);

    if (!n)
        return ERR_RANGE;
    if (p->depth == MUSTACHE_DEPTH_MAX)
        return fault(p->f, ERR_RANGE, "line %u: sections stand %d deep at most", p->line,
                     MUSTACHE_DEPTH_MAX);
    if (n->kind == MUSTACHE_LIST && in_list(p))
        return fault(p->f, ERR_SYNTAX, "line %u: there is no list within a list", p->line);
    if (p->place != BETWEEN_TAGS)
        return fault(p->f, ERR_SYNTAX, "line %u: a section begins and ends between tags", p->line);
    p->list[p->depth] = n->kind == MUSTACHE_LIST && type == NODE_SECTION;
    p->open[p->depth++] = p->t->n;
    return add(p, type, span_of(n->name));
}

static int close_section(struct parsing *p, struct span name)
{
    struct node *open = p->depth ? &p->t->nodes[p->open[p->depth - 1]] : NULL;

    if (!open)
        return fault(p->f, ERR_SYNTAX, "line %u: {{/%s}} closes nothing", p->line, ESCAPED(name));
    if (!span_eq(open->text, name))
        return fault(p->f, ERR_SYNTAX, "line %u: {{/%s}} stands where {{/%.*s}} is due", p->line,
                     ESCAPED(name), SPAN_FMT(open->text));
    if (p->place != BETWEEN_TAGS)
        return fault(p->f, ERR_SYNTAX, "line %u: a section begins and ends between tags", p->line);
    open->end = p->t->n;
    p->depth--;
    return add(p, NODE_END, (struct span){NULL, 0});
}

static int tag(struct parsing *p, struct span inside)
{
    char sign = inside.n ? inside.p[0] : ' ';

    switch (sign) {
    case '!': return 0;
    case '#': return open_section(p, NODE_SECTION, span_trim(span_skip(inside, 1)));
    case '^': return open_section(p, NODE_INVERTED, span_trim(span_skip(inside, 1)));
    case '/': return close_section(p, span_trim(span_skip(inside, 1)));
    default: return value(p, span_trim(inside));
    }
}

static bool begins_element(struct span text, const char *name)
{
    size_t n = strlen(name);

    return text.n >= n && span_eq_nocase((struct span){text.p, n}, span_of(name));
}

/* Follows the tags of a piece of HTML; comments, and elements whose content is no text, are refused. */
static int follow(struct parsing *p, struct span text)
{
    for (; text.n; text = span_skip(text, 1)) {
        char c = text.p[0];

        p->line += c == '\n';
        if (p->t->as != MUSTACHE_HTML)
            continue;
        if (p->place == BETWEEN_TAGS && c == '<') {
            p->place = IN_TAG;
            if (begins_element(text, "<script") || begins_element(text, "<style") ||
                begins_element(text, "<textarea") || begins_element(text, "<title") ||
                begins_element(text, "<xmp") || begins_element(text, "<iframe") ||
                begins_element(text, "<svg") || begins_element(text, "<math") ||
                begins_element(text, "<noscript") || begins_element(text, "<plaintext") ||
                begins_element(text, "<!--"))
                return fault(p->f, ERR_SYNTAX,
                             "line %u: comments and the elements script, style, title, textarea, "
                             "xmp, iframe, noscript, plaintext, svg and math have no place in a "
                             "mail",
                             p->line);
        } else if (p->place == IN_TAG && c == '>') {
            p->place = BETWEEN_TAGS;
        } else if (p->place == IN_TAG && begins_element(text, " href=\"")) {
            p->place = IN_HREF;
            text = span_skip(text, strlen(" href=\"") - 1);
        } else if (p->place == IN_TAG && c == '"') {
            p->place = IN_QUOTES;
        } else if (p->place == IN_TAG && c == '\'') {
            return fault(p->f, ERR_SYNTAX, "line %u: attributes stand in double quotes", p->line);
        } else if ((p->place == IN_QUOTES || p->place == IN_HREF) && c == '"') {
            p->place = IN_TAG;
        }
    }
    return 0;
}

/* Whether only blanks stand between `at` and the line's beginning, and between `after` and its end. */
static bool alone(const char *text, const char *end, const char **at, const char **after)
{
    const char *from = *at, *to = *after;

    while (from > text && (from[-1] == ' ' || from[-1] == '\t'))
        from--;
    while (to < end && (*to == ' ' || *to == '\t' || *to == '\r'))
        to++;
    if ((from > text && from[-1] != '\n') || (to < end && *to != '\n'))
        return false;
    *at = from;
    *after = to < end ? to + 1 : to;
    return true;
}

static int piece(struct parsing *p, const char *from, const char *to)
{
    const struct span text = {from, (size_t)(to - from)};
    int err = follow(p, text);

    return err || !text.n ? err : add(p, NODE_TEXT, text);
}

static int parse(struct parsing *p, struct span text)
{
    const char *at = text.p, *end = text.p + text.n;
    int err = 0;

    while (!err && at < end) {
        const char *open = memmem(at, (size_t)(end - at), "{{", 2);

        if (!open) {
            err = piece(p, at, end);
            break;
        }
        const char *close = memmem(open, (size_t)(end - open), "}}", 2);
        const char *before = open, *after = close ? close + 2 : end;
        bool whole = close && memchr("#^/!", open[2], 4) && open + 2 < close &&
                     alone(text.p, end, &before, &after) && before >= at;

        err = piece(p, at, whole ? before : open);
        if (!err && (!close || memchr(open, '\n', (size_t)(close - open))))
            err = fault(p->f, ERR_SYNTAX, "line %u: {{ has no }} on its line", p->line);
        if (!err)
            err = tag(p, (struct span){open + 2, (size_t)(close - open - 2)});
        at = whole ? after : close ? close + 2 : end;
        p->line += whole && at > text.p && at[-1] == '\n';
    }
    return err;
}

int mustache_parse(struct mustache **out, struct span text, enum mustache_as as,
                   const struct mustache_name *names, unsigned line, struct fault *f)
{
    struct parsing p = {.names = names, .line = line, .f = f};
    int err = 0;

    if (text.n > MUSTACHE_BYTES_MAX)
        return fault(f, ERR_RANGE, "line %u: a template has %d bytes at most, not %zu", line,
                     MUSTACHE_BYTES_MAX, text.n);
    if (!utf8_valid(text) || (text.n && memchr(text.p, '\0', text.n)))
        return fault(f, ERR_SYNTAX, "line %u: what follows is not UTF-8", line);
    p.t = calloc(1, sizeof(*p.t));
    if (p.t)
        p.t->text = calloc(1, text.n + 3);
    if (!p.t || !p.t->text) {
        mustache_free(p.t);
        return fault_nomem(f);
    }
    p.t->as = as;
    if (text.n)
        memcpy(p.t->text, text.p, text.n);
    err = parse(&p, (struct span){p.t->text, text.n});
    if (!err && p.depth)
        err = fault(f, ERR_SYNTAX, "line %u: {{#%.*s}} is never closed", p.line,
                    SPAN_FMT(p.t->nodes[p.open[p.depth - 1]].text));
    if (!err && p.place != BETWEEN_TAGS)
        err = fault(f, ERR_SYNTAX, "line %u: a tag is never closed", p.line);
    if (err) {
        mustache_free(p.t);
        return err;
    }
    *out = p.t;
    return 0;
}

void mustache_free(struct mustache *t)
{
    if (!t)
        return;
    free(t->nodes);
    free(t->text);
    free(t);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor/dialplan.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

#define INCLUDE_DEPTH 32

struct building {
    struct dialplan *out;
    struct findings *findings;
    const struct astconf_section *globals;
    size_t context;
    size_t extension; /* index + 1 of what "same" goes on with */
    int priority;     /* what "n" goes on from */
};

static struct span filled_in(struct building *b, struct span text, unsigned depth)
{
    struct buf out = {0};
    bool changed = false;

    for (size_t i = 0; i < text.n; i++) {
        struct span rest = span_skip(text, i), behind, value = {NULL, 0};

        if (depth < 4 && b->globals && span_starts(rest, SPAN("${"))) {
            struct span name = span_cut(span_skip(rest, 2), '}', &behind);
            char key[128];

            if (behind.p && name.n < sizeof(key)) {
                snprintf(key, sizeof(key), "%.*s", SPAN_FMT(name));
                value = astconf_get(b->globals, key);
            }
            if (value.p) {
                buf_add(&out, filled_in(b, value, depth + 1));
                i += name.n + 2;
                changed = true;
                continue;
            }
        }
        buf_putc(&out, text.p[i]);
    }
    struct span result = changed ? arena_copy(b->out->arena, buf_span(&out)) : text;
    buf_free(&out);
    return result;
}

static size_t extension_at(struct building *b, struct span pattern)
{
    struct context *c = &b->out->contexts[b->context];

    for (size_t i = 0; i < c->n; i++)
        if (span_eq(c->extensions[i].pattern, pattern))
            return i;
    ARENA_ADD(b->out->arena, c->extensions, c->n) =
        (struct extension){.pattern = arena_copy(b->out->arena, pattern)};
    return c->n - 1;
}

/* "n", "n+2", "s", "5", each with "(label)"; false for a hint or nonsense. */
static bool priority_of(struct building *b, struct span text, struct span *label)
{
    struct span behind, rest;
    struct span word = span_trim(span_cut(text, '(', &behind));
    char number[16];

    *label = behind.p ? span_trim(span_cut(behind, ')', &rest)) : (struct span){NULL, 0};
    snprintf(number, sizeof(number), "%.*s", SPAN_FMT(word));
    if (word.n && (word.p[0] == 'n' || word.p[0] == 'N')) {
        b->priority += word.n > 2 && word.p[1] == '+' ? (int)strtol(number + 2, NULL, 10) : 1;
        return true;
    }
    if (span_is(word, "s"))
        return true;
    if (!word.n || !isdigit((unsigned char)word.p[0]))
        return false;
    b->priority = (int)strtol(number, NULL, 10);
    return true;
}

static void add_statement(struct building *b, struct span text, struct place at)
{
    struct dialplan *d = b->out;
    struct extension *e = &d->contexts[b->context].extensions[b->extension - 1];
    struct span label, rest, args;
    struct span priority = span_cut(text, ',', &rest);
    size_t place;

    if (!rest.p || !priority_of(b, priority, &label))
        return;
    rest = span_trim(rest);
    struct span app = span_trim(span_cut(rest, '(', &args));
    if (args.p && args.n && args.p[args.n - 1] == ')')
        args.n--;
    ARENA_ADD(d->arena, d->statements, d->n_statements) = (struct statement){
        b->context, b->extension - 1, b->priority, label, app, filled_in(b, args, 0), at,
    };
    ARENA_ADD(d->arena, e->statements, e->n) = d->n_statements - 1;
    for (place = e->n - 1; place > 0; place--) {
        size_t before = e->statements[place - 1];

        if (d->statements[before].priority <= b->priority)
            break;
        e->statements[place] = before;
        e->statements[place - 1] = d->n_statements - 1;
    }
}

static void add_exten(struct building *b, const struct astconf_entry *entry)
{
    struct span rest, ignored;
    struct span pattern = span_trim(span_cut(entry->value, ',', &rest));

    /* A caller ID may follow: 100/5551234. */
    pattern = filled_in(b, span_cut(pattern, '/', &ignored), 0);
    if (!pattern.n || !rest.p)
        return;
    b->extension = extension_at(b, pattern) + 1;
    add_statement(b, rest, entry->at);
}

static void add_include(struct building *b, const struct astconf_entry *entry)
{
    struct context *c = &b->out->contexts[b->context];
    struct span rest;

    ARENA_ADD(b->out->arena, c->includes, c->n_includes) = (struct astconf_entry){
        entry->name, filled_in(b, span_trim(span_cut(entry->value, ',', &rest)), 0), entry->at};
}

static void open_context(struct building *b, const struct astconf_section *s)
{
    struct dialplan *d = b->out;

    b->extension = 0;
    b->priority = 0;
    for (b->context = 0; b->context < d->n; b->context++)
        if (span_eq(d->contexts[b->context].name, s->name))
            return;
    ARENA_ADD(d->arena, d->contexts, d->n) = (struct context){.name = s->name, .at = s->at};
}

static void add_entry(struct building *b, const struct astconf_entry *e)
{
    if (span_eq_nocase(e->name, SPAN("exten"))) {
        add_exten(b, e);
    } else if (span_eq_nocase(e->name, SPAN("same"))) {
        if (b->extension)
            add_statement(b, e->value, e->at);
    } else if (span_eq_nocase(e->name, SPAN("include"))) {
        add_include(b, e);
    } else if (span_eq_nocase(e->name, SPAN("switch")) ||
               span_eq_nocase(e->name, SPAN("lswitch")) ||
               span_eq_nocase(e->name, SPAN("eswitch"))) {
        finding_add(b->findings, &(struct finding){
                                     NOTE, "switch-unread", e->at,
                                     arena_format(b->out->arena,
                                                  "what \"switch => %s\" leads to is not read here",
                                                  ESCAPED(e->value)),
                                     NULL, "look at it yourself"});
    }
}

void dialplan_read(struct dialplan *out, const struct astconf *conf, struct findings *findings)
{
    struct building b = {
        .out = out, .findings = findings, .globals = astconf_section(conf, "globals")};

    out->arena = findings->arena;
    for (size_t i = 0; i < conf->n; i++) {
        const struct astconf_section *s = &conf->sections[i];

        if (s->is_template || span_is(s->name, "general") || span_is(s->name, "globals"))
            continue;
        open_context(&b, s);
        for (size_t k = 0; k < s->n; k++)
            add_entry(&b, &s->entries[k]);
    }
}

const struct context *dialplan_context(const struct dialplan *d, struct span name)
{
    for (size_t i = 0; i < d->n; i++)
        if (span_eq(d->contexts[i].name, name))
            return &d->contexts[i];
    return NULL;
}

/* One symbol of a pattern: the characters that it stands for, and what it takes of the pattern. */
static bool symbol_has(struct span *pattern, char c)
{
    char p = pattern->p[0];
    struct span rest = span_skip(*pattern, 1);
    bool found = false;

    if (p != '[') {
        *pattern = rest;
        switch (toupper((unsigned char)p)) {
        case 'X': return c >= '0' && c <= '9';
        case 'Z': return c >= '1' && c <= '9';
        case 'N': return c >= '2' && c <= '9';
        }
        return p == c;
    }
    while (rest.n && rest.p[0] != ']') {
        if (rest.n > 2 && rest.p[1] == '-' && rest.p[2] != ']') {
            found = found || (c >= rest.p[0] && c <= rest.p[2]);
            rest = span_skip(rest, 3);
        } else {
            found = found || c == rest.p[0];
            rest = span_skip(rest, 1);
        }
    }
    *pattern = span_skip(rest, 1);
    return found;
}

/* Hyphens between the symbols mean nothing. */
static struct span without_hyphens(struct span p)
{
    while (p.n && p.p[0] == '-')
        p = span_skip(p, 1);
    return p;
}

bool pattern_matches(struct span pattern, struct span digits)
{
    if (!pattern.n || pattern.p[0] != '_')
        return span_eq(pattern, digits);
    pattern = without_hyphens(span_skip(pattern, 1));
    while (pattern.n) {
        if (pattern.p[0] == '.')
            return digits.n > 0;
        if (pattern.p[0] == '!')
            return true;
        if (!digits.n || !symbol_has(&pattern, digits.p[0]))
            return false;
        digits = span_skip(digits, 1);
        pattern = without_hyphens(pattern);
    }
    return digits.n == 0;
}

static const char dialled[] = "0123456789*#+ABCDabcd";

static bool overlap(struct span a, struct span b)
{
    a = without_hyphens(a);
    b = without_hyphens(b);
    if ((a.n && a.p[0] == '!') || (b.n && b.p[0] == '!'))
        return true;
    if (!a.n || !b.n)
        return !a.n && !b.n;
    if (a.p[0] == '.' || b.p[0] == '.')
        return true;
    for (const char *c = dialled; *c; c++) {
        struct span rest_a = a, rest_b = b;

        /* Whichever symbol both have, what follows is the same. */
        if (symbol_has(&rest_a, *c) && symbol_has(&rest_b, *c))
            return overlap(rest_a, rest_b);
    }
    return false;
}

bool patterns_overlap(struct span a, struct span b)
{
    if (!a.n || a.p[0] != '_')
        return pattern_matches(b, a);
    if (!b.n || b.p[0] != '_')
        return pattern_matches(a, b);
    return overlap(span_skip(a, 1), span_skip(b, 1));
}

/* Walks all strings that the pattern stands for, as far as the list's numbers reach. */
static bool only(struct span pattern, char *digits, size_t at, size_t size, const struct span *list,
                 size_t n)
{
    struct span rest;

    pattern = without_hyphens(pattern);
    if (!pattern.n) {
        for (size_t i = 0; i < n; i++)
            if (span_eq(list[i], (struct span){digits, at}))
                return true;
        return false;
    }
    if (pattern.p[0] == '.' || pattern.p[0] == '!' || at == size)
        return false;
    for (const char *c = dialled; *c; c++) {
        rest = pattern;
        digits[at] = *c;
        if (symbol_has(&rest, *c) && !only(rest, digits, at + 1, size, list, n))
            return false;
    }
    return true;
}

bool pattern_only(struct span pattern, const struct span *list, size_t n)
{
    char digits[8];

    if (pattern.n && pattern.p[0] == '_')
        return only(span_skip(pattern, 1), digits, 0, sizeof(digits), list, n);
    for (size_t i = 0; i < n; i++)
        if (span_eq(list[i], pattern))
            return true;
    return false;
}

/* The narrower pattern first, as far as it matters here: '.' and '!' come last, longer before shorter. */
static bool better(struct span a, struct span b)
{
    bool open_a = memchr(a.p, '.', a.n) || memchr(a.p, '!', a.n);
    bool open_b = memchr(b.p, '.', b.n) || memchr(b.p, '!', b.n);

    return open_a != open_b ? open_b : a.n > b.n;
}

static const struct extension *match(const struct dialplan *d, const struct context *c,
                                     struct span digits, unsigned depth)
{
    const struct extension *best = NULL;

    for (size_t i = 0; i < c->n; i++) {
        const struct extension *e = &c->extensions[i];

        if (!e->n || !pattern_matches(e->pattern, digits))
            continue;
        if (e->pattern.p[0] != '_')
            return e;
        if (!best || better(e->pattern, best->pattern))
            best = e;
    }
    for (size_t i = 0; i < c->n_includes && !best && depth < INCLUDE_DEPTH; i++) {
        const struct context *included = dialplan_context(d, c->includes[i].value);

        if (included)
            best = match(d, included, digits, depth + 1);
    }
    return best;
}

const struct extension *dialplan_match(const struct dialplan *d, const struct context *c,
                                       struct span digits)
{
    return match(d, c, digits, 0);
}

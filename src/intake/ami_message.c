/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/ami_message.h"

#include <ctype.h>

/* Cuts the first line off `in`; false where it has no end yet. */
static bool take_line(struct span *in, struct span *line)
{
    struct span rest;
    struct span found = span_cut(*in, '\n', &rest);

    if (!rest.p)
        return false;
    if (found.n && found.p[found.n - 1] == '\r')
        found.n--;
    *line = found;
    *in = rest;
    return true;
}

static void keep_field(struct ami_message *m, struct span line)
{
    struct span value;
    struct span name = span_cut(line, ':', &value);

    if (m->n == AMI_FIELDS_MAX) {
        m->dropped++;
        return;
    }
    if (!value.p)
        m->fields[m->n++] = (struct ami_field){{line.p, 0}, line};
    else
        m->fields[m->n++] = (struct ami_field){name, span_trim(value)};
}

/* The bytes of the message and its empty line, 0 where it has no end yet. */
static size_t message_size(struct span in)
{
    struct span rest = in, line;
    bool begun = false;

    while (take_line(&rest, &line)) {
        if (line.n == 0 && begun)
            return in.n - rest.n;
        begun = begun || line.n > 0;
    }
    return 0;
}

int ami_message_take(struct span in, size_t *used, struct ami_message *out)
{
    struct span head = {in.p, in.n < AMI_MESSAGE_MAX ? in.n : AMI_MESSAGE_MAX};
    size_t size = message_size(head);
    struct span line;

    if (size == 0)
        return in.n >= AMI_MESSAGE_MAX ? ERR_RANGE : 0;
    *used = size;
    out->n = 0;
    out->dropped = 0;
    head.n = size;
    while (take_line(&head, &line))
        if (line.n)
            keep_field(out, line);
    return 1;
}

int ami_greeting_take(struct span in, size_t *used, struct span *version)
{
    static const struct span words = SPAN("Asterisk Call Manager/");
    struct span rest = in, line;
    size_t known = in.n < words.n ? in.n : words.n;

    if (known && memcmp(in.p, words.p, known) != 0)
        return ERR_SYNTAX;
    if (!take_line(&rest, &line))
        return in.n > 256 ? ERR_SYNTAX : 0;
    if (!span_starts(line, words))
        return ERR_SYNTAX;
    *version = span_skip(line, words.n);
    *used = in.n - rest.n;
    return 1;
}

struct span ami_message_first(const struct ami_message *m, const char *name)
{
    for (size_t i = 0; i < m->n; i++)
        if (span_eq_nocase(m->fields[i].name, span_of(name)))
            return m->fields[i].value;
    return (struct span){NULL, 0};
}

struct span ami_message_last(const struct ami_message *m, const char *name)
{
    for (size_t i = m->n; i > 0; i--)
        if (span_eq_nocase(m->fields[i - 1].name, span_of(name)))
            return m->fields[i - 1].value;
    return (struct span){NULL, 0};
}

size_t ami_message_count(const struct ami_message *m, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < m->n; i++)
        count += span_eq_nocase(m->fields[i].name, span_of(name));
    return count;
}

bool ami_message_is_event(const struct ami_message *m, const char *event)
{
    return m->n && span_is(m->fields[0].name, "Event") && span_is(m->fields[0].value, event) &&
           ami_message_count(m, "Event") == 1;
}

bool ami_message_begins(const struct ami_message *m)
{
    return m->n && (span_is(m->fields[0].name, "Event") || span_is(m->fields[0].name, "Response"));
}

int ami_action_field(struct buf *b, const char *name, struct span value, struct fault *f)
{
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '-')
            return fault(f, ERR_SYNTAX, "an AMI field cannot be called \"%s\"",
                         ESCAPED(span_of(name)));
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] == '\r' || value.p[i] == '\n' || value.p[i] == '\0')
            return fault(f, ERR_SYNTAX, "the value of %s must not hold line ends or NUL: \"%s\"",
                         name, ESCAPED(value));
    buf_printf(b, "%s: ", name);
    buf_add(b, value);
    buf_puts(b, "\r\n");
    return b->failed ? fault_nomem(f) : 0;
}

void ami_action_end(struct buf *b)
{
    buf_puts(b, "\r\n");
}

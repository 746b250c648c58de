/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/agi_request.h"

static const char greeting[] = "agi_network";
static const char script_name[] = "agi_network_script: ";

void agi_request_begin(struct agi_request *request)
{
    request->total = request->line = request->n = 0;
    request->first = true;
    request->found = request->too_long = false;
}

/* Whether the line that `script` holds the beginning of is the one asked for. */
static bool is_script(const struct agi_request *r)
{
    return r->n >= sizeof(script_name) - 1 &&
           memcmp(r->script, script_name, sizeof(script_name) - 1) == 0;
}

static void keep(struct agi_request *r, struct span part)
{
    size_t room = sizeof(r->script) - r->n;

    if (r->found)
        return;
    if (part.n > room) {
        part.n = room;
        r->too_long = true;
    }
    memcpy(r->script + r->n, part.p, part.n);
    r->n += part.n;
}

/* The line is over. Without its name the question moves to the front. */
static void end_line(struct agi_request *r)
{
    size_t name = sizeof(script_name) - 1;

    if (!r->found && is_script(r)) {
        r->found = true;
        r->n -= name;
        memmove(r->script, r->script + name, r->n);
    } else if (!r->found) {
        r->n = 0;
        r->too_long = false;
    }
    r->line = 0;
    r->first = false;
}

/* Who does not speak FastAGI is told apart by the first bytes, not by the deadline. */
static bool is_greeting(const struct agi_request *r, struct span part, bool whole)
{
    size_t wanted = sizeof(greeting) - 1;

    if (r->line >= wanted)
        return true;
    wanted -= r->line;
    if (part.n < wanted && whole)
        return false;
    return memcmp(part.p, greeting + r->line, part.n < wanted ? part.n : wanted) == 0;
}

/* A line, or what there is of it. */
static enum agi_progress feed_line(struct agi_request *r, struct span part, bool whole)
{
    r->total += part.n + whole;
    if (r->total > AGI_ENVIRONMENT_MAX || (r->first && !is_greeting(r, part, whole)))
        return AGI_BAD;
    r->line += part.n;
    if (!whole) {
        keep(r, part);
        return AGI_MORE;
    }
    if (r->line == 0)
        return AGI_DONE;
    keep(r, part);
    end_line(r);
    return AGI_MORE;
}

enum agi_progress agi_request_feed(struct agi_request *r, struct span bytes)
{
    enum agi_progress progress = AGI_MORE;

    while (bytes.n && progress == AGI_MORE) {
        const char *newline = memchr(bytes.p, '\n', bytes.n);
        struct span line = {bytes.p, newline ? (size_t)(newline - bytes.p) : bytes.n};

        progress = feed_line(r, line, newline != NULL);
        bytes = span_skip(bytes, line.n + (newline != NULL));
    }
    return progress;
}

/* pchar of RFC 3986 without "%": what may stand in a part as it is. */
static bool stands_as_is(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("-._~!$&'()*+,;=:@", c));
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes `part` where it stands; decoding never makes it longer. */
static bool decode(char *part, size_t n, struct span *out)
{
    size_t to = 0;

    for (size_t i = 0; i < n; i++) {
        if (part[i] == '%') {
            int high = n - i > 2 ? hex(part[i + 1]) : -1;
            int low = high >= 0 ? hex(part[i + 2]) : -1;

            if (low < 0)
                return false;
            part[to++] = (char)(high * 16 + low);
            i += 2;
        } else if (stands_as_is(part[i])) {
            part[to++] = part[i];
        } else {
            return false;
        }
    }
    *out = (struct span){part, to};
    return true;
}

int agi_request_question(struct agi_request *r, struct agi_question *out, struct fault *f)
{
    static const char form[] = "v1/authorize/ACCOUNT/REMOTE/NUMBER";
    struct agi_question question;
    struct span *parts[] = {&question.account, &question.remote, &question.number};
    struct span rest = {r->script, r->n};

    if (!r->found)
        return fault(f, ERR_SYNTAX, "there is no agi_network_script line; it must be %s", form);
    if (r->too_long)
        return fault(f, ERR_SYNTAX, "the question is longer than %d bytes", AGI_SCRIPT_MAX);
    if (!span_starts(rest, SPAN("v1/authorize/")))
        return fault(f, ERR_SYNTAX, "\"%s\" is no question; it must be %s", ESCAPED(rest), form);
    rest = span_skip(rest, sizeof("v1/authorize/") - 1);
    for (size_t i = 0; i < 3; i++) {
        struct span left = rest;
        struct span part = span_cut(left, '/', &rest);

        if ((i < 2) != (rest.p != NULL))
            return fault(f, ERR_SYNTAX, "the question has %s parts; it must be %s",
                         i < 2 ? "too few" : "too many", form);
        if (!decode(r->script + (part.p - r->script), part.n, parts[i]))
            return fault(f, ERR_SYNTAX,
                         "a part of the question is not percent-encoded as URIENCODE does it");
    }
    *out = question;
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor/astconf.h"

#include <glob.h>

#include "base/file.h"

#define DEPTH_MAX 16
#define FILE_MAX (16u << 20)
#define FILES_MAX 2000 /* a pattern that includes itself, many times over */

struct reader {
    struct astconf *out;
    struct arena *arena;
    struct findings *findings;
    const char *dir;
    unsigned depth, files;
    size_t section;   /* index + 1 of the one that is open, 0 for none */
    unsigned comment; /* depth of ;-- --; */
};

static int read_file(struct reader *r, const char *path, struct fault *f);

static const char *shown(const struct reader *r, const char *path)
{
    size_t n = strlen(r->dir);

    while (n > 1 && r->dir[n - 1] == '/')
        n--;
    return strncmp(path, r->dir, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}

/* The line without its comments. Block comments nest and may go on in the next line. */
static struct span strip_comments(struct reader *r, struct span line)
{
    char *out = arena_alloc(r->arena, line.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < line.n; i++) {
        struct span rest = span_skip(line, i);

        if (r->comment) {
            if (span_starts(rest, SPAN("--;"))) {
                r->comment--;
                i += 2;
            } else if (span_starts(rest, SPAN(";--")) && !span_starts(rest, SPAN(";---"))) {
                r->comment++;
                i += 2;
            }
        } else if (rest.p[0] == '\\' && rest.n > 1 && rest.p[1] == ';') {
            out[n++] = ';';
            i++;
        } else if (span_starts(rest, SPAN(";--")) && !span_starts(rest, SPAN(";---"))) {
            r->comment++;
            i += 2;
        } else if (rest.p[0] == ';') {
            break;
        } else {
            out[n++] = rest.p[0];
        }
    }
    return (struct span){out, n};
}

static struct span trim(struct span s)
{
    s = span_trim(s);
    while (s.n && (s.p[s.n - 1] == '\r' || s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

static struct astconf_section *find(const struct reader *r, struct span name)
{
    for (size_t i = r->out->n; i > 0; i--)
        if (span_eq_nocase(r->out->sections[i - 1].name, name))
            return &r->out->sections[i - 1];
    return NULL;
}

static void inherit(struct reader *r, struct astconf_section *s, struct span name, struct place at)
{
    const struct astconf_section *from = find(r, name);

    if (!from || from == s) {
        finding_add(r->findings,
                    &(struct finding){WARNING, "template-missing", at,
                                      arena_format(r->arena,
                                                   "the template [%s] is not defined above it; "
                                                   "Asterisk refuses the whole file",
                                                   ESCAPED(name)),
                                      NULL, "define the template first, or take the name out"});
        return;
    }
    for (size_t i = 0; i < from->n; i++)
        ARENA_ADD(r->arena, s->entries, s->n) = from->entries[i];
}

static void open_section(struct reader *r, struct span line, struct place at)
{
    struct span behind, options = {NULL, 0}, rest;
    struct span name = arena_copy(r->arena, trim(span_cut(span_skip(line, 1), ']', &behind)));
    bool appended = false, is_template = false;

    behind = trim(behind);
    if (behind.n > 1 && behind.p[0] == '(')
        options = span_cut(span_skip(behind, 1), ')', &rest);
    /* [x](+) goes on where [x] ended. */
    for (struct span left = options; left.n;) {
        struct span option = trim(span_cut(left, ',', &left));

        if (span_starts(option, SPAN("+")) && find(r, name)) {
            r->section = (size_t)(find(r, name) - r->out->sections) + 1;
            appended = true;
        }
        is_template = is_template || span_is(option, "!");
    }
    if (!appended) {
        ARENA_ADD(r->arena, r->out->sections, r->out->n) =
            (struct astconf_section){.name = name, .at = at, .is_template = is_template};
        r->section = r->out->n;
    }
    for (struct span left = options; left.n;) {
        struct span option = trim(span_cut(left, ',', &left));

        if (option.n && !span_is(option, "!") && option.p[0] != '+')
            inherit(r, &r->out->sections[r->section - 1], arena_copy(r->arena, option), at);
    }
}

static void add_entry(struct reader *r, struct span line, struct place at)
{
    struct span value, before;
    struct span name = trim(span_cut(line, '=', &value));
    struct astconf_section *s;
    bool appends = name.n && name.p[name.n - 1] == '+';

    if (!r->section || !value.p)
        return;
    s = &r->out->sections[r->section - 1];
    if (appends)
        name = trim((struct span){name.p, name.n - 1});
    if (value.n && value.p[0] == '>')
        value = span_skip(value, 1);
    name = arena_copy(r->arena, name);
    value = trim(value);
    if (appends && (before = astconf_get(s, name.p)).p)
        value = span_of(arena_format(r->arena, "%.*s%.*s", SPAN_FMT(before), SPAN_FMT(value)));
    ARENA_ADD(r->arena, s->entries, s->n) =
        (struct astconf_entry){name, arena_copy(r->arena, value), at};
}

static int include(struct reader *r, struct span what, bool try, struct place at, struct fault *f)
{
    glob_t found = {0};
    int err = 0;

    what = trim(what);
    if (what.n > 1 && (what.p[0] == '"' || what.p[0] == '<'))
        what = (struct span){what.p + 1, what.n - 2};
    const char *path = what.n && what.p[0] == '/'
                           ? arena_format(r->arena, "%.*s", SPAN_FMT(what))
                           : arena_format(r->arena, "%s/%.*s", r->dir, SPAN_FMT(what));
    int got = glob(path, 0, NULL, &found);
    if (got && !try)
        finding_add(r->findings, &(struct finding){
                                     WARNING, "include-missing", at,
                                     arena_format(r->arena, "\"%s\" is included and does not exist",
                                                  ESCAPED(what)),
                                     NULL, "create the file, or take the line out"});
    for (size_t i = 0; !got && !err && i < found.gl_pathc; i++)
        err = read_file(r, arena_copy(r->arena, span_of(found.gl_pathv[i])).p, f);
    globfree(&found);
    return err;
}

static int directive(struct reader *r, struct span line, struct place at, struct fault *f)
{
    if (span_starts(line, SPAN("#include")))
        return include(r, span_skip(line, 8), false, at, f);
    if (span_starts(line, SPAN("#tryinclude")))
        return include(r, span_skip(line, 11), true, at, f);
    if (span_starts(line, SPAN("#exec")))
        finding_add(r->findings,
                    &(struct finding){NOTE, "exec-unread", at,
                                      "what a program writes by #exec is not read here", NULL,
                                      "look at its output yourself"});
    return 0;
}

static int read_line(struct reader *r, struct span raw, struct place at, struct fault *f)
{
    struct span line = trim(strip_comments(r, raw));

    if (!line.n)
        return 0;
    if (line.p[0] == '#')
        return directive(r, line, at, f);
    if (line.p[0] == '[')
        open_section(r, line, at);
    else
        add_entry(r, line, at);
    return 0;
}

static int read_file(struct reader *r, const char *path, struct fault *f)
{
    struct buf b = {0};
    struct span rest;
    struct place at = {shown(r, path), 0};
    int err;

    if (++r->depth > DEPTH_MAX || ++r->files > FILES_MAX)
        return fault(f, ERR_RANGE, "%s: files include each other too deep", path);
    err = file_read(path, FILE_MAX, &b, f);
    if (!err) {
        rest = arena_copy(r->arena, buf_span(&b));
        if (span_starts(rest, SPAN("\xef\xbb\xbf")))
            rest = span_skip(rest, 3);
        r->comment = 0;
        while (rest.n && !err) {
            struct span line = span_cut(rest, '\n', &rest);

            at.line++;
            err = read_line(r, line, at, f);
        }
    }
    buf_free(&b);
    r->depth--;
    return err;
}

int astconf_read(struct astconf *out, const char *dir, const char *file, struct findings *findings,
                 struct fault *f)
{
    struct reader r = {.out = out, .arena = findings->arena, .findings = findings, .dir = dir};
    const char *path = file[0] == '/' ? file : arena_format(r.arena, "%s/%s", dir, file);

    out->file = file;
    int err = read_file(&r, path, f);
    if (err == ERR_MISSING)
        return 0;
    out->exists = out->exists || !err;
    return err;
}

static const struct astconf_entry *entry(const struct astconf_section *s, const char *name)
{
    for (size_t i = s ? s->n : 0; i > 0; i--)
        if (span_eq_nocase(s->entries[i - 1].name, span_of(name)))
            return &s->entries[i - 1];
    return NULL;
}

struct span astconf_get(const struct astconf_section *s, const char *name)
{
    const struct astconf_entry *e = entry(s, name);

    return e ? e->value : (struct span){NULL, 0};
}

struct place astconf_place(const struct astconf_section *s, const char *name)
{
    const struct astconf_entry *e = entry(s, name);

    return e ? e->at : s->at;
}

const struct astconf_section *astconf_section(const struct astconf *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (!c->sections[i].is_template && span_eq_nocase(c->sections[i].name, span_of(name)))
            return &c->sections[i];
    return NULL;
}

bool astconf_true(struct span value, bool otherwise)
{
    static const char *const yes[] = {"yes", "true", "y", "t", "1", "on"};

    if (!value.p)
        return otherwise;
    for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
        if (span_eq_nocase(value, span_of(yes[i])))
            return true;
    return false;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor/finding.h"

#include <stdlib.h>

#include "cli/show.h"
#include "cli/table.h"

static bool same(const struct finding *a, const struct finding *b)
{
    return strcmp(a->id, b->id) == 0 && a->at.line == b->at.line && !a->at.file == !b->at.file &&
           (!a->at.file || strcmp(a->at.file, b->at.file) == 0) && strcmp(a->what, b->what) == 0;
}

void finding_add(struct findings *f, const struct finding *finding)
{
    for (size_t i = 0; i < f->n; i++)
        if (same(&f->all[i], finding))
            return;
    ARENA_ADD(f->arena, f->all, f->n) = *finding;
}

static int compare(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;

    if (x->severity != y->severity)
        return x->severity < y->severity ? -1 : 1;
    int order = strcmp(x->at.file ? x->at.file : "", y->at.file ? y->at.file : "");
    if (order)
        return order;
    if (x->at.line != y->at.line)
        return x->at.line < y->at.line ? -1 : 1;
    order = strcmp(x->id, y->id);
    return order ? order : strcmp(x->what, y->what);
}

void findings_sort(struct findings *f)
{
    if (f->n)
        qsort(f->all, f->n, sizeof(*f->all), compare);
}

bool findings_serious(const struct findings *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->all[i].severity == SERIOUS)
            return true;
    return false;
}

const char *place_text(struct arena *a, struct place at)
{
    if (!at.file)
        return "configuration";
    return at.line ? arena_format(a, "%s:%u", at.file, at.line) : at.file;
}

static const char *severity_name(enum severity s)
{
    switch (s) {
    case SERIOUS: return "serious";
    case WARNING: return "warning";
    case NOTE: return "note";
    }
    return "?";
}

static const char *severity_shown(const struct cli *cli, enum severity s)
{
    switch (s) {
    case SERIOUS: return TR(cli, "SERIOUS", "重大");
    case WARNING: return TR(cli, "warning", "警告");
    case NOTE: return TR(cli, "note", "注記");
    }
    return "?";
}

static json_t *as_json(const struct finding *f)
{
    return json_pack("{s:s, s:s, s:s?, s:o, s:s, s:s?, s:s}", "severity",
                     severity_name(f->severity), "id", f->id, "file", f->at.file, "line",
                     f->at.line ? json_integer(f->at.line) : json_null(), "what", f->what, "way",
                     f->way, "change", f->change);
}

static void print_line(const char *lead, const char *text)
{
    struct buf b = {0};

    text_escape(&b, span_of(text));
    printf("  %s%s\n", lead, b.p ? b.p : "");
    buf_free(&b);
}

void findings_print(const struct findings *f, const struct cli *cli)
{
    json_t *all = json_array();

    for (size_t i = 0; i < f->n; i++) {
        const struct finding *x = &f->all[i];

        if (cli->json) {
            json_array_append_new(all, as_json(x));
            continue;
        }
        printf("%s%s  %s  %s\n", i ? "\n" : "", severity_shown(cli, x->severity),
               place_text(f->arena, x->at), x->id);
        print_line("", x->what);
        if (x->way)
            print_line(TR(cli, "way: ", "経路: "), x->way);
        print_line(TR(cli, "change: ", "対処: "), x->change);
    }
    if (cli->json)
        show_json(all);
    json_decref(all);
}

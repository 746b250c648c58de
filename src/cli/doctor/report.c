/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor/report.h"

#include "cli/show.h"
#include "cli/table.h"

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

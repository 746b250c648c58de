/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/commands.h"
#include "cli/resource.h"

static const struct column columns[] = {
    {"name", "NAME", "名前"}, {"title", "TITLE", "名称"}, {"rules", "RULES", "規則"}, {0}};

static const struct column fields[] = {
    {"name", "name", "名前"},
    {"title", "title", "名称"},
    {"rules", "rules", "規則"},
    {"change", "change number", "変更番号"},
    {0},
};

static const struct resource kind = {"/v1/presets", "preset", "初期規制", columns, fields};

struct preset_options {
    struct words restrict_, except, rest;
    const char *title;
    bool none;
};

static int parse(struct cli *cli, const struct command *self, struct preset_options *o, int argc,
                 char **argv)
{
    const struct option options[] = {
        {.name = "restrict", .list = &o->restrict_, .value = "PREFIX"},
        {.name = "except", .list = &o->except, .value = "PREFIX"},
        {.name = "title", .text = &o->title, .value = "TEXT"},
        {.name = "no-rules", .flag = &o->none},
        {0},
    };
    struct fault f;

    if (options_parse(cli, argc, argv, options, 1, &o->rest, &f))
        return cli_usage(self, "%s", f.text);
    if (o->rest.n != 1)
        return cli_usage(self, o->rest.n ? "one preset at a time" : "the preset's NAME is missing");
    if (o->none && (o->restrict_.n || o->except.n))
        return cli_usage(self, "--no-rules and rules contradict each other");
    return EXIT_DONE;
}

static void add_rules(json_t *rules, const char *action, const struct words *w)
{
    for (size_t i = 0; i < w->n; i++)
        json_array_append_new(rules, json_pack("{s:s, s:s}", "action", action, "prefix", w->at[i]));
}

static json_t *body(const struct preset_options *o)
{
    json_t *b = json_object(), *rules = json_array();

    add_rules(rules, "restrict", &o->restrict_);
    add_rules(rules, "except", &o->except);
    body_text(b, "title", o->title, false);
    if (json_array_size(rules) || o->none)
        json_object_set(b, "rules", rules);
    json_decref(rules);
    return b;
}

static void forget(struct preset_options *o)
{
    words_free(&o->restrict_);
    words_free(&o->except);
    words_free(&o->rest);
}

static int add(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct preset_options o = {0};
    int code = parse(cli, self, &o, argc, argv);
    json_t *b = code ? NULL : body(&o);

    if (!code && !json_object_get(b, "rules"))
        code =
            cli_usage(self, "rules are missing: --restrict PREFIX, --except PREFIX, or --no-rules");
    if (!code) {
        json_object_set_new(b, "name", json_string(o.rest.at[0]));
        code = resource_add(cli, &kind, json_incref(b));
    }
    json_decref(b);
    forget(&o);
    return code;
}

static int set(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct preset_options o = {0};
    int code = parse(cli, self, &o, argc, argv);
    json_t *b = code ? NULL : body(&o);

    if (!code && !json_object_size(b))
        code = cli_usage(self, "nothing to set");
    if (!code)
        code = resource_set(cli, &kind, o.rest.at[0], json_incref(b));
    json_decref(b);
    forget(&o);
    return code;
}

static int list(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return resource_list(cli, self, &kind, argc, argv);
}

static int show(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return resource_show(cli, self, &kind, argc, argv);
}

static int remove_(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return resource_remove(cli, self, &kind, argc, argv);
}

#define PRESET_OPTIONS                                                                             \
    "  --restrict PREFIX…  restricted numbers that a new account is born with\n"                 \
    "  --except PREFIX…    exceptions from them\n"                                               \
    "  --no-rules          none at all\n"                                                          \
    "  --title TEXT        what people call it\n"

const struct command preset_commands[] = {
    {.name = "list", .brief = "The presets", .usage = "preset list", .run = list},
    {.name = "show", .brief = "One preset", .usage = "preset show NAME", .run = show},
    {.name = "add",
     .brief = "Add a preset",
     .usage = "preset add NAME --restrict PREFIX… [OPTION…]",
     .help = PRESET_OPTIONS,
     .run = add},
    {.name = "set",
     .brief = "Change a preset; accounts that exist stay as they are",
     .usage = "preset set NAME OPTION…",
     .help = PRESET_OPTIONS,
     .run = set},
    {.name = "remove",
     .brief = "Remove presets that no tenant uses",
     .usage = "preset remove NAME…",
     .run = remove_},
    {0},
};

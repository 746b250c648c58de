/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/commands.h"
#include "cli/resource.h"

static const struct column columns[] = {
    {"name", "NAME", "名前"},
    {"title", "TITLE", "名称"},
    {"parent", "PARENT", "親"},
    {"mode", "MODE", "動作"},
    {"preset", "PRESET", "初期規制"},
    {"language", "LANGUAGE", "言語"},
    {0},
};

static const struct column fields[] = {
    {"name", "name", "名前"},
    {"title", "title", "名称"},
    {"parent", "parent", "親"},
    {"mode", "mode", "動作"},
    {"preset", "preset", "初期規制"},
    {"language", "language", "言語"},
    {"area", "area code", "市外局番"},
    {"mail", "mail", "メール"},
    {"change", "change number", "変更番号"},
    {0},
};

static const struct resource kind = {"/v1/tenants", "tenant", "テナント", columns, fields};

struct tenant_options {
    struct words rest;
    struct words mail;
    const char *title, *parent, *mode, *preset, *language, *area;
    bool yes;
};

static int parse(struct cli *cli, const struct command *self, struct tenant_options *o, int argc,
                 char **argv)
{
    const struct option options[] = {
        {.name = "title", .text = &o->title, .value = "TEXT"},
        {.name = "parent", .text = &o->parent, .value = "TENANT"},
        {.name = "mode", .text = &o->mode, .value = "enforce|observe|inherit"},
        {.name = "preset", .text = &o->preset, .value = "PRESET"},
        {.name = "language", .text = &o->language, .value = "ja|en"},
        {.name = "area", .text = &o->area, .value = "AREACODE"},
        {.name = "mail", .list = &o->mail, .value = "ADDRESS"},
        {.name = "yes", .flag = &o->yes},
        {0},
    };
    struct fault f;

    if (options_parse(cli, argc, argv, options, 1, &o->rest, &f))
        return cli_usage(self, "%s", f.text);
    if (o->rest.n != 1)
        return cli_usage(self, o->rest.n ? "one tenant at a time" : "the tenant's NAME is missing");
    return EXIT_DONE;
}

static json_t *body(const struct tenant_options *o)
{
    json_t *b = json_object();

    body_text(b, "title", o->title, false);
    body_text(b, "parent", o->parent, true);
    body_text(b, "mode", o->mode, false);
    body_text(b, "preset", o->preset, true);
    body_text(b, "language", o->language, false);
    body_text(b, "area", o->area, false);
    body_words(b, "mail", &o->mail, false);
    return b;
}

static bool agreed(const struct cli *cli, const struct tenant_options *o)
{
    if (o->mode && strcmp(o->mode, "observe") == 0)
        return loosening(cli, o->yes,
                         TR(cli,
                            "mode observe refuses no call of this tenant, it only records what it "
                            "would have refused",
                            "監視モードではこのテナントの発信を一切拒否せず、記録だけします"));
    if (o->preset && !*o->preset)
        return loosening(cli, o->yes,
                         TR(cli, "without a preset new accounts are born unrestricted",
                            "初期規制がないと、新しいアカウントは規制なしで作られます"));
    return true;
}

static int add(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct tenant_options o = {0};
    int code = parse(cli, self, &o, argc, argv);

    if (!code && !agreed(cli, &o))
        code = EXIT_FAILED;
    if (!code) {
        json_t *b = body(&o);
        json_object_set_new(b, "name", json_string(o.rest.at[0]));
        code = resource_add(cli, &kind, b);
    }
    words_free(&o.rest);
    words_free(&o.mail);
    return code;
}

static int set(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct tenant_options o = {0};
    int code = parse(cli, self, &o, argc, argv);
    json_t *b = code ? NULL : body(&o);

    if (!code && !json_object_size(b))
        code = cli_usage(self, "nothing to set");
    if (!code && !agreed(cli, &o))
        code = EXIT_FAILED;
    if (!code)
        code = resource_set(cli, &kind, o.rest.at[0], json_incref(b));
    json_decref(b);
    words_free(&o.rest);
    words_free(&o.mail);
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

#define TENANT_OPTIONS                                                                             \
    "  --title TEXT        what people call it\n"                                                  \
    "  --parent TENANT     the tenant that it belongs to; \"\" for none\n"                         \
    "  --mode MODE         enforce, observe (refuse nothing, record) or inherit\n"                 \
    "  --preset PRESET     the rules that new accounts are born with; \"\" for none\n"             \
    "  --language LANG     ja or en\n"                                                             \
    "  --area AREACODE     completes local numbers, instead of the switch's\n"                     \
    "  --mail ADDRESS…     who is told what is done to its accounts; \"\" for nobody\n"          \
    "  --yes               do not ask before loosening\n"

const struct command tenant_commands[] = {
    {.name = "list", .brief = "The tenants", .usage = "tenant list", .run = list},
    {.name = "show", .brief = "One tenant", .usage = "tenant show NAME", .run = show},
    {.name = "add",
     .brief = "Add a tenant",
     .usage = "tenant add NAME [OPTION…]",
     .help = TENANT_OPTIONS,
     .run = add},
    {.name = "set",
     .brief = "Change a tenant",
     .usage = "tenant set NAME OPTION…",
     .help = TENANT_OPTIONS,
     .run = set},
    {.name = "remove",
     .brief = "Remove tenants that have neither accounts nor tenants",
     .usage = "tenant remove NAME…",
     .run = remove_},
    {0},
};

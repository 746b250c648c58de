/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/commands.h"
#include "cli/consent.h"
#include "cli/named_on.h"
#include "cli/resource.h"

/* Access list, never-ban and canaries: what the operator keeps, item by item. */

static const struct column network_columns[] = {
    {"network", "NETWORK", "ネットワーク"},
    {"since", "SINCE", "追加"},
    {"by", "BY", "実行者"},
    {"note", "NOTE", "備考"},
    {0},
};

static const struct column found_columns[] = {
    {"network", "NETWORK", "ネットワーク"},
    {"from", "FOUND AS", "由来"},
    {"name", "NAME", "名前"},
    {0},
};

static const struct column canary_columns[] = {
    {"switch", "SWITCH", "スイッチ"}, {"account", "NAME", "名前"}, {"since", "SINCE", "追加"},
    {"by", "BY", "実行者"},           {"note", "NOTE", "備考"},    {0},
};

/* ---- what they have in common ---- */

struct item_words {
    struct words rest;
    const char *note, *switch_;
    bool yes;
};

static int read_words(struct cli *cli, const struct command *self, int argc, char **argv,
                      const struct option *options, const char *missing, struct item_words *w)
{
    struct fault f;

    if (options_parse(cli, argc, argv, options, missing ? 1 : 0, &w->rest, &f))
        return cli_usage(self, "%s", f.text);
    if (missing && w->rest.n == 0)
        return cli_usage(self, "%s is missing", missing);
    if (!missing && w->rest.n)
        return cli_usage(self, "\"%s\" is too much here", ESCAPED(span_of(w->rest.at[0])));
    return EXIT_DONE;
}

static int put(struct cli *cli, const char *path, const char *name, const struct item_words *w)
{
    json_t *body = json_object();
    int code;

    body_text(body, "note", w->note, false);
    code = consent_call(cli, "PUT", path, body, w->yes, NULL);
    if (!code)
        said(cli, TR(cli, "%s is on the list", "%s をリストに追加しました"),
             ESCAPED(span_of(name)));
    json_decref(body);
    return code;
}

static int take_off(struct cli *cli, const char *path, const char *name, bool yes)
{
    int code = consent_call(cli, "DELETE", path, NULL, yes, NULL);

    if (!code)
        said(cli, TR(cli, "%s is off the list", "%s をリストから外しました"),
             ESCAPED(span_of(name)));
    return code;
}

/* ---- networks ---- */

enum { ADD, REMOVE };

static int change_networks(struct cli *cli, const struct command *self, int argc, char **argv,
                           const char *list, int how)
{
    struct item_words w = {0};
    const struct option options[] = {
        {.name = "yes", .flag = &w.yes},
        {.name = how == ADD ? "note" : NULL, .text = &w.note, .value = "TEXT"},
        {0},
    };
    int code = read_words(cli, self, argc, argv, options, "a NETWORK", &w);

    for (size_t i = 0; i < w.rest.n && !code; i++) {
        struct buf path = {0};
        struct fault f;

        buf_puts(&path, list);
        path_part(&path, w.rest.at[i]);
        if (path.failed)
            code = (fault_nomem(&f), cli_fail(&f));
        else if (how == ADD)
            code = put(cli, path.p, w.rest.at[i], &w);
        else
            code = take_off(cli, path.p, w.rest.at[i], w.yes);
        buf_free(&path);
    }
    words_free(&w.rest);
    return code;
}

static int show_words(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct item_words w = {0};
    const struct option options[] = {{0}};
    int code = read_words(cli, self, argc, argv, options, NULL, &w);

    words_free(&w.rest);
    return code;
}

static int access_list(struct cli *cli, const struct command *self, int argc, char **argv)
{
    int code = show_words(cli, self, argc, argv);

    return code ? code : show_list(cli, "/v1/access", 0, network_columns);
}

static int access_add(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return change_networks(cli, self, argc, argv, "/v1/access", ADD);
}

static int access_remove(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return change_networks(cli, self, argc, argv, "/v1/access", REMOVE);
}

/* What was found stands beside what the operator keeps: it is never dropped either. */
static int never_ban_list(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct reply r = {0};
    struct fault f;
    int code = show_words(cli, self, argc, argv);

    if (code)
        return code;
    if (cli->json)
        return show_get(cli, "/v1/never-ban?limit=1000", network_columns);
    code = show_list(cli, "/v1/never-ban", 0, network_columns);
    if (code)
        return code;
    if (remote_call(cli, "GET", "/v1/never-ban", NULL, &r, &f)) {
        code = cli_fail(&f);
    } else {
        putchar('\n');
        code = show_array(cli, json_object_get(r.json, "found"), found_columns);
    }
    reply_free(&r);
    return code;
}

static int never_ban_add(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return change_networks(cli, self, argc, argv, "/v1/never-ban", ADD);
}

static int never_ban_remove(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return change_networks(cli, self, argc, argv, "/v1/never-ban", REMOVE);
}

const struct command access_commands[] = {
    {.name = "list",
     .brief = "The networks that may reach the SIP ports; none: all may",
     .usage = "access list",
     .run = access_list},
    {.name = "add",
     .brief = "Let a network reach the SIP ports; the first shuts out all others",
     .usage = "access add NETWORK… [--note TEXT] [--yes]",
     .run = access_add},
    {.name = "remove",
     .brief = "Take networks off; without its last one the list is off",
     .usage = "access remove NETWORK… [--yes]",
     .run = access_remove},
    {0},
};

const struct command never_ban_commands[] = {
    {.name = "list",
     .brief = "What is never dropped: the operator's networks, and what was found",
     .usage = "never-ban list",
     .run = never_ban_list},
    {.name = "add",
     .brief = "Never drop these networks; ends the bans that this forbids",
     .usage = "never-ban add NETWORK… [--note TEXT] [--yes]",
     .run = never_ban_add},
    {.name = "remove",
     .brief = "Take networks off",
     .usage = "never-ban remove NETWORK… [--yes]",
     .run = never_ban_remove},
    {0},
};

/* ---- canaries ---- */

static int canary_list(struct cli *cli, const struct command *self, int argc, char **argv)
{
    int code = show_words(cli, self, argc, argv);

    return code ? code : show_list(cli, "/v1/canaries", 0, canary_columns);
}

static int change_canaries(struct cli *cli, const struct command *self, int argc, char **argv,
                           int how)
{
    struct item_words w = {0};
    const struct option options[] = {
        {.name = "switch", .text = &w.switch_, .value = "SWITCH"},
        {.name = how == ADD ? "note" : NULL, .text = &w.note, .value = "TEXT"},
        {0},
    };
    int code = read_words(cli, self, argc, argv, options, "a NAME", &w);

    for (size_t i = 0; i < w.rest.n && !code; i++) {
        struct buf path = {0};
        struct fault f;

        if (named_on(cli, "/v1/canaries", w.switch_, w.rest.at[i], &path, &f))
            code = cli_fail(&f);
        else if (how == ADD)
            code = put(cli, path.p, w.rest.at[i], &w);
        else
            code = take_off(cli, path.p, w.rest.at[i], true);
        buf_free(&path);
    }
    words_free(&w.rest);
    return code;
}

static int canary_add(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return change_canaries(cli, self, argc, argv, ADD);
}

static int canary_remove(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return change_canaries(cli, self, argc, argv, REMOVE);
}

const struct command canary_commands[] = {
    {.name = "list",
     .brief = "Names that no phone has: one proved touch is a ban",
     .usage = "canary list",
     .run = canary_list},
    {.name = "add",
     .brief = "Make names canaries",
     .usage = "canary add NAME… [--switch SWITCH] [--note TEXT]",
     .run = canary_add},
    {.name = "remove",
     .brief = "They are canaries no longer",
     .usage = "canary remove NAME… [--switch SWITCH]",
     .run = canary_remove},
    {0},
};

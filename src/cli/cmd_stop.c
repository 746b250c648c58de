/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/account_ref.h"
#include "cli/commands.h"
#include "cli/resource.h"

static const struct column columns[] = {
    {"label", "SCOPE", "範囲"},
    {"since", "SINCE", "開始"},
    {"by", "BY", "実行者"},
    {"note", "NOTE", "備考"},
    {0},
};

static const struct column fields[] = {
    {"label", "stopped", "停止"},
    {"since", "since", "開始"},
    {"by", "by", "実行者"},
    {"note", "note", "備考"},
    {0},
};

struct stop_options {
    struct words rest;
    const char *account, *switch_, *tenant, *note;
    bool undo, yes;
    struct buf scope; /* "operator", "tenant:NAME", "account:ID" */
};

static int scope_of(struct cli *cli, struct stop_options *o, struct fault *f)
{
    char id[ACCOUNT_ID_SIZE];
    json_t *account = NULL;
    int err = 0;

    if (o->tenant) {
        buf_printf(&o->scope, "tenant:%s", o->tenant);
    } else if (!o->account) {
        buf_puts(&o->scope, "operator");
    } else {
        err = account_find(cli, o->account, o->switch_, &account, f);
        if (!err) {
            account_id(account, id);
            buf_printf(&o->scope, "account:%s", id);
        }
        json_decref(account);
    }
    return !err && o->scope.failed ? fault_nomem(f) : err;
}

static int stop(struct cli *cli, const struct stop_options *o, const char *path)
{
    json_t *body = json_object();
    struct reply r = {0};
    struct fault f;
    int code = EXIT_DONE;

    body_text(body, "note", o->note, false);
    if (remote_call(cli, "PUT", path, body, &r, &f))
        code = cli_fail(&f);
    else
        show_object(cli, r.json, fields);
    reply_free(&r);
    json_decref(body);
    return code;
}

static int undo(struct cli *cli, const struct stop_options *o, const char *path)
{
    struct fault f;

    if (!loosening(cli, o->yes,
                   TR(cli, "international calls will again pass where the rules allow them",
                      "規則が許す国際発信が再びできるようになります")))
        return EXIT_FAILED;
    if (remote_call(cli, "DELETE", path, NULL, NULL, &f))
        return cli_fail(&f);
    said(cli, TR(cli, "the stop of %s is undone", "停止を解除しました: %s"),
         ESCAPED(buf_span(&o->scope)));
    return EXIT_DONE;
}

static int run(struct cli *cli, const struct command *self, struct stop_options *o, int argc,
               char **argv)
{
    const struct option options[] = {
        {.name = "account", .text = &o->account, .value = "ACCOUNT"},
        {.name = "switch", .text = &o->switch_, .value = "SWITCH"},
        {.name = "tenant", .text = &o->tenant, .value = "TENANT"},
        {.name = "note", .text = &o->note, .value = "TEXT"},
        {.name = "undo", .flag = &o->undo},
        {.name = "yes", .flag = &o->yes},
        {0},
    };
    struct buf path = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, options, 0, &o->rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (o->rest.n)
        code =
            cli_usage(self, "stop what? say --account %s or --tenant %s, or nothing for everybody",
                      ESCAPED(span_of(o->rest.at[0])), ESCAPED(span_of(o->rest.at[0])));
    else if ((o->account && o->tenant) || (o->switch_ && !o->account))
        code = cli_usage(self, "one scope: everybody, a --tenant, or an --account [--switch]");
    else if (scope_of(cli, o, &f))
        code = cli_fail(&f);
    if (!code) {
        buf_puts(&path, "/v1/stops");
        path_part(&path, o->scope.p);
        code = path.failed ? (fault_nomem(&f), cli_fail(&f))
               : o->undo   ? undo(cli, o, path.p)
                           : stop(cli, o, path.p);
    }
    buf_free(&path);
    words_free(&o->rest);
    buf_free(&o->scope);
    return code;
}

static int now(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct stop_options o = {0};

    return run(cli, self, &o, argc, argv);
}

static int run_undo(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct stop_options o = {.undo = true};

    return run(cli, self, &o, argc, argv);
}

static int list(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct words rest = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, NULL, 0, &rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (rest.n)
        code = cli_usage(self, "\"%s\" is too much here", ESCAPED(span_of(rest.at[0])));
    words_free(&rest);
    return code ? code : show_list(cli, "/v1/stops", 0, columns);
}

#define SCOPE "[--tenant TENANT | --account ACCOUNT [--switch SWITCH]]"

const struct command stop_commands[] = {
    {.name = "now",
     .brief = "Stop international, premium and forwarded calls (the same as \"stop\" alone)",
     .usage = "stop " SCOPE " [--note TEXT]\nstop --undo " SCOPE " [--yes]",
     .help =
         "Without a scope: for everybody. It works at once and needs no answer to any question.\n"
         "Emergency, national and internal calls go on.\n",
     .run = now},
    {.name = "undo",
     .brief = "Undo a stop (the same as \"stop --undo\")",
     .usage = "stop undo " SCOPE " [--yes]",
     .run = run_undo},
    {.name = "list", .brief = "What is stopped", .usage = "stop list", .run = list},
    {0},
};

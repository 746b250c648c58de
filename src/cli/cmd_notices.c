/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/commands.h"
#include "cli/resource.h"

static const struct column columns[] = {
    {"id", "ID", "番号"},
    {"at", "AT", "日時"},
    {"kind", "KIND", "種類"},
    {"tenant", "TENANT", "テナント"},
    {"recipient", "TO", "宛先"},
    {"state", "STATE", "状態"},
    {"tries", "TRIES", "試行"},
    {"error", "ERROR", "エラー"},
    {0},
};

static const struct column fields[] = {
    {"id", "notice", "お知らせ"},
    {"kind", "kind", "種類"},
    {"state", "state", "状態"},
    {"tenant", "tenant", "テナント"},
    {"recipient", "to", "宛先"},
    {"language", "language", "言語"},
    {"change", "change number", "変更番号"},
    {"batch", "batch", "一括処理"},
    {"at", "at", "日時"},
    {"tries", "tries", "試行"},
    {"next", "next try", "次の試行"},
    {"ended", "ended", "完了"},
    {"error", "error", "エラー"},
    {0},
};

static const struct filter filters[] = {
    {"state", "STATE"}, {"kind", "KIND"}, {"tenant", "TENANT"}, {"change", "NUMBER"}, {0}};

static const struct filtered all = {
    .path = "/v1/notices",
    .filters = filters,
    .columns = columns,
    .hint = "",
    .none = "there are no notices",
    .none_ja = "お知らせはありません",
};

static const struct resource kind = {"/v1/notices", "notice", "お知らせ", columns, fields};

static int list(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return resource_filtered(cli, self, &all, argc, argv);
}

static int show(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return resource_show(cli, self, &kind, argc, argv);
}

static int retry_one(struct cli *cli, const char *id)
{
    struct buf path = {0};
    struct reply r = {0};
    struct fault f;
    int code = EXIT_DONE;

    buf_puts(&path, "/v1/notices");
    path_part(&path, id);
    buf_puts(&path, "/retry");
    if (path.failed)
        code = (fault_nomem(&f), cli_fail(&f));
    else if (remote_call(cli, "POST", path.p, NULL, &r, &f))
        code = cli_fail(&f);
    else
        said(cli, TR(cli, "notice %s is sent again", "お知らせ %s をもう一度送信します"),
             ESCAPED(span_of(id)));
    reply_free(&r);
    buf_free(&path);
    return code;
}

static int retry(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct words rest = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, NULL, 1, &rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (!rest.n)
        code = cli_usage(self, "which notice? \"sekisho notices list\" has their IDs");
    for (size_t i = 0; !code && i < rest.n; i++)
        code = retry_one(cli, rest.at[i]);
    words_free(&rest);
    return code;
}

static int test(struct cli *cli, const struct command *self, int argc, char **argv)
{
    const char *language = NULL;
    const struct option options[] = {{.name = "language", .text = &language, .value = "ja|en"},
                                     {0}};
    struct words rest = {0};
    struct reply r = {0};
    json_t *body = NULL;
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, options, 1, &rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (rest.n != 1)
        code = cli_usage(self, "one ADDRESS is wanted");
    if (!code) {
        body = json_object();
        body_text(body, "address", rest.at[0], false);
        body_text(body, "language", language, false);
        if (remote_call(cli, "POST", "/v1/notices/test", body, &r, &f))
            code = cli_fail(&f);
        else
            show_object(cli, r.json, fields);
    }
    json_decref(body);
    reply_free(&r);
    words_free(&rest);
    return code;
}

/* The subject and the text, or with --html that; with --json all three. */
static void show_preview(struct cli *cli, const json_t *json, bool html)
{
    const char *text = json_string_value(json_object_get(json, html ? "html" : "text"));

    if (cli->json) {
        show_json(json);
        return;
    }
    if (!html)
        printf("Subject: %s\n\n", json_string_value(json_object_get(json, "subject")));
    fputs(text ? text : "", stdout);
}

static int preview(struct cli *cli, const struct command *self, int argc, char **argv)
{
    const char *language = NULL;
    bool html = false;
    const struct option options[] = {{.name = "language", .text = &language, .value = "ja|en"},
                                     {.name = "html", .flag = &html},
                                     {0}};
    struct words rest = {0};
    struct buf path = {0};
    struct reply r = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, options, 1, &rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (rest.n != 1)
        code = cli_usage(self, "one KIND is wanted");
    else if (language && strcmp(language, "ja") != 0 && strcmp(language, "en") != 0)
        code = cli_usage(self, "the language is ja or en");
    if (!code) {
        buf_puts(&path, "/v1/notices/preview");
        path_part(&path, rest.at[0]);
        if (language)
            buf_printf(&path, "?language=%s", language);
        if (path.failed)
            code = (fault_nomem(&f), cli_fail(&f));
        else if (remote_call(cli, "GET", path.p, NULL, &r, &f))
            code = cli_fail(&f);
        else
            show_preview(cli, r.json, html);
    }
    reply_free(&r);
    buf_free(&path);
    words_free(&rest);
    return code;
}

const struct command notices_commands[] = {
    {.name = "list",
     .brief = "What people were told, or are going to be",
     .usage = "notices list [--state STATE] [--kind KIND] [--tenant TENANT] [--change NUMBER] "
              "[--limit N]",
     .help = "  --state STATE        waiting, sending, sent or failed\n"
             "  --kind KIND          sweep-announced, sweep-applied, sweep-undone, rule-loosened,\n"
             "                       lockout, takeover, lock-ended or test\n",
     .run = list},
    {.name = "show", .brief = "One notice", .usage = "notices show ID", .run = show},
    {.name = "retry",
     .brief = "Send again what failed, or do not wait for the next try",
     .usage = "notices retry ID…",
     .run = retry},
    {.name = "preview",
     .brief = "What a notice looks like, of invented facts",
     .usage = "notices preview KIND [--language ja|en] [--html]",
     .run = preview},
    {.name = "test",
     .brief = "Send a test mail to an address",
     .usage = "notices test ADDRESS [--language ja|en]",
     .run = test},
    {0},
};

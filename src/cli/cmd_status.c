/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/commands.h"
#include "cli/resource.h"

/* Each sentence whole: its end may say what to do. */
static void print_lines(const char *heading, const json_t *lines)
{
    char text_of[4 * FAULT_MAX];
    const json_t *line;
    size_t i;

    json_array_foreach(lines, i, line)
    {
        const char *text = json_string_value(line);

        printf("%s%s\n", heading, escape(span_of(text ? text : "?"), text_of, sizeof(text_of)));
    }
}

/* Nothing where nothing listens. */
static void print_sip(struct cli *cli, const json_t *sip)
{
    static const struct column fields[] = {
        {"listen", "SIP on", "SIP 待ち受け"},
        {"tcp", "SIP over TCP too", "SIP TCP も"},
        {"asked", "SIP requests", "SIP 要求"},
        {"answered", "answered", "応答した要求"},
        {"strangers", "from strangers", "登録のない送信元から"},
        {"garbage", "unreadable", "読めない要求"},
        {"unsent", "not sent", "送れなかった応答"},
        {"last_switch", "last asked by", "最後に尋ねたスイッチ"},
        {"last_asked", "at", "その時刻"},
        {0},
    };

    if (!json_is_object(sip))
        return;
    putchar('\n');
    show_object(cli, sip, fields);
}

static void print(struct cli *cli, const json_t *status)
{
    static const struct column fields[] = {
        {"version", "version", "版"},
        {"started", "started", "起動"},
        {"load_milliseconds", "loaded in (ms)", "読み込み (ms)"},
        {"change", "change number", "変更番号"},
        {"switches", "switches", "スイッチ"},
        {"tenants", "tenants", "テナント"},
        {"accounts", "accounts", "アカウント"},
        {"stops", "stops", "国際発信停止"},
        {"allowed", "calls allowed", "許可した発信"},
        {"denied", "calls denied", "拒否した発信"},
        {0},
    };
    json_t *flat = json_copy((json_t *)status);

    json_object_update(flat, json_object_get(status, "counts"));
    json_object_update(flat, json_object_get(status, "decisions"));
    show_object(cli, flat, fields);
    json_decref(flat);
    print_sip(cli, json_object_get(status, "sip"));
    print_lines(TR(cli, "PROBLEM  ", "障害  "), json_object_get(status, "problems"));
    print_lines(TR(cli, "warning  ", "警告  "), json_object_get(status, "warnings"));
}

int cmd_status(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct words rest = {0};
    struct reply r = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, NULL, 0, &rest, &f)) {
        code = cli_usage(self, "%s", f.text);
    } else if (rest.n) {
        code = cli_usage(self, "status takes no words");
    } else if (remote_call(cli, "GET", "/v1/status", NULL, &r, &f)) {
        code = cli_fail(&f);
    } else {
        if (cli->json)
            show_json(r.json);
        else
            print(cli, r.json);
        if (json_array_size(json_object_get(r.json, "problems")))
            code = EXIT_FAILED;
    }
    reply_free(&r);
    words_free(&rest);
    return code;
}

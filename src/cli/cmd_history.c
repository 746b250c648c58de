/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekisho history: where an account has called, and which of those calls it did not make. */
#include <stdlib.h>

#include "base/clock.h"
#include "cli/account_ref.h"
#include "cli/commands.h"
#include "cli/resource.h"
#include "cli/when.h"

static const struct column sum_columns[] = {
    {"country", "COUNTRY", "国"},
    {"abroad", "ABROAD", "国際"},
    {"answered", "ANSWERED", "応答"},
    {"doubted", "DOUBTED", "不審"},
    {"unanswered", "UNANSWERED", "不応答"},
    {"failed", "FAILED", "失敗"},
    {"refused", "REFUSED", "拒否"},
    {"seconds", "SECONDS", "秒"},
    {"first", "FIRST", "最初"},
    {"last", "LAST", "最後"},
    {0},
};

static const struct column disowned_columns[] = {
    {"id", "NUMBER", "番号"},
    {"country", "COUNTRY", "国"},
    {"since", "SINCE", "開始"},
    {"until", "UNTIL", "終了"},
    {"by", "BY", "指定者"},
    {"at", "AT", "日時"},
    {0},
};

/* /v1/accounts/17/history */
static int path_of(struct cli *cli, const char *ref, const char *switch_, const char *below,
                   struct buf *path, struct fault *f)
{
    json_t *account = NULL;
    char id[ACCOUNT_ID_SIZE];
    int err = account_find(cli, ref, switch_, &account, f);

    if (err)
        return err;
    account_id(account, id);
    json_decref(account);
    buf_puts(path, "/v1/accounts");
    path_part(path, id);
    path_part(path, below);
    return path->failed ? fault_nomem(f) : 0;
}

static void print(struct cli *cli, const json_t *history)
{
    const json_t *items = json_object_get(history, "items");
    const json_t *disowned = json_object_get(history, "disowned");

    if (json_array_size(items) == 0)
        puts(TR(cli, "no call of this account is on record",
                "このアカウントの通話の記録はありません"));
    else
        show_array(cli, items, sum_columns);
    if (json_array_size(disowned) == 0)
        return;
    puts(TR(cli, "\nNot its own calls:", "\n本人のものでない通話:"));
    show_array(cli, disowned, disowned_columns);
}

static int show(struct cli *cli, const struct command *self, int argc, char **argv)
{
    const char *switch_ = NULL;
    const struct option options[] = {
        {.name = "switch", .text = &switch_, .value = "SWITCH"},
        {0},
    };
    struct words rest = {0};
    struct buf path = {0};
    struct reply r = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, options, 1, &rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (rest.n != 1)
        code = cli_usage(self, rest.n ? "one ACCOUNT at a time" : "the ACCOUNT is missing");
    else if (path_of(cli, rest.at[0], switch_, "history", &path, &f) ||
             remote_call(cli, "GET", path.p, NULL, &r, &f))
        code = cli_fail(&f);
    else if (cli->json)
        show_json(r.json);
    else
        print(cli, r.json);
    reply_free(&r);
    buf_free(&path);
    words_free(&rest);
    return code;
}

/* ---- not its own ---------------------------------------------------------------------------- */

static int add_time(json_t *body, const char *key, const char *text, struct fault *f)
{
    char when[WHEN_SIZE];
    int err = text ? when_parse(text, WHEN_PAST, instant_wall_s(clock_now()), when, f) : 0;

    if (!err)
        body_text(body, key, text ? when : NULL, false);
    return err;
}

static int disown(struct cli *cli, const struct command *self, int argc, char **argv)
{
    const char *switch_ = NULL, *since = NULL, *until = NULL, *country = NULL;
    const struct option options[] = {
        {.name = "switch", .text = &switch_, .value = "SWITCH"},
        {.name = "since", .text = &since, .value = "TIME"},
        {.name = "until", .text = &until, .value = "TIME"},
        {.name = "country", .text = &country, .value = "COUNTRY"},
        {0},
    };
    json_t *body = json_object();
    struct words rest = {0};
    struct buf path = {0};
    struct reply r = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, options, 1, &rest, &f) ||
        add_time(body, "since", since, &f) || add_time(body, "until", until, &f))
        code = cli_usage(self, "%s", f.text);
    else if (rest.n != 1)
        code = cli_usage(self, rest.n ? "one ACCOUNT at a time" : "the ACCOUNT is missing");
    else {
        body_text(body, "country", country, false);
        if (path_of(cli, rest.at[0], switch_, "disowned", &path, &f) ||
            remote_call(cli, "POST", path.p, body, &r, &f))
            code = cli_fail(&f);
        else if (cli->json)
            show_json(r.json);
        else
            said(cli,
                 TR(cli,
                    "these calls do not speak for %s any more; undo: sekisho history own %s %lld",
                    "これらの通話は %s の実績とみなされなくなりました。取り消し: sekisho history "
                    "own %s "
                    "%lld"),
                 rest.at[0], rest.at[0],
                 (long long)json_integer_value(json_object_get(r.json, "id")));
    }
    json_decref(body);
    reply_free(&r);
    buf_free(&path);
    words_free(&rest);
    return code;
}

static int own(struct cli *cli, const struct command *self, int argc, char **argv)
{
    const char *switch_ = NULL;
    const struct option options[] = {
        {.name = "switch", .text = &switch_, .value = "SWITCH"},
        {0},
    };
    struct words rest = {0};
    struct buf path = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, options, 2, &rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (rest.n != 2)
        code = cli_usage(self, "an ACCOUNT and a NUMBER of \"sekisho history\" are needed");
    else if (path_of(cli, rest.at[0], switch_, "disowned", &path, &f))
        code = cli_fail(&f);
    else {
        path_part(&path, rest.at[1]);
        if (path.failed ? fault_nomem(&f) : remote_call(cli, "DELETE", path.p, NULL, NULL, &f))
            code = cli_fail(&f);
        else
            said(cli, TR(cli, "these calls speak for %s again", "これらの通話は再び %s の実績です"),
                 rest.at[0]);
    }
    buf_free(&path);
    words_free(&rest);
    return code;
}

const struct command history_commands[] = {
    {.name = "show",
     .brief = "Where an account has called",
     .usage = "history [show] ACCOUNT [--switch SWITCH]",
     .run = show},
    {.name = "disown",
     .brief = "Calls that the account's owner did not make",
     .usage = "history disown ACCOUNT [--since TIME] [--until TIME] [--country COUNTRY] "
              "[--switch SWITCH]",
     .help = "Calls of fraud are no reason to leave the account open: a sweep passes them over.\n"
             "  --since TIME         90d, 2026-12-01, 2026-12-01T09:00:00Z; all without it\n"
             "  --country COUNTRY    calls there alone: SO, SL\n",
     .run = disown},
    {.name = "own",
     .brief = "Takes that back",
     .usage = "history own ACCOUNT NUMBER [--switch SWITCH]",
     .run = own},
    {0},
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "cli/account_ref.h"
#include "cli/commands.h"
#include "cli/resource.h"
#include "cli/when.h"

/* `refusals` and `audit`: what was refused, who changed what. The newest first. */

#define RECORDS_SHOWN 100 /* of what may be millions, unless --limit says more */

struct record_options {
    struct words rest;
    const char *account, *switch_, *tenant, *since, *limit;
};

static int limit_of(const char *text, size_t *limit, struct fault *f)
{
    size_t n = 0;

    for (const char *c = text; *c; c++) {
        if (*c < '0' || *c > '9' || n > 100000000)
            return fault(f, ERR_SYNTAX, "--limit \"%s\" is not a number from 0 (all) to 1000000000",
                         ESCAPED(span_of(text)));
        n = 10 * n + (size_t)(*c - '0');
    }
    *limit = n;
    return 0;
}

static int add_account(struct cli *cli, const struct record_options *o, struct buf *path,
                       struct fault *f)
{
    char id[ACCOUNT_ID_SIZE];
    json_t *account = NULL;
    int err = account_find(cli, o->account, o->switch_, &account, f);

    if (!err) {
        account_id(account, id);
        path_query(path, "account", id);
    }
    json_decref(account);
    return err;
}

static int records(struct cli *cli, const struct command *self, const char *path,
                   const struct column *columns, bool has_switch, int argc, char **argv)
{
    struct record_options o = {0};
    const struct option options[] = {
        {.name = "account", .text = &o.account, .value = "ACCOUNT"},
        {.name = "switch", .text = &o.switch_, .value = "SWITCH"},
        {.name = "tenant", .text = &o.tenant, .value = "TENANT"},
        {.name = "since", .text = &o.since, .value = "TIME"},
        {.name = "limit", .text = &o.limit, .value = "N"},
        {0},
    };
    size_t limit = RECORDS_SHOWN;
    char since[WHEN_SIZE] = "";
    struct buf b = {0};
    struct fault f;
    int code = EXIT_DONE;

    buf_puts(&b, path);
    if (options_parse(cli, argc, argv, options, 0, &o.rest, &f) ||
        (o.limit && limit_of(o.limit, &limit, &f)) ||
        (o.since && when_parse(o.since, WHEN_PAST, instant_wall_s(clock_now()), since, &f)))
        code = cli_usage(self, "%s", f.text);
    else if (o.rest.n)
        code = cli_usage(self, "\"%s\" is too much here", ESCAPED(span_of(o.rest.at[0])));
    else if (o.account && add_account(cli, &o, &b, &f))
        code = cli_fail(&f);
    if (!o.account && has_switch)
        path_query(&b, "switch", o.switch_);
    path_query(&b, "tenant", o.tenant);
    path_query(&b, "since", *since ? since : NULL);
    if (!code)
        code = show_list(cli, b.p, limit, columns);
    buf_free(&b);
    words_free(&o.rest);
    return code;
}

int cmd_refusals(struct cli *cli, const struct command *self, int argc, char **argv)
{
    static const struct column columns[] = {
        {"last", "LAST", "最終時刻"},
        {"count", "COUNT", "回数"},
        {"switch", "SWITCH", "スイッチ"},
        {"account", "ACCOUNT", "アカウント"},
        {"dialled", "DIALLED", "ダイヤル"},
        {"country", "COUNTRY", "国"},
        {"reason", "REASON", "理由"},
        {"rule", "RULE", "規則"},
        {"remote", "REMOTE", "発信元"},
        {"observed", "OBSERVED", "監視のみ"},
        {0},
    };

    return records(cli, self, "/v1/refusals", columns, true, argc, argv);
}

int cmd_audit(struct cli *cli, const struct command *self, int argc, char **argv)
{
    static const struct column columns[] = {
        {"id", "CHANGE", "変更番号"},
        {"at", "TIME", "時刻"},
        {"by", "BY", "実行者"},
        {"action", "ACTION", "操作"},
        {"name", "OBJECT", "対象"},
        {"detail", "DETAIL", "内容"},
        {0},
    };

    return records(cli, self, "/v1/audit", columns, false, argc, argv);
}

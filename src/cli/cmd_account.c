/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/account_ref.h"
#include "cli/commands.h"
#include "cli/resource.h"

static const struct column columns[] = {
    {"id", "ID", "ID"},
    {"switch", "SWITCH", "スイッチ"},
    {"name", "NAME", "名前"},
    {"tenant", "TENANT", "テナント"},
    {"state", "STATE", "状態"},
    {"note", "NOTE", "備考"},
    {0},
};

static const struct column fields[] = {
    {"id", "id", "ID"},
    {"switch", "switch", "スイッチ"},
    {"name", "name", "名前"},
    {"tenant", "tenant", "テナント"},
    {"state", "state", "状態"},
    {"stopped", "international stopped", "国際発信停止"},
    {"adopted", "adopted", "自動登録"},
    {"note", "note", "備考"},
    {"rules", "rules", "規則"},
    {"change", "change number", "変更番号"},
    {0},
};

struct account_options {
    struct words rest;
    const char *switch_, *tenant, *state, *note, *query, *limit;
};

static int parse(struct cli *cli, const struct command *self, struct account_options *o,
                 const struct option *options, int argc, char **argv)
{
    struct fault f;

    if (options_parse(cli, argc, argv, options, 1, &o->rest, &f))
        return cli_usage(self, "%s", f.text);
    return EXIT_DONE;
}

/* Adds the account's rules to its object, so that one look shows what it is born with. */
static int with_rules(struct cli *cli, json_t *account, struct fault *f)
{
    char id[ACCOUNT_ID_SIZE], path[64];
    struct reply r = {0};

    account_id(account, id);
    snprintf(path, sizeof(path), "/v1/accounts/%s/rules", id);
    int err = remote_call(cli, "GET", path, NULL, &r, f);
    if (!err)
        json_object_set(account, "rules", json_object_get(r.json, "items"));
    reply_free(&r);
    return err;
}

static int add_one(struct cli *cli, const struct account_options *o, const char *name)
{
    json_t *body = json_object();
    struct reply r = {0};
    struct fault f;
    int code = EXIT_DONE;

    body_text(body, "name", name, false);
    body_text(body, "switch", o->switch_, false);
    body_text(body, "tenant", o->tenant, false);
    body_text(body, "state", o->state, false);
    body_text(body, "note", o->note, false);
    if (remote_call(cli, "POST", "/v1/accounts", body, &r, &f) || with_rules(cli, r.json, &f))
        code = cli_fail(&f);
    else
        show_object(cli, r.json, fields);
    reply_free(&r);
    json_decref(body);
    return code;
}

static int add(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct account_options o = {0};
    const struct option options[] = {
        {.name = "switch", .text = &o.switch_, .value = "SWITCH"},
        {.name = "tenant", .text = &o.tenant, .value = "TENANT"},
        {.name = "state", .text = &o.state, .value = "active|suspended|locked"},
        {.name = "note", .text = &o.note, .value = "TEXT"},
        {0},
    };
    int code = parse(cli, self, &o, options, argc, argv);

    if (!code && !o.rest.n)
        code = cli_usage(self, "the account's NAME is missing");
    for (size_t i = 0; i < o.rest.n && !code; i++)
        code = add_one(cli, &o, o.rest.at[i]);
    words_free(&o.rest);
    return code;
}

static int number_option(const char *text, size_t *out, struct fault *f)
{
    size_t n = 0;

    for (const char *c = text; c && *c; c++) {
        if (*c < '0' || *c > '9' || n > 100000000)
            return fault(f, ERR_SYNTAX, "--limit \"%s\" is not a number from 1 to 1000000000",
                         ESCAPED(span_of(text)));
        n = 10 * n + (size_t)(*c - '0');
    }
    *out = n;
    return 0;
}

static int list(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct account_options o = {0};
    const struct option options[] = {
        {.name = "switch", .text = &o.switch_, .value = "SWITCH"},
        {.name = "tenant", .text = &o.tenant, .value = "TENANT"},
        {.name = "state", .text = &o.state, .value = "active|suspended|locked"},
        {.name = "query", .text = &o.query, .value = "TEXT"},
        {.name = "limit", .text = &o.limit, .value = "N"},
        {0},
    };
    struct buf path = {0};
    struct fault f;
    size_t limit = 0;
    int code = parse(cli, self, &o, options, argc, argv);

    if (!code && (o.rest.n > 1 || number_option(o.limit, &limit, &f)))
        code = cli_usage(self, "%s", o.rest.n > 1 ? "at most one TEXT" : f.text);
    buf_puts(&path, "/v1/accounts");
    path_query(&path, "switch", o.switch_);
    path_query(&path, "tenant", o.tenant);
    path_query(&path, "state", o.state);
    path_query(&path, "q", o.rest.n ? o.rest.at[0] : o.query);
    if (!code)
        code = show_list(cli, path.p, limit, columns);
    buf_free(&path);
    words_free(&o.rest);
    return code;
}

static int show(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct account_options o = {0};
    const struct option options[] = {{.name = "switch", .text = &o.switch_, .value = "SWITCH"},
                                     {0}};
    json_t *account = NULL;
    struct fault f;
    int code = parse(cli, self, &o, options, argc, argv);

    if (!code && o.rest.n != 1)
        code =
            cli_usage(self, o.rest.n ? "one account at a time" : "the account's NAME is missing");
    if (!code &&
        (account_find(cli, o.rest.at[0], o.switch_, &account, &f) || with_rules(cli, account, &f)))
        code = cli_fail(&f);
    if (!code)
        show_object(cli, account, fields);
    json_decref(account);
    words_free(&o.rest);
    return code;
}

/* Finds the account and asks `method` of it. */
static int change_one(struct cli *cli, const char *ref, const char *switch_, const char *method,
                      const json_t *body, struct fault *f)
{
    char id[ACCOUNT_ID_SIZE], path[64];
    json_t *account = NULL;
    int err = account_find(cli, ref, switch_, &account, f);

    if (!err) {
        account_id(account, id);
        snprintf(path, sizeof(path), "/v1/accounts/%s", id);
        err = remote_call(cli, method, path, body, NULL, f);
    }
    json_decref(account);
    return err;
}

static int change(struct cli *cli, const struct command *self, int argc, char **argv,
                  const char *method, const char *state, const char *done)
{
    struct account_options o = {0};
    const struct option options[] = {{.name = "switch", .text = &o.switch_, .value = "SWITCH"},
                                     {0}};
    json_t *body = state ? json_pack("{s:s}", "state", state) : NULL;
    struct fault f;
    int code = parse(cli, self, &o, options, argc, argv);

    if (!code && !o.rest.n)
        code = cli_usage(self, "the account's NAME is missing");
    for (size_t i = 0; i < o.rest.n && !code; i++) {
        if (change_one(cli, o.rest.at[i], o.switch_, method, body, &f))
            code = cli_fail(&f);
        else
            said(cli, "%s: %s", ESCAPED(span_of(o.rest.at[i])), done);
    }
    json_decref(body);
    words_free(&o.rest);
    return code;
}

static int suspend(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return change(
        cli, self, argc, argv, "PATCH", "suspended",
        TR(cli, "suspended; only emergency calls pass", "停止しました。緊急通報だけ通ります"));
}

static int resume(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return change(cli, self, argc, argv, "PATCH", "active", TR(cli, "active", "再開しました"));
}

static int remove_(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return change(cli, self, argc, argv, "DELETE", NULL, TR(cli, "removed", "削除しました"));
}

static int set(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct account_options o = {0};
    const struct option options[] = {
        {.name = "switch", .text = &o.switch_, .value = "SWITCH"},
        {.name = "tenant", .text = &o.tenant, .value = "TENANT"},
        {.name = "state", .text = &o.state, .value = "active|suspended|locked"},
        {.name = "note", .text = &o.note, .value = "TEXT"},
        {0},
    };
    json_t *body = json_object();
    struct fault f;
    int code = parse(cli, self, &o, options, argc, argv);

    body_text(body, "tenant", o.tenant, false);
    body_text(body, "state", o.state, false);
    body_text(body, "note", o.note, false);
    if (!code && !o.rest.n)
        code = cli_usage(self, "the account's NAME is missing");
    if (!code && !json_object_size(body))
        code = cli_usage(self, "nothing to set");
    for (size_t i = 0; i < o.rest.n && !code; i++) {
        if (change_one(cli, o.rest.at[i], o.switch_, "PATCH", body, &f))
            code = cli_fail(&f);
        else
            said(cli, "%s: %s", ESCAPED(span_of(o.rest.at[i])), TR(cli, "changed", "変更しました"));
    }
    json_decref(body);
    words_free(&o.rest);
    return code;
}

#define ACCOUNT_NAMES                                                                              \
    "An account is named as its switch knows it, or by its id as id:12. --switch tells accounts "  \
    "of\n"                                                                                         \
    "the same name apart.\n"

const struct command account_commands[] = {
    {.name = "list",
     .brief = "Accounts, or those whose name contains TEXT",
     .usage = "account list [TEXT] [--switch SWITCH] [--tenant TENANT] [--state STATE] [--limit N]",
     .run = list},
    {.name = "show",
     .brief = "One account with its rules",
     .usage = "account show NAME [--switch SWITCH]",
     .help = ACCOUNT_NAMES,
     .run = show},
    {.name = "add",
     .brief = "Add accounts, born restricted",
     .usage = "account add NAME… [--switch SWITCH] [--tenant TENANT] [--note TEXT] [--state STATE]",
     .help = "Switch and tenant may be left out where there is only one. The tenant's preset "
             "(Japan: 010\n"
             "restricted) becomes the account's own rules.\n",
     .run = add},
    {.name = "set",
     .brief = "Change tenant, state or note of accounts",
     .usage = "account set NAME… [--switch SWITCH] [--tenant TENANT] [--state STATE] [--note TEXT]",
     .help = ACCOUNT_NAMES,
     .run = set},
    {.name = "suspend",
     .brief = "Refuse every call but emergencies",
     .usage = "account suspend NAME… [--switch SWITCH]",
     .help = ACCOUNT_NAMES,
     .run = suspend},
    {.name = "resume",
     .brief = "End a suspension or a lockout",
     .usage = "account resume NAME… [--switch SWITCH]",
     .help = ACCOUNT_NAMES,
     .run = resume},
    {.name = "remove",
     .brief = "Remove accounts",
     .usage = "account remove NAME… [--switch SWITCH]",
     .help = ACCOUNT_NAMES,
     .run = remove_},
    {.name = "import",
     .brief = "Add many accounts from a file, all or none",
     .usage = "account import FILE [--keep] [--csv | --json-lines] [--switch SWITCH] [--tenant "
              "TENANT] [--quiet]",
     .help = "FILE holds JSON lines ({\"name\":\"1001\",\"note\":\"lobby\"}) or CSV whose first "
             "line names the columns\n"
             "name, switch, tenant, state, note, restrict, except. \"-\" is standard input.\n"
             "  --keep   leave accounts that are there already as they are; else they are a fault\n"
             "  --quiet  do not show on the terminal how far it is\n",
     .run = cmd_account_import},
    {.name = "discover",
     .brief = "Find an Asterisk's endpoints by AMI and add those that are missing",
     .usage = "account discover --ami HOST[:PORT] --user NAME --secret-file FILE [--switch SWITCH] "
              "[--tenant TENANT] [--yes]",
     .help = "Lists PJSIP endpoints and SIP peers, shows which have no account yet, and adds them: "
             "with\n"
             "--yes at once, else it asks. The secret is the first line of FILE and never goes "
             "over the\n"
             "wire: the login is a challenge and its MD5.\n",
     .run = cmd_account_discover},
    {0},
};

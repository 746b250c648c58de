/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "cli/account_ref.h"
#include "cli/commands.h"
#include "cli/resource.h"
#include "cli/sweep_report.h"
#include "cli/when.h"

/* `sweep`: who never calls abroad is protected, told, and can undo it. */

static int number_of(const char *text, const char *what, int64_t *out, struct fault *f)
{
    int64_t n = 0;

    for (const char *c = text; *c; c++) {
        if (*c < '0' || *c > '9' || n > INT64_MAX / 10 - 9)
            return fault(f, ERR_SYNTAX, "%s \"%s\" is not a number", what, ESCAPED(span_of(text)));
        n = 10 * n + (*c - '0');
    }
    if (!*text)
        return fault(f, ERR_SYNTAX, "%s is a number", what);
    *out = n;
    return 0;
}

/* ---- preview -------------------------------------------------------------------------------- */

struct preview_options {
    struct words rest;
    const char *since, *tenant, *young, *gap, *csv;
    bool include_lifted;
};

static int add_number(json_t *body, const char *key, const char *text, struct fault *f)
{
    int64_t n = 0;
    int err = text ? number_of(text, key, &n, f) : 0;

    if (text && !err)
        json_object_set_new(body, key, json_integer(n));
    return err;
}

static int preview_body(const struct preview_options *o, json_t *body, struct fault *f)
{
    char since[WHEN_SIZE];
    int err = o->since ? when_parse(o->since, WHEN_PAST, instant_wall_s(clock_now()), since, f) : 0;

    if (!err)
        err = add_number(body, "young_days", o->young, f);
    if (!err)
        err = add_number(body, "gap_days", o->gap, f);
    body_text(body, "since", o->since ? since : NULL, false);
    body_text(body, "tenant", o->tenant, false);
    json_object_set_new(body, "include_lifted", json_boolean(o->include_lifted));
    return err;
}

/* Every account, into a file. It appears when it is whole. */
static int save_csv(struct cli *cli, const char *path, const json_t *body, struct fault *f)
{
    bool out = strcmp(path, "-") == 0;
    FILE *file = out ? stdout : fopen(path, "w");

    if (!file)
        return fault(f, ERR_IO, "%s: cannot be written: %m", ESCAPED(span_of(path)));
    int err = remote_save(cli, "/v1/sweeps/preview?format=csv", body, file, f);
    if ((out ? fflush(file) : fclose(file)) != 0 && !err)
        err = fault(f, ERR_IO, "%s: cannot be written: %m", ESCAPED(span_of(path)));
    return err;
}

static int show_preview(struct cli *cli, const struct preview_options *o, const json_t *body)
{
    struct reply r = {0};
    struct fault f;
    int code = EXIT_DONE;

    /* The list first: the last preview is the one that can be applied. */
    if ((o->csv && save_csv(cli, o->csv, body, &f)) ||
        remote_call(cli, "POST", "/v1/sweeps/preview", body, &r, &f))
        code = cli_fail(&f);
    else if (o->csv && strcmp(o->csv, "-") == 0)
        sweep_report_note(cli, r.json);
    else if (cli->json)
        show_json(r.json);
    else
        sweep_report(cli, r.json);
    reply_free(&r);
    return code;
}

static int preview(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct preview_options o = {.csv = NULL};
    const struct option options[] = {
        {.name = "since", .text = &o.since, .value = "DATE"},
        {.name = "tenant", .text = &o.tenant, .value = "TENANT"},
        {.name = "include-lifted", .flag = &o.include_lifted},
        {.name = "young", .text = &o.young, .value = "DAYS"},
        {.name = "gap", .text = &o.gap, .value = "DAYS"},
        {.name = "csv", .text = &o.csv, .value = "FILE"},
        {0},
    };
    json_t *body = json_object();
    struct fault f;
    int code;

    if (options_parse(cli, argc, argv, options, 0, &o.rest, &f) || preview_body(&o, body, &f))
        code = cli_usage(self, "%s", f.text);
    else if (o.rest.n)
        code = cli_usage(self, "\"%s\" is too much here", ESCAPED(span_of(o.rest.at[0])));
    else
        code = show_preview(cli, &o, body);
    json_decref(body);
    words_free(&o.rest);
    return code;
}

/* ---- apply, announce ------------------------------------------------------------------------ */

struct chosen_options {
    struct words rest;
    const char *restrict_, *on;
    bool early;
};

/* The preview that is meant: by its change number, and by how many accounts it said. */
static int chosen_body(const struct command *self, const struct chosen_options *o, json_t *body)
{
    int64_t change = 0, restricted = 0;
    struct fault f;

    if (o->rest.n != 1)
        return cli_usage(self, o->rest.n ? "one preview at a time"
                                         : "the CHANGE is missing: \"sweep preview\" tells it");
    if (!o->restrict_)
        return cli_usage(self,
                         "--restrict is missing: how many accounts the preview would restrict, "
                         "as it said");
    if (number_of(o->rest.at[0], "the change", &change, &f) ||
        number_of(o->restrict_, "--restrict", &restricted, &f))
        return cli_usage(self, "%s", f.text);
    json_object_set_new(body, "change", json_integer(change));
    json_object_set_new(body, "restrict", json_integer(restricted));
    return EXIT_DONE;
}

static long long number_in(const struct reply *r, const char *key)
{
    return (long long)json_integer_value(json_object_get(r->json, key));
}

static void say_applied(const struct cli *cli, const struct reply *r)
{
    said(cli,
         TR(cli, "sweep %lld: %lld accounts restricted",
            "一斉規制 %lld: %lld 件のアカウントを規制しました"),
         number_in(r, "id"), number_in(r, "restricted"));
    if (number_in(r, "called"))
        said(cli,
             TR(cli, "%lld more have called abroad since the preview and were left out",
                "プレビュー後に国際発信があった %lld 件は除外しました"),
             number_in(r, "called"));
    said(cli,
         TR(cli, "to undo it: sekisho sweep undo %lld", "取り消すには: sekisho sweep undo %lld"),
         number_in(r, "id"));
}

static void say_announced(const struct cli *cli, const struct reply *r)
{
    said(cli,
         TR(cli, "announcement %lld: %lld accounts, %lld mails wait to be sent",
            "予告 %lld: アカウント %lld 件、送信待ちのメール %lld 通"),
         number_in(r, "id"), number_in(r, "accounts"), number_in(r, "notices"));
    said(cli, TR(cli, "nothing is restricted yet: make another preview on the day, and apply it",
                 "まだ規制していません。当日にもう一度プレビューして適用してください"));
}

static int post(struct cli *cli, const char *path, const json_t *body,
                void (*say)(const struct cli *cli, const struct reply *r))
{
    struct reply r = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (remote_call(cli, "POST", path, body, &r, &f))
        code = cli_fail(&f);
    else if (cli->json)
        show_json(r.json);
    else
        say(cli, &r);
    reply_free(&r);
    return code;
}

static int apply(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct chosen_options o = {0};
    const struct option options[] = {
        {.name = "restrict", .text = &o.restrict_, .value = "N"},
        {.name = "early", .flag = &o.early},
        {0},
    };
    json_t *body = json_object();
    struct fault f;
    int code = options_parse(cli, argc, argv, options, 1, &o.rest, &f)
                   ? cli_usage(self, "%s", f.text)
                   : chosen_body(self, &o, body);

    json_object_set_new(body, "early", json_boolean(o.early));
    if (!code)
        code = post(cli, "/v1/sweeps", body, say_applied);
    json_decref(body);
    words_free(&o.rest);
    return code;
}

static int announce(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct chosen_options o = {0};
    const struct option options[] = {
        {.name = "restrict", .text = &o.restrict_, .value = "N"},
        {.name = "on", .text = &o.on, .value = "DATE"},
        {0},
    };
    json_t *body = json_object();
    struct fault f;
    int code = options_parse(cli, argc, argv, options, 1, &o.rest, &f)
                   ? cli_usage(self, "%s", f.text)
                   : chosen_body(self, &o, body);

    if (!code && !o.on)
        code =
            cli_usage(self, "--on is missing: the day on which it is to happen, like 2026-12-01");
    body_text(body, "on", o.on, false);
    if (!code)
        code = post(cli, "/v1/announcements", body, say_announced);
    json_decref(body);
    words_free(&o.rest);
    return code;
}

/* ---- undo, list, show ----------------------------------------------------------------------- */

/* The path of the only word, a sweep's number. */
static int sweep_path(const struct command *self, const struct words *rest, const char *below,
                      struct buf *path)
{
    int64_t id = 0;
    struct fault f;

    if (rest->n != 1)
        return cli_usage(self, rest->n
                                   ? "one sweep at a time"
                                   : "the number of the SWEEP is missing: \"sweep list\" has it");
    if (number_of(rest->at[0], "the sweep", &id, &f))
        return cli_usage(self, "%s", f.text);
    buf_puts(path, "/v1/sweeps");
    path_part(path, rest->at[0]);
    buf_puts(path, below);
    return path->failed ? (fault_nomem(&f), cli_fail(&f)) : EXIT_DONE;
}

static const struct column accounts[] = {
    {"id", "ID", "ID"},
    {"fate", "FATE", "結果"},
    {"name", "NAME", "名前"},
    {"switch", "SWITCH", "スイッチ"},
    {"tenant", "TENANT", "テナント"},
    {0},
};

/* Who was not given back what he had, since somebody has changed it. */
static int show_left(struct cli *cli, const char *number)
{
    struct buf path = {0};
    struct fault f;
    int code;

    buf_puts(&path, "/v1/sweeps");
    path_part(&path, number);
    buf_puts(&path, "/accounts?fate=changed");
    code = path.failed ? (fault_nomem(&f), cli_fail(&f))
                       : show_list_or(cli, path.p, 100, accounts,
                                      TR(cli, "nobody had changed any of them",
                                         "その後に変更されたアカウントはありません"));
    buf_free(&path);
    return code;
}

static int undo(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct words rest = {0};
    bool yes = false;
    const struct option options[] = {{.name = "yes", .flag = &yes}, {0}};
    struct buf path = {0};
    struct reply r = {0};
    struct fault f;
    int code = options_parse(cli, argc, argv, options, 1, &rest, &f)
                   ? cli_usage(self, "%s", f.text)
                   : sweep_path(self, &rest, "", &path);

    if (!code && !loosening(cli, yes,
                            TR(cli, "accounts of this sweep can call abroad again",
                               "この一斉規制の対象アカウントは再び国際発信できるようになります")))
        code = EXIT_FAILED;
    if (!code && remote_call(cli, "DELETE", path.p, NULL, &r, &f))
        code = cli_fail(&f);
    else if (!code && cli->json)
        show_json(r.json);
    else if (!code) {
        said(cli,
             TR(cli,
                "%lld accounts have the rules again that they had; these were changed since, and "
                "stay:",
                "%lld "
                "件のアカウントを元の規則に戻しました。その後に変更された次のものはそのままです:"),
             number_in(&r, "restored"));
        code = show_left(cli, rest.at[0]);
    }
    reply_free(&r);
    buf_free(&path);
    words_free(&rest);
    return code;
}

static const struct column sweeps[] = {
    {"id", "SWEEP", "番号"},          {"at", "TIME", "時刻"},
    {"by", "BY", "実行者"},           {"tenant", "TENANT", "テナント"},
    {"since", "SINCE", "起点"},       {"restricted", "RESTRICTED", "規制"},
    {"standing", "STANDING", "現存"}, {"undone", "UNDONE BY", "取消"},
    {"restored", "RESTORED", "復元"}, {0},
};

static const struct column announcements[] = {
    {"id", "NUMBER", "番号"},         {"at", "TIME", "時刻"},
    {"by", "BY", "実行者"},           {"on", "ON", "実施日"},
    {"tenant", "TENANT", "テナント"}, {"since", "SINCE", "起点"},
    {"accounts", "ACCOUNTS", "件数"}, {0},
};

static const struct column objections[] = {
    {"label", "FOR", "対象"},
    {"at", "SINCE", "申出日時"},
    {"by", "BY", "申出者"},
    {"note", "NOTE", "備考"},
    {0},
};

static const struct filter no_filters[] = {{0}};

static int list(struct cli *cli, const struct command *self, int argc, char **argv)
{
    static const struct filtered all = {"/v1/sweeps",
                                        no_filters,
                                        sweeps,
                                        "\"sweep show\" tells more of one",
                                        "no sweep was applied yet",
                                        "一斉規制はまだ実施されていません"};

    return resource_filtered(cli, self, &all, argc, argv);
}

static int list_announcements(struct cli *cli, const struct command *self, int argc, char **argv)
{
    static const struct filtered all = {"/v1/announcements",
                                        no_filters,
                                        announcements,
                                        "it lists all",
                                        "no sweep was announced yet",
                                        "一斉規制の予告はまだありません"};

    return resource_filtered(cli, self, &all, argc, argv);
}

static int list_objections(struct cli *cli, const struct command *self, int argc, char **argv)
{
    static const struct filtered all = {
        "/v1/objections",      no_filters,          objections, "it lists all",
        "nobody has objected", "申し出はありません"};

    return resource_filtered(cli, self, &all, argc, argv);
}

static int show(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct words rest = {0};
    const char *limit = NULL;
    bool accounts_too = false;
    const struct option options[] = {
        {.name = "accounts", .flag = &accounts_too},
        {.name = "limit", .text = &limit, .value = "N"},
        {0},
    };
    struct buf path = {0};
    struct fault f;
    int64_t most = 100;
    int code = options_parse(cli, argc, argv, options, 1, &rest, &f) ||
                       (limit && number_of(limit, "--limit", &most, &f))
                   ? cli_usage(self, "%s", f.text)
                   : sweep_path(self, &rest, accounts_too ? "/accounts" : "", &path);

    if (!code)
        code = accounts_too ? show_list(cli, path.p, (size_t)most, accounts)
                            : show_get(cli, path.p, sweeps);
    buf_free(&path);
    words_free(&rest);
    return code;
}

/* ---- objections ----------------------------------------------------------------------------- */

struct object_options {
    struct words rest;
    const char *account, *switch_, *tenant, *note;
    bool undo;
};

static int scope_of(struct cli *cli, const struct object_options *o, struct buf *path,
                    struct fault *f)
{
    char id[ACCOUNT_ID_SIZE];
    struct buf scope = {0};
    json_t *account = NULL;
    int err = o->account ? account_find(cli, o->account, o->switch_, &account, f) : 0;

    if (!err && account) {
        account_id(account, id);
        buf_printf(&scope, "account:%s", id);
    } else if (!err) {
        buf_printf(&scope, "tenant:%s", o->tenant);
    }
    buf_puts(path, "/v1/objections");
    if (!err && !scope.failed)
        path_part(path, scope.p);
    if (!err && (scope.failed || path->failed))
        err = fault_nomem(f);
    json_decref(account);
    buf_free(&scope);
    return err;
}

static int objected(struct cli *cli, const struct object_options *o, const char *path)
{
    json_t *body = json_object();
    struct reply r = {0};
    struct fault f;
    int code = EXIT_DONE;

    body_text(body, "note", o->note, false);
    if (o->undo ? remote_call(cli, "DELETE", path, NULL, NULL, &f)
                : remote_call(cli, "PUT", path, body, &r, &f))
        code = cli_fail(&f);
    else if (o->undo)
        said(cli, TR(cli, "sweeps may restrict it again", "再び一斉規制の対象になります"));
    else
        show_object(cli, r.json, objections);
    reply_free(&r);
    json_decref(body);
    return code;
}

static int object(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct object_options o = {.undo = false};
    const struct option options[] = {
        {.name = "account", .text = &o.account, .value = "ACCOUNT"},
        {.name = "switch", .text = &o.switch_, .value = "SWITCH"},
        {.name = "tenant", .text = &o.tenant, .value = "TENANT"},
        {.name = "note", .text = &o.note, .value = "TEXT"},
        {.name = "undo", .flag = &o.undo},
        {0},
    };
    struct buf path = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, options, 0, &o.rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (o.rest.n || !o.account == !o.tenant || (o.switch_ && !o.account))
        code = cli_usage(self,
                         "for whom? say --tenant TENANT, or --account ACCOUNT [--switch SWITCH]");
    else if (scope_of(cli, &o, &path, &f))
        code = cli_fail(&f);
    if (!code)
        code = objected(cli, &o, path.p);
    buf_free(&path);
    words_free(&o.rest);
    return code;
}

const struct command sweep_commands[] = {
    {.name = "preview",
     .brief = "Whom a sweep would restrict, whom not, and why",
     .usage = "sweep preview [--since DATE] [--tenant TENANT] [--include-lifted] [--young DAYS] "
              "[--gap DAYS] [--csv FILE]",
     .help =
         "Changes nothing.\n"
         "  --since DATE         calls abroad before it do not count; without it, 13 months ago\n"
         "  --tenant TENANT      only its accounts, and those of tenants below it\n"
         "  --include-lifted     accounts whose restriction was lifted too\n"
         "  --young DAYS         accounts known for less are left alone: 30 without it\n"
         "  --gap DAYS           so long a switch may be without call records: 14 without it\n"
         "  --csv FILE           every account, with the reason; - is standard output\n",
     .run = preview},
    {.name = "announce",
     .brief = "Tell the tenants what the preview would restrict, and when",
     .usage = "sweep announce CHANGE --restrict N --on DATE",
     .help = "CHANGE and N as the preview told them. Nothing is restricted by this.\n",
     .run = announce},
    {.name = "apply",
     .brief = "Restrict what the preview would restrict",
     .usage = "sweep apply CHANGE --restrict N [--early]",
     .help = "CHANGE and N as the preview told them.\n"
             "  --early              although a later day was announced\n",
     .run = apply},
    {.name = "undo",
     .brief = "Give the accounts of a sweep the rules that they had",
     .usage = "sweep undo SWEEP [--yes]",
     .help = "Those that somebody has changed since stay as they are, and are listed.\n",
     .run = undo},
    {.name = "list", .brief = "The sweeps, the newest first", .usage = "sweep list", .run = list},
    {.name = "show",
     .brief = "A sweep, or what became of its accounts",
     .usage = "sweep show SWEEP [--accounts [--limit N]]",
     .help = "  --limit N            100 without it; 0 is all\n",
     .run = show},
    {.name = "object",
     .brief = "Keep sweeps away from a tenant or an account",
     .usage = "sweep object --tenant TENANT|--account ACCOUNT [--switch SWITCH] [--note TEXT]\n"
              "sweep object --undo --tenant TENANT|--account ACCOUNT [--switch SWITCH]",
     .run = object},
    {.name = "objections",
     .brief = "Whom sweeps leave alone",
     .usage = "sweep objections",
     .run = list_objections},
    {.name = "announcements",
     .brief = "What was announced, the newest first",
     .usage = "sweep announcements",
     .run = list_announcements},
    {0},
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/resource.h"

static const struct column fields[] = {
    {"refusal_days", "days a refusal is kept", "拒否記録の保存日数"},
    {"refusals_max", "refusals kept", "拒否記録の上限"},
    {"refusals_per_account", "refusals kept of one account", "1アカウントの拒否記録の上限"},
    {"adopted_max", "accounts adopted at most", "自動登録の上限"},
    {"attempt_days", "days sums of attempts are kept", "攻撃集計の保存日数"},
    {"attempts_max", "rows of attempts kept", "攻撃集計の上限"},
    {"decision_days", "days a decision is kept", "判定記録の保存日数"},
    {"decisions_max", "decisions kept", "判定記録の上限"},
    {"decisions_per_subject", "decisions kept of one network or account", "1対象の判定記録の上限"},
    {"change", "change number", "変更番号"},
    {0},
};

/* Those that can be set, as options. */
static const struct {
    const char *key, *option;
} settings[] = {
    {"refusal_days", "refusal-days"},
    {"refusals_max", "refusals-max"},
    {"refusals_per_account", "refusals-per-account"},
    {"adopted_max", "adopted-max"},
    {"attempt_days", "attempt-days"},
    {"attempts_max", "attempts-max"},
    {"decision_days", "decision-days"},
    {"decisions_max", "decisions-max"},
    {"decisions_per_subject", "decisions-per-subject"},
};
#define SETTINGS (sizeof(settings) / sizeof(*settings))

static int show(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct words rest = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, NULL, 0, &rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (rest.n)
        code = cli_usage(self, "\"%s\" is too much here", ESCAPED(span_of(rest.at[0])));
    words_free(&rest);
    return code ? code : show_get(cli, "/v1/settings", fields);
}

/* Only the form is looked at here: what is allowed, the daemon says. */
static int add_number(json_t *body, const char *key, const char *option, const char *text,
                      struct fault *f)
{
    char *end;

    if (!text)
        return 0;
    long long n = strtoll(text, &end, 10);
    if (!*text || *end)
        return fault(f, ERR_SYNTAX, "--%s \"%s\" is not a number", option, ESCAPED(span_of(text)));
    json_object_set_new(body, key, json_integer(n));
    return 0;
}

static int add_numbers(json_t *body, const char *const *given, struct fault *f)
{
    int err = 0;

    for (size_t i = 0; !err && i < SETTINGS; i++)
        err = add_number(body, settings[i].key, settings[i].option, given[i], f);
    return err;
}

static int set(struct cli *cli, const struct command *self, int argc, char **argv)
{
    const char *given[SETTINGS] = {0};
    struct option options[SETTINGS + 1] = {0};
    struct words rest = {0};
    json_t *body = json_object();
    struct reply r = {0};
    struct fault f;
    int code = EXIT_DONE;

    for (size_t i = 0; i < SETTINGS; i++)
        options[i] = (struct option){.name = settings[i].option, .text = &given[i], .value = "N"};
    if (options_parse(cli, argc, argv, options, 0, &rest, &f) || add_numbers(body, given, &f))
        code = cli_usage(self, "%s", f.text);
    else if (rest.n || !json_object_size(body))
        code = cli_usage(self, rest.n ? "settings are options" : "nothing to set");
    else if (remote_call(cli, "PATCH", "/v1/settings", body, &r, &f))
        code = cli_fail(&f);
    else
        show_object(cli, r.json, fields);
    reply_free(&r);
    json_decref(body);
    words_free(&rest);
    return code;
}

const struct command settings_commands[] = {
    {.name = "show", .brief = "The settings", .usage = "settings show", .run = show},
    {.name = "set",
     .brief = "Change settings",
     .usage = "settings set OPTION…",
     .help = "  --refusal-days N          how long a refusal is kept\n"
             "  --refusals-max N          how many are kept\n"
             "  --refusals-per-account N  how many of one account\n"
             "  --adopted-max N           how many unknown accounts are adopted at most\n"
             "  --attempt-days N          how long sums of attempts are kept\n"
             "  --attempts-max N          how many rows of them tell source and account\n"
             "  --decision-days N         how long a decision of the guard is kept\n"
             "  --decisions-max N         how many are kept\n"
             "  --decisions-per-subject N how many of one network, of one account\n",
     .run = set},
    {0},
};

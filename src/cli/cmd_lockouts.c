/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/commands.h"
#include "cli/consent.h"
#include "cli/named_on.h"
#include "cli/resource.h"

static const struct column lock_columns[] = {
    {"switch", "SWITCH", "スイッチ"},
    {"account", "ACCOUNT", "アカウント"},
    {"tenant", "TENANT", "テナント"},
    {"kind", "KIND", "種類"},
    {"observed", "OBSERVED", "観察のみ"},
    {"since", "SINCE", "開始"},
    {"until", "UNTIL", "期限"},
    {"count", "ATTEMPTS", "試行"},
    {0},
};

static const struct column good_columns[] = {
    {"switch", "SWITCH", "スイッチ"},
    {"account", "ACCOUNT", "アカウント"},
    {"tenant", "TENANT", "テナント"},
    {"network", "NETWORK", "ネットワーク"},
    {"since", "SINCE", "開始"},
    {"last", "LAST SUCCESS", "最後の成功"},
    {0},
};

int cmd_lockouts(struct cli *cli, const struct command *self, int argc, char **argv)
{
    static const struct filter filters[] = {
        {"kind", "KIND"}, {"switch", "SWITCH"}, {"tenant", "TENANT"}, {0}};
    static const struct filtered lockouts = {
        .path = "/v1/lockouts",
        .filters = filters,
        .columns = lock_columns,
        .hint = "one account is what \"why\" explains",
        .none = "no lockouts",
        .none_ja = "ロックはありません",
    };

    return resource_filtered(cli, self, &lockouts, argc, argv);
}

static int unlock(struct cli *cli, const char *switch_, const char *name, bool yes)
{
    struct buf path = {0};
    struct fault f;
    int code;

    if (named_on(cli, "/v1/lockouts", switch_, name, &path, &f))
        code = cli_fail(&f);
    else
        code = consent_call(cli, "DELETE", path.p, NULL, yes, NULL);
    if (!code)
        said(cli, TR(cli, "%s is unlocked", "%s のロックを解除しました"), ESCAPED(span_of(name)));
    buf_free(&path);
    return code;
}

int cmd_unlock(struct cli *cli, const struct command *self, int argc, char **argv)
{
    const char *switch_ = NULL;
    bool yes = false;
    const struct option options[] = {
        {.name = "switch", .text = &switch_, .value = "SWITCH"},
        {.name = "yes", .flag = &yes},
        {0},
    };
    struct words rest = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, options, 1, &rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (rest.n == 0)
        code = cli_usage(self, "an ACCOUNT is missing");
    for (size_t i = 0; i < rest.n && !code; i++)
        code = unlock(cli, switch_, rest.at[i], yes);
    words_free(&rest);
    return code;
}

/* ---- known good ---- */

static int list_good(struct cli *cli, const struct command *self, int argc, char **argv)
{
    static const struct filter filters[] = {{"account", "ACCOUNT"},
                                            {"switch", "SWITCH"},
                                            {"tenant", "TENANT"},
                                            {"network", "NETWORK"},
                                            {0}};
    static const struct filtered good = {
        .path = "/v1/known-good",
        .filters = filters,
        .columns = good_columns,
        .hint = "of one account: --account",
        .none = "no sources are known good",
        .none_ja = "既知の接続元はありません",
    };

    return resource_filtered(cli, self, &good, argc, argv);
}

static int forget(struct cli *cli, const char *switch_, const char *account, const char *network)
{
    struct buf path = {0};
    struct fault f;
    int code = EXIT_DONE, err = named_on(cli, "/v1/known-good", switch_, account, &path, &f);

    if (!err && network)
        path_part(&path, network);
    if (!err)
        err = path.failed ? fault_nomem(&f) : remote_call(cli, "DELETE", path.p, NULL, NULL, &f);
    if (err)
        code = cli_fail(&f);
    else if (network)
        said(cli, TR(cli, "%s is forgotten for %s", "%s を既知の接続元から外しました: %s"),
             ESCAPED(span_of(network)), ESCAPED(span_of(account)));
    else
        said(cli,
             TR(cli, "all that was known good for %s is forgotten",
                "%s の既知の接続元をすべて外しました"),
             ESCAPED(span_of(account)));
    buf_free(&path);
    return code;
}

static int forget_good(struct cli *cli, const struct command *self, int argc, char **argv)
{
    const char *switch_ = NULL;
    bool all = false;
    const struct option options[] = {
        {.name = "switch", .text = &switch_, .value = "SWITCH"},
        {.name = "all", .flag = &all},
        {0},
    };
    struct words rest = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, options, 1, &rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (rest.n == 0)
        code = cli_usage(self, "an ACCOUNT is missing");
    else if (all ? rest.n > 1 : rest.n < 2)
        code = cli_usage(self, "forget which? NETWORK…, or --all");
    for (size_t i = 1; i < rest.n && !code; i++)
        code = forget(cli, switch_, rest.at[0], rest.at[i]);
    if (!code && all)
        code = forget(cli, switch_, rest.at[0], NULL);
    words_free(&rest);
    return code;
}

const struct command known_good_commands[] = {
    {.name = "list",
     .brief = "From where accounts are known to work",
     .usage = "known-good list [--account ACCOUNT] [--switch SWITCH] [--tenant TENANT] "
              "[--network NETWORK]",
     .run = list_good},
    {.name = "forget",
     .brief = "Take sources off, so that a lock reaches them too",
     .usage = "known-good forget ACCOUNT NETWORK… [--switch SWITCH]\n"
              "known-good forget ACCOUNT --all [--switch SWITCH]",
     .run = forget_good},
    {0},
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/address.h"
#include "cli/commands.h"
#include "cli/consent.h"
#include "cli/guard_words.h"
#include "cli/resource.h"
#include "cli/when.h"
#include "enforce/direct.h"

static const struct column fields[] = {
    {"network", "network", "ネットワーク"},
    {"kind", "kind", "種類"},
    {"attack", "why", "理由"},
    {"by", "by", "実行者"},
    {"since", "since", "開始"},
    {"until", "until", "期限"},
    {"note", "note", "備考"},
    {0},
};

int cmd_bans(struct cli *cli, const struct command *self, int argc, char **argv)
{
    static const struct filter filters[] = {
        {"network", "NETWORK"}, {"attack", "KIND"}, {"switch", "SWITCH"}, {0}};
    static const struct filtered bans = {
        .path = "/v1/bans",
        .filters = filters,
        .columns = guard_ban_columns,
        .hint = "one ban is what \"why\" explains",
        .none = "no bans",
        .none_ja = "遮断はありません",
    };

    return resource_filtered(cli, self, &bans, argc, argv);
}

/* ---- ban ---- */

static int ban(struct cli *cli, const char *network, int64_t seconds, const char *note, bool yes)
{
    json_t *body = json_object();
    struct reply r = {0};
    int code;

    body_text(body, "network", network, false);
    body_text(body, "note", note, false);
    if (seconds)
        json_object_set_new(body, "seconds", json_integer(seconds));
    code = consent_call(cli, "POST", "/v1/bans", body, yes, &r);
    if (!code)
        show_object(cli, r.json, fields);
    reply_free(&r);
    json_decref(body);
    return code;
}

int cmd_ban(struct cli *cli, const struct command *self, int argc, char **argv)
{
    const char *length = NULL, *note = NULL;
    bool yes = false;
    const struct option options[] = {
        {.name = "for", .text = &length, .value = "SPAN"},
        {.name = "note", .text = &note, .value = "TEXT"},
        {.name = "yes", .flag = &yes},
        {0},
    };
    struct words rest = {0};
    int64_t seconds = 0;
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, options, 1, &rest, &f) ||
        (length && when_span(length, &seconds, &f)))
        code = cli_usage(self, "%s", f.text);
    else if (length && seconds == 0)
        code = cli_usage(self, "a ban lasts a second at least; without --for, until unban");
    else if (rest.n == 0)
        code = cli_usage(self, "an ADDRESS or NETWORK is missing");
    for (size_t i = 0; i < rest.n && !code; i++)
        code = ban(cli, rest.at[i], seconds, note, yes);
    words_free(&rest);
    return code;
}

/* ---- unban ---- */

/* Into the kernel, whether or not there is a daemon. */
static int unban_direct(struct cli *cli, const char *text)
{
    struct network network;
    struct buf lifted = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (network_parse(span_of(text), &network, &f) || direct_unban(&network, &lifted, &f)) {
        code = cli_fail(&f);
    } else if (lifted.n) {
        fputs(lifted.p, stdout);
    } else {
        fault(&f, ERR_MISSING, "nothing in the kernel keeps %s out", ESCAPED(span_of(text)));
        code = cli_fail(&f);
    }
    buf_free(&lifted);
    return code;
}

static int unban(struct cli *cli, const char *network)
{
    struct buf path = {0};
    struct reply r = {0};
    const char *wider;
    struct fault f;
    int code = EXIT_DONE;

    buf_puts(&path, "/v1/bans");
    path_part(&path, network);
    if (path.failed ? fault_nomem(&f) : remote_call(cli, "DELETE", path.p, NULL, &r, &f)) {
        code = cli_fail(&f);
        if (code == EXIT_UNREACHABLE)
            cli_note(TR(cli, "as root, \"unban --direct\" needs no daemon",
                        "root であれば \"unban --direct\" はデーモンなしで動作します"));
    } else {
        said(cli, TR(cli, "%s is no longer banned", "%s の遮断を解除しました"),
             ESCAPED(span_of(network)));
        wider = json_string_value(json_object_get(r.json, "network"));
        if (wider)
            cli_note(TR(cli, "the ban of %s, in which it lies, stands",
                        "これを含む %s の遮断は続いています"),
                     ESCAPED(span_of(wider)));
    }
    reply_free(&r);
    buf_free(&path);
    return code;
}

int cmd_unban(struct cli *cli, const struct command *self, int argc, char **argv)
{
    bool direct = false;
    const struct option options[] = {
        {.name = "direct", .flag = &direct},
        {0},
    };
    struct words rest = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, options, 1, &rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (rest.n == 0)
        code = cli_usage(self, "an ADDRESS or NETWORK is missing");
    for (size_t i = 0; i < rest.n && !code; i++)
        code = direct ? unban_direct(cli, rest.at[i]) : unban(cli, rest.at[i]);
    words_free(&rest);
    return code;
}

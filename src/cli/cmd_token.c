/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/resource.h"
#include "cli/when.h"

static const struct column columns[] = {
    {"id", "ID", "ID"},
    {"scope", "SCOPE", "範囲"},
    {"created", "CREATED", "作成"},
    {"expires", "EXPIRES", "期限"},
    {"label", "LABEL", "名前"},
    {0},
};

static const struct column fields[] = {
    {"id", "id", "ID"},
    {"scope", "scope", "範囲"},
    {"label", "label", "名前"},
    {"created", "created", "作成"},
    {"expires", "expires", "期限"},
    {"token", "token", "トークン"},
    {0},
};

static const struct resource kind = {"/v1/tokens", "token", "トークン", columns, fields};

static int add(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct words rest = {0};
    const char *label = NULL, *expires = NULL;
    const struct option options[] = {
        {.name = "label", .text = &label, .value = "TEXT"},
        {.name = "expires", .text = &expires, .value = "TIME"},
        {0},
    };
    char until[WHEN_SIZE];
    struct fault f;
    int code;

    if (options_parse(cli, argc, argv, options, 1, &rest, &f) ||
        (expires && when_parse(expires, WHEN_FUTURE, instant_wall_s(clock_now()), until, &f))) {
        code = cli_usage(self, "%s", f.text);
    } else if (rest.n != 1) {
        code =
            cli_usage(self, rest.n ? "one token at a time"
                                   : "the SCOPE is missing: operator, tenant:NAME or switch:NAME");
    } else {
        json_t *b = json_object();

        body_text(b, "scope", rest.at[0], false);
        body_text(b, "label", label, false);
        body_text(b, "expires", expires ? until : NULL, false);
        code = resource_add(cli, &kind, b);
        if (!code)
            cli_note(TR(
                cli, "the token is shown this once; keep it in a file that only its user can read",
                "トークンの表示は今回限りです。利用者だけが読めるファイルに保存してください"));
    }
    words_free(&rest);
    return code;
}

static int list(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return resource_list(cli, self, &kind, argc, argv);
}

static int revoke(struct cli *cli, const struct command *self, int argc, char **argv)
{
    return resource_remove(cli, self, &kind, argc, argv);
}

const struct command token_commands[] = {
    {.name = "list",
     .brief = "The tokens, without their secrets",
     .usage = "token list",
     .run = list},
    {.name = "add",
     .brief = "Make a token; it is shown once",
     .usage = "token add operator|tenant:NAME|switch:NAME [--label TEXT] [--expires TIME]",
     .run = add},
    {.name = "revoke", .brief = "Revoke tokens", .usage = "token revoke ID…", .run = revoke},
    {0},
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/remote.h"

static const struct command *find(const struct command *table, const char *name)
{
    for (; table->name; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    return NULL;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

/* Goes down the table as far as the words name commands, and runs what it comes to. */
static int dispatch(struct cli *cli, const struct command *c, int argc, char **argv)
{
    while (c->sub) {
        const struct command *below = argc ? find(c->sub, argv[0]) : NULL;

        if (below) {
            argc--;
            argv++;
        } else if (wants_help(argc, argv)) {
            break;
        } else if (c->otherwise) {
            below = find(c->sub, c->otherwise);
        } else {
            return argc ? cli_usage(c, "\"sekisho %s\" knows no \"%s\"", c->name,
                                    ESCAPED(span_of(argv[0])))
                        : cli_usage(c, "\"sekisho %s\" needs to be told what", c->name);
        }
        c = below;
    }
    if (wants_help(argc, argv)) {
        command_help(c);
        return EXIT_DONE;
    }
    return c->run(cli, c, argc, argv);
}

static int run(struct cli *cli, int argc, char **argv)
{
    static const struct command self = {.name = "sekisho", .usage = "[OPTION…] COMMAND …"};
    struct fault f;
    int used = 0;

    if (options_global(cli, argc, argv, &used, &f))
        /* The options that every such command has. */
        return strcmp(argv[used < argc ? used : argc - 1], "--help") == 0
                   ? find(commands, "help")->run(cli, &self, 0, NULL)
               : strcmp(argv[used < argc ? used : argc - 1], "--version") == 0
                   ? find(commands, "version")->run(cli, &self, 0, NULL)
                   : cli_usage(&self, "%s", f.text);
    if (used == argc)
        return cli_usage(&self, "a command is missing");
    const struct command *c = find(commands, argv[used]);
    if (!c && strcmp(argv[used], "-h") == 0)
        c = find(commands, "help");
    if (!c)
        return cli_usage(&self, "there is no command \"%s\"; \"sekisho help\" lists them",
                         ESCAPED(span_of(argv[used])));
    return dispatch(cli, c, argc - used - 1, argv + used + 1);
}

int main(int argc, char **argv)
{
    const char *lang = getenv("SEKISHO_LANG");
    struct cli cli = {.token_file = getenv("SEKISHO_TOKEN_FILE"), .url = getenv("SEKISHO_URL")};

    cli.lang = lang && strcmp(lang, "ja") == 0 ? LANG_JA : LANG_EN;
    signal(SIGPIPE, SIG_DFL);
    int code = run(&cli, argc - 1, argv + 1);
    /* An answer that did not reach its reader is no answer: a full disk shows here. */
    if (fflush(stdout) || ferror(stdout)) {
        cli_note("cannot write the answer: %s", strerror(errno));
        return code ? code : EXIT_FAILED;
    }
    return code;
}

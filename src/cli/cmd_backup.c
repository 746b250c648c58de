/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/resource.h"

/* The daemon makes the directory, and its working directory is not ours. */
static int absolute(struct buf *b, const char *path, struct fault *f)
{
    char here[PATH_MAX];

    if (path[0] != '/') {
        if (!getcwd(here, sizeof(here)))
            return fault(f, ERR_IO, "cannot tell the working directory: %m");
        buf_printf(b, "%s/", here);
        while (strncmp(path, "./", 2) == 0)
            path += 2;
    }
    buf_puts(b, path);
    return b->failed ? fault_nomem(f) : 0;
}

int cmd_backup(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct words rest = {0};
    struct buf path = {0};
    struct reply r = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, NULL, 1, &rest, &f)) {
        code = cli_usage(self, "%s", f.text);
    } else if (rest.n != 1) {
        code = cli_usage(self, rest.n ? "one DIR" : "the DIR is missing");
    } else if (absolute(&path, rest.at[0], &f)) {
        code = cli_fail(&f);
    } else {
        json_t *body = json_pack("{s:s}", "path", path.p);

        if (remote_call(cli, "POST", "/v1/backup", body, &r, &f))
            code = cli_fail(&f);
        else if (cli->json)
            show_json(r.json);
        else
            printf(TR(cli, "written to %s\n", "%s に書き込みました\n"), ESCAPED(buf_span(&path)));
        json_decref(body);
    }
    reply_free(&r);
    buf_free(&path);
    words_free(&rest);
    return code;
}

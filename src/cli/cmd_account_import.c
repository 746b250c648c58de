/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/resource.h"

#define IMPORT_MAX (256u << 20)

static int read_stdin(struct buf *b, struct fault *f)
{
    char chunk[65536];
    size_t n;

    while ((n = fread(chunk, 1, sizeof(chunk), stdin)) > 0) {
        if (b->n + n > IMPORT_MAX)
            return fault(f, ERR_RANGE, "standard input holds more than %u MiB", IMPORT_MAX >> 20);
        buf_add(b, (struct span){chunk, n});
    }
    if (ferror(stdin))
        return fault(f, ERR_IO, "cannot read standard input: %s", strerror(errno));
    return b->failed ? fault_nomem(f) : 0;
}

/* What begins with '{' is JSON. */
static bool looks_like_json(struct span s)
{
    while (s.n && strchr(" \t\r\n", s.p[0]))
        s = span_skip(s, 1);
    return s.n && s.p[0] == '{';
}

static int import(struct cli *cli, struct span content, const char *type, const char *switch_,
                  const char *tenant, bool keep)
{
    struct buf path = {0};
    struct reply r = {0};
    struct fault f;
    int code = EXIT_DONE;

    buf_puts(&path, "/v1/accounts/import");
    path_query(&path, "switch", switch_);
    path_query(&path, "tenant", tenant);
    path_query(&path, "existing", keep ? "keep" : NULL);
    int err =
        path.failed ? fault_nomem(&f) : remote_send(cli, "POST", path.p, type, content, &r, &f);
    if (err)
        code = cli_fail(&f);
    else if (cli->json)
        show_json(r.json);
    else
        printf(TR(cli, "%d accounts added, %d were there already\n",
                  "%d 件のアカウントを追加しました。%d 件は登録済みです\n"),
               (int)json_integer_value(json_object_get(r.json, "added")),
               (int)json_integer_value(json_object_get(r.json, "kept")));
    reply_free(&r);
    buf_free(&path);
    return code;
}

int cmd_account_import(struct cli *cli, const struct command *self, int argc, char **argv)
{
    const char *switch_ = NULL, *tenant = NULL;
    bool csv = false, lines = false, keep = false;
    struct words rest = {0};
    struct buf content = {0};
    const struct option options[] = {
        {.name = "switch", .text = &switch_, .value = "SWITCH"},
        {.name = "tenant", .text = &tenant, .value = "TENANT"},
        {.name = "csv", .flag = &csv},
        {.name = "json-lines", .flag = &lines},
        {.name = "keep", .flag = &keep},
        {0},
    };
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, options, 1, &rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (rest.n != 1)
        code = cli_usage(self, rest.n ? "one FILE at a time" : "the FILE is missing");
    else if (csv && lines)
        code = cli_usage(self, "--csv and --json-lines contradict each other");
    else if (strcmp(rest.at[0], "-") == 0 ? read_stdin(&content, &f)
                                          : file_read(rest.at[0], IMPORT_MAX, &content, &f))
        code = cli_fail(&f);
    else if (!content.n)
        code = (fault(&f, ERR_SYNTAX, "%s is empty", rest.at[0]), cli_fail(&f));
    else
        code =
            import(cli, buf_span(&content),
                   lines || (!csv && looks_like_json(buf_span(&content))) ? "application/x-ndjson"
                                                                          : "text/csv",
                   switch_, tenant, keep);
    buf_free(&content);
    words_free(&rest);
    return code;
}

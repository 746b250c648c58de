/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/consent.h"

#include <unistd.h>

/* What is wanted, a sentence a line, and the words that give it. */
static void tell(const struct cli *cli, const json_t *wanted, struct buf *words)
{
    const json_t *one;
    size_t i;

    json_array_foreach(wanted, i, one)
    {
        const char *word = json_string_value(json_object_get(one, "word"));
        const char *text =
            json_string_value(json_object_get(json_object_get(one, "text"), TR(cli, "en", "ja")));
        struct fault said;

        cli_note("%s", remote_words(span_of(text ? text : word), &said));
        buf_printf(words, "%s%s", i ? "," : "", word ? word : "");
    }
}

static bool agrees(const struct cli *cli, bool yes)
{
    if (yes)
        return true;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        cli_note(TR(cli, "nothing was changed; --yes does it all the same",
                    "変更していません。それでも実行するには --yes を付けてください"));
        return false;
    }
    if (cli_confirm(TR(cli, "Do it all the same?", "それでも実行しますか?")))
        return true;
    cli_note(TR(cli, "nothing was changed", "変更していません"));
    return false;
}

static int again(struct cli *cli, const char *method, const char *path, const json_t *body,
                 const char *words, struct reply *out)
{
    struct buf full = {0};
    struct fault f;
    int err;

    buf_puts(&full, path);
    path_query(&full, "consent", words);
    err = full.failed ? fault_nomem(&f) : remote_call(cli, method, full.p, body, out, &f);
    buf_free(&full);
    return err ? cli_fail(&f) : EXIT_DONE;
}

int consent_call(struct cli *cli, const char *method, const char *path, const json_t *body,
                 bool yes, struct reply *out)
{
    struct buf words = {0};
    struct reply r = {0};
    const json_t *wanted;
    struct fault f;
    int code = EXIT_DONE, err = remote_try(cli, method, path, body, &r, &f);

    wanted = err ? json_object_get(r.json, "consent") : NULL;
    if (json_array_size(wanted)) {
        tell(cli, wanted, &words);
        if (words.failed)
            code = (fault_nomem(&f), cli_fail(&f));
        else
            code = agrees(cli, yes) ? again(cli, method, path, body, words.p, out) : EXIT_FAILED;
    } else if (err) {
        code = cli_fail(&f);
    } else if (out) {
        *out = r;
        r = (struct reply){0};
    }
    reply_free(&r);
    buf_free(&words);
    return code;
}

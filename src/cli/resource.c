/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/resource.h"

#include <stdarg.h>
#include <unistd.h>

bool loosening(const struct cli *cli, bool yes, const char *what)
{
    cli_note("%s", what);
    if (yes || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return true;
    if (cli_confirm(TR(cli, "Open it?", "開放しますか?")))
        return true;
    cli_note(TR(cli, "nothing was changed", "変更していません"));
    return false;
}

void said(const struct cli *cli, const char *format, ...)
{
    va_list args;

    if (cli->json)
        return;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

/* The words of a command that takes no options of its own, at least `least` of them. */
static int words_only(struct cli *cli, const struct command *self, int argc, char **argv,
                      struct words *rest, size_t least, size_t most)
{
    struct fault f;

    if (options_parse(cli, argc, argv, NULL, least, rest, &f))
        return cli_usage(self, "%s", f.text);
    if (rest->n < least)
        return cli_usage(self, "a NAME is missing");
    if (rest->n > most)
        return cli_usage(self, "\"%s\" is too much here", ESCAPED(span_of(rest->at[most])));
    return EXIT_DONE;
}

int resource_list(struct cli *cli, const struct command *self, const struct resource *kind,
                  int argc, char **argv)
{
    struct words rest = {0};
    int code = words_only(cli, self, argc, argv, &rest, 0, 0);

    words_free(&rest);
    return code ? code : show_list(cli, kind->path, 0, kind->columns);
}

int resource_filtered(struct cli *cli, const struct command *self, const struct filtered *list,
                      int argc, char **argv)
{
    const struct filter *filters = list->filters;
    struct option options[FILTERS_MAX + 1] = {0};
    const char *given[FILTERS_MAX] = {0};
    struct words rest = {0};
    struct buf path = {0};
    struct fault f;
    int code = EXIT_DONE;

    for (size_t i = 0; filters[i].name; i++)
        options[i] =
            (struct option){.name = filters[i].name, .text = &given[i], .value = filters[i].value};
    if (options_parse(cli, argc, argv, options, 0, &rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (rest.n)
        code = cli_usage(self, "\"%s\" is too much here; %s", ESCAPED(span_of(rest.at[0])),
                         list->hint);
    buf_puts(&path, list->path);
    for (size_t i = 0; filters[i].name; i++)
        path_query(&path, filters[i].name, given[i]);
    if (!code && path.failed)
        code = (fault_nomem(&f), cli_fail(&f));
    else if (!code)
        code = show_list_or(cli, path.p, 0, list->columns, TR(cli, list->none, list->none_ja));
    buf_free(&path);
    words_free(&rest);
    return code;
}

static int path_of(struct buf *path, const struct resource *kind, const char *name, struct fault *f)
{
    if (!*name)
        return fault(f, ERR_SYNTAX, "the name of a %s is not empty", kind->noun);
    buf_puts(path, kind->path);
    path_part(path, name);
    return path->failed ? fault_nomem(f) : 0;
}

int resource_show(struct cli *cli, const struct command *self, const struct resource *kind,
                  int argc, char **argv)
{
    struct words rest = {0};
    struct buf path = {0};
    struct fault f;
    int code = words_only(cli, self, argc, argv, &rest, 1, 1);

    if (!code && path_of(&path, kind, rest.at[0], &f))
        code = cli_fail(&f);
    if (!code)
        code = show_get(cli, path.p, kind->fields);
    buf_free(&path);
    words_free(&rest);
    return code;
}

int resource_remove(struct cli *cli, const struct command *self, const struct resource *kind,
                    int argc, char **argv)
{
    struct words rest = {0};
    struct fault f;
    int code = words_only(cli, self, argc, argv, &rest, 1, 64);

    for (size_t i = 0; i < rest.n && !code; i++) {
        struct buf path = {0};
        int err = path_of(&path, kind, rest.at[i], &f);

        if (!err)
            err = remote_call(cli, "DELETE", path.p, NULL, NULL, &f);
        if (err)
            code = cli_fail(&f);
        else
            said(cli, TR(cli, "%s %s removed", "%s %s を削除しました"),
                 TR(cli, kind->noun, kind->noun_ja), ESCAPED(span_of(rest.at[i])));
        buf_free(&path);
    }
    words_free(&rest);
    return code;
}

static int send_body(struct cli *cli, const struct resource *kind, const char *method,
                     const char *path, json_t *body)
{
    struct reply r = {0};
    struct fault f;
    int code = EXIT_DONE;

    if (!body)
        code = (fault(&f, ERR_SYNTAX, "what was given is not UTF-8"), cli_fail(&f));
    else if (remote_call(cli, method, path, body, &r, &f))
        code = cli_fail(&f);
    else
        show_object(cli, r.json, kind->fields);
    reply_free(&r);
    json_decref(body);
    return code;
}

int resource_add(struct cli *cli, const struct resource *kind, json_t *body)
{
    return send_body(cli, kind, "POST", kind->path, body);
}

int resource_set(struct cli *cli, const struct resource *kind, const char *name, json_t *body)
{
    struct buf path = {0};
    struct fault f;
    int code;

    if (path_of(&path, kind, name, &f)) {
        json_decref(body);
        code = cli_fail(&f);
    } else {
        code = send_body(cli, kind, "PATCH", path.p, body);
    }
    buf_free(&path);
    return code;
}

void body_text(json_t *body, const char *key, const char *value, bool clearable)
{
    if (value)
        json_object_set_new(body, key, clearable && !*value ? json_null() : json_string(value));
}

void body_words(json_t *body, const char *key, const struct words *w, bool joined)
{
    json_t *array = json_array();
    struct buf b = {0};

    if (!w->n) {
        json_decref(array);
        return;
    }
    for (size_t i = 0; i < w->n; i++) {
        buf_printf(&b, "%s%s", b.n ? ", " : "", w->at[i]);
        if (*w->at[i])
            json_array_append_new(array, json_string(w->at[i]));
    }
    if (joined)
        json_object_set_new(body, key, json_stringn(b.p ? b.p : "", b.n));
    else
        json_object_set(body, key, array);
    json_decref(array);
    buf_free(&b);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/options.h"

static int set_lang(struct cli *cli, const char *value, struct fault *f)
{
    if (strcmp(value, "en") == 0)
        cli->lang = LANG_EN;
    else if (strcmp(value, "ja") == 0)
        cli->lang = LANG_JA;
    else
        return fault(f, ERR_SYNTAX, "--lang \"%s\" is not known; it is \"en\" or \"ja\"",
                     ESCAPED(span_of(value)));
    return 0;
}

static const struct option *find(const struct option *options, struct span name)
{
    for (; options && options->name; options++)
        if (span_is(name, options->name))
            return options;
    return NULL;
}

/* One option with what belongs to it; `*i` stands on it and is left on its last word. */
static int take(const struct option *o, struct span inline_value, int argc, char **argv, int *i,
                struct fault *f)
{
    const char *value = inline_value.p;
    int err = 0;

    if (o->flag) {
        if (value)
            return fault(f, ERR_SYNTAX, "--%s takes no value", o->name);
        *o->flag = true;
        return 0;
    }
    if (!value && (*i + 1 >= argc || strncmp(argv[*i + 1], "--", 2) == 0))
        return fault(f, ERR_SYNTAX, "--%s needs a value (%s)", o->name, o->value);
    if (!value)
        value = argv[++*i];
    if (o->text) {
        *o->text = value;
        return 0;
    }
    err = words_add(o->list, value, f);
    while (!err && !inline_value.p && *i + 1 < argc && strncmp(argv[*i + 1], "--", 2) != 0)
        err = words_add(o->list, argv[++*i], f);
    return err;
}

static int one(struct cli *cli, int argc, char **argv, const struct option *options,
               struct words **last, int *i, struct fault *f)
{
    const char *lang = NULL;
    const struct option global[] = {
        {.name = "socket", .text = &cli->socket, .value = "PATH"},
        {.name = "url", .text = &cli->url, .value = "URL"},
        {.name = "token-file", .text = &cli->token_file, .value = "FILE"},
        {.name = "json", .flag = &cli->json},
        {.name = "lang", .text = &lang, .value = "en|ja"},
        {0},
    };
    struct span value;
    struct span name = span_cut(span_of(argv[*i] + 2), '=', &value);
    const struct option *o = find(options, name);

    if (!o)
        o = find(global, name);
    if (!o)
        return fault(f, ERR_SYNTAX, "there is no option \"--%s\" here", ESCAPED(name));
    int err = take(o, value, argc, argv, i, f);
    if (!err && lang)
        err = set_lang(cli, lang, f);
    *last = o->list;
    return err;
}

int options_parse(struct cli *cli, int argc, char **argv, const struct option *options,
                  size_t wanted, struct words *rest, struct fault *f)
{
    struct words *last = NULL;
    bool only_words = false;
    int err = 0;

    for (int i = 0; i < argc && !err; i++) {
        const char *word = argv[i];

        if (only_words || word[0] != '-' || word[1] == '\0') {
            last = NULL;
            err = words_add(rest, word, f);
        } else if (strcmp(word, "--") == 0) {
            only_words = true;
        } else if (word[1] != '-') {
            err = fault(f, ERR_SYNTAX,
                        "there is no option \"%s\"; put -- before a word that begins with '-'",
                        ESCAPED(span_of(word)));
        } else {
            err = one(cli, argc, argv, options, &last, &i, f);
        }
    }
    if (!err && rest->n < wanted && last && last->n > 1)
        err = words_add(rest, last->at[--last->n], f);
    return err;
}

int options_global(struct cli *cli, int argc, char **argv, int *used, struct fault *f)
{
    struct words *last;
    int err = 0;

    for (*used = 0; *used < argc && !err && strncmp(argv[*used], "--", 2) == 0 && argv[*used][2];
         ++*used)
        err = one(cli, argc, argv, NULL, &last, used, f);
    return err;
}

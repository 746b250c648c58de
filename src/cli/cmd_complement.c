/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <jansson.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/show.h"
#include "policy/complement.h"

/* The prefixes of the command line, cleaned, each with its own memory. */
struct prefixes {
    struct span *at;
    char (*digits)[RULE_PREFIX_MAX + 1];
    size_t n;
};

static int clean(struct prefixes *p, const struct words *w, struct fault *f)
{
    int err = 0;

    p->at = calloc(w->n + 1, sizeof(*p->at));
    p->digits = calloc(w->n + 1, sizeof(*p->digits));
    if (!p->at || !p->digits)
        return fault_nomem(f);
    for (p->n = 0; p->n < w->n && !err; p->n++) {
        err = rule_prefix_clean(span_of(w->at[p->n]), p->digits[p->n], f);
        if (!err)
            p->at[p->n] = span_of(p->digits[p->n]);
    }
    return err ? fault_in(f, "--allow") : 0;
}

static void print_list(const struct cli *cli, const struct complement *list, const char *root,
                       const struct prefixes *allowed)
{
    json_t *allow = json_array(), *restrict_ = json_array();
    size_t n = complement_count(list);

    for (size_t i = 0; i < n; i++) {
        struct span prefix = complement_prefix(list, i);

        if (cli->json)
            json_array_append_new(restrict_, json_stringn(prefix.p, prefix.n));
        else
            printf("%.*s\n", SPAN_FMT(prefix));
    }
    for (size_t i = 0; i < allowed->n; i++)
        json_array_append_new(allow, json_stringn(allowed->at[i].p, allowed->at[i].n));
    json_t *whole =
        json_pack("{s:s, s:o, s:o}", "root", root, "allow", allow, "restrict", restrict_);
    if (cli->json)
        show_json(whole);
    json_decref(whole);
}

int cmd_complement(struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct words allow = {0}, rest = {0};
    const char *root = NULL;
    const struct option options[] = {
        {.name = "root", .text = &root, .value = "PREFIX"},
        {.name = "allow", .list = &allow, .value = "PREFIX"},
        {0},
    };
    char digits[RULE_PREFIX_MAX + 1];
    struct prefixes allowed = {0};
    struct complement *list = NULL;
    struct fault f;
    int code = EXIT_DONE;

    if (options_parse(cli, argc, argv, options, 0, &rest, &f))
        code = cli_usage(self, "%s", f.text);
    else if (rest.n)
        code = cli_usage(self, "what should \"%s\" be? prefixes stand behind --root and --allow",
                         ESCAPED(span_of(rest.at[0])));
    else if (!root || !allow.n)
        code = cli_usage(self, "--%s is missing", root ? "allow" : "root");
    else if (rule_prefix_clean(span_of(root), digits, &f) && fault_in(&f, "--root"))
        code = cli_fail(&f);
    else if (clean(&allowed, &allow, &f) ||
             complement_new(&list, span_of(digits), allowed.at, allowed.n, &f))
        code = cli_fail(&f);
    else
        print_list(cli, list, digits, &allowed);
    complement_free(list);
    free(allowed.at);
    free(allowed.digits);
    words_free(&allow);
    words_free(&rest);
    return code;
}

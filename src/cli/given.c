/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/given.h"

#include <stdlib.h>

#include "base/file.h"
#include "policy/ruleset.h"

#define FILE_MAX (4u << 20)

int given_add(struct given *g, enum rule_action action, struct span prefix, struct fault *f)
{
    char digits[RULE_PREFIX_MAX + 1];
    struct rule *grown;
    char *copy;
    int err = rule_prefix_clean(prefix, digits, f);

    if (err)
        return err;
    for (size_t i = 0; i < g->n; i++)
        if (g->rules[i].action == action && span_is(g->rules[i].prefix, digits))
            return 0;
    if (g->n == RULESET_RULES_MAX)
        return fault(f, ERR_FULL, "more than %d rules are too many", RULESET_RULES_MAX);
    grown = reallocarray(g->rules, g->n + 1, sizeof(*grown));
    if (!grown)
        return fault_nomem(f);
    g->rules = grown;
    copy = strdup(digits);
    if (!copy)
        return fault_nomem(f);
    g->rules[g->n++] = (struct rule){.action = action, .prefix = span_of(copy)};
    return 0;
}

int given_words(struct given *g, enum rule_action action, const struct words *w, const char *option,
                struct fault *f)
{
    for (size_t i = 0; i < w->n; i++)
        if (given_add(g, action, span_of(w->at[i]), f))
            return fault_in(f, "--%s", option);
    return 0;
}

/* "#7119" is a prefix; a remark begins with "# ". */
static struct span without_remark(struct span line)
{
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    for (size_t i = 0; i < line.n; i++) {
        bool first = i == 0 || line.p[i - 1] == ' ' || line.p[i - 1] == '\t';
        bool last = i + 1 == line.n || line.p[i + 1] == ' ' || line.p[i + 1] == '\t';

        if (line.p[i] == '#' && first && last)
            line.n = i;
    }
    return span_trim(line);
}

static int add_line(struct given *g, struct span line, struct fault *f)
{
    struct span rest, word = span_cut(line, ' ', &rest);

    if (span_is(word, "restrict"))
        return given_add(g, RULE_RESTRICT, span_trim(rest), f);
    if (span_is(word, "except"))
        return given_add(g, RULE_EXCEPT, span_trim(rest), f);
    return given_add(g, RULE_RESTRICT, line, f);
}

int given_text(struct given *g, struct span text, const char *path, struct fault *f)
{
    size_t number = 0;

    while (text.n) {
        struct span line = without_remark(span_cut(text, '\n', &text));

        number++;
        if (line.n && add_line(g, line, f))
            return fault_in(f, "%s line %zu", path, number);
    }
    return 0;
}

int given_file(struct given *g, const char *path, struct fault *f)
{
    const char *from = strcmp(path, "-") == 0 ? "/dev/stdin" : path;
    struct buf content = {0};
    int err = file_read(from, FILE_MAX, &content, f);

    if (!err)
        err = given_text(g, buf_span(&content), path, f);
    buf_free(&content);
    return err;
}

void given_free(struct given *g)
{
    for (size_t i = 0; i < g->n; i++)
        free((char *)g->rules[i].prefix.p);
    free(g->rules);
    *g = (struct given){.rules = NULL};
}

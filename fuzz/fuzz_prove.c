/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first byte chooses the dial plan. Then lines: "-PREFIX UNTIL" restricts, "+PREFIX UNTIL" excepts,
 * for the level that the last of the lines "account", "tenant", "operator", "mandatory" named;
 * "second" goes on with the stack that the first is compared with.
 */
#include <string.h>

#include "fuzz.h"
#include "numbering/numbering.h"
#include "policy/prove_words.h"

static const char *const plans[] = {"JP", "US", "GB"};
#define PLANS (sizeof(plans) / sizeof(*plans))
#define RULES_MAX 48

static struct site *sites[PLANS];
static struct atlas *atlases[PLANS];

/* ---- a small world, for speed: parts of +1, +44 and +81 ---- */

/* The rows of plans that are there, whatever others they are for. */
static const char *plan_of(struct span cell)
{
    for (size_t i = 0; i < PLANS; i++)
        for (struct span rest = cell; rest.n;)
            if (span_is(span_cut(rest, ',', &rest), plans[i]))
                return plans[i];
    return span_is(cell, "*") ? "*" : NULL;
}

static bool keeps_prefix(struct span prefix)
{
    static const char *const kept[] = {"12", "18", "19", "44", "81"};

    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
        if (span_starts(prefix, span_of(kept[i])))
            return true;
    return span_is(prefix, "1") || span_is(prefix, "7");
}

static struct span filter(struct tables_file file, struct buf *out)
{
    bool by_plan = span_is(file.name, "codes.tsv") || span_is(file.name, "dialplans.tsv");
    bool first = true;

    for (struct span text = file.content; text.n;) {
        struct span line = span_cut(text, '\n', &text), rest, cell = span_cut(line, '\t', &rest);
        const char *plan = by_plan ? plan_of(cell) : NULL;

        if (line.n == 0 || line.p[0] == '#')
            continue;
        if (!first && !plan && (by_plan || !keeps_prefix(cell)))
            continue;
        buf_add(out, plan ? span_of(plan) : cell);
        buf_putc(out, '\t');
        buf_add(out, rest);
        buf_putc(out, '\n');
        first = false;
    }
    return buf_span(out);
}

static void set_up(void)
{
    static struct tables *tables;
    struct buf content[16] = {{0}};
    struct tables_file files[16];
    const struct tables_file *builtin;
    struct fault f;
    size_t n;

    if (tables)
        return;
    builtin = tables_builtin(&n);
    PROMISE(n <= 16);
    for (size_t i = 0; i < n; i++)
        files[i] = (struct tables_file){builtin[i].name, filter(builtin[i], &content[i])};
    if (tables_load(&tables, files, n, &f))
        fprintf(stderr, "%s\n", f.text);
    PROMISE(tables);
    for (size_t i = 0; i < n; i++)
        buf_free(&content[i]);
    for (size_t i = 0; i < PLANS; i++) {
        struct site_config config = {.plan = span_of(plans[i])};

        PROMISE(site_new(&sites[i], tables, &config, &f) == 0);
        PROMISE(atlas_new(&atlases[i], sites[i], &f) == 0);
    }
}

/* ---- the input ---- */

enum { ACCOUNT, TENANT, OPERATOR, MANDATORY, LEVELS };

struct stack {
    struct rule rules[LEVELS][RULES_MAX];
    size_t n[LEVELS];
    const struct ruleset *sets[LEVELS];
    struct decide_rules all;
};

static void read_rule(struct stack *s, int level, struct span line)
{
    struct rule *rule = &s->rules[level][s->n[level]];
    struct span until;

    if (s->n[level] == RULES_MAX || (line.p[0] != '-' && line.p[0] != '+') ||
        (level == MANDATORY && line.p[0] == '+'))
        return;
    *rule = (struct rule){.action = line.p[0] == '+' ? RULE_EXCEPT : RULE_RESTRICT};
    rule->prefix = span_cut(span_skip(line, 1), ' ', &until);
    rule->until = until.n ? until.p[0] & 0xff : 0;
    s->n[level]++;
}

static void read_stacks(struct span text, struct stack stacks[2])
{
    static const char *const names[] = {"account", "tenant", "operator", "mandatory"};
    int level = ACCOUNT, which = 0;

    while (text.p) {
        struct span line = span_cut(text, '\n', &text);

        if (span_is(line, "second"))
            which = 1;
        for (int i = 0; i < LEVELS; i++)
            if (span_is(line, names[i]))
                level = i;
        if (line.n)
            read_rule(&stacks[which], level, line);
    }
}

static bool intern(struct ruleset_pool *pool, struct stack *s)
{
    for (int i = 0; i < LEVELS; i++)
        if (ruleset_intern(pool, s->rules[i], s->n[i], &s->sets[i], NULL))
            return false;
    s->all = (struct decide_rules){
        .account = s->sets[ACCOUNT],
        .tenants = &s->sets[TENANT],
        .n_tenants = 1,
        .operator_rules = s->sets[OPERATOR],
        .mandatory = s->sets[MANDATORY],
    };
    return true;
}

/* ---- the promises ---- */

static const struct prove_range *range_of(const struct prove *proof, struct span digits)
{
    const struct prove_range *found = NULL;

    for (size_t i = 0; i < prove_ranges(proof); i++) {
        const struct prove_range *r = prove_range(proof, i);
        struct span prefix = span_of(r->prefix);

        if (!span_starts(digits, prefix) || (r->whole && digits.n != prefix.n) ||
            (found && found->whole))
            continue;
        PROMISE(!found);
        found = r;
    }
    return found;
}

/* A number of every region: the proof and decide() say the same. */
static void check_numbers(const struct prove *proof, size_t plan, const struct prove_question *q)
{
    static unsigned turn;

    for (size_t i = turn++ % 7; i < atlas_count(atlases[plan]); i += 7) {
        const struct atlas_region *r = atlas_region(atlases[plan], i);
        struct decide_question question = {.rules = q->rules, .site = sites[plan], .when = q->when};
        char digits[NUMBER_DIGITS_MAX];
        const struct prove_range *range;
        struct atlas_traits traits;
        struct number n;
        struct verdict v;

        if (r->traits.open_ended ||
            !atlas_example(atlases[plan], (struct span){r->prefix, r->n}, false, digits, &traits))
            continue;
        numbering_parse(sites[plan], span_of(digits), &n);
        if (strcmp(n.dialled, digits) != 0)
            continue;
        question.number = &n;
        decide(&question, &v);
        range = range_of(proof, span_of(digits));
        PROMISE(range && range->exists);
        PROMISE(range->open == (v.action == VERDICT_ALLOW));
        PROMISE(range->mixed ||
                (range->traits.country == n.country && range->traits.class == n.class));
    }
}

static void check_ranges(const struct prove *proof, const struct prove_question *q)
{
    for (size_t i = 0; i < prove_ranges(proof); i++) {
        const struct prove_range *r = prove_range(proof, i), *before = i ? r - 1 : NULL;
        struct ruleset_key key = ruleset_key(span_of(r->prefix));
        int order = before ? strcmp(before->prefix, r->prefix) : -1;
        struct decide_finding rule;

        PROMISE(order < 0 || (order == 0 && before->whole && !r->whole));
        if (!r->exists)
            PROMISE(r->open == decide_by_rules(q->rules, &key, false, &q->when, &rule));
        if (r->exists && r->traits.class == CLASS_EMERGENCY)
            PROMISE(r->open);
    }
}

static enum prove_relation mirrored(enum prove_relation r)
{
    return r == PROVE_STRICTER ? PROVE_LOOSER : r == PROVE_LOOSER ? PROVE_STRICTER : r;
}

static void check_comparison(size_t plan, const struct prove_question *first,
                             const struct prove_question *second)
{
    struct prove_difference d, back;
    struct buf words = {0};

    PROMISE(prove_compare(&d, atlases[plan], first, first, NULL) == 0);
    PROMISE(d.strings == PROVE_EQUAL && d.numbers == PROVE_EQUAL);
    PROMISE(!d.stricter.there && !d.looser.there);
    PROMISE(prove_compare(&d, atlases[plan], first, second, NULL) == 0);
    PROMISE(prove_compare(&back, atlases[plan], second, first, NULL) == 0);
    PROMISE(d.strings == mirrored(back.strings) && d.numbers == mirrored(back.numbers));
    PROMISE(strcmp(d.stricter.prefix, back.looser.prefix) == 0);
    PROMISE(d.numbers == PROVE_EQUAL || d.strings != PROVE_EQUAL || d.stricter.traits.open_ended ||
            d.looser.traits.open_ended);
    prove_words_difference(&words, atlases[plan], &d, PROVE_JAPANESE);
    buf_free(&words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t secret[16];
    static struct stack stacks[2];
    struct prove_question q[2] = {{&stacks[0].all, {.now = '5'}}, {&stacks[1].all, {.now = '5'}}};
    struct ruleset_pool *pool;
    struct prove *proof;
    struct fault f;
    size_t plan;

    set_up();
    if (size == 0)
        return 0;
    plan = data[0] % PLANS;
    memset(stacks, 0, sizeof(stacks));
    read_stacks((struct span){(const char *)data + 1, size - 1}, stacks);
    PROMISE(ruleset_pool_new(&pool, NULL, secret, &f) == 0);
    if (intern(pool, &stacks[0]) && intern(pool, &stacks[1])) {
        PROMISE(prove_new(&proof, atlases[plan], &q[0], &f) == 0);
        check_ranges(proof, &q[0]);
        check_numbers(proof, plan, &q[0]);
        check_comparison(plan, &q[0], &q[1]);
        prove_free(proof);
    }
    ruleset_pool_free(pool);
    return 0;
}

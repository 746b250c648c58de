/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a proof takes, over Japan's plan, of accounts with few and with many rules. */
#include <stdio.h>

#include "measure.h"
#include "numbering/site.h"
#include "policy/prove.h"

#define RULES_MAX 16384

static struct tables *tables;
static struct site *site;
static struct atlas *atlas;
static struct ruleset_pool *pool;

static void must(int err, const struct fault *f)
{
    if (!err)
        return;
    fprintf(stderr, "%s\n", f->text);
    exit(1);
}

static void load(void *arg)
{
    struct tables *loaded;
    struct fault f;

    must(tables_load(&loaded, NULL, 0, &f), &f);
    tables_free(loaded);
}

static void draw(void *arg)
{
    struct atlas *drawn;
    struct fault f;

    must(atlas_new(&drawn, site, &f), &f);
    atlas_free(drawn);
}

struct question {
    struct decide_rules rules;
    struct decide_rules others;
    size_t ranges;
};

static void prove(void *arg)
{
    struct question *q = arg;
    struct prove_question question = {.rules = &q->rules};
    struct prove *proof;
    struct fault f;

    must(prove_new(&proof, atlas, &question, &f), &f);
    q->ranges = prove_ranges(proof);
    prove_free(proof);
}

static void compare(void *arg)
{
    struct question *q = arg;
    struct prove_question first = {.rules = &q->rules}, second = {.rules = &q->others};
    struct prove_difference d;
    struct fault f;

    must(prove_compare(&d, atlas, &first, &second, &f), &f);
}

/* Rules on the prefixes of numbers that exist, whole ones or their beginnings. */
static const struct ruleset *rules_of(size_t n)
{
    static struct rule rules[RULES_MAX];
    static char digits[RULES_MAX][RULE_PREFIX_MAX + 1];
    const struct ruleset *set;
    uint64_t seed = n;
    struct fault f;

    for (size_t i = 0; i < n; i++) {
        const struct atlas_region *r =
            atlas_region(atlas, measure_random(&seed) % atlas_count(atlas));
        size_t length = r->n > 3 ? 3 + measure_random(&seed) % (r->n - 2) : r->n;
        size_t more = n > 3000 ? 2 : 0;

        snprintf(digits[i], sizeof(digits[i]), "%.*s%0*u", (int)length, r->prefix, (int)more,
                 more ? (unsigned)(measure_random(&seed) % 100) : 0);
        if (!more)
            digits[i][length] = '\0';
        rules[i] = (struct rule){
            .action = measure_random(&seed) % 2 ? RULE_RESTRICT : RULE_EXCEPT,
            .prefix = span_of(digits[i]),
        };
        for (size_t k = 0; k < i; k++)
            if (rules[k].action == rules[i].action && span_eq(rules[k].prefix, rules[i].prefix)) {
                i--;
                break;
            }
    }
    must(ruleset_intern(pool, rules, n, &set, &f), &f);
    return set;
}

static void row(const char *title, struct measure m, size_t ranges)
{
    printf("%-42s %9.2f %9.2f", title, m.median / 1e6, m.least / 1e6);
    if (ranges)
        printf(" %8zu", ranges);
    puts("");
}

int main(void)
{
    static const size_t sizes[] = {0, 10, 300, 3000, 10000};
    struct site_config config = {.plan = SPAN("JP")};
    const uint8_t key[16] = {0};
    struct fault f;

    must(tables_load(&tables, NULL, 0, &f), &f);
    must(site_new(&site, tables, &config, &f), &f);
    must(atlas_new(&atlas, site, &f), &f);
    must(ruleset_pool_new(&pool, NULL, key, &f), &f);
    printf("%-42s %9s %9s %8s\n", "Plan of Japan (CPU time)", "median ms", "least ms", "ranges");
    row("all tables loaded", measure(9, 1, load, NULL), 0);
    row("the atlas drawn", measure(9, 1, draw, NULL), atlas_count(atlas));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        struct question q = {.rules = {.account = rules_of(sizes[i])}};
        struct measure proof = measure(9, 1, prove, &q);
        char title[64];

        snprintf(title, sizeof(title), "a proof of %zu rules", sizes[i]);
        row(title, proof, q.ranges);
        q.others.account = rules_of(sizes[i] / 2 + 1);
        snprintf(title, sizeof(title), "these compared with %zu", sizes[i] / 2 + 1);
        row(title, measure(9, 1, compare, &q), 0);
    }
    printf("At most %d ranges of %zu bytes\n", 131072, sizeof(struct prove_range));
    ruleset_pool_free(pool);
    atlas_free(atlas);
    site_free(site);
    tables_free(tables);
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A template's list opens what the template says, of every number that there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cases.h"
#include "failalloc.h"
#include "numbering/numbering.h"
#include "policy/decide.h"
#include "policy/template.h"

#define RULES_MAX 1000 /* as many as an owner can have in the store */
#define COUNTRIES_MAX 8

static struct tables *tables;

/* One dial plan; made anew where a case has another. */
static struct {
    char plan[4];
    struct site *site;
    struct atlas *atlas;
} place;

static void go_to(struct span plan)
{
    const struct site_config config = {.plan = plan};
    struct fault f;

    if (span_is(plan, place.plan))
        return;
    atlas_free(place.atlas);
    site_free(place.site);
    if (site_new(&place.site, tables, &config, &f) || atlas_new(&place.atlas, place.site, &f))
        fail_msg("%s", f.text);
    snprintf(place.plan, sizeof(place.plan), "%.*s", SPAN_FMT(plan));
}

/* A list as the rules of an account. */
struct account {
    struct template_list *list;
    struct ruleset_pool *pool;
    const struct ruleset *rules;
    size_t n;
};

static void open_account(struct account *a, const struct template_wish *wish,
                         enum minimal_form form)
{
    static const uint8_t key[16];
    struct fault f;
    struct rule *rules;

    if (template_new(&a->list, wish, place.atlas, form, NULL, &f))
        fail_msg("%s", f.text);
    a->n = template_rules(a->list);
    rules = calloc(a->n + 1, sizeof(*rules));
    for (size_t i = 0; i < a->n; i++)
        rules[i] = template_rule(a->list, i);
    if (ruleset_pool_new(&a->pool, NULL, key, &f) ||
        ruleset_intern(a->pool, rules, a->n, &a->rules, &f))
        fail_msg("%s", f.text);
    free(rules);
}

static void close_account(struct account *a)
{
    ruleset_pool_free(a->pool);
    template_free(a->list);
}

static bool allowed(const struct account *a, struct span dialled)
{
    const struct decide_rules rules = {.account = a->rules};
    struct number number;
    struct verdict verdict;

    numbering_parse(place.site, dialled, &number);
    decide(&(struct decide_question){.number = &number, .rules = &rules, .site = place.site},
           &verdict);
    return verdict.action == VERDICT_ALLOW;
}

/* ---- cases ---- */

static void numbers(void **state)
{
    const struct test_case *c = *state;
    struct span rest, countries[COUNTRIES_MAX], line = span_cut(buf_span(&c->in), '\n', &rest);
    struct template_wish wish = {.countries = countries};
    struct account account;
    struct buf out = {0};

    go_to(span_cut(line, ' ', &line));
    wish.template = template_find(span_cut(line, ' ', &line));
    assert_non_null(wish.template);
    while (line.n)
        countries[wish.n_countries++] = span_cut(line, ' ', &line);
    open_account(&account, &wish, MINIMAL_WITH_EXCEPTIONS);
    while (rest.n) {
        struct span number = span_cut(rest, '\n', &rest);

        buf_printf(&out, "%.*s %s\n", SPAN_FMT(number),
                   allowed(&account, number) ? "allow" : "deny");
    }
    assert_string_equal(out.p, c->out.p);
    buf_free(&out);
    close_account(&account);
}

/* ---- all numbers ---- */

static bool costs_more(enum number_kind kind)
{
    return kind == KIND_PREMIUM || kind == KIND_SHARED_COST || kind == KIND_PERSONAL ||
           kind == KIND_SATELLITE || kind == KIND_RISK;
}

static bool is(const struct atlas_traits *t, const char *iso)
{
    return t->country && strcmp(t->country->iso, iso) == 0;
}

/* What each template says of a region, in other words than template.c. */
static bool meant(const char *template, const struct atlas_region *r)
{
    const struct atlas_traits *t = &r->traits;
    size_t access = atlas_access(place.atlas).n;

    if (costs_more(t->kind))
        return false;
    if (strcmp(template, "only-countries") == 0)
        return is(t, "DE") || is(t, "CA");
    if (strcmp(template, "us-canada") == 0)
        return is(t, "US") || is(t, "CA");
    if (strcmp(template, "only-new-york") == 0)
        return strncmp(r->prefix + access, "1212", 4) == 0;
    return strcmp(template, "no-high-risk") == 0 && t->risk != RISK_HIGH;
}

/* Not what only looks so: the tables let +7 10 be in Russia, which is dialled 8 10 as foreign numbers
 * are, and is restricted like them. */
static bool leaves(const struct atlas_region *r)
{
    return r->traits.class == CLASS_INTERNATIONAL && !r->traits.open_ended;
}

/* Numbers that differ only in length cannot be told apart by a prefix: the stricter stands. */
static bool meant_of_all(const char *template, size_t i)
{
    const struct atlas_region *r = atlas_region(place.atlas, i);

    size_t n, first = atlas_below(place.atlas, (struct span){r->prefix, r->n}, &n);

    for (size_t k = first; k < first + n; k++) {
        const struct atlas_region *other = atlas_region(place.atlas, k);

        if (strcmp(other->prefix, r->prefix) == 0 && leaves(other) && !meant(template, other))
            return false;
    }
    return true;
}

/* A number of the region. */
static bool one_of(const struct atlas_region *r, char out[NUMBER_DIGITS_MAX])
{
    for (const char *fill = "5270"; *fill; fill++)
        for (size_t n = r->n; n < 32; n++) {
            struct number number;

            if (!(r->lengths >> n & 1))
                continue;
            memcpy(out, r->prefix, r->n);
            memset(out + r->n, *fill, n - r->n);
            out[n] = '\0';
            numbering_parse(place.site, (struct span){out, n}, &number);
            if (atlas_find(place.atlas, (struct span){out, n}) == r &&
                strcmp(number.dialled, out) == 0)
                return true;
        }
    return false;
}

static void check_regions(const char *template, const struct account *a, const struct account *bare)
{
    struct span access = atlas_access(place.atlas);
    size_t seen = 0;

    for (size_t i = 0; i < atlas_count(place.atlas); i++) {
        const struct atlas_region *r = atlas_region(place.atlas, i);
        struct span prefix = {r->prefix, r->n};
        bool want = !leaves(r);
        char number[NUMBER_DIGITS_MAX];

        if (!leaves(r) && span_starts(prefix, access))
            continue;
        if (!one_of(r, number))
            continue;
        seen++;
        want = want || meant_of_all(template, i);
        if (allowed(a, span_of(number)) != want)
            fail_msg("%s %s: %s must be %s", place.plan, template, number,
                     want ? "open" : "closed");
        if (allowed(bare, span_of(number)) != want)
            fail_msg("%s %s: %s must be %s by restrictions alone", place.plan, template, number,
                     want ? "open" : "closed");
    }
    assert_true(seen > 3000);
}

/* Behind the access prefix, what begins no number is closed: a table may be older than the world. */
static void check_nobodys(const char *template, const struct account *a)
{
    char digits[RULE_PREFIX_MAX + 1];

    for (unsigned i = 0; i < 10000; i++) {
        struct ruleset_match match;
        struct ruleset_key key;

        snprintf(digits, sizeof(digits), "%.*s%04u", SPAN_FMT(atlas_access(place.atlas)), i);
        if (atlas_has(place.atlas, span_of(digits)))
            continue;
        key = ruleset_key(span_of(digits));
        if (!ruleset_match(a->rules, &key, &(struct ruleset_moment){0}, &match) ||
            match.action != RULE_RESTRICT)
            fail_msg("%s %s: %s is nobody's and open", place.plan, template, digits);
    }
}

static void every_number_is_as_the_template_says(void **state)
{
    static const char *const plans[] = {"JP", "US", "GB", "RU", "IT", "BR"};
    const struct span countries[] = {SPAN("DE"), SPAN("CA")};

    (void)state;
    for (size_t p = 0; p < sizeof(plans) / sizeof(plans[0]); p++)
        for (size_t i = 0; i < template_count(); i++) {
            const struct template *t = template_at(i);
            const struct template_wish wish = {t, countries, template_takes_countries(t) ? 2 : 0};
            struct account account, bare;

            go_to(span_of(plans[p]));
            open_account(&account, &wish, MINIMAL_WITH_EXCEPTIONS);
            open_account(&bare, &wish, MINIMAL_RESTRICTIONS);
            assert_true(account.n <= RULES_MAX);
            assert_true(span_eq(template_rule(account.list, 0).prefix, atlas_access(place.atlas)));
            assert_int_equal(template_rule(account.list, 0).action, RULE_RESTRICT);
            check_regions(t->name, &account, &bare);
            check_nobodys(t->name, &account);
            close_account(&account);
            close_account(&bare);
        }
}

/* ---- applying ---- */

static void text_of(struct buf *out, const struct rule *rules, size_t n)
{
    buf_clear(out);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%c%.*s%s%s", i ? " " : "", rules[i].action == RULE_RESTRICT ? '-' : '+',
                   SPAN_FMT(rules[i].prefix), rules[i].mandatory ? "!" : "",
                   rules[i].until ? "@" : "");
}

static void what_is_not_abroad_stays(void **state)
{
    const struct rule before[] = {
        {.prefix = SPAN("0990")},
        {.prefix = SPAN("01"), .action = RULE_EXCEPT},
        {.prefix = SPAN("010"), .mandatory = true},
        {.prefix = SPAN("010"), .action = RULE_EXCEPT},
        {.prefix = SPAN("0104"), .mandatory = true},
        {.prefix = SPAN("01044"), .action = RULE_EXCEPT, .until = 5},
        {.prefix = SPAN("0102")},
    };
    const struct template_wish wish = {.template = template_find(SPAN("only-new-york"))};
    const struct rule until = {.until = 7}, none = {.until = 0};
    struct rule after[16];
    struct account account;
    struct buf out = {0};

    (void)state;
    go_to(SPAN("JP"));
    open_account(&account, &wish, MINIMAL_WITH_EXCEPTIONS);
    text_of(&out, after, template_apply(account.list, SPAN("010"), before, 7, &until, after));
    assert_string_equal(out.p, "-0990 +01 -010! -0104! +0101212@");
    text_of(&out, after, template_apply(account.list, SPAN("010"), NULL, 0, &none, after));
    assert_string_equal(out.p, "-010 +0101212");
    buf_free(&out);
    close_account(&account);
}

/* A mandatory rule that ends would otherwise stand for the list's, and leave all open behind its end. */
static void what_holds_for_a_time_does_not_stand_for_the_list(void **state)
{
    const struct rule before[] = {
        {.prefix = SPAN("010"), .action = RULE_EXCEPT, .until = 5},
        {.prefix = SPAN("010"), .mandatory = true},
        {.prefix = SPAN("0104"), .mandatory = true, .until = 5},
        {.prefix = SPAN("010"), .mandatory = true, .until = 5},
        {.prefix = SPAN("010"), .mandatory = true, .schedule = SPAN("Sa,Su")},
    };
    const struct template_wish wish = {.template = template_find(SPAN("only-new-york"))};
    struct account account;

    go_to(SPAN("JP"));
    open_account(&account, &wish, MINIMAL_WITH_EXCEPTIONS);
    assert_null(template_clash(account.list, before, 3));
    assert_ptr_equal(template_clash(account.list, before, 4), &before[3]);
    assert_ptr_equal(template_clash(account.list, &before[4], 1), &before[4]);
    close_account(&account);
}

/* ---- what is refused ---- */

static void wrong_countries_are_refused(void **state)
{
    static const struct {
        const char *template, *countries, *sentence;
        int err;
        size_t wrong;
    } cases[] = {
        {"us-canada", "US", "the template us-canada takes no countries", ERR_SYNTAX, 9},
        {"only-countries", "", "the template only-countries takes 1 to 250 countries, as US or DE",
         ERR_SYNTAX, 9},
        {"only-countries", "US XX",
         "\"XX\" is no country that is called by 010; countries are two letters of ISO 3166-1, as "
         "US or DE",
         ERR_MISSING, 1},
        {"only-countries", "001",
         "\"001\" is no country that is called by 010; countries are two letters of ISO 3166-1, "
         "as US or DE",
         ERR_MISSING, 0},
    };
    struct template_list *list = NULL;
    struct fault f;

    (void)state;
    go_to(SPAN("JP"));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct span countries[4], rest = span_of(cases[i].countries);
        struct template_wish wish = {.template = template_find(span_of(cases[i].template)),
                                     .countries = countries};
        size_t wrong = 9;

        while (rest.n)
            countries[wish.n_countries++] = span_cut(rest, ' ', &rest);
        assert_int_equal(
            template_new(&list, &wish, place.atlas, MINIMAL_WITH_EXCEPTIONS, &wrong, &f),
            cases[i].err);
        assert_string_equal(f.text, cases[i].sentence);
        assert_int_equal(wrong, cases[i].wrong);
    }
    assert_null(list);
    assert_null(template_find(SPAN("only")));
}

static void memory_may_run_out(void **state)
{
    const struct template_wish wish = {.template = template_find(SPAN("us-canada"))};
    struct template_list *list = NULL;
    struct fault f;

    (void)state;
    go_to(SPAN("JP"));
    for (unsigned n = 0;; n++) {
        int err;

        failalloc_after(n);
        err = template_new(&list, &wish, place.atlas, MINIMAL_WITH_EXCEPTIONS, NULL, &f);
        if (!failalloc_off()) {
            assert_int_equal(err, 0);
            break;
        }
        assert_int_equal(err, ERR_NOMEM);
        assert_null(list);
    }
    template_free(list);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest fixed[] = {
        cmocka_unit_test(every_number_is_as_the_template_says),
        cmocka_unit_test(what_is_not_abroad_stays),
        cmocka_unit_test(what_holds_for_a_time_does_not_stand_for_the_list),
        cmocka_unit_test(wrong_countries_are_refused),
        cmocka_unit_test(memory_may_run_out),
    };
    struct fault f;
    int rc;

    if (argc != 2 || tables_load(&tables, NULL, 0, &f))
        return EXIT_FAILURE;
    rc = cases_run(argv[1], numbers, fixed, sizeof(fixed) / sizeof(fixed[0]));
    atlas_free(place.atlas);
    site_free(place.site);
    tables_free(tables);
    return rc;
}

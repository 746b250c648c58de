/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/template.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const us_canada[] = {"US", "CA", NULL};

static const struct template templates[] = {
    {.name = "international-off",
     .opens = TEMPLATE_NOTHING,
     .en = {"International off", "No call goes abroad."},
     .ja = {"国際発信なし", "国際電話は一切発信できません。"}},
    {.name = "only-countries",
     .opens = TEMPLATE_COUNTRIES,
     .en = {"Only these countries",
            "Calls abroad go to the given countries only, and there not to premium, shared-cost, "
            "personal or satellite numbers."},
     .ja = {"指定した国のみ", "国際電話は指定した国にだけ発信できます。その国の番号でも、有料情報"
                              "サービス、特別料金、個人番号、衛星電話などには発信できません。"}},
    {.name = "us-canada",
     .opens = TEMPLATE_COUNTRIES,
     .countries = us_canada,
     .en =
         {"United States and Canada",
          "Calls abroad go to area codes of the United States and Canada only: not to the "
          "Caribbean, other territories, premium (1-900), personal (1-500) or freephone numbers."},
     .ja = {"アメリカ合衆国とカナダ",
            "国際電話はアメリカ合衆国とカナダの市外局番にだけ発信できます。カリブ海諸国、"
            "その他の地域、有料情報サービス (1-900)、個人番号 (1-500)、着信者払いの番号には"
            "発信できません。"}},
    {.name = "only-new-york",
     .opens = TEMPLATE_PREFIX,
     .prefix = "1212",
     .en = {"Only New York", "Calls abroad go to +1-212 only."},
     .ja = {"ニューヨークのみ", "国際電話は +1-212 にだけ発信できます。"}},
    {.name = "no-high-risk",
     .opens = TEMPLATE_NO_HIGH_RISK,
     .en = {"All but high risk",
            "Calls abroad go everywhere except to destinations with high risk of revenue share "
            "fraud and to premium, shared-cost, personal or satellite numbers."},
     .ja = {"高リスク以外",
            "通話料の分配を狙う不正の危険度が高い宛先と、有料情報サービス、特別料金、個人番号、"
            "衛星電話などの番号を除き、国際電話を発信できます。"}},
};

#define TEMPLATES (sizeof(templates) / sizeof(templates[0]))

size_t template_count(void)
{
    return TEMPLATES;
}

const struct template *template_at(size_t i)
{
    return &templates[i];
}

const struct template *template_find(struct span name)
{
    for (size_t i = 0; i < TEMPLATES; i++)
        if (span_is(name, templates[i].name))
            return &templates[i];
    return NULL;
}

bool template_takes_countries(const struct template *t)
{
    return t->opens == TEMPLATE_COUNTRIES && !t->countries;
}

/* ---- what is to be open ---- */

static bool same_iso(struct span text, const char *iso)
{
    struct span want = span_of(iso);

    if (text.n != want.n)
        return false;
    for (size_t i = 0; i < want.n; i++) {
        char c = text.p[i];

        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if (c != want.p[i])
            return false;
    }
    return true;
}

static bool named(const struct template_wish *wish, const struct country *country)
{
    const char *const *fixed = wish->template->countries;

    if (!country)
        return false;
    for (; fixed && *fixed; fixed++)
        if (same_iso(span_of(*fixed), country->iso))
            return true;
    for (size_t i = 0; i < wish->n_countries; i++)
        if (same_iso(wish->countries[i], country->iso))
            return true;
    return false;
}

/* What the caller pays more for than for a call to that country. */
static bool surcharged(enum number_kind kind)
{
    switch (kind) {
    case KIND_PREMIUM:
    case KIND_SHARED_COST:
    case KIND_PERSONAL:
    case KIND_SATELLITE:
    case KIND_RISK:
    case KIND_OPERATOR: return true;
    case KIND_NONE:
    case KIND_GEOGRAPHIC:
    case KIND_MOBILE:
    case KIND_IP:
    case KIND_M2M:
    case KIND_LOCAL:
    case KIND_HOME:
    case KIND_HELP: return false;
    }
    return true;
}

static bool opens(const struct template_wish *wish, const struct atlas_region *region,
                  size_t access)
{
    const struct atlas_traits *traits = &region->traits;

    if (surcharged(traits->kind))
        return false;
    switch (wish->template->opens) {
    case TEMPLATE_NOTHING: return false;
    case TEMPLATE_COUNTRIES: return named(wish, traits->country);
    case TEMPLATE_PREFIX:
        return span_starts(span_skip((struct span){region->prefix, region->n}, access),
                           span_of(wish->template->prefix));
    case TEMPLATE_NO_HIGH_RISK: return traits->risk < RISK_HIGH;
    }
    return false;
}

/* ---- the wish itself ---- */

/* Where the number is: behind the access prefix, and not an operator. */
static bool abroad(const struct atlas *atlas, const struct atlas_region *region)
{
    return region->traits.class == CLASS_INTERNATIONAL && !region->traits.open_ended &&
           span_starts((struct span){region->prefix, region->n}, atlas_access(atlas));
}

static bool in_atlas(const struct atlas *atlas, struct span iso)
{
    for (size_t i = 0; i < atlas_count(atlas); i++) {
        const struct atlas_region *region = atlas_region(atlas, i);
        const struct country *country = region->traits.country;

        if (abroad(atlas, region) && country && same_iso(iso, country->iso))
            return true;
    }
    return false;
}

static int check(const struct template_wish *wish, const struct atlas *atlas, size_t *wrong,
                 struct fault *f)
{
    bool takes = template_takes_countries(wish->template);

    if (!takes && wish->n_countries)
        return fault(f, ERR_SYNTAX, "the template %s takes no countries", wish->template->name);
    if (takes && (wish->n_countries == 0 || wish->n_countries > TEMPLATE_COUNTRIES_MAX))
        return fault(f, ERR_SYNTAX, "the template %s takes 1 to %d countries, as US or DE",
                     wish->template->name, TEMPLATE_COUNTRIES_MAX);
    for (size_t i = 0; i < wish->n_countries; i++) {
        struct span iso = wish->countries[i];

        if (iso.n == 2 && in_atlas(atlas, iso))
            continue;
        if (wrong)
            *wrong = i;
        return fault(f, ERR_MISSING,
                     "\"%s\" is no country that is called by %.*s; countries are two letters of "
                     "ISO 3166-1, as US or DE",
                     ESCAPED(iso), SPAN_FMT(atlas_access(atlas)));
    }
    return 0;
}

/* ---- the list ---- */

struct template_list {
    struct minimal *minimal;
    struct rule *rules;
    size_t n;
    char access[RULE_PREFIX_MAX];
    char below[10][RULE_PREFIX_MAX + 1];
};

/* Of regions that share a prefix, and differ in length, all or none are opened. */
static size_t wants_of(const struct template_wish *wish, const struct atlas *atlas,
                       struct minimal_want *wants)
{
    struct span access = atlas_access(atlas);
    size_t n = 0;

    wants[n++] = (struct minimal_want){access, MINIMAL_CLOSED};
    for (size_t i = 0; i < atlas_count(atlas); i++) {
        const struct atlas_region *region = atlas_region(atlas, i);
        struct span prefix = {region->prefix, region->n};
        bool open;

        if (!abroad(atlas, region) || prefix.n > RULE_PREFIX_MAX)
            continue;
        open = opens(wish, region, access.n);
        if (!span_eq(wants[n - 1].prefix, prefix))
            wants[n++] = (struct minimal_want){prefix, open ? MINIMAL_OPEN : MINIMAL_CLOSED};
        else if (!open)
            wants[n - 1].outcome = MINIMAL_CLOSED;
    }
    return n;
}

static bool has(const struct template_list *list, size_t n, struct span prefix)
{
    for (size_t i = 0; i < n; i++)
        if (span_eq(list->rules[i].prefix, prefix))
            return true;
    return false;
}

static int compare(const void *a, const void *b)
{
    const struct rule *x = a, *y = b;
    size_t n = x->prefix.n < y->prefix.n ? x->prefix.n : y->prefix.n;
    int order = memcmp(x->prefix.p, y->prefix.p, n);

    return order ? order : (x->prefix.n > y->prefix.n) - (x->prefix.n < y->prefix.n);
}

/* Where most is open the fewest rules leave the access prefix itself alone: then what was open by
 * itself becomes ten exceptions. */
static void restrict_access(struct template_list *list)
{
    struct span access = span_of(list->access);
    size_t n = list->n;

    if (has(list, n, access))
        return;
    for (int digit = 0; digit < 10; digit++) {
        snprintf(list->below[digit], sizeof(list->below[digit]), "%s%d", list->access, digit);
        if (!has(list, n, span_of(list->below[digit])))
            list->rules[list->n++] =
                (struct rule){.action = RULE_EXCEPT, .prefix = span_of(list->below[digit])};
    }
    list->rules[list->n++] = (struct rule){.action = RULE_RESTRICT, .prefix = access};
    qsort(list->rules, list->n, sizeof(*list->rules), compare);
}

static int compute(struct template_list *list, const struct template_wish *wish,
                   const struct atlas *atlas, enum minimal_form form, struct fault *f)
{
    struct span access = atlas_access(atlas);
    struct minimal_want *wants = calloc(atlas_count(atlas) + 1, sizeof(*wants));
    int err = wants ? 0 : fault_nomem(f);

    if (!err)
        err = minimal_new(&list->minimal, access, wants, wants_of(wish, atlas, wants), form, f);
    free(wants);
    if (err)
        return err;
    list->rules = calloc(minimal_count(list->minimal) + 11, sizeof(*list->rules));
    if (!list->rules)
        return fault_nomem(f);
    for (list->n = 0; list->n < minimal_count(list->minimal); list->n++)
        list->rules[list->n] = minimal_rule(list->minimal, list->n);
    snprintf(list->access, sizeof(list->access), "%.*s", SPAN_FMT(access));
    if (form == MINIMAL_WITH_EXCEPTIONS)
        restrict_access(list);
    return 0;
}

int template_new(struct template_list **out, const struct template_wish *wish,
                 const struct atlas *atlas, enum minimal_form form, size_t *wrong, struct fault *f)
{
    struct template_list *list;
    int err = check(wish, atlas, wrong, f);

    if (err)
        return err;
    list = calloc(1, sizeof(*list));
    err = list ? compute(list, wish, atlas, form, f) : fault_nomem(f);
    if (err)
        template_free(list);
    else
        *out = list;
    return err;
}

void template_free(struct template_list *list)
{
    if (!list)
        return;
    minimal_free(list->minimal);
    free(list->rules);
    free(list);
}

size_t template_rules(const struct template_list *list)
{
    return list->n;
}

struct rule template_rule(const struct template_list *list, size_t i)
{
    return list->rules[i];
}

const struct rule *template_clash(const struct template_list *list, const struct rule *before,
                                  size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!before[i].mandatory || (!before[i].until && !before[i].schedule.n))
            continue;
        for (size_t k = 0; k < list->n; k++)
            if (list->rules[k].action == before[i].action &&
                span_eq(list->rules[k].prefix, before[i].prefix))
                return &before[i];
    }
    return NULL;
}

size_t template_apply(const struct template_list *list, struct span access,
                      const struct rule *before, size_t n, const struct rule *terms,
                      struct rule *out)
{
    size_t kept = 0, count;

    for (size_t i = 0; i < n; i++)
        if (before[i].mandatory || !span_starts(before[i].prefix, access))
            out[kept++] = before[i];
    count = kept;
    for (size_t i = 0; i < list->n; i++) {
        struct rule rule = list->rules[i];
        bool there = false;

        /* A mandatory one says it already, and one owner has no two with the same prefix. */
        for (size_t k = 0; k < kept && !there; k++)
            there = out[k].action == rule.action && span_eq(out[k].prefix, rule.prefix);
        if (there)
            continue;
        if (rule.action == RULE_EXCEPT) {
            rule.until = terms->until;
            rule.schedule = terms->schedule;
        }
        out[count++] = rule;
    }
    return count;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The atlas and numbering_parse() say the same of every number, in every plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failalloc.h"
#include "numbering/atlas.h"
#include "numbering/numbering.h"
#include "numbering/profiles.h"

static struct site *open_site(const char *plan)
{
    struct site_config config = {.plan = span_of(plan)};
    struct site *site;
    struct fault f;

    return site_new(&site, profiles_tables(), &config, &f) ? NULL : site;
}

static bool same(const struct atlas_traits *t, const struct number *n)
{
    return t->class == n->class && t->kind == n->kind && t->risk == n->risk &&
           t->country == n->country && t->open_ended == n->open_ended;
}

static bool dialable(const struct number *n)
{
    switch (n->class) {
    case CLASS_EMERGENCY:
    case CLASS_NATIONAL:
    case CLASS_FREEPHONE:
    case CLASS_SHARED_COST:
    case CLASS_PREMIUM:
    case CLASS_SPECIAL:
    case CLASS_INTERNATIONAL: return n->kind != KIND_LOCAL;
    case CLASS_INTERNAL:
    case CLASS_FORWARDING:
    case CLASS_INVALID:
    case CLASS_INCOMPLETE:
    case CLASS_MALFORMED:
    case CLASS_UNKNOWN: return false;
    }
    return false;
}

/* Of two meanings of one canonical form (a short code that is spelled like a number of the country) the
 * atlas has the one of the string itself. */
static void check(const char *plan, const struct site *site, const struct atlas *atlas,
                  const char *dialled)
{
    const struct atlas_region *r;
    struct number n, itself;

    numbering_parse(site, span_of(dialled), &n);
    if (!dialable(&n) || !n.dialled[0] || strlen(n.dialled) > ATLAS_PREFIX_MAX)
        return;
    numbering_parse(site, span_of(n.dialled), &itself);
    /* Two trunk prefixes by habit: what is left when one is gone is no spelling of itself. */
    if (dialable(&itself) && n.e164[0] && strcmp(itself.dialled, n.dialled) != 0)
        return;
    if (dialable(&itself) && strcmp(itself.dialled, n.dialled) == 0 && !n.open_ended)
        n = itself;
    r = atlas_find(atlas, span_of(n.dialled));
    if (!r)
        fail_msg("%s: %s (%s) is in no region", plan, dialled, n.dialled);
    if (!same(&r->traits, &n))
        fail_msg("%s: %s is %s %s %s %s, and the atlas says %s %s %s %s", plan, dialled,
                 number_class_name(n.class), n.kind ? number_kind_name(n.kind) : "-",
                 n.country ? n.country->iso : "-", number_risk_name(n.risk),
                 number_class_name(r->traits.class),
                 r->traits.kind ? number_kind_name(r->traits.kind) : "-",
                 r->traits.country ? r->traits.country->iso : "-",
                 number_risk_name(r->traits.risk));
}

static unsigned seed = 1;

static unsigned below(unsigned n)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 8) % n;
}

static void fill(char *out, size_t from, size_t to)
{
    for (; from < to; from++)
        out[from] = (char)('0' + below(10));
    out[to] = '\0';
}

/* Numbers of every region, in both spellings. */
static void check_regions(const char *plan, const struct site *site, const struct atlas *atlas)
{
    for (size_t i = 0; i < atlas_count(atlas); i++) {
        const struct atlas_region *r = atlas_region(atlas, i);
        char number[NUMBER_DIGITS_MAX], spelled[2 * NUMBER_DIGITS_MAX];
        struct span access = atlas_access(atlas), cc = atlas_cc(atlas), trunk = atlas_trunk(atlas);
        struct atlas_traits traits;

        assert_true(r->lengths != 0 && r->n <= ATLAS_PREFIX_MAX && strlen(r->prefix) == r->n);
        if (i > 0)
            assert_true(strcmp(r[-1].prefix, r->prefix) < 0 ||
                        (strcmp(r[-1].prefix, r->prefix) == 0 && !(r[-1].lengths & r->lengths)));
        assert_true(r->traits.open_ended ||
                    atlas_example(atlas, (struct span){r->prefix, r->n}, false, number, &traits));
        for (size_t length = r->n; length <= ATLAS_PREFIX_MAX; length++) {
            if (!(r->lengths & UINT32_C(1) << length))
                continue;
            memcpy(number, r->prefix, r->n);
            fill(number, r->n, length);
            check(plan, site, atlas, number);
            if (span_starts(span_of(number), access))
                snprintf(spelled, sizeof(spelled), "+%s", number + access.n);
            else if (span_starts(span_of(number), trunk))
                snprintf(spelled, sizeof(spelled), "+%.*s%s", SPAN_FMT(cc), number + trunk.n);
            else
                continue;
            check(plan, site, atlas, spelled);
        }
    }
}

/* Anything that might be a number. */
static void check_strings(const char *plan, const struct site *site, const struct atlas *atlas)
{
    struct span access = atlas_access(atlas);
    char s[NUMBER_DIGITS_MAX];

    for (unsigned i = 0; i < 1000; i++) {
        snprintf(s, sizeof(s), "%u", i);
        check(plan, site, atlas, s);
        snprintf(s, sizeof(s), "%03u", i);
        check(plan, site, atlas, s);
    }
    for (unsigned i = 0; i < 3000; i++) {
        size_t n = below(3) ? 0 : access.n;

        memcpy(s, access.p, n);
        s[0] = n == 0 && below(2) ? '+' : s[0];
        fill(s, n == 0 && s[0] == '+' ? 1 : n, n + 3 + below(13));
        check(plan, site, atlas, s);
    }
}

static void check_plan(const char *plan, struct site *site)
{
    struct atlas *atlas;
    struct fault f;

    assert_int_equal(atlas_new(&atlas, site, &f), 0);
    check_regions(plan, site, atlas);
    check_strings(plan, site, atlas);
    atlas_free(atlas);
    site_free(site);
}

/* Those of the command line, or all. */
static char **plans;

static void plans_agree_with_their_parser(void **state)
{
    size_t n = 0;

    (void)state;
    for (size_t i = 0; plans[i]; i++)
        check_plan(plans[i], open_site(plans[i]));
    for (char a = 'A'; a <= 'Z' && !plans[0]; a++)
        for (char b = 'A'; b <= 'Z'; b++) {
            char plan[3] = {a, b, '\0'};
            struct site *site = open_site(plan);

            if (!site)
                continue;
            check_plan(plan, site);
            n++;
        }
    assert_true(plans[0] || n > 240);
}

static void it_survives_a_lack_of_memory(void **state)
{
    struct site *site = open_site("JP");
    struct atlas *atlas = NULL;
    struct fault f;

    (void)state;
    for (size_t n = 0;; n++) {
        failalloc_after(n);

        int err = atlas_new(&atlas, site, &f);

        if (!failalloc_off()) {
            assert_int_equal(err, 0);
            break;
        }
        assert_int_equal(err, ERR_NOMEM);
        assert_null(atlas);
    }
    atlas_free(atlas);
    atlas_free(NULL);
    site_free(site);
}

/* What DESIGN.md says of Japan. */
static void japan_is_as_everybody_knows(void **state)
{
    static const struct {
        const char *dialled;
        enum number_class class;
        const char *iso;
    } numbers[] = {
        {"01018765551234", CLASS_INTERNATIONAL, "JM"},
        {"01018095551234", CLASS_INTERNATIONAL, "DO"},
        {"0990123456", CLASS_PREMIUM, "JP"},
        {"0120123456", CLASS_FREEPHONE, "JP"},
        {"0312345678", CLASS_NATIONAL, "JP"},
        {"117", CLASS_SPECIAL, NULL},
        {"110", CLASS_EMERGENCY, NULL},
        {"010", CLASS_INTERNATIONAL, NULL},
    };
    static const char *const nobodys[] = {
        "0100123456789",     "1171",          "01",           "",
        "01012105551234567", "0101200555123", "+81312345678", "1841171"};
    struct site *site = open_site("JP");
    struct atlas *atlas;
    struct fault f;

    (void)state;
    assert_int_equal(atlas_new(&atlas, site, &f), 0);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        const struct atlas_region *r = atlas_find(atlas, span_of(numbers[i].dialled));

        assert_non_null(r);
        assert_int_equal(r->traits.class, numbers[i].class);
        if (numbers[i].iso)
            assert_string_equal(r->traits.country->iso, numbers[i].iso);
        else
            assert_null(r->traits.country);
    }
    for (size_t i = 0; i < sizeof(nobodys) / sizeof(*nobodys); i++)
        assert_null(atlas_find(atlas, span_of(nobodys[i])));
    assert_true(atlas_has(atlas, SPAN("0101876")));
    assert_true(atlas_has(atlas, SPAN("01018765551234")));
    assert_false(atlas_has(atlas, SPAN("010187655512345")));
    assert_false(atlas_has(atlas, SPAN("0100")));
    assert_true(atlas_spells(atlas, SPAN("+")) && atlas_spells(atlas, SPAN("184")));
    assert_true(atlas_spells(atlas, SPAN("0033")) && atlas_spells(atlas, SPAN("0091")));
    assert_false(atlas_spells(atlas, SPAN("0100")) || atlas_spells(atlas, SPAN("1171")));
    atlas_free(atlas);
    site_free(site);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(japan_is_as_everybody_knows),
        cmocka_unit_test(it_survives_a_lack_of_memory),
        cmocka_unit_test(plans_agree_with_their_parser),
    };

    (void)argc;
    plans = argv + 1;

    int failed = cmocka_run_group_tests_name("atlas", tests, NULL, NULL);

    profiles_free();
    return failed;
}

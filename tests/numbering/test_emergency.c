/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emergency numbers in all plans, exhaustively: exactly and whole, behind everything that a plan lets stand
 * before a number, and never with anything behind them. What may stand before is read from the plan's
 * own codes, and what a string then is, is worked out here a second time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "numbering/numbering.h"
#include "numbering/plan.h"
#include "numbering/profiles.h"

#define DEPTH 2
#define FRONTS_MAX 256
#define KEYS_MAX 16
#define OUTSIDE "9"

/* One thing that may stand before a number. */
struct front {
    char keys[KEYS_MAX];
    enum { PREFIX, CARRIER, OUTSIDE_LINE, COUNTRY } what;
    enum number_presentation presentation;
};

struct house {
    const char *iso;
    const struct plan *plan, *any;
    const struct site *site;
    bool outside;
    struct front fronts[FRONTS_MAX];
    size_t n_fronts;
};

/* ---- what may stand before a number ---- */

static void add_front(struct house *h, const char *keys, int what, enum number_presentation p)
{
    struct front *f = &h->fronts[h->n_fronts];

    if (h->n_fronts == FRONTS_MAX)
        fail_msg("%s: more than %d codes", h->iso, FRONTS_MAX);
    snprintf(f->keys, sizeof(f->keys), "%s", keys);
    f->what = what;
    f->presentation = p;
    h->n_fronts++;
}

/* Of the many codes that one row may stand for, the first that the trie has. `seen`: one flag a row. */
static void find_fronts(struct house *h, const struct plan *plan, uint16_t node, char *path,
                        size_t depth, bool *seen)
{
    static const char keys[] = "0123456789*#";
    uint16_t index = plan->trie.nodes[node].value[PLAN_STRIP];
    const struct code *code = &plan->code[index];

    if (index && !seen[index] && (code->role == ROLE_PREFIX || code->role == ROLE_CARRIER)) {
        char whole[KEYS_MAX];
        size_t n = code->lengths ? (size_t)__builtin_ctz(code->lengths) : depth;

        snprintf(whole, sizeof(whole), "%.*s%.*s", (int)depth, path, (int)(n - depth), "2222");
        add_front(h, whole, code->role == ROLE_CARRIER ? CARRIER : PREFIX, code->presentation);
        seen[index] = true;
    }
    for (unsigned k = 0; k < TRIE_KEYS && depth + 1 < KEYS_MAX; k++) {
        path[depth] = keys[k];
        if (plan->trie.nodes[node].child[k])
            find_fronts(h, plan, plan->trie.nodes[node].child[k], path, depth + 1, seen);
    }
}

static void fronts_of(struct house *h)
{
    const struct plan *plans[] = {h->any, h->plan};
    char path[KEYS_MAX] = "", country[KEYS_MAX];

    h->n_fronts = 0;
    for (int p = 0; p < 2; p++) {
        bool *seen = calloc(plans[p]->n_codes + 1, sizeof(*seen));

        assert_non_null(seen);
        find_fronts(h, plans[p], 0, path, 0, seen);
        free(seen);
    }
    snprintf(country, sizeof(country), "+%.*s", SPAN_FMT(h->plan->cc));
    add_front(h, country, COUNTRY, PRESENTATION_DEFAULT);
    if (h->outside)
        add_front(h, OUTSIDE, OUTSIDE_LINE, PRESENTATION_DEFAULT);
}

/* ---- what a string is, worked out again ---- */

enum { CARRIER_GONE = 1, OUTSIDE_GONE = 2, AT_START = 4 };

static bool is_emergency(const struct house *h, struct span keys)
{
    for (size_t i = 0; i < h->plan->n_emergency; i++)
        if (span_eq(h->plan->emergency[i], keys))
            return true;
    return false;
}

static bool reaches(const struct house *h, struct span keys, unsigned gone);

static bool behind_codes(const struct house *h, const struct plan *plan, struct span keys,
                         unsigned gone)
{
    uint16_t node = 0;

    for (size_t i = 0; i < keys.n; i++) {
        node = trie_step(&plan->trie, node, keys.p[i]);
        if (!node)
            return false;

        uint16_t index = plan->trie.nodes[node].value[PLAN_STRIP];
        const struct code *code = &plan->code[index];
        size_t n = code->lengths ? (size_t)__builtin_ctz(code->lengths) : i + 1;

        if (!index || n > keys.n)
            continue;
        if (code->role == ROLE_PREFIX && reaches(h, span_skip(keys, n), gone))
            return true;
        if (code->role == ROLE_CARRIER && !(gone & CARRIER_GONE) &&
            reaches(h, span_skip(keys, n), gone | CARRIER_GONE | OUTSIDE_GONE))
            return true;
    }
    return false;
}

/* Whether the keys are things that may stand before a number, and an emergency number. */
static bool reaches(const struct house *h, struct span keys, unsigned gone)
{
    if (is_emergency(h, keys))
        return true;
    if (keys.n && keys.p[0] == '+')
        return span_starts(span_skip(keys, 1), h->plan->cc) &&
               is_emergency(h, span_skip(keys, 1 + h->plan->cc.n));
    if (h->outside && !(gone & OUTSIDE_GONE) && span_starts(keys, SPAN(OUTSIDE)) &&
        reaches(h, span_skip(keys, 1), gone | OUTSIDE_GONE))
        return true;
    return behind_codes(h, h->any, keys, gone) || behind_codes(h, h->plan, keys, gone);
}

/* ---- the cases ---- */

static void check(const struct house *h, const char *dialled, struct span number,
                  enum number_presentation presentation)
{
    struct number n;

    numbering_parse(h->site, span_of(dialled), &n);
    if (n.class != CLASS_EMERGENCY || n.presentation != presentation)
        fail_msg("%s: %s is %s, %s", h->iso, dialled, number_class_name(n.class),
                 number_presentation_name(n.presentation));
    /* 9 for the line and 90 are 990. */
    if (!span_is(number, n.dialled) && !(h->outside && is_emergency(h, span_of(n.dialled))))
        fail_msg("%s: %s is %s", h->iso, dialled, n.dialled);
    if (n.e164[0])
        fail_msg("%s: %s is %s %s", h->iso, dialled, n.dialled, n.e164);
}

static void check_tails(const struct house *h, const char *before, struct span number)
{
    static const char *const tails[] = {"0",          "1",  "9",  "00", "112",    "911",
                                        "0312345678", "*1", "#1", "+1", "184110", "00112345678"};
    char text[NUMBER_BYTES_MAX];
    struct number n;

    for (size_t t = 0; t < sizeof(tails) / sizeof(tails[0]); t++) {
        snprintf(text, sizeof(text), "%s%.*s%s", before, SPAN_FMT(number), tails[t]);
        numbering_parse(h->site, span_of(text), &n);
        if (n.class == CLASS_EMERGENCY && !reaches(h, span_of(text), AT_START))
            fail_msg("%s: %s inherits from %.*s", h->iso, text, SPAN_FMT(number));
    }
}

/* The outside line once and not behind a carrier, a carrier once, the country code last; and where the
 * outside line is dialled before a code, the keys must not read as something else without it. */
static bool permitted(const struct front *const *at, size_t n)
{
    size_t outsides = 0, carriers = 0;

    for (size_t i = 0; i < n; i++) {
        if (at[i]->what == COUNTRY && i + 1 < n)
            return false;
        if (at[i]->what == OUTSIDE_LINE && (outsides++ || carriers))
            return false;
        if (at[i]->what == CARRIER && carriers++)
            return false;
    }
    return true;
}

static enum number_presentation expected(const struct front *const *at, size_t n)
{
    enum number_presentation p = PRESENTATION_DEFAULT;

    for (size_t i = 0; i < n; i++)
        if (p != PRESENTATION_WITHHOLD && at[i]->presentation != PRESENTATION_DEFAULT)
            p = at[i]->presentation;
    return p;
}

static void try_sequence(const struct house *h, const struct front *const *at, size_t n)
{
    char before[DEPTH * KEYS_MAX + 1] = "", dialled[96];

    if (!permitted(at, n))
        return;
    for (size_t i = 0; i < n; i++)
        snprintf(before + strlen(before), sizeof(before) - strlen(before), "%s", at[i]->keys);
    for (size_t i = 0; i < h->plan->n_emergency; i++) {
        struct span number = h->plan->emergency[i];

        snprintf(dialled, sizeof(dialled), "%s%.*s", before, SPAN_FMT(number));
        check(h, dialled, number, expected(at, n));
        check_tails(h, before, number);
    }
}

static void try_plan(struct house *h)
{
    const struct front *at[DEPTH] = {NULL, NULL};

    fronts_of(h);
    try_sequence(h, at, 0);
    for (size_t i = 0; i < h->n_fronts; i++) {
        at[0] = &h->fronts[i];
        try_sequence(h, at, 1);
        for (size_t k = 0; k < h->n_fronts; k++) {
            at[1] = &h->fronts[k];
            try_sequence(h, at, 2);
        }
    }
}

static void for_all_plans(const char *profile, void (*each)(struct house *h))
{
    size_t n = 0;

    for (char a = 'A'; a <= 'Z'; a++)
        for (char b = 'A'; b <= 'Z'; b++) {
            char iso[] = {a, b, '\0'}, name[16];
            struct house h = {.iso = iso, .outside = strcmp(profile, "bare") != 0};

            h.plan = tables_plan(profiles_tables(), span_of(iso));
            if (!h.plan)
                continue;
            h.any = tables_plan(profiles_tables(), SPAN("*"));
            snprintf(name, sizeof(name), "%s-%s", iso, profile);
            h.site = profiles_site(name);
            each(&h);
            n++;
        }
    assert_int_equal(n, 245);
}

static void it_passes_behind_everything_in_every_plan(void **state)
{
    for_all_plans("bare", try_plan);
}

static void it_passes_behind_an_outside_line_in_every_plan(void **state)
{
    for_all_plans("out" OUTSIDE, try_plan);
}

static void try_contexts(struct house *h)
{
    static const char *const contexts[] = {"1", "7", "44", "81", "82", "86", "252", "800", "999"};
    static const char *const shapes[][2] = {
        {"tel:", ""}, {"sip:", "@h"}, {"", ""}, {"tel:*67", ""}};
    char text[96];
    struct number n;

    for (size_t e = 0; e < h->plan->n_emergency; e++)
        for (size_t c = 0; c < sizeof(contexts) / sizeof(contexts[0]); c++)
            for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
                if (span_starts(span_of(contexts[c]), h->plan->cc))
                    continue;
                snprintf(text, sizeof(text), "%s%.*s;phone-context=+%s%s", shapes[s][0],
                         SPAN_FMT(h->plan->emergency[e]), contexts[c], shapes[s][1]);
                numbering_parse(h->site, span_of(text), &n);
                if (n.class == CLASS_EMERGENCY)
                    fail_msg("%s: %s is an emergency call", h->iso, text);
            }
}

static void a_foreign_context_is_never_one_in_any_plan(void **state)
{
    for_all_plans("bare", try_contexts);
}

static void try_numbers(struct house *h)
{
    /* Nobody says what to dial in Guinea, Equatorial Guinea, the Chagos, Tristan da Cunha and Tokelau. */
    assert_true(h->plan->n_emergency > 0 || strstr("GN GQ IO TA TK", h->iso));
}

static void every_plan_has_one(void **state)
{
    for_all_plans("bare", try_numbers);
}

static int tear_down(void **state)
{
    profiles_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_plan_has_one),
        cmocka_unit_test(it_passes_behind_everything_in_every_plan),
        cmocka_unit_test(it_passes_behind_an_outside_line_in_every_plan),
        cmocka_unit_test(a_foreign_context_is_never_one_in_any_plan),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down);
}

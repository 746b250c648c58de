/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What holds of every dialled string, tried exhaustively where it can be and at random where not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "numbering/numbering.h"
#include "numbering/plan.h"
#include "numbering/profiles.h"

/* ---- emergency numbers and what may stand before them ---- */

struct prefix {
    const char *keys;
    enum number_presentation presentation;
    bool carrier;
};

/* What Japan's plan lets stand before a number. */
static const struct prefix prefixes[] = {
    {"184", PRESENTATION_WITHHOLD, false},  {"186", PRESENTATION_SEND, false},
    {"#31#", PRESENTATION_WITHHOLD, false}, {"*31#", PRESENTATION_SEND, false},
    {"*67", PRESENTATION_WITHHOLD, false},  {"*82", PRESENTATION_SEND, false},
    {"122", PRESENTATION_DEFAULT, false},   {"0033", PRESENTATION_DEFAULT, true},
    {"001", PRESENTATION_DEFAULT, true},    {"00234", PRESENTATION_DEFAULT, true},
    {"009130", PRESENTATION_DEFAULT, true}, {"005345", PRESENTATION_DEFAULT, true},
    {"003768", PRESENTATION_DEFAULT, true}, {"0041", PRESENTATION_DEFAULT, true},
    {"", PRESENTATION_DEFAULT, false},      {"", PRESENTATION_DEFAULT, false}, /* outside, + */
};
#define PREFIXES (sizeof(prefixes) / sizeof(prefixes[0]))
#define OUTSIDE (PREFIXES - 2)
#define PLUS (PREFIXES - 1)

/* One sequence of prefixes: indices, PREFIXES for none. */
struct sequence {
    size_t at[3];
    size_t n;
};

static void write_sequence(const struct sequence *s, const char *outside, char *out, size_t size)
{
    out[0] = '\0';
    for (size_t i = 0; i < s->n; i++) {
        const char *keys = s->at[i] == OUTSIDE ? outside
                           : s->at[i] == PLUS  ? "+81"
                                               : prefixes[s->at[i]].keys;

        snprintf(out + strlen(out), size - strlen(out), "%s", keys);
    }
}

/* The outside line once and not behind a carrier, a carrier once, +81 right before the number. Where
 * the outside line is 0, what begins with 0 goes through it: 0-0234-184110 is a number in Yamagata. */
static bool permitted(const struct sequence *s, const char *outside)
{
    size_t outsides = 0, carriers = 0;

    for (size_t i = 0; i < s->n; i++) {
        if (s->at[i] == PLUS && i + 1 < s->n)
            return false;
        if (s->at[i] == OUTSIDE && (!outside[0] || outsides++ || carriers))
            return false;
        if (s->at[i] < OUTSIDE && prefixes[s->at[i]].carrier &&
            (carriers++ || (outside[0] == '0' && !outsides)))
            return false;
    }
    return true;
}

static enum number_presentation expected(const struct sequence *s)
{
    enum number_presentation p = PRESENTATION_DEFAULT;

    for (size_t i = 0; i < s->n; i++) {
        enum number_presentation q = prefixes[s->at[i]].presentation;

        if (p != PRESENTATION_WITHHOLD && q != PRESENTATION_DEFAULT)
            p = q;
    }
    return p;
}

static void check_emergency(const char *profile, const char *dialled, const char *number,
                            enum number_presentation presentation)
{
    static const char *const before[] = {"", "184", "186"};
    char dial[NUMBER_DIGITS_MAX] = "", wanted[16];
    struct number n;

    numbering_parse(profiles_site(profile), span_of(dialled), &n);
    if (n.class != CLASS_EMERGENCY || n.presentation != presentation)
        fail_msg("%s in %s is %s", dialled, profile, number_class_name(n.class));
    assert_string_equal(n.dialled, number);
    assert_string_equal(n.e164, "");
    assert_int_equal(numbering_dial(profiles_site(profile), &n, FORM_PLUS_E164, dial), 0);
    snprintf(wanted, sizeof(wanted), "%s%s", before[presentation], number);
    assert_string_equal(dial, wanted);
}

static void check_no_emergency(const char *profile, const char *dialled)
{
    struct number n;

    numbering_parse(profiles_site(profile), span_of(dialled), &n);
    if (n.class == CLASS_EMERGENCY)
        fail_msg("%s in %s is an emergency call", dialled, profile);
}

/* Whatever can be dialled behind the number takes its right away. */
static void check_tails(const char *profile, const char *dialled)
{
    static const char *const tails[] = {"0",  "1",         "9",    "110",     "0312345678", "*1",
                                        "#1", "010252615", ",010", ";184110", "w1",         "-2",
                                        "+1", "０",        "p9",   " 3"};
    char text[NUMBER_BYTES_MAX];

    for (size_t t = 0; t < sizeof(tails) / sizeof(tails[0]); t++) {
        snprintf(text, sizeof(text), "%s%s", dialled, tails[t]);
        check_no_emergency(profile, text);
    }
}

static void try_sequence(const struct sequence *s, const char *profile, const char *outside)
{
    static const char *const numbers[] = {"110", "118", "119", "112", "911"};
    char before[64], dialled[96];

    if (!permitted(s, outside))
        return;
    write_sequence(s, outside, before, sizeof(before));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        snprintf(dialled, sizeof(dialled), "%s%s", before, numbers[i]);
        check_emergency(profile, dialled, numbers[i], expected(s));
        /* "911" and a 0 behind it are the outside line 9 and 110. */
        if (outside[0] != '9' || strcmp(numbers[i], "911") != 0)
            check_tails(profile, dialled);
    }
}

static void all_sequences(const char *profile, const char *outside)
{
    struct sequence s;

    s.n = 0;
    try_sequence(&s, profile, outside);
    for (s.at[0] = 0; s.at[0] < PREFIXES; s.at[0]++) {
        s.n = 1;
        try_sequence(&s, profile, outside);
        for (s.at[1] = 0; s.at[1] < PREFIXES; s.at[1]++) {
            s.n = 2;
            try_sequence(&s, profile, outside);
            for (s.at[2] = 0; s.at[2] < PREFIXES; s.at[2]++) {
                s.n = 3;
                try_sequence(&s, profile, outside);
            }
        }
    }
}

static void emergency_passes_behind_every_prefix(void **state)
{
    all_sequences("JP-bare", "");
    all_sequences("JP", "");
    all_sequences("JP-ext4", "");
}

static void emergency_passes_behind_every_outside_line(void **state)
{
    all_sequences("JP-out9", "9");
    all_sequences("JP-out0", "0");
    all_sequences("JP-out81", "81");
}

static void a_foreign_context_is_never_an_emergency(void **state)
{
    static const struct {
        const char *before, *behind;
    } shapes[] = {{"tel:110;phone-context=+", ""},    {"sip:110;phone-context=+", "@h"},
                  {"110;phone-context=+", ""},        {"sip:110@h;phone-context=+", ""},
                  {"tel:184110;phone-context=+", ""}, {"tel:0033110;phone-context=+", ""}};
    static const char *const contexts[] = {"1",   "7",    "44",   "82",   "86",  "252",
                                           "800", "1212", "8180", "8199", "999", "4481"};
    char text[96];
    struct number n;

    for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
        for (size_t c = 0; c < sizeof(contexts) / sizeof(contexts[0]); c++) {
            snprintf(text, sizeof(text), "%s%s%s", shapes[s].before, contexts[c], shapes[s].behind);
            numbering_parse(profiles_site("JP"), span_of(text), &n);
            /* +8180 is a part of Japan. */
            if (strncmp(contexts[c], "81", 2) != 0)
                assert_int_not_equal(n.class, CLASS_EMERGENCY);
        }
    }
}

/* ---- at random ---- */

static uint64_t seed;

static uint32_t dice(uint32_t sides)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % sides;
}

/* Pieces that dialled strings are made of, so that strange orders of real ones are tried. */
static const char *const pieces[] = {
    "010",   "0",        "00",  "0033",     "0041", "001",  "0051", "0066", "00777", "184",
    "186",   "122",      "110", "119",      "+",    "+81",  "81",   "1",    "252",   "615123456",
    "03",    "12345678", "090", "0120",     "0570", "0990", "#",    "*",    "#31#",  "*72",
    "**21*", "142",      "147", "171",      "100",  "9",    "1001", "44",   "1876",  "0180",
    "091",   "000",      "2",   "34561234", "5",    "7",    "8",    "0200", "106"};

static size_t random_dialled(char *out, size_t size)
{
    size_t parts = 1 + dice(6);

    out[0] = '\0';
    for (size_t i = 0; i < parts; i++) {
        const char *piece = pieces[dice(sizeof(pieces) / sizeof(pieces[0]))];

        snprintf(out + strlen(out), size - strlen(out), "%s", piece);
    }
    return strlen(out);
}

static const char *const profiles[] = {"JP",        "JP-bare", "JP-out9", "JP-out0", "JP-ext4",
                                       "JP-area03", "US",      "US-out9", "GB",      "AU",
                                       "KR",        "RU",      "IL",      "SG",      "BR"};

static bool is_national(enum number_class class)
{
    return class == CLASS_NATIONAL || class == CLASS_FREEPHONE || class == CLASS_SHARED_COST ||
           class == CLASS_PREMIUM;
}

static void check_invariants(const char *profile, const char *dialled, const struct number *n)
{
    const struct site *site = profiles_site(profile);
    const char *access = site_access_prefix(site).p;
    size_t digits = strlen(n->e164);

    if (digits && (n->e164[0] != '+' || digits < 3 || digits > 16 ||
                   strspn(n->e164 + 1, "0123456789") != digits - 1))
        fail_msg("%s in %s: e164 %s", dialled, profile, n->e164);
    if (n->class == CLASS_INTERNATIONAL && strncmp(n->dialled, access, strlen(access)) != 0)
        fail_msg("%s in %s: INTERNATIONAL as %s", dialled, profile, n->dialled);
    /* A call that is free may go to whoever shares the country code. */
    if (is_national(n->class) && n->class != CLASS_FREEPHONE && n->country &&
        strcmp(n->country->iso, "001") != 0 && strncmp(n->country->iso, profile, 2) != 0)
        fail_msg("%s in %s: %s in %s", dialled, profile, number_class_name(n->class),
                 n->country->iso);
    if (n->class == CLASS_INTERNATIONAL && n->kind != KIND_OPERATOR && !digits)
        fail_msg("%s in %s: INTERNATIONAL to nobody", dialled, profile);
}

static void check_again(const char *profile, const char *dialled, const struct number *n)
{
    static const enum number_form forms[] = {FORM_DIALLED, FORM_PLUS_E164};
    const struct plan *plan = tables_plan(profiles_tables(), (struct span){profile, 2});
    const struct site *site =
        n->class == CLASS_INTERNAL ? profiles_site(profile) : profiles_trunk(profile);

    for (size_t i = 0; i < 2; i++) {
        char dial[NUMBER_DIGITS_MAX] = "";
        struct number again;

        if (numbering_dial(profiles_site(profile), n, forms[i], dial))
            continue;
        if (strspn(dial, "0123456789*#+") != strlen(dial))
            fail_msg("%s in %s: dials %s", dialled, profile, dial);
        /* The other forms write a home number as the national one that it is, and what is free in all
         * countries of one country code as that. */
        if (i == 1 && n->class == CLASS_INTERNATIONAL &&
            span_starts(span_of(n->e164 + 1), plan->cc))
            continue;
        numbering_parse(site, span_of(dial), &again);
        /* A forwarding to an extension means nothing at the trunk. */
        if (n->class == CLASS_FORWARDING && n->target == CLASS_INTERNAL)
            continue;
        if (again.class != n->class || strcmp(again.e164, n->e164) != 0 ||
            again.presentation != n->presentation)
            fail_msg("%s in %s: %s %s dials %s, which is %s %s", dialled, profile,
                     number_class_name(n->class), n->e164, dial, number_class_name(again.class),
                     again.e164);
    }
}

static void what_is_dialled_is_what_was_understood(void **state)
{
    char dialled[64];
    struct number n;

    seed = 0x9e3779b97f4a7c15;
    for (int round = 0; round < 60000; round++) {
        const char *profile = profiles[dice(sizeof(profiles) / sizeof(profiles[0]))];

        random_dialled(dialled, sizeof(dialled));
        numbering_parse(profiles_site(profile), span_of(dialled), &n);
        check_invariants(profile, dialled, &n);
        check_again(profile, dialled, &n);
    }
}

/* A walk of digits through the plan's codes, to the end of one or past it. */
static void append_code(const struct plan *plan, char *text, size_t size)
{
    uint16_t node = 0;

    for (int depth = 0; depth < 8; depth++) {
        const struct trie_node *at = &plan->trie.nodes[node];
        unsigned key = dice(10), tries = 0;

        if (node && (at->value[PLAN_STRIP] || at->value[PLAN_WHOLE]) && dice(2))
            return;
        while (tries < 10 && !at->child[key]) {
            key = (key + 1) % 10;
            tries++;
        }
        if (tries == 10)
            return;
        snprintf(text + strlen(text), size - strlen(text), "%u", key);
        node = at->child[key];
    }
}

static void random_of_plan(const struct plan *plan, char *text, size_t size)
{
    text[0] = '\0';
    for (unsigned left_over = 1 + dice(3); left_over > 0; left_over--) {
        char *end = text + strlen(text);
        size_t left = size - (size_t)(end - text);

        switch (dice(6)) {
        case 0: snprintf(end, left, "%.*s", SPAN_FMT(plan->trunk)); break;
        case 1: snprintf(end, left, "%s", plan->access); break;
        case 2: snprintf(end, left, "%s%.*s", end == text ? "+" : "", SPAN_FMT(plan->cc)); break;
        case 3: snprintf(end, left, "%.*s", SPAN_FMT(plan->cc)); break;
        default: append_code(plan, text, size); break;
        }
    }
    for (unsigned more = dice(12); more > 0 && strlen(text) < 30; more--)
        snprintf(text + strlen(text), size - strlen(text), "%u", dice(10));
}

/* The canonical form is a fixed point, in every plan, and so is what is dialled. */
static void canonical_forms_are_fixed_in_every_plan(void **state)
{
    char dialled[96], profile[16];
    struct number n, again;

    seed = 0xda942042e4dd58b5;
    for (unsigned round = 0; round < 26 * 26 * 1500; round++) {
        char iso[] = {(char)('A' + round / 1500 / 26), (char)('A' + round / 1500 % 26), '\0'};
        const struct plan *plan = tables_plan(profiles_tables(), span_of(iso));

        if (!plan)
            continue;
        snprintf(profile, sizeof(profile), "%s-bare", iso);
        random_of_plan(plan, dialled, sizeof(dialled));
        numbering_parse(profiles_site(profile), span_of(dialled), &n);
        check_invariants(profile, dialled, &n);
        check_again(profile, dialled, &n);
        if (!n.dialled[0] || n.open_ended || n.class == CLASS_FORWARDING || n.kind == KIND_LOCAL)
            continue;
        numbering_parse(profiles_site(profile), span_of(n.dialled), &again);
        if (again.class != n.class || strcmp(again.e164, n.e164) != 0 ||
            strcmp(again.dialled, n.dialled) != 0)
            fail_msg("%s in %s: %s %s is %s, which is %s %s", dialled, profile,
                     number_class_name(n.class), n.e164, n.dialled, number_class_name(again.class),
                     again.e164);
    }
}

static void separators_change_nothing(void **state)
{
    static const char *const marks[] = {"-",      " ",      ".",      "(",      ")",
                                        "/",      "\u00ad", "\u200b", "\u00a0", "\u202e",
                                        "\u2212", "\u30fc", "\ufeff", "\u3000"};
    char dialled[64], marked[256];
    struct number plain, with;

    seed = 0x2545f4914f6cdd1d;
    for (int round = 0; round < 20000; round++) {
        const char *profile = profiles[dice(sizeof(profiles) / sizeof(profiles[0]))];
        size_t n = random_dialled(dialled, sizeof(dialled)), at = 0;

        for (size_t i = 0; i < n; i++) {
            marked[at++] = dialled[i];
            if (dice(4) == 0) {
                const char *mark = marks[dice(sizeof(marks) / sizeof(marks[0]))];

                memcpy(marked + at, mark, strlen(mark));
                at += strlen(mark);
            }
        }
        if (at > NUMBER_BYTES_MAX)
            continue;
        numbering_parse(profiles_site(profile), span_of(dialled), &plain);
        numbering_parse(profiles_site(profile), (struct span){marked, at}, &with);
        if (plain.class != with.class || strcmp(plain.e164, with.e164) != 0 ||
            strcmp(plain.dialled, with.dialled) != 0)
            fail_msg("%s in %s: %s, with marks %s", dialled, profile,
                     number_class_name(plain.class), number_class_name(with.class));
    }
}

/* Every number under every country code of three digits, through all of Japan's ways abroad. */
static void every_way_abroad_is_international(void **state)
{
    static const char *const ways[] = {"010",     "+",         "0033010",    "184010", "122010",
                                       "0066010", "005345010", "0033184010", "001010", "0033+"};
    char dialled[64];
    struct number n, first;

    for (unsigned cc = 100; cc < 1000; cc++) {
        for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
            bool plus = strchr(ways[w], '+') != NULL;

            snprintf(dialled, sizeof(dialled), "%s%u2345678", ways[w], cc);
            numbering_parse(profiles_site("JP"), span_of(dialled), &n);
            if (w == 0)
                first = n;
            if (is_national(n.class) || n.class == CLASS_SPECIAL || n.class == CLASS_INTERNAL)
                assert_true(plus && cc / 10 == 81);
            if (plus && cc / 10 == 81)
                continue;
            assert_int_equal(n.class, first.class);
            assert_string_equal(n.e164, first.e164);
            assert_string_equal(n.dialled, first.dialled);
        }
    }
}

static void the_bound_is_a_bound(void **state)
{
    char dialled[NUMBER_BYTES_MAX + 2];
    struct number n;

    memset(dialled, '-', sizeof(dialled));
    memcpy(dialled, "0312345678", 10);
    numbering_parse(profiles_site("JP"), (struct span){dialled, NUMBER_BYTES_MAX}, &n);
    assert_int_equal(n.class, CLASS_NATIONAL);
    numbering_parse(profiles_site("JP"), (struct span){dialled, NUMBER_BYTES_MAX + 1}, &n);
    assert_int_equal(n.class, CLASS_MALFORMED);
    numbering_parse(profiles_site("JP"), (struct span){NULL, 0}, &n);
    assert_int_equal(n.class, CLASS_MALFORMED);
}

static int tear_down(void **state)
{
    profiles_free();
    return 0;
}

/* Codes that can be read in two ways, all the way: the readings must not double with each. Without a bound
 * on them this test does not end. */
static void many_codes_end(void **state)
{
    static const char *const cycles[][3] = {
        {"184", "*67", "*82"},   {"184", "*67", "*67"}, {"184", "*67", "*31#"},
        {"122", "*67", "*82"},   {"122", "*67", "*67"}, {"122", "*67", "*31#"},
        {"*67", "*31#", "#31#"}, {"*67", "*67*", "0"},
    };
    static const char *const tails[] = {"", "010252615123456", "0312345678"};
    static const char *const names[] = {"JP", "JP-out9", "JP-out0"};
    const size_t n_cycles = sizeof(cycles) / sizeof(cycles[0]);
    char text[NUMBER_BYTES_MAX + 1];
    struct number n;

    for (size_t i = 0; i < n_cycles * 3 * 3; i++) {
        const char *const *cycle = cycles[i / 9];
        const char *tail = tails[i % 3];
        size_t at = 0;

        for (size_t k = 0; at + strlen(cycle[k % 3]) + strlen(tail) < sizeof(text); k++)
            at += (size_t)snprintf(text + at, sizeof(text) - at, "%s", cycle[k % 3]);
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s", tail);
        numbering_parse(profiles_site(names[i / 3 % 3]), (struct span){text, at}, &n);
        if (strstr(tail, "252"))
            assert_true(n.class != CLASS_NATIONAL && n.class != CLASS_FREEPHONE &&
                        n.class != CLASS_SPECIAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emergency_passes_behind_every_prefix),
        cmocka_unit_test(emergency_passes_behind_every_outside_line),
        cmocka_unit_test(a_foreign_context_is_never_an_emergency),
        cmocka_unit_test(what_is_dialled_is_what_was_understood),
        cmocka_unit_test(canonical_forms_are_fixed_in_every_plan),
        cmocka_unit_test(separators_change_nothing),
        cmocka_unit_test(every_way_abroad_is_international),
        cmocka_unit_test(the_bound_is_a_bound),
        cmocka_unit_test(many_codes_end),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down);
}

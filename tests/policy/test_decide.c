/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/zoneinfo.h"
#include "numbering/numbering.h"
#include "policy/decide.h"
#include "rule_text.h"

enum owner { OWN_ACCOUNT, OWN_TENANT, OWN_PARENT, OWN_OPERATOR, OWN_MANDATORY, OWNERS };
static const char *const owner_words[OWNERS] = {"account", "tenant", "parent", "operator",
                                                "mandatory"};

#define RULES_MAX 32
#define HELP_MAX 8

/* All that a case says before its questions. */
struct scene {
    struct rule rules[OWNERS][RULES_MAX];
    size_t n[OWNERS];
    struct site_config site;
    struct decide_question question;
    struct span help[HELP_MAX];
    bool no_rules, no_site;
};

static struct tables *tables;
static struct zones *zones;

static void read_site(struct scene *scene, struct span rest)
{
    while (rest.n) {
        struct span value, key = span_cut(span_cut(rest, ' ', &rest), '=', &value);

        if (span_is(key, "plan"))
            scene->site.plan = value;
        else if (span_is(key, "outside"))
            scene->site.outside = value;
        else if (span_is(key, "extensions"))
            scene->site.extensions = value;
        else if (span_is(key, "area"))
            scene->site.area = value;
        else
            fail_msg("site %.*s", SPAN_FMT(key));
    }
}

static void read_state(struct scene *scene, struct span rest)
{
    struct decide_question *q = &scene->question;

    while (rest.n) {
        struct span word = span_cut(rest, ' ', &rest);

        if (span_is(word, "suspended"))
            q->state = ACCOUNT_SUSPENDED;
        else if (span_is(word, "locked"))
            q->state = ACCOUNT_LOCKED;
        else if (span_is(word, "stopped"))
            q->stopped = true;
        else if (span_is(word, "good"))
            q->source_good = true;
        else if (span_is(word, "observe"))
            q->observe = true;
        else if (span_is(word, "unknown"))
            q->unknown = true;
        else if (span_is(word, "without-rules"))
            scene->no_rules = true;
        else if (span_is(word, "without-site"))
            scene->no_site = true;
        else
            fail_msg("state %.*s", SPAN_FMT(word));
    }
}

/* True for a line of the scene; false for a question. */
static bool read_scene(struct scene *scene, struct span line)
{
    struct span rest, word = span_cut(line, ' ', &rest);

    for (size_t i = 0; i < OWNERS; i++)
        if (span_is(word, owner_words[i])) {
            assert_true(scene->n[i] < RULES_MAX);
            scene->rules[i][scene->n[i]++] = rule_read(rest);
            return true;
        }
    if (span_is(word, "site"))
        read_site(scene, rest);
    else if (span_is(word, "state"))
        read_state(scene, rest);
    else if (span_is(word, "now"))
        scene->question.when.now = clock_read(rest);
    else if (span_is(word, "help"))
        scene->help[scene->question.n_help_lines++] = rest;
    else if (span_is(word, "form"))
        scene->question.form = span_is(rest, "+e164") ? FORM_PLUS_E164 : FORM_E164;
    else
        return false;
    return true;
}

/* "call STRING" is parsed as a switch would; "ask CLASS dialled=… literal=… target=… open" is a number
 * as no plan may ever make it. */
static bool read_number(const struct site *site, struct span line, struct number *out)
{
    struct span rest, word = span_cut(line, ' ', &rest);
    enum number_class class = CLASS_EMERGENCY;

    if (span_is(word, "call")) {
        numbering_parse(site, rest, out);
        return true;
    }
    if (!span_is(word, "ask"))
        return false;
    word = span_cut(rest, ' ', &rest);
    while (!span_is(word, number_class_name(class)))
        class ++;
    *out = (struct number){.class = class, .target = class};
    while (rest.n) {
        struct span value, key = span_cut(span_cut(rest, ' ', &rest), '=', &value);

        if (span_is(key, "dialled"))
            memcpy(out->dialled, value.p, value.n);
        else if (span_is(key, "literal"))
            memcpy(out->literal, value.p, value.n);
        else if (span_is(key, "open"))
            out->open_ended = true;
        else if (span_is(key, "target"))
            for (out->target = CLASS_EMERGENCY; !span_is(value, number_class_name(out->target));)
                out->target++;
        else
            fail_msg("ask %.*s", SPAN_FMT(key));
    }
    return true;
}

static void write_verdict(const struct verdict *v, struct buf *out)
{
    buf_printf(out, "%s %s", verdict_action_name(v->action), verdict_reason_name(v->reason));
    if (v->rule_prefix[0])
        buf_printf(out, " by %s %s %s", rule_level_name(v->rule_level),
                   rule_action_name(v->rule_action), v->rule_prefix);
    if (v->dial[0])
        buf_printf(out, " dial %s", v->dial);
    if (v->max_seconds)
        buf_printf(out, " for %u", v->max_seconds);
    if (v->observed)
        buf_puts(out, " observed");
    buf_putc(out, '\n');
}

/* With the signs that no set above the account's has, as the snapshot knows them. */
static void ask_by_signs(const struct decide_question *question, struct buf *out)
{
    struct decide_question q = *question;
    struct decide_rules rules;
    struct verdict v;

    if (q.rules) {
        rules = *q.rules;
        rules.silent = ~(ruleset_signs(rules.operator_rules) | ruleset_signs(rules.mandatory));
        for (size_t i = 0; i < rules.n_tenants; i++)
            rules.silent &= ~ruleset_signs(rules.tenants[i]);
        q.rules = &rules;
    }
    decide(&q, &v);
    write_verdict(&v, out);
}

static void ask_all(struct scene *scene, struct span questions, struct buf *out)
{
    static const uint8_t key[16];
    const struct ruleset *sets[OWNERS] = {NULL};
    struct decide_question q = scene->question;
    struct decide_rules rules;
    struct ruleset_pool *pool;
    struct site *site;
    struct fault f = {.text = ""};

    if (site_new(&site, tables, &scene->site, &f))
        fail_msg("%s", f.text);
    assert_int_equal(ruleset_pool_new(&pool, zones, key, &f), 0);
    for (size_t i = 0; i < OWNERS; i++)
        if (ruleset_intern(pool, scene->rules[i], scene->n[i], &sets[i], &f))
            fail_msg("%s", f.text);
    rules = (struct decide_rules){
        .account = sets[OWN_ACCOUNT],
        .tenants = &sets[OWN_TENANT],
        .n_tenants = 2,
        .operator_rules = sets[OWN_OPERATOR],
        .mandatory = sets[OWN_MANDATORY],
    };
    q.rules = scene->no_rules ? NULL : &rules;
    q.site = scene->no_site ? NULL : site;
    q.help_lines = scene->help;
    q.change = 42;
    while (questions.n) {
        struct span line = span_cut(questions, '\n', &questions);
        struct number number;
        struct verdict v;

        if (!read_number(site, line, &number))
            continue;
        q.number = &number;
        memset(&v, 0xa5, sizeof(v));
        decide(&q, &v);
        assert_int_equal(v.change, 42);
        assert_true(v.action == VERDICT_ALLOW || !v.dial[0]);
        size_t from = out->n;

        write_verdict(&v, out);
        size_t between = out->n;

        ask_by_signs(&q, out);
        assert_int_equal(out->n - between, between - from);
        assert_memory_equal(out->p + from, out->p + between, between - from);
        out->p[between] = '\0';
        out->n = between;
    }
    ruleset_pool_free(pool);
    site_free(site);
}

/* Once as written, and then with the rules in other orders: the answers must be the same. */
static void decide_case(void **state)
{
    const struct test_case *c = *state;
    struct scene scene = {.site = {.plan = SPAN("JP")}};
    struct span questions = buf_span(&c->in);
    unsigned seed = 3;

    scene.question.when.now = clock_read(SPAN("2026-11-24T12:00:00+09:00"));
    for (struct span rest = questions; rest.n;) {
        struct span line = span_cut(rest, '\n', &rest);

        if (line.n && !read_scene(&scene, line) && line.p[0] != 'c' && line.p[0] != 'a')
            fail_msg("what is \"%.*s\"?", SPAN_FMT(line));
    }
    for (int round = 0; round < 6; round++) {
        struct buf out = {0};

        ask_all(&scene, questions, &out);
        assert_string_equal(out.p, c->out.p);
        buf_free(&out);
        for (size_t o = 0; o < OWNERS; o++)
            for (size_t i = scene.n[o]; i > 1; i--) {
                size_t k = (size_t)rand_r(&seed) % i;
                struct rule r = scene.rules[o][i - 1];

                scene.rules[o][i - 1] = scene.rules[o][k];
                scene.rules[o][k] = r;
            }
    }
}

static void emergencies_pass_with_everything_missing(void **state)
{
    const struct number number = {.class = CLASS_EMERGENCY, .dialled = "110", .literal = "110"};
    struct decide_question q = {.number = &number};
    struct verdict v;

    for (unsigned bits = 0; bits < 64; bits++) {
        q.unknown = bits & 1;
        q.state = (enum account_state)(bits >> 1 & 3) == 3 ? ACCOUNT_LOCKED
                                                           : (enum account_state)(bits >> 1 & 3);
        q.stopped = bits & 8;
        q.source_good = bits & 16;
        q.observe = bits & 32;
        decide(&q, &v);
        assert_int_equal(v.action, VERDICT_ALLOW);
        assert_int_equal(v.reason, REASON_EMERGENCY);
        assert_false(v.observed);
        assert_string_equal(v.dial, "110");
    }
}

static void without_a_question_there_is_no_way_out(void **state)
{
    struct decide_question q = {0};
    struct verdict v;

    decide(NULL, &v);
    assert_int_equal(v.action, VERDICT_DENY);
    assert_int_equal(v.reason, REASON_UNAVAILABLE);
    decide(&q, &v);
    assert_int_equal(v.action, VERDICT_DENY);
    assert_int_equal(v.reason, REASON_UNAVAILABLE);
    q.observe = true;
    decide(&q, &v);
    assert_true(v.observed);
}

/* Whatever its class says: only what step 3 knows may pass, by default. */
static void only_known_classes_pass(void **state)
{
    static const bool passes[] = {
        [CLASS_EMERGENCY] = true, [CLASS_INTERNAL] = true,      [CLASS_NATIONAL] = true,
        [CLASS_FREEPHONE] = true, [CLASS_SHARED_COST] = true,   [CLASS_PREMIUM] = true,
        [CLASS_SPECIAL] = true,   [CLASS_INTERNATIONAL] = true, [CLASS_FORWARDING] = false,
        [CLASS_INVALID] = false,  [CLASS_INCOMPLETE] = false,   [CLASS_MALFORMED] = false,
        [CLASS_UNKNOWN] = false,
    };
    const struct site_config config = {.plan = SPAN("JP")};
    const struct decide_rules rules = {0};
    struct site *site;

    assert_int_equal(site_new(&site, tables, &config, NULL), 0);
    for (enum number_class c = CLASS_EMERGENCY; c <= CLASS_UNKNOWN; c++) {
        struct number number;
        struct decide_question q = {.number = &number, .rules = &rules, .site = site};
        struct verdict v;

        numbering_parse(site, SPAN("0312345678"), &number);
        number.class = number.target = c;
        decide(&q, &v);
        assert_int_equal(v.action == VERDICT_ALLOW, passes[c]);
    }
    site_free(site);
}

static void words_are_what_others_read(void **state)
{
    assert_string_equal(verdict_action_name(VERDICT_ALLOW), "allow");
    assert_string_equal(verdict_action_name(VERDICT_DENY), "deny");
    for (enum verdict_reason r = REASON_EMERGENCY; r <= REASON_UNAVAILABLE; r++)
        assert_non_null(verdict_reason_name(r));
    assert_string_equal(verdict_reason_name(REASON_HELP_LINE), "help-line");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest fixed[] = {
        cmocka_unit_test(emergencies_pass_with_everything_missing),
        cmocka_unit_test(without_a_question_there_is_no_way_out),
        cmocka_unit_test(only_known_classes_pass),
        cmocka_unit_test(words_are_what_others_read),
    };
    struct fault f;
    int failed;

    if (argc != 2 || tables_load(&tables, NULL, 0, &f) ||
        zones_new(&zones, zoneinfo_read, NULL, &f))
        return 2;
    failed = cases_run(argv[1], decide_case, fixed, 4);
    zones_free(zones);
    tables_free(tables);
    return failed;
}

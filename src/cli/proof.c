/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/proof.h"

#include <stdlib.h>

#include "cli/remote.h"
#include "numbering/number.h"
#include "policy/flatten.h"
#include "policy/rule.h"

#define LINES_SHORT 24
#define REMARKS_SHORT 8
#define RANGES_IN_WORDS 3 /* a country that has no more is told by its ranges */
#define COUNTRIES_NAMED 8
#define NOBODYS_NAMED 4

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static bool is(const json_t *object, const char *key, const char *word)
{
    return strcmp(text_of(object, key), word) == 0;
}

static long long count_of(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static const char *words(const struct cli *cli, const json_t *object, const char *key)
{
    return text_of(json_object_get(object, key), TR(cli, "en", "ja"));
}

/* ---- countries ---- */

static void headline(const struct cli *cli, const json_t *proof)
{
    const json_t *countries = json_object_get(proof, "countries");
    long long open = count_of(countries, "open"), partly = count_of(countries, "partly");
    long long all = open + partly + count_of(countries, "closed");

    printf(TR(cli,
              "%lld of %lld countries abroad can be called, %lld of them in part; %lld with high "
              "risk.\n",
              "国際: %2$lld の国・地域のうち %1$lld に発信可 (うち一部の番号のみ %3$lld)。"
              "危険度の高い国・地域は %4$lld。\n"),
           open + partly, all, partly, count_of(countries, "high_risk"));
}

static bool open_abroad(const json_t *summary, enum number_risk risk)
{
    return json_is_string(json_object_get(summary, "country")) && !is(summary, "state", "closed") &&
           is(summary, "open_risk", number_risk_name(risk));
}

static bool of_country(const json_t *range, const json_t *summary)
{
    return json_is_true(json_object_get(range, "open")) &&
           json_is_true(json_object_get(range, "exists")) &&
           json_equal(json_object_get(range, "country_name"),
                      json_object_get(summary, "country_name")) &&
           is(range, "class", "INTERNATIONAL");
}

/* The country's open ranges, or (`risky`) those that make it as risky as it is; how many. With `cli` they
 * are printed. */
static size_t ranges_of(const struct cli *cli, const json_t *proof, const json_t *summary,
                        bool risky)
{
    const json_t *range;
    size_t i, n = 0;

    json_array_foreach(json_object_get(proof, "ranges"), i, range)
    {
        if (!of_country(range, summary) ||
            (risky && !is(range, "risk", text_of(summary, "open_risk"))))
            continue;
        n++;
        if (cli)
            printf("  %s\n", words(cli, range, "text"));
    }
    return n;
}

/* By its ranges where they are few; else as a whole, and by what is worse in it than the rest. */
static void say_country(const struct cli *cli, const json_t *proof, const json_t *summary)
{
    size_t n = ranges_of(NULL, proof, summary, false);
    size_t risky = ranges_of(NULL, proof, summary, true);

    if (n && n <= RANGES_IN_WORDS) {
        ranges_of(cli, proof, summary, false);
        return;
    }
    printf("  %s\n", words(cli, summary, "text"));
    if (risky < n && risky <= RANGES_IN_WORDS)
        ranges_of(cli, proof, summary, true);
}

/* The risky first: they are what this is for. */
static void say_countries(const struct cli *cli, const json_t *proof, size_t most)
{
    const json_t *summaries = json_object_get(proof, "summaries"), *summary;
    size_t i, said = 0, left = 0;

    for (int risk = RISK_HIGH; risk >= RISK_NONE; risk--)
        json_array_foreach(summaries, i, summary)
        {
            if (!open_abroad(summary, (enum number_risk)risk))
                continue;
            if (said == most) {
                left++;
                continue;
            }
            said++;
            say_country(cli, proof, summary);
        }
    if (left)
        printf(TR(cli, "  … and %zu more (--all)\n", "  … ほか %zu の国・地域 (--all)\n"), left);
}

/* What begins like a call abroad, and nobody has: Sekisho refuses it, other systems dial it. */
static bool is_nobodys(const json_t *proof, const json_t *range)
{
    return json_is_true(json_object_get(range, "open")) &&
           json_is_false(json_object_get(range, "exists")) &&
           span_starts(span_of(text_of(range, "prefix")), span_of(text_of(proof, "access")));
}

/* The shortest first: they are the widest. */
static void say_nobodys(const struct cli *cli, const json_t *proof)
{
    const json_t *ranges = json_object_get(proof, "ranges"), *range;
    struct buf named = {0};
    size_t i, all = 0, n = 0;

    json_array_foreach(ranges, i, range) all += is_nobodys(proof, range);
    for (size_t length = 1; length <= RULE_PREFIX_MAX && n < NOBODYS_NAMED && n < all; length++)
        json_array_foreach(ranges, i, range)
        {
            const char *prefix = text_of(range, "prefix");

            if (n < NOBODYS_NAMED && strlen(prefix) == length && is_nobodys(proof, range))
                buf_printf(&named, "%s%s", n++ ? TR(cli, ", ", "、") : "", prefix);
        }
    if (all > n)
        buf_printf(&named, TR(cli, " and %zu more (--ranges)", "、ほか %zu 件 (--ranges)"),
                   all - n);
    if (all)
        printf(TR(cli, "Open too, though no country has these numbers: %s.\n",
                  "どの国の番号でもなく、規制もされていない国際番号: %s。\n"),
               named.p);
    buf_free(&named);
}

/* What is closed at home, or that nothing is. */
static void say_home(const struct cli *cli, const json_t *proof)
{
    const json_t *summaries = json_object_get(proof, "summaries"), *summary;
    struct buf closed = {0};
    size_t i;

    json_array_foreach(summaries, i, summary)
    {
        if (json_is_string(json_object_get(summary, "country")) || is(summary, "state", "open") ||
            is(summary, "class", "INTERNATIONAL"))
            continue;
        buf_printf(&closed, "  %s\n", words(cli, summary, "text"));
    }
    if (closed.n)
        printf(TR(cli, "At home not everything can be called:\n%s", "国内の規制:\n%s"), closed.p);
    else
        puts(TR(cli, "At home everything can be called.", "国内: すべて発信可。"));
    buf_free(&closed);
}

/* ---- ranges and rules ---- */

static void say_ranges(const struct cli *cli, const json_t *proof, bool all)
{
    const json_t *range;
    size_t i;

    json_array_foreach(json_object_get(proof, "ranges"), i, range)
    {
        if (all || json_is_true(json_object_get(range, "open")))
            printf("%s\n", words(cli, range, "text"));
    }
}

static void say_rules(const struct cli *cli, const json_t *proof, size_t most)
{
    const json_t *rule;
    size_t i, said = 0;

    json_array_foreach(json_object_get(proof, "rules"), i, rule)
    {
        if (is(rule, "effect", "effect") || said++ >= most)
            continue;
        cli_note("%s", words(cli, rule, "text"));
    }
    if (said > most)
        cli_note(TR(cli, "… and %zu more rules without effect (--all)",
                    "… 効果のない規則がほかに %zu 件あります (--all)"),
                 said - most);
}

void proof_show(const struct cli *cli, const json_t *proof, enum proof_detail detail, bool rules)
{
    bool all = detail == PROOF_ALL;

    headline(cli, proof);
    say_countries(cli, proof, all ? SIZE_MAX : LINES_SHORT);
    say_nobodys(cli, proof);
    say_home(cli, proof);
    if (detail != PROOF_SHORT)
        say_ranges(cli, proof, all);
    if (rules)
        say_rules(cli, proof, all ? SIZE_MAX : REMARKS_SHORT);
}

/* ---- for systems that know restrictions only ---- */

static size_t flatten_ranges(const json_t *ranges, struct flatten_range *out)
{
    const json_t *range;
    size_t i;

    json_array_foreach(ranges, i, range) out[i] = (struct flatten_range){
        .prefix = span_of(text_of(range, "prefix")),
        .whole = json_is_true(json_object_get(range, "whole")),
        .open = json_is_true(json_object_get(range, "open")),
        .emergency = is(range, "class", "EMERGENCY"),
    };
    return json_array_size(ranges);
}

static void say_lost(const struct cli *cli, const json_t *ranges, const struct flatten *list)
{
    for (size_t i = 0; i < flatten_lost(list); i++) {
        const json_t *range = json_array_get(ranges, flatten_lost_range(list, i));

        if (json_is_true(json_object_get(range, "exists")))
            cli_note(TR(cli, "restrictions alone cannot say this: %s",
                        "規制番号だけでは表現できません: %s"),
                     words(cli, range, "text"));
    }
}

int proof_export(const struct cli *cli, const json_t *proof)
{
    const json_t *ranges = json_object_get(proof, "ranges");
    struct flatten_range *flat = calloc(json_array_size(ranges) + 1, sizeof(*flat));
    struct flatten *list = NULL;
    struct fault f;
    int err = flat ? flatten_new(&list, flat, flatten_ranges(ranges, flat), &f) : fault_nomem(&f);

    for (size_t i = 0; !err && i < flatten_count(list); i++)
        printf("%.*s\n", SPAN_FMT(flatten_prefix(list, i)));
    if (!err)
        say_lost(cli, ranges, list);
    flatten_free(list);
    free(flat);
    return err ? cli_fail(&f) : EXIT_DONE;
}

/* ---- what lies behind a prefix ---- */

/* Everything restricted but the prefix; of two with the same prefix the restriction would win. */
static json_t *question(const char *prefix, const char *gate)
{
    static const char keys[] = "0123456789*#+";
    json_t *rules = json_array();
    char key[2] = "";

    for (const char *k = keys; *k; k++) {
        key[0] = *k;
        if (strcmp(key, prefix) != 0)
            json_array_append_new(rules,
                                  json_pack("{s:s, s:s}", "action", "restrict", "prefix", key));
    }
    json_array_append_new(rules, json_pack("{s:s, s:s}", "action", "except", "prefix", prefix));
    return json_pack("{s:o, s:s*, s:s}", "rules", rules, "switch", gate, "ranges", "none");
}

static void name(const struct cli *cli, const json_t *proof, struct buf *out)
{
    const json_t *summaries = json_object_get(proof, "summaries"), *summary;
    size_t i, n = 0;

    for (int risk = RISK_HIGH; risk >= RISK_NONE; risk--)
        json_array_foreach(summaries, i, summary)
        {
            if (!open_abroad(summary, (enum number_risk)risk) || n++ >= COUNTRIES_NAMED)
                continue;
            buf_printf(out, "%s%s", n > 1 ? TR(cli, ", ", "、") : "",
                       words(cli, summary, "country_name"));
            if (risk >= RISK_MEDIUM)
                buf_printf(out, TR(cli, " (%s risk)", "(危険度 %s)"),
                           number_risk_name((enum number_risk)risk));
        }
    if (n > COUNTRIES_NAMED)
        buf_printf(out, TR(cli, " and %zu more", "、ほか %zu の国・地域"), n - COUNTRIES_NAMED);
}

void proof_behind(struct cli *cli, const char *prefix, const char *gate, struct buf *out)
{
    json_t *body = question(prefix, gate);
    struct reply r = {0};
    struct fault f;

    if (body && !remote_call(cli, "POST", "/v1/prove", body, &r, &f))
        name(cli, json_object_get(r.json, "proof"), out);
    reply_free(&r);
    json_decref(body);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/prove_json.h"

#include <stdio.h>
#include <time.h>

#include "policy/prove_words.h"

/* null for nothing. All that comes here is ASCII of our own making. */
static json_t *word(const char *s)
{
    return s && s[0] ? json_string(s) : json_null();
}

static json_t *span_or_null(struct span s)
{
    return s.n ? json_stringn(s.p, s.n) : json_null();
}

static json_t *time_or_null(int64_t seconds)
{
    char text[32];
    time_t t = (time_t)seconds;
    struct tm tm;

    if (!seconds || !gmtime_r(&t, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
        return json_null();
    return json_string(text);
}

/* ---- sentences ---- */

enum subject { RANGE, SUMMARY, RULE, DIFFERENCE };

static json_t *sentence(const struct atlas *atlas, enum subject subject, const void *of,
                        enum prove_language language)
{
    struct buf b = {0};
    json_t *text;

    switch (subject) {
    case RANGE: prove_words_range(&b, atlas, of, language); break;
    case SUMMARY: prove_words_summary(&b, of, language); break;
    case RULE: prove_words_rule(&b, of, language); break;
    case DIFFERENCE: prove_words_difference(&b, atlas, of, language); break;
    }
    text = b.failed ? NULL : json_stringn(b.p ? b.p : "", b.n);
    buf_free(&b);
    return text;
}

static json_t *sentences(const struct atlas *atlas, enum subject subject, const void *of)
{
    return json_pack("{s:o, s:o}", "en", sentence(atlas, subject, of, PROVE_ENGLISH), "ja",
                     sentence(atlas, subject, of, PROVE_JAPANESE));
}

/* ---- parts ---- */

static json_t *country_name(const struct country *country)
{
    if (!country)
        return json_null();
    return json_pack("{s:s, s:s}", "en", country->name_en, "ja", country->name_ja);
}

/* What numbers are, put into `object`: null throughout where there are none. */
static int add_traits(json_t *object, bool exists, const struct atlas_traits *t)
{
    const struct country *country = exists ? t->country : NULL;
    json_t *traits = json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}", "class",
                               exists ? json_string(number_class_name(t->class)) : json_null(),
                               "kind", exists ? word(number_kind_name(t->kind)) : json_null(),
                               "country", country ? json_string(country->iso) : json_null(),
                               "country_name", country_name(country), "risk",
                               exists ? json_string(number_risk_name(t->risk)) : json_null(),
                               "open_ended", exists && t->open_ended);
    int failed = !traits || json_object_update(object, traits);

    json_decref(traits);
    return failed;
}

static json_t *tenant_name(const struct prove_rule *rule, const struct prove_json_options *o)
{
    bool known = rule->level == LEVEL_TENANT && rule->tenant < o->n_tenants;

    return known ? json_string(o->tenants[rule->tenant]) : json_null();
}

static json_t *rule_reference(const struct prove *proof, uint32_t i,
                              const struct prove_json_options *o)
{
    const struct prove_rule *rule;

    if (i == PROVE_NO_RULE)
        return json_null();
    rule = prove_rule(proof, i);
    return json_pack("{s:s, s:s, s:s, s:b, s:o}", "action", rule_action_name(rule->action),
                     "prefix", rule->prefix, "level", rule_level_name(rule->level), "mandatory",
                     rule->mandatory, "tenant", tenant_name(rule, o));
}

static json_t *range_json(const struct atlas *atlas, const struct prove *proof,
                          const struct prove_range *range, const struct prove_json_options *o)
{
    char example[NUMBER_DIGITS_MAX];
    struct atlas_traits traits;
    bool found = range->exists &&
                 atlas_example(atlas, span_of(range->prefix), range->whole, example, &traits);
    json_t *json =
        json_pack("{s:s, s:b, s:b, s:b, s:o, s:o, s:o}", "prefix", range->prefix, "whole",
                  range->whole, "open", range->open, "exists", range->exists, "example",
                  found ? json_string(example) : json_null(), "rule",
                  rule_reference(proof, range->rule, o), "text", sentences(atlas, RANGE, range));

    if (json && add_traits(json, range->exists, &range->traits)) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static json_t *summary_json(const struct atlas *atlas, const struct prove_summary *s)
{
    return json_pack("{s:o, s:o, s:s, s:o, s:b, s:s, s:s, s:s, s:I, s:I, s:o}", "country",
                     s->country ? json_string(s->country->iso) : json_null(), "country_name",
                     country_name(s->country), "class", number_class_name(s->class), "kind",
                     word(number_kind_name(s->kind)), "open_ended", s->open_ended, "state",
                     prove_state_name(s->state), "risk", number_risk_name(s->risk), "open_risk",
                     number_risk_name(s->open_risk), "open", (json_int_t)s->open, "closed",
                     (json_int_t)s->closed, "text", sentences(atlas, SUMMARY, s));
}

static json_t *rule_json(const struct prove_rule *rule, const struct prove_json_options *o)
{
    return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:s, s:o}", "action",
                     rule_action_name(rule->action), "prefix", rule->prefix, "level",
                     rule_level_name(rule->level), "mandatory", rule->mandatory, "tenant",
                     tenant_name(rule, o), "until", time_or_null(rule->until), "schedule",
                     span_or_null(rule->schedule), "effect", prove_effect_name(rule->effect),
                     "text", sentences(NULL, RULE, rule));
}

static json_t *totals_json(const struct prove *proof)
{
    size_t count[3] = {0}, risky = 0;

    for (size_t i = 0; i < prove_summaries(proof); i++) {
        const struct prove_summary *s = prove_summary(proof, i);

        if (!s->country)
            continue;
        count[s->state]++;
        if (s->state != PROVE_CLOSED && s->open_risk == RISK_HIGH)
            risky++;
    }
    return json_pack("{s:I, s:I, s:I, s:I}", "open", (json_int_t)count[PROVE_OPEN], "partly",
                     (json_int_t)count[PROVE_PARTLY], "closed", (json_int_t)count[PROVE_CLOSED],
                     "high_risk", (json_int_t)risky);
}

static bool wanted(const struct prove_range *range, enum prove_json_ranges ranges)
{
    switch (ranges) {
    case PROVE_JSON_OPEN: return range->open;
    case PROVE_JSON_ALL: return true;
    case PROVE_JSON_NONE: return false;
    }
    return false;
}

json_t *prove_json(const struct atlas *atlas, const struct prove *proof,
                   const struct prove_json_options *o)
{
    json_t *summaries = json_array(), *ranges = json_array(), *rules = json_array();
    struct span access = atlas_access(atlas);
    int failed = 0;

    for (size_t i = 0; i < prove_summaries(proof); i++)
        failed |= json_array_append_new(summaries, summary_json(atlas, prove_summary(proof, i)));
    for (size_t i = 0; i < prove_ranges(proof); i++)
        if (wanted(prove_range(proof, i), o->ranges))
            failed |=
                json_array_append_new(ranges, range_json(atlas, proof, prove_range(proof, i), o));
    for (size_t i = 0; i < prove_rules(proof); i++)
        failed |= json_array_append_new(rules, rule_json(prove_rule(proof, i), o));
    if (failed) {
        json_decref(summaries);
        json_decref(ranges);
        json_decref(rules);
        return NULL;
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "country",
                     word(atlas_country(atlas) ? atlas_country(atlas)->iso : NULL), "access",
                     json_stringn(access.p, access.n), "countries", totals_json(proof), "summaries",
                     summaries, "ranges", ranges, "rules", rules);
}

/* ---- comparison ---- */

static json_t *example_json(const struct prove_example *e)
{
    json_t *json;

    if (!e->there)
        return json_null();
    json = json_pack("{s:s, s:b, s:b, s:o}", "prefix", e->prefix, "whole", e->whole, "exists",
                     e->exists, "number", e->exists ? json_string(e->number) : json_null());
    if (json && add_traits(json, e->exists, &e->traits)) {
        json_decref(json);
        return NULL;
    }
    return json;
}

json_t *prove_difference_json(const struct atlas *atlas, const struct prove_difference *d)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:o}", "strings", prove_relation_name(d->strings),
                     "numbers", prove_relation_name(d->numbers), "stricter",
                     example_json(&d->stricter), "looser", example_json(&d->looser), "text",
                     sentences(atlas, DIFFERENCE, d));
}

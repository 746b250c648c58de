/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/decide.h"

#include "base/bytes.h"
#include "numbering/numbering.h"

/* A rule's two views of what was dialled. */
struct views {
    struct ruleset_key canonical, literal;
    bool has_canonical, has_literal;
    bool open_ended;
};

/* What a set that is farther away says counts only where it matches more. Here and below findings are
 * written where they are wanted: what was just written in several pieces is slow to copy in one. */
static void consult_one(const struct ruleset *set, enum rule_level level, size_t tenant,
                        const struct ruleset_key *key, const struct ruleset_moment *when,
                        struct decide_finding *best)
{
    struct ruleset_match m;

    if (!ruleset_match(set, key, when, &m) || (best->set && m.length <= best->match.length))
        return;
    best->set = set;
    best->match = m;
    best->level = level;
    best->mandatory = false;
    best->tenant = tenant;
}

/* The longest match of all levels; they are asked from the nearest outward, so that it takes more
 * than equal length to win against a nearer one. */
static void consult(const struct decide_rules *rules, const struct ruleset_key *key,
                    const struct ruleset_moment *when, struct decide_finding *best)
{
    best->set = NULL;
    consult_one(rules->account, LEVEL_ACCOUNT, 0, key, when, best);
    if (rules->silent & ruleset_sign(key->bits))
        return;
    for (size_t i = 0; i < rules->n_tenants; i++)
        consult_one(rules->tenants[i], LEVEL_TENANT, i, key, when, best);
    consult_one(rules->operator_rules, LEVEL_OPERATOR, 0, key, when, best);
}

static bool restricts(const struct decide_finding *finding)
{
    return finding->set && finding->match.action == RULE_RESTRICT;
}

struct below {
    const struct decide_rules *rules;
    const struct ruleset_moment *when;
};

/* Whether a restriction on exactly this prefix would hold: it is not lifted from nearer by. */
static bool holds(void *arg, const struct ruleset_key *prefix)
{
    const struct below *below = arg;
    struct decide_finding finding;

    consult(below->rules, prefix, below->when, &finding);
    return restricts(&finding);
}

/* A restriction on part of what an open-ended number may become. */
static bool consult_below(const struct decide_rules *rules, const struct ruleset_key *key,
                          const struct ruleset_moment *when, struct decide_finding *out)
{
    struct below below = {rules, when};
    struct ruleset_match m;

    if (ruleset_restricts_below(rules->account, key, when, holds, &below, &m)) {
        *out = (struct decide_finding){.set = rules->account, .match = m, .level = LEVEL_ACCOUNT};
        return true;
    }
    for (size_t i = 0; i < rules->n_tenants; i++)
        if (ruleset_restricts_below(rules->tenants[i], key, when, holds, &below, &m)) {
            *out = (struct decide_finding){
                .set = rules->tenants[i], .match = m, .level = LEVEL_TENANT, .tenant = i};
            return true;
        }
    if (ruleset_restricts_below(rules->operator_rules, key, when, holds, &below, &m)) {
        *out = (struct decide_finding){
            .set = rules->operator_rules, .match = m, .level = LEVEL_OPERATOR};
        return true;
    }
    return false;
}

/* What the rules say at one moment. */
struct ruling {
    enum verdict_reason reason;
    struct decide_finding canonical; /* of what they allow: the exceptions that had a say */
    struct decide_finding literal;
    struct decide_finding other;       /* a mandatory rule, or one below an open-ended number */
    const struct decide_finding *rule; /* which of these is named in the verdict */
};

static bool mandatory(const struct decide_rules *rules, const struct views *views,
                      const struct ruleset_moment *when, struct decide_finding *out)
{
    const struct ruleset *set = rules->mandatory;
    struct ruleset_match m;

    if (!set)
        return false;
    if ((views->has_canonical && ruleset_match(set, &views->canonical, when, &m)) ||
        (views->has_literal && ruleset_match(set, &views->literal, when, &m)) ||
        (views->open_ended &&
         ruleset_restricts_below(set, &views->canonical, when, NULL, NULL, &m))) {
        *out = (struct decide_finding){
            .set = set, .match = m, .level = LEVEL_OPERATOR, .mandatory = true};
        return true;
    }
    return false;
}

static int64_t finding_end(const struct decide_finding *finding, const struct ruleset_moment *when)
{
    return finding->set ? ruleset_end(finding->set, finding->match.index, when) : INT64_MAX;
}

/* When the first exception that had a say ends; INT64_MAX: never, or none had. */
static int64_t ruling_end(const struct ruling *r, const struct ruleset_moment *when)
{
    int64_t canonical = finding_end(&r->canonical, when), literal = finding_end(&r->literal, when);

    return canonical < literal ? canonical : literal;
}

static bool allows(const struct ruling *r)
{
    return r->reason == REASON_EXCEPTION || r->reason == REASON_UNRESTRICTED;
}

/* Steps 4 and 5 of the design. */
static void rule_at(const struct decide_rules *rules, const struct views *views,
                    const struct ruleset_moment *when, struct ruling *r)
{
    r->reason = REASON_MANDATORY;
    r->rule = &r->other;
    r->canonical.set = r->literal.set = NULL;
    if (mandatory(rules, views, when, &r->other))
        return;
    r->reason = REASON_RESTRICTED;
    if (views->has_canonical)
        consult(rules, &views->canonical, when, &r->canonical);
    if (restricts(&r->canonical)) {
        r->rule = &r->canonical;
        return;
    }
    if (views->open_ended && consult_below(rules, &views->canonical, when, &r->other))
        return;
    if (views->has_literal)
        consult(rules, &views->literal, when, &r->literal);
    r->rule = r->canonical.set && !restricts(&r->literal) ? &r->canonical : &r->literal;
    if (!restricts(r->rule))
        r->reason = r->rule->set ? REASON_EXCEPTION : REASON_UNRESTRICTED;
}

bool decide_by_rules(const struct decide_rules *rules, const struct ruleset_key *canonical,
                     bool open_ended, const struct ruleset_moment *when,
                     struct decide_finding *rule)
{
    struct views views = {.canonical = *canonical, .has_canonical = true, .open_ended = open_ended};
    struct ruling r = {0};

    rule_at(rules, &views, when, &r);
    *rule = *r.rule;
    return allows(&r);
}

/* ruleset_match() in one of the sets, which `but` may be of. */
static bool match_without(const struct ruleset_key *key, const struct decide_finding *place,
                          const struct decide_finding *but, const struct ruleset_moment *when,
                          struct ruleset_match *out)
{
    bool its = but->set && but->level == place->level && but->tenant == place->tenant &&
               but->mandatory == place->mandatory;

    if (its)
        return ruleset_match_without(place->set, key, but->match.index, when, out);
    return ruleset_match(place->set, key, when, out);
}

bool decide_without(const struct decide_rules *rules, const struct ruleset_key *canonical,
                    const struct decide_finding *but, const struct ruleset_moment *when)
{
    struct decide_finding place = {
        .set = rules->mandatory, .level = LEVEL_OPERATOR, .mandatory = true};
    struct ruleset_match m, best = {.action = RULE_EXCEPT};

    if (match_without(canonical, &place, but, when, &m))
        return false;
    /* From the nearest outward, as in consult(). */
    for (size_t i = 0; i < rules->n_tenants + 2; i++) {
        place = (struct decide_finding){.set = rules->account, .level = LEVEL_ACCOUNT};
        if (i == rules->n_tenants + 1)
            place = (struct decide_finding){.set = rules->operator_rules, .level = LEVEL_OPERATOR};
        else if (i > 0)
            place = (struct decide_finding){
                .set = rules->tenants[i - 1], .level = LEVEL_TENANT, .tenant = i - 1};
        if (match_without(canonical, &place, but, when, &m) && m.length > best.length)
            best = m;
    }
    return best.action == RULE_EXCEPT;
}

/* When exceptions end, others or none at all may still allow the call: one looks again at each such
 * moment, a few times, and then takes the last for the end. */
#define LOOKS 8

static uint32_t time_allowed(const struct decide_question *q, const struct views *views,
                             int64_t end)
{
    struct ruleset_moment when = q->when;

    for (int i = 0; i < LOOKS; i++) {
        struct ruling next;

        if (end == INT64_MAX)
            return 0;
        when.now = end;
        rule_at(q->rules, views, &when, &next);
        if (!allows(&next))
            break;
        end = ruling_end(&next, &when);
    }
    if (end == INT64_MAX)
        return 0;
    return end - q->when.now < INT32_MAX ? (uint32_t)(end - q->when.now) : INT32_MAX;
}

/* ---- the steps before the rules ---- */

static bool help_line(const struct decide_question *q)
{
    const struct number *number = q->number;

    if (number->class == CLASS_FORWARDING || number->open_ended)
        return false;
    if (number->kind == KIND_HELP)
        return true;
    for (size_t i = 0; i < q->n_help_lines; i++)
        if (span_is(q->help_lines[i], number->dialled))
            return true;
    return false;
}

static bool open_when_locked(const struct number *number)
{
    return number->class == CLASS_INTERNAL ||
           (number->class == CLASS_FREEPHONE && !number->open_ended);
}

bool decide_closed_when_stopped(const struct number *number)
{
    return number->class == CLASS_INTERNATIONAL || number->class == CLASS_PREMIUM ||
           number->class == CLASS_FORWARDING || number->open_ended;
}

/* A lockout holds, unless for help lines and the like. */
static bool locked(const struct decide_question *q)
{
    return q->state == ACCOUNT_LOCKED && !q->source_good;
}

/* Step 2. True with the reason of a refusal. */
static bool refused_by_state(const struct decide_question *q, bool helps,
                             enum verdict_reason *reason)
{
    if (q->unknown)
        *reason = REASON_UNKNOWN_ACCOUNT;
    else if (q->state == ACCOUNT_SUSPENDED)
        *reason = REASON_SUSPENDED;
    else if (locked(q) && !open_when_locked(q->number) && !helps)
        *reason = REASON_LOCKED;
    else if (q->stopped && decide_closed_when_stopped(q->number))
        *reason = REASON_STOPPED;
    else
        return false;
    return true;
}

/* Step 3, of what is called in the end. True with the reason of a refusal. */
static bool refused_by_class(const struct number *number, enum verdict_reason *reason)
{
    bool forwards = number->class == CLASS_FORWARDING;

    switch (forwards ? number->target : number->class) {
    case CLASS_MALFORMED: *reason = REASON_MALFORMED; return true;
    case CLASS_INVALID: *reason = REASON_INVALID; return true;
    case CLASS_FORWARDING: /* of a forwarding: no number either */
    case CLASS_UNKNOWN: *reason = REASON_UNKNOWN_NUMBER; return true;
    case CLASS_INCOMPLETE:
        *reason = forwards && !number->dialled[0] ? REASON_NO_TARGET : REASON_INCOMPLETE;
        return true;
    case CLASS_EMERGENCY:
    case CLASS_INTERNAL:
    case CLASS_NATIONAL:
    case CLASS_FREEPHONE:
    case CLASS_SHARED_COST:
    case CLASS_PREMIUM:
    case CLASS_SPECIAL:
    case CLASS_INTERNATIONAL:
        if (number->kind != KIND_LOCAL || number->e164[0])
            return false;
        *reason = REASON_NO_AREA;
        return true;
    }
    *reason = REASON_MALFORMED;
    return true;
}

/* An extension that calls are forwarded to is nobody's number outside. */
static bool has_canonical(const struct number *number)
{
    return number->dialled[0] && number->target != CLASS_INTERNAL;
}

/* What most calls are: no set has a rule that might match one of the two views, or a part of what the
 * number may become. */
static bool no_rule_may_match(const struct decide_rules *rules, const struct number *number)
{
    uint32_t asked = ruleset_sign_of(number->literal);

    if (has_canonical(number))
        asked |= ruleset_sign_of(number->dialled);
    return !number->open_ended && (asked & (~rules->silent | ruleset_signs(rules->account))) == 0;
}

static void view(const struct number *number, struct views *out)
{
    size_t n = bytes_length(number->dialled);
    const char *literal = number->literal;

    out->open_ended = number->open_ended;
    out->has_canonical = has_canonical(number);
    out->canonical = ruleset_key((struct span){number->dialled, n});
    /* Mostly both are the same, NUL and all. */
    out->has_literal =
        literal[0] && !(out->has_canonical && bytes_equal(number->dialled, literal, n + 1));
    if (out->has_literal)
        out->literal = ruleset_key((struct span){literal, bytes_length(literal)});
}

/* ---- the verdict ---- */

static void name_rule(const struct decide_finding *rule, struct verdict *out)
{
    if (!rule->set)
        return;
    out->rule_action = rule->match.action;
    out->rule_level = rule->level;
    ruleset_prefix(rule->set, rule->match.index, out->rule_prefix);
}

static bool rebuild(const struct decide_question *q, struct verdict *out)
{
    return q->site && q->number && numbering_dial(q->site, q->number, q->form, out->dial) == 0;
}

static void deny(const struct decide_question *q, enum verdict_reason reason, struct verdict *out)
{
    out->action = VERDICT_DENY;
    out->reason = reason;
    out->dial[0] = '\0';
    out->max_seconds = 0;
    if (!q->observe)
        return;
    out->action = VERDICT_ALLOW;
    out->observed = true;
    /* Watching must not break what works: a number that only the trunk knows goes on as its digits. */
    if (!rebuild(q, out) && q->number)
        memcpy(out->dial, q->number->literal, sizeof(out->dial));
}

static void allow(const struct decide_question *q, enum verdict_reason reason, struct verdict *out)
{
    out->action = VERDICT_ALLOW;
    out->reason = reason;
    if (!rebuild(q, out))
        deny(q, REASON_UNAVAILABLE, out);
}

static void allow_emergency(const struct decide_question *q, struct verdict *out)
{
    out->action = VERDICT_ALLOW;
    out->reason = REASON_EMERGENCY;
    if (!rebuild(q, out))
        memcpy(out->dial, q->number->dialled, sizeof(out->dial));
}

static void ask_rules(const struct decide_question *q, bool helps, struct verdict *out)
{
    struct views views;
    struct ruling r;
    int64_t end;

    if (no_rule_may_match(q->rules, q->number)) {
        allow(q, helps ? REASON_HELP_LINE : REASON_UNRESTRICTED, out);
        return;
    }
    view(q->number, &views);
    rule_at(q->rules, &views, &q->when, &r);
    name_rule(r.rule, out);
    if (!allows(&r)) {
        deny(q, r.reason, out);
        return;
    }
    end = ruling_end(&r, &q->when);
    if (end != INT64_MAX)
        out->max_seconds = time_allowed(q, &views, end);
    if (helps)
        r.reason = REASON_HELP_LINE;
    allow(q, r.reason, out);
}

void decide(const struct decide_question *q, struct verdict *out)
{
    static const struct decide_question nothing;
    enum verdict_reason reason;
    bool helps;

    /* Not all of it is cleared: the long strings end at once. */
    out->observed = false;
    out->rule_action = RULE_RESTRICT;
    out->rule_level = LEVEL_ACCOUNT;
    out->rule_prefix[0] = '\0';
    out->change = q ? q->change : 0;
    out->max_seconds = 0;
    out->dial[0] = '\0';
    if (!q || !q->number) {
        deny(q ? q : &nothing, REASON_UNAVAILABLE, out);
        return;
    }
    if (q->number->class == CLASS_EMERGENCY) {
        allow_emergency(q, out);
        return;
    }
    helps = locked(q) && help_line(q);
    if (refused_by_state(q, helps, &reason) || refused_by_class(q->number, &reason))
        deny(q, reason, out);
    else if (!q->rules)
        deny(q, REASON_UNAVAILABLE, out);
    else if (q->number->class == CLASS_INTERNAL)
        allow(q, REASON_INTERNAL, out);
    else
        ask_rules(q, helps, out);
}

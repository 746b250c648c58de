/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/sweep.h"

static void longer(size_t *length, size_t n)
{
    if (n > *length)
        *length = n;
}

struct sweep_says sweep_says(const struct rule *rules, size_t n, struct span access, int64_t now_s)
{
    struct sweep_says says = {0};

    for (size_t i = 0; i < n; i++) {
        const struct rule *r = &rules[i];
        bool covers = span_starts(access, r->prefix); /* every international call */
        bool for_good = r->until == 0 && r->schedule.n == 0;

        if (r->until && r->until <= now_s)
            continue;
        if (covers && r->action == RULE_EXCEPT)
            longer(&says.open, r->prefix.n);
        else if (covers && for_good && r->mandatory)
            says.mandatory = true;
        else if (covers && for_good)
            longer(&says.closed, r->prefix.n);
        else if (covers || span_starts(r->prefix, access))
            says.some = true;
    }
    return says;
}

enum sweep_rules sweep_rules(const struct sweep_says *says, size_t n, size_t *by)
{
    enum sweep_rules found = says[0].some ? SWEEP_RULES_OWN : SWEEP_RULES_OPEN;
    size_t longest = 0;

    *by = 0;
    for (size_t i = 0; i < n; i++) {
        bool closed = says[i].closed >= says[i].open;
        size_t length = closed ? says[i].closed : says[i].open;

        if (length > longest) {
            longest = length;
            *by = i;
            found = closed ? SWEEP_RULES_CLOSED : SWEEP_RULES_OWN;
        }
    }
    for (size_t i = 0; i < n; i++)
        if (says[i].mandatory && found != SWEEP_RULES_CLOSED) {
            *by = i;
            found = SWEEP_RULES_CLOSED;
        }
    return found;
}

const char *sweep_verdict_name(enum sweep_verdict verdict)
{
    switch (verdict) {
    case SWEEP_RESTRICTED: return "restricted";
    case SWEEP_OWN_RULES: return "own-rules";
    case SWEEP_OBJECTED: return "objected";
    case SWEEP_NO_RECORDS: return "no-records";
    case SWEEP_CALLS_ABROAD: return "calls-abroad";
    case SWEEP_LIFTED: return "lifted";
    case SWEEP_TOO_YOUNG: return "too-young";
    case SWEEP_RESTRICT: return "restrict";
    }
    return "?";
}

static bool since(int64_t at_ms, int64_t since_ms)
{
    return at_ms != HISTORY_NEVER && at_ms >= since_ms;
}

/* Known from its first call, or from when it was made here, whichever is earlier; and looked at since the date. */
static bool young(const struct sweep_facts *facts, const struct sweep_terms *terms)
{
    int64_t known_ms = terms->now_ms - terms->young_ms;

    return terms->since_ms > known_ms ||
           (facts->created_ms > known_ms &&
            (facts->first_call_ms == HISTORY_NEVER || facts->first_call_ms > known_ms));
}

enum sweep_verdict sweep_judge(const struct sweep_facts *facts, const struct sweep_terms *terms)
{
    if (facts->rules == SWEEP_RULES_CLOSED)
        return SWEEP_RESTRICTED;
    if (facts->rules == SWEEP_RULES_OWN)
        return SWEEP_OWN_RULES;
    if (facts->objected)
        return SWEEP_OBJECTED;
    /* Whoever calls abroad does so, however little else is on record. */
    if (since(facts->abroad_ms, terms->since_ms))
        return SWEEP_CALLS_ABROAD;
    if (!coverage_holds(facts->records, terms->since_ms, terms->now_ms))
        return SWEEP_NO_RECORDS;
    if (facts->lifted_ms != HISTORY_NEVER && !terms->include_lifted)
        return SWEEP_LIFTED;
    return young(facts, terms) ? SWEEP_TOO_YOUNG : SWEEP_RESTRICT;
}

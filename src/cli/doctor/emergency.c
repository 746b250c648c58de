/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor/reach.h"

#define DEPTH_MAX 4000

enum outcome {
    REACHES_TRUNK = 1, /* without asking */
    REACHES_GATE = 2,  /* which knows emergency numbers itself */
    REACHES_AGI = 4,   /* asks by hand first */
};

struct hunt {
    const struct reach *r;
    struct steps_world world;
    struct span number;
    bool *seen;
};

static unsigned hunt(struct hunt *h, size_t statement, unsigned depth)
{
    struct steps steps;
    unsigned found = 0;

    if (depth > DEPTH_MAX || h->seen[statement])
        return 0;
    h->seen[statement] = true;
    steps_of(&h->world, statement, h->number, &steps);
    if (steps.gate == GATE_ASKS || steps.gate == GATE_ENDS)
        return REACHES_GATE;
    if (steps.gate == GATE_AGI)
        return REACHES_AGI;
    for (size_t i = 0; i < steps.n_dials; i++)
        if (steps.dials[i].kind == DESTINATION_TRUNK || steps.dials[i].kind == DESTINATION_UNCLEAR)
            found |= REACHES_TRUNK;
    for (size_t i = 0; i < steps.n_jumps; i++)
        found |= hunt(h, steps.jumps[i], depth + 1);
    for (size_t i = 0; i < steps.n_calls; i++)
        found |= hunt(h, steps.calls[i], depth + 1);
    for (size_t i = 0; i < steps.n_next; i++)
        found |= hunt(h, steps.next[i], depth + 1);
    return found;
}

static unsigned outcome_of(const struct reach *r, struct span context, struct span number)
{
    struct hunt h = {.r = r, .world = {r->dialplan, r->devices}, .number = number};
    struct steps steps;
    unsigned found = 0;

    h.seen = arena_alloc(r->findings->arena, r->dialplan->n_statements + 1);
    steps_enter(&h.world, context, number, SPAN("1"), &steps);
    if (steps.gate != GATE_NONE)
        return REACHES_GATE;
    for (size_t i = 0; i < steps.n_jumps; i++)
        found |= hunt(&h, steps.jumps[i], 0);
    return found;
}

/* Whether the gate's own list has the number; true where the gate is not there (said elsewhere). */
static bool gate_knows(const struct reach *r, struct span number)
{
    const struct context *list = dialplan_context(r->dialplan, SPAN("sekisho-emergency"));

    return list ? dialplan_match(r->dialplan, list, number) != NULL
                : !dialplan_context(r->dialplan, SPAN("sekisho-dial"));
}

static void judge(const struct reach *r, const struct root *root, struct span number)
{
    struct arena *a = r->findings->arena;
    const struct context *c = dialplan_context(r->dialplan, root->context);
    struct place at = c ? c->at : root->at;
    unsigned found = outcome_of(r, root->context, number);

    if (found & REACHES_TRUNK)
        return;
    if (found & REACHES_GATE) {
        const struct context *list = dialplan_context(r->dialplan, SPAN("sekisho-emergency"));

        if (!gate_knows(r, number))
            finding_add(
                r->findings,
                &(struct finding){
                    SERIOUS, "emergency-missing", list ? list->at : at,
                    arena_format(a, "the gate does not know emergency number %.*s",
                                 SPAN_FMT(number)),
                    NULL,
                    arena_format(a, "add \"exten => %.*s,1,Return()\" to [sekisho-emergency]",
                                 SPAN_FMT(number))});
    } else if (found & REACHES_AGI) {
        finding_add(
            r->findings,
            &(struct finding){SERIOUS, "emergency-asked", at,
                              arena_format(a,
                                           "emergency number %.*s waits for Sekisho's answer in "
                                           "context \"%s\"",
                                           SPAN_FMT(number), ESCAPED(root->context)),
                              root->who,
                              "send emergency numbers to the emergency trunk before asking: use "
                              "sekisho-dial, which does"});
    } else {
        finding_add(
            r->findings,
            &(struct finding){
                SERIOUS, "emergency-missing", at,
                arena_format(a, "emergency number %.*s reaches no trunk from context \"%s\"",
                             SPAN_FMT(number), ESCAPED(root->context)),
                root->who,
                "include => sekisho-out in that context, or route the number to the "
                "emergency trunk"});
    }
}

/* A PBX without lines to outside has nowhere to send an emergency call. */
static bool has_trunk(const struct reach *r)
{
    for (size_t i = 0; i < r->devices->n; i++)
        if (r->devices->all[i].kind == DEVICE_TRUNK)
            return true;
    return dialplan_context(r->dialplan, SPAN("sekisho-site")) != NULL;
}

void reach_emergency(const struct reach *r)
{
    if (!has_trunk(r))
        return;
    for (size_t i = 0; i < r->roots->n; i++) {
        const struct root *root = &r->roots->all[i];
        bool first = root->is_phone;

        for (size_t k = 0; k < i && first; k++)
            first = !r->roots->all[k].is_phone || !span_eq(r->roots->all[k].context, root->context);
        for (size_t k = 0; k < r->n_required && first; k++)
            judge(r, root, r->required[k]);
    }
}

/* The value of Set(NAME=…) in [sekisho-site]. */
static struct span setting(const struct reach *r, const struct context *site, const char *name,
                           struct place *at)
{
    struct span value, found = {NULL, 0};

    for (size_t i = 0; i < site->n; i++)
        for (size_t k = 0; k < site->extensions[i].n; k++) {
            const struct statement *st =
                &r->dialplan->statements[site->extensions[i].statements[k]];

            if (span_eq_nocase(st->app, SPAN("Set")) &&
                span_is(span_trim(span_cut(st->args, '=', &value)), name)) {
                found = span_trim(value);
                *at = st->at;
            }
        }
    return found;
}

void reach_site(const struct reach *r)
{
    static const char *const names[] = {"SEKISHO_TRUNK", "SEKISHO_EMERGENCY_TRUNK"};
    const struct context *site = dialplan_context(r->dialplan, SPAN("sekisho-site"));
    struct arena *a = r->findings->arena;

    for (size_t i = 0; site && i < sizeof(names) / sizeof(*names); i++) {
        struct place at = site->at;
        struct span value = setting(r, site, names[i], &at), rest;
        struct span tech = span_cut(value, '/', &rest), name, number;

        if (!value.n) {
            finding_add(r->findings,
                        &(struct finding){
                            SERIOUS, "trunk-missing", at,
                            arena_format(a, "%s is not set: there is no trunk to call", names[i]),
                            NULL,
                            arena_format(a, "set %s to a trunk, as PJSIP/NUMBER@NAME", names[i])});
            continue;
        }
        if (!span_is(tech, "PJSIP") && !span_is(tech, "SIP"))
            continue;
        name = span_cut(rest, '@', &number);
        name = number.p ? number : span_cut(rest, '/', &number);
        const char *known = span_is(tech, "PJSIP") ? "PJSIP" : "SIP";
        if (!devices_find(r->devices, known, name) && !memmem(name.p, name.n, "${", 2))
            finding_add(r->findings, &(struct finding){
                                         SERIOUS, "trunk-missing", at,
                                         arena_format(a, "%s names \"%s\", which is not configured",
                                                      names[i], ESCAPED(name)),
                                         NULL, "name an endpoint that exists"});
    }
}

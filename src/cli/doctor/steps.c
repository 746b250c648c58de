/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor/steps.h"

#include <stdio.h>
#include <stdlib.h>

#define INCLUDES_MAX 256
#define INNER_MAX 4

/* One statement at work. */
struct stepper {
    const struct steps_world *world;
    struct arena *arena;
    const struct statement *at; /* NULL for an application outside of the dialplan */
    struct span known;
    struct steps *out;
    bool call; /* targets are subroutines */
    unsigned inner;
};

static void run_app(struct stepper *s, struct span app, struct span args);

static enum gate gate_named(struct span context)
{
    if (span_is(context, "sekisho-authorize"))
        return GATE_ASKS;
    if (span_is(context, "sekisho-out") || span_is(context, "sekisho-dial"))
        return GATE_ENDS;
    return GATE_NONE;
}

static bool has_variable(struct span s)
{
    return s.n > 1 && memmem(s.p, s.n, "${", 2);
}

static void add_target(struct stepper *s, size_t statement)
{
    if (s->call)
        ARENA_ADD(s->arena, s->out->calls, s->out->n_calls) = statement;
    else
        ARENA_ADD(s->arena, s->out->jumps, s->out->n_jumps) = statement;
}

static void enter_extension(struct stepper *s, const struct extension *e, struct span priority)
{
    const struct dialplan *d = s->world->dialplan;
    bool numbered = priority.n && priority.p[0] >= '0' && priority.p[0] <= '9';
    char text[16];

    snprintf(text, sizeof(text), "%.*s", SPAN_FMT(priority));
    for (size_t i = 0; i < e->n; i++) {
        const struct statement *st = &d->statements[e->statements[i]];

        /* What cannot be told is everywhere; of a whole context only the beginnings. */
        if (!priority.n || has_variable(priority) ? i == 0
            : numbered                            ? st->priority == (int)strtol(text, NULL, 10)
                                                  : span_eq(st->label, priority))
            add_target(s, e->statements[i]);
    }
}

/* The context and all that it includes, each once. Returns how many. */
static size_t with_includes(const struct dialplan *d, const struct context *c,
                            const struct context *out[INCLUDES_MAX], struct steps *gate)
{
    size_t n = 1;

    out[0] = c;
    for (size_t at = 0; at < n; at++)
        for (size_t i = 0; i < out[at]->n_includes; i++) {
            struct span name = out[at]->includes[i].value;
            const struct context *included = dialplan_context(d, name);
            bool seen = gate_named(name) != GATE_NONE;

            if (seen && gate) {
                gate->gate = gate->gate == GATE_NONE ? GATE_ENDS : gate->gate;
                gate->gate_context = name;
            }
            for (size_t k = 0; k < n && !seen; k++)
                seen = out[k] == included;
            if (!seen && included && n < INCLUDES_MAX)
                out[n++] = included;
        }
    return n;
}

/* All extensions of a context and of those that it includes. */
static void enter_all(struct stepper *s, const struct context *c, struct span priority)
{
    const struct context *all[INCLUDES_MAX];
    size_t n = with_includes(s->world->dialplan, c, all, s->out);

    for (size_t at = 0; at < n; at++)
        for (size_t i = 0; i < all[at]->n; i++)
            enter_extension(s, &all[at]->extensions[i], priority);
}

/* The statement of the extension with this very priority; false where it has none. */
static bool add_next(struct stepper *s, const struct extension *e, int priority)
{
    for (size_t i = 0; i < e->n; i++)
        if (s->world->dialplan->statements[e->statements[i]].priority == priority) {
            ARENA_ADD(s->arena, s->out->next, s->out->n_next) = e->statements[i];
            return true;
        }
    return false;
}

static void find_next(struct stepper *s)
{
    const struct dialplan *d = s->world->dialplan;
    const struct context *c = &d->contexts[s->at->context], *all[INCLUDES_MAX];
    const struct extension *own = &c->extensions[s->at->extension];
    size_t n;

    if (add_next(s, own, s->at->priority + 1))
        return;
    n = with_includes(d, c, all, NULL);
    for (size_t at = 0; at < n; at++)
        for (size_t i = 0; i < all[at]->n; i++) {
            const struct extension *e = &all[at]->extensions[i];
            bool same = s->known.n ? pattern_matches(e->pattern, s->known)
                                   : patterns_overlap(e->pattern, own->pattern);

            if (e != own && same)
                add_next(s, e, s->at->priority + 1);
        }
}

/* "${EXTEN}" and "${EXTEN:1}" where the extension is known. */
static struct span filled_exten(struct stepper *s, struct span exten)
{
    char text[16];
    unsigned long skip;

    if (!s->known.n || !span_starts(exten, SPAN("${EXTEN")) || exten.p[exten.n - 1] != '}')
        return exten;
    if (exten.n == 8)
        return s->known;
    snprintf(text, sizeof(text), "%.*s", (int)(exten.n - 9), exten.p + 8);
    skip = strtoul(text, NULL, 10);
    return span_skip(s->known, skip);
}

static void enter(struct stepper *s, struct span context, struct span exten, struct span priority)
{
    const struct dialplan *d = s->world->dialplan;
    const struct context *c;

    if (gate_named(context) != GATE_NONE) {
        s->out->gate = gate_named(context);
        s->out->gate_context = context;
        if (s->call)
            s->out->asked = s->out->gate;
        return;
    }
    c = dialplan_context(d, context);
    if (!c)
        return;
    exten = filled_exten(s, exten);
    if (!exten.n || has_variable(exten)) {
        enter_all(s, c, priority);
        return;
    }
    const struct extension *e = dialplan_match(d, c, exten);
    if (e && gate_named(d->contexts[d->statements[e->statements[0]].context].name) != GATE_NONE) {
        s->out->gate = GATE_ENDS;
        s->out->gate_context = d->contexts[d->statements[e->statements[0]].context].name;
    } else if (e) {
        enter_extension(s, e, priority);
    }
}

static struct span own_context(const struct stepper *s)
{
    return s->at ? s->world->dialplan->contexts[s->at->context].name : SPAN("default");
}

/* [[CONTEXT,]EXTEN,]PRIORITY[(ARGS)], relative to the statement. */
static void go(struct stepper *s, struct span target)
{
    struct span parts[3] = {{NULL, 0}}, rest;
    size_t n = args_split(target, ',', parts, 3);
    const struct dialplan *d = s->world->dialplan;

    if (!target.n || n == 0)
        return;
    struct span priority = span_trim(span_cut(parts[n > 3 ? 2 : n - 1], '(', &rest));
    if (n >= 3)
        enter(s, parts[0], parts[1], priority);
    else if (n == 2)
        enter(s, own_context(s), parts[0], priority);
    else if (s->at)
        enter_extension(s, &d->contexts[s->at->context].extensions[s->at->extension], priority);
}

/* CONDITION?YES:NO; true where one of them is missing, so that the next statement follows. */
static bool branch(struct stepper *s, struct span args)
{
    struct span parts[2] = {{NULL, 0}}, ways[2] = {{NULL, 0}};

    if (args_split(args, '?', parts, 2) < 2)
        return true;
    size_t n = args_split(parts[1], ':', ways, 2);
    go(s, ways[0]);
    if (n > 1)
        go(s, ways[1]);
    return !ways[0].n || n < 2 || !ways[1].n;
}

/* CONDITION?APP(ARGS):APP(ARGS) */
static void execute_if(struct stepper *s, struct span args)
{
    struct span parts[2] = {{NULL, 0}}, ways[2] = {{NULL, 0}}, inner;

    if (args_split(args, '?', parts, 2) < 2)
        return;
    size_t n = args_split(parts[1], ':', ways, 2);
    for (size_t i = 0; i < n && i < 2; i++) {
        struct span app = span_trim(span_cut(ways[i], '(', &inner));

        if (inner.n && inner.p[inner.n - 1] == ')')
            inner.n--;
        run_app(s, app, inner);
    }
    /* What is done only under a condition cannot be relied upon. */
    s->out->asked = GATE_NONE;
    s->out->stays = true;
}

static void dial(struct stepper *s, struct span destinations)
{
    struct span each[ARGS_MAX];
    size_t n = args_split(destinations, '&', each, ARGS_MAX);

    for (size_t i = 0; i < n && i < ARGS_MAX; i++) {
        struct destination d = destination_of(s->world->devices, each[i]);

        if (d.kind == DESTINATION_LOCAL)
            enter(s, d.context, d.exten, SPAN("1"));
        else
            ARENA_ADD(s->arena, s->out->dials, s->out->n_dials) = d;
    }
}

static void macro(struct stepper *s, struct span args)
{
    struct span parts[1] = {{NULL, 0}};

    args_split(args, ',', parts, 1);
    enter(s, span_of(arena_format(s->arena, "macro-%.*s", SPAN_FMT(parts[0]))), SPAN("s"),
          SPAN("1"));
}

/* TECH/DATA,exten,CONTEXT,EXTEN,PRIORITY or TECH/DATA,app,APP,ARGS: both halves are calls. */
static void originate(struct stepper *s, const struct span *parts, size_t n)
{
    dial(s, parts[0]);
    if (n > 2 && span_eq_nocase(parts[1], SPAN("exten")))
        enter(s, parts[2], n > 3 ? parts[3] : SPAN("s"), n > 4 ? parts[4] : SPAN("1"));
    else if (n > 2)
        run_app(s, parts[2], n > 3 ? parts[3] : (struct span){NULL, 0});
}

static bool is_question(struct span args)
{
    return args.n && memmem(args.p, args.n, "/v1/authorize", 13) != NULL;
}

/* Applications that only jump or call; false where it is none of them. */
static bool run_flow(struct stepper *s, struct span app, struct span args)
{
    struct span parts[2] = {{NULL, 0}};

    if (span_eq_nocase(app, SPAN("Goto"))) {
        go(s, args);
        s->out->stays = false;
    } else if (span_eq_nocase(app, SPAN("GotoIf")) || span_eq_nocase(app, SPAN("GotoIfTime"))) {
        s->out->stays = branch(s, args);
    } else if (span_eq_nocase(app, SPAN("Gosub"))) {
        s->call = true;
        go(s, args);
    } else if (span_eq_nocase(app, SPAN("GosubIf"))) {
        s->call = true;
        branch(s, args);
        s->out->asked = GATE_NONE;
    } else if (span_eq_nocase(app, SPAN("Macro")) || span_eq_nocase(app, SPAN("MacroExclusive"))) {
        s->call = true;
        macro(s, args);
    } else if (span_eq_nocase(app, SPAN("MacroIf"))) {
        s->call = true;
        if (args_split(args, '?', parts, 2) == 2)
            macro(s, parts[1]);
    } else if (span_eq_nocase(app, SPAN("ExecIf")) || span_eq_nocase(app, SPAN("ExecIfTime"))) {
        execute_if(s, args);
    } else if (span_eq_nocase(app, SPAN("Return")) || span_eq_nocase(app, SPAN("MacroExit"))) {
        s->out->returns = true;
        s->out->stays = false;
    } else if (span_eq_nocase(app, SPAN("Hangup")) || span_eq_nocase(app, SPAN("Busy")) ||
               span_eq_nocase(app, SPAN("Congestion"))) {
        s->out->stays = false;
    } else {
        return false;
    }
    return true;
}

static void run_app(struct stepper *s, struct span app, struct span args)
{
    struct span parts[ARGS_MAX] = {{NULL, 0}};
    size_t n = args_split(args, ',', parts, ARGS_MAX);

    if (++s->inner > INNER_MAX || run_flow(s, app, args))
        return;
    if (span_eq_nocase(app, SPAN("Dial")) || span_eq_nocase(app, SPAN("Page"))) {
        dial(s, parts[0]);
    } else if (span_eq_nocase(app, SPAN("RetryDial"))) {
        dial(s, n > 3 ? parts[3] : parts[0]);
    } else if (span_eq_nocase(app, SPAN("Originate")) ||
               span_eq_nocase(app, SPAN("OriginateAsync"))) {
        originate(s, parts, n);
    } else if (span_eq_nocase(app, SPAN("DISA"))) {
        enter(s, n > 1 && parts[1].n ? parts[1] : SPAN("disa"), (struct span){NULL, 0}, SPAN("1"));
    } else if (span_eq_nocase(app, SPAN("WaitExten")) || span_eq_nocase(app, SPAN("Background"))) {
        enter(s, n > 3 && parts[3].n ? parts[3] : own_context(s), (struct span){NULL, 0},
              SPAN("1"));
    } else if (span_eq_nocase(app, SPAN("Directory"))) {
        enter(s, n > 1 && parts[1].n ? parts[1] : own_context(s), (struct span){NULL, 0},
              SPAN("1"));
    } else if (span_eq_nocase(app, SPAN("AGI")) || span_eq_nocase(app, SPAN("EAGI")) ||
               span_eq_nocase(app, SPAN("DeadAGI"))) {
        if (is_question(args))
            s->out->gate = s->out->asked = GATE_AGI;
    } else if ((span_eq_nocase(app, SPAN("Exec")) || span_eq_nocase(app, SPAN("TryExec"))) &&
               args.n) {
        struct span inner, name = span_trim(span_cut(args, '(', &inner));

        if (inner.n && inner.p[inner.n - 1] == ')')
            inner.n--;
        run_app(s, name, inner);
    } else if (span_eq_nocase(app, SPAN("Set"))) {
        struct span value, name = span_trim(span_cut(args, '=', &value));

        while (name.n && name.p[0] == '_')
            name = span_skip(name, 1);
        /* Whoever transfers or forwards this call enters the dialplan there. */
        if (span_is(name, "TRANSFER_CONTEXT") || span_is(name, "FORWARD_CONTEXT"))
            enter(s, span_trim(value), (struct span){NULL, 0}, SPAN("1"));
    }
}

void steps_of(const struct steps_world *w, size_t statement, struct span known, struct steps *out)
{
    const struct statement *st = &w->dialplan->statements[statement];
    struct stepper s = {
        .world = w, .arena = w->dialplan->arena, .at = st, .known = known, .out = out};

    *out = (struct steps){.stays = true};
    run_app(&s, st->app, st->args);
    if (out->stays)
        find_next(&s);
}

void steps_of_app(const struct steps_world *w, struct span app, struct span args, struct steps *out)
{
    struct stepper s = {.world = w, .arena = w->dialplan->arena, .out = out};

    *out = (struct steps){.stays = false};
    run_app(&s, app, args);
}

void steps_enter(const struct steps_world *w, struct span context, struct span exten,
                 struct span priority, struct steps *out)
{
    struct stepper s = {.world = w, .arena = w->dialplan->arena, .out = out};

    *out = (struct steps){.stays = false};
    enter(&s, context, exten, priority);
}

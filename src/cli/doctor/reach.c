/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor/reach.h"

#include <limits.h>
#include <stdint.h>

/* What has been asked of Sekisho on the way to a statement. */
enum asked {
    UNASKED,
    ASKED,  /* and not yet looked at the answer */
    JUDGED, /* looked at SEKISHO_VERDICT */
    OBEYED, /* took SEKISHO_DIAL: nothing more to check */
    N_ASKED = OBEYED,
};

struct node {
    size_t statement;
    enum asked asked;
    size_t parent;    /* index of the node before, SIZE_MAX at a root */
    const char *root; /* at a root: who */
    bool jumped;      /* worth naming in the way */
};

#define FINAL UINT_MAX
#define DEPTH_MAX 4000 /* of statements that follow each other in a subroutine */

struct walk {
    const struct reach *r;
    struct steps_world world;
    struct arena *arena;
    struct node *nodes;
    size_t n;
    bool *seen;           /* [statement * N_ASKED + asked] */
    unsigned char *exits; /* the same: bits of enum asked with which a subroutine returns */
    unsigned *round;      /* of the exits: in which round they were looked at, FINAL when settled */
    unsigned rounds;
    bool changed;
};

static const struct statement *statement(const struct walk *w, size_t i)
{
    return &w->r->dialplan->statements[i];
}

static const struct context *context_of(const struct walk *w, size_t i)
{
    return &w->r->dialplan->contexts[statement(w, i)->context];
}

static bool for_emergency(const struct walk *w, size_t i)
{
    const struct statement *st = statement(w, i);

    return pattern_only(context_of(w, i)->extensions[st->extension].pattern, w->r->emergency,
                        w->r->n_emergency);
}

static bool mentions(const struct statement *st, const char *word)
{
    return st->args.n && memmem(st->args.p, st->args.n, word, strlen(word)) != NULL;
}

/* What reading the statement does to what is known about the answer. */
static enum asked after(const struct statement *st, enum asked asked)
{
    if (asked == UNASKED || asked == OBEYED)
        return asked;
    if (mentions(st, "SEKISHO_DIAL"))
        return OBEYED;
    return mentions(st, "SEKISHO_VERDICT") ? JUDGED : asked;
}

static enum asked after_gate(enum gate gate, enum asked asked)
{
    switch (gate) {
    case GATE_NONE: return asked;
    case GATE_AGI:
    case GATE_ASKS: return asked == UNASKED ? ASKED : asked;
    case GATE_ENDS: return OBEYED;
    }
    return asked;
}

static void visit(struct walk *w, size_t statement, enum asked asked, size_t parent,
                  const char *root, bool jumped)
{
    if (statement == SIZE_MAX || asked == OBEYED)
        return;
    bool *seen = &w->seen[statement * N_ASKED + asked];
    if (*seen || for_emergency(w, statement))
        return;
    *seen = true;
    ARENA_ADD(w->arena, w->nodes, w->n) = (struct node){statement, asked, parent, root, jumped};
}

static unsigned look_for_exits(struct walk *w, size_t i, enum asked asked, unsigned depth);
static unsigned sub_exits(struct walk *w, size_t i, enum asked asked, unsigned depth);

/* The states in which the statement behind `i` may be reached, as bits. */
static unsigned states_behind(struct walk *w, size_t i, enum asked asked, const struct steps *steps,
                              unsigned depth)
{
    enum asked now = after_gate(steps->asked, after(statement(w, i), asked));
    unsigned states = 0;

    for (size_t k = 0; k < steps->n_calls; k++)
        states |= sub_exits(w, steps->calls[k], now, depth);
    /* A subroutine that never returns, or is not there, still leaves the next statement in view. */
    return states ? states : 1u << now;
}

static unsigned exits_of(struct walk *w, size_t i, enum asked asked, unsigned depth)
{
    struct steps steps;
    unsigned bits = 0;

    steps_of(&w->world, i, (struct span){NULL, 0}, &steps);
    enum asked now = after_gate(steps.asked, after(statement(w, i), asked));
    if (steps.returns)
        bits |= 1u << now;
    for (size_t k = 0; k < steps.n_jumps; k++)
        bits |= look_for_exits(w, steps.jumps[k], now, depth);
    if (!steps.stays)
        return bits;
    unsigned states = states_behind(w, i, asked, &steps, depth);
    if (!steps.n_next)
        bits |= states;
    for (size_t k = 0; k < steps.n_next; k++)
        for (unsigned state = UNASKED; state <= OBEYED; state++)
            if (states & 1u << state)
                bits |= look_for_exits(w, steps.next[k], (enum asked)state, depth);
    return bits;
}

/* One round: what is being looked at already counts with what is known of it so far. */
static unsigned look_for_exits(struct walk *w, size_t i, enum asked asked, unsigned depth)
{
    size_t at = i * N_ASKED + asked;

    if (asked == OBEYED)
        return 1u << OBEYED;
    if (w->round[at] == FINAL || w->round[at] == w->rounds)
        return w->exits[at];
    /* Too deep to be told: as if it returned at once. */
    if (depth >= DEPTH_MAX)
        return 1u << asked;
    w->round[at] = w->rounds;
    unsigned bits = exits_of(w, i, asked, depth + 1) | w->exits[at];
    w->changed = w->changed || bits != w->exits[at];
    w->exits[at] = (unsigned char)bits;
    return bits;
}

/* The states in which the subroutine that begins at `i` may return. Loops are looked at again until
 * nothing new comes out of them. */
static unsigned sub_exits(struct walk *w, size_t i, enum asked asked, unsigned depth)
{
    size_t size = w->r->dialplan->n_statements * N_ASKED;

    if (depth)
        return look_for_exits(w, i, asked, depth);
    if (asked == OBEYED)
        return 1u << OBEYED;
    if (w->round[i * N_ASKED + asked] == FINAL)
        return w->exits[i * N_ASKED + asked];
    do {
        w->changed = false;
        w->rounds++;
        look_for_exits(w, i, asked, 1);
    } while (w->changed);
    for (size_t at = 0; at < size; at++)
        if (w->round[at] == w->rounds)
            w->round[at] = FINAL;
    return w->exits[i * N_ASKED + asked];
}

/* "guests as "anonymous" (pjsip.conf:4) > default (extensions.conf:9) > out (extensions.conf:14)" */
static const char *way(struct walk *w, size_t node)
{
    const char *text = NULL;
    size_t last = SIZE_MAX;

    for (size_t i = node; i != SIZE_MAX; i = w->nodes[i].parent) {
        const struct node *n = &w->nodes[i];
        const struct statement *st = statement(w, n->statement);

        if (n->root || (n->jumped && st->context != last)) {
            const char *here =
                arena_format(w->arena, "%s (%s)", context_of(w, n->statement)->name.p,
                             place_text(w->arena, st->at));
            text = text ? arena_format(w->arena, "%s > %s", here, text) : here;
            last = st->context;
        }
        if (n->root)
            text = arena_format(w->arena, "%s > %s", n->root, text);
    }
    return text;
}

static const char *shown(struct walk *w, const struct statement *st)
{
    return arena_format(w->arena, "%.*s(%s)", SPAN_FMT(st->app), ESCAPED(st->args));
}

static void judge_dial(struct walk *w, size_t node, enum asked asked, const struct destination *d)
{
    static const char ask[] =
        "put Gosub(sekisho-dial,s,1(${URIENCODE(${EXTEN})})) in its place (contrib/asterisk), or "
        "include => sekisho-out where the context is included";
    const struct statement *st = statement(w, w->nodes[node].statement);
    struct finding f = {.at = st->at, .way = way(w, node)};

    if (asked == OBEYED)
        return;
    if (d->kind == DESTINATION_UNCLEAR && asked == UNASKED) {
        f.severity = WARNING;
        f.id = "dial-unclear";
        f.what = arena_format(
            w->arena, "%s: where it leads cannot be told, and Sekisho is not asked", shown(w, st));
        f.change = ask;
    } else if (d->kind != DESTINATION_TRUNK) {
        return;
    } else if (asked == UNASKED) {
        f.severity = SERIOUS;
        f.id = "trunk-unasked";
        f.what = arena_format(w->arena, "%s reaches trunk \"%s\", and Sekisho is not asked",
                              shown(w, st), ESCAPED(d->trunk));
        f.change = ask;
    } else if (asked == ASKED) {
        f.severity = SERIOUS;
        f.id = "verdict-ignored";
        f.what = arena_format(w->arena, "%s reaches trunk \"%s\" whatever Sekisho answered",
                              shown(w, st), ESCAPED(d->trunk));
        f.change = "go on only if SEKISHO_VERDICT is allow, and dial ${SEKISHO_DIAL}";
    } else {
        f.severity = WARNING;
        f.id = "original-dialled";
        f.what = arena_format(w->arena,
                              "%s dials what was keyed; Sekisho allowed what it understood of it",
                              shown(w, st));
        f.change = "dial ${SEKISHO_DIAL}";
    }
    finding_add(w->r->findings, &f);
}

static void miss_gate(struct walk *w, const struct steps *steps, struct place at)
{
    if (!steps->gate_context.n || dialplan_context(w->r->dialplan, steps->gate_context))
        return;
    finding_add(
        w->r->findings,
        &(struct finding){
            SERIOUS, "gate-missing", at,
            arena_format(w->arena, "the context \"%s\" is used and does not exist",
                         ESCAPED(steps->gate_context)),
            NULL,
            "copy contrib/asterisk/sekisho.conf and sekisho-site.conf there, and #include both "
            "in extensions.conf"});
}

static void explore(struct walk *w, size_t node)
{
    struct node n = w->nodes[node];
    const struct statement *st = statement(w, n.statement);
    enum asked now = after(st, n.asked);
    struct steps steps;

    steps_of(&w->world, n.statement, (struct span){NULL, 0}, &steps);
    miss_gate(w, &steps, st->at);
    for (size_t i = 0; i < steps.n_dials; i++)
        judge_dial(w, node, now, &steps.dials[i]);
    for (size_t i = 0; i < steps.n_jumps; i++)
        visit(w, steps.jumps[i], now, node, NULL, true);
    for (size_t i = 0; i < steps.n_calls; i++)
        visit(w, steps.calls[i], now, node, NULL, true);
    if (!steps.stays)
        return;
    unsigned states = states_behind(w, n.statement, n.asked, &steps, 0);
    for (size_t i = 0; i < steps.n_next; i++)
        for (unsigned state = UNASKED; state < OBEYED; state++)
            if (states & 1u << state)
                visit(w, steps.next[i], (enum asked)state, node, NULL,
                      statement(w, steps.next[i])->context != st->context);
}

/* What a queue member or a feature dials without any dialplan. */
static void judge_root(struct walk *w, const struct root *root, const struct destination *d)
{
    if (d->kind == DESTINATION_TRUNK)
        finding_add(w->r->findings,
                    &(struct finding){
                        SERIOUS, "trunk-unasked", root->at,
                        arena_format(w->arena, "%s reaches trunk \"%s\", and Sekisho is not asked",
                                     root->who, ESCAPED(d->trunk)),
                        NULL, "dial Local/NUMBER@sekisho-out instead"});
}

static void enter_root(struct walk *w, const struct root *root)
{
    struct steps steps = {0};

    if (root->destination.n) {
        struct destination d = destination_of(w->r->devices, root->destination);

        judge_root(w, root, &d);
        if (d.kind == DESTINATION_LOCAL)
            steps_enter(&w->world, d.context, d.exten, SPAN("1"), &steps);
    } else if (root->app.n) {
        steps_of_app(&w->world, root->app, root->args, &steps);
        for (size_t i = 0; i < steps.n_dials; i++)
            judge_root(w, root, &steps.dials[i]);
    } else {
        steps_enter(&w->world, root->context, root->exten,
                    root->priority.n ? root->priority : SPAN("1"), &steps);
    }
    miss_gate(w, &steps, root->at);
    for (size_t i = 0; i < steps.n_jumps; i++)
        visit(w, steps.jumps[i], UNASKED, SIZE_MAX, root->who, true);
    for (size_t i = 0; i < steps.n_calls; i++)
        visit(w, steps.calls[i], UNASKED, SIZE_MAX, root->who, true);
}

static struct walk begin(const struct reach *r)
{
    struct walk w = {.r = r, .world = {r->dialplan, r->devices}, .arena = r->findings->arena};
    size_t size = r->dialplan->n_statements * N_ASKED + 1;

    w.seen = arena_alloc(w.arena, size * sizeof(*w.seen));
    w.exits = arena_alloc(w.arena, size);
    w.round = arena_alloc(w.arena, size * sizeof(*w.round));
    return w;
}

void reach_trunks(const struct reach *r)
{
    struct walk w = begin(r);
    size_t done = 0;

    /* One root after the other, so that the way shown is that of the least trusted. */
    for (size_t i = 0; i < r->roots->n; i++) {
        enter_root(&w, &r->roots->all[i]);
        while (done < w.n)
            explore(&w, done++);
    }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor/roots.h"

#include "cli/doctor/destination.h"
#include "cli/doctor/secret.h"

struct gather {
    struct roots *out;
    struct arena *arena;
    struct findings *findings;
};

static struct root *add(struct gather *g, struct place at, const char *who)
{
    struct root *r = &ARENA_ADD(g->arena, g->out->all, g->out->n);

    *r = (struct root){.at = at};
    r->who = arena_format(g->arena, "%s (%s)", who, place_text(g->arena, at));
    return r;
}

static void devices(struct gather *g, const struct devices *d, enum device_kind kind,
                    const char *word)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct device *x = &d->all[i];

        if (x->kind != kind)
            continue;
        struct root *r = add(g, x->at, arena_format(g->arena, "%s \"%s\"", word, ESCAPED(x->name)));
        r->context = x->context;
        r->is_phone = kind == DEVICE_PHONE;
    }
}

static void transfers(struct gather *g, const struct devices *d)
{
    for (size_t i = 0; i < d->n_transfers; i++)
        add(g, d->transfers[i].at,
            arena_format(g->arena, "transfers of \"%s\"", ESCAPED(d->transfers[i].name)))
            ->context = d->transfers[i].context;
}

/* 1001 => 1234,Name,mail,pager,dialout=outside|callback=outside */
static void mailbox(struct gather *g, const struct astconf_entry *e)
{
    struct span parts[5] = {{NULL, 0}}, options[ARGS_MAX], pin;
    size_t n = args_split(e->value, ',', parts, 5);
    enum severity severity;

    if (!n)
        return;
    pin = parts[0];
    if (pin.n && pin.p[0] == '-')
        pin = span_skip(pin, 1);
    const char *weakness = secret_weakness(e->name, pin, &severity);
    if (pin.n < 4 || (weakness && (span_eq(pin, e->name) || strstr(weakness, "row") ||
                                   strstr(weakness, "backwards"))))
        finding_add(g->findings,
                    &(struct finding){
                        WARNING, "mailbox-pin", e->at,
                        arena_format(g->arena, "the PIN of mailbox \"%s\" can be guessed",
                                     ESCAPED(e->name)),
                        NULL, "give it six digits or more that are no row and not its number"});
    n = n > 4 ? args_split(parts[4], '|', options, ARGS_MAX) : 0;
    for (size_t i = 0; i < n && i < ARGS_MAX; i++) {
        struct span value, name = span_trim(span_cut(options[i], '=', &value));

        if (span_is(name, "dialout") || span_is(name, "callback") || span_is(name, "exitcontext"))
            add(g, e->at,
                arena_format(g->arena, "voicemail %.*s of mailbox \"%s\"", SPAN_FMT(name),
                             ESCAPED(e->name)))
                ->context = span_trim(value);
    }
}

static void voicemail(struct gather *g, const struct astconf *c)
{
    static const char *const exits[] = {"dialout", "callback", "exitcontext"};
    const struct astconf_section *general = astconf_section(c, "general");

    for (size_t i = 0; i < sizeof(exits) / sizeof(*exits); i++)
        if (astconf_get(general, exits[i]).n)
            add(g, astconf_place(general, exits[i]),
                arena_format(g->arena, "voicemail %s", exits[i]))
                ->context = astconf_get(general, exits[i]);
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; k < c->sections[i].n && &c->sections[i] != general; k++)
            if (!span_is(c->sections[i].name, "zonemessages"))
                mailbox(g, &c->sections[i].entries[k]);
}

static void queues(struct gather *g, const struct astconf *c)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct astconf_section *q = &c->sections[i];

        if (q->is_template || span_is(q->name, "general"))
            continue;
        if (astconf_get(q, "context").n)
            add(g, astconf_place(q, "context"),
                arena_format(g->arena, "callers who leave queue \"%s\"", ESCAPED(q->name)))
                ->context = astconf_get(q, "context");
        for (size_t k = 0; k < q->n; k++)
            if (span_eq_nocase(q->entries[k].name, SPAN("member"))) {
                struct span rest;

                add(g, q->entries[k].at, arena_format(g->arena, "queue \"%s\"", ESCAPED(q->name)))
                    ->destination = span_cut(q->entries[k].value, ',', &rest);
            }
    }
}

/* name => *9,self/caller,App(args)[,…] or App,args */
static void features(struct gather *g, const struct astconf *c)
{
    const struct astconf_section *map = astconf_section(c, "applicationmap");

    for (size_t i = 0; map && i < map->n; i++) {
        struct span parts[4] = {{NULL, 0}}, behind;
        size_t n = args_split(map->entries[i].value, ',', parts, 4);

        if (n < 3)
            continue;
        struct root *r =
            add(g, map->entries[i].at,
                arena_format(g->arena, "feature \"%s\"", ESCAPED(map->entries[i].name)));
        r->app = span_trim(span_cut(parts[2], '(', &behind));
        if (behind.p)
            r->args =
                (struct span){behind.p, behind.n - (behind.n && behind.p[behind.n - 1] == ')')};
        else
            r->args = parts[3];
    }
}

static void followme(struct gather *g, const struct astconf *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (!c->sections[i].is_template && !span_is(c->sections[i].name, "general") &&
            astconf_get(&c->sections[i], "number").n)
            add(g, astconf_place(&c->sections[i], "number"),
                arena_format(g->arena, "follow-me \"%s\"", ESCAPED(c->sections[i].name)))
                ->context = astconf_get(&c->sections[i], "context").n
                                ? astconf_get(&c->sections[i], "context")
                                : SPAN("default");
}

/* 5=dialplan_exec(context,exten,priority) */
static void conferences(struct gather *g, const struct astconf *c)
{
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; k < c->sections[i].n; k++) {
            const struct astconf_entry *e = &c->sections[i].entries[k];
            const char *at =
                e->value.n ? memmem(e->value.p, e->value.n, "dialplan_exec(", 14) : NULL;
            struct span parts[3] = {{NULL, 0}}, rest;

            if (!at)
                continue;
            args_split(span_cut(span_skip(e->value, (size_t)(at - e->value.p) + 14), ')', &rest),
                       ',', parts, 3);
            struct root *r = add(g, e->at, "conference menu");
            r->context = parts[0];
            r->exten = parts[1];
            r->priority = parts[2];
        }
}

static void parking(struct gather *g, const struct astconf *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (!c->sections[i].is_template && astconf_get(&c->sections[i], "comebackcontext").n)
            add(g, astconf_place(&c->sections[i], "comebackcontext"), "calls that were parked")
                ->context = astconf_get(&c->sections[i], "comebackcontext");
}

int roots_read(struct roots *out, const char *dir, const struct devices *d,
               struct findings *findings, struct fault *f)
{
    static const struct {
        const char *file;
        void (*read)(struct gather *g, const struct astconf *c);
    } sources[] = {
        {"voicemail.conf", voicemail},    {"features.conf", features},
        {"queues.conf", queues},          {"followme.conf", followme},
        {"confbridge.conf", conferences}, {"res_parking.conf", parking},
    };
    struct gather g = {out, findings->arena, findings};
    int err = 0;

    devices(&g, d, DEVICE_GUEST, "guests as");
    devices(&g, d, DEVICE_TRUNK, "callers from trunk");
    for (size_t i = 0; i < sizeof(sources) / sizeof(*sources) && !err; i++) {
        struct astconf c = {0};

        err = astconf_read(&c, dir, sources[i].file, findings, f);
        if (!err)
            sources[i].read(&g, &c);
    }
    transfers(&g, d);
    devices(&g, d, DEVICE_PHONE, "phone");
    return err;
}

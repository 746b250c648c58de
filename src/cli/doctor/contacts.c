/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor/contacts.h"

#include "cli/doctor/destination.h"

struct check {
    const struct devices *devices;
    struct findings *findings;
    struct arena *arena;
};

/* An endpoint in pjsip.conf, or a wizard, whose options have prefixes. */
struct endpoint {
    const struct astconf_section *section;
    bool wizard;
};

static struct span option(const struct check *c, const struct endpoint *e, const char *object,
                          const char *name)
{
    return astconf_get(e->section,
                       e->wizard ? arena_format(c->arena, "%s/%s", object, name) : name);
}

static bool is_sip(const struct device *d)
{
    return strcmp(d->tech, "PJSIP") == 0 || strcmp(d->tech, "SIP") == 0;
}

static bool has_trunk(const struct devices *devices)
{
    for (size_t i = 0; i < devices->n; i++)
        if (devices->all[i].kind == DEVICE_TRUNK && is_sip(&devices->all[i]))
            return true;
    return false;
}

static bool is_phone(const struct check *c, const char *tech, struct span name)
{
    const struct device *d = devices_find(c->devices, tech, name);

    return d && d->kind == DEVICE_PHONE;
}

static void contact_open(struct check *c, struct span name, struct place at, const char *change)
{
    finding_add(c->findings,
                &(struct finding){SERIOUS, "contact-open", at,
                                  arena_format(c->arena,
                                               "who has the secret of \"%s\" can register a number "
                                               "at the trunk, and have it called unasked",
                                               ESCAPED(name)),
                                  NULL, change});
}

static void redirect_open(struct check *c, struct place at, const char *what, const char *change)
{
    finding_add(c->findings, &(struct finding){SERIOUS, "redirect-open", at, what, NULL, change});
}

static void pjsip_phone(struct check *c, const struct endpoint *e)
{
    bool rewritten = astconf_true(option(c, e, "endpoint", "rewrite_contact"), false);
    /* Permits alone refuse nothing: what no line of an ACL names is let through. */
    bool fenced =
        option(c, e, "endpoint", "contact_deny").n || option(c, e, "endpoint", "contact_acl").n;
    struct span how = option(c, e, "endpoint", "redirect_method");

    if (!rewritten || !fenced)
        contact_open(c, e->section->name, e->section->at,
                     "set rewrite_contact=yes and contact_deny= the addresses of every trunk "
                     "(contrib/asterisk/pjsip.conf.example)");
    if (span_is(how, "uri_core") || span_is(how, "uri_pjsip"))
        redirect_open(
            c,
            astconf_place(e->section, e->wizard ? "endpoint/redirect_method" : "redirect_method"),
            "a telephone's 302 is called wherever it points, and Sekisho is not asked",
            "set redirect_method=user, and give Dial() the option i");
}

/* One finding for each trunk: what its transport carries for telephones, too. */
static void pjsip_trunk(struct check *c, const struct endpoint *trunk, const struct endpoint *all,
                        size_t n)
{
    struct span own = option(c, trunk, "endpoint", "transport");
    bool shared = false;

    for (size_t i = 0; i < n && !shared; i++) {
        struct span other = option(c, &all[i], "endpoint", "transport");

        shared = is_phone(c, "PJSIP", all[i].section->name) &&
                 (!own.n || !other.n || span_eq_nocase(own, other));
    }
    if (shared)
        finding_add(
            c->findings,
            &(struct finding){
                SERIOUS, "transport-shared", trunk->section->at,
                arena_format(c->arena,
                             "telephones use the transport of trunk \"%s\": a Contact with maddr "
                             "or a Route is called there unasked",
                             ESCAPED(trunk->section->name)),
                NULL,
                "give the trunk a transport of its own, name a transport at every telephone, and "
                "load contrib/asterisk/trunk.nft"});
}

static void path_believed(struct check *c, const struct astconf_section *s, const char *name)
{
    if (astconf_true(astconf_get(s, name), false))
        finding_add(c->findings,
                    &(struct finding){WARNING, "path-believed", astconf_place(s, name),
                                      arena_format(c->arena,
                                                   "who registers at \"%s\" says by "
                                                   "which hops it is called",
                                                   ESCAPED(s->name)),
                                      NULL,
                                      "set support_path=no, unless only your own proxy "
                                      "can register there"});
}

static void check_pjsip(struct check *c, const struct astconf *pjsip, const struct astconf *wizard)
{
    struct endpoint *all = NULL;
    size_t n = 0;

    for (size_t i = 0; i < pjsip->n; i++) {
        const struct astconf_section *s = &pjsip->sections[i];

        if (!s->is_template && span_is(astconf_get(s, "type"), "endpoint"))
            ARENA_ADD(c->arena, all, n) = (struct endpoint){s, false};
        else if (!s->is_template && span_is(astconf_get(s, "type"), "aor"))
            path_believed(c, s, "support_path");
    }
    for (size_t i = 0; i < wizard->n; i++)
        if (!wizard->sections[i].is_template &&
            span_is(astconf_get(&wizard->sections[i], "type"), "wizard")) {
            ARENA_ADD(c->arena, all, n) = (struct endpoint){&wizard->sections[i], true};
            path_believed(c, &wizard->sections[i], "aor/support_path");
        }
    for (size_t i = 0; i < n; i++) {
        const struct device *d = devices_find(c->devices, "PJSIP", all[i].section->name);

        if (d && d->kind == DEVICE_PHONE)
            pjsip_phone(c, &all[i]);
        else if (d && d->kind == DEVICE_TRUNK)
            pjsip_trunk(c, &all[i], all, n);
    }
}

static bool sip_fenced(const struct astconf_section *s)
{
    return astconf_get(s, "contactdeny").n || astconf_get(s, "contactacl").n;
}

/* nat=auto_force_rport, the default, is not enough: who asks for no rport is called where he says. */
static bool sip_answers_source(const struct astconf_section *general,
                               const struct astconf_section *s)
{
    struct span how = astconf_get(s, "nat");

    if (!how.n)
        how = astconf_get(general, "nat");
    while (how.n) {
        struct span one = span_trim(span_cut(how, ',', &how));

        if (span_eq_nocase(one, SPAN("force_rport")) || span_eq_nocase(one, SPAN("yes")))
            return true;
    }
    return false;
}

static void check_sip(struct check *c, const struct astconf *sip)
{
    const struct astconf_section *general = astconf_section(sip, "general");

    for (size_t i = 0; i < sip->n; i++) {
        const struct astconf_section *s = &sip->sections[i];

        if (s->is_template)
            continue;
        if (astconf_true(astconf_get(s, "promiscredir"), false))
            redirect_open(
                c, astconf_place(s, "promiscredir"),
                "a telephone's 302 is called wherever it points, and Sekisho is not asked",
                "set promiscredir=no, and give Dial() the option i");
        bool fenced = (sip_fenced(general) || sip_fenced(s)) && sip_answers_source(general, s);
        if (s != general && !fenced && is_phone(c, "SIP", s->name))
            contact_open(
                c, s->name, s->at,
                "set nat=force_rport,comedia and contactdeny= the addresses of every trunk "
                "in [general] (contrib/asterisk/sip.conf.example)");
    }
}

int contacts_check(const char *dir, const struct devices *devices, struct findings *findings,
                   struct fault *f)
{
    struct check c = {devices, findings, findings->arena};
    struct astconf pjsip = {0}, wizard = {0}, sip = {0};
    int err = astconf_read(&pjsip, dir, "pjsip.conf", findings, f);

    if (!err)
        err = astconf_read(&wizard, dir, "pjsip_wizard.conf", findings, f);
    if (!err)
        err = astconf_read(&sip, dir, "sip.conf", findings, f);
    if (err || !has_trunk(devices))
        return err;
    check_pjsip(&c, &pjsip, &wizard);
    check_sip(&c, &sip);
    return 0;
}

static bool is_telephone(const struct devices *devices, struct span destination)
{
    struct span rest, tech = span_trim(span_cut(destination, '/', &rest));

    return (span_eq_nocase(tech, SPAN("PJSIP")) || span_eq_nocase(tech, SPAN("SIP"))) &&
           destination_of(devices, destination).kind == DESTINATION_PHONE;
}

/* The letter i outside of other options' arguments; what a variable holds may have it or not. */
static bool ignores_redirects(struct span options)
{
    int depth = 0;

    for (size_t i = 0; i < options.n; i++) {
        char ch = options.p[i];

        if (ch == '(' || ch == '{')
            depth++;
        else if (ch == ')' || ch == '}')
            depth--;
        else if (ch == 'i' && depth == 0)
            return true;
    }
    return false;
}

static bool calls_telephones(const struct devices *devices, struct span destinations)
{
    struct span each[ARGS_MAX];
    size_t n = args_split(destinations, '&', each, ARGS_MAX);

    for (size_t i = 0; i < n && i < ARGS_MAX; i++)
        if (is_telephone(devices, each[i]))
            return true;
    return false;
}

static bool queues_telephones(const struct devices *devices, const struct roots *roots)
{
    for (size_t i = 0; i < roots->n; i++)
        if (is_telephone(devices, roots->all[i].destination))
            return true;
    return false;
}

void contacts_followed(const struct dialplan *d, const struct devices *devices,
                       const struct roots *roots, struct findings *findings)
{
    bool queued = queues_telephones(devices, roots);

    for (size_t i = 0; i < d->n_statements && has_trunk(devices); i++) {
        const struct statement *st = &d->statements[i];
        struct span parts[3] = {{NULL, 0}};
        bool calls;

        args_split(st->args, ',', parts, 3);
        if (span_eq_nocase(st->app, SPAN("Dial")))
            calls = calls_telephones(devices, parts[0]) && !ignores_redirects(parts[2]);
        else if (span_eq_nocase(st->app, SPAN("Page")))
            calls = calls_telephones(devices, parts[0]) && !ignores_redirects(parts[1]);
        else
            calls =
                span_eq_nocase(st->app, SPAN("Queue")) && queued && !ignores_redirects(parts[1]);
        if (calls)
            finding_add(findings,
                        &(struct finding){
                            SERIOUS, "redirect-followed", st->at,
                            arena_format(findings->arena,
                                         "%.*s(%s) follows a telephone's 302, also to a channel "
                                         "that it names (PJSIP/NUMBER@TRUNK)",
                                         SPAN_FMT(st->app), ESCAPED(st->args)),
                            NULL,
                            arena_format(findings->arena,
                                         "give %.*s() the option i, and forward in the dialplan",
                                         SPAN_FMT(st->app))});
    }
}

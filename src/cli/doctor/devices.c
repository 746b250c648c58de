/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor/devices.h"

#include "cli/doctor/secret.h"

struct scan {
    struct devices *out;
    struct findings *findings;
    struct arena *arena;
};

static void add(struct scan *s, const char *tech, enum device_kind kind, struct span name,
                struct span context, struct place at)
{
    ARENA_ADD(s->arena, s->out->all, s->out->n) =
        (struct device){tech, kind, name, context.n ? context : SPAN("default"), at};
}

/* set_var=TRANSFER_CONTEXT=x, setvar=FORWARD_CONTEXT=x, with underscores in front for inheritance. */
static void add_transfers(struct scan *s, const struct astconf_section *section, const char *option)
{
    for (size_t i = 0; i < section->n; i++) {
        struct span value, name = section->entries[i].value;

        if (!span_eq_nocase(section->entries[i].name, span_of(option)))
            continue;
        name = span_trim(span_cut(name, '=', &value));
        while (name.n && name.p[0] == '_')
            name = span_skip(name, 1);
        if (span_is(name, "TRANSFER_CONTEXT") || span_is(name, "FORWARD_CONTEXT"))
            ARENA_ADD(s->arena, s->out->transfers, s->out->n_transfers) = (struct device){
                "", DEVICE_PHONE, section->name, span_trim(value), section->entries[i].at};
    }
}

static void judge_secret(struct scan *s, struct span owner, struct span name, struct span secret,
                         struct place at)
{
    enum severity severity;
    const char *weakness = secret_weakness(name, secret, &severity);

    if (weakness)
        finding_add(s->findings,
                    &(struct finding){
                        severity, "secret-weak", at,
                        arena_format(s->arena, "the secret of \"%s\" %s", ESCAPED(owner), weakness),
                        NULL,
                        "give it a random one of 16 letters and digits or more, on the phone too"});
}

static void judge_md5(struct scan *s, struct span owner, struct span name, struct span realm,
                      struct span hash, struct place at)
{
    const char *weakness = secret_weakness_md5(name, realm, hash);

    if (weakness)
        finding_add(s->findings,
                    &(struct finding){
                        SERIOUS, "secret-weak", at,
                        arena_format(s->arena, "the secret of \"%s\" %s: its MD5 gives it away",
                                     ESCAPED(owner), weakness),
                        NULL,
                        "give it a random one of 16 letters and digits or more, on the phone too"});
}

static void no_secret(struct scan *s, struct span name, struct place at, const char *change)
{
    finding_add(s->findings, &(struct finding){SERIOUS, "secret-missing", at,
                                               arena_format(s->arena,
                                                            "whoever calls himself \"%s\" is "
                                                            "believed: no secret is asked for",
                                                            ESCAPED(name)),
                                               NULL, change});
}

static void guests(struct scan *s, struct place at, const char *what, const char *change)
{
    finding_add(s->findings, &(struct finding){SERIOUS, "guest-calls", at, what, NULL, change});
}

/* pjsip.conf: sections of the same name and other type belong to different objects. */
static const struct astconf_section *object(const struct astconf *c, struct span name,
                                            const char *type)
{
    for (size_t i = 0; i < c->n; i++)
        if (!c->sections[i].is_template && span_eq_nocase(c->sections[i].name, name) &&
            span_is(astconf_get(&c->sections[i], "type"), type))
            return &c->sections[i];
    return NULL;
}

/* Whether an object of `type` names the endpoint in its option `endpoint`. */
static bool named_by(const struct astconf *c, const char *type, struct span endpoint)
{
    for (size_t i = 0; i < c->n; i++)
        if (!c->sections[i].is_template && span_is(astconf_get(&c->sections[i], "type"), type) &&
            span_eq_nocase(astconf_get(&c->sections[i], "endpoint"), endpoint))
            return true;
    return false;
}

static bool has_fixed_contact(const struct astconf *c, struct span aors)
{
    while (aors.n) {
        struct span name = span_trim(span_cut(aors, ',', &aors));
        const struct astconf_section *aor = object(c, name, "aor");

        if (astconf_get(aor, "contact").n)
            return true;
    }
    return false;
}

static bool identified_by_name(const struct astconf_section *e)
{
    struct span by = astconf_get(e, "identify_by");

    if (!by.p)
        return true;
    while (by.n) {
        struct span one = span_trim(span_cut(by, ',', &by));

        if (span_is(one, "username") || span_is(one, "auth_username"))
            return true;
    }
    return false;
}

static void pjsip_endpoint(struct scan *s, const struct astconf *c, const struct astconf_section *e)
{
    bool auth = astconf_get(e, "auth").n > 0;
    bool addressed = named_by(c, "identify", e->name);
    bool trunk = astconf_get(e, "outbound_auth").n || named_by(c, "registration", e->name) ||
                 (!auth && (addressed || has_fixed_contact(c, astconf_get(e, "aors"))));
    bool guest = span_eq_nocase(e->name, SPAN("anonymous")) ||
                 (e->n && e->name.n > 10 && span_starts(e->name, SPAN("anonymous@")));

    add(s, "PJSIP",
        guest   ? DEVICE_GUEST
        : trunk ? DEVICE_TRUNK
                : DEVICE_PHONE,
        e->name, astconf_get(e, "context"), e->at);
    add_transfers(s, e, "set_var");
    if (guest)
        guests(s, e->at, "an endpoint \"anonymous\" lets anybody call without a secret",
               "take the endpoint out; give whoever must call an endpoint of its own");
    else if (!auth && !trunk)
        no_secret(s, e->name, e->at,
                  "give the endpoint auth=, or an identify section and identify_by=ip");
    else if (!auth && identified_by_name(e))
        finding_add(
            s->findings,
            &(struct finding){WARNING, "trunk-by-name", e->at,
                              arena_format(s->arena,
                                           "whoever writes \"%s\" into From is taken for "
                                           "that trunk, from any address",
                                           ESCAPED(e->name)),
                              NULL,
                              "set identify_by=ip on the endpoint, and an identify section with "
                              "match= if the trunk calls in"});
}

static void pjsip_auth(struct scan *s, const struct astconf *c, const struct astconf_section *a)
{
    struct span type = astconf_get(a, "auth_type"), name = astconf_get(a, "username");
    struct span realm = astconf_get(a, "realm"), hash = astconf_get(a, "md5_cred");
    bool inbound = false;

    /* A secret that is only sent to others was chosen by them. */
    for (size_t i = 0; i < c->n && !inbound; i++)
        inbound = !c->sections[i].is_template &&
                  span_is(astconf_get(&c->sections[i], "type"), "endpoint") &&
                  span_eq_nocase(astconf_get(&c->sections[i], "auth"), a->name);
    if (!inbound)
        return;
    if (!name.n)
        name = a->name;
    if (span_is(type, "md5") || (!span_is(type, "userpass") && hash.n))
        judge_md5(s, a->name, name, realm.n ? realm : SPAN("asterisk"), hash,
                  astconf_place(a, "md5_cred"));
    else if (!span_is(type, "digest"))
        judge_secret(s, a->name, name, astconf_get(a, "password"), astconf_place(a, "password"));
}

static void scan_pjsip(struct scan *s, const struct astconf *c)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct astconf_section *o = &c->sections[i];

        if (o->is_template)
            continue;
        if (span_is(astconf_get(o, "type"), "endpoint"))
            pjsip_endpoint(s, c, o);
        else if (span_is(astconf_get(o, "type"), "auth"))
            pjsip_auth(s, c, o);
    }
}

static void scan_wizard(struct scan *s, const struct astconf *c)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct astconf_section *w = &c->sections[i];
        bool accepts = astconf_true(astconf_get(w, "accepts_auth"), false);
        bool trunk = astconf_true(astconf_get(w, "sends_registrations"), false) ||
                     astconf_true(astconf_get(w, "sends_auth"), false) ||
                     astconf_get(w, "remote_hosts").n > 0;
        struct span name = astconf_get(w, "inbound_auth/username");

        if (w->is_template || !span_is(astconf_get(w, "type"), "wizard"))
            continue;
        add(s, "PJSIP", trunk ? DEVICE_TRUNK : DEVICE_PHONE, w->name,
            astconf_get(w, "endpoint/context"), w->at);
        add_transfers(s, w, "endpoint/set_var");
        if (accepts)
            judge_secret(s, w->name, name.n ? name : w->name,
                         astconf_get(w, "inbound_auth/password"),
                         astconf_place(w, "inbound_auth/password"));
        else if (!trunk)
            no_secret(s, w->name, w->at, "set accepts_auth=yes and an inbound_auth/password");
    }
}

static bool trusts_address(const struct astconf_section *p)
{
    struct span host = astconf_get(p, "host");

    return host.n && !span_eq_nocase(host, SPAN("dynamic"));
}

static void sip_peer(struct scan *s, const struct astconf_section *general,
                     const struct astconf_section *p)
{
    struct span context = astconf_get(p, "context"), secret = astconf_get(p, "secret");
    struct span hash = astconf_get(p, "md5secret"), realm = astconf_get(general, "realm");
    struct span name = astconf_get(p, "defaultuser");
    bool trunk = trusts_address(p);

    add(s, "SIP", trunk ? DEVICE_TRUNK : DEVICE_PHONE, p->name,
        context.n ? context : astconf_get(general, "context"), p->at);
    add_transfers(s, p, "setvar");
    if (trunk)
        return;
    name = name.n ? name : p->name;
    if (hash.n)
        judge_md5(s, p->name, p->name, realm.n ? realm : SPAN("asterisk"), hash,
                  astconf_place(p, "md5secret"));
    else if (secret.n)
        judge_secret(s, p->name, name, secret, astconf_place(p, "secret"));
    else
        no_secret(s, p->name, p->at, "give it secret=");
}

static void sip_general(struct scan *s, const struct astconf *c, const struct astconf_section *g)
{
    struct place here = g ? g->at : (struct place){c->file, 0};

    if (astconf_true(astconf_get(g, "allowguest"), true)) {
        add(s, "SIP", DEVICE_GUEST, SPAN("guest"), astconf_get(g, "context"),
            g ? astconf_place(g, "context") : here);
        guests(s, g ? astconf_place(g, "allowguest") : here,
               "chan_sip takes calls from anybody: allowguest is yes unless it is set to no",
               "set allowguest=no in [general]");
    }
    if (astconf_true(astconf_get(g, "autocreatepeer"), false))
        guests(s, astconf_place(g, "autocreatepeer"), "autocreatepeer lets anybody register",
               "set autocreatepeer=no in [general]");
    if (!astconf_true(astconf_get(g, "alwaysauthreject"), true))
        finding_add(s->findings,
                    &(struct finding){WARNING, "enumeration", astconf_place(g, "alwaysauthreject"),
                                      "alwaysauthreject=no tells attackers which accounts exist",
                                      NULL, "set alwaysauthreject=yes in [general]"});
}

static void scan_sip(struct scan *s, const struct astconf *c)
{
    const struct astconf_section *general = astconf_section(c, "general");

    if (!c->exists)
        return;
    sip_general(s, c, general);
    for (size_t i = 0; i < c->n; i++)
        if (!c->sections[i].is_template && &c->sections[i] != general &&
            astconf_get(&c->sections[i], "type").n)
            sip_peer(s, general, &c->sections[i]);
}

static void scan_iax(struct scan *s, const struct astconf *c)
{
    const struct astconf_section *general = astconf_section(c, "general");

    for (size_t i = 0; i < c->n; i++) {
        const struct astconf_section *p = &c->sections[i];
        struct span type = astconf_get(p, "type"), context = astconf_get(p, "context");
        struct span secret = astconf_get(p, "secret");
        bool calls_in = span_is(type, "user") || span_is(type, "friend");
        bool limited = astconf_get(p, "permit").n || astconf_get(p, "acl").n || trusts_address(p);

        if (p->is_template || p == general || !type.n)
            continue;
        bool guest = calls_in && !secret.n && !astconf_get(p, "inkeys").n && !limited;
        add(s, "IAX2",
            guest               ? DEVICE_GUEST
            : trusts_address(p) ? DEVICE_TRUNK
                                : DEVICE_PHONE,
            p->name, context.n ? context : astconf_get(general, "context"), p->at);
        if (guest)
            guests(s, p->at,
                   arena_format(s->arena, "IAX2 calls as \"%s\" need no secret", ESCAPED(p->name)),
                   "give it secret=, or take it out");
        else if (calls_in && secret.n)
            judge_secret(s, p->name, p->name, secret, astconf_place(p, "secret"));
    }
}

/* "noload => chan_sip.so" in modules.conf. */
static bool loaded(const struct astconf *modules, const char *module)
{
    const struct astconf_section *s = astconf_section(modules, "modules");

    for (size_t i = 0; s && i < s->n; i++)
        if (span_is(s->entries[i].name, "noload") &&
            (span_is(s->entries[i].value, module) ||
             (span_starts(s->entries[i].value, span_of(module)) &&
              s->entries[i].value.n == strlen(module) + 3)))
            return false;
    return true;
}

int devices_read(struct devices *out, const char *dir, struct findings *findings, struct fault *f)
{
    static const struct {
        const char *file, *module;
        void (*scan)(struct scan *s, const struct astconf *c);
    } sources[] = {
        {"pjsip.conf", "chan_pjsip", scan_pjsip},
        {"pjsip_wizard.conf", "chan_pjsip", scan_wizard},
        {"sip.conf", "chan_sip", scan_sip},
        {"iax.conf", "chan_iax2", scan_iax},
    };
    struct scan s = {out, findings, findings->arena};
    struct astconf modules = {0};
    int err = astconf_read(&modules, dir, "modules.conf", findings, f);

    for (size_t i = 0; i < sizeof(sources) / sizeof(*sources) && !err; i++) {
        struct astconf c = {0};

        if (!loaded(&modules, sources[i].module))
            continue;
        err = astconf_read(&c, dir, sources[i].file, findings, f);
        if (!err)
            sources[i].scan(&s, &c);
    }
    return err;
}

const struct device *devices_find(const struct devices *d, const char *tech, struct span name)
{
    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->all[i].tech, tech) == 0 && span_eq_nocase(d->all[i].name, name))
            return &d->all[i];
    return NULL;
}

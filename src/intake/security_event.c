/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/security_event.h"

#include <stdio.h>

/* How far the fields of a message are those of its kind. */
enum form {
    FORM_WHOLE,
    FORM_SPLIT_INSIDE, /* whole, with more lines in AccountID than the one that it should have */
    FORM_SPLIT_BEHIND, /* goes wrong between RemoteAddress and its last field */
    FORM_SPLIT_BEFORE, /* ends in AccountID */
    FORM_BAD,
};

struct reading {
    const struct ami_message *m;
    size_t at; /* the next field */
    struct security_fields f;
    bool odd; /* its response is none: the event may have been made to end here */
};

/* Asterisk writes one space behind the colon; the rest of the value is as it came. */
static bool is_field(const struct ami_field *field, const char *name)
{
    return span_is(field->name, name) &&
           (field->value.n == 0 || field->value.p >= field->name.p + field->name.n + 2);
}

static bool take(struct reading *r, const char *name, struct span *value)
{
    if (r->at == r->m->n || !is_field(&r->m->fields[r->at], name))
        return false;
    *value = r->m->fields[r->at++].value;
    return true;
}

/* What the manager itself puts before the event's fields. */
static bool take_head(struct reading *r)
{
    static const char *const heads[] = {"SequenceNumber", "SystemName", "File",
                                        "Line",           "Func",       "Timestamp"};
    struct span value, privilege;

    if (!take(r, "Event", &value) || !take(r, "Privilege", &privilege) ||
        !span_starts(privilege, SPAN("security,")))
        return false;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        take(r, heads[i], &value);
    return true;
}

static bool take_front(struct reading *r)
{
    struct span time, severity, version;

    return take(r, "EventTV", &time) && security_is_time(time) && take(r, "Severity", &severity) &&
           security_is_severity(severity) && take(r, "Service", &r->f.service) &&
           security_is_service(r->f.service) && take(r, "EventVersion", &version) &&
           security_is_version(version) &&
           (r->f.kind->without_account || take(r, "AccountID", &r->f.account));
}

static bool take_addresses(struct reading *r)
{
    struct span local, remote;
    struct address address;
    enum transport transport;

    return take(r, "SessionID", &r->f.session) && security_is_session(r->f.service, r->f.session) &&
           take(r, "LocalAddress", &local) && security_address(local, &address, &transport) &&
           take(r, "RemoteAddress", &remote) &&
           security_address(remote, &r->f.source, &r->f.transport);
}

/* False where the last field is missing, or others stand among them. */
static bool take_end(struct reading *r)
{
    struct span value;

    for (size_t i = 0; i < 4 && r->f.kind->required[i]; i++) {
        if (!take(r, r->f.kind->required[i], &value))
            return false;
        if (!strcmp(r->f.kind->required[i], "UsingPassword"))
            r->f.used_password = !span_is(value, "0");
        if (!strcmp(r->f.kind->required[i], "Response"))
            r->odd = !security_is_digest(value);
    }
    for (size_t i = 0; i < 6 && r->f.kind->optional[i]; i++)
        take(r, r->f.kind->optional[i], &value);
    return r->at == r->m->n;
}

/* Whether the message ends as the event must: what the peer wrote, if anything is left of it, and then
 * Asterisk's words. Both addresses do not fit into a name, so these are Asterisk's. */
static bool find_end(struct reading *r)
{
    for (size_t i = r->m->n; i-- > 0;) {
        r->at = i;
        if (is_field(&r->m->fields[i], "SessionID") && take_addresses(r) && take_end(r))
            return true;
    }
    return false;
}

static enum form form_of(struct reading *r)
{
    size_t behind_account;

    if (r->m->dropped || !take_head(r) || !take_front(r))
        return FORM_BAD;
    behind_account = r->at;
    if (take_addresses(r))
        return take_end(r) ? FORM_WHOLE : FORM_SPLIT_BEHIND;
    r->at = behind_account;
    if (r->f.kind->without_account)
        return FORM_BAD;
    return find_end(r) ? FORM_SPLIT_INSIDE : FORM_SPLIT_BEFORE;
}

/* The message after one that was split in AccountID. */
static enum security_reading read_rest(struct security_events *s, const struct ami_message *m,
                                       struct attempt *out)
{
    struct reading r = {.m = m, .f = {.kind = s->broken, .service = span_of(s->service)}};

    s->broken = NULL;
    if (m->dropped || !find_end(&r) || security_attempt(&s->echoes, &r.f, out) != SECURITY_ATTEMPT)
        return SECURITY_DROPPED;
    return SECURITY_ATTEMPT;
}

static void was_split(struct security_events *s, const struct reading *r, enum form form)
{
    s->split++;
    if (form == FORM_SPLIT_INSIDE)
        return;
    s->distrust = SECURITY_SPLIT_MAX;
    if (form != FORM_SPLIT_BEFORE)
        return;
    s->broken = r->f.kind;
    snprintf(s->service, sizeof(s->service), "%.*s", SPAN_FMT(r->f.service));
}

static bool is_distrusted(struct security_events *s, size_t size)
{
    bool distrusted = s->distrust > 0;

    s->distrust -= size < s->distrust ? size : s->distrust;
    return distrusted;
}

enum security_reading security_event_read(struct security_events *s, const struct ami_message *m,
                                          size_t size, struct attempt *out)
{
    struct reading r = {.m = m};
    bool distrusted = is_distrusted(s, size);
    enum form form;

    if (s->broken)
        return read_rest(s, m, out);
    if (distrusted || !ami_message_begins(m))
        return SECURITY_DROPPED;
    r.f.kind = span_is(m->fields[0].name, "Event") ? security_kind(m->fields[0].value) : NULL;
    if (!r.f.kind) {
        struct span privilege = ami_message_first(m, "Privilege");

        return span_starts(privilege, SPAN("security,")) ? SECURITY_NOT_UNDERSTOOD
                                                         : SECURITY_NOT_EVENT;
    }
    form = form_of(&r);
    if (form != FORM_WHOLE)
        was_split(s, &r, form);
    else if (r.odd && span_is(r.f.service, "PJSIP"))
        s->distrust = SECURITY_SPLIT_MAX;
    if (form == FORM_BAD || form == FORM_SPLIT_BEFORE)
        return SECURITY_DROPPED;
    return security_attempt(&s->echoes, &r.f, out);
}

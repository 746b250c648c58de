/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor/destination.h"

#include <ctype.h>

size_t args_split(struct span args, char separator, struct span *out, size_t most)
{
    size_t n = 0, from = 0;
    int depth = 0;
    bool quoted = false;

    for (size_t i = 0; i <= args.n; i++) {
        char c = i < args.n ? args.p[i] : separator;

        if (c == '\\' && i + 1 < args.n) {
            i++;
            continue;
        }
        if (c == '"')
            quoted = !quoted;
        else if (c == '(' || c == '{' || c == '[')
            depth++;
        else if (c == ')' || c == '}' || c == ']')
            depth--;
        if (i < args.n && (c != separator || quoted || depth > 0))
            continue;
        if (n < most)
            out[n] = span_trim((struct span){args.p + from, i - from});
        n++;
        from = i + 1;
    }
    return n;
}

static bool has_variable(struct span s)
{
    return s.n > 1 && memmem(s.p, s.n, "${", 2);
}

static struct destination phone(void)
{
    return (struct destination){.kind = DESTINATION_PHONE};
}

static struct destination trunk(struct span name)
{
    return (struct destination){.kind = DESTINATION_TRUNK, .trunk = name};
}

/* NUMBER@NAME, NAME/NUMBER, NAME, and of PJSIP NAME/sip:NUMBER@HOST. Of SIP NAME may also be a host. */
static struct destination sip_like(const struct devices *devices, const char *tech,
                                   struct span rest)
{
    struct span behind_at, behind_slash, ignored;
    struct span name = span_cut(rest, '/', &behind_slash);

    span_cut(name, '@', &behind_at);
    if (behind_at.p)
        name = behind_at;
    const struct device *d = devices_find(devices, tech, span_cut(name, ':', &ignored));
    /* A phone rings, wherever its address says; whatever else is known here leads out. */
    if (d)
        return d->kind == DEVICE_TRUNK ? trunk(name) : phone();
    if (!behind_at.p && !behind_slash.n)
        return phone();
    if (has_variable(name))
        return (struct destination){.kind = DESTINATION_UNCLEAR};
    return trunk(name);
}

/* IAX2/[NAME[:SECRET]@]PEER[/EXTEN[@CONTEXT]] */
static struct destination iax(const struct devices *devices, struct span rest)
{
    struct span exten, behind_at;
    struct span peer = span_cut(rest, '/', &exten);
    struct span before = span_cut(peer, '@', &behind_at);
    struct span name = behind_at.p ? behind_at : before;
    const struct device *d = devices_find(devices, "IAX2", name);

    if (d && d->kind == DEVICE_PHONE && !behind_at.p)
        return phone();
    if (has_variable(name))
        return exten.p ? (struct destination){.kind = DESTINATION_UNCLEAR} : phone();
    return trunk(name);
}

/* A group (g1, R2) is lines to outside; a channel with a number behind it too. */
static struct destination dahdi(struct span rest)
{
    struct span number;
    struct span channel = span_cut(rest, '/', &number);

    if (channel.n && isalpha((unsigned char)channel.p[0]) && channel.p[0] != 'i')
        return trunk(rest);
    return number.n ? trunk(rest) : phone();
}

static struct destination local(struct span rest)
{
    struct span context, ignored;
    struct span exten = span_cut(rest, '@', &context);

    return (struct destination){
        .kind = DESTINATION_LOCAL,
        .exten = exten,
        .context = context.p ? span_cut(context, '/', &ignored) : SPAN("default"),
    };
}

struct destination destination_of(const struct devices *devices, struct span text)
{
    static const char *const outside[] = {"OOH323", "H323", "Motif",  "Jingle", "Gtalk",
                                          "mISDN",  "CAPI", "Dongle", "Quectel"};
    struct span rest;
    struct span tech = span_trim(span_cut(text, '/', &rest));

    if (!rest.p)
        return phone();
    if (span_eq_nocase(tech, SPAN("Local")))
        return local(rest);
    if (span_eq_nocase(tech, SPAN("PJSIP")))
        return sip_like(devices, "PJSIP", rest);
    if (span_eq_nocase(tech, SPAN("SIP")))
        return sip_like(devices, "SIP", rest);
    if (span_eq_nocase(tech, SPAN("IAX2")) || span_eq_nocase(tech, SPAN("IAX")))
        return iax(devices, rest);
    if (span_eq_nocase(tech, SPAN("DAHDI")) || span_eq_nocase(tech, SPAN("Zap")))
        return dahdi(rest);
    for (size_t i = 0; i < sizeof(outside) / sizeof(*outside); i++)
        if (span_eq_nocase(tech, span_of(outside[i])))
            return trunk(tech);
    if (has_variable(tech))
        return (struct destination){.kind = DESTINATION_UNCLEAR};
    return phone();
}

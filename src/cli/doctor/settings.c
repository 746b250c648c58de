/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor/settings.h"

#include <unistd.h>

#include "cli/doctor/secret.h"

/* 127.0.0.0/8, ::1, localhost, with or without port. */
static bool is_loopback(struct span address)
{
    return span_starts(address, SPAN("127.")) || span_starts(address, SPAN("::1")) ||
           span_starts(address, SPAN("[::1]")) || span_is(address, "localhost");
}

/* A deny of everything, or an access list by name, so that permits mean something. */
static bool is_fenced(const struct astconf_section *s)
{
    struct span denied = astconf_get(s, "deny");

    return astconf_get(s, "acl").n || (denied.n && (span_starts(denied, SPAN("0.0.0.0/0")) ||
                                                    span_starts(denied, SPAN("::/0"))));
}

/* A web of which others can speak to the manager interface. */
static bool web_is_open(const struct astconf *http)
{
    const struct astconf_section *g = astconf_section(http, "general");

    return astconf_true(astconf_get(g, "enabled"), false) &&
           !is_loopback(astconf_get(g, "bindaddr"));
}

static void check_secret(struct findings *f, const struct astconf_section *s, const char *option,
                         const char *what)
{
    enum severity severity;
    const char *weakness = secret_weakness(s->name, astconf_get(s, option), &severity);

    if (weakness)
        finding_add(f, &(struct finding){severity, "secret-weak", astconf_place(s, option),
                                         arena_format(f->arena, "the secret of %s \"%s\" %s", what,
                                                      ESCAPED(s->name), weakness),
                                         NULL,
                                         "give it a random one of 16 letters and digits or more"});
}

static void check_manager(struct findings *f, const struct astconf *c, const struct astconf *http)
{
    const struct astconf_section *g = astconf_section(c, "general");
    bool open = !is_loopback(astconf_get(g, "bindaddr"));
    bool web = astconf_true(astconf_get(g, "webenabled"), false) && web_is_open(http);

    if (!astconf_true(astconf_get(g, "enabled"), false))
        return;
    for (size_t i = 0; i < c->n; i++) {
        const struct astconf_section *s = &c->sections[i];

        if (s->is_template || s == g)
            continue;
        check_secret(f, s, "secret", "manager account");
        if (open && !is_fenced(s))
            finding_add(f, &(struct finding){
                               SERIOUS, "ami-open", s->at,
                               arena_format(f->arena,
                                            "anybody may try to log in to the manager "
                                            "interface as \"%s\"",
                                            ESCAPED(s->name)),
                               NULL,
                               "set bindaddr=127.0.0.1 in [general], or deny=0.0.0.0/0.0.0.0 and "
                               "permit= the addresses that need it"});
    }
    if (web)
        finding_add(f,
                    &(struct finding){
                        SERIOUS, "ami-web", astconf_place(g, "webenabled"),
                        "the manager interface is open to the web: webenabled=yes, and http.conf "
                        "does not bind to loopback",
                        NULL, "set webenabled=no, or bindaddr=127.0.0.1 in http.conf"});
}

static void check_ari(struct findings *f, const struct astconf *c)
{
    const struct astconf_section *g = astconf_section(c, "general");

    if (!astconf_true(astconf_get(g, "enabled"), true))
        return;
    for (size_t i = 0; i < c->n; i++)
        if (!c->sections[i].is_template && span_is(astconf_get(&c->sections[i], "type"), "user") &&
            !span_is(astconf_get(&c->sections[i], "password_format"), "crypt"))
            check_secret(f, &c->sections[i], "password", "ARI account");
}

static bool has_level(struct span levels, const char *level)
{
    while (levels.n) {
        struct span one = span_trim(span_cut(levels, ',', &levels));

        if (span_eq_nocase(one, span_of(level)) || span_is(one, "*"))
            return true;
    }
    return false;
}

static void check_logger(struct findings *f, const struct astconf *c)
{
    const struct astconf_section *files = astconf_section(c, "logfiles");
    struct place at = files ? files->at : (struct place){"logger.conf", 0};

    /* What only goes to the console is gone with it. */
    for (size_t i = 0; files && i < files->n; i++)
        if (!span_eq_nocase(files->entries[i].name, SPAN("console")) &&
            has_level(files->entries[i].value, "security"))
            return;
    finding_add(f, &(struct finding){
                       WARNING, "security-log", at,
                       "no log file has the level \"security\": failed logins leave no trace", NULL,
                       "add \"security.log => security\" to [logfiles] in logger.conf"});
}

static void check_unread(struct findings *f, const char *dir)
{
    static const char *const files[] = {"extensions.ael", "extensions.lua", "users.conf"};

    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
        if (access(arena_format(f->arena, "%s/%s", dir, files[i]), F_OK) == 0)
            finding_add(f, &(struct finding){
                               NOTE,
                               "file-unread",
                               {files[i], 0},
                               arena_format(f->arena, "%s is there and is not read here", files[i]),
                               NULL,
                               "look at it yourself, or take it out if nothing needs it"});
}

int settings_check(const char *dir, struct findings *findings, struct fault *f)
{
    struct astconf manager = {0}, http = {0}, ari = {0}, logger = {0};
    int err = astconf_read(&manager, dir, "manager.conf", findings, f);

    if (!err)
        err = astconf_read(&http, dir, "http.conf", findings, f);
    if (!err)
        err = astconf_read(&ari, dir, "ari.conf", findings, f);
    if (!err)
        err = astconf_read(&logger, dir, "logger.conf", findings, f);
    if (err)
        return err;
    check_manager(findings, &manager, &http);
    check_ari(findings, &ari);
    check_logger(findings, &logger);
    check_unread(findings, dir);
    return 0;
}

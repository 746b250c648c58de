/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mail_address.h"
#include "base/utf8.h"
#include "config/config_values.h"

#define KEYS_MAX 160 /* more than the table has */

/* One reading of one file. */
struct reading {
    const char *name;
    struct config_report *report;
    struct config *config;
    unsigned line;
    int code; /* of the first error */

    const struct config_section *section; /* NULL: none yet, or an unknown one */
    struct config_named *named;           /* when the section is one with a name */
    bool skip;                            /* the section was refused: its keys say nothing */
    unsigned key_lines[KEYS_MAX];         /* where each key was given; 0 is nowhere */
    unsigned named_key_lines[KEYS_MAX];   /* the same for the current section with a name */
    unsigned section_lines[KEYS_MAX];
};

__attribute__((format(printf, 4, 5))) static void say(struct reading *r, unsigned line, int code,
                                                      const char *format, ...)
{
    struct buf *text = &r->report->text;
    char sentence[4 * FAULT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    if (line)
        buf_printf(text, "%s:%u: ", r->name, line);
    else
        buf_printf(text, "%s: ", r->name);
    buf_printf(text, "%s%s\n", code ? "" : "warning: ", sentence);
    if (!code) {
        r->report->warnings++;
        return;
    }
    r->report->errors++;
    if (!r->code)
        r->code = code;
}

/* "[a], [b] or [c]" */
static void known_sections(char *out, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < config_sections_n && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s[%s%s]",
                              i == 0                       ? ""
                              : i + 1 == config_sections_n ? " and "
                                                           : ", ",
                              config_sections[i].name, config_sections[i].size ? " NAME" : "");
}

static void known_keys(struct span section, char *out, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < config_keys_n && n < size; i++)
        if (span_is(section, config_keys[i].section))
            n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", config_keys[i].name);
}

/* "fastagi.listen", "trunk carrier.emergency" */
static const char *key_label(const struct reading *r, const struct config_key *key, char *out,
                             size_t size)
{
    if (config_section_of(key)->size)
        snprintf(out, size, "%s %s.%s", key->section, r->named->name, key->name);
    else
        snprintf(out, size, "%s.%s", key->section, key->name);
    return out;
}

/* ---- sections ------------------------------------------------------------------------------- */

/* Of one section with a name, or (NULL) of all without. */
static int defaults(struct reading *r, const struct config_section *section, void *base)
{
    struct fault f;

    for (size_t i = 0; i < config_keys_n; i++) {
        const struct config_key *key = &config_keys[i];
        const struct config_section *own = config_section_of(key);

        if (!key->initial || (section ? own != section : own->size != 0))
            continue;
        if (config_value_set(key, span_of(key->initial), base, &f) != 0) {
            say(r, 0, f.code, "the default of %s.%s: %s", key->section, key->name, f.text);
            return f.code;
        }
    }
    return 0;
}

/* It is whole when every key without a default was given. */
static void end_section(struct reading *r)
{
    char label[200], allowed[200];

    for (size_t i = 0; r->named && i < config_keys_n; i++) {
        const struct config_key *key = &config_keys[i];

        if (config_section_of(key) != r->section || key->initial || r->named_key_lines[i])
            continue;
        config_value_allowed(key, allowed, sizeof(allowed));
        say(r, r->named->line, ERR_MISSING, "%s must be given; allowed is %s",
            key_label(r, key, label, sizeof(label)), allowed);
    }
    r->named = NULL;
}

/* Room for one more; NULL without memory. */
static struct config_named *grow(struct config *config, const struct config_section *section,
                                 const struct config_named *with)
{
    void **items = (void **)(void *)((char *)config + section->items);
    size_t *count = (size_t *)(void *)((char *)config + section->count);
    void *grown = reallocarray(*items, *count + 1, section->size);
    struct config_named *named;

    if (!grown)
        return NULL;
    *items = grown;
    named = (struct config_named *)(void *)((char *)grown + *count * section->size);
    memset(named, 0, section->size);
    *named = *with;
    ++*count;
    return named;
}

static void begin_named(struct reading *r, struct span name)
{
    static const struct config_key key = {.type = CONFIG_NAME,
                                          .offset = offsetof(struct config_named, name)};
    const char *word = r->section->name;
    struct config_named named = {.line = r->line};
    const struct config_named *before;
    struct fault f;
    size_t n = 0;

    for (; (before = config_named_at(r->section, r->config, n)); n++)
        if (span_is(name, before->name)) {
            say(r, r->line, ERR_EXISTS, "[%s %s] stands in line %u already", word, before->name,
                before->line);
            return;
        }
    if (n == r->section->most) {
        say(r, r->line, ERR_FULL, "more than %zu sections [%s NAME]", n, word);
        return;
    }
    if (config_value_set(&key, name, &named.name, &f) != 0) {
        say(r, r->line, f.code, "name of the %s: %s", word, f.text);
        return;
    }
    r->named = grow(r->config, r->section, &named);
    if (!r->named) {
        free(named.name);
        say(r, r->line, ERR_NOMEM, "out of memory");
        return;
    }
    memset(r->named_key_lines, 0, sizeof(r->named_key_lines));
    if (defaults(r, r->section, r->named) == 0)
        r->skip = false;
}

static void begin_section(struct reading *r, struct span text)
{
    struct span name, word;
    char known[300];

    end_section(r);
    r->section = NULL;
    r->skip = true;
    if (text.n < 2 || text.p[text.n - 1] != ']') {
        say(r, r->line, ERR_SYNTAX, "\"%s\" lacks the ] at its end", ESCAPED(text));
        return;
    }
    word = span_trim(span_cut(span_trim((struct span){text.p + 1, text.n - 2}), ' ', &name));
    name = span_trim(name);
    r->section = config_section_find(word);
    if (!r->section || (name.n != 0) != (r->section->size != 0)) {
        known_sections(known, sizeof(known));
        say(r, r->line, ERR_MISSING, "section %s is unknown; allowed are %s", ESCAPED(text), known);
        r->section = NULL;
        return;
    }
    if (r->section->size) {
        begin_named(r, name);
        return;
    }
    unsigned *line = &r->section_lines[r->section - config_sections];
    if (*line)
        say(r, r->line, ERR_EXISTS, "section [%s] stands in line %u already", r->section->name,
            *line);
    else
        *line = r->line;
    r->skip = false;
}

/* ---- lines ---------------------------------------------------------------------------------- */

static void set_key(struct reading *r, struct span name, struct span value)
{
    const struct config_key *key = config_key_find(span_of(r->section->name), name);
    char label[200], known[1500];
    struct fault f;

    if (!key) {
        known_keys(span_of(r->section->name), known, sizeof(known));
        say(r, r->line, ERR_MISSING, "[%s] has no key \"%s\"; allowed are %s", r->section->name,
            ESCAPED(name), known);
        return;
    }
    unsigned *line = (r->named ? r->named_key_lines : r->key_lines) + (key - config_keys);
    key_label(r, key, label, sizeof(label));
    if (*line) {
        say(r, r->line, ERR_EXISTS, "%s stands in line %u already", label, *line);
        return;
    }
    *line = r->line;
    if (config_value_set(key, value, r->named ? (void *)r->named : (void *)r->config, &f) != 0)
        say(r, r->line, f.code, "%s: %s", label, f.text);
}

static void read_line(struct reading *r, struct span line)
{
    struct span name, value;

    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    line = span_trim(line);
    if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
        return;
    if (line.p[0] == '[') {
        begin_section(r, line);
        return;
    }
    name = span_trim(span_cut(line, '=', &value));
    if (!value.p) {
        say(r, r->line, ERR_SYNTAX,
            "\"%s\" is neither [section] nor key = value nor a comment that begins with #",
            ESCAPED(line));
        return;
    }
    if (!r->section && !r->skip)
        say(r, r->line, ERR_SYNTAX, "\"%s\" stands before the first [section]", ESCAPED(name));
    else if (r->section && !r->skip)
        set_key(r, name, span_trim(value));
}

/* ---- what no single key can say ------------------------------------------------------------- */

static const struct config_trunk *find_trunk(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->n_trunks; i++)
        if (strcmp(config->trunks[i].named.name, name) == 0)
            return &config->trunks[i];
    return NULL;
}

static unsigned line_of(const struct reading *r, const char *section, const char *name)
{
    return r->key_lines[config_key_find(span_of(section), span_of(name)) - config_keys];
}

static void check_trunks(struct reading *r)
{
    const struct config *config = r->config;
    const char *chosen = config->emergency_trunk;
    unsigned line = line_of(r, "asterisk", "emergency_trunk");

    for (size_t i = 0; i < config->n_trunks; i++)
        if (!config->trunks[i].emergency)
            say(r, config->trunks[i].named.line, 0,
                "trunk %s cannot carry emergency calls: make sure that the dialplan sends them "
                "elsewhere before it asks",
                config->trunks[i].named.name);
    if (chosen[0]) {
        const struct config_trunk *trunk = find_trunk(config, chosen);

        if (!trunk)
            say(r, line, ERR_MISSING, "asterisk.emergency_trunk: there is no [trunk %s]", chosen);
        else if (!trunk->emergency)
            say(r, line, ERR_RANGE,
                "asterisk.emergency_trunk: trunk %s cannot carry emergency calls; allowed is one "
                "with "
                "emergency = yes",
                chosen);
    } else if (config->n_trunks) {
        say(r, line, 0,
            "asterisk.emergency_trunk is empty: emergency calls have no trunk of their own when "
            "Sekisho is not there");
    }
}

static void check_listeners(struct reading *r)
{
    const struct config *config = r->config;
    char text[ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < config->fastagi_listen.n && !config->fastagi_allow.n; i++)
        if (!address_is_loopback(&config->fastagi_listen.at[i]))
            say(r, line_of(r, "fastagi", "listen"), 0,
                "fastagi.listen: %s can be reached from other machines, and fastagi.allow is "
                "empty: "
                "list the networks of the switches there",
                address_text(&config->fastagi_listen.at[i], text));
    for (size_t i = 0; i < config->http_listen.n; i++)
        if (!address_is_loopback(&config->http_listen.at[i]))
            say(r, line_of(r, "http", "listen"), 0,
                "http.listen: %s can be reached from other machines, and tokens cross the network "
                "in "
                "clear: put a proxy with TLS before it",
                address_text(&config->http_listen.at[i], text));
}

static void check_guard(struct reading *r)
{
    const struct config *config = r->config;
    struct fault f;

    if (guard_limits_check(&config->limits, &f) != 0)
        say(r, 0, f.code, "[guard]: %s", f.text);
    for (size_t i = 0; i < config->n_switches; i++) {
        const struct config_switch *s = &config->switches[i];

        if (s->ami.n && (!s->ami_user[0] || !s->ami_secret_file[0]))
            say(r, s->named.line, ERR_MISSING,
                "switch %s.ami needs ami_user and ami_secret_file as well", s->named.name);
        for (size_t j = 0; j < s->hep.n; j++)
            if (!address_is_loopback(&s->hep.at[j]) && !s->hep_key_file[0])
                say(r, s->named.line, 0,
                    "switch %s.hep can be reached from other machines, and hep_key_file is empty: "
                    "whoever writes the switch's address into a packet is believed",
                    s->named.name);
    }
}

static void check_address(struct reading *r, const char *name, const char *address)
{
    if (address[0] && !mail_address_ok(span_of(address)))
        say(r, line_of(r, "mail", name), ERR_RANGE,
            "mail.%s: \"%s\" does not fit; allowed is one address, name@host.example, in ASCII",
            name, ESCAPED(span_of(address)));
}

static void check_mail(struct reading *r)
{
    const struct config *c = r->config;
    bool loopback = false;

    if (c->mail_server[0] && !mail_server_ok(span_of(c->mail_server), &loopback))
        say(r, line_of(r, "mail", "server"), ERR_RANGE,
            "mail.server: \"%s\" does not fit; allowed is smtp://HOST[:PORT] or "
            "smtps://HOST[:PORT], or nothing",
            ESCAPED(span_of(c->mail_server)));
    if (c->mail_server[0] && !c->mail_from[0])
        say(r, line_of(r, "mail", "server"), ERR_MISSING, "mail.server needs mail.from as well");
    if (!c->mail_user[0] != !c->mail_password_file[0])
        say(r, line_of(r, "mail", c->mail_user[0] ? "user" : "password_file"), ERR_MISSING,
            "mail.user and mail.password_file need each other");
    check_address(r, "from", c->mail_from);
    check_address(r, "reply_to", c->mail_reply_to);
    check_address(r, "operator", c->mail_operator);
    if (c->mail_server[0] && !c->mail_operator[0])
        say(r, line_of(r, "mail", "server"), 0,
            "mail.operator is empty: nobody is told what concerns tenants without an address");
    if (c->mail_server[0] && c->mail_starttls == CONFIG_STARTTLS_NO && !loopback &&
        strncmp(c->mail_server, "smtps:", 6) != 0)
        say(r, line_of(r, "mail", "starttls"), 0,
            "mail.starttls: names of accounts, and a password, cross the network in clear");
}

static void check_console(struct reading *r)
{
    const char *url = r->config->console_url;
    size_t scheme = strncmp(url, "https://", 8) == 0 ? 8 : strncmp(url, "http://", 7) == 0 ? 7 : 0;

    if (url[0] && (!scheme || !url[scheme] ||
                   url[strspn(url, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                   "-._~:/?#[]@!$&()*+,;=%")]))
        say(r, line_of(r, "console", "url"), ERR_RANGE,
            "console.url: \"%s\" does not fit; allowed is https://HOST… or http://HOST… without "
            "blanks and quotes, or nothing",
            ESCAPED(span_of(url)));
}

/* ---- the door ------------------------------------------------------------------------------- */

static void read_text(struct reading *r, struct span text)
{
    static const struct span bom = {"\xef\xbb\xbf", 3};

    if (span_starts(text, bom))
        text = span_skip(text, bom.n);
    for (struct span rest = text; rest.p;) {
        r->line++;
        read_line(r, span_cut(rest, '\n', &rest));
    }
    end_section(r);
}

int config_parse(struct config **out, struct span text, const char *name,
                 struct config_report *report)
{
    struct reading r = {.name = name, .report = report};

    if (config_keys_n > KEYS_MAX) {
        say(&r, 0, ERR_FULL, "more keys than there is room for");
        return ERR_FULL;
    }
    r.config = calloc(1, sizeof(*r.config));
    if (!r.config) {
        say(&r, 0, ERR_NOMEM, "out of memory");
        return ERR_NOMEM;
    }
    if (text.n > CONFIG_BYTES_MAX) {
        say(&r, 0, ERR_RANGE, "longer than %d bytes", CONFIG_BYTES_MAX);
    } else if (defaults(&r, NULL, r.config) == 0) {
        read_text(&r, text);
        check_trunks(&r);
        check_listeners(&r);
        check_guard(&r);
        check_mail(&r);
        check_console(&r);
    }
    if (report->text.failed && !r.code)
        r.code = ERR_NOMEM;
    if (r.code) {
        config_free(r.config);
        return r.code;
    }
    *out = r.config;
    return 0;
}

int config_load(struct config **out, const char *path, struct config_report *report)
{
    struct buf text = {0};
    struct fault f;
    const char *slash = strrchr(path, '/');
    int err = file_read(path, CONFIG_BYTES_MAX, &text, &f);

    if (err) {
        buf_printf(&report->text, "%s\n", f.text);
        report->errors++;
    } else {
        err = config_parse(out, buf_span(&text), slash ? slash + 1 : path, report);
    }
    buf_free(&text);
    return err;
}

/* Whether both have the same sections of that kind, with the same values. */
static bool named_equal(const struct config_section *section, const struct config *a,
                        const struct config *b)
{
    const struct config_named *x, *y;

    for (size_t i = 0;; i++) {
        x = config_named_at(section, a, i);
        y = config_named_at(section, b, i);
        if (!x || !y)
            return x == y;
        if (strcmp(x->name, y->name) != 0)
            return false;
        for (size_t k = 0; k < config_keys_n; k++)
            if (config_section_of(&config_keys[k]) == section &&
                !config_value_equal(&config_keys[k], x, y))
                return false;
    }
}

void config_restart_needed(const struct config *now, const struct config *then, struct buf *out)
{
    const struct config_section *switches = config_section_find(SPAN("switch"));

    for (size_t i = 0; i < config_keys_n; i++) {
        const struct config_key *key = &config_keys[i];

        if (key->at_start && !config_section_of(key)->size && !config_value_equal(key, now, then))
            buf_printf(out, "%s%s.%s", out->n ? ", " : "", key->section, key->name);
    }
    if (!named_equal(switches, now, then))
        buf_printf(out, "%s[switch NAME]", out->n ? ", " : "");
}

static void free_named(const struct config_section *section, struct config *config)
{
    struct config_named *named;

    for (size_t i = 0; (named = config_named_at(section, config, i)); i++) {
        for (size_t k = 0; k < config_keys_n; k++)
            if (config_section_of(&config_keys[k]) == section)
                config_value_free(&config_keys[k], named);
        free(named->name);
    }
    free(*(void **)(void *)((char *)config + section->items));
}

void config_free(struct config *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < config_keys_n; i++)
        if (!config_section_of(&config_keys[i])->size)
            config_value_free(&config_keys[i], config);
    for (size_t i = 0; i < config_sections_n; i++)
        if (config_sections[i].size)
            free_named(&config_sections[i], config);
    free(config);
}

void config_report_free(struct config_report *report)
{
    buf_free(&report->text);
}

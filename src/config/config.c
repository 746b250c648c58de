/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/utf8.h"
#include "config/config_keys.h"

#define KEYS_MAX 64 /* more than the table has */

/* One reading of one file. */
struct reading {
    const char *name;
    struct config_report *report;
    struct config *config;
    unsigned line;
    int code; /* of the first error */

    const struct config_section *section; /* NULL: none yet, or an unknown one */
    struct config_trunk *trunk;           /* when the section is one of a trunk */
    bool skip;                            /* the section was refused: its keys say nothing */
    unsigned key_lines[KEYS_MAX];         /* where each key was given; 0 is nowhere */
    unsigned trunk_key_lines[KEYS_MAX];   /* the same for the current trunk */
    unsigned section_lines[KEYS_MAX];
};

__attribute__((format(printf, 4, 5))) static void say(struct reading *r, unsigned line, int code,
                                                      const char *format, ...)
{
    struct buf *text = &r->report->text;
    char sentence[2 * FAULT_MAX];
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
                              config_sections[i].name,
                              strcmp(config_sections[i].name, "trunk") == 0 ? " NAME" : "");
}

static void known_keys(struct span section, char *out, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < config_keys_n && n < size; i++)
        if (span_is(section, config_keys[i].section))
            n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", config_keys[i].name);
}

static bool is_trunk(const struct config_key *key)
{
    return strcmp(key->section, "trunk") == 0;
}

/* "fastagi.listen", "trunk carrier.emergency" */
static const char *key_label(const struct reading *r, const struct config_key *key, char *out,
                             size_t size)
{
    if (is_trunk(key))
        snprintf(out, size, "trunk %s.%s", r->trunk->name, key->name);
    else
        snprintf(out, size, "%s.%s", key->section, key->name);
    return out;
}

/* ---- sections ------------------------------------------------------------------------------- */

static int defaults(struct reading *r, const char *section, void *base)
{
    struct fault f;

    for (size_t i = 0; i < config_keys_n; i++) {
        if ((strcmp(config_keys[i].section, "trunk") == 0) != (strcmp(section, "trunk") == 0))
            continue;
        if (!config_keys[i].initial)
            continue;
        if (config_key_set(&config_keys[i], span_of(config_keys[i].initial), base, &f) != 0) {
            say(r, 0, f.code, "the default of %s.%s: %s", config_keys[i].section,
                config_keys[i].name, f.text);
            return f.code;
        }
    }
    return 0;
}

/* A trunk is whole when every key without a default was given. */
static void end_section(struct reading *r)
{
    char label[200];

    if (!r->trunk)
        return;
    for (size_t i = 0; i < config_keys_n; i++)
        if (is_trunk(&config_keys[i]) && !config_keys[i].initial && !r->trunk_key_lines[i]) {
            char allowed[200];

            config_key_allowed(&config_keys[i], allowed, sizeof(allowed));
            say(r, r->trunk->line, ERR_MISSING, "%s must be given; allowed is %s",
                key_label(r, &config_keys[i], label, sizeof(label)), allowed);
        }
    r->trunk = NULL;
}

static void begin_trunk(struct reading *r, struct span name)
{
    static const struct config_key trunk_name = {.type = CONFIG_NAME,
                                                 .offset = offsetof(struct config_trunk, name)};
    struct config *config = r->config;
    struct config_trunk trunk = {.line = r->line};
    struct config_trunk *grown;
    struct fault f;

    for (size_t i = 0; i < config->n_trunks; i++)
        if (span_is(name, config->trunks[i].name)) {
            say(r, r->line, ERR_EXISTS, "[trunk %s] stands in line %u already",
                config->trunks[i].name, config->trunks[i].line);
            return;
        }
    if (config->n_trunks == CONFIG_TRUNKS_MAX) {
        say(r, r->line, ERR_FULL, "more than %d trunks", CONFIG_TRUNKS_MAX);
        return;
    }
    if (config_key_set(&trunk_name, name, &trunk.name, &f) != 0) {
        say(r, r->line, f.code, "name of the trunk: %s", f.text);
        return;
    }
    grown = reallocarray(config->trunks, config->n_trunks + 1, sizeof(*grown));
    if (!grown) {
        free(trunk.name);
        say(r, r->line, ERR_NOMEM, "out of memory");
        return;
    }
    config->trunks = grown;
    config->trunks[config->n_trunks] = trunk;
    r->trunk = &config->trunks[config->n_trunks++];
    memset(r->trunk_key_lines, 0, sizeof(r->trunk_key_lines));
    if (defaults(r, "trunk", r->trunk) == 0)
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
    bool trunk = r->section && strcmp(r->section->name, "trunk") == 0;
    if (!r->section || (name.n != 0) != trunk) {
        known_sections(known, sizeof(known));
        say(r, r->line, ERR_MISSING, "section %s is unknown; allowed are %s", ESCAPED(text), known);
        r->section = NULL;
        return;
    }
    if (trunk) {
        begin_trunk(r, name);
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
    char label[200], known[300];
    struct fault f;

    if (!key) {
        known_keys(span_of(r->section->name), known, sizeof(known));
        say(r, r->line, ERR_MISSING, "[%s] has no key \"%s\"; allowed are %s", r->section->name,
            ESCAPED(name), known);
        return;
    }
    unsigned *line = (r->trunk ? r->trunk_key_lines : r->key_lines) + (key - config_keys);
    key_label(r, key, label, sizeof(label));
    if (*line) {
        say(r, r->line, ERR_EXISTS, "%s stands in line %u already", label, *line);
        return;
    }
    *line = r->line;
    if (config_key_set(key, value, r->trunk ? (void *)r->trunk : (void *)r->config, &f) != 0)
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
        if (strcmp(config->trunks[i].name, name) == 0)
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
            say(r, config->trunks[i].line, 0,
                "trunk %s cannot carry emergency calls: make sure that the dialplan sends them "
                "elsewhere before it asks",
                config->trunks[i].name);
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

    _Static_assert(KEYS_MAX >= 40, "room for every key");
    r.config = calloc(1, sizeof(*r.config));
    if (!r.config) {
        say(&r, 0, ERR_NOMEM, "out of memory");
        return ERR_NOMEM;
    }
    if (text.n > CONFIG_BYTES_MAX) {
        say(&r, 0, ERR_RANGE, "longer than %d bytes", CONFIG_BYTES_MAX);
    } else if (defaults(&r, "", r.config) == 0) {
        read_text(&r, text);
        check_trunks(&r);
        check_listeners(&r);
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

void config_restart_needed(const struct config *now, const struct config *then, struct buf *out)
{
    for (size_t i = 0; i < config_keys_n; i++) {
        const struct config_key *key = &config_keys[i];

        if (key->at_start && !is_trunk(key) && !config_key_equal(key, now, then))
            buf_printf(out, "%s%s.%s", out->n ? ", " : "", key->section, key->name);
    }
}

void config_free(struct config *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < config_keys_n; i++) {
        if (!is_trunk(&config_keys[i]))
            config_key_free(&config_keys[i], config);
        for (size_t t = 0; is_trunk(&config_keys[i]) && t < config->n_trunks; t++)
            config_key_free(&config_keys[i], &config->trunks[t]);
    }
    for (size_t t = 0; t < config->n_trunks; t++)
        free(config->trunks[t].name);
    free(config->trunks);
    free(config);
}

void config_report_free(struct config_report *report)
{
    buf_free(&report->text);
}

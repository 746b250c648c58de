/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/config.h"
#include "config/config_values.h"

/* Wraps `text` into comment lines of at most 78 columns. */
static void comment(struct buf *out, const char *text)
{
    size_t column = 0;

    for (struct span rest = span_of(text); rest.p;) {
        struct span word = span_cut(rest, ' ', &rest);

        if (column && column + 1 + word.n > 78) {
            buf_putc(out, '\n');
            column = 0;
        }
        buf_puts(out, column ? " " : "# ");
        buf_add(out, word);
        column += (column ? 1 : 2) + word.n;
    }
    buf_putc(out, '\n');
}

static void print_key(struct buf *out, const struct config_key *key)
{
    struct buf text = {0};
    char allowed[200];

    config_value_allowed(key, allowed, sizeof(allowed));
    buf_printf(&text, "%s Allowed: %s.%s", key->help, allowed,
               key->at_start ? " A change takes a restart." : "");
    if (text.p)
        comment(out, text.p);
    buf_printf(out, "#%s =%s%s\n", key->name, key->initial && !key->initial[0] ? "" : " ",
               key->initial ? key->initial : "yes");
    out->failed |= text.failed;
    buf_free(&text);
}

void config_print(struct buf *out)
{
    buf_puts(out,
             "# sekisho.conf: see sekisho.conf(5). What stands behind a # is the default.\n"
             "# Check it with sekishod --check-config; SIGHUP makes sekishod read it again.\n");
    for (size_t s = 0; s < config_sections_n; s++) {
        bool named = config_sections[s].size != 0;

        buf_putc(out, '\n');
        comment(out, config_sections[s].help);
        buf_printf(out, named ? "#[%s NAME]\n" : "[%s]\n", config_sections[s].name);
        for (size_t i = 0; i < config_keys_n; i++)
            if (span_is(span_of(config_keys[i].section), config_sections[s].name)) {
                buf_putc(out, '\n');
                print_key(out, &config_keys[i]);
            }
    }
}

/* A line that begins with a dot or a quote would be a macro. */
static void mdoc_text(struct buf *out, const char *text)
{
    for (struct span rest = span_of(text); rest.p;) {
        struct span word = span_cut(rest, ' ', &rest);

        if (word.n && (word.p[0] == '.' || word.p[0] == '\''))
            buf_puts(out, "\\&");
        buf_add(out, word);
        /* New sentence, new line. */
        buf_puts(out, word.n && word.p[word.n - 1] == '.' && rest.p ? "\n" : rest.p ? " " : "\n");
    }
}

static void mdoc_key(struct buf *out, const struct config_key *key)
{
    char allowed[200];

    config_value_allowed(key, allowed, sizeof(allowed));
    buf_printf(out, ".It Ic %s\n", key->name);
    mdoc_text(out, key->help);
    buf_printf(out, "Allowed: %s.\n", allowed);
    if (!key->initial)
        buf_puts(out, "Must be given.\n");
    else if (key->initial[0])
        buf_printf(out, "Default:\n.Ql %s .\n", key->initial);
    if (key->at_start)
        buf_puts(out, "A change takes a restart.\n");
}

void config_print_mdoc(struct buf *out)
{
    for (size_t s = 0; s < config_sections_n; s++) {
        bool named = config_sections[s].size != 0;

        buf_printf(out, ".Ss [%s%s]\n", config_sections[s].name, named ? " NAME" : "");
        mdoc_text(out, config_sections[s].help);
        buf_puts(out, ".Bl -tag -width Ds\n");
        for (size_t i = 0; i < config_keys_n; i++)
            if (span_is(span_of(config_keys[i].section), config_sections[s].name))
                mdoc_key(out, &config_keys[i]);
        buf_puts(out, ".El\n");
    }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/metrics.h"

#include <inttypes.h>

#include "base/fault.h"

void metrics_family(struct metrics *m, enum metrics_type type, const char *name, const char *help)
{
    m->name = name;
    buf_printf(&m->out, "# HELP sekisho_%s %s\n# TYPE sekisho_%s %s\n", name, help, name,
               type == METRICS_COUNTER ? "counter" : "gauge");
}

/* As escape() writes it: what the format minds of that are quotes and backslashes. */
static void label(struct buf *out, const struct metrics_label *l)
{
    char text[256];

    buf_printf(out, "%s=\"", l->name);
    escape(l->value, text, sizeof(text));
    for (const char *c = text; *c; c++) {
        if (*c == '\\' || *c == '"')
            buf_putc(out, '\\');
        buf_putc(out, *c);
    }
    buf_putc(out, '"');
}

static void name_and_labels(struct metrics *m, const struct metrics_label *labels, size_t n)
{
    buf_printf(&m->out, "sekisho_%s", m->name);
    for (size_t i = 0; i < n; i++) {
        buf_putc(&m->out, i ? ',' : '{');
        label(&m->out, &labels[i]);
    }
    buf_puts(&m->out, n ? "} " : " ");
}

void metrics_sample(struct metrics *m, const struct metrics_label *labels, size_t n, uint64_t value)
{
    name_and_labels(m, labels, n);
    buf_printf(&m->out, "%" PRIu64 "\n", value);
}

void metrics_sample_seconds(struct metrics *m, int64_t milliseconds)
{
    name_and_labels(m, NULL, 0);
    buf_printf(&m->out, "%" PRId64 ".%03" PRId64 "\n", milliseconds / 1000, milliseconds % 1000);
}

void metrics_one(struct metrics *m, enum metrics_type type, const char *name, const char *help,
                 uint64_t value)
{
    metrics_family(m, type, name, help);
    metrics_sample(m, NULL, 0, value);
}

void metrics_word(struct metrics *m, const char *name, const char *word, uint64_t value)
{
    const struct metrics_label l = {name, span_of(word)};

    metrics_sample(m, &l, 1, value);
}

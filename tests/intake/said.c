/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "said.h"

static void add(struct buf *out, struct span s)
{
    buf_putc(out, ' ');
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\n')
            buf_puts(out, "\\n");
        else
            buf_putc(out, s.p[i]);
    if (!s.n)
        buf_putc(out, '-');
}

void said(struct buf *out, enum security_reading reading, const struct attempt *a)
{
    static const char *const names[] = {
        [SECURITY_NOTHING] = "nothing",     [SECURITY_HELD] = "held",
        [SECURITY_DROPPED] = "dropped",     [SECURITY_NOT_UNDERSTOOD] = "not-understood",
        [SECURITY_NOT_EVENT] = "not-event", [SECURITY_FOREIGN] = "foreign",
    };
    char text[ADDRESS_TEXT_MAX];

    if (reading != SECURITY_ATTEMPT) {
        buf_printf(out, "%s\n", names[reading]);
        return;
    }
    buf_printf(out, "%s %s %s %s", outcome_name(a->outcome),
               a->source.family ? address_text(&a->source, text) : "none",
               transport_name(a->transport), proof_name(a->proof));
    add(out, a->account);
    add(out, a->call_id);
    buf_putc(out, '\n');
}

size_t said_count(const struct buf *text, const char *line)
{
    size_t n = 0, length = strlen(line);

    for (const char *at = text->p; (at = strstr(at, line)); at += length)
        n += at == text->p || at[-1] == '\n';
    return n;
}

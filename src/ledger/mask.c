/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/mask.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_plain(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_digit(s.p[i]) && !memchr("*#+ -.()/", s.p[i], 9))
            return false;
    return true;
}

void mask_number(struct span dialled, struct buf *out)
{
    bool plain = is_plain(dialled);
    size_t shown = 0;

    for (size_t i = 0; plain && i < dialled.n; i++)
        shown += is_digit(dialled.p[i]);
    shown = shown > MASK_DIGITS ? shown - MASK_DIGITS : 0;
    for (size_t i = 0; i < dialled.n; i++) {
        char c = dialled.p[i];

        if (is_digit(c) && shown)
            shown--;
        else if (is_digit(c) || (unsigned char)c >= 0x80)
            c = '*';
        buf_putc(out, c);
    }
}

void mask_number_if(bool masked, struct span dialled, struct buf *out)
{
    if (masked)
        mask_number(dialled, out);
    else
        buf_add(out, dialled);
}

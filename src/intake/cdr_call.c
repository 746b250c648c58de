/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/cdr_call.h"

#include "numbering/numbering.h"

enum call_end cdr_call_end(const struct cdr *c)
{
    switch (c->outcome) {
    case CDR_ANSWERED: return CALL_ANSWERED;
    case CDR_NO_ANSWER:
    case CDR_BUSY:
    case CDR_CANCELLED: return CALL_UNANSWERED;
    case CDR_FAILED: return CALL_FAILED;
    case CDR_REFUSED: return CALL_REFUSED;
    case CDR_UNKNOWN: break;
    }
    return c->billed_s ? CALL_ANSWERED : CALL_UNANSWERED;
}

static bool is_abroad(struct span dialled, const struct site *site)
{
    struct number number;

    numbering_parse(site, dialled, &number);
    return number.target == CLASS_INTERNATIONAL;
}

struct span cdr_call_number(const struct cdr *c, const struct site *site)
{
    if (!c->sent.n || span_eq(c->sent, c->dialled) || !is_abroad(c->sent, site))
        return c->dialled;
    return is_abroad(c->dialled, site) ? c->dialled : c->sent;
}

const char *cdr_call_objection(const struct cdr *c, struct span number)
{
    if (number.n > CALL_DIALLED_MAX)
        return "what was dialled has more than 127 bytes";
    if (c->start_ms < 0 || c->start_ms > CALL_START_MAX)
        return "the call began before 1970 or after the year 9999";
    return NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/verdict_json.h"

static void put(struct buf *out, struct span s)
{
    buf_add(out, s);
}

#define PUT(out, literal) put((out), SPAN(literal))

/* ,"name":"text", or null for nothing. All that comes here is ASCII of our own making: letters, digits and "+*#-_". */
static void put_text(struct buf *out, struct span name, const char *text)
{
    PUT(out, ",\"");
    put(out, name);
    if (!text || !text[0]) {
        PUT(out, "\":null");
        return;
    }
    PUT(out, "\":\"");
    put(out, span_of(text));
    PUT(out, "\"");
}

static void put_number(struct buf *out, struct span name, int64_t number)
{
    char digits[24], *end = digits + sizeof(digits), *p = end;
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;

    do {
        *--p = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (number < 0)
        *--p = '-';
    PUT(out, ",\"");
    put(out, name);
    PUT(out, "\":");
    put(out, (struct span){p, (size_t)(end - p)});
}

/* A tree of values for every answer would cost more than the answer. */
void verdict_json_write(struct buf *out, const struct number *number, const struct verdict *verdict)
{
    /* What was keyed to program a forwarding is no E.164 number; its target stands in `dialled`. */
    const char *e164 = number->class == CLASS_FORWARDING ? NULL : number->e164;
    bool ruled = verdict->rule_prefix[0] != '\0';

    PUT(out, "{\"class\":\"");
    put(out, span_of(number_class_name(number->class)));
    PUT(out, "\"");
    put_text(out, SPAN("kind"), number_kind_name(number->kind));
    put_text(out, SPAN("e164"), e164);
    put_text(out, SPAN("country"), number->country ? number->country->iso : NULL);
    put_text(out, SPAN("dial"), verdict->dial);
    put_text(out, SPAN("verdict"), verdict_action_name(verdict->action));
    put_text(out, SPAN("reason"), verdict_reason_name(verdict->reason));
    put_text(out, SPAN("rule"), verdict->rule_prefix);
    put_text(out, SPAN("level"), ruled ? rule_level_name(verdict->rule_level) : NULL);
    put_text(out, SPAN("action"), ruled ? rule_action_name(verdict->rule_action) : NULL);
    put_text(out, SPAN("dialled"), number->dialled);
    put_text(out, SPAN("risk"), number_risk_name(number->risk));
    put_text(out, SPAN("presentation"), number_presentation_name(number->presentation));
    if (verdict->max_seconds)
        put_number(out, SPAN("max_seconds"), (int64_t)verdict->max_seconds);
    else
        put_text(out, SPAN("max_seconds"), NULL);
    put_number(out, SPAN("change"), (int64_t)verdict->change);
    PUT(out, ",\"observed\":");
    put(out, verdict->observed ? SPAN("true") : SPAN("false"));
    PUT(out, "}");
}

json_t *verdict_json(const struct number *number, const struct verdict *verdict)
{
    struct buf text = {0};
    json_t *object;

    verdict_json_write(&text, number, verdict);
    object = text.failed ? NULL : json_loadb(text.p, text.n, 0, NULL);
    buf_free(&text);
    return object;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/verdict_json.h"

#include <string.h>

/* Room for an answer: names of ours, and what number.h and verdict.h bound. */
#define NAMES_MAX 1024
#define ANSWER_MAX (NAMES_MAX + NUMBER_E164_MAX + 2 * NUMBER_DIGITS_MAX + RULE_PREFIX_MAX)

struct writer {
    char text[ANSWER_MAX];
    size_t n;
};

/* Copies what fits, which is everything. */
static void put(struct writer *w, struct span s)
{
    size_t n = s.n < sizeof(w->text) - w->n ? s.n : sizeof(w->text) - w->n;

    memcpy(w->text + w->n, s.p, n);
    w->n += n;
}

#define PUT(w, literal) put((w), SPAN(literal))

/* `name` with its comma and colon, then the text in quotes, or null for nothing. All that comes here is ASCII
 * of our own making: letters, digits and "+*#-_". */
static void put_text(struct writer *w, struct span name, const char *text)
{
    put(w, name);
    if (!text || !text[0]) {
        PUT(w, "null");
        return;
    }
    PUT(w, "\"");
    put(w, span_of(text));
    PUT(w, "\"");
}

static void put_number(struct writer *w, struct span name, int64_t number)
{
    char digits[24], *end = digits + sizeof(digits), *p = end;
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;

    do {
        *--p = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (number < 0)
        *--p = '-';
    put(w, name);
    put(w, (struct span){p, (size_t)(end - p)});
}

/* A tree of values for every answer would cost more than the answer, and so would a growing buffer. */
void verdict_json_write(struct buf *out, const struct number *number, const struct verdict *verdict)
{
    /* What was keyed to program a forwarding is no E.164 number; its target stands in `dialled`. */
    const char *e164 = number->class == CLASS_FORWARDING ? NULL : number->e164;
    bool ruled = verdict->rule_prefix[0] != '\0';
    struct writer w;

    w.n = 0;
    put_text(&w, SPAN("{\"class\":"), number_class_name(number->class));
    put_text(&w, SPAN(",\"kind\":"), number_kind_name(number->kind));
    put_text(&w, SPAN(",\"e164\":"), e164);
    put_text(&w, SPAN(",\"country\":"), number->country ? number->country->iso : NULL);
    put_text(&w, SPAN(",\"dial\":"), verdict->dial);
    put_text(&w, SPAN(",\"verdict\":"), verdict_action_name(verdict->action));
    put_text(&w, SPAN(",\"reason\":"), verdict_reason_name(verdict->reason));
    put_text(&w, SPAN(",\"rule\":"), verdict->rule_prefix);
    put_text(&w, SPAN(",\"level\":"), ruled ? rule_level_name(verdict->rule_level) : NULL);
    put_text(&w, SPAN(",\"action\":"), ruled ? rule_action_name(verdict->rule_action) : NULL);
    put_text(&w, SPAN(",\"dialled\":"), number->dialled);
    put_text(&w, SPAN(",\"risk\":"), number_risk_name(number->risk));
    put_text(&w, SPAN(",\"presentation\":"), number_presentation_name(number->presentation));
    if (verdict->max_seconds)
        put_number(&w, SPAN(",\"max_seconds\":"), (int64_t)verdict->max_seconds);
    else
        PUT(&w, ",\"max_seconds\":null");
    put_number(&w, SPAN(",\"change\":"), (int64_t)verdict->change);
    put(&w, verdict->observed ? SPAN(",\"observed\":true}") : SPAN(",\"observed\":false}"));
    buf_add(out, (struct span){w.text, w.n});
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

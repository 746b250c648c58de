/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/verdict_json.h"

/* null for nothing. All that comes here is ASCII of our own making. */
static json_t *text(const char *s)
{
    return s && s[0] ? json_string(s) : json_null();
}

json_t *verdict_json(const struct number *number, const struct verdict *verdict)
{
    /* What was keyed to program a forwarding is no E.164 number; its target stands in `dialled`. */
    const char *e164 = number->class == CLASS_FORWARDING ? NULL : number->e164;
    bool ruled = verdict->rule_prefix[0] != '\0';
    json_t *limit =
        verdict->max_seconds ? json_integer((json_int_t)verdict->max_seconds) : json_null();
    const struct {
        const char *name;
        json_t *value;
    } fields[] = {
        {"class", text(number_class_name(number->class))},
        {"kind", text(number_kind_name(number->kind))},
        {"e164", text(e164)},
        {"country", text(number->country ? number->country->iso : NULL)},
        {"dial", text(verdict->dial)},
        {"verdict", text(verdict_action_name(verdict->action))},
        {"reason", text(verdict_reason_name(verdict->reason))},
        {"rule", text(verdict->rule_prefix)},
        {"level", text(ruled ? rule_level_name(verdict->rule_level) : NULL)},
        {"action", text(ruled ? rule_action_name(verdict->rule_action) : NULL)},
        {"dialled", text(number->dialled)},
        {"risk", text(number_risk_name(number->risk))},
        {"presentation", text(number_presentation_name(number->presentation))},
        {"max_seconds", limit},
        {"change", json_integer((json_int_t)verdict->change)},
        {"observed", json_boolean(verdict->observed)},
    };
    json_t *object = json_object();
    bool failed = !object;

    /* Takes every value, also when one could not be made. */
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        if (json_object_set_new(object, fields[i].name, fields[i].value) != 0)
            failed = true;
    if (failed) {
        json_decref(object);
        return NULL;
    }
    return object;
}

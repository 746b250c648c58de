/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/agi_answer.h"

#include <stdio.h>

size_t agi_answer(enum number_class class, const struct verdict *verdict, char out[AGI_ANSWER_MAX])
{
    int n = snprintf(out, AGI_ANSWER_MAX,
                     "SET VARIABLE SEKISHO_REASON \"%s\"\n"
                     "SET VARIABLE SEKISHO_DIAL \"%s\"\n"
                     "SET VARIABLE SEKISHO_CLASS \"%s\"\n"
                     "SET VARIABLE SEKISHO_MAX_SECONDS \"%u\"\n"
                     "SET VARIABLE SEKISHO_VERDICT \"%s\"\n",
                     verdict_reason_name(verdict->reason), verdict->dial, number_class_name(class),
                     (unsigned)verdict->max_seconds, verdict_action_name(verdict->action));

    return n > 0 && n < AGI_ANSWER_MAX ? (size_t)n : 0;
}

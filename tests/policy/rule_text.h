/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_TESTS_RULE_TEXT_H
#define SEKISHO_TESTS_RULE_TEXT_H

#include <stdio.h>
#include <stdlib.h>

#include "clock_text.h"
#include "policy/rule.h"

/* A rule as cases write it: "restrict 010", "except 0101 mandatory until=2026-12-01T00:00:00Z
 * schedule=…" (the schedule is last). Borrows the text. */
static inline struct rule rule_read(struct span text)
{
    struct span rest = text, word = span_cut(rest, ' ', &rest);
    struct rule rule = {.action = span_is(word, "except") ? RULE_EXCEPT : RULE_RESTRICT};

    if (rule.action == RULE_RESTRICT && !span_is(word, "restrict")) {
        fprintf(stderr, "\"%.*s\" is no rule\n", SPAN_FMT(text));
        exit(1);
    }
    rule.prefix = span_cut(rest, ' ', &rest);
    while (rest.n) {
        if (span_starts(rest, SPAN("schedule="))) {
            rule.schedule = span_skip(rest, 9);
            break;
        }
        word = span_cut(rest, ' ', &rest);
        if (span_is(word, "mandatory"))
            rule.mandatory = true;
        else if (span_starts(word, SPAN("until=")))
            rule.until = word.n > 6 + 11 ? clock_read(span_skip(word, 6))
                                         : strtoll(span_skip(word, 6).p, NULL, 10);
    }
    return rule;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_AGI_ANSWER_H
#define SEKISHO_SERVE_AGI_ANSWER_H

#include "policy/verdict.h"

#define AGI_ANSWER_MAX (256 + NUMBER_DIGITS_MAX)

/*
 * Writes the commands that set the channel's variables, and returns their length. SEKISHO_VERDICT comes
 * last: whoever sees it has all the others. Every value is a word or digits of our own making, so
 * that none needs quoting.
 */
size_t agi_answer(enum number_class class, const struct verdict *verdict, char out[AGI_ANSWER_MAX]);

#endif

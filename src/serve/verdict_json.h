/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_VERDICT_JSON_H
#define SEKISHO_SERVE_VERDICT_JSON_H

#include <jansson.h>

#include "numbering/number.h"
#include "policy/verdict.h"

/*
 * The verdict as docs/interfaces.md gives it, in that order of keys; the same wherever Sekisho writes
 * one. NULL when memory ran out. The caller owns the object. `number->country` must still be valid.
 */
json_t *verdict_json(const struct number *number, const struct verdict *verdict);

#endif

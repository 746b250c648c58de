/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_VERDICT_JSON_H
#define SEKISHO_SERVE_VERDICT_JSON_H

#include <jansson.h>

#include "base/buf.h"
#include "numbering/number.h"
#include "policy/verdict.h"

/*
 * The verdict as docs/interfaces.md gives it, in that order of keys; the same wherever Sekisho writes
 * one. `number->country` must still be valid. Where memory runs out, `out` has failed.
 */
void verdict_json_write(struct buf *out, const struct number *number,
                        const struct verdict *verdict);

/* The same as a value, which the caller owns. NULL when memory ran out. */
json_t *verdict_json(const struct number *number, const struct verdict *verdict);

#endif

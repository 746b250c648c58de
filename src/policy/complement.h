/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_COMPLEMENT_H
#define SEKISHO_POLICY_COMPLEMENT_H

#include "base/buf.h"
#include "policy/rule.h"

/*
 * "Only that country": what must be restricted so that of all numbers below `root` only those that begin
 * with one of `allowed` stay open. complement(010, {0101}) is 0100, 0102 … 0109. The list is exact (no
 * number at or beyond the depth of the allowed prefixes falls on the wrong side; a string that is
 * itself only the beginning of an allowed prefix stays open, it is no number yet), minimal (no shorter
 * list does the same) and sorted.
 */
struct complement;

#define COMPLEMENT_ALLOWED_MAX 4096
#define COMPLEMENT_PREFIXES_MAX 16384 /* as many as an owner can have rules */

/*
 * `root` and `allowed` are digits only (rule_prefix_clean() makes them so), at most RULE_PREFIX_MAX.
 * Refused with a sentence: an empty root or list, what is no digit or too long, an allowed prefix that
 * does not lie under the root (ERR_RANGE), a list that would be too long (ERR_FULL). An allowed
 * prefix equal to the root leaves nothing to restrict: an empty list.
 */
int complement_new(struct complement **out, struct span root, const struct span *allowed, size_t n,
                   struct fault *f);
void complement_free(struct complement *list);

size_t complement_count(const struct complement *list);
/* Prefix `i`, sorted; lives as long as the list. */
struct span complement_prefix(const struct complement *list, size_t i);

#endif

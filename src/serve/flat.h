/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_FLAT_H
#define SEKISHO_SERVE_FLAT_H

#include "base/span.h"

/*
 * The JSON object that nearly every line of an import is: {"name":"1001","note":"lobby"}, each of its
 * members one of `names` and once, each value a string without escapes and control characters. Its values
 * as they stand in `text`, without the quotes; p == NULL for those that are not given. A name that
 * begins with "[" ("[rules") is one whose value is an array, which is given with its brackets and not looked into.
 *
 * False for everything else, be it JSON or not: a JSON parser says what it is.
 */
bool flat_read(struct span text, const char *const *names, size_t n, struct span *values);

#endif

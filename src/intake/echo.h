/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_ECHO_H
#define SEKISHO_INTAKE_ECHO_H

#include <stdbool.h>

#include "base/span.h"

/*
 * Switches read credentials by rules of their own: of two nonces one takes the first and one the last, one steps over what
 * another takes for the end. So whether a request holds a nonce that went out to its sender is not a question of its
 * form: every `name=value` is looked at, wherever it stands and whatever is around it. Pure.
 *
 * Takes the next one off `text`: the name in any case, perhaps as the end of a longer one; white space around the
 * '='; a value in quotes, or up to white space, a comma, a semicolon or a quote, or behind padding ('='). False after the last. In
 * time that grows with the bytes alone.
 */
bool echo_next(struct span *text, struct span name, struct span *value);

#endif

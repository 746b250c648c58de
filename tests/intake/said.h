/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_TESTS_INTAKE_SAID_H
#define SEKISHO_TESTS_INTAKE_SAID_H

#include "base/buf.h"
#include "intake/security_kind.h"

/* One line of what was understood: "OUTCOME SOURCE TRANSPORT PROOF ACCOUNT CALL-ID", with "none" for no source and
 * "-" for an empty account or Call-ID; or the reading's name. A line end in a span becomes \n. */
void said(struct buf *out, enum security_reading reading, const struct attempt *attempt);

/* How many lines of `text` begin with `line`. */
size_t said_count(const struct buf *text, const char *line);

#endif

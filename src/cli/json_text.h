/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_JSON_TEXT_H
#define SEKISHO_CLI_JSON_TEXT_H

#include "base/buf.h"
#include "base/fault.h"

/*
 * Decodes one JSON string (RFC 8259) with white space around it into the bytes that it stands for.
 * Unlike a JSON library it takes what a dialled string may hold and no sane text does: \u0000, bytes
 * that are not UTF-8, and surrogates that stand alone. U+DC80 to U+DCFF alone are the bytes 80 to FF
 * (what Python makes of them), any other becomes the three bytes that UTF-8 forbids, so that the
 * dial plan sees that it is malformed. `out` is cleared first. ERR_SYNTAX with a sentence.
 */
int json_text_decode(struct span line, struct buf *out, struct fault *f);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_WHEN_H
#define SEKISHO_CLI_WHEN_H

#include <stdint.h>

#include "base/fault.h"

#define WHEN_SIZE 32

enum when_side { WHEN_PAST, WHEN_FUTURE };

/*
 * A time as people write one, as RFC 3339 in UTC ("2026-12-01T00:00:00Z"): that form itself, with Z or
 * an offset; a date or a date and a time ("2026-12-01", "2026-12-01 09:30") in this machine's time
 * zone; or a span like 90s, 30m, 2h, 7d, 4w on the given side of `now` (seconds since 1970). ERR_SYNTAX
 * with a sentence.
 */
int when_parse(const char *text, enum when_side side, int64_t now, char out[WHEN_SIZE],
               struct fault *f);

struct buf;
/* Adds `text` with every time in it that is RFC 3339 in UTC, as the API writes them, as one of this machine's time zone:
 * 2026-12-01T00:00:00Z becomes 2026-12-01T09:00:00+09:00, which when_parse() reads. NULL adds "-". */
void when_local(struct buf *b, const char *text);

/* A span like 90s, 30m, 2h, 7d, 4w, in seconds. ERR_SYNTAX with a sentence. */
int when_span(const char *text, int64_t *seconds, struct fault *f);

#endif

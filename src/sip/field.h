/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SIP_FIELD_H
#define SEKISHO_SIP_FIELD_H

#include <stdint.h>

#include "base/fault.h"

/*
 * What the values of header fields have in common (RFC 3261 sections 7.3.1 and 25.1): white space with
 * folds in it, comma lists, parameters, quoted strings. Everything is a view into the message; a fold
 * (line end and the white space behind it) stays inside a view and counts as one space.
 */

/* token = 1*(alphanum / - . ! % * _ + ` ' ~) */
extern const bool field_token_bytes[256];

static inline bool field_is_token_byte(char c)
{
    return field_token_bytes[(unsigned char)c];
}

bool field_is_token(struct span s);

/* Space, tab, CR or LF. */
static inline bool field_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without the white space and folds at both ends. */
static inline struct span field_trim(struct span s)
{
    while (s.n && field_is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && field_is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* Takes the first element of a comma list off, trimmed; false where none is left. Commas in quoted
 * strings and between < and > do not count, empty elements are passed over. A quote or < that does not
 * end reaches to the end of the list. */
bool field_next(struct span *list, struct span *element);

/* Takes the first of ";name=value;name" off, trimmed; false where none is left. A value in quotes keeps
 * them, and semicolons in them do not count. A parameter without '=' has value.p == NULL. */
bool field_next_param(struct span *params, struct span *name, struct span *value);

/* The parameter `name`, in any case: how often it stands there. `value` is that of the first, untouched
 * where there is none. */
unsigned field_param(struct span params, struct span name, struct span *value);

/* The length of the quoted string at the front of `s`, with both quotes; 0 where it does not end. */
size_t field_quoted(struct span s);

/* 1*DIGIT, as a number; ERR_RANGE when it is more than `max`, ERR_SYNTAX when it is none. */
int field_number(struct span s, uint32_t max, uint32_t *out);

/* The value with every fold, and the white space around it, as one space. Writes at most s.n bytes to
 * `out`, which may not overlap; returns how many. */
size_t field_unfold(struct span s, char *out);

/* Compares as field_unfold() would write them. */
bool field_eq(struct span a, struct span b);

/* What a quoted string means, given what stands between its quotes: every quoted-pair ("\x") becomes
 * its byte, every fold a space. As field_unfold() in all else. ERR_SYNTAX for a backslash at the end. */
int field_unquote(struct span s, char *out, size_t *n);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BASE_FAULT_H
#define SEKISHO_BASE_FAULT_H

#include "base/span.h"

/*
 * What went wrong: a code for the caller to branch on, a sentence for a person. The sentence names
 * what was wrong, where, and what is allowed; it carries no final newline.
 *
 * Functions return 0 or one of these codes and leave their out-parameters untouched on failure.
 */
enum error {
    ERR_NOMEM = -1,    /* memory ran out; the state before the call stands */
    ERR_SYNTAX = -2,   /* the input does not have the form that it must have */
    ERR_RANGE = -3,    /* well-formed, but outside what is allowed */
    ERR_MISSING = -4,  /* what was named does not exist */
    ERR_EXISTS = -5,   /* what should be created is there already */
    ERR_CONFLICT = -6, /* somebody changed it meanwhile (If-Match), or it is still in use */
    ERR_DENIED = -7,   /* not within the caller's rights */
    ERR_IO = -8,       /* the operating system said no */
    ERR_FULL = -9,     /* a bounded table, queue or disk has no room */
    ERR_CORRUPT = -10, /* stored data contradicts itself, or was written by a newer version */
    ERR_TIMEOUT = -11,
};

#define FAULT_MAX 512

struct fault {
    int code;
    char text[FAULT_MAX]; /* NUL-terminated, cut with "..." when too long */
};

/* Writes the sentence into `f` (may be NULL) and returns `code`, so that a function can end with
 * `return fault(f, ERR_RANGE, "...")`. */
__attribute__((format(printf, 3, 4))) int fault(struct fault *f, int code, const char *format, ...);

/* Puts words before the sentence that stands in `f`: where it happened. Returns f's code (ERR_IO
 * when `f` is NULL). */
__attribute__((format(printf, 2, 3))) int fault_in(struct fault *f, const char *format, ...);

/* fault() for the one sentence that everybody needs. */
int fault_nomem(struct fault *f);

/* Untrusted bytes for a sentence or a log line: printable ASCII and well-formed UTF-8 without
 * control, format (bidi, zero-width) and separator code points stay, every other byte becomes \xHH,
 * a backslash \\, a double quote \". Cut with "..." where `out` is full. `out` always ends in NUL
 * (size >= 8). Returns `out`. */
char *escape(struct span untrusted, char *out, size_t size);

/* A buffer for escape() that lives as long as the enclosing block. */
#define ESCAPED(s) escape((s), (char[160]){0}, 160)

#endif

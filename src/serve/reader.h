/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_READER_H
#define SEKISHO_SERVE_READER_H

#include <jansson.h>
#include <stdint.h>

#include "base/fault.h"

/*
 * Reads JSON bodies by tables of fields. Nothing is ignored: an unknown field, a wrong type, a key
 * that stands twice, bytes behind the end are refused with a sentence that says what is allowed, and
 * with a JSON pointer to the place.
 */

#define READER_DEPTH_MAX 32
#define READER_POINTER_MAX 200

struct reader {
    char pointer[READER_POINTER_MAX]; /* of what was refused; "" is the whole body */
    void *blocks;                     /* what reader_alloc() gave */
    bool line; /* what is parsed is one line of many, whose number others say */
};

enum field_kind {
    FIELD_TEXT,  /* struct span: UTF-8 without control characters, at most `max` bytes */
    FIELD_BYTES, /* struct span: any string without U+0000, at most `max` bytes */
    FIELD_NAME, /* struct span: of a switch, tenant or preset; empty where null is allowed and given */
    FIELD_ACCOUNT, /* struct span: the name of an account */
    FIELD_CHOICE,  /* unsigned (an enum): index into `choices` */
    FIELD_BOOL,    /* bool */
    FIELD_INTEGER, /* int64_t: `min` to `max` */
    FIELD_TIME,    /* int64_t: RFC 3339, in seconds; null is 0 */
    FIELD_ARRAY,   /* json_t *, borrowed: at most `max` items */
};

struct field {
    const char *name;
    enum field_kind kind;
    void *out; /* untouched where the field is not given */
    bool required;
    bool nullable; /* null is taken as `out`'s zero */
    int64_t min, max;
    const char *const *choices; /* up to NULL */
};

/* Frees what reader_alloc() gave. */
void reader_free(struct reader *r);

/* Zeroed memory that lives as long as the reader; NULL when there is none. */
void *reader_alloc(struct reader *r, size_t size);

/* Parses one JSON object. The caller decrefs `*out`. */
int reader_parse(struct reader *r, struct span body, json_t **out, struct fault *f);

/*
 * Reads the fields of `object`, which stands at `at` ("" or "/items/3"). Spans borrow from `object`.
 * Returns 0, or ERR_SYNTAX or ERR_RANGE with `f` and r->pointer set; then some `out` may have been
 * written already.
 */
int reader_fields(struct reader *r, const char *at, json_t *object, const struct field *fields,
                  size_t n, struct fault *f);

/* Reads one field from text that is UTF-8, as from a JSON string. ERR_SYNTAX for a field of a kind that
 * no string can be. */
int reader_text(const struct field *field, struct span text, struct fault *f);

/* Sets the pointer to `at`/`name` and the fault; returns `code`. */
__attribute__((format(printf, 6, 7))) int reader_refuse(struct reader *r, const char *at,
                                                        const char *name, struct fault *f, int code,
                                                        const char *format, ...);

/* RFC 3339 with seconds and a zone (Z or +09:00), 1970 to 9999. */
int reader_time(struct span text, int64_t *seconds, struct fault *f);

/* [a-z0-9][a-z0-9._-]{0,62}, and the name of an account. */
bool reader_is_name(struct span text);
bool reader_is_account(struct span text);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SIP_CREDENTIALS_H
#define SEKISHO_SIP_CREDENTIALS_H

#include <stdint.h>

#include "base/fault.h"

/*
 * Credentials (Authorization, Proxy-Authorization) and challenges (WWW-Authenticate, Proxy-Authenticate)
 * of the Digest scheme: RFC 3261 section 22, RFC 7616, RFC 8760. Both have one form: a scheme, then
 * name=value in any order. Nothing is copied.
 */
enum digest_field {
    DIGEST_USERNAME,
    DIGEST_REALM,
    DIGEST_NONCE,
    DIGEST_URI,
    DIGEST_RESPONSE,
    DIGEST_ALGORITHM,
    DIGEST_QOP,
    DIGEST_NC,
    DIGEST_CNONCE,
    DIGEST_OPAQUE,
    DIGEST_STALE,
    DIGEST_DOMAIN,
    DIGEST_USERHASH,
};
#define DIGEST_FIELDS (DIGEST_USERHASH + 1)

struct credentials {
    struct span scheme; /* "Digest" */
    bool digest;        /* is it that, in any case? Of another scheme nothing more is read ... */
    struct span other;  /* ... but what stands behind it */

    /* Without the quotes, quoted-pairs as they came; p == NULL where there is none, or more than one. */
    struct span field[DIGEST_FIELDS];

    /* Sets of 1 << field. */
    uint16_t quoted;
    uint16_t escaped;  /* holds a quoted-pair or a fold: field_unquote() gives what it means */
    uint16_t repeated; /* stands there twice: neither is believed */
};

/*
 * Takes the first of `value`, the value of one header field, off; several may follow each other,
 * separated by commas. ERR_MISSING where none is left, ERR_SYNTAX for what has not the form, with
 * `value` untouched: what stands behind that in this field is lost. `out` then holds nothing.
 */
int credentials_next(struct credentials *out, struct span *value);

static inline bool credentials_escaped(const struct credentials *c, enum digest_field field)
{
    return c->escaped >> field & 1;
}

/* A challenge that says that the nonce alone was wrong, not the password: stale=true. */
bool credentials_stale(const struct credentials *c);

#endif

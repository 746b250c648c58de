/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SIP_URI_H
#define SEKISHO_SIP_URI_H

#include "base/fault.h"

/*
 * Reads sip:, sips: and tel: URIs (RFC 3261 section 25, RFC 3966) and name-addr without copying:
 * every part is a view into the input, still escaped as it came.
 */
enum uri_scheme { URI_SIP, URI_SIPS, URI_TEL };

struct uri {
    enum uri_scheme scheme;
    struct span user; /* before ':' and '@', parameters of a telephone-subscriber cut off; for
                                tel: the number; p == NULL where there is no '@' */
    struct span user_params; /* "phone-context=+81;isub=9": behind the first ';' of the user */
    struct span password;
    struct span host;    /* with the brackets of an IPv6 reference; empty for tel: */
    unsigned port;       /* 0 where none was given */
    struct span params;  /* behind the first ';' after the host; empty for tel: */
    struct span headers; /* behind '?' */
};

struct name_addr {
    struct span display; /* as it came, with its quotes; may be empty */
    struct uri uri;
    struct span params; /* behind the '>', without the first ';' */
};

/* Does `s` begin with a scheme that uri_parse() knows? */
bool uri_is(struct span s);

/* The whole of `s` is the URI. ERR_SYNTAX with a sentence otherwise. */
int uri_parse(struct uri *out, struct span s, struct fault *f);

/* [display] "<" URI ">" *( ";" parameter ), or a bare URI (whose parameters are the URI's own). */
int name_addr_parse(struct name_addr *out, struct span s, struct fault *f);

/* As it stands in From, To, Contact and the like (RFC 3261 section 20.10): without < and > all that
 * follows the first ';' is the field's, and no '?' may stand there. */
int name_addr_parse_field(struct name_addr *out, struct span s, struct fault *f);

/* host [ ":" port ], with `port` 0 where there is none; white space around both and the colon, which
 * Via may have and a URI may not (uri_parse() refuses it). */
int uri_hostport(struct span s, struct span *host, unsigned *port, struct fault *f);

/* Takes the first of `params` ("name[=value]" separated by ';') off and splits it; false where none is
 * left. A parameter without '=' has value.p == NULL. */
bool uri_next_param(struct span *params, struct span *name, struct span *value);

/* Replaces %XX once. Writes at most s.n bytes to `out`, which may not overlap. ERR_SYNTAX for a '%'
 * without two hex digits behind it. */
int uri_unescape(struct span s, char *out, size_t *n);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BASE_ADDRESS_H
#define SEKISHO_BASE_ADDRESS_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/fault.h"

/*
 * Network addresses, numeric only: no name is ever looked up. An IPv4 address mapped into IPv6
 * (::ffff:192.0.2.1) is kept as the IPv4 address that it is, so that one address has one value.
 */
struct address {
    uint8_t family; /* 4 or 6; 0 is no address (a Unix socket, an unparsed value) */
    uint8_t ip[16]; /* network order; the first 4 bytes for IPv4, the rest zero */
    uint16_t port;  /* host order; 0 where it has none */
};

/* A network, or one host when `bits` is 32 or 128. Bits behind the prefix are zero. */
struct network {
    uint8_t family;
    uint8_t bits;
    uint8_t ip[16];
};

#define ADDRESS_TEXT_MAX 64 /* "[IPv6]:PORT" or "IPv6/128" and NUL */

/* "192.0.2.1:4573" or "[2001:db8::1]:4573". The port may be 0. */
int address_parse(struct span text, struct address *out, struct fault *f);

/* An address without a port: "192.0.2.1", "2001:db8::1". */
int address_parse_ip(struct span text, struct address *out, struct fault *f);

/* "192.0.2.0/24", "2001:db8::/32", or an address alone. A bit that stands behind the prefix is refused. */
int network_parse(struct span text, struct network *out, struct fault *f);

/* NUL-terminated text; address_text without a port when that is 0. Returns `out`. */
char *address_text(const struct address *address, char out[ADDRESS_TEXT_MAX]);
char *address_ip_text(const struct address *address, char out[ADDRESS_TEXT_MAX]);
char *network_text(const struct network *network, char out[ADDRESS_TEXT_MAX]);

bool address_is_loopback(const struct address *address);
bool network_has(const struct network *network, const struct address *address);

/* Family 0 for a socket address that is neither IPv4 nor IPv6. */
struct address address_of(const struct sockaddr *sockaddr);
/* Returns the length of what was written. */
socklen_t address_to(const struct address *address, struct sockaddr_storage *out);

#endif

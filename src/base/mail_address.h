/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_BASE_MAIL_ADDRESS_H
#define SEKISHO_BASE_MAIL_ADDRESS_H

#include "base/span.h"

#define MAIL_ADDRESS_MAX 254 /* bytes: RFC 5321, 4.5.3.1.3 */

/* local@domain in ASCII: a dot-atom of RFC 5322 on the left, without the characters that quote or escape anywhere (' % ` / $
 * ?), a host name on the right. Nothing that fits can end a header field, an SMTP command, a word of SQL or of HTML, but for
 * "&", which HTML wants escaped. */
bool mail_address_ok(struct span address);

/* A host name, an IPv4 address or an [IPv6] one. */
bool mail_host_ok(struct span host);

/* smtp://HOST[:PORT] or smtps://HOST[:PORT], nothing more. `*loopback`: what is sent there does not leave the machine. */
bool mail_server_ok(struct span server, bool *loopback);

#endif

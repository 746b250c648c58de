/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_SIP_STATUS_H
#define SEKISHO_SERVE_SIP_STATUS_H

#include "serve/api_guard.h"
#include "serve/sip_tcp.h"
#include "serve/sip_udp.h"

/* What the status says of the questions over SIP; null where nothing listens. Both may be NULL. On the thread
 * of `tcp`. */
json_t *sip_status_json(const struct sip_udp *udp, const struct sip_tcp *tcp,
                        const struct api_switch_names *names);

#endif

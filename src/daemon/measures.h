/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_MEASURES_H
#define SEKISHO_DAEMON_MEASURES_H

#include "daemon/guard_hook.h"
#include "daemon/records.h"
#include "serve/fastagi.h"
#include "serve/http.h"
#include "serve/metrics.h"
#include "serve/sip_tcp.h"
#include "serve/sip_udp.h"

/* What the daemon's parts count, for /metrics. Any member may be NULL. On the serve thread. */
struct measures {
    const struct fastagi *agi;
    const struct sip_udp *sip;
    const struct sip_tcp *sip_tcp;
    const struct http *http;
    struct records *records;
    const struct guard_hook *hook;
};

void measures_add(const struct measures *measures, struct metrics *metrics);

#endif

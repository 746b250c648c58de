/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_DAEMON_HEALTH_H
#define SEKISHO_DAEMON_HEALTH_H

#include "daemon/records.h"
#include "serve/calls_room.h"
#include "serve/fastagi.h"
#include "serve/sip_tcp.h"
#include "serve/sip_udp.h"
#include "store/store.h"

/* What is well and what is not, in sentences. Any member may be NULL. */
struct health {
    struct store *store;
    struct records *records;
    struct calls_room *calls;
    const struct fastagi *agi; /* looked at on the serve thread only */
    const struct sip_udp *sip;
    const struct sip_tcp *sip_tcp; /* likewise */
    unsigned long descriptors;     /* that the process may have; 0: not known */
    unsigned long wanted_descriptors;
    bool as_root; /* the process still is */
};

/* HEALTH_PROBLEM: Sekisho cannot decide or cannot change. HEALTH_WARNING: somebody should look. */
enum health_kind { HEALTH_PROBLEM, HEALTH_WARNING };

typedef void health_say_fn(void *arg, enum health_kind kind, const char *sentence);

/* Calls `say` once for each thing that is not well; never for what is. On the serve thread. */
void health_tell(const struct health *health, health_say_fn *say, void *arg);

#endif

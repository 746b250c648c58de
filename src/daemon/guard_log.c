/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/guard_log.h"

#include <stdio.h>

#include "base/log.h"

static enum log_level level_of(enum guard_event_kind kind)
{
    switch (kind) {
    case GUARD_TAKEOVER:
    case GUARD_STILL_ANSWERED: return LOG_LEVEL_ERROR;
    case GUARD_BAN:
    case GUARD_LOCKOUT:
    case GUARD_INTERNATIONAL:
    case GUARD_PAIR_REFUSED:
    case GUARD_WRONG_PASSWORD:
    case GUARD_ENUMERATION:
    case GUARD_EXEMPT_ATTACKS:
    case GUARD_CANARY:
    case GUARD_PRESSURE: return LOG_LEVEL_WARNING;
    case GUARD_QUENCH:
    case GUARD_UNBAN:
    case GUARD_UNLOCK:
    case GUARD_GOOD:
    case GUARD_NOT_GOOD: return LOG_LEVEL_INFO;
    }
    return LOG_LEVEL_INFO;
}

/* Whether it was decided by counting, so that attack and witness say something. */
static bool was_counted(const struct guard_event *event)
{
    return event->threshold > 0;
}

void guard_log(const struct guard_event *event)
{
    char network[ADDRESS_TEXT_MAX], count[48] = "";
    bool counted = was_counted(event);
    bool manual = (event->kind == GUARD_BAN || event->kind == GUARD_QUENCH) &&
                  !guard_attack_counted(event->attack);

    network_text(&event->network, network);
    if (counted)
        snprintf(count, sizeof(count), "%u/%u in %us", event->count, event->threshold,
                 event->window);
#define IF(condition, key) ((condition) ? (key) : NULL)
    const struct log_field fields[] = {
        LOG_TEXT(IF(event->network.family, "network"), network),
        LOG_SPAN(IF(event->account.n, "account"), event->account),
        LOG_INT(IF(event->switch_id, "switch"), event->switch_id),
        LOG_INT(IF(event->seconds, "seconds"), event->seconds),
        LOG_TEXT(IF(counted || manual, "attack"), guard_attack_name(event->attack)),
        LOG_TEXT(IF(counted, "count"), count),
        LOG_TEXT(IF(counted, "witness"), witness_name(event->witness)),
        LOG_INT(IF(event->kind == GUARD_LOCKOUT, "good_sources"), event->n_good),
        LOG_TEXT(IF(event->observed, "observed"), "yes"),
    };

    log_write(level_of(event->kind), guard_event_name(event->kind), fields,
              sizeof(fields) / sizeof(fields[0]));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_GUARD_STATUS_H
#define SEKISHO_SERVE_GUARD_STATUS_H

#include "serve/api_guard.h"

/* What the status says of the guard: its enforcer, its witnesses, and how much there was to do. */
struct guard_status {
    bool there;
    struct guard_enforcement enforcement;
    struct guard_room_witness *witnesses;
    size_t n_witnesses;
    struct guard_figures figures;
    struct guard_journal_figures journal;
    struct guard_room_endings endings;
};

/* On the guard's thread. What is copied lives as long as the reader. ERR_NOMEM. */
int guard_status_take(struct guard_status *view, struct reader *reader,
                      const struct guard_room *room, struct fault *f);

/* "dropped_hosts" and so on. */
const char *guard_counter_name(enum enforce_counter counter);

/* null where nothing was taken: there is no guard. */
json_t *guard_status_json(const struct guard_status *view, const struct api_switch_names *names);

#endif

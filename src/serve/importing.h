/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_SERVE_IMPORTING_H
#define SEKISHO_SERVE_IMPORTING_H

#include "serve/api.h"
#include "store/bulk.h"

/*
 * The import that is under way: there is one at most. On the serve thread, but for `progress`. Whoever
 * began it gave it a ticket, by which it can be looked at and cancelled.
 */

#define IMPORT_TICKET_MIN 8
#define IMPORT_TICKET_MAX 64

struct importing {
    bool busy;
    char ticket[IMPORT_TICKET_MAX + 1]; /* "" for none */
    struct api_caller caller;
    struct bulk_progress progress;
};

/* Letters, digits, "-" and "_". */
bool importing_is_ticket(struct span text);

/* The import that the path names, if the caller may see it: his own, or the operator any. NULL: 404 is
 * set. */
struct importing *importing_find(struct api *api, struct fault *f);

#endif

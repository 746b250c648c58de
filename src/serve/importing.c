/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/importing.h"

bool importing_is_ticket(struct span text)
{
    if (text.n < IMPORT_TICKET_MIN || text.n > IMPORT_TICKET_MAX)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            c != '-' && c != '_')
            return false;
    }
    return true;
}

struct importing *importing_find(struct api *api, struct fault *f)
{
    struct importing *i = api->services->importing;

    if (i && i->busy && i->ticket[0] && span_is(api->params[0], i->ticket) &&
        (api->caller.who == API_OPERATOR ||
         (api->caller.who == i->caller.who && api->caller.id == i->caller.id)))
        return i;
    api_refuse(api, 404, f, ERR_MISSING, "no such import is under way");
    return NULL;
}

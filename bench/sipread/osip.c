/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libosip2: copies every field into memory of its own. What it has read needs no second look. */
#include <osipparser2/osip_parser.h>

#include "others.h"

void osip_begin(void)
{
    parser_init();
}

bool osip_reads(struct span message, bool fields)
{
    osip_message_t *sip = NULL;
    bool read;

    if (osip_message_init(&sip))
        return false;
    read = osip_message_parse(sip, message.p, message.n) == 0;
    osip_message_free(sip);
    return read;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libre (baresip): views into the message, in lists and a hash table of its own. */
#include <sys/socket.h>
#include <time.h>

#define HAVE_INTTYPES_H
#include <re/re.h>

#include "others.h"

static bool read_fields(const struct sip_msg *msg)
{
    static const enum sip_hdrid ids[] = {SIP_HDR_AUTHORIZATION, SIP_HDR_PROXY_AUTHORIZATION};
    const struct sip_hdr *contact = sip_msg_hdr(msg, SIP_HDR_CONTACT);
    bool good = true;

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        const struct sip_hdr *hdr = sip_msg_hdr(msg, ids[i]);
        struct httpauth_digest_resp digest;

        if (hdr)
            good &= httpauth_digest_response_decode(&digest, &hdr->val) == 0;
    }
    if (contact) {
        struct sip_addr addr;

        good &= sip_addr_decode(&addr, &contact->val) == 0;
    }
    sip_msg_hdr(msg, SIP_HDR_USER_AGENT);
    return good;
}

bool re_reads(struct span message, bool fields)
{
    struct mbuf *mb = mbuf_alloc(message.n);
    struct sip_msg *msg = NULL;
    bool read;

    if (!mb || mbuf_write_mem(mb, (const uint8_t *)message.p, message.n))
        return false;
    mbuf_set_pos(mb, 0);
    read = sip_msg_decode(&msg, mb) == 0 && (!fields || read_fields(msg));
    mem_deref(msg);
    mem_deref(mb);
    return read;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets one behind the other: a byte for the link layer and whether the checksum is taken for right, two for
 * the length, the packet. What is given lies in the packet or is a copy of it; TCP is proved only for who
 * acknowledged what was seen going to him.
 */
#include <string.h>

#include "fuzz.h"
#include "intake/packet.h"

struct sink {
    size_t bytes;
    uint8_t sum;
};

static void give(void *context, const struct packet_payload *p)
{
    struct sink *sink = context;

    PROMISE(p->bytes.n > 0 && p->bytes.n <= 1 << 17);
    PROMISE(p->from.family == 4 || p->from.family == 6);
    PROMISE(p->from.family == p->to.family || p->from.family == 4 || p->to.family == 4);
    PROMISE(p->tcp || (!p->proved && !p->doubtful));
    for (size_t i = 0; i < p->bytes.n; i++) /* every byte may be read */
        sink->sum ^= (uint8_t)p->bytes.p[i];
    sink->bytes += p->bytes.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[16] = "fuzz";
    struct packets *packets = packets_new((struct packet_sizes){1, 1, 4}, key);
    struct sink sink = {0};
    int64_t now = 0;

    PROMISE(packets != NULL);
    while (size >= 3) {
        size_t n = (size_t)data[1] << 8 | data[2];
        unsigned how = data[0];

        data += 3;
        size -= 3;
        if (n > size)
            n = size;
        char *exact = malloc(n ? n : 1);

        PROMISE(exact != NULL);
        memcpy(exact, data, n);
        packets_take(packets, &(struct packet_frame){how & 3, {exact, n}, how >> 2 & 1}, now, give,
                     &sink);
        now += (int64_t)(how >> 3) * 1000000000;
        free(exact);
        data += n;
        size -= n;
    }
    packets_free(packets);
    return 0;
}

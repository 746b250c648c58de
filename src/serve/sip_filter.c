/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/sip_filter.h"

#include <sys/socket.h>

/* Where the source stands in the network header. */
#define SOURCE_4 (SKF_NET_OFF + 12)
#define SOURCE_6 (SKF_NET_OFF + 8)
#define TAKE UINT32_MAX /* the whole datagram */

struct program {
    struct sock_filter *out;
    size_t n;
};

static void add(struct program *p, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
    p->out[p->n++] = (struct sock_filter){code, jt, jf, k};
}

static uint32_t word_of(const uint8_t ip[16], size_t i)
{
    const uint8_t *b = ip + 4 * i;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Compares word after word, and goes on behind the RET where one differs. */
static void add_network(struct program *p, const struct network *network)
{
    uint32_t source = (uint32_t)(network->family == 4 ? SOURCE_4 : SOURCE_6);
    unsigned words = (network->bits + 31u) / 32, last_bits = network->bits % 32;
    /* Instructions that follow each comparison, up to the RET. */
    size_t end = p->n + 2 * words + (last_bits != 0);

    for (unsigned i = 0; i < words; i++) {
        bool part = i == words - 1 && last_bits;

        add(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, source + 4 * i);
        if (part)
            add(p, BPF_ALU | BPF_AND | BPF_K, 0, 0, UINT32_MAX << (32 - last_bits));
        add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, (uint8_t)(end - p->n), word_of(network->ip, i));
    }
    add(p, BPF_RET | BPF_K, 0, 0, TAKE);
}

size_t sip_filter_program(uint8_t family, const struct network *networks, size_t n,
                          struct sock_filter out[SIP_FILTER_MAX])
{
    struct program p = {.out = out};
    size_t taken = 0;

    for (size_t i = 0; i < n; i++) {
        if (networks[i].family != family)
            continue;
        if (taken++ == SIP_FILTER_NETWORKS)
            return 0;
        add_network(&p, &networks[i]);
    }
    add(&p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM));
    add(&p, BPF_JMP | BPF_JSET | BPF_K, 1, 0, SIP_FILTER_SAMPLE - 1);
    add(&p, BPF_RET | BPF_K, 0, 0, TAKE);
    add(&p, BPF_RET | BPF_K, 0, 0, 0);
    return p.n;
}

bool sip_filter_attach(int fd, const struct sock_filter *program, size_t n)
{
    /* The kernel copies it, and does not write to it. */
    struct sock_fprog fprog = {(unsigned short)n, (struct sock_filter *)program};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &fprog, sizeof(fprog)) == 0;
}

void sip_filter_detach(int fd)
{
    int none = 0;

    setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none));
}

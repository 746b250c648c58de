/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/port_filter.h"

#include <linux/if_ether.h>
#include <netinet/in.h>

#define PASS 0x40000 /* bytes: more than a packet has */
#define EXTENSIONS 4
#define JUMPS_MAX 32

struct program {
    struct sock_filter *code;
    size_t n;
    size_t to_ports[JUMPS_MAX]; /* jumps to where the ports are looked at, with X at their header */
    size_t n_to_ports;
};

static void add(struct program *p, uint16_t code, uint32_t k)
{
    p->code[p->n++] = (struct sock_filter){.code = code, .k = k};
}

/* Goes on where A is `k` (BPF_JEQ) or has a bit of it (BPF_JSET), steps over the next `otherwise` if not. */
static void when(struct program *p, uint16_t test, uint32_t k, uint8_t otherwise)
{
    p->code[p->n++] =
        (struct sock_filter){.code = (uint16_t)(BPF_JMP | test | BPF_K), .jf = otherwise, .k = k};
}

static void to_ports(struct program *p)
{
    p->to_ports[p->n_to_ports++] = p->n;
    add(p, BPF_JMP | BPF_JA, 0);
}

/* A is the protocol: drops what is none of ours. */
static void only_transport(struct program *p)
{
    p->code[p->n++] = (struct sock_filter){.code = BPF_JMP | BPF_JEQ, .jt = 3, .k = IPPROTO_UDP};
    p->code[p->n++] = (struct sock_filter){.code = BPF_JMP | BPF_JEQ, .jt = 2, .k = IPPROTO_TCP};
    p->code[p->n++] = (struct sock_filter){.code = BPF_JMP | BPF_JEQ, .jt = 1, .k = IPPROTO_SCTP};
    add(p, BPF_RET, 0);
}

static void ipv4(struct program *p)
{
    add(p, BPF_LD | BPF_B | BPF_ABS, 9);
    only_transport(p);
    add(p, BPF_LD | BPF_H | BPF_ABS, 6);
    when(p, BPF_JSET, 0x1fff, 1);
    add(p, BPF_RET, PASS);
    add(p, BPF_LDX | BPF_B | BPF_MSH, 0);
    to_ports(p);
}

/* One header at X whose protocol is A: on to the ports, or behind it with A the next protocol. */
static void ipv6_header(struct program *p)
{
    for (unsigned i = 0; i < 3; i++) {
        static const uint8_t transports[] = {IPPROTO_UDP, IPPROTO_TCP, IPPROTO_SCTP};

        when(p, BPF_JEQ, transports[i], 1);
        to_ports(p);
    }
    when(p, BPF_JEQ, IPPROTO_FRAGMENT, 7);
    add(p, BPF_LD | BPF_H | BPF_IND, 2);
    when(p, BPF_JSET, 0xfff8, 1);
    add(p, BPF_RET, PASS);
    add(p, BPF_LD | BPF_B | BPF_IND, 0);
    add(p, BPF_ST, 0);
    add(p, BPF_LD | BPF_IMM, 8);
    add(p, BPF_JMP | BPF_JA, 9); /* to where A is added to X */
    p->code[p->n++] =
        (struct sock_filter){.code = BPF_JMP | BPF_JEQ, .jt = 3, .k = IPPROTO_HOPOPTS};
    p->code[p->n++] =
        (struct sock_filter){.code = BPF_JMP | BPF_JEQ, .jt = 2, .k = IPPROTO_ROUTING};
    p->code[p->n++] =
        (struct sock_filter){.code = BPF_JMP | BPF_JEQ, .jt = 1, .k = IPPROTO_DSTOPTS};
    add(p, BPF_RET, 0);
    add(p, BPF_LD | BPF_B | BPF_IND, 0);
    add(p, BPF_ST, 0);
    add(p, BPF_LD | BPF_B | BPF_IND, 1);
    add(p, BPF_ALU | BPF_ADD | BPF_K, 1);
    add(p, BPF_ALU | BPF_LSH | BPF_K, 3);
    add(p, BPF_ALU | BPF_ADD | BPF_X, 0);
    add(p, BPF_MISC | BPF_TAX, 0);
    add(p, BPF_LD | BPF_MEM, 0);
}

static void compare_ports(struct program *p, const struct enforce_port *ports, size_t n)
{
    for (unsigned offset = 0; offset <= 2; offset += 2) {
        add(p, BPF_LD | BPF_H | BPF_IND, offset);
        for (size_t i = 0; i < n; i++) {
            when(p, BPF_JEQ, ports[i].port, 1);
            add(p, BPF_RET, PASS);
        }
    }
    add(p, BPF_RET, 0);
}

size_t port_filter(struct sock_filter out[PORT_FILTER_MAX], const struct enforce_port *ports,
                   size_t n)
{
    struct program p = {.code = out};

    add(&p, BPF_LD | BPF_H | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL));
    when(&p, BPF_JEQ, ETH_P_IP, 10);
    ipv4(&p);
    when(&p, BPF_JEQ, ETH_P_IPV6, 1);
    add(&p, BPF_JMP | BPF_JA, 1);
    add(&p, BPF_RET, 0);
    add(&p, BPF_LDX | BPF_IMM, 40);
    add(&p, BPF_LD | BPF_B | BPF_ABS, 6);
    for (unsigned i = 0; i <= EXTENSIONS; i++)
        ipv6_header(&p);
    add(&p, BPF_RET, 0);
    for (size_t i = 0; i < p.n_to_ports; i++)
        out[p.to_ports[i]].k = (uint32_t)(p.n - p.to_ports[i] - 1);
    compare_ports(&p, ports, n);
    return p.n;
}

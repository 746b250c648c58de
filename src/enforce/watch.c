/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>

#define RECEIVE_MAX (64 * 1024)

struct watch {
    struct mnl_socket *socket;
    uint8_t received[RECEIVE_MAX];
};

/* Drops the packets of notices whose first was caused by that port: one transaction makes one packet or
 * more, and all in it have the same cause. */
static int ignore_port(int descriptor, uint32_t port)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(port), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

    return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int watch_open(struct watch **out, const struct netlink *own, struct fault *f)
{
    struct watch *watch = calloc(1, sizeof(*watch));
    /* What somebody flushes is told one by one: a hundred thousand bans at once. Taken only while they wait. */
    int group = NFNLGRP_NFTABLES, size = 64 * 1024 * 1024;

    if (!watch)
        return fault_nomem(f);
    watch->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (!watch->socket || mnl_socket_bind(watch->socket, 0, MNL_SOCKET_AUTOPID) != 0 ||
        ignore_port(watch_descriptor(watch), netlink_port(own)) != 0 ||
        mnl_socket_setsockopt(watch->socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) != 0) {
        fault(f, ERR_IO, "cannot watch the kernel's nf_tables: %m");
        watch_close(watch);
        return ERR_IO;
    }
    setsockopt(watch_descriptor(watch), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    *out = watch;
    return 0;
}

void watch_close(struct watch *watch)
{
    if (watch && watch->socket)
        mnl_socket_close(watch->socket);
    free(watch);
}

int watch_descriptor(const struct watch *watch)
{
    return mnl_socket_get_fd(watch->socket);
}

/* The table's name is the first attribute of every kind of notice but that of a generation. */
static bool is_ours(const struct nlmsghdr *m)
{
    const struct nfgenmsg *general = mnl_nlmsg_get_payload(m);
    const struct nlattr *attr;

    if (mnl_nlmsg_get_payload_len(m) < sizeof(*general) || general->nfgen_family != NFPROTO_INET)
        return false;
    mnl_attr_for_each(attr, m, sizeof(*general))
    {
        if (mnl_attr_get_type(attr) == NFTA_TABLE_NAME)
            return mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0 &&
                   strcmp(mnl_attr_get_str(attr), TABLE_NAME) == 0;
    }
    return false;
}

struct watch_heard watch_read(struct watch *watch,
                              void (*taken)(void *context, enum table_set set,
                                            const struct element *element),
                              void *context)
{
    struct watch_heard heard = {0};

    for (;;) {
        ssize_t n = recv(watch_descriptor(watch), watch->received, RECEIVE_MAX, MSG_DONTWAIT);
        int left = (int)n;

        if (n < 0 && errno == ENOBUFS)
            heard.lost = true;
        if (n < 0 && (errno == ENOBUFS || errno == EINTR))
            continue;
        if (n < 0)
            return heard;
        for (struct nlmsghdr *m = (void *)watch->received; mnl_nlmsg_ok(m, left);
             m = mnl_nlmsg_next(m, &left)) {
            if (m->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES || !is_ours(m))
                continue;
            if ((m->nlmsg_type & 0xff) == NFT_MSG_DELSETELEM)
                elements_each(m, taken, context);
            else if ((m->nlmsg_type & 0xff) != NFT_MSG_NEWSETELEM)
                heard.rules = true;
        }
    }
}

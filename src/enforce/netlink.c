/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <unistd.h>

/* Between two messages of a dump the kernel fills as much as the reader offers, up to 32 KiB. */
#define RECEIVE_MAX (64 * 1024)

struct netlink {
    struct mnl_socket *socket;
    uint32_t port, sequence, last, asked;
    bool interrupted;
    size_t n; /* of the transaction */
    uint8_t *transaction, *received;
};

int netlink_open(struct netlink **out, struct fault *f)
{
    struct netlink *nl = calloc(1, sizeof(*nl));
    int size = NETLINK_TRANSACTION_MAX + 64 * 1024, on = 1, err = 0;

    if (!nl)
        return fault_nomem(f);
    nl->transaction = malloc(NETLINK_TRANSACTION_MAX);
    nl->received = malloc(RECEIVE_MAX);
    nl->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    if (!nl->transaction || !nl->received)
        err = fault_nomem(f);
    else if (!nl->socket || mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) != 0)
        err = fault(f, ERR_IO, "cannot open a socket to the kernel's nf_tables: %m");
    if (err) {
        netlink_close(nl);
        return err;
    }
    /* A transaction is one write, however large; errors come without a copy of what they are about. */
    setsockopt(netlink_descriptor(nl), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    setsockopt(netlink_descriptor(nl), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    mnl_socket_setsockopt(nl->socket, NETLINK_CAP_ACK, &on, sizeof(on));
    nl->port = mnl_socket_get_portid(nl->socket);
    *out = nl;
    return 0;
}

void netlink_close(struct netlink *nl)
{
    if (!nl)
        return;
    if (nl->socket)
        mnl_socket_close(nl->socket);
    free(nl->transaction);
    free(nl->received);
    free(nl);
}

int netlink_descriptor(const struct netlink *nl)
{
    return mnl_socket_get_fd(nl->socket);
}

uint32_t netlink_port(const struct netlink *nl)
{
    return nl->port;
}

static struct nlmsghdr *put(struct netlink *nl, uint16_t type, int flags, uint8_t family,
                            uint16_t resource)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header(nl->transaction + nl->n);
    struct nfgenmsg *general = mnl_nlmsg_put_extra_header(message, sizeof(*general));

    message->nlmsg_type = type;
    message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    message->nlmsg_seq = ++nl->sequence;
    general->nfgen_family = family;
    general->version = NFNETLINK_V0;
    general->res_id = htons(resource);
    return message;
}

void netlink_begin(struct netlink *nl)
{
    nl->n = 0;
    netlink_end(nl, put(nl, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

size_t netlink_room(const struct netlink *nl)
{
    return NETLINK_TRANSACTION_MAX - 256 - nl->n;
}

struct nlmsghdr *netlink_put(struct netlink *nl, int type, int flags)
{
    /* Only the last message asks for an answer: errors come unasked. */
    nl->last = nl->sequence + 1;
    return put(nl, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, NFPROTO_INET, 0);
}

void netlink_end(struct netlink *nl, struct nlmsghdr *message)
{
    nl->n += NLMSG_ALIGN(message->nlmsg_len);
}

/* The message whose answer ends the transaction. */
static void ask_last(struct netlink *nl)
{
    size_t at = 0;

    while (at < nl->n) {
        struct nlmsghdr *message = (struct nlmsghdr *)(void *)(nl->transaction + at);

        if (message->nlmsg_seq == nl->last)
            message->nlmsg_flags |= NLM_F_ACK;
        at += NLMSG_ALIGN(message->nlmsg_len);
    }
}

int netlink_commit(struct netlink *nl)
{
    uint32_t begin = ((struct nlmsghdr *)(void *)nl->transaction)->nlmsg_seq;
    int first = 0;

    ask_last(nl);
    netlink_end(nl, put(nl, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
    if (mnl_socket_sendto(nl->socket, nl->transaction, nl->n) < 0)
        return errno;
    for (;;) {
        ssize_t n = recv(netlink_descriptor(nl), nl->received, RECEIVE_MAX, MSG_DONTWAIT);
        int left = (int)n;

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) /* an answer got lost (ENOBUFS), or never came */
            return first ? first : errno == EAGAIN ? EPROTO : errno;
        for (struct nlmsghdr *m = (void *)nl->received; mnl_nlmsg_ok(m, left);
             m = mnl_nlmsg_next(m, &left)) {
            const struct nlmsgerr *error = mnl_nlmsg_get_payload(m);

            if (m->nlmsg_type != NLMSG_ERROR || m->nlmsg_seq < begin)
                continue;
            if (error->error && !first)
                first = -error->error;
            if (m->nlmsg_seq == nl->last || m->nlmsg_seq == begin)
                return first;
        }
    }
}

struct nlmsghdr *netlink_question(struct netlink *nl, int type, int flags)
{
    nl->n = 0;
    return put(nl, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, NFPROTO_INET, 0);
}

int netlink_send(struct netlink *nl, struct nlmsghdr *question)
{
    nl->asked = question->nlmsg_seq;
    nl->interrupted = false;
    if (!(question->nlmsg_flags & NLM_F_DUMP))
        question->nlmsg_flags |= NLM_F_ACK;
    return mnl_socket_sendto(nl->socket, question, question->nlmsg_len) < 0 ? errno : 0;
}

int netlink_receive(struct netlink *nl, int (*each)(void *context, const struct nlmsghdr *answer),
                    void *context)
{
    ssize_t n;

    do
        n = recv(netlink_descriptor(nl), nl->received, RECEIVE_MAX, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno;
    int left = (int)n;

    for (struct nlmsghdr *m = (void *)nl->received; mnl_nlmsg_ok(m, left);
         m = mnl_nlmsg_next(m, &left)) {
        const struct nlmsgerr *error = mnl_nlmsg_get_payload(m);

        if (m->nlmsg_seq != nl->asked)
            continue;
        if (m->nlmsg_flags & NLM_F_DUMP_INTR)
            nl->interrupted = true;
        if (m->nlmsg_type == NLMSG_ERROR)
            return -error->error;
        if (m->nlmsg_type == NLMSG_DONE)
            return nl->interrupted ? EINTR : 0;
        int err = each(context, m);

        if (err)
            return err;
    }
    return NETLINK_MORE;
}

int netlink_ask(struct netlink *nl, struct nlmsghdr *question,
                int (*each)(void *context, const struct nlmsghdr *answer), void *context)
{
    int err = netlink_send(nl, question);

    if (!err)
        do
            err = netlink_receive(nl, each, context);
        while (err == NETLINK_MORE);
    return err;
}

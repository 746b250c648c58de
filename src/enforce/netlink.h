/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_ENFORCE_NETLINK_H
#define SEKISHO_ENFORCE_NETLINK_H

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <stdint.h>

#include "base/fault.h"

/*
 * One socket to the kernel's nf_tables, by libmnl: transactions that happen whole or not at all, and
 * questions. The kernel works while it is written to, so that an answer is there when the write returns.
 */
#define NETLINK_TRANSACTION_MAX (512 * 1024)

struct netlink;

int netlink_open(struct netlink **out, struct fault *f);
void netlink_close(struct netlink *nl);

int netlink_descriptor(const struct netlink *nl);
uint32_t netlink_port(const struct netlink *nl);

/* Begins a transaction; what an unfinished one held is forgotten. */
void netlink_begin(struct netlink *nl);
/* Bytes that the transaction can still take. */
size_t netlink_room(const struct netlink *nl);
/* A message NFT_MSG_* for the inet family; its attributes are put by mnl_attr_*, then it is ended. */
struct nlmsghdr *netlink_put(struct netlink *nl, int type, int flags);
void netlink_end(struct netlink *nl, struct nlmsghdr *message);
/* 0, or the first errno that the kernel answered: then nothing of it happened. */
int netlink_commit(struct netlink *nl);

/* A question, begun here and given its attributes by mnl_attr_*. */
struct nlmsghdr *netlink_question(struct netlink *nl, int type, int flags);

/* Asks, and gives each message of the answer to `each`, which returns 0 to go on. 0, or errno: ENOENT where
 * there is no such thing, EINTR where the kernel says that what was dumped changed meanwhile (everything was
 * given all the same). */
int netlink_ask(struct netlink *nl, struct nlmsghdr *question,
                int (*each)(void *context, const struct nlmsghdr *answer), void *context);

/* The same by bits: send, then receive, one packet of the kernel's at a time, while it is NETLINK_MORE. No
 * other use of `nl` between. */
#define NETLINK_MORE (-1)
int netlink_send(struct netlink *nl, struct nlmsghdr *question);
int netlink_receive(struct netlink *nl, int (*each)(void *context, const struct nlmsghdr *answer),
                    void *context);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/outbox.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct outbox_item {
    struct outbox_item *next;
    int descriptor;
    size_t n;
    char bytes[];
};

void outbox_add_descriptor(struct outbox *box, struct span message, int descriptor)
{
    struct outbox_item *item = malloc(sizeof(*item) + message.n);

    if (!item) {
        box->failed = true;
        if (descriptor >= 0)
            close(descriptor);
        return;
    }
    *item = (struct outbox_item){.descriptor = descriptor, .n = message.n};
    memcpy(item->bytes, message.p, message.n);
    if (!box->n)
        box->end = &box->first;
    *box->end = item;
    box->end = &item->next;
    box->n++;
}

void outbox_add(struct outbox *box, struct span message)
{
    outbox_add_descriptor(box, message, -1);
}

static ssize_t send_one(int socket, const struct outbox_item *item)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec iov = {(void *)(uintptr_t)item->bytes, item->n};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

    if (item->descriptor >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(rights), &item->descriptor, sizeof(int));
    }
    return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void drop_first(struct outbox *box)
{
    struct outbox_item *item = box->first;

    box->first = item->next;
    box->n--;
    if (item->descriptor >= 0)
        close(item->descriptor);
    free(item);
}

int outbox_send(struct outbox *box, int socket)
{
    while (box->n) {
        if (send_one(socket, box->first) < 0) {
            if (errno == EINTR)
                continue;
            return errno == EAGAIN ? 0 : errno;
        }
        drop_first(box);
    }
    return box->failed ? ENOMEM : 0;
}

void outbox_free(struct outbox *box)
{
    while (box->n)
        drop_first(box);
}

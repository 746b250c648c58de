/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/direct.h"

#include <errno.h>
#include <stdlib.h>

#include "enforce/elements.h"

/* The network's address as an element of a set of hosts, /64 or /48 has it. */
static struct element masked(const struct network *network, unsigned bits)
{
    struct element element = {0};

    memcpy(element.key, network->ip, sizeof(element.key));
    for (unsigned bit = bits; bit < 128; bit++)
        element.key[bit / 8] &= (uint8_t) ~(0x80 >> (bit % 8));
    return element;
}

static void say(struct buf *out, const struct network *network, enum enforce_scope scope)
{
    char text[ADDRESS_TEXT_MAX];

    buf_printf(out, "%s%s\n", network_text(network, text),
               scope == ENFORCE_SIP ? "" : " (everything)");
}

static int take(struct netlink *nl, enum table_set set, const struct network *network,
                struct buf *out)
{
    const struct table_set_facts *facts = table_set_facts(set);
    struct network banned = {.family = facts->family, .bits = facts->bits};
    struct element element = masked(network, facts->bits);

    netlink_begin(nl);
    elements_take(nl, set, &element, 1);
    int err = netlink_commit(nl);

    memcpy(banned.ip, element.key, sizeof(banned.ip));
    if (!err)
        say(out, &banned, table_set_scope(set));
    return err;
}

static int take_ranges(struct netlink *nl, enum table_set set, const struct network *network,
                       struct buf *out)
{
    struct networks *list = calloc(1, sizeof(*list));
    bool changed = false;

    if (!list)
        return ENOMEM;
    int err = elements_read_ranges(nl, set, list, 0);

    for (size_t i = 0; !err && i < list->n;) {
        struct networks one = {.n = 1, .of = {list->of[i]}};

        if (networks_cover(&one, network)) {
            say(out, &one.of[0].network, table_set_scope(set));
            networks_remove(list, &one.of[0].network);
            changed = true;
        } else {
            i++;
        }
    }
    if (changed)
        err = elements_replace_ranges(nl, set, list, 0);
    free(list);
    return err;
}

int direct_unban(const struct network *network, struct buf *out, struct fault *f)
{
    struct netlink *nl = NULL;
    struct buf lines = {0};
    int err = netlink_open(&nl, f);
    int error = 0;

    if (err)
        return err;
    for (unsigned set = 0; set <= TABLE_EVERY_NETS6 && (!error || error == ENOENT); set++) {
        const struct table_set_facts *facts = table_set_facts((enum table_set)set);

        if (facts->family != network->family || (!facts->ranges && facts->bits > network->bits))
            continue;
        error = facts->ranges ? take_ranges(nl, (enum table_set)set, network, &lines)
                              : take(nl, (enum table_set)set, network, &lines);
    }
    netlink_close(nl);
    if (error == EPERM)
        err = fault(f, ERR_DENIED, "only root (CAP_NET_ADMIN) may unban in the kernel directly");
    else if (error == ENOENT && !lines.n) {
        /* An element that is not there and a table that is not there look the same: both mean free. */
        err = 0;
    } else if (error && error != ENOENT)
        err = fault(f, ERR_IO, "the kernel says: %s", strerror(error));
    buf_add(out, buf_span(&lines));
    buf_free(&lines);
    return err;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/lists.h"

#include <errno.h>

static void fail(struct enforce_writer *answer, unsigned index, enum enforce_refusal why, int error)
{
    struct enforce_failure failure = {(uint16_t)index, why, (uint32_t)error};

    enforce_write_failure(answer, failure);
}

static int write_pair(struct lists *lists, enum table_set first, const struct networks *v4,
                      const struct networks *v6)
{
    int err = elements_replace_ranges(lists->nl, first, v4, 0);

    return err ? err : elements_replace_ranges(lists->nl, (enum table_set)(first + 1), v6, 0);
}

static int write_never(struct lists *lists)
{
    limits_never(lists->limits, 4, &lists->never4);
    limits_never(lists->limits, 6, &lists->never6);
    return write_pair(lists, TABLE_NEVER4, &lists->never4, &lists->never6);
}

static int write_observed(struct lists *lists)
{
    return write_pair(lists, TABLE_OBSERVED4, &lists->observed4, &lists->observed6);
}

static int write_ports(struct lists *lists, enum table_set set, size_t n)
{
    struct element elements[LISTS_PORTS_MAX] = {0};

    for (size_t i = 0; i < n; i++) {
        /* Each part of a concatenation is padded to four bytes. */
        elements[i].key[0] = lists->ports[i].protocol;
        elements[i].key[4] = (uint8_t)(lists->ports[i].port >> 8);
        elements[i].key[5] = (uint8_t)lists->ports[i].port;
    }
    return elements_replace(lists->nl, set, elements, n);
}

/* The ports on which the access list is in force. */
static int write_gate(struct lists *lists)
{
    return write_ports(lists, TABLE_GATED,
                       lists->access4.n || lists->access6.n ? lists->n_ports : 0);
}

/* The gate closes after the networks that may pass are in, and opens before they go. */
static int write_access(struct lists *lists)
{
    bool on = lists->access4.n || lists->access6.n;
    int err = on ? 0 : write_gate(lists);

    if (!err)
        err = write_pair(lists, TABLE_ACCESS4, &lists->access4, &lists->access6);
    return err || !on ? err : write_gate(lists);
}

static void learn_port(void *context, enum table_set set, const struct element *element)
{
    struct lists *lists = context;

    if (lists->n_ports < LISTS_PORTS_MAX)
        lists->ports[lists->n_ports++] = (struct enforce_port){
            element->key[0], (uint16_t)(element->key[4] << 8 | element->key[5])};
}

static int learn_ports(void *context, const struct nlmsghdr *answer)
{
    elements_each(answer, learn_port, context);
    return 0;
}

void lists_learn(struct lists *lists)
{
    elements_read_ranges(lists->nl, TABLE_ACCESS4, &lists->access4, 0);
    elements_read_ranges(lists->nl, TABLE_ACCESS6, &lists->access6, 0);
    elements_read_ranges(lists->nl, TABLE_OBSERVED4, &lists->observed4, 0);
    elements_read_ranges(lists->nl, TABLE_OBSERVED6, &lists->observed6, 0);
    netlink_ask(lists->nl, elements_question(lists->nl, TABLE_PORTS), learn_ports, lists);
}

int lists_write(struct lists *lists)
{
    int err = write_never(lists);

    if (!err)
        err = write_observed(lists);
    if (!err)
        err = write_access(lists);
    return err ? err : write_ports(lists, TABLE_PORTS, lists->n_ports);
}

static void replace(struct networks *v4, struct networks *v6, const struct enforce_message *m,
                    struct enforce_writer *answer)
{
    v4->n = 0;
    v6->n = 0;
    for (unsigned i = 0; i < m->count; i++) {
        struct network network = enforce_message_network(m, i, NULL);

        if (networks_add(network.family == 4 ? v4 : v6, &network, NETWORKS_FOREVER) != 0)
            fail(answer, i, ENFORCE_NO_ROOM, 0);
    }
}

static void trust(struct lists *lists, const struct enforce_message *m,
                  struct enforce_writer *answer)
{
    limits_untrust_asked(lists->limits);
    for (unsigned i = 0; i < m->count; i++) {
        struct network network = enforce_message_network(m, i, NULL);
        enum enforce_refusal refusal = limits_trust_asked(lists->limits, &network);

        if (refusal)
            fail(answer, i, refusal, 0);
    }
}

static void take_ports(struct lists *lists, const struct enforce_message *m,
                       struct enforce_writer *answer)
{
    lists->n_ports = 0;
    for (unsigned i = 0; i < m->count; i++) {
        struct enforce_port port = enforce_message_port(m, i);
        enum enforce_refusal refusal = limits_refuse_port(lists->limits, port);

        if (!refusal && lists->n_ports == LISTS_PORTS_MAX)
            refusal = ENFORCE_NO_ROOM;
        if (refusal)
            fail(answer, i, refusal, 0);
        else
            lists->ports[lists->n_ports++] = port;
    }
}

void lists_set(struct lists *lists, const struct enforce_message *m, struct enforce_writer *answer)
{
    int err = 0;

    if (m->type == ENFORCE_NEVER) {
        trust(lists, m, answer);
        err = write_never(lists);
    } else if (m->type == ENFORCE_ACCESS) {
        replace(&lists->access4, &lists->access6, m, answer);
        err = write_access(lists);
    } else if (m->type == ENFORCE_OBSERVE) {
        replace(&lists->observed4, &lists->observed6, m, answer);
        err = write_observed(lists);
    } else if (m->type == ENFORCE_PORTS) {
        take_ports(lists, m, answer);
        err = write_ports(lists, TABLE_PORTS, lists->n_ports);
        if (!err)
            err = write_gate(lists);
    }
    if (!err)
        return;
    /* The list is one: all of it failed, whatever was wrong with single records. */
    enforce_write(answer, ENFORCE_DONE, m->sequence);
    for (unsigned i = 0; i < m->count; i++)
        fail(answer, i, ENFORCE_KERNEL, err);
}

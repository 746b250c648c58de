/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/elements.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>

/* An attribute's length has 16 bits, and the list of elements is one attribute. */
#define LIST_MAX 65000
#define ELEMENT_MAX 56

static size_t element_size(enum table_set set)
{
    /* element, key, value; then timeout and flags where there are any */
    return 12 + table_set_facts(set)->key;
}

static void put_element(struct nlmsghdr *message, enum table_set set, const struct element *element,
                        bool with_time)
{
    struct nlattr *one = mnl_attr_nest_start(message, NFTA_LIST_ELEM);

    if (element->end)
        mnl_attr_put_u32(message, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
    else if (with_time && element->left_ms)
        mnl_attr_put_u64(message, NFTA_SET_ELEM_TIMEOUT, htobe64(element->left_ms));
    struct nlattr *key = mnl_attr_nest_start(message, NFTA_SET_ELEM_KEY);

    mnl_attr_put(message, NFTA_DATA_VALUE, table_set_facts(set)->key, element->key);
    mnl_attr_nest_end(message, key);
    mnl_attr_nest_end(message, one);
}

static struct nlmsghdr *put_set(struct netlink *nl, int type, int flags, enum table_set set)
{
    struct nlmsghdr *message = netlink_put(nl, type, flags);

    mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, TABLE_NAME);
    mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, table_set_facts(set)->name);
    return message;
}

static bool put_all(struct netlink *nl, int type, int flags, enum table_set set,
                    const struct element *elements, size_t n)
{
    size_t each = element_size(set) + 20;

    if (netlink_room(nl) < n * each + (n * each / LIST_MAX + 1) * 128)
        return false;
    while (n) {
        size_t now = n < LIST_MAX / ELEMENT_MAX ? n : LIST_MAX / ELEMENT_MAX;
        struct nlmsghdr *message = put_set(nl, type, flags, set);
        struct nlattr *list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);

        for (size_t i = 0; i < now; i++)
            put_element(message, set, &elements[i], type == NFT_MSG_NEWSETELEM);
        mnl_attr_nest_end(message, list);
        netlink_end(nl, message);
        elements += now;
        n -= now;
    }
    return true;
}

bool elements_put(struct netlink *nl, enum table_set set, const struct element *elements, size_t n)
{
    return put_all(nl, NFT_MSG_NEWSETELEM, NLM_F_CREATE, set, elements, n);
}

bool elements_put_new(struct netlink *nl, enum table_set set, const struct element *elements,
                      size_t n)
{
    return put_all(nl, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, set, elements, n);
}

bool elements_take(struct netlink *nl, enum table_set set, const struct element *elements, size_t n)
{
    return put_all(nl, NFT_MSG_DELSETELEM, 0, set, elements, n);
}

bool elements_clear(struct netlink *nl, enum table_set set)
{
    if (netlink_room(nl) < 128)
        return false;
    netlink_end(nl, put_set(nl, NFT_MSG_DELSETELEM, 0, set));
    return true;
}

int elements_replace(struct netlink *nl, enum table_set set, const struct element *elements,
                     size_t n)
{
    netlink_begin(nl);
    if (!elements_clear(nl, set) || !elements_put(nl, set, elements, n))
        return ENOSPC;
    return netlink_commit(nl);
}

/* The address behind the range's last; false where there is none. */
static bool behind(const struct networks_range *range, unsigned bytes, uint8_t out[16])
{
    memcpy(out, range->last, 16);
    for (unsigned i = bytes; i-- > 0;)
        if (++out[i])
            return true;
    return false;
}

int elements_replace_ranges(struct netlink *nl, enum table_set set, const struct networks *list,
                            int64_t now_ms)
{
    struct networks_range *ranges = calloc(NETWORKS_RANGES_MAX, sizeof(*ranges));
    struct element *elements = calloc(2 * NETWORKS_RANGES_MAX, sizeof(*elements));
    int err = ENOMEM;

    if (ranges && elements) {
        size_t n_ranges = networks_draw(list, ranges), n = 0;

        for (size_t i = 0; i < n_ranges; i++) {
            struct element *first = &elements[n++];
            int64_t left = ranges[i].end_ms - now_ms;

            memcpy(first->key, ranges[i].first, 16);
            if (ranges[i].end_ms != NETWORKS_FOREVER)
                first->left_ms = left > 1 ? (uint64_t)left : 1;
            if (behind(&ranges[i], table_set_facts(set)->key, elements[n].key))
                elements[n++].end = true;
        }
        err = elements_replace(nl, set, elements, n);
    }
    free(ranges);
    free(elements);
    return err;
}

struct reading {
    enum table_set set;
    const struct nlattr *list;
    struct span table, name;
};

static int read_message(const struct nlattr *attr, void *context)
{
    struct reading *r = context;
    struct span text = {mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr)};

    if (text.n && text.p[text.n - 1] == '\0')
        text.n--;
    switch (mnl_attr_get_type(attr)) {
    case NFTA_SET_ELEM_LIST_TABLE: r->table = text; break;
    case NFTA_SET_ELEM_LIST_SET: r->name = text; break;
    case NFTA_SET_ELEM_LIST_ELEMENTS: r->list = attr; break;
    default: break; /* the kernel's, and there may be more than we know */
    }
    return MNL_CB_OK;
}

/* False where it is not an element with a key such as the set's. */
static bool read_element(const struct nlattr *one, unsigned key_size, struct element *out)
{
    const struct nlattr *attr, *value;
    uint64_t timeout = 0, left = 0;
    bool found = false;

    *out = (struct element){0};
    mnl_attr_for_each_nested(attr, one)
    {
        unsigned n = mnl_attr_get_payload_len(attr);

        switch (mnl_attr_get_type(attr)) {
        case NFTA_SET_ELEM_KEY:
            mnl_attr_for_each_nested(value, attr)
            {
                if (mnl_attr_get_type(value) == NFTA_DATA_VALUE &&
                    mnl_attr_get_payload_len(value) == key_size) {
                    memcpy(out->key, mnl_attr_get_payload(value), key_size);
                    found = true;
                }
            }
            break;
        case NFTA_SET_ELEM_FLAGS:
            if (n == 4)
                out->end = ntohl(mnl_attr_get_u32(attr)) & NFT_SET_ELEM_INTERVAL_END;
            break;
        case NFTA_SET_ELEM_TIMEOUT:
            if (n == 8)
                timeout = be64toh(mnl_attr_get_u64(attr));
            break;
        case NFTA_SET_ELEM_EXPIRATION:
            if (n == 8)
                left = be64toh(mnl_attr_get_u64(attr));
            break;
        default: break;
        }
    }
    out->left_ms = left ? left : timeout ? 1 : 0;
    return found;
}

void elements_each(const struct nlmsghdr *message,
                   void (*each)(void *context, enum table_set set, const struct element *element),
                   void *context)
{
    struct reading r = {0};
    struct element element;
    const struct nlattr *one;

    mnl_attr_parse(message, sizeof(struct nfgenmsg), read_message, &r);
    r.set = table_set_named(r.name);
    if (!span_is(r.table, TABLE_NAME) || r.set == TABLE_SETS || !r.list)
        return;
    mnl_attr_for_each_nested(one,
                             r.list) if (read_element(one, table_set_facts(r.set)->key, &element))
        each(context, r.set, &element);
}

static void name_set(struct nlmsghdr *question, enum table_set set)
{
    mnl_attr_put_strz(question, NFTA_SET_ELEM_LIST_TABLE, TABLE_NAME);
    mnl_attr_put_strz(question, NFTA_SET_ELEM_LIST_SET, table_set_facts(set)->name);
}

struct nlmsghdr *elements_question(struct netlink *nl, enum table_set set)
{
    struct nlmsghdr *question = netlink_question(nl, NFT_MSG_GETSETELEM, NLM_F_DUMP);

    name_set(question, set);
    return question;
}

static void keep_time(void *context, enum table_set set, const struct element *element)
{
    struct element *asked = context;

    if (memcmp(asked->key, element->key, table_set_facts(set)->key) == 0)
        asked->left_ms = element->left_ms;
}

static int keep_answer(void *context, const struct nlmsghdr *answer)
{
    elements_each(answer, keep_time, context);
    return 0;
}

int elements_look(struct netlink *nl, enum table_set set, struct element *element)
{
    struct nlmsghdr *question = netlink_question(nl, NFT_MSG_GETSETELEM, 0);

    name_set(question, set);
    struct nlattr *list = mnl_attr_nest_start(question, NFTA_SET_ELEM_LIST_ELEMENTS);

    put_element(question, set, element, false);
    mnl_attr_nest_end(question, list);
    return netlink_ask(nl, question, keep_answer, element);
}

struct ranges {
    struct element *of;
    size_t n, room;
};

static void keep_element(void *context, enum table_set set, const struct element *element)
{
    struct ranges *ranges = context;

    if (ranges->n < ranges->room)
        ranges->of[ranges->n++] = *element;
}

static int keep_elements(void *context, const struct nlmsghdr *answer)
{
    elements_each(answer, keep_element, context);
    return 0;
}

/* By key; where a range begins as another ends, the end comes first. */
static int by_key(const void *a, const void *b)
{
    const struct element *x = a, *y = b;
    int order = memcmp(x->key, y->key, sizeof(x->key));

    return order ? order : (int)y->end - (int)x->end;
}

int elements_read_ranges(struct netlink *nl, enum table_set set, struct networks *list,
                         int64_t now_ms)
{
    struct ranges ranges = {.room = 4 * NETWORKS_RANGES_MAX};
    unsigned bytes = table_set_facts(set)->key;

    ranges.of = calloc(ranges.room, sizeof(*ranges.of));
    if (!ranges.of)
        return ENOMEM;
    int err = netlink_ask(nl, elements_question(nl, set), keep_elements, &ranges);

    qsort(ranges.of, ranges.n, sizeof(*ranges.of), by_key);
    for (size_t i = 0; i < ranges.n; i++) {
        const struct element *first = &ranges.of[i];
        struct networks_range range = {.end_ms = NETWORKS_FOREVER};

        if (first->end)
            continue;
        memcpy(range.first, first->key, 16);
        memset(range.last, 0xff, bytes);
        if (i + 1 < ranges.n) { /* to the one before the next boundary */
            memcpy(range.last, ranges.of[i + 1].key, 16);
            for (unsigned k = bytes; k-- > 0 && range.last[k]-- == 0;)
                ;
        }
        if (first->left_ms)
            range.end_ms = now_ms + (int64_t)first->left_ms;
        networks_add_range(list, table_set_facts(set)->family, &range);
    }
    free(ranges.of);
    return err;
}

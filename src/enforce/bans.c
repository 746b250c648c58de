/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/bans.h"

#include <errno.h>
#include <stdlib.h>

/* After a ban that was there already, this many messages are taken for renewals from the outset. */
#define RENEWALS 64
#define RANGES 4

struct group {
    struct element of[ENFORCE_RECORDS_MAX];
    uint16_t index[ENFORCE_RECORDS_MAX]; /* of the record */
};

/* One ban is to touch few pages: who wakes up for it finds none of them in the cache. So what every message needs stands
 * together, and the long arrays behind it. */
struct bans {
    struct netlink *nl;
    const struct limits *limits;
    unsigned renewals;
    bool changed[RANGES];
    size_t n[TABLE_EVERY_NETS6 + 1]; /* of the groups */
    struct group groups[TABLE_EVERY_NETS6 + 1];
    struct networks ranges[RANGES];
    struct networks seen; /* scratch */
};

static const enum table_set range_sets[RANGES] = {TABLE_SIP_NETS4, TABLE_SIP_NETS6,
                                                  TABLE_EVERY_NETS4, TABLE_EVERY_NETS6};

int bans_new(struct bans **out, struct netlink *nl, const struct limits *limits, struct fault *f)
{
    struct bans *bans = calloc(1, sizeof(*bans));

    if (!bans)
        return fault_nomem(f);
    bans->nl = nl;
    bans->limits = limits;
    *out = bans;
    return 0;
}

void bans_free(struct bans *bans)
{
    free(bans);
}

/* Which list of ranges belongs to that set. */
static unsigned range_of(enum table_set set)
{
    unsigned i = 0;

    while (range_sets[i] != set)
        i++;
    return i;
}

static void fail(struct enforce_writer *answer, uint16_t index, enum enforce_refusal why, int error)
{
    struct enforce_failure failure = {index, why, why == ENFORCE_KERNEL ? (uint32_t)error : 0};

    enforce_write_failure(answer, failure);
}

/* How a group of elements gets into the transaction. */
typedef bool (*put_function)(struct netlink *nl, enum table_set set, const struct element *of,
                             size_t n);

/* A new timeout: older kernels ignore it for what is there already, so that it is taken away within the
 * same transaction; and what is to be taken away must be there. */
static bool put_renewed(struct netlink *nl, enum table_set set, const struct element *of, size_t n)
{
    return elements_put(nl, set, of, n) && elements_take(nl, set, of, n) &&
           elements_put(nl, set, of, n);
}

/* Takes away what may not be there. */
static bool put_and_take(struct netlink *nl, enum table_set set, const struct element *of, size_t n)
{
    return elements_put(nl, set, of, n) && elements_take(nl, set, of, n);
}

static int commit_groups(struct bans *bans, put_function put)
{
    bool any = false;

    netlink_begin(bans->nl);
    for (unsigned set = 0; set <= TABLE_EVERY_NETS6; set++) {
        if (!bans->n[set])
            continue;
        any = true;
        if (!put(bans->nl, (enum table_set)set, bans->groups[set].of, bans->n[set]))
            return ENOSPC;
    }
    return any ? netlink_commit(bans->nl) : 0;
}

static int commit_one(struct bans *bans, unsigned set, const struct element *element,
                      put_function put)
{
    netlink_begin(bans->nl);
    return put(bans->nl, (enum table_set)set, element, 1) ? netlink_commit(bans->nl) : ENOSPC;
}

/* A transaction fails whole: finds out which elements are at fault, and does the others. */
static void commit_singly(struct bans *bans, put_function put, int harmless,
                          struct enforce_writer *answer)
{
    for (unsigned set = 0; set <= TABLE_EVERY_NETS6; set++) {
        struct group *group = &bans->groups[set];

        for (size_t i = 0; i < bans->n[set]; i++) {
            int err = commit_one(bans, set, &group->of[i], put);

            if (err && err != harmless)
                fail(answer, group->index[i], ENFORCE_KERNEL, err);
        }
    }
}

static void clear_groups(struct bans *bans)
{
    memset(bans->n, 0, sizeof(bans->n));
    memset(bans->changed, 0, sizeof(bans->changed));
}

static void group_add(struct bans *bans, enum table_set set, unsigned index,
                      const struct enforce_ban *ban)
{
    struct group *group = &bans->groups[set];
    struct element *element = &group->of[bans->n[set]];

    memset(element, 0, sizeof(*element));
    memcpy(element->key, ban->network.ip, sizeof(element->key));
    element->left_ms = ban->left_ms;
    group->index[bans->n[set]++] = (uint16_t)index;
}

/* Draws the lists that changed; every record that belongs to one that the kernel refuses has failed. */
static void draw_changed(struct bans *bans, const struct enforce_message *m, int64_t now_ms,
                         struct enforce_writer *answer)
{
    for (unsigned r = 0; r < RANGES; r++) {
        if (!bans->changed[r])
            continue;
        int err = elements_replace_ranges(bans->nl, range_sets[r], &bans->ranges[r], now_ms);

        for (unsigned i = 0; err && i < m->count; i++) {
            enum enforce_scope scope;
            struct network network = m->type == ENFORCE_BAN ? enforce_message_ban(m, i).network
                                                            : enforce_message_network(m, i, &scope);

            if (m->type == ENFORCE_BAN)
                scope = enforce_message_ban(m, i).scope;
            if (table_set_for(&network, scope) == range_sets[r] &&
                (m->type != ENFORCE_BAN || !limits_refuse_ban(bans->limits, &network)))
                fail(answer, (uint16_t)i, ENFORCE_KERNEL, err);
        }
    }
}

void bans_set(struct bans *bans, const struct enforce_message *m, int64_t now_ms,
              struct enforce_writer *answer)
{
    clear_groups(bans);
    for (unsigned i = 0; i < m->count; i++) {
        struct enforce_ban ban = enforce_message_ban(m, i);
        enum table_set set = table_set_for(&ban.network, ban.scope);
        enum enforce_refusal refusal = limits_refuse_ban(bans->limits, &ban.network);

        if (refusal) {
            fail(answer, (uint16_t)i, refusal, 0);
        } else if (!table_set_facts(set)->ranges) {
            group_add(bans, set, i, &ban);
        } else {
            unsigned r = range_of(set);
            int64_t end_ms = ban.left_ms ? now_ms + (int64_t)ban.left_ms : NETWORKS_FOREVER;

            networks_expire(&bans->ranges[r], now_ms);
            if (networks_add(&bans->ranges[r], &ban.network, end_ms) != 0)
                fail(answer, (uint16_t)i, ENFORCE_NO_ROOM, 0);
            else
                bans->changed[r] = true;
        }
    }
    int err = commit_groups(bans, bans->renewals ? put_renewed : elements_put_new);

    if (err == EEXIST && !bans->renewals) {
        bans->renewals = RENEWALS;
        err = commit_groups(bans, put_renewed);
    }
    if (bans->renewals)
        bans->renewals--;
    if (err)
        commit_singly(bans, put_renewed, 0, answer);
    draw_changed(bans, m, now_ms, answer);
}

void bans_warm(struct bans *bans)
{
    struct element nowhere = {.left_ms = 1000};

    netlink_begin(bans->nl);
    elements_put_new(bans->nl, TABLE_SIP_HOSTS4, &nowhere, 1);
    elements_look(bans->nl, TABLE_SIP_HOSTS4, &nowhere);
}

void bans_lift(struct bans *bans, const struct enforce_message *m, int64_t now_ms,
               struct enforce_writer *answer)
{
    clear_groups(bans);
    for (unsigned i = 0; i < m->count; i++) {
        struct enforce_ban ban = {0};

        ban.network = enforce_message_network(m, i, &ban.scope);
        enum table_set set = table_set_for(&ban.network, ban.scope);

        if (!table_set_facts(set)->ranges)
            group_add(bans, set, i, &ban);
        else if (networks_remove(&bans->ranges[range_of(set)], &ban.network))
            bans->changed[range_of(set)] = true;
    }
    int err = commit_groups(bans, elements_take);

    if (err == ENOENT)
        err = commit_groups(bans, put_and_take);
    if (err)
        commit_singly(bans, elements_take, ENOENT, answer);
    draw_changed(bans, m, now_ms, answer);
}

void bans_learn(struct bans *bans, int64_t now_ms)
{
    for (unsigned r = 0; r < RANGES; r++) {
        bans->ranges[r].n = 0;
        elements_read_ranges(bans->nl, range_sets[r], &bans->ranges[r], now_ms);
    }
}

void bans_redraw(struct bans *bans, int64_t now_ms)
{
    for (unsigned r = 0; r < RANGES; r++) {
        networks_expire(&bans->ranges[r], now_ms);
        if (bans->ranges[r].n)
            elements_replace_ranges(bans->nl, range_sets[r], &bans->ranges[r], now_ms);
    }
    bans->renewals = 0;
}

/* Whether what was seen in the kernel covers the network, in one piece or in several. */
static bool still_covered(const struct networks *seen, const struct network *network)
{
    struct networks_range ranges[NETWORKS_RANGES_MAX], one[2];
    struct networks alone = {.n = 1, .of = {{*network, 0}}};
    size_t n = networks_draw(seen, ranges);
    uint8_t at[16];

    networks_draw(&alone, one);
    memcpy(at, one[0].first, 16);
    for (size_t i = 0; i < n; i++) {
        if (memcmp(ranges[i].last, at, 16) < 0)
            continue;
        if (memcmp(ranges[i].first, at, 16) > 0)
            return false;
        if (memcmp(ranges[i].last, one[0].last, 16) >= 0)
            return true;
        memcpy(at, ranges[i].last, 16);
        for (unsigned k = network->family == 4 ? 4 : 16; k-- > 0;)
            if (++at[k])
                break;
    }
    return false;
}

void bans_forget_taken(struct bans *bans, enum table_set set, int64_t now_ms,
                       void (*gone)(void *context, const struct network *network,
                                    enum enforce_scope scope),
                       void *context)
{
    struct networks *list = &bans->ranges[range_of(set)];
    size_t before;

    networks_expire(list, now_ms);
    before = list->n;
    bans->seen.n = 0;
    if (elements_read_ranges(bans->nl, set, &bans->seen, now_ms) != 0)
        return;
    for (size_t i = 0; i < list->n;) {
        struct network network = list->of[i].network;

        if (still_covered(&bans->seen, &network)) {
            i++;
        } else {
            networks_remove(list, &network);
            gone(context, &network, table_set_scope(set));
        }
    }
    if (list->n != before)
        elements_replace_ranges(bans->nl, set, list, now_ms);
}

static uint64_t left(int64_t end_ms, int64_t now_ms)
{
    if (end_ms == NETWORKS_FOREVER)
        return 0;
    return end_ms > now_ms ? (uint64_t)(end_ms - now_ms) : 1;
}

bool bans_look(struct bans *bans, struct enforce_ban *ban, int64_t now_ms)
{
    enum table_set set = table_set_for(&ban->network, ban->scope);
    struct element element = {0};

    if (table_set_facts(set)->ranges) {
        struct networks *list = &bans->ranges[range_of(set)];

        networks_expire(list, now_ms);
        for (size_t i = 0; i < list->n; i++) {
            if (memcmp(&list->of[i].network, &ban->network, sizeof(ban->network)) == 0) {
                ban->left_ms = left(list->of[i].end_ms, now_ms);
                return true;
            }
        }
        return false;
    }
    memcpy(element.key, ban->network.ip, sizeof(element.key));
    if (elements_look(bans->nl, set, &element) != 0)
        return false;
    ban->left_ms = element.left_ms;
    return true;
}

void bans_ranges(struct bans *bans, enum table_set set, int64_t now_ms,
                 void (*each)(void *context, const struct enforce_ban *ban), void *context)
{
    const struct networks *list = &bans->ranges[range_of(set)];
    bool all = true;

    networks_expire(&bans->ranges[range_of(set)], now_ms);
    bans->seen.n = 0;
    elements_read_ranges(bans->nl, set, &bans->seen, now_ms);
    for (size_t i = 0; i < list->n && all; i++)
        all = still_covered(&bans->seen, &list->of[i].network);
    for (size_t i = 0; i < bans->seen.n && all; i++)
        all = still_covered(list, &bans->seen.of[i].network);
    if (!all)
        list = &bans->seen;
    for (size_t i = 0; i < list->n; i++) {
        struct enforce_ban ban = {list->of[i].network, table_set_scope(set),
                                  left(list->of[i].end_ms, now_ms)};

        each(context, &ban);
    }
}

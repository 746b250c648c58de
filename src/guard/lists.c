/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/guard_impl.h"

/* What is known, for people and for the store; and back again after a restart. */

static void ban_of(const struct guard *g, const struct ban *ban, uint32_t t, struct guard_ban *out)
{
    *out = (struct guard_ban){
        .network = ban->network,
        .observed = ban->observed,
        .quench = ban->quench,
        .attack = (enum attack)ban->attack,
        .witness = (enum witness)ban->witness,
        .switch_id = ban->switch_id,
        .since = clock_wall(g, ban->since),
        .until = ban->until == BAN_FOREVER ? 0 : clock_wall(g, ban->until),
        .left = ban->until == BAN_FOREVER ? 0 : ban->until - t,
        .length = ban->length,
        .level = ban->level,
        .quench_level = ban->quench_level,
        .threshold = ban->threshold,
        .count = ban->count,
        .window = ban->window,
        .heard = ban->heard,
        .last = ban->last,
    };
}

bool guard_next_ban(const struct guard *g, struct instant now, size_t *cursor,
                    struct guard_ban *out)
{
    uint32_t t = clock_read(g, now).t;

    while (*cursor < g->bans.touched) {
        const struct ban *ban = bans_at(&g->bans, (*cursor)++);

        if (!ban || !ban_active(ban, t))
            continue;
        ban_of(g, ban, t, out);
        return true;
    }
    return false;
}

bool guard_find_ban(const struct guard *g, struct instant now, const struct network *network,
                    bool observed, struct guard_ban *out)
{
    const struct ban *ban = bans_find(&g->bans, &g->keys, network, observed);
    uint32_t t = clock_read(g, now).t;

    if (!ban || !ban_active(ban, t))
        return false;
    ban_of(g, ban, t, out);
    return true;
}

static struct network cut_to(const struct network *network, uint8_t bits)
{
    struct network cut = {.family = network->family, .bits = bits};

    memcpy(cut.ip, network->ip, bits / 8);
    if (bits % 8)
        cut.ip[bits / 8] = (uint8_t)(network->ip[bits / 8] & 0xff << (8 - bits % 8));
    return cut;
}

size_t guard_bans_around(const struct guard *g, struct instant now, const struct network *network,
                         struct guard_ban *out, size_t max)
{
    size_t n = 0;

    for (unsigned bits = 0; bits <= network->bits; bits++) {
        struct network around = cut_to(network, (uint8_t)bits);

        for (int observed = 0; observed < 2 && n < max; observed++)
            n += guard_find_ban(g, now, &around, observed, &out[n]);
    }
    return n;
}

static enum guard_lock_kind kind_of(enum lock lock)
{
    switch (lock) {
    case LOCK_NONE:
    case LOCK_OUT: return GUARD_LOCK_OUT;
    case LOCK_INTERNATIONAL: return GUARD_LOCK_INTERNATIONAL;
    case LOCK_TAKEOVER: return GUARD_LOCK_TAKEOVER;
    }
    return GUARD_LOCK_OUT;
}

static void lock_of(const struct guard *g, const struct subject *s, struct guard_lock *out)
{
    *out = (struct guard_lock){
        .switch_id = s->switch_id,
        .name_n = s->name_n,
        .kind = kind_of((enum lock)s->lock),
        .observed = s->observed,
        .since = clock_wall(g, s->since),
        .until = s->until == LOCK_FOREVER ? 0 : clock_wall(g, s->until),
        .length = s->length,
        .level = s->level,
        .threshold = s->threshold,
        .count = s->count,
        .window = s->window,
        .last = s->last,
    };
    memcpy(out->name, s->name, s->name_n);
}

bool guard_next_lock(const struct guard *g, struct instant now, size_t *cursor,
                     struct guard_lock *out)
{
    uint32_t t = clock_read(g, now).t;

    while (*cursor < table_slots(&g->subjects.table)) {
        const struct subject *s = table_at(&g->subjects.table, (*cursor)++);

        if (!s || !subject_locked(s, t))
            continue;
        lock_of(g, s, out);
        return true;
    }
    return false;
}

static const struct subject *subject_of(const struct guard *g, int64_t switch_id,
                                        struct span account)
{
    return account.n ? subjects_find(&g->subjects, keys_account(&g->keys, switch_id, account))
                     : NULL;
}

bool guard_find_lock(const struct guard *g, struct instant now, int64_t switch_id,
                     struct span account, struct guard_lock *out)
{
    const struct subject *s = subject_of(g, switch_id, account);

    if (!s || !subject_locked(s, clock_read(g, now).t))
        return false;
    lock_of(g, s, out);
    return true;
}

bool guard_next_pair(const struct guard *g, struct instant now, size_t *cursor,
                     struct guard_pair *out)
{
    while (*cursor < (size_t)g->good.buckets * PAIR_WAYS) {
        const struct pair *p = &g->good.at[(*cursor)++];

        if (!p->account)
            continue;
        *out = (struct guard_pair){.account = p->account,
                                   .home = pair_home(p),
                                   .first_day = p->first_day,
                                   .last_day = p->last_day,
                                   .taint_until_day = p->taint_until,
                                   .days = p->days,
                                   .good = p->good};
        return true;
    }
    return false;
}

size_t guard_good_of(const struct guard *g, struct instant now, int64_t switch_id,
                     struct span account, struct network out[GUARD_GOOD_MAX])
{
    return account.n ? known_good_list(&g->good, keys_account(&g->keys, switch_id, account),
                                       clock_read(g, now).day, out)
                     : 0;
}

static bool any(const struct guard_count *count)
{
    uint32_t all = count->names;

    for (int i = 0; i < 4 * WITNESSES; i++)
        all |= count->count[i / WITNESSES][i % WITNESSES];
    return all != 0;
}

static void take(struct guard_count *out, int row, const struct counter *counter, uint32_t t,
                 uint32_t window)
{
    for (int i = 0; i < WITNESSES; i++) {
        out->parts[row][i] = counter_parts(counter, t, window, (enum witness)i);
        out->count[row][i] = counter_sum(out->parts[row][i]);
    }
}

static bool count_source(const struct guard *g, const struct source *s, uint32_t t,
                         struct guard_count *out)
{
    struct source_limits limits = source_limits(&g->limits, s);

    *out = (struct guard_count){.observed = s->observed,
                                .proved = s->proved,
                                .network = source_network(s),
                                .names = source_names(s, &g->limits, t)};
    take(out, 0, &s->guesses, t, limits.guesses->window);
    take(out, 1, &s->day, t, limits.day->window);
    take(out, 2, &s->noise, t, g->limits.noise.window);
    return any(out);
}

static bool count_subject(const struct guard *g, const struct subject *s, uint32_t t,
                          struct guard_count *out)
{
    *out = (struct guard_count){.is_account = true,
                                .observed = s->observed,
                                .switch_id = s->switch_id,
                                .name_n = s->name_n,
                                .known = s->known};
    memcpy(out->name, s->name, s->name_n);
    take(out, 0, &s->recent, t, g->limits.account.window);
    take(out, 1, &s->day, t, g->limits.account_day.window);
    take(out, 2, &s->week, t, g->limits.account_week.window);
    take(out, 3, &s->guesses, t, g->limits.account_week.window);
    return any(out);
}

/* The cursor runs through one table behind the other. */
bool guard_next_count(const struct guard *g, struct instant now, size_t *cursor,
                      struct guard_count *out)
{
    const struct table *tables[3] = {&g->proved.table, &g->unproved.table, &g->subjects.table};
    uint32_t t = clock_read(g, now).t;
    size_t first = 0;

    for (int i = 0; i < 3; first += table_slots(tables[i++])) {
        while (*cursor < first + table_slots(tables[i])) {
            const void *entry = table_at(tables[i], (*cursor)++ - first);

            if (entry && (i < 2 ? count_source(g, entry, t, out) : count_subject(g, entry, t, out)))
                return true;
        }
    }
    return false;
}

size_t guard_counts_of_source(const struct guard *g, struct instant now,
                              const struct network *source,
                              struct guard_count out[GUARD_SOURCE_COUNTS])
{
    const struct sources *tables[2] = {&g->proved, &g->unproved};
    uint32_t t = clock_read(g, now).t;
    size_t n = 0;

    for (int i = 0; i < GUARD_SOURCE_COUNTS; i++) {
        const struct source *s = sources_find(tables[i / 2], source, i % 2);

        n += s && count_source(g, s, t, &out[n]);
    }
    return n;
}

bool guard_count_of_account(const struct guard *g, struct instant now, int64_t switch_id,
                            struct span account, struct guard_count *out)
{
    const struct subject *s = subject_of(g, switch_id, account);

    return s && count_subject(g, s, clock_read(g, now).t, out);
}

size_t guard_why_source(const struct guard *g, const struct network *source, uint64_t *ids,
                        size_t max)
{
    enum evidence_chain chain = source->family == 6 && source->bits == 64   ? CHAIN_NET64
                                : source->family == 6 && source->bits == 48 ? CHAIN_NET48
                                                                            : CHAIN_SOURCE;
    const struct sources *tables[2] = {&g->proved, &g->unproved};
    size_t n = 0;

    for (int i = 0; i < 4 && n < max; i++) {
        const struct source *s = sources_find(tables[i / 2], source, i % 2);

        if (s)
            n += evidence_walk(&g->evidence, s->last, chain, 0, ids + n, max - n);
    }
    return n;
}

size_t guard_why_account(const struct guard *g, int64_t switch_id, struct span account,
                         uint64_t *ids, size_t max)
{
    const struct subject *s = subject_of(g, switch_id, account);

    return s ? evidence_walk(&g->evidence, s->last, CHAIN_ACCOUNT, 0, ids, max) : 0;
}

/* ---- back again ---- */

int guard_restore_ban(struct guard *g, struct instant now, const struct guard_ban *in,
                      struct fault *f)
{
    uint32_t left = 0;
    struct ban *ban;

    clock_reach(g, now);
    if (in->until) {
        left = clock_left(g, in->until, in->length);
        if (!left)
            return 0;
    }
    if (exempts_of(&g->exempts, &in->network) != EXEMPT_NONE)
        return 0;
    ban = bans_take(&g->bans, &g->keys, &in->network, in->observed, g->at.t);
    if (!ban || !bans_begin(&g->bans, ban, in->quench, g->at.t, left))
        return fault(f, ERR_FULL, "there is no room for another ban");
    ban->attack = (uint8_t)in->attack;
    ban->witness = (uint8_t)in->witness;
    ban->manual = in->attack == ATTACK_OPERATOR;
    ban->proof = in->quench ? PROOF_NONE : PROOF_PROVED;
    ban->switch_id = in->switch_id;
    ban->length = in->length;
    ban->level = in->level < UINT8_MAX ? (uint8_t)in->level : UINT8_MAX;
    ban->quench_level = in->quench_level < UINT8_MAX ? (uint8_t)in->quench_level : UINT8_MAX;
    ban->threshold = in->threshold;
    ban->count = in->count;
    ban->window = in->window;
    ban->last = in->last;
    ban->remembered = ban->until == BAN_FOREVER
                          ? BAN_FOREVER
                          : ban->until + (ban->level ? g->limits.ban_memory : g->limits.quench_max);
    return 0;
}

int guard_restore_lock(struct guard *g, struct instant now, const struct guard_lock *in,
                       struct fault *f)
{
    static const enum lock locks[] = {LOCK_OUT, LOCK_INTERNATIONAL, LOCK_TAKEOVER};
    struct span name = {in->name, in->name_n};
    uint32_t left = 0;
    struct subject *s;

    clock_reach(g, now);
    if (in->until) {
        left = clock_left(g, in->until, in->length);
        if (!left)
            return 0;
    }
    s = in->name_n ? subjects_take(&g->subjects, keys_account(&g->keys, in->switch_id, name),
                                   in->switch_id, name, true, g->at.t)
                   : NULL;
    if (!s)
        return fault(f, ERR_FULL, "there is no room for the lock of \"%s\"", ESCAPED(name));
    subject_lock(&g->subjects, s, locks[in->kind], in->observed, g->at.t, left);
    s->length = in->length;
    s->level = in->level < UINT8_MAX ? (uint8_t)in->level : UINT8_MAX;
    s->remembered = s->until == LOCK_FOREVER ? LOCK_FOREVER : s->until + g->limits.lockout_max;
    s->threshold = in->threshold;
    s->count = in->count;
    s->window = in->window;
    s->last = in->last;
    return 0;
}

int guard_restore_pair(struct guard *g, struct instant now, const struct guard_pair *in,
                       struct fault *f)
{
    struct pair pair = {.account = in->account,
                        .first_day = in->first_day,
                        .last_day = in->last_day,
                        .taint_until = in->taint_until_day,
                        .days = in->days,
                        .family = in->home.family,
                        .good = in->good};

    clock_reach(g, now);
    if (!in->account || !in->home.family)
        return fault(f, ERR_CORRUPT, "a pair without account or source");
    memcpy(pair.ip, in->home.ip, sizeof(pair.ip));
    return known_good_restore(&g->good, &pair, g->at.t)
               ? 0
               : fault(f, ERR_FULL, "there is no room for another known good source");
}

/* As it was when it was read: what has passed since makes it older. */
static void give(struct counter *counter, const struct guard_count *in, int row, uint32_t t,
                 uint32_t window)
{
    uint32_t then = t - (in->age < window ? in->age : window);

    for (int i = 0; i < WITNESSES; i++)
        counter_set(counter, then, window, (enum witness)i, in->parts[row][i]);
}

static int restore_source(struct guard *g, const struct guard_count *in, struct fault *f)
{
    struct source *s =
        sources_take(in->proved ? &g->proved : &g->unproved, &in->network, in->observed, g->at.t);
    struct source_limits limits;

    if (!s)
        return fault(f, ERR_FULL, "there is no room for another source");
    limits = source_limits(&g->limits, s);
    give(&s->guesses, in, 0, g->at.t, limits.guesses->window);
    give(&s->day, in, 1, g->at.t, limits.day->window);
    give(&s->noise, in, 2, g->at.t, g->limits.noise.window);
    return 0;
}

int guard_restore_count(struct guard *g, struct instant now, const struct guard_count *in,
                        struct fault *f)
{
    struct span name = {in->name, in->name_n};
    struct subject *s;

    clock_reach(g, now);
    if (!in->is_account)
        return in->network.family ? restore_source(g, in, f)
                                  : fault(f, ERR_CORRUPT, "a count without a source");
    s = in->name_n ? subjects_take(&g->subjects, keys_account(&g->keys, in->switch_id, name),
                                   in->switch_id, name, in->known, g->at.t)
                   : NULL;
    if (!s)
        return fault(f, ERR_FULL, "there is no room to count account \"%s\"", ESCAPED(name));
    give(&s->recent, in, 0, g->at.t, g->limits.account.window);
    give(&s->day, in, 1, g->at.t, g->limits.account_day.window);
    give(&s->week, in, 2, g->at.t, g->limits.account_week.window);
    give(&s->guesses, in, 3, g->at.t, g->limits.account_week.window);
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "fuzz.h"
#include "guard/guard.h"

/*
 * Bytes as what happens to a guard: attempts from a small world of addresses and accounts, time, an operator,
 * restarts. What must hold whatever happens: never-ban, trunks and known good sources are neither banned nor
 * quenched; no address is banned without proof that something came from it; a quench is short and of one address;
 * what events say is what lists say; the same bytes give the same events.
 */
#define ADDRESSES 24
#define ACCOUNTS 6
#define MODEL_MAX 4096

static const uint8_t key[GUARD_KEY_BYTES] = "thirty-two bytes of a known key";

struct model {
    struct guard *guard;
    struct instant now;
    struct address address[ADDRESSES];
    bool good[ADDRESSES]; /* before the call that is under way */
    bool proved[2]
               [ADDRESSES]; /* something came from it, seen by an enforcing, an observed switch */
    struct network never, trunk;
    struct network banned[2][MODEL_MAX]; /* active, as events say */
    size_t n_banned[2];
    uint64_t hash;
    size_t memory;
};

static struct address address_at(int i)
{
    struct address a = {.family = i < 12 ? 4 : 6};
    static const uint8_t v4[4] = {198, 18, 0, 0}, v6[4] = {0x20, 1, 0xd, 0xb8};

    memcpy(a.ip, i < 12 ? v4 : v6, 4);
    if (i < 12) {
        a.ip[3] = (uint8_t)i;
    } else {
        a.ip[5] = (uint8_t)(i / 18); /* two /48 */
        a.ip[7] = (uint8_t)(i / 3);  /* of some /64 */
        a.ip[15] = (uint8_t)i;
    }
    return a;
}

static bool same(const struct network *a, const struct network *b)
{
    return a->family == b->family && a->bits == b->bits && memcmp(a->ip, b->ip, 16) == 0;
}

static void ban_begins(struct model *m, const struct guard_event *e)
{
    struct network *at = m->banned[e->observed];
    bool proved = e->attack == ATTACK_OPERATOR;

    PROMISE(!exempts_overlap(&e->network, &m->never) && !exempts_overlap(&e->network, &m->trunk));
    for (int i = 0; i < ADDRESSES; i++) {
        if (!network_has(&e->network, &m->address[i]))
            continue;
        PROMISE(!m->good[i] || e->attack == ATTACK_OPERATOR || e->attack == ATTACK_CANARY);
        proved |= m->proved[e->observed][i];
    }
    PROMISE(proved || e->kind == GUARD_QUENCH);
    PROMISE(e->kind == GUARD_BAN || (e->seconds >= 60 && e->seconds <= 600));
    PROMISE(e->kind == GUARD_BAN || e->network.bits == (e->network.family == 4 ? 32 : 128));
    for (size_t i = 0; i < m->n_banned[e->observed]; i++)
        if (same(&at[i], &e->network))
            return;
    if (m->n_banned[e->observed] < MODEL_MAX)
        at[m->n_banned[e->observed]++] = e->network;
}

static void ban_ends(struct model *m, const struct guard_event *e)
{
    struct network *at = m->banned[e->observed];
    size_t *n = &m->n_banned[e->observed];

    for (size_t i = 0; i < *n; i++)
        if (same(&at[i], &e->network)) {
            at[i] = at[--*n];
            return;
        }
    PROMISE(!"ended and never begun");
}

static void heard(void *context, const struct guard_event *e)
{
    struct model *m = context;

    m->hash = (m->hash ^ ((uint64_t)e->kind << 32 | e->count << 8 | e->level)) * 0x100000001b3;
    m->hash = (m->hash ^ e->seconds ^ (uint64_t)e->network.ip[3] << 40) * 0x100000001b3;
    PROMISE(e->n_attempts <= GUARD_EVENT_IDS && e->n_good <= GUARD_GOOD_MAX);
    PROMISE(e->account.n <= ACCOUNT_NAME_MAX);
    PROMISE(e->threshold == 0 || e->count >= e->threshold || e->kind == GUARD_UNLOCK ||
            e->kind == GUARD_TAKEOVER);
    for (size_t i = 0; i < e->n_attempts; i++)
        PROMISE(guard_evidence(m->guard, e->attempts[i]) != NULL);
    if (e->kind == GUARD_BAN || e->kind == GUARD_QUENCH)
        ban_begins(m, e);
    if (e->kind == GUARD_UNBAN)
        ban_ends(m, e);
}

static struct span name_at(uint8_t byte)
{
    static const char *const names[ACCOUNTS] = {"1001", "1002", "anna", "ANNA", "canary", ""};

    return span_of(names[byte % ACCOUNTS]);
}

static void look(struct model *m)
{
    for (int i = 0; i < ADDRESSES; i++)
        m->good[i] = guard_address_good(m->guard, m->now, &m->address[i]);
}

static void try(struct model *m, const uint8_t b[4])
{
    int from = b[0] % (ADDRESSES + 1);
    struct attempt a = {.at = m->now,
                        .switch_id = b[1] % 4 == 3 ? 9 : 1,
                        .witness = (enum witness)(b[1] >> 2 & 3),
                        .outcome = (enum outcome)(b[1] >> 4 & 7),
                        .proof = (enum proof)(b[2] % PROOFS),
                        .account = name_at(b[2] >> 2),
                        .account_known = b[2] & 0x80,
                        .credentials = b[3] & 1 ? b[3] : 0,
                        .method = METHOD_OPTIONS};

    if (from < ADDRESSES) {
        a.source = m->address[from];
        m->proved[a.switch_id == 9][from] |= a.proof == PROOF_PROVED;
    }
    for (int i = 0; i <= b[3] >> 4; i++) {
        if (i == 0 || a.outcome == OUTCOME_SUCCESS) /* no failure changes who is good */
            look(m);
        a.at = m->now;
        guard_attempt(m->guard, &a);
        m->now.boot_ns += INT64_C(1000000) << (b[3] >> 1 & 7);
    }
}

/* What does not come back has ended meanwhile, by the wall clock. */
static void restart(struct model *m, bool reboot)
{
    struct guard *old = m->guard;
    struct instant then = m->now;
    struct guard_count count;
    struct guard_limits limits;
    struct guard_pair pair;
    struct guard_lock lock;
    struct guard_ban ban;
    size_t cursor = 0;

    guard_limits_default(&limits);
    limits.memory_mib = 1;
    if (reboot)
        m->now.boot_ns = 0;
    PROMISE(guard_new(&m->guard, &limits, key, m->now, heard, m, NULL) == 0);
    guard_set_mode(m->guard, m->now, 1, GUARD_ENFORCE, NULL);
    guard_set_exempt(m->guard, m->now, EXEMPT_NEVER_BAN, &m->never, 1, NULL);
    guard_set_exempt(m->guard, m->now, EXEMPT_TRUNK, &m->trunk, 1, NULL);
    guard_set_canaries(m->guard, &(struct guard_account){1, SPAN("canary")}, 1, NULL);
    while (old && guard_next_pair(old, then, &cursor, &pair))
        PROMISE(guard_restore_pair(m->guard, m->now, &pair, NULL) == 0);
    for (cursor = 0; old && guard_next_ban(old, then, &cursor, &ban);)
        PROMISE(guard_restore_ban(m->guard, m->now, &ban, NULL) == 0);
    for (cursor = 0; old && guard_next_lock(old, then, &cursor, &lock);)
        PROMISE(guard_restore_lock(m->guard, m->now, &lock, NULL) == 0);
    for (cursor = 0; old && guard_next_count(old, then, &cursor, &count);)
        PROMISE(guard_restore_count(m->guard, m->now, &count, NULL) == 0);
    guard_free(old);
    m->n_banned[0] = m->n_banned[1] = 0;
    for (cursor = 0; guard_next_ban(m->guard, m->now, &cursor, &ban);)
        m->banned[ban.observed][m->n_banned[ban.observed]++] = ban.network;
}

static void act(struct model *m, const uint8_t b[4])
{
    struct address *a = &m->address[b[1] % ADDRESSES];
    struct network host = keys_host(a), wide = keys_around(a, a->family == 4 ? 24 : 64);

    look(m);
    switch (b[2] % 6) {
    case 0: guard_ban(m->guard, m->now, b[3] & 1 ? &wide : &host, b[3], 0, NULL); break;
    case 1: guard_unban(m->guard, m->now, b[3] & 1 ? &wide : &host, NULL); break;
    case 2: guard_unlock(m->guard, m->now, 1, name_at(b[3]), NULL); break;
    case 3: guard_forget_good(m->guard, m->now, 1, name_at(b[3]), NULL, NULL); break;
    case 4:
        m->never = host;
        guard_set_exempt(m->guard, m->now, EXEMPT_NEVER_BAN, &m->never, 1, NULL);
        break;
    case 5:
        guard_vouch(m->guard, m->now, 1, a);
        m->proved[0][b[1] % ADDRESSES] = true;
        break;
    }
}

static void check(struct model *m)
{
    struct guard_figures figures;
    struct guard_ban ban;
    size_t n[2] = {0, 0}, cursor = 0;

    guard_tick(m->guard, m->now);
    while (guard_next_ban(m->guard, m->now, &cursor, &ban))
        n[ban.observed]++;
    PROMISE(n[0] == m->n_banned[0] && n[1] == m->n_banned[1]);
    guard_figures(m->guard, &figures);
    PROMISE(m->memory == 0 || m->memory == figures.memory);
    m->memory = figures.memory;
    for (int k = 0; k < ACCOUNTS; k++) {
        struct network good[GUARD_GOOD_MAX];
        struct span name = name_at((uint8_t)k);
        size_t goods = guard_good_of(m->guard, m->now, 1, name, good);

        PROMISE(goods <= GUARD_GOOD_MAX);
        for (int i = 0; i < ADDRESSES; i++)
            if (guard_source_good(m->guard, m->now, 1, name, &m->address[i]))
                PROMISE(goods > 0 && guard_address_good(m->guard, m->now, &m->address[i]) &&
                        guard_account_state(m->guard, m->now, 1, name, &m->address[i]) !=
                            GUARD_LOCKED_OUT);
    }
}

static uint64_t play(const uint8_t *data, size_t size)
{
    static struct model m;

    memset(&m, 0, sizeof(m));
    for (int i = 0; i < ADDRESSES; i++)
        m.address[i] = address_at(i);
    m.now = (struct instant){0, INT64_C(1795478400000)};
    m.never = keys_around(&m.address[1], 32);
    m.trunk = keys_around(&m.address[23], 64);
    restart(&m, false);
    for (; size >= 5; data += 5, size -= 5) {
        switch (data[0] % 8) {
        case 0:
        case 1:
        case 2:
        case 3: try(&m, data + 1); break;
        case 4: m.now.boot_ns += data[1] * INT64_C(1000000000) * (1 + data[2]); break;
        case 5: m.now.boot_ns += data[1] % 4 * INT64_C(43200000000000); break;
        case 6: m.now.wall_ms += (data[1] - 128) * INT64_C(1000) * (1 + data[2] * data[3]); break;
        case 7:
            if (data[1] == 255)
                restart(&m, data[2] & 1);
            else
                act(&m, data + 1);
            break;
        }
        if (size % 8 == 0)
            check(&m);
    }
    check(&m);
    guard_free(m.guard);
    m.guard = NULL;
    return m.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t once;

    if (size > 4096)
        size = 4096;
    once = play(data, size);
    PROMISE(size % 4 != 0 || play(data, size) == once);
    return 0;
}

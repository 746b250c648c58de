/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/guard_impl.h"

/*
 * What becomes of a source. Proved failures are counted for the host and, of IPv6, for the /64 and the /48 around
 * it; the widest that is over its threshold and has no innocent inside is banned. Unproved ones are counted apart
 * and lead to a quench.
 */
#define LEVELS 3
#define HOUR 3600u
#define DAY (24 * HOUR)
#define HEARD_AFTER_S 5u  /* a ban works within so long, or something is wrong */
#define PHONE_PAUSE_S 10u /* who waits so long between two tries is a phone rather than a guesser */

static uint8_t level_bits(uint8_t family, int level)
{
    static const uint8_t bits[LEVELS] = {128, 64, 48};

    return family == 4 ? 32 : bits[level];
}

struct network home_network(const struct network *network)
{
    struct address address = {.family = network->family};

    memcpy(address.ip, network->ip, sizeof(address.ip));
    return network->family == 6 && network->bits > 64 ? keys_home(&address) : *network;
}

static const struct home *home_of(const struct guard *g, const struct network *network)
{
    struct network home = home_network(network);

    return home.family ? homes_find(&g->homes, &g->keys, &home) : NULL;
}

/* Several accounts are registered there beside this one, and hardly more than this one fails; or it is one of those
 * that worked there, and somebody has provisioned all of them wrongly. */
static bool is_office(const struct guard *g, const struct trial *trial, const struct source *s,
                      const struct home *home)
{
    uint32_t carries = home_carries(home, trial->account, trial->at.t);
    uint32_t may_fail = carries < HOME_ACCOUNTS - 1 ? 1 : 3;

    return carries >= g->limits.office &&
           (trial->own || source_failing(s, &g->limits, trial->at.t) <= may_fail);
}

uint64_t pair_key(const struct guard *g, uint64_t account, const struct network *home)
{
    return keys_join(&g->keys, account, keys_network(&g->keys, home, 'p'));
}

static uint64_t refused_key(const struct guard *g, uint64_t account, const struct network *home)
{
    return keys_join(&g->keys, pair_key(g, account, home), GUARD_PAIR_REFUSED);
}

bool pair_refused(const struct guard *g, uint64_t account, const struct network *home, uint32_t t)
{
    return account && home->family && recent_find(&g->notices, refused_key(g, account, home), t);
}

static uint64_t excused_key(const struct guard *g, uint64_t account, const struct network *home)
{
    return keys_join(&g->keys, pair_key(g, account, home), GUARD_EVENTS);
}

/* One in ten counts all the same: who sits in an office, and has the patience of a phone, must not guess for ever. */
#define EXCUSES 9

bool pair_excused(struct guard *g, uint64_t account, const struct network *home, uint32_t t)
{
    struct recent *r = NULL;

    if (account && home->family)
        r = recent_find(&g->notices, excused_key(g, account, home), t);
    if (!r)
        return false;
    r->n[0] = r->n[0] < EXCUSES ? r->n[0] + 1 : 0;
    return r->n[0] != 0;
}

static enum attack attack_of(const struct guard *g, const struct trial *trial,
                             const struct source *s, const struct excess *excess)
{
    enum outcome outcome = trial->attempt.outcome;

    if (excess->noise || outcome_is_noise(outcome))
        return outcome == OUTCOME_MALFORMED ? ATTACK_MALFORMED : ATTACK_SCAN;
    if (outcome == OUTCOME_REFUSED_CALL)
        return ATTACK_CALL;
    if (excess->limit == &g->limits.names || excess->limit == &g->strangers ||
        source_names(s, &g->limits, trial->at.t) >= 4)
        return ATTACK_ENUMERATION;
    return excess->day ? ATTACK_SLOW : ATTACK_BRUTE_FORCE;
}

static struct why why_of(const struct guard *g, const struct trial *trial, const struct source *s,
                         const struct excess *excess, uint64_t *ids)
{
    enum evidence_chain chain = s->bits == 64   ? CHAIN_NET64
                                : s->bits == 48 ? CHAIN_NET48
                                                : CHAIN_SOURCE;
    uint32_t most = excess->count < GUARD_EVENT_IDS ? excess->count : GUARD_EVENT_IDS;
    uint32_t oldest = trial->at.t - excess->limit->window;

    return (struct why){attack_of(g, trial, s, excess), *excess, ids,
                        evidence_walk(&g->evidence, s->last, chain, oldest, ids, most)};
}

/* ---- what is decided ---- */

void end_ban(struct guard *g, struct ban *ban)
{
    struct guard_event event = {.kind = GUARD_UNBAN,
                                .attack = (enum attack)ban->attack,
                                .observed = ban->observed,
                                .switch_id = ban->switch_id,
                                .network = ban->network,
                                .quench = ban->quench,
                                .witness = (enum witness)ban->witness,
                                .proof = (enum proof)ban->proof,
                                .level = ban->level,
                                .count = ban->heard};

    bans_end(&g->bans, ban);
    tell(g, &event);
}

static uint32_t grown(uint32_t first, uint32_t factor, uint32_t times, uint32_t most)
{
    uint64_t length = first;

    while (times-- > 0 && length < most)
        length *= factor > 1 ? factor : most;
    return length < most ? (uint32_t)length : most;
}

static void put_why(struct ban *ban, const struct trial *trial, const struct why *why)
{
    ban->attack = (uint8_t)why->attack;
    ban->witness = (uint8_t)why->excess.witness;
    ban->proof = (uint8_t)trial->attempt.proof;
    ban->threshold = why->excess.limit ? why->excess.limit->count : 0;
    ban->window = why->excess.limit ? why->excess.limit->window : 0;
    ban->count = why->excess.count;
    ban->switch_id = trial->attempt.switch_id;
    ban->last = why->n_ids ? why->ids[0] : 0;
    ban->manual = false;
}

static bool impose(struct guard *g, struct trial *trial, const struct network *network, bool quench,
                   const struct why *why)
{
    const struct guard_limits *l = &g->limits;
    uint32_t t = trial->at.t, length;
    struct ban *ban = bans_take(&g->bans, &g->keys, network, trial->observed, t);
    struct guard_event event = event_of(trial, quench ? GUARD_QUENCH : GUARD_BAN, why);

    if (!ban) {
        tell_pressure(g);
        return false;
    }
    if (ban->remembered <= t)
        ban->level = ban->quench_level = 0;
    event.network = *network;
    event.quench = quench;
    event.level = quench ? ban->quench_level : ban->level;
    length = quench ? grown(l->quench, 2, event.level, l->quench_max)
                    : grown(l->ban, l->ban_factor, event.level, l->ban_max);
    if (!bans_begin(&g->bans, ban, quench, t, length)) {
        if (ban->remembered <= t)
            bans_drop(&g->bans, &g->keys, ban);
        tell_pressure(g);
        return false;
    }
    ban->quench_level += quench && ban->quench_level < UINT8_MAX;
    ban->level += !quench && ban->level < UINT8_MAX;
    uint32_t memory = ban->until + (ban->level ? l->ban_memory : l->quench_max);

    ban->remembered = memory > ban->remembered ? memory : ban->remembered;
    put_why(ban, trial, why);
    event.seconds = length;
    tell(g, &event);
    return true;
}

/* It begins anew when it comes back; a day's count stays, so that who comes back all day is soon known. What is
 * not proved keeps it for good: a quench does not grow, so after the day's count each guess is worth one. */
static void start_over(struct source *s, const struct excess *excess)
{
    s->guesses = s->noise = (struct counter){0};
    s->failed = s->asked = s->fresh = 0;
    if (excess->day && s->proved)
        s->day = (struct counter){0};
}

/* A pause between tries of one account as a phone makes it: its owner is told beside the ban. */
static void notice_phone(struct guard *g, struct trial *trial, const struct source *s,
                         const struct why *why)
{
    const struct evidence *oldest =
        why->n_ids > 1 ? evidence_get(&g->evidence, why->ids[why->n_ids - 1]) : NULL;
    struct guard_event event = event_of(trial, GUARD_WRONG_PASSWORD, why);
    bool known =
        trial->attempt.account_known || known_good_has(&g->good, trial->account, trial->at.day);

    if (!oldest || !known || trial->attempt.outcome != OUTCOME_WRONG_CREDENTIALS ||
        source_failing(s, &g->limits, trial->at.t) != 1 ||
        trial->at.t - oldest->t < PHONE_PAUSE_S * (why->n_ids - 1))
        return;
    if (notice_due(g, pair_key(g, trial->account, &trial->home), GUARD_WRONG_PASSWORD, DAY))
        tell(g, &event);
}

static void ban_source(struct guard *g, struct trial *trial, struct source *s,
                       const struct excess *excess)
{
    uint64_t ids[GUARD_EVENT_IDS];
    struct why why = why_of(g, trial, s, excess, ids);
    struct network network = source_network(s);

    if (excess->limit != &g->strangers)
        notice_phone(g, trial, s, &why);
    if (impose(g, trial, &network, false, &why))
        start_over(s, excess);
}

/* ---- sources that must not be banned ---- */

static void alarm(struct guard *g, struct trial *trial, const struct source *s,
                  const struct excess *excess, enum guard_event_kind kind)
{
    uint64_t ids[GUARD_EVENT_IDS];
    struct guard_event event;
    struct why why;

    if (!notice_due(g, s->key, kind, HOUR))
        return;
    why = why_of(g, trial, s, excess, ids);
    event = event_of(trial, kind, &why);
    event.network = source_network(s);
    tell(g, &event);
}

/* A wrong password in a phone is told to its owner, and locks nobody out. */
static void excuse(struct guard *g, struct trial *trial, struct guard_event *event)
{
    uint64_t key = pair_key(g, trial->account, &trial->home);

    recent_first(&g->notices, excused_key(g, trial->account, &trial->home), trial->at.t, DAY);
    event->kind = GUARD_WRONG_PASSWORD;
    event->seconds = 0;
    if (notice_due(g, key, GUARD_WRONG_PASSWORD, DAY))
        tell(g, event);
}

/* One failure more of an account at a shared or known good source: at the threshold the pair is refused. Who was
 * in a hurry is no phone, unless this is where the account always was. */
static void count_pair(struct guard *g, struct trial *trial, const struct source *s)
{
    const struct limit *limit = &g->limits.source;
    uint64_t key = pair_key(g, trial->account, &trial->home), ids[GUARD_EVENT_IDS];
    uint32_t t = trial->at.t;
    struct recent *r = recent_find(&g->pairs, key, t);
    struct excess excess = {.limit = limit, .witness = trial->attempt.witness};
    struct guard_event event;
    struct why why;
    bool patient;

    if (!r)
        r = recent_begin(&g->pairs, key, t, limit->window);
    if (r->n[excess.witness] < UINT8_MAX)
        r->n[excess.witness]++;
    excess.count = r->n[excess.witness];
    if (excess.count < limit->count && excess.count < UINT8_MAX)
        return;
    patient = t - (r->until - limit->window) >= PHONE_PAUSE_S * (excess.count - 1);
    r->until = t; /* counted anew */
    why = why_of(g, trial, s, &excess, ids);
    event = event_of(trial, GUARD_PAIR_REFUSED, &why);
    event.seconds = g->limits.ban;
    recent_begin(&g->notices, refused_key(g, trial->account, &trial->home), t, event.seconds);
    tell(g, &event);
    if (patient || known_good_is(&g->good, trial->account, &trial->home, trial->at.day))
        excuse(g, trial, &event);
}

/* Over a threshold, but never dropped. One account that fails all day is a wrong password in a phone; many are
 * somebody inside who guesses. */
static void spare(struct guard *g, struct trial *trial, const struct source *s,
                  const struct excess *excess)
{
    uint64_t ids[GUARD_EVENT_IDS];
    struct why why = why_of(g, trial, s, excess, ids);
    struct guard_event event = event_of(trial, GUARD_WRONG_PASSWORD, &why);

    if (source_names(s, &g->limits, trial->at.t) >= 4 || trial->strays >= g->limits.names.count)
        alarm(g, trial, s, excess, GUARD_ENUMERATION);
    else if (trial->attempt.outcome != OUTCOME_WRONG_CREDENTIALS)
        alarm(g, trial, s, excess, GUARD_EXEMPT_ATTACKS);
    else if (excess->day)
        excuse(g, trial, &event);
}

/* ---- proved ---- */

/* Whether it is one of many failures at accounts that never worked there: then nothing that is good or shared there
 * protects the home. What lies around it stays as it is. */
static bool is_stray(const struct guard *g, const struct trial *trial, const struct source *s)
{
    return trial->strays >= g->strangers.count && s->bits >= trial->home.bits;
}

static bool is_spared(const struct guard *g, const struct trial *trial, const struct source *s,
                      const struct home *home)
{
    return !is_stray(g, trial, s) &&
           (home_is_good(home, trial->at.day) || is_office(g, trial, s, home));
}

/* True when that settles it, false when a narrower network is to be looked at. */
static bool decide(struct guard *g, struct trial *trial, struct source *s,
                   const struct excess *excess, bool host)
{
    struct network network = source_network(s);
    struct excess strangers;

    if (exempts_of(&g->exempts, &network) != EXEMPT_NONE) {
        if (host)
            alarm(g, trial, s, excess, GUARD_EXEMPT_ATTACKS);
        return host;
    }
    if (is_spared(g, trial, s, home_of(g, &network))) {
        if (host)
            spare(g, trial, s, excess);
        return host;
    }
    if (is_stray(g, trial, s)) {
        strangers = *excess;
        strangers.limit = &g->strangers;
        strangers.count = trial->strays;
        excess = &strangers;
    }
    ban_source(g, trial, s, excess);
    return true;
}

/* Counted by whoever is still on the way: a ban that has just begun, or one that does not work. */
static bool heard_though_banned(struct guard *g, struct trial *trial, bool quench_too)
{
    struct ban *ban = bans_covering(&g->bans, &g->keys, &trial->host, trial->observed, trial->at.t);
    struct guard_event event;

    if (!ban || (ban->quench && !quench_too))
        return false;
    ban->heard += ban->heard < UINT32_MAX;
    if (!ban->observed && !ban->told_heard && trial->at.t - ban->since > HEARD_AFTER_S) {
        ban->told_heard = true;
        event = event_of(trial, GUARD_STILL_ANSWERED, NULL);
        event.network = ban->network;
        event.count = ban->heard;
        tell(g, &event);
    }
    return true;
}

static void link_evidence(struct trial *trial, struct source *s, enum evidence_chain chain)
{
    if (!trial->evidence)
        return;
    trial->evidence->before[chain] = s->last;
    s->last = trial->evidence->id;
}

/* Whether the account ever worked here; where it matters, one more stranger. What names callers, as a switch that sends
 * calls does, is no account. */
static void know_account(struct guard *g, struct trial *trial, bool proved)
{
    const struct home *home = home_of(g, &trial->host);
    enum outcome outcome = trial->attempt.outcome;
    uint32_t t = trial->at.t, carries = home_carries(home, trial->account, t);

    if (!home || !trial->account)
        return;
    trial->own = carries < home_carries(home, 0, t) ||
                 known_good_find(&g->good, trial->account, &trial->home, trial->at.day);
    if (trial->own || !proved ||
        (outcome != OUTCOME_WRONG_CREDENTIALS && outcome != OUTCOME_UNKNOWN_ACCOUNT) ||
        (!home_is_good(home, trial->at.day) && carries < g->limits.office))
        return;
    trial->strays = strays_add(&g->strays, &g->keys, &trial->home, trial->observed, trial->account,
                               t, g->strangers.window);
}

static void note_near(struct guard *g, const struct trial *trial, const struct source *s)
{
    if (!trial->observed && source_is_near(s, &g->limits, trial->at.t))
        g->near_ns = trial->attempt.at.boot_ns;
}

static void proved_failure(struct guard *g, struct trial *trial)
{
    bool noise = outcome_is_noise(trial->attempt.outcome);
    int levels = trial->host.family == 4 || keys_shares(&trial->attempt.source) ? 1 : LEVELS;
    struct source *at[LEVELS];
    struct excess excess;

    for (int i = 0; i < levels; i++) {
        struct network net = keys_around(&trial->attempt.source, level_bits(trial->host.family, i));

        at[i] = sources_take(&g->proved, &net, trial->observed, trial->at.t);
        if (!at[i]) {
            tell_pressure(g);
            continue;
        }
        source_add(at[i], &g->limits, trial->at.t, trial->attempt.witness, noise, trial->account);
        link_evidence(trial, at[i], (enum evidence_chain)i);
    }
    for (int i = 0; i < levels; i++) /* a wider one may have taken its place */
        if (at[i] && at[i]->bits != level_bits(trial->host.family, i))
            at[i] = NULL;
    if (at[0] && trial->account && trial->attempt.outcome == OUTCOME_WRONG_CREDENTIALS) {
        const struct home *home = home_of(g, &trial->host);

        if (home_is_good(home, trial->at.day) || is_office(g, trial, at[0], home))
            count_pair(g, trial, at[0]);
    }
    for (int i = levels - 1; i >= 0; i--)
        if (at[i] && source_excess(at[i], &g->limits, trial->at.t, &excess) &&
            decide(g, trial, at[i], &excess, i == 0))
            return;
    for (int i = 0; i < levels; i++)
        if (at[i])
            note_near(g, trial, at[i]);
}

/* ---- unproved ---- */

static void quench_source(struct guard *g, struct trial *trial, struct source *s,
                          const struct excess *excess)
{
    uint64_t ids[GUARD_EVENT_IDS];
    struct why why;

    if (exempts_of(&g->exempts, &trial->host) != EXEMPT_NONE ||
        home_is_good(home_of(g, &trial->host), trial->at.day))
        return;
    why = why_of(g, trial, s, excess, ids);
    if (impose(g, trial, &trial->host, true, &why))
        start_over(s, excess);
}

static void unproved_failure(struct guard *g, struct trial *trial)
{
    struct source *s = sources_take(&g->unproved, &trial->host, trial->observed, trial->at.t);
    bool guess = attempt_is_guess(&trial->attempt);
    struct excess excess;

    if (!s) {
        tell_pressure(g);
        return;
    }
    source_add(s, &g->limits, trial->at.t, trial->attempt.witness, !guess, trial->account);
    link_evidence(trial, s, CHAIN_SOURCE);
    note_near(g, trial, s);
    if (!source_excess(s, &g->limits, trial->at.t, &excess))
        return;
    /* One wrong password in a phone must not take an office from the network all day. */
    if (excess.day && (!guess || is_office(g, trial, s, home_of(g, &trial->host))))
        return;
    quench_source(g, trial, s, &excess);
}

/* ---- */

/* OPTIONS from where a phone is registered are its keep-alive. */
static bool is_keep_alive(const struct guard *g, const struct trial *trial)
{
    return trial->attempt.outcome == OUTCOME_PROBE && trial->attempt.method == METHOD_OPTIONS &&
           home_carries(home_of(g, &trial->host), 0, trial->at.t) > 0;
}

void judge_source_failure(struct guard *g, struct trial *trial)
{
    bool proved = trial->attempt.proof == PROOF_PROVED;

    if (!trial->host.family || trial->attempt.proof == PROOF_ELSEWHERE || is_keep_alive(g, trial))
        return;
    if (heard_though_banned(g, trial, !proved))
        return;
    know_account(g, trial, proved);
    if (proved)
        proved_failure(g, trial);
    else
        unproved_failure(g, trial);
}

/* Names that are asked for and never got: phones answer within seconds, who looks for accounts does not. */
void judge_source_challenge(struct guard *g, struct trial *trial)
{
    bool proved = trial->attempt.proof == PROOF_PROVED;
    const struct limit *limit = &g->limits.names;
    const struct home *home;
    struct excess excess = {.limit = limit, .witness = trial->attempt.witness};
    struct source *s;

    if (!trial->host.family || !trial->account || trial->attempt.proof == PROOF_ELSEWHERE)
        return;
    home = home_of(g, &trial->host);
    if (home_is_good(home, trial->at.day) || home_carries(home, 0, trial->at.t) >= g->limits.office)
        return;
    if (heard_though_banned(g, trial, !proved))
        return;
    s = sources_take(proved ? &g->proved : &g->unproved, &trial->host, trial->observed,
                     trial->at.t);
    if (!s)
        return;
    source_asked(s, &g->limits, trial->at.t, trial->account);
    link_evidence(trial, s, CHAIN_SOURCE);
    excess.count = source_names(s, &g->limits, trial->at.t);
    if (excess.count < limit->count)
        return;
    if (proved)
        decide(g, trial, s, &excess, true);
    else
        quench_source(g, trial, s, &excess);
}

/* Nobody has an account that is a canary: one proved touch is enough. */
void judge_canary(struct guard *g, struct trial *trial)
{
    uint64_t key = keys_join(&g->keys, trial->account, keys_network(&g->keys, &trial->host, 'c'));
    struct why why = {.attack = ATTACK_CANARY,
                      .excess = {.count = 1, .witness = trial->attempt.witness},
                      .ids = trial->evidence ? &trial->evidence->id : NULL,
                      .n_ids = trial->evidence != NULL};
    struct guard_event event = event_of(trial, GUARD_CANARY, &why);

    if (heard_though_banned(g, trial, false))
        return;
    if (notice_due(g, key, GUARD_CANARY, HOUR))
        tell(g, &event);
    if (exempts_of(&g->exempts, &trial->host) == EXEMPT_NONE)
        impose(g, trial, &trial->host, false, &why);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/guard.h"

#include <stdlib.h>

#include "guard/guard_impl.h"

/* ---- memory ---- */

static size_t share(const struct guard *g, unsigned percent)
{
    return (size_t)g->limits.memory_mib * (1024 * 1024 / 100) * percent;
}

/* Of 100. A table of strangers has two rows of a byte a cell. */
static int make_tables(struct guard *g)
{
    size_t strangers = share(g, 1) / 2;
    int err = table_init(&g->proved.table, share(g, 22), sizeof(struct source),
                         (uint32_t)(3 * strangers));

    if (!err)
        err = table_init(&g->unproved.table, share(g, 10), sizeof(struct source),
                         (uint32_t)(2 * strangers));
    if (!err)
        err = table_init(&g->subjects.table, share(g, 10), sizeof(struct subject),
                         (uint32_t)strangers);
    if (!err)
        err = homes_init(&g->homes, share(g, 10));
    if (!err)
        err = known_good_init(&g->good, share(g, 18), &g->limits, &g->keys, &g->homes);
    if (!err)
        err = bans_init(&g->bans, share(g, 15));
    if (!err)
        err = evidence_init(&g->evidence, share(g, 5));
    if (!err)
        err = recent_init(&g->notices, share(g, 1));
    if (!err)
        err = recent_init(&g->pairs, share(g, 1));
    if (!err)
        err = strays_init(&g->strays, share(g, 1) / 2);
    if (!err)
        err = recent_init(&g->vouched, share(g, 1) / 2);
    if (!err)
        err = recent_init(&g->seen, share(g, 1));
    return err;
}

static size_t memory(const struct guard *g)
{
    return sizeof(*g) + table_bytes(&g->proved.table) + table_bytes(&g->unproved.table) +
           table_bytes(&g->subjects.table) + table_bytes(&g->homes) + known_good_bytes(&g->good) +
           bans_bytes(&g->bans) + 2 * (size_t)g->evidence.slots * sizeof(struct evidence) +
           table_bytes(&g->notices) + table_bytes(&g->pairs) + table_bytes(&g->strays) +
           table_bytes(&g->vouched) + table_bytes(&g->seen);
}

/* Accounts that never worked there, to one that an enumeration has: a gateway of 32 ports with wrong passwords must not
 * take its office from the network. */
#define STRANGERS 3

int guard_new(struct guard **out, const struct guard_limits *limits,
              const uint8_t key[GUARD_KEY_BYTES], struct instant now, guard_event_fn *events,
              void *context, struct fault *f)
{
    int err = guard_limits_check(limits, f);
    struct guard *g;

    if (err)
        return err;
    g = calloc(1, sizeof(*g));
    if (!g)
        return fault_nomem(f);
    g->limits = *limits;
    g->strangers = (struct limit){STRANGERS * limits->names.count, limits->source_day.window};
    g->events = events;
    g->context = context;
    keys_init(&g->keys, key);
    g->proved = (struct sources){.limits = &g->limits, .keys = &g->keys, .proved = true};
    g->unproved = (struct sources){.limits = &g->limits, .keys = &g->keys};
    g->subjects = (struct subjects){.limits = &g->limits,
                                    .keys = &g->keys,
                                    .due = UINT32_MAX,
                                    .leaving = subject_leaves,
                                    .context = g};
    if (make_tables(g) != 0) {
        guard_free(g);
        return fault_nomem(f);
    }
    clock_begin(g, now);
    evidence_number_from(&g->evidence, instant_wall_s(now));
    g->figures.memory = memory(g);
    *out = g;
    return 0;
}

void guard_prepare(struct guard *g)
{
    struct table *const tables[] = {&g->proved.table, &g->unproved.table, &g->subjects.table,
                                    &g->homes,        &g->notices,        &g->pairs,
                                    &g->strays,       &g->vouched,        &g->seen};

    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
        table_present(tables[i]);
    known_good_present(&g->good);
    bans_present(&g->bans);
    evidence_present(&g->evidence);
}

void guard_free(struct guard *g)
{
    if (!g)
        return;
    table_free(&g->proved.table);
    table_free(&g->unproved.table);
    table_free(&g->subjects.table);
    table_free(&g->homes);
    known_good_free(&g->good);
    bans_free(&g->bans);
    evidence_free(&g->evidence);
    table_free(&g->notices);
    table_free(&g->pairs);
    table_free(&g->strays);
    table_free(&g->vouched);
    table_free(&g->seen);
    free(g);
}

/* ---- attempts ---- */

static bool is_observed(const struct guard *g, int64_t switch_id)
{
    size_t from = 0, to = g->n_switches;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (g->switches[middle].id == switch_id)
            return g->switches[middle].mode == GUARD_OBSERVE;
        if (g->switches[middle].id < switch_id)
            from = middle + 1;
        else
            to = middle;
    }
    return true;
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static bool is_canary(const struct guard *g, uint64_t account)
{
    return account && g->n_canaries &&
           bsearch(&account, g->canaries, g->n_canaries, sizeof(account), compare_keys);
}

/* The same credentials from the same source, seen by the same witness a moment ago. */
#define RETRANSMIT_S 32 /* RFC 3261: 64 * T1 */
static bool is_retransmit(struct guard *g, const struct trial *trial)
{
    const struct attempt *a = &trial->attempt;
    uint64_t key;
    struct recent *r;

    if (!a->credentials || !trial->host.family || !outcome_is_failure(a->outcome))
        return false;
    /* What was wrong with its form says nothing of the password. */
    key =
        keys_join(&g->keys, a->credentials ^ (uint64_t)a->switch_id << 8,
                  keys_network(&g->keys, &trial->host,
                               (uint8_t)((outcome_is_noise(a->outcome) ? 'a' : 'A') + a->witness)));
    r = recent_find(&g->seen, key, trial->at.t);
    if (r && r->n[0] < ATTEMPT_RETRANSMITS) {
        r->n[0]++;
        g->figures.retransmits++;
        return true;
    }
    recent_begin(&g->seen, key, trial->at.t, RETRANSMIT_S);
    return false;
}

static bool is_weak(enum witness witness)
{
    return witness == WITNESS_AMI || witness == WITNESS_LOG;
}

static uint64_t vouch_key(const struct guard *g, int64_t switch_id, const struct network *host)
{
    return keys_join(&g->keys, (uint64_t)switch_id, keys_network(&g->keys, host, 'v'));
}

static void vouch(struct guard *g, int64_t switch_id, const struct network *host, uint32_t t)
{
    uint64_t key = vouch_key(g, switch_id, host);
    struct recent *r = recent_find(&g->vouched, key, t);

    if (!r)
        r = recent_begin(&g->vouched, key, t, GUARD_VOUCH_S);
    r->until = t + GUARD_VOUCH_S;
    for (int i = 0; i < WITNESSES; i++)
        r->n[i] += is_weak((enum witness)i) && r->n[i] < UINT8_MAX;
}

/* What a weak witness reports takes one of the proofs that wire or HEP gave. */
static void pair(struct guard *g, struct trial *trial)
{
    struct attempt *a = &trial->attempt;
    struct recent *r;

    if (!trial->host.family ||
        (a->outcome != OUTCOME_WRONG_CREDENTIALS && a->outcome != OUTCOME_UNKNOWN_ACCOUNT))
        return;
    if (!is_weak(a->witness)) {
        if (a->proof == PROOF_PROVED)
            vouch(g, a->switch_id, &trial->host, trial->at.t);
        return;
    }
    if (a->proof == PROOF_PROVED)
        return;
    r = recent_find(&g->vouched, vouch_key(g, a->switch_id, &trial->host), trial->at.t);
    if (r && r->n[a->witness]) {
        r->n[a->witness]--;
        a->proof = PROOF_PROVED;
        g->figures.paired++;
    }
}

/* What a banned source does says nothing new, nor what one that is never banned does without end; nor a phone
 * that is asked for its password. */
#define KEPT_MAX (2 * GUARD_EVENT_IDS)
static bool is_kept(const struct guard *g, const struct trial *trial)
{
    const struct attempt *a = &trial->attempt;
    const struct source *source;
    const struct ban *ban;

    if (a->outcome == OUTCOME_CHALLENGED && known_good_has(&g->good, trial->account, trial->at.day))
        return false;
    if (!trial->host.family)
        return true;
    ban = bans_covering(&g->bans, &g->keys, &trial->host, trial->observed, trial->at.t);
    if (ban && (!ban->quench || a->proof != PROOF_PROVED))
        return false;
    source = sources_find(a->proof == PROOF_PROVED ? &g->proved : &g->unproved, &trial->host,
                          trial->observed);
    return !source || counter_most(&source->guesses, trial->at.t,
                                   source_limits(&g->limits, source).guesses->window) < KEPT_MAX;
}

static void judge(struct guard *g, struct trial *trial)
{
    switch (trial->attempt.outcome) {
    case OUTCOME_SUCCESS: judge_success(g, trial); break;
    case OUTCOME_CHALLENGED: judge_source_challenge(g, trial); break;
    case OUTCOME_WRONG_CREDENTIALS:
    case OUTCOME_UNKNOWN_ACCOUNT:
    case OUTCOME_REFUSED_CALL:
    case OUTCOME_PROBE:
    case OUTCOME_MALFORMED:
    case OUTCOME_LISTED:
        judge_account_failure(g, trial);
        judge_source_failure(g, trial);
        break;
    }
}

void guard_attempt(struct guard *g, const struct attempt *attempt)
{
    struct trial trial = {.attempt = *attempt, .observed = is_observed(g, attempt->switch_id)};
    struct attempt *a = &trial.attempt;

    a->source = keys_unmapped(&attempt->source);
    clock_reach(g, attempt->at);
    trial.at = g->at;
    g->figures.attempts[a->witness][a->outcome]++;
    if (a->account.n)
        trial.account = keys_account(&g->keys, a->switch_id, a->account);
    trial.host = keys_host(&a->source);
    trial.home = keys_home(&a->source);
    if (!trial.host.family)
        a->proof = PROOF_NONE;
    if (is_retransmit(g, &trial))
        return;
    pair(g, &trial);
    if (is_kept(g, &trial) && a->outcome != OUTCOME_SUCCESS)
        trial.evidence = evidence_add(&g->evidence, a, trial.at.t);
    if (trial.host.family && a->proof == PROOF_PROVED && is_canary(g, trial.account))
        judge_canary(g, &trial);
    judge(g, &trial);
}

void guard_tick(struct guard *g, struct instant now)
{
    clock_reach(g, now);
}

void guard_vouch(struct guard *g, struct instant now, int64_t switch_id,
                 const struct address *source)
{
    struct address address = keys_unmapped(source);
    struct network host = keys_host(&address);

    clock_reach(g, now);
    if (host.family)
        vouch(g, switch_id, &host, g->at.t);
}

/* ---- questions ---- */

int64_t guard_near_ns(const struct guard *g)
{
    return g->near_ns;
}

bool guard_source_good(const struct guard *g, struct instant now, int64_t switch_id,
                       struct span account, const struct address *source)
{
    struct address address = keys_unmapped(source);
    struct network home = keys_home(&address);

    return account.n && known_good_is(&g->good, keys_account(&g->keys, switch_id, account), &home,
                                      clock_read(g, now).day);
}

enum guard_account_state guard_account_state(const struct guard *g, struct instant now,
                                             int64_t switch_id, struct span account,
                                             const struct address *source)
{
    struct moment at = clock_read(g, now);
    const struct subject *s = NULL;

    if (account.n)
        s = subjects_find(&g->subjects, keys_account(&g->keys, switch_id, account));
    if (!s || s->observed || !subject_locked(s, at.t))
        return GUARD_FREE;
    switch ((enum lock)s->lock) {
    case LOCK_NONE: return GUARD_FREE;
    case LOCK_OUT:
        return guard_source_good(g, now, switch_id, account, source) ? GUARD_FREE
                                                                     : GUARD_LOCKED_OUT;
    case LOCK_INTERNATIONAL:
    case LOCK_TAKEOVER: return GUARD_INTERNATIONAL_LOCKED;
    }
    return GUARD_INTERNATIONAL_LOCKED;
}

bool guard_address_good(const struct guard *g, struct instant now, const struct address *source)
{
    struct address address = keys_unmapped(source);
    struct network home = keys_home(&address);

    return home.family &&
           home_is_good(homes_find(&g->homes, &g->keys, &home), clock_read(g, now).day);
}

bool guard_pair_refused(const struct guard *g, struct instant now, int64_t switch_id,
                        struct span account, const struct address *source)
{
    struct address address = keys_unmapped(source);
    struct network home = keys_home(&address);

    return account.n &&
           pair_refused(g, keys_account(&g->keys, switch_id, account), &home, clock_read(g, now).t);
}

enum exempt guard_exempt(const struct guard *g, const struct network *network)
{
    return exempts_of(&g->exempts, network);
}

const struct guard_limits *guard_limits_in_use(const struct guard *g)
{
    return &g->limits;
}

const struct evidence *guard_evidence(const struct guard *g, uint64_t id)
{
    return evidence_get(&g->evidence, id);
}

void guard_figures(const struct guard *g, struct guard_figures *out)
{
    *out = g->figures;
    out->turned_away =
        g->proved.table.turned_away + g->unproved.table.turned_away + g->subjects.table.turned_away;
    out->pushed_out =
        g->proved.table.pushed_out + g->unproved.table.pushed_out + g->subjects.table.pushed_out;
    out->bans = g->bans.used - g->bans.quenches;
    out->quenches = g->bans.quenches;
}

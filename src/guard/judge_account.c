/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/guard_impl.h"

/*
 * What becomes of an account: the failures of all sources together lead to a lock; a success during that is either
 * its owner's, from where it always was, or a thief's.
 */

static bool exceeds(const struct counter *counter, const struct limit *limit, uint32_t t,
                    struct excess *out)
{
    for (int i = 0; i < WITNESSES; i++) {
        uint32_t count = counter_of(counter, t, limit->window, (enum witness)i);

        if (count >= limit->count) {
            *out = (struct excess){.limit = limit, .count = count, .witness = (enum witness)i};
            return true;
        }
    }
    return false;
}

static bool over_threshold(const struct guard *g, const struct subject *s, uint32_t t,
                           struct excess *out)
{
    if (exceeds(&s->recent, &g->limits.account, t, out))
        return true;
    out->day = exceeds(&s->day, &g->limits.account_day, t, out) ||
               exceeds(&s->week, &g->limits.account_week, t, out);
    return out->day;
}

static struct guard_event event_about(const struct subject *s, enum guard_event_kind kind)
{
    return (struct guard_event){.kind = kind,
                                .observed = s->observed,
                                .switch_id = s->switch_id,
                                .account = subject_name(s),
                                .threshold = s->threshold,
                                .count = s->count,
                                .window = s->window,
                                .level = s->level};
}

static uint32_t doubled(uint32_t length, uint32_t times, uint32_t most)
{
    while (times-- > 0 && length < most)
        length *= 2;
    return length < most ? length : most;
}

static void lock(struct guard *g, struct subject *s, bool observed, const struct excess *excess,
                 struct guard_event *event)
{
    struct network good[GUARD_GOOD_MAX];
    uint64_t ids[GUARD_EVENT_IDS];
    uint32_t t = g->at.t, length;
    uint32_t most = excess->count < GUARD_EVENT_IDS ? excess->count : GUARD_EVENT_IDS;

    event->n_good = known_good_list(&g->good, s->key, g->at.day, good);
    event->good = good;
    if (s->remembered <= t)
        s->level = 0;
    length = doubled(g->limits.lockout, s->level, g->limits.lockout_max);
    subject_lock(&g->subjects, s, event->n_good ? LOCK_OUT : LOCK_INTERNATIONAL, observed, t,
                 length);
    s->threshold = excess->limit->count;
    s->window = excess->limit->window;
    s->count = excess->count;
    event->kind = event->n_good ? GUARD_LOCKOUT : GUARD_INTERNATIONAL;
    event->attack = excess->day ? ATTACK_SLOW : ATTACK_BRUTE_FORCE;
    event->witness = excess->witness;
    event->threshold = s->threshold;
    event->window = s->window;
    event->count = s->count;
    event->level = s->level;
    event->seconds = length;
    event->attempts = ids;
    event->n_attempts =
        evidence_walk(&g->evidence, s->last, CHAIN_ACCOUNT, t - excess->limit->window, ids, most);
    s->level += s->level < UINT8_MAX;
    s->remembered = s->until + g->limits.lockout_max;
    tell(g, event);
}

void judge_account_failure(struct guard *g, struct trial *trial)
{
    const struct attempt *a = &trial->attempt;
    bool proved = a->proof == PROOF_PROVED, known;
    struct guard_event event = event_of(trial, GUARD_LOCKOUT, NULL);
    struct excess excess;
    struct subject *s;

    if (!trial->account || a->outcome != OUTCOME_WRONG_CREDENTIALS)
        return;
    /* Its owner mistypes, or a phone that is refused already: that locks nobody out. A forged address gets no
     * such trust. */
    if (proved && (known_good_is(&g->good, trial->account, &trial->home, trial->at.day) ||
                   pair_excused(g, trial->account, &trial->home, trial->at.t)))
        return;
    known = a->account_known || known_good_has(&g->good, trial->account, trial->at.day);
    s = subjects_take(&g->subjects, trial->account, a->switch_id, a->account, known, trial->at.t);
    if (!s) {
        tell_pressure(g);
        return;
    }
    subject_add(s, &g->limits, trial->at.t, a->witness, attempt_is_guess(a));
    if (trial->evidence) {
        trial->evidence->before[CHAIN_ACCOUNT] = s->last;
        s->last = trial->evidence->id;
    }
    if (subject_locked(s, trial->at.t) && (!s->observed || trial->observed))
        return;
    if (s->known && over_threshold(g, s, trial->at.t, &excess))
        lock(g, s, trial->observed, &excess, &event);
}

/* ---- successes ---- */

/* So many failures that a success may be a guess that was right. */
static bool besieged(const struct guard *g, const struct subject *s, uint32_t t,
                     struct limit *limit, uint32_t *count)
{
    *limit = (struct limit){g->limits.takeover, g->limits.account.window};
    *count = counter_most(&s->recent, t, limit->window);
    if (*count >= limit->count)
        return true;
    *limit = (struct limit){g->limits.takeover_week, g->limits.account_week.window};
    *count = counter_most(&s->week, t, limit->window);
    return *count >= limit->count;
}

static bool under_attack(const struct guard *g, const struct subject *s, uint32_t t)
{
    struct limit limit;
    uint32_t count;

    return s && (subject_locked(s, t) || besieged(g, s, t, &limit, &count));
}

/* Whether somebody may have got it right: forged packets alone make no takeover out of its owner's next success. */
static bool was_guessed_at(const struct guard *g, const struct subject *s, uint32_t t)
{
    return counter_most(&s->guesses, t, g->limits.account_week.window) >= g->limits.takeover;
}

static void revoke(struct guard *g, struct trial *trial)
{
    struct network good[GUARD_GOOD_MAX];
    size_t n = known_good_list(&g->good, trial->account, trial->at.day, good);
    struct guard_event event = event_of(trial, GUARD_NOT_GOOD, NULL);

    for (size_t i = 0; i < n; i++) {
        known_good_forget(&g->good, trial->account, &good[i]);
        event.network = good[i];
        tell(g, &event);
    }
}

static void take_over(struct guard *g, struct trial *trial, struct subject *s)
{
    uint64_t ids[GUARD_EVENT_IDS];
    struct why why = {.attack = ATTACK_BRUTE_FORCE, .ids = ids};
    struct guard_event event;
    struct limit limit;

    besieged(g, s, trial->at.t, &limit, &why.excess.count);
    why.excess.limit = &limit;
    why.excess.witness = trial->attempt.witness;
    trial->evidence = evidence_add(&g->evidence, &trial->attempt, trial->at.t);
    trial->evidence->before[CHAIN_ACCOUNT] = s->last;
    s->last = trial->evidence->id;
    why.n_ids = evidence_walk(&g->evidence, s->last, CHAIN_ACCOUNT, trial->at.t - limit.window, ids,
                              GUARD_EVENT_IDS);
    subject_lock(&g->subjects, s, LOCK_TAKEOVER, trial->observed, trial->at.t, 0);
    s->threshold = limit.count;
    s->window = limit.window;
    s->count = why.excess.count;
    s->known = true;
    event = event_of(trial, GUARD_TAKEOVER, &why);
    if (!trial->observed)
        revoke(g, trial);
    tell(g, &event);
}

static bool failed_here(const struct guard *g, const struct trial *trial)
{
    const struct source *proved = sources_find(&g->proved, &trial->host, trial->observed);
    const struct source *unproved = sources_find(&g->unproved, &trial->host, trial->observed);

    return (proved && source_failed(proved, &g->limits, trial->at.t, trial->account)) ||
           (unproved && source_failed(unproved, &g->limits, trial->at.t, trial->account));
}

static void answered(struct guard *g, const struct trial *trial)
{
    struct source *proved = sources_find(&g->proved, &trial->host, trial->observed);
    struct source *unproved = sources_find(&g->unproved, &trial->host, trial->observed);

    if (proved)
        source_answered(proved, trial->account);
    if (unproved)
        source_answered(unproved, trial->account);
}

static void settle_home(struct guard *g, struct trial *trial, enum success success, bool familiar)
{
    struct network net48 = keys_around(&trial->attempt.source, 48);
    struct guard_event event = event_of(trial, GUARD_GOOD, NULL);

    if (success == SUCCESS_CLEAN || familiar) {
        homes_carry(&g->homes, &g->keys, &trial->home, trial->account, trial->at.t);
        if (trial->home.family == 6)
            homes_carry(&g->homes, &g->keys, &net48, trial->account, trial->at.t);
    }
    event.network = trial->home;
    if (known_good_success(&g->good, trial->account, &trial->home, trial->at.day, success,
                           trial->at.t))
        tell(g, &event);
}

void judge_success(struct guard *g, struct trial *trial)
{
    struct subject *s = subjects_find(&g->subjects, trial->account);
    bool attacked, familiar, failed;
    enum success success = SUCCESS_CLEAN;

    if (!trial->account || !trial->host.family)
        return;
    answered(g, trial);
    if (exempts_of(&g->exempts, &trial->host) == EXEMPT_TRUNK)
        return; /* everybody behind a proxy has its address: it says nothing */
    attacked = under_attack(g, s, trial->at.t);
    familiar = trial->attempt.proof != PROOF_ELSEWHERE &&
               known_good_familiar(&g->good, trial->account, &trial->home, trial->at.day);
    failed = failed_here(g, trial);
    if (attacked && !familiar && was_guessed_at(g, s, trial->at.t)) {
        success = SUCCESS_TAINTED;
        if (s->lock != LOCK_TAKEOVER || (s->observed && !trial->observed))
            take_over(g, trial, s);
    } else if (failed) {
        success = SUCCESS_TAINTED;
    } else if (attacked) {
        success = SUCCESS_DOUBTFUL;
    }
    if (trial->attempt.proof != PROOF_ELSEWHERE && !trial->attempt.doubtful && trial->home.family)
        settle_home(g, trial, success, familiar);
}

/* ---- ends ---- */

void end_lock(struct guard *g, struct subject *s)
{
    struct guard_event event = event_about(s, GUARD_UNLOCK);

    s->lock = LOCK_NONE;
    tell(g, &event);
}

/* As many failures since the lock began as led to it. Those that led to it must not renew it where it is shorter than
 * the window. */
static bool goes_on(const struct guard *g, const struct subject *s, struct excess *out)
{
    const struct limit *limit = &g->limits.account;

    for (int i = 0; i < WITNESSES; i++) {
        enum witness witness = (enum witness)i;
        uint32_t count = counter_since(&s->recent, g->at.t, limit->window, witness, s->since);

        if (count >= limit->count) {
            *out = (struct excess){.limit = limit, .count = count, .witness = witness};
            return true;
        }
    }
    return false;
}

/* While the attack goes on there is no gap between two locks. */
static void end_or_renew(struct guard *g, struct subject *s)
{
    struct guard_event event = event_about(s, GUARD_LOCKOUT);
    struct excess excess = {0};

    if (goes_on(g, s, &excess))
        lock(g, s, s->observed, &excess, &event);
    else
        end_lock(g, s);
}

void end_locks_of(struct guard *g, int64_t switch_id)
{
    for (size_t i = 0; i < table_slots(&g->subjects.table); i++) {
        struct subject *s = table_at(&g->subjects.table, i);

        if (s && s->lock != LOCK_NONE && !s->observed && s->switch_id == switch_id)
            end_lock(g, s);
    }
}

void end_locks(struct guard *g)
{
    g->subjects.due = UINT32_MAX;
    for (size_t i = 0; i < table_slots(&g->subjects.table); i++) {
        struct subject *s = table_at(&g->subjects.table, i);

        if (!s || s->lock == LOCK_NONE)
            continue;
        if (!subject_locked(s, g->at.t))
            end_or_renew(g, s);
        if (s->lock != LOCK_NONE && s->until < g->subjects.due)
            g->subjects.due = s->until;
    }
}

/* Its lock goes with it, and everybody who acts on it must know. */
void subject_leaves(const struct subject *subject, void *guard)
{
    struct guard_event event = event_about(subject, GUARD_UNLOCK);

    if (subject->lock != LOCK_NONE)
        tell(guard, &event);
    tell_pressure(guard);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/guard_journal.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "store/attempt_tally.h"
#include "store/guard_batch.h"

#define NOTES_MAX 65536     /* changed bans, and as many locks and known good sources */
#define DECISIONS_MAX 16384 /* that wait */
#define COUNTED_MAX 32768   /* attempts of those */
#define BANS_AT_ONCE 16384  /* of one job: some 50 ms for who waits behind it */
#define DECISIONS_AT_ONCE 4096
#define ROWS_AT_ONCE 8192 /* of a walk */
#define TALLY_S 5
#define SWEEP_S 300

/* Things of one size, first in, first out by hand. */
struct list {
    void *at;
    size_t n, cap, size, max;
};

struct ban_note {
    struct network network;
    bool observed;
};

struct lock_note {
    int64_t switch_id;
    char name[ACCOUNT_NAME_MAX];
    uint8_t name_n;
};

enum walk { WALK_NONE, WALK_BANS, WALK_LOCKS, WALK_PAIRS, WALK_COUNTS };
enum flight { GROUNDED, FLYING, LANDED, CRASHED };

struct guard_journal {
    struct keys keys;
    struct list bans, locks, goods, decisions;
    size_t counted;                        /* attempts of the waiting decisions */
    struct attempt_tally *tally, *written; /* gathering; of the batch */
    bool all; /* more changed than could be noted: walk through bans and locks */
    enum walk walk;
    size_t cursor;
    int64_t sweep, swept_ns, tallied_ns;
    bool walked_bans; /* this walk began with them */
    struct guard_batch batch;
    struct guard_journal_figures figures;

    /* The store's thread ends a flight. */
    pthread_mutex_t mutex;
    pthread_cond_t landed;
    enum flight flight;
    struct fault fault;
};

/* ---- lists ---------------------------------------------------------------------------------- */

static void *list_add(struct list *l)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 64;
        void *at = l->n < l->max ? realloc(l->at, cap * l->size) : NULL;

        if (!at)
            return NULL;
        l->at = at;
        l->cap = cap;
    }
    void *item = (char *)l->at + l->n++ * l->size;
    memset(item, 0, l->size);
    return item;
}

/* Moves the first of them, at most `most`, into memory of their own; none when there is no memory. */
static void *list_take(struct list *l, size_t most, size_t *n)
{
    size_t take = l->n < most ? l->n : most;
    void *out = take ? malloc(take * l->size) : NULL;

    *n = out ? take : 0;
    if (!out)
        return NULL;
    memcpy(out, l->at, take * l->size);
    memmove(l->at, (char *)l->at + take * l->size, (l->n - take) * l->size);
    l->n -= take;
    if (!l->n && l->cap > 1024) { /* a flood is over */
        free(l->at);
        l->at = NULL;
        l->cap = 0;
    }
    return out;
}

/* ---- making --------------------------------------------------------------------------------- */

int guard_journal_new(struct guard_journal **out, const uint8_t key[GUARD_KEY_BYTES],
                      struct fault *f)
{
    struct guard_journal *j = calloc(1, sizeof(*j));
    pthread_condattr_t monotonic;
    int err = 0;

    if (!j)
        return fault_nomem(f);
    keys_init(&j->keys, key);
    pthread_mutex_init(&j->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&j->landed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    j->bans = (struct list){.size = sizeof(struct ban_note), .max = NOTES_MAX};
    j->locks = (struct list){.size = sizeof(struct lock_note), .max = NOTES_MAX};
    j->goods = (struct list){.size = sizeof(struct batch_good), .max = NOTES_MAX};
    j->decisions = (struct list){.size = sizeof(struct batch_decision), .max = DECISIONS_MAX};
    j->all = true; /* what ended while the daemon was down is still written */
    err = attempt_tally_new(&j->tally, j->keys.address, f);
    if (!err)
        err = attempt_tally_new(&j->written, j->keys.address, f);
    if (err)
        guard_journal_free(j);
    else
        *out = j;
    return err;
}

static void free_decisions(struct batch_decision *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(at[i].counted);
    free(at);
}

static void batch_clear(struct guard_batch *b)
{
    free(b->bans);
    free(b->locks);
    free(b->goods);
    free_decisions(b->decisions, b->n_decisions);
    free(b->pairs);
    free(b->counts);
    *b = (struct guard_batch){0};
}

void guard_journal_free(struct guard_journal *j)
{
    if (!j)
        return;
    batch_clear(&j->batch);
    free(j->bans.at);
    free(j->locks.at);
    free(j->goods.at);
    free_decisions(j->decisions.at, j->decisions.n);
    attempt_tally_free(j->tally);
    attempt_tally_free(j->written);
    pthread_cond_destroy(&j->landed);
    pthread_mutex_destroy(&j->mutex);
    free(j);
}

/* ---- gathering ------------------------------------------------------------------------------ */

static uint8_t copy_name(char out[ACCOUNT_NAME_MAX], struct span name)
{
    size_t n = name.n < ACCOUNT_NAME_MAX ? name.n : ACCOUNT_NAME_MAX;

    for (size_t i = 0; i < n; i++)
        out[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] + 'a' - 'A') : name.p[i];
    return (uint8_t)n;
}

static void note_ban(struct guard_journal *j, const struct guard_event *e)
{
    struct ban_note *note = list_add(&j->bans);

    if (note)
        *note = (struct ban_note){e->network, e->observed};
    else
        j->all = true;
}

static void note_lock(struct guard_journal *j, const struct guard_event *e)
{
    struct lock_note *note = list_add(&j->locks);

    if (!note) {
        j->all = true;
        return;
    }
    note->switch_id = e->switch_id;
    note->name_n = copy_name(note->name, e->account);
}

static void note_good(struct guard_journal *j, const struct guard_event *e)
{
    struct batch_good *note = e->observed ? NULL : list_add(&j->goods);

    if (!note)
        return;
    note->account = keys_account(&j->keys, e->switch_id, e->account);
    note->switch_id = e->switch_id;
    note->at_ms = e->at.wall_ms;
    note->network = e->network;
    note->name_n = copy_name(note->name, e->account);
    note->good = e->kind == GUARD_GOOD;
}

static void copy_counted(struct guard_journal *j, const struct guard *guard,
                         const struct guard_event *e, struct batch_decision *d)
{
    size_t n = e->n_attempts < GUARD_EVENT_IDS ? e->n_attempts : GUARD_EVENT_IDS;

    if (!n)
        return;
    if (j->counted + n <= COUNTED_MAX)
        d->counted = malloc(n * sizeof(*d->counted));
    if (!d->counted) {
        j->figures.dropped_evidence += n;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const struct evidence *kept = guard_evidence(guard, e->attempts[i]);
        if (kept)
            d->counted[d->n_counted++] = *kept;
    }
    j->counted += d->n_counted;
}

static void note_decision(struct guard_journal *j, const struct guard *guard,
                          const struct guard_event *e)
{
    struct batch_decision *d = list_add(&j->decisions);

    if (!d) {
        j->figures.dropped_decisions++;
        return;
    }
    j->figures.decisions++;
    d->event = *e;
    d->account_n = copy_name(d->account, e->account);
    for (size_t i = 0; i < e->n_good && i < GUARD_GOOD_MAX; i++)
        d->good[d->n_good++] = e->good[i];
    copy_counted(j, guard, e, d);
    d->event.account = (struct span){NULL, 0};
    d->event.attempts = NULL;
    d->event.good = NULL;
}

void guard_journal_event(struct guard_journal *j, const struct guard *guard,
                         const struct guard_event *e)
{
    switch (e->kind) {
    case GUARD_BAN:
    case GUARD_QUENCH:
    case GUARD_UNBAN: note_ban(j, e); break;
    case GUARD_LOCKOUT:
    case GUARD_INTERNATIONAL:
    case GUARD_TAKEOVER:
    case GUARD_UNLOCK: note_lock(j, e); break;
    case GUARD_GOOD:
    case GUARD_NOT_GOOD: note_good(j, e); break;
    case GUARD_PAIR_REFUSED:
    case GUARD_WRONG_PASSWORD:
    case GUARD_ENUMERATION:
    case GUARD_EXEMPT_ATTACKS:
    case GUARD_CANARY:
    case GUARD_STILL_ANSWERED:
    case GUARD_PRESSURE: break;
    }
    note_decision(j, guard, e);
}

void guard_journal_attempt(struct guard_journal *j, const struct attempt *attempt)
{
    j->figures.attempts++;
    if (!attempt_tally_add(j->tally, attempt))
        j->figures.merged_attempts++;
}

/* ---- one batch ------------------------------------------------------------------------------ */

static void look_at_bans(struct guard_journal *j, const struct guard *guard, struct instant now)
{
    size_t n;
    struct ban_note *notes = list_take(&j->bans, BANS_AT_ONCE, &n);
    struct guard_batch *b = &j->batch;

    if (n)
        b->bans = calloc(n, sizeof(*b->bans));
    for (size_t i = 0; b->bans && i < n; i++) {
        struct batch_ban *one = &b->bans[b->n_bans++];
        one->gone = !guard_find_ban(guard, now, &notes[i].network, notes[i].observed, &one->ban);
        one->ban.network = notes[i].network;
        one->ban.observed = notes[i].observed;
    }
    j->all = j->all || b->n_bans < n;
    free(notes);
}

static void look_at_locks(struct guard_journal *j, const struct guard *guard, struct instant now)
{
    size_t n;
    struct lock_note *notes = list_take(&j->locks, BANS_AT_ONCE, &n);
    struct guard_batch *b = &j->batch;

    if (n)
        b->locks = calloc(n, sizeof(*b->locks));
    for (size_t i = 0; b->locks && i < n; i++) {
        struct batch_lock *one = &b->locks[b->n_locks++];
        struct span name = {notes[i].name, notes[i].name_n};

        one->gone = !guard_find_lock(guard, now, notes[i].switch_id, name, &one->lock);
        one->lock.switch_id = notes[i].switch_id;
        one->lock.name_n = notes[i].name_n;
        memcpy(one->lock.name, notes[i].name, sizeof(one->lock.name));
    }
    j->all = j->all || b->n_locks < n;
    free(notes);
}

static void take_decisions(struct guard_journal *j)
{
    struct guard_batch *b = &j->batch;

    b->decisions = list_take(&j->decisions, DECISIONS_AT_ONCE, &b->n_decisions);
    for (size_t i = 0; i < b->n_decisions; i++)
        j->counted -= b->decisions[i].n_counted;
}

static void take_tally(struct guard_journal *j, struct instant now)
{
    struct attempt_tally *full = j->tally;

    if (j->tallied_ns && now.boot_ns - j->tallied_ns < TALLY_S * (int64_t)1000000000)
        return;
    j->tallied_ns = now.boot_ns;
    j->tally = j->written;
    j->written = full;
    attempt_tally_clear(j->tally);
    j->batch.attempts = attempt_tally_rows(full, &j->batch.n_attempts);
}

/* ---- a walk through the guard's tables ------------------------------------------------------ */

static void begin_walk(struct guard_journal *j, struct instant now)
{
    bool due = !j->swept_ns || now.boot_ns - j->swept_ns >= SWEEP_S * (int64_t)1000000000;

    if (j->walk != WALK_NONE || (!due && !j->all))
        return;
    j->walked_bans = j->all;
    j->walk = j->all ? WALK_BANS : WALK_PAIRS;
    j->all = false;
    j->cursor = 0;
    j->swept_ns = now.boot_ns;
    /* Another number than every walk's before it. */
    j->sweep = now.wall_ms > j->sweep ? now.wall_ms : j->sweep + 1;
}

static bool walk_bans(struct guard_journal *j, const struct guard *guard, struct instant now)
{
    struct guard_batch *b = &j->batch;
    struct batch_ban *more = realloc(b->bans, (b->n_bans + ROWS_AT_ONCE) * sizeof(*more));

    if (!more)
        return false;
    b->bans = more;
    for (size_t i = 0; i < ROWS_AT_ONCE; i++) {
        struct batch_ban *one = &more[b->n_bans];
        one->gone = false;
        if (!guard_next_ban(guard, now, &j->cursor, &one->ban))
            return true;
        b->n_bans++;
    }
    return false;
}

static bool walk_locks(struct guard_journal *j, const struct guard *guard, struct instant now)
{
    struct guard_batch *b = &j->batch;
    struct batch_lock *more = realloc(b->locks, (b->n_locks + ROWS_AT_ONCE) * sizeof(*more));

    if (!more)
        return false;
    b->locks = more;
    for (size_t i = 0; i < ROWS_AT_ONCE; i++) {
        struct batch_lock *one = &more[b->n_locks];
        one->gone = false;
        if (!guard_next_lock(guard, now, &j->cursor, &one->lock))
            return true;
        b->n_locks++;
    }
    return false;
}

static bool walk_pairs(struct guard_journal *j, const struct guard *guard, struct instant now)
{
    struct guard_batch *b = &j->batch;

    b->pairs = malloc(ROWS_AT_ONCE * sizeof(*b->pairs));
    while (b->pairs && b->n_pairs < ROWS_AT_ONCE) {
        if (!guard_next_pair(guard, now, &j->cursor, &b->pairs[b->n_pairs]))
            return true;
        b->n_pairs++;
    }
    return false;
}

static bool walk_counts(struct guard_journal *j, const struct guard *guard, struct instant now)
{
    struct guard_batch *b = &j->batch;

    b->counts = malloc(ROWS_AT_ONCE * sizeof(*b->counts));
    while (b->counts && b->n_counts < ROWS_AT_ONCE) {
        if (!guard_next_count(guard, now, &j->cursor, &b->counts[b->n_counts]))
            return true;
        b->n_counts++;
    }
    return false;
}

static void walk_on(struct guard_journal *j, const struct guard *guard, struct instant now)
{
    bool over = false;

    switch (j->walk) {
    case WALK_NONE: return;
    case WALK_BANS: over = walk_bans(j, guard, now); break;
    case WALK_LOCKS: over = walk_locks(j, guard, now); break;
    case WALK_PAIRS: over = walk_pairs(j, guard, now); break;
    case WALK_COUNTS: over = walk_counts(j, guard, now); break;
    }
    if (!over)
        return;
    j->cursor = 0;
    j->walk = j->walk == WALK_COUNTS ? WALK_NONE : j->walk + 1;
    j->batch.sweep_ends = j->walk == WALK_NONE;
    j->batch.swept_bans = j->batch.sweep_ends && j->walked_bans;
}

/* ---- to the store --------------------------------------------------------------------------- */

static void land(void *arg, int code, const struct fault *f)
{
    struct guard_journal *j = arg;

    pthread_mutex_lock(&j->mutex);
    j->flight = code ? CRASHED : LANDED;
    if (code)
        j->fault = *f;
    pthread_cond_broadcast(&j->landed);
    pthread_mutex_unlock(&j->mutex);
}

static enum flight flight(struct guard_journal *j)
{
    pthread_mutex_lock(&j->mutex);
    enum flight now = j->flight;
    pthread_mutex_unlock(&j->mutex);
    return now;
}

bool guard_journal_urgent(struct guard_journal *j)
{
    if (!j->bans.n && !j->locks.n)
        return false;
    enum flight now = flight(j);

    return now == GROUNDED || now == LANDED;
}

static void depart(struct guard_journal *j, struct store *store)
{
    struct fault f = {0};

    pthread_mutex_lock(&j->mutex);
    j->flight = FLYING;
    pthread_mutex_unlock(&j->mutex);
    int err = store_evidence(store, guard_batch_write, &j->batch, land, j, &f);
    if (err)
        land(j, err, &f);
}

static bool is_empty(const struct guard_batch *b)
{
    return !b->n_bans && !b->n_locks && !b->n_goods && !b->n_decisions && !b->n_pairs &&
           !b->n_counts && !b->n_attempts && !b->sweep_ends;
}

void guard_journal_flush(struct guard_journal *j, const struct guard *guard, struct instant now,
                         struct store *store)
{
    switch (flight(j)) {
    case FLYING: return;
    case CRASHED: /* the same again: it is in order with what comes behind it */
        j->figures.failed++;
        depart(j, store);
        return;
    case LANDED:
        if (j->batch.sweep_ends)
            j->figures.saved_ms = now.wall_ms;
        j->figures.flushes++;
        batch_clear(&j->batch);
        j->flight = GROUNDED;
        break;
    case GROUNDED: break;
    }
    begin_walk(j, now);
    look_at_bans(j, guard, now);
    look_at_locks(j, guard, now);
    j->batch.goods = list_take(&j->goods, BANS_AT_ONCE, &j->batch.n_goods);
    take_decisions(j);
    take_tally(j, now);
    walk_on(j, guard, now);
    j->batch.sweep = j->sweep;
    if (!is_empty(&j->batch))
        depart(j, store);
    else
        batch_clear(&j->batch);
}

static bool is_past(const struct timespec *until)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > until->tv_sec;
}

/* False: it took too long. */
static bool wait_landed(struct guard_journal *j, const struct timespec *until)
{
    bool in_time = true;

    pthread_mutex_lock(&j->mutex);
    while (in_time && j->flight == FLYING)
        in_time = pthread_cond_timedwait(&j->landed, &j->mutex, until) == 0;
    in_time = j->flight != FLYING;
    pthread_mutex_unlock(&j->mutex);
    return in_time;
}

int guard_journal_finish(struct guard_journal *j, const struct guard *guard, struct instant now,
                         struct store *store, unsigned wait_ms, struct fault *f)
{
    struct timespec until;
    bool again = true;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    if (!wait_landed(j, &until))
        return fault(f, ERR_TIMEOUT, "what the guard knows could not be written in time");
    j->tallied_ns = 0; /* everything is due */
    do {
        if (j->walk == WALK_NONE && again) {
            j->swept_ns = 0;
            again = false;
        }
        guard_journal_flush(j, guard, now, store);
        if (!wait_landed(j, &until))
            return fault(f, ERR_TIMEOUT, "what the guard knows could not be written in time");
        if (flight(j) == CRASHED) {
            *f = j->fault;
            return j->fault.code;
        }
        if (is_past(&until))
            return fault(f, ERR_TIMEOUT, "what the guard knows could not be written in time");
    } while (again || j->walk != WALK_NONE || j->decisions.n || j->bans.n || j->locks.n ||
             j->goods.n);
    guard_journal_flush(j, guard, now, store); /* notes that it landed; finds nothing more */
    wait_landed(j, &until);
    return 0;
}

void guard_journal_figures(const struct guard_journal *j, struct guard_journal_figures *out)
{
    *out = j->figures;
}

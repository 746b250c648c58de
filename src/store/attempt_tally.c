/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/attempt_tally.h"

#include <sodium.h>
#include <stdlib.h>

#define USER_AGENT_MAX 80
#define ROWS 4096
/* Rows kept for sources alone, and for sums without a source. */
#define FOR_SOURCES 512
#define FOR_SUMS 512
#define SLOTS 8192 /* a power of two, at least twice the rows */
#define LAST (WITNESSES * OUTCOMES * PROOFS)

enum { TELL_ALL, TELL_SOURCE, TELL_SUM };

struct key {
    int64_t sw;
    struct network source;
    uint8_t witness, outcome, proof, tell;
    uint8_t account_n, user_agent_n;
    char account[ACCOUNT_NAME_MAX], user_agent[USER_AGENT_MAX];
};

struct attempt_tally {
    uint8_t hash_key[TALLY_KEY_BYTES];
    size_t n, sums,
        loose; /* rows in use; of those without a source, and with one that is not proved */
    struct key keys[ROWS]; /* of the rows */
    uint16_t slots[SLOTS]; /* row + 1; 0 is free */
    struct store_attempts rows[ROWS + LAST];
    struct store_attempts last[LAST]; /* without a switch */
};

_Static_assert(crypto_shorthash_KEYBYTES == TALLY_KEY_BYTES, "the key of SipHash");

int attempt_tally_new(struct attempt_tally **out, const uint8_t key[TALLY_KEY_BYTES],
                      struct fault *f)
{
    struct attempt_tally *t = calloc(1, sizeof(*t));

    if (!t)
        return fault_nomem(f);
    memcpy(t->hash_key, key, sizeof(t->hash_key));
    *out = t;
    return 0;
}

void attempt_tally_free(struct attempt_tally *t)
{
    free(t);
}

static uint8_t copy(char *out, struct span in, size_t max, bool lower)
{
    size_t n = in.n < max ? in.n : max;

    for (size_t i = 0; i < n; i++) {
        char c = in.p[i];
        out[i] = lower && c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
    }
    return (uint8_t)n;
}

static void make_key(const struct attempt *a, struct key *k)
{
    memset(k, 0, sizeof(*k));
    k->sw = a->switch_id;
    k->witness = (uint8_t)a->witness;
    k->outcome = (uint8_t)a->outcome;
    k->proof = (uint8_t)a->proof;
    k->tell = outcome_is_failure(a->outcome) ? TELL_ALL : TELL_SUM;
    if (k->tell == TELL_SUM)
        return;
    k->source = keys_around(&a->source, a->source.family == 4 ? 32 : 64);
    k->account_n = copy(k->account, a->account, sizeof(k->account), true);
    k->user_agent_n = copy(k->user_agent, a->user_agent, sizeof(k->user_agent), false);
}

static void reduce(struct key *k)
{
    k->tell++;
    memset(k->account, 0, sizeof(k->account));
    memset(k->user_agent, 0, sizeof(k->user_agent));
    k->account_n = k->user_agent_n = 0;
    if (k->tell == TELL_SUM)
        k->source = (struct network){0};
}

/* The slot of the key, or the free one where it belongs. */
static uint16_t *find(struct attempt_tally *t, const struct key *k)
{
    uint8_t hash[crypto_shorthash_BYTES];
    uint64_t h;

    crypto_shorthash(hash, (const uint8_t *)k, sizeof(*k), t->hash_key);
    memcpy(&h, hash, sizeof(h));
    for (size_t i = h % SLOTS;; i = (i + 1) % SLOTS) {
        uint16_t row = t->slots[i];
        if (!row || memcmp(&t->keys[row - 1], k, sizeof(*k)) == 0)
            return &t->slots[i];
    }
}

static void count(struct store_attempts *row, int64_t wall_ms)
{
    if (!row->count++)
        row->first_ms = row->last_ms = wall_ms;
    if (wall_ms < row->first_ms)
        row->first_ms = wall_ms;
    if (wall_ms > row->last_ms)
        row->last_ms = wall_ms;
}

static bool has_room(const struct attempt_tally *t, const struct key *k)
{
    size_t of_sources = t->n - t->sums, most = ROWS - FOR_SUMS;

    if (k->tell == TELL_SUM)
        return t->sums < FOR_SUMS;
    if (k->tell == TELL_ALL)
        most -= FOR_SOURCES;
    return of_sources < most && (k->proof == PROOF_PROVED || t->loose < most / 2);
}

static struct store_attempts *take(struct attempt_tally *t, const struct key *k)
{
    uint16_t *slot = find(t, k);

    if (*slot)
        return &t->rows[*slot - 1];
    if (!has_room(t, k))
        return NULL;
    struct key *kept = &t->keys[t->n];
    struct store_attempts *row = &t->rows[t->n++];
    *slot = (uint16_t)t->n;
    t->sums += k->tell == TELL_SUM;
    t->loose += k->tell != TELL_SUM && k->proof != PROOF_PROVED;
    *kept = *k;
    *row = (struct store_attempts){
        .switch_id = k->sw,
        .witness = (enum witness)k->witness,
        .outcome = (enum outcome)k->outcome,
        .proof = (enum proof)k->proof,
        .source = k->source,
        .account = {kept->account, k->account_n},
        .user_agent = {kept->user_agent, k->user_agent_n},
    };
    return row;
}

bool attempt_tally_add(struct attempt_tally *t, const struct attempt *a)
{
    struct key k;

    make_key(a, &k);
    for (bool whole = true;; whole = false) {
        struct store_attempts *row = take(t, &k);
        if (row) {
            row->merged = row->merged || !whole;
            count(row, a->at.wall_ms);
            return whole;
        }
        if (k.tell == TELL_SUM)
            break;
        reduce(&k);
    }
    struct store_attempts *row =
        &t->last[((size_t)k.witness * OUTCOMES + k.outcome) * PROOFS + k.proof];
    row->witness = (enum witness)k.witness;
    row->outcome = (enum outcome)k.outcome;
    row->proof = (enum proof)k.proof;
    row->merged = true;
    count(row, a->at.wall_ms);
    return false;
}

const struct store_attempts *attempt_tally_rows(struct attempt_tally *t, size_t *n)
{
    *n = t->n;
    for (size_t i = 0; i < LAST; i++)
        if (t->last[i].count)
            t->rows[(*n)++] = t->last[i];
    return t->rows;
}

void attempt_tally_clear(struct attempt_tally *t)
{
    memset(t->slots, 0, sizeof(t->slots));
    memset(t->last, 0, sizeof(t->last));
    t->n = t->sums = t->loose = 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_RULESET_H
#define SEKISHO_POLICY_RULESET_H

#include "policy/rule.h"
#include "policy/schedule.h"

/*
 * The rules of one owner, immutable and interned: the same rules, in any order, are the same object,
 * however many accounts have them. NULL is the set without rules.
 *
 * A set is about 16 bytes and 11 for each rule (10 rules: two cache lines); a match is one binary
 * search and a walk to shorter prefixes. `mandatory` plays no part here: who has mandatory rules
 * interns them as a set of their own.
 */
struct ruleset;

/* Where sets are interned. For one thread (the writer); the sets themselves may be read by all. */
struct ruleset_pool;

#define RULESET_RULES_MAX 16384

/* `zones` (may be NULL) is borrowed and must outlive the pool. A rule whose schedule's zone cannot be
 * read is on the safe side always: a restriction in force, an exception not. `key` is random where
 * strangers can make rules (no one may choose what collides); copied. */
int ruleset_pool_new(struct ruleset_pool **out, struct zones *zones, const uint8_t key[16],
                     struct fault *f);

/* Frees the sets that are left too, referenced or not. */
void ruleset_pool_free(struct ruleset_pool *pool);

size_t ruleset_pool_count(const struct ruleset_pool *pool);

/*
 * Gives the set of these rules, with one reference for the caller. ERR_SYNTAX or ERR_RANGE where
 * rule_check() refuses one, ERR_EXISTS where two have the same action and prefix, ERR_FULL beyond
 * RULESET_RULES_MAX.
 */
int ruleset_intern(struct ruleset_pool *pool, const struct rule *rules, size_t n,
                   const struct ruleset **out, struct fault *f);

/* Both take NULL. The last unref frees the set at once: whoever has published it to readers calls it
 * only when none can see it any more. */
void ruleset_ref(const struct ruleset *set);
void ruleset_unref(struct ruleset_pool *pool, const struct ruleset *set);

size_t ruleset_count(const struct ruleset *set);

/* The memory that the set takes, without its schedules. */
size_t ruleset_bytes(const struct ruleset *set);

/* Rule `i` as its owner wrote it, in canonical order; spans live as long as the set, `prefix` is
 * written to `digits`. `mandatory` is false. */
struct rule ruleset_rule(const struct ruleset *set, size_t i, char digits[RULE_PREFIX_MAX + 1]);

/* Only the prefix of rule `i`. */
void ruleset_prefix(const struct ruleset *set, size_t i, char digits[RULE_PREFIX_MAX + 1]);

/* A string of [0-9*#+] as a key: its first 32 symbols, four bits each from the top, 0 behind the end,
 * so that keys sort as the strings do and a prefix has a prefix's bits. Any other byte ends it. */
struct ruleset_key {
    unsigned __int128 bits;
    unsigned length; /* in symbols, at most RULE_PREFIX_MAX */
};
struct ruleset_key ruleset_key(struct span digits);

/* Most of what is dialled matches no rule, and shows it by its second and third symbol (the first is a trunk
 * prefix nearly everywhere). They give a key its sign, one of 32 bits, and a set the signs of all keys
 * that a rule of it may match, whether in force or not. NULL has none. */
static inline uint32_t ruleset_sign(unsigned __int128 bits)
{
    return UINT32_C(1) << (((uint32_t)(bits >> 116) & 0xff) * UINT32_C(0x9e3779b1) >> 27);
}
uint32_t ruleset_signs(const struct ruleset *set);
/* The sign of the key that a string is. */
uint32_t ruleset_sign_of(const char *digits);

/* For readers who will ask soon: has the set brought near meanwhile. NULL is fine. */
void ruleset_prefetch(const struct ruleset *set);

/* When a question is asked. */
struct ruleset_moment {
    int64_t now;                  /* wall time, seconds */
    const struct holidays *extra; /* may be NULL */
};

struct ruleset_match {
    enum rule_action action;
    unsigned length; /* of the rule's prefix */
    uint32_t index;  /* of the rule: ruleset_rule(), ruleset_end() */
};

/* The longest rule in force whose prefix `key` begins with; of two equally long the restriction.
 * False where there is none (then `out` is untouched). */
bool ruleset_match(const struct ruleset *set, const struct ruleset_key *key,
                   const struct ruleset_moment *when, struct ruleset_match *out);

/* The same, as if the rule `index` were not there. */
bool ruleset_match_without(const struct ruleset *set, const struct ruleset_key *key, uint32_t index,
                           const struct ruleset_moment *when, struct ruleset_match *out);

/* The restriction in force with the smallest prefix strictly below `key` (it begins with the key and is
 * longer) for which `accept` (may be NULL) says true. */
typedef bool ruleset_accept_fn(void *arg, const struct ruleset_key *prefix);
bool ruleset_restricts_below(const struct ruleset *set, const struct ruleset_key *key,
                             const struct ruleset_moment *when, ruleset_accept_fn *accept,
                             void *arg, struct ruleset_match *out);

bool ruleset_in_force(const struct ruleset *set, uint32_t index, const struct ruleset_moment *when);

/* When the exception `index`, in force at `when`, ends: INT64_MAX for never, or not within a month. */
int64_t ruleset_end(const struct ruleset *set, uint32_t index, const struct ruleset_moment *when);

#endif

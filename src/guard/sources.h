/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_GUARD_SOURCES_H
#define SEKISHO_GUARD_SOURCES_H

#include "guard/counter.h"
#include "guard/keys.h"
#include "guard/limits.h"
#include "guard/table.h"

/*
 * What is counted of a source: a host, and of IPv6 the /64 and the /48 around it. Two tables: what is proved, and
 * what anybody may have sent, so that forged packets never compete with an attacker who was seen. An entry weighs
 * how near it is to a threshold: table.h says who gives way.
 */
struct source {
    uint64_t key;
    uint64_t last;   /* newest attempt that counted */
    uint64_t failed; /* a bit for each account that failed, of 64 */
    uint64_t asked;  /* … that was challenged and has not succeeded since */
    uint64_t fresh;  /* … within the last seconds: it may still answer */
    struct counter guesses, day, noise;
    uint32_t names_since, fresh_since;
    uint8_t ip[16];
    uint8_t family, bits;
    bool observed, proved;
};
_Static_assert(sizeof(struct source) <= 128, "two cache lines");

#define SOURCE_ANSWERS_S 8u /* how long a phone may take to answer a challenge */

/* The limits that apply to a network as wide as this; NULL: none does. */
struct source_limits {
    const struct limit *guesses, *day, *noise;
};
struct source_limits source_limits(const struct guard_limits *limits, const struct source *source);

struct sources {
    struct table table;
    const struct guard_limits *limits; /* borrowed */
    const struct keys *keys;
    bool proved;
};

struct source *sources_find(const struct sources *sources, const struct network *network,
                            bool observed);
/* Found or new; NULL when all in its bucket have counted more. */
struct source *sources_take(struct sources *sources, const struct network *network, bool observed,
                            uint32_t t);

/* One more. `name` is the account's key, 0 for none. Of what is not proved, `noise` is all that is no guess at a
 * password: it counts within the short window, and not by the day. */
void source_add(struct source *source, const struct guard_limits *limits, uint32_t t,
                enum witness witness, bool noise, uint64_t name);
/* A challenge without an answer yet, and an answer that was right. */
void source_asked(struct source *source, const struct guard_limits *limits, uint32_t t,
                  uint64_t name);
void source_answered(struct source *source, uint64_t name);

/* Whether the account failed there within the window; how many did; how many were asked for or failed. */
bool source_failed(const struct source *source, const struct guard_limits *limits, uint32_t t,
                   uint64_t name);
uint32_t source_failing(const struct source *source, const struct guard_limits *limits, uint32_t t);
uint32_t source_names(const struct source *source, const struct guard_limits *limits, uint32_t t);

/* What has counted up to a threshold, if anything has: which limit, the count, the witness. */
struct excess {
    const struct limit *limit;
    uint32_t count;
    enum witness witness;
    bool day, noise;
};
bool source_excess(const struct source *source, const struct guard_limits *limits, uint32_t t,
                   struct excess *out);

/* Whether the next guess, by the witness that saw most of them, reaches the threshold. */
bool source_is_near(const struct source *source, const struct guard_limits *limits, uint32_t t);

struct network source_network(const struct source *source);

#endif

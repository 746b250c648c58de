/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/authorize.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <urcu/urcu-memb.h>

#include "numbering/numbering.h"

struct authorizer {
    const struct snapshot *snapshot;
    struct site *fallback; /* under RCU */
    const struct locks *locks;
    struct authorize_sink sink;
    atomic_uint_fast64_t allowed, denied, observed, emergency;
};

int authorizer_new(struct authorizer **out, const struct snapshot *snapshot, struct site *fallback,
                   const struct authorize_sink *sink, struct fault *f)
{
    struct authorizer *a = calloc(1, sizeof(*a));

    if (!a)
        return fault_nomem(f);
    a->snapshot = snapshot;
    a->fallback = fallback;
    if (sink)
        a->sink = *sink;
    *out = a;
    return 0;
}

void authorizer_free(struct authorizer *a)
{
    if (!a)
        return;
    site_free(a->fallback);
    free(a);
}

void authorizer_set_fallback(struct authorizer *a, struct site *fallback)
{
    struct site *old = rcu_xchg_pointer(&a->fallback, fallback);

    urcu_memb_synchronize_rcu();
    site_free(old);
}

void authorizer_set_locks(struct authorizer *a, const struct locks *locks)
{
    a->locks = locks;
}

const struct snapshot *authorizer_snapshot(const struct authorizer *a)
{
    return a->snapshot;
}

/* Without any site there is no dial plan, and nothing is understood. */
static void understand(const struct site *site, struct span dialled, struct number *number)
{
    if (site)
        numbering_parse(site, dialled, number);
    else
        *number = (struct number){.class = CLASS_UNKNOWN, .target = CLASS_UNKNOWN};
}

/* Nothing but the number is known: emergencies pass, the rest is refused. */
static void decide_alone(const struct site *site, const struct number *number,
                         struct verdict *verdict)
{
    const struct decide_question question = {.number = number, .site = site};

    decide(&question, verdict);
}

static void count(struct authorize_figures *figures, const struct number *number,
                  const struct verdict *verdict)
{
    if (verdict->action == VERDICT_ALLOW)
        figures->allowed++;
    else
        figures->denied++;
    figures->observed += verdict->observed;
    figures->emergency += number->class == CLASS_EMERGENCY;
}

static void add(atomic_uint_fast64_t *to, uint64_t n)
{
    if (n)
        atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

/* Once for many questions: all threads write there. */
static void add_figures(struct authorizer *a, const struct authorize_figures *figures)
{
    add(&a->allowed, figures->allowed);
    add(&a->denied, figures->denied);
    add(&a->observed, figures->observed);
    add(&a->emergency, figures->emergency);
}

static void record(struct authorizer *a, const struct authorize_question *question,
                   const struct snapshot_subject *subject, const struct number *number,
                   const struct verdict *verdict)
{
    if (subject->adopt && a->sink.unknown)
        a->sink.unknown(a->sink.arg, subject->gate->id, question->account);
    if ((verdict->action == VERDICT_DENY || verdict->observed) && a->sink.refused) {
        const struct authorize_refusal refusal = {
            .at = question->now,
            .switch_id = subject->gate ? subject->gate->id : 0,
            .account = subject->account,
            .tenant = subject->tenant,
            .name = question->account,
            .remote = question->remote,
            .dialled = question->dialled,
            .number = number,
            .verdict = verdict,
        };
        a->sink.refused(a->sink.arg, &refusal);
    }
}

/* Family 0 for what is no address. */
static struct address remote_of(struct span text)
{
    struct address out = {0};

    if (!text.n || address_parse_ip(text, &out, NULL) == 0)
        return out;
    return address_parse(text, &out, NULL) == 0 ? out : (struct address){0};
}

/* What the guard has to say of the account: true where the source is known to be good for it. */
static bool add_locks(const struct authorizer *a, const struct authorize_question *question,
                      struct snapshot_subject *who)
{
    struct locks_answer said;
    struct address remote;

    if (!who->gate || !locks_any(a->locks))
        return false;
    remote = remote_of(question->remote);
    said = locks_ask(a->locks, who->gate->id, question->account, &remote);
    switch (said.state) {
    case GUARD_FREE: break;
    case GUARD_LOCKED_OUT:
        if (who->state == ACCOUNT_ACTIVE)
            who->state = ACCOUNT_LOCKED;
        break;
    case GUARD_INTERNATIONAL_LOCKED:
        who->stopped = who->stopped || said.takeover || !question->under_way;
        break;
    }
    return said.source_good;
}

/* `sekisho stop` holds where switch or tenant only watch: nobody tries out by it what would happen. Theirs is everything else,
 * what the guard has locked too. */
static bool is_ordered(const struct verdict *verdict, bool stopped, const struct number *number)
{
    return verdict->observed && stopped && decide_closed_when_stopped(number);
}

/* When it is known whom the question is about. */
static void settle(struct authorizer *a, const struct authorize_question *question,
                   struct snapshot_subject *who, struct number *number, struct verdict *verdict,
                   struct authorize_figures *figures)
{
    const struct site *site = who->site ? who->site : rcu_dereference(a->fallback);
    bool stopped = who->stopped; /* by the operator */
    bool source_good = add_locks(a, question, who);

    understand(site, question->dialled, number);
    if (a->snapshot && who->gate)
        snapshot_decide(a->snapshot, who, number, source_good, instant_wall_s(question->now),
                        verdict);
    else
        decide_alone(site, number, verdict);
    if (is_ordered(verdict, stopped, number)) {
        who->observe = false;
        snapshot_decide(a->snapshot, who, number, source_good, instant_wall_s(question->now),
                        verdict);
    }
    if (!question->dry_run) {
        count(figures, number, verdict);
        record(a, question, who, number, verdict);
    }
}

void authorize(struct authorizer *a, const struct authorize_question *question,
               struct number *number, struct verdict *verdict, struct snapshot_subject *subject)
{
    struct authorize_figures figures = {0};
    struct snapshot_subject who;

    snapshot_find(a->snapshot, question->gate, question->account, &who);
    settle(a, question, &who, number, verdict, &figures);
    add_figures(a, &figures);
    if (subject)
        *subject = who;
}

void authorize_many(struct authorizer *a, const struct authorize_question *questions, size_t n,
                    struct number *numbers, struct verdict *verdicts)
{
    struct authorize_figures figures = {0};
    struct snapshot_question asked[AUTHORIZE_MANY_MAX];
    struct snapshot_subject who[AUTHORIZE_MANY_MAX];

    for (size_t from = 0; from < n; from += AUTHORIZE_MANY_MAX) {
        size_t some = n - from < AUTHORIZE_MANY_MAX ? n - from : AUTHORIZE_MANY_MAX;

        for (size_t i = 0; i < some; i++)
            asked[i] =
                (struct snapshot_question){questions[from + i].gate, questions[from + i].account};
        snapshot_find_many(a->snapshot, asked, some, who);
        for (size_t i = 0; i < some; i++)
            settle(a, &questions[from + i], &who[i], &numbers[from + i], &verdicts[from + i],
                   &figures);
    }
    add_figures(a, &figures);
}

struct authorize_figures authorizer_figures(const struct authorizer *a)
{
    return (struct authorize_figures){
        .allowed = atomic_load_explicit(&a->allowed, memory_order_relaxed),
        .denied = atomic_load_explicit(&a->denied, memory_order_relaxed),
        .observed = atomic_load_explicit(&a->observed, memory_order_relaxed),
        .emergency = atomic_load_explicit(&a->emergency, memory_order_relaxed),
    };
}

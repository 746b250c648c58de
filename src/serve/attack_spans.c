/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/attack_spans.h"

#include <stdlib.h>

#include "store/guard_records.h"

#define KINDS                                                                                      \
    (1u << GUARD_LOCKOUT | 1u << GUARD_INTERNATIONAL | 1u << GUARD_TAKEOVER | 1u << GUARD_UNLOCK)
#define WINDOW_LEAST_S 3600 /* a takeover is often seen by its second call */

struct spans {
    struct store_decision_query query;
    struct calls_attack *at; /* newest first */
    char (*names)[STORE_ACCOUNT_NAME_MAX + 1];
    size_t n, cap;
    int64_t newest_ms;
    char cursor[256]; /* of the next page */
};

static int grow(struct spans *s, struct fault *f)
{
    size_t cap = s->cap ? 2 * s->cap : 64;
    void *at = realloc(s->at, cap * sizeof(*s->at));

    if (at)
        s->at = at;
    void *names = at ? realloc(s->names, cap * sizeof(*s->names)) : NULL;
    if (!names)
        return fault_nomem(f);
    s->names = names;
    s->cap = cap;
    return 0;
}

static int add(struct spans *s, const struct store_decision *d, struct fault *f)
{
    char raw[ACCOUNT_NAME_MAX];
    size_t n = 0;
    int err = s->n == s->cap ? grow(s, f) : 0;

    if (err)
        return err;
    /* What cannot be the name of an account is nobody who pays. */
    if (store_guard_account(d->account, raw, &n, NULL) != 0 ||
        !store_account_name((struct span){raw, n}, s->names[s->n]))
        return 0;
    int64_t window_s = d->window > WINDOW_LEAST_S ? d->window : WINDOW_LEAST_S;
    bool ends = d->kind == GUARD_UNLOCK;
    s->at[s->n++] = (struct calls_attack){
        .decision = d->id,
        .switch_id = d->switch_id,
        .since_ms = ends ? d->at_ms : d->at_ms - window_s * 1000,
        .until_ms = d->seconds ? d->at_ms + (int64_t)d->seconds * 1000 : INT64_MAX,
        .ends = ends};
    return 0;
}

static int read_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct spans *s = arg;
    struct store_decision_list list;
    int err = store_decision_list(tx, &s->query, &list, f);

    for (size_t i = 0; !err && i < list.n; i++) {
        if (list.items[i].at_ms > s->newest_ms)
            s->newest_ms = list.items[i].at_ms;
        err = add(s, &list.items[i], f);
    }
    if (err)
        return err;
    if (list.next.n >= sizeof(s->cursor))
        return fault(f, ERR_RANGE, "a cursor has more than %zu bytes", sizeof(s->cursor) - 1);
    if (list.next.n)
        memcpy(s->cursor, list.next.p, list.next.n);
    s->query.page.cursor = (struct span){s->cursor, list.next.n};
    return 0;
}

/* Oldest first, with their names where they are now. */
static void turn(struct spans *s)
{
    for (size_t i = 0; i < s->n; i++)
        s->at[i].name = span_of(s->names[i]);
    for (size_t i = 0; i < s->n / 2; i++) {
        struct calls_attack other = s->at[i];

        s->at[i] = s->at[s->n - 1 - i];
        s->at[s->n - 1 - i] = other;
    }
}

int attack_spans_take(struct store *store, struct calls *calls, int64_t *since_ms, struct fault *f)
{
    struct spans s = {.query = {.page.limit = STORE_PAGE_MAX,
                                .kinds = KINDS,
                                .since_ms = *since_ms,
                                .bare = true},
                      .newest_ms = *since_ms};
    int err;

    do
        err = store_read_wait(store, read_job, &s, f);
    while (!err && s.query.page.cursor.n);
    turn(&s);
    if (!err && s.n)
        err = calls_attacked(calls, s.at, s.n, f);
    if (!err)
        *since_ms = s.newest_ms;
    free(s.at);
    free(s.names);
    return err;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/guard_alerts.h"

#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "policy/snapshot.h"
#include "store/notices.h"

#define HEARD_MAX                                                                                  \
    8192 /* between two flushes; what is more is counted, and its accounts are not named */
#define GATHER_MS (30 * (int64_t)1000)
#define APART_MS (15 * 60 * (int64_t)1000)

struct heard {
    enum notice_kind kind;
    bool observed, international;
    int64_t switch_id, at_ms, until_ms;
    char switch_name[STORE_NAME_MAX + 1];
    char account[STORE_ACCOUNT_NAME_MAX + 1];
    char source[ADDRESS_TEXT_MAX];
    int64_t tenant; /* found when it is written; 0: none */
    char tenant_name[STORE_NAME_MAX + 1];
};

struct guard_alerts {
    const struct snapshot *snapshot;
    pthread_mutex_t lock;
    /* Under the lock. */
    struct store *store; /* NULL: not yet, or no more */
    struct heard *heard; /* HEARD_MAX */
    size_t n;
    uint64_t unnamed;
    bool writing;
};

/* ---- hearing -------------------------------------------------------------------------------- */

static bool kind_of(const struct guard_event *event, enum notice_kind *out)
{
    switch (event->kind) {
    case GUARD_LOCKOUT:
    case GUARD_INTERNATIONAL: *out = NOTICE_LOCKOUT; return true;
    case GUARD_TAKEOVER: *out = NOTICE_TAKEOVER; return true;
    case GUARD_UNLOCK: *out = NOTICE_LOCK_ENDED; return true;
    case GUARD_BAN:
    case GUARD_QUENCH:
    case GUARD_UNBAN:
    case GUARD_GOOD:
    case GUARD_NOT_GOOD:
    case GUARD_PAIR_REFUSED:
    case GUARD_WRONG_PASSWORD:
    case GUARD_ENUMERATION:
    case GUARD_EXEMPT_ATTACKS:
    case GUARD_CANARY:
    case GUARD_STILL_ANSWERED:
    case GUARD_PRESSURE: return false;
    }
    return false;
}

static void note(struct guard_alerts *a, const struct guard_event *event, enum notice_kind kind,
                 struct heard *h)
{
    const struct levels_gate *gate;

    *h = (struct heard){
        .kind = kind,
        .observed = event->observed,
        .international = event->kind == GUARD_INTERNATIONAL,
        .switch_id = event->switch_id,
        .at_ms = event->at.wall_ms,
        .until_ms = event->seconds ? event->at.wall_ms + event->seconds * (int64_t)1000 : 0,
    };
    /* Whatever somebody sent: what can name no account is told of by what can be shown of it. */
    if (!store_account_name(event->account, h->account))
        snprintf(h->account, sizeof(h->account), "%.60s", ESCAPED(event->account));
    if (event->network.family)
        network_text(&event->network, h->source);
    snapshot_read_lock();
    gate = snapshot_switch_by_id(a->snapshot, event->switch_id);
    snprintf(h->switch_name, sizeof(h->switch_name), "%s", gate ? gate->name : "");
    snapshot_read_unlock();
}

static void on_event(void *arg, const struct guard *guard, const struct guard_event *event)
{
    struct guard_alerts *a = arg;
    enum notice_kind kind;
    struct heard h;

    if (!kind_of(event, &kind))
        return;
    note(a, event, kind, &h);
    pthread_mutex_lock(&a->lock);
    if (a->n < HEARD_MAX)
        a->heard[a->n++] = h;
    else
        a->unnamed++;
    pthread_mutex_unlock(&a->lock);
}

/* ---- writing -------------------------------------------------------------------------------- */

struct writing {
    struct guard_alerts *alerts;
    struct heard *heard;
    size_t n;
};

static void find_tenant(struct store_tx *tx, struct heard *h)
{
    struct store_account account;

    if (store_account_find(tx, span_of(h->switch_name), span_of(h->account), &account, NULL) != 0)
        return;
    h->tenant = account.tenant_id;
    snprintf(h->tenant_name, sizeof(h->tenant_name), "%.*s", SPAN_FMT(account.tenant));
}

static int order(const void *left, const void *right)
{
    const struct heard *a = left, *b = right;

    if (a->kind != b->kind)
        return (a->kind > b->kind) - (a->kind < b->kind);
    if (a->observed != b->observed)
        return a->observed - b->observed;
    if (a->tenant != b->tenant)
        return (a->tenant > b->tenant) - (a->tenant < b->tenant);
    return (a->at_ms > b->at_ms) - (a->at_ms < b->at_ms);
}

static json_t *item(const struct heard *h)
{
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:s, s:I}", "name", h->account, "switch", h->switch_name,
                  "tenant", h->tenant_name, "source", h->source, "when", (json_int_t)h->at_ms);

    if (o && h->until_ms)
        json_object_set_new(o, "until", json_integer(h->until_ms));
    if (o && h->international)
        json_object_set_new(o, "international", json_true());
    return o;
}

/* One kind, for one who is told; tenant 0 is the operator. */
static int gather(struct store_tx *tx, const struct heard *h, size_t n, int64_t tenant,
                  struct fault *f)
{
    json_t *accounts = json_array();
    json_t *facts;
    char *text;
    int err;

    for (size_t i = 0; i < n && i < NOTICE_GATHERED; i++)
        json_array_append_new(accounts, item(&h[i]));
    facts = json_pack("{s:I, s:b, s:o}", "count", (json_int_t)n, "observed", (int)h->observed,
                      "accounts", accounts);
    text = facts ? json_dumps(facts, JSON_COMPACT) : NULL;
    json_decref(facts);
    if (!text)
        return fault_nomem(f);
    const struct notice notice = {
        .kind = h->kind, .tenant = tenant, .tenants_only = tenant != 0, .facts = span_of(text)};
    err = store_notice_gather(tx, &notice, SPAN("accounts"), GATHER_MS, APART_MS, f);
    free(text);
    return err;
}

/* How many from `i` on are of one kind, and of one tenant, too. */
static size_t alike(const struct writing *w, size_t i, bool tenant)
{
    size_t n = 1;

    while (i + n < w->n && w->heard[i + n].kind == w->heard[i].kind &&
           w->heard[i + n].observed == w->heard[i].observed &&
           (!tenant || w->heard[i + n].tenant == w->heard[i].tenant))
        n++;
    return n;
}

static int write_job(struct store_tx *tx, void *arg, struct fault *f)
{
    struct writing *w = arg;
    int err = 0;

    for (size_t i = 0; i < w->n; i++)
        find_tenant(tx, &w->heard[i]);
    qsort(w->heard, w->n, sizeof(*w->heard), order);
    for (size_t i = 0, n; !err && i < w->n; i += n) {
        n = alike(w, i, false);
        err = gather(tx, &w->heard[i], n, 0, f);
    }
    for (size_t i = 0, n; !err && i < w->n; i += n) {
        n = alike(w, i, true);
        if (w->heard[i].tenant)
            err = gather(tx, &w->heard[i], n, w->heard[i].tenant, f);
    }
    return err;
}

static void written(void *arg, int code, const struct fault *f)
{
    struct writing *w = arg;
    struct guard_alerts *a = w->alerts;

    pthread_mutex_lock(&a->lock);
    /* What could not be written waits for the next time, as far as there is room. */
    for (size_t i = 0; code && i < w->n; i++) {
        if (a->n < HEARD_MAX)
            a->heard[a->n++] = w->heard[i];
        else
            a->unnamed++;
    }
    a->writing = false;
    pthread_mutex_unlock(&a->lock);
    if (code)
        log_warning("alerts", LOG_TEXT("fault", f->text));
    free(w->heard);
    free(w);
}

/* What was heard, taken away; NULL: nothing, or no memory. */
static struct writing *take(struct guard_alerts *a)
{
    struct writing *w = NULL;

    pthread_mutex_lock(&a->lock);
    if (a->store && a->n && !a->writing)
        w = calloc(1, sizeof(*w));
    if (w)
        w->heard = malloc(a->n * sizeof(*w->heard));
    if (w && w->heard) {
        memcpy(w->heard, a->heard, a->n * sizeof(*w->heard));
        w->alerts = a;
        w->n = a->n;
        a->n = 0;
        a->writing = true;
        if (a->unnamed)
            log_warning("alerts-unnamed", LOG_INT("dropped", a->unnamed));
        a->unnamed = 0;
    }
    pthread_mutex_unlock(&a->lock);
    if (w && !w->heard) {
        free(w);
        return NULL;
    }
    return w;
}

void guard_alerts_flush(struct guard_alerts *a)
{
    struct writing *w = a ? take(a) : NULL;
    struct fault f;
    int err = w ? store_write(a->store, write_job, w, written, w, &f) : 0;

    if (err)
        written(w, err, &f);
}

/* ---- begin and end -------------------------------------------------------------------------- */

int guard_alerts_open(struct guard_alerts **out, struct guard_thread *thread,
                      const struct snapshot *snapshot, struct fault *f)
{
    struct guard_alerts *a = calloc(1, sizeof(*a));
    int err;

    if (!a)
        return fault_nomem(f);
    pthread_mutex_init(&a->lock, NULL);
    a->snapshot = snapshot;
    a->heard = calloc(HEARD_MAX, sizeof(*a->heard));
    err = a->heard ? guard_thread_hear(thread, on_event, NULL, a, f) : fault_nomem(f);
    if (err) {
        guard_alerts_free(a);
        return err;
    }
    *out = a;
    return 0;
}

void guard_alerts_attach(struct guard_alerts *a, struct store *store)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->store = store;
    pthread_mutex_unlock(&a->lock);
}

void guard_alerts_detach(struct guard_alerts *a)
{
    if (!a)
        return;
    guard_alerts_flush(a);
    pthread_mutex_lock(&a->lock);
    a->store = NULL;
    pthread_mutex_unlock(&a->lock);
}

void guard_alerts_free(struct guard_alerts *a)
{
    if (!a)
        return;
    pthread_mutex_destroy(&a->lock);
    free(a->heard);
    free(a);
}

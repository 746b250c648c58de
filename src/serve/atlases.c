/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/atlases.h"

#include <pthread.h>
#include <stdlib.h>

#include "numbering/site.h"

struct kept {
    char plan[4];
    struct atlas *atlas;
    uint64_t used;
};

/* Whoever reads holds the lock for reading, whoever adds, evicts or changes tables for writing. */
struct atlases {
    pthread_rwlock_t lock;
    const struct tables *tables;
    struct kept kept[ATLASES_MAX];
    uint64_t clock; /* counts what was asked; atomic */
};

int atlases_new(struct atlases **out, const struct tables *tables, struct fault *f)
{
    struct atlases *a = calloc(1, sizeof(*a));

    if (!a)
        return fault_nomem(f);
    if (pthread_rwlock_init(&a->lock, NULL)) {
        free(a);
        return fault_nomem(f);
    }
    a->tables = tables;
    *out = a;
    return 0;
}

static void forget(struct atlases *a)
{
    for (size_t i = 0; i < ATLASES_MAX; i++) {
        atlas_free(a->kept[i].atlas);
        a->kept[i] = (struct kept){.atlas = NULL};
    }
}

void atlases_free(struct atlases *a)
{
    if (!a)
        return;
    forget(a);
    pthread_rwlock_destroy(&a->lock);
    free(a);
}

void atlases_change(struct atlases *a, const struct tables *tables)
{
    pthread_rwlock_wrlock(&a->lock);
    forget(a);
    a->tables = tables;
    pthread_rwlock_unlock(&a->lock);
}

static struct kept *find(struct atlases *a, struct span plan)
{
    for (size_t i = 0; i < ATLASES_MAX; i++)
        if (a->kept[i].atlas && span_is(plan, a->kept[i].plan))
            return &a->kept[i];
    return NULL;
}

static struct kept *oldest(struct atlases *a)
{
    struct kept *best = &a->kept[0];

    for (size_t i = 1; i < ATLASES_MAX; i++)
        if (a->kept[i].used < best->used)
            best = &a->kept[i];
    return best;
}

/* With the lock for writing. Another thread may have been faster. */
static int add(struct atlases *a, struct span plan, struct fault *f)
{
    const struct site_config config = {.plan = plan};
    struct kept *place = oldest(a);
    struct atlas *atlas = NULL;
    struct site *site = NULL;
    int err;

    if (find(a, plan))
        return 0;
    err = site_new(&site, a->tables, &config, f);
    if (!err)
        err = atlas_new(&atlas, site, f);
    site_free(site);
    if (err)
        return err;
    atlas_free(place->atlas);
    *place = (struct kept){.atlas = atlas, .used = ++a->clock};
    memcpy(place->plan, plan.p, plan.n);
    return 0;
}

int atlases_open(struct atlases *a, struct span plan, const struct atlas **out, struct fault *f)
{
    char upper[sizeof(a->kept[0].plan)] = "";

    /* What is longer is no plan, and site_new() says so. */
    for (size_t i = 0; i < plan.n && plan.n < sizeof(upper); i++)
        upper[i] = (char)(plan.p[i] >= 'a' && plan.p[i] <= 'z' ? plan.p[i] - 'a' + 'A' : plan.p[i]);
    if (plan.n < sizeof(upper))
        plan = span_of(upper);
    for (;;) {
        struct kept *kept;
        int err;

        pthread_rwlock_rdlock(&a->lock);
        kept = find(a, plan);
        if (kept) {
            __atomic_store_n(&kept->used, __atomic_add_fetch(&a->clock, 1, __ATOMIC_RELAXED),
                             __ATOMIC_RELAXED);
            *out = kept->atlas;
            return 0;
        }
        pthread_rwlock_unlock(&a->lock);
        pthread_rwlock_wrlock(&a->lock);
        err = add(a, plan, f);
        pthread_rwlock_unlock(&a->lock);
        if (err)
            return err;
    }
}

void atlases_close(struct atlases *a)
{
    pthread_rwlock_unlock(&a->lock);
}

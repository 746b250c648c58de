/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/sites.h"

#include <stdint.h>
#include <stdlib.h>

struct shared {
    uint32_t refs;
    struct site *site;
    size_t n; /* of the key */
    char key[];
};

struct sites {
    const struct tables *tables;
    const struct sites *previous;
    struct shared **sorted; /* by key */
    size_t n, capacity;
};

int sites_new(struct sites **out, const struct tables *tables, const struct sites *previous,
              struct fault *f)
{
    struct sites *sites = calloc(1, sizeof(*sites));

    if (!sites)
        return fault_nomem(f);
    sites->tables = tables;
    /* Sites borrow the tables that they were made with. */
    sites->previous = previous && previous->tables == tables ? previous : NULL;
    *out = sites;
    return 0;
}

static void unref(struct shared *shared)
{
    if (--shared->refs > 0)
        return;
    site_free(shared->site);
    free(shared);
}

void sites_free(struct sites *sites)
{
    if (!sites)
        return;
    for (size_t i = 0; i < sites->n; i++)
        unref(sites->sorted[i]);
    free(sites->sorted);
    free(sites);
}

/* The four fields with a NUL behind each; they are short texts without NUL, or site_new() says so. */
static struct shared *shared_new(const struct site_config *config)
{
    const struct span *parts[] = {&config->plan, &config->outside, &config->extensions,
                                  &config->area};
    size_t n = 0;
    struct shared *shared;

    for (size_t i = 0; i < 4; i++)
        n += parts[i]->n + 1;
    shared = calloc(1, sizeof(*shared) + n);
    if (!shared)
        return NULL;
    shared->refs = 1;
    for (size_t i = 0; i < 4; i++) {
        if (parts[i]->n)
            memcpy(shared->key + shared->n, parts[i]->p, parts[i]->n);
        shared->n += parts[i]->n + 1;
    }
    return shared;
}

static int compare(const struct shared *a, const struct shared *b)
{
    int order = memcmp(a->key, b->key, a->n < b->n ? a->n : b->n);

    return order ? order : (a->n > b->n) - (a->n < b->n);
}

/* Where `key` is, or where it belongs. */
static size_t place(const struct sites *sites, const struct shared *key, bool *found)
{
    size_t low = 0, high = sites->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(sites->sorted[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < sites->n && compare(sites->sorted[low], key) == 0;
    return low;
}

static int reserve(struct sites *sites, struct fault *f)
{
    size_t capacity = sites->capacity ? sites->capacity * 2 : 8;
    void *p;

    if (sites->n < sites->capacity)
        return 0;
    p = reallocarray(sites->sorted, capacity, sizeof(struct shared *));
    if (!p)
        return fault_nomem(f);
    sites->sorted = p;
    sites->capacity = capacity;
    return 0;
}

int sites_get(struct sites *sites, const struct site_config *config, const struct site **out,
              struct fault *f)
{
    struct shared *shared = shared_new(config);
    bool found;
    size_t at, old;
    int err;

    if (!shared)
        return fault_nomem(f);
    at = place(sites, shared, &found);
    if (found) {
        free(shared);
        *out = sites->sorted[at]->site;
        return 0;
    }
    err = reserve(sites, f);
    if (!err && sites->previous) {
        old = place(sites->previous, shared, &found);
        if (found) {
            free(shared);
            shared = sites->previous->sorted[old];
            shared->refs++;
        }
    }
    if (!err && !found)
        err = site_new(&shared->site, sites->tables, config, f);
    if (err) {
        free(shared);
        return err;
    }
    memmove(&sites->sorted[at + 1], &sites->sorted[at], (sites->n - at) * sizeof(struct shared *));
    sites->sorted[at] = shared;
    sites->n++;
    *out = shared->site;
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/accounts.h"

#include <stdlib.h>

#include "base/pages.h"

_Static_assert(sizeof(struct account_slot) == 32, "two slots are a cache line");

#define SMALLEST 64
#define LINE 2 /* slots */

/* A profile that nobody has: the mark of a removed entry. Its slot is not used again for another
 * account, since a reader may hold it in mind. */
static const struct profile gone;

/* Three quarters may be used: then a search looks at 1.4 lines on average; at 1.1 with five eighths. */
static size_t limit(size_t capacity)
{
    return capacity - capacity / 4;
}

static int table_new(struct accounts **out, size_t capacity, struct fault *f)
{
    struct accounts *table = calloc(1, sizeof(*table));

    if (!table)
        return fault_nomem(f);
    table->slots = pages_new(capacity * sizeof(struct account_slot));
    if (!table->slots) {
        free(table);
        return fault_nomem(f);
    }
    table->capacity = capacity;
    *out = table;
    return 0;
}

int accounts_new(struct accounts **out, size_t n, struct fault *f)
{
    size_t capacity = (n + n / 3 + 2 + LINE - 1) / LINE * LINE;

    return table_new(out, capacity < SMALLEST ? SMALLEST : capacity, f);
}

void accounts_free(struct accounts *table)
{
    if (!table)
        return;
    pages_free(table->slots, table->capacity * sizeof(*table->slots));
    free(table);
}

/* Where a search begins: the first slot of a line. The slots are in the order of the hashes but for
 * collisions, so that a table grows in one pass from memory to memory. */
static size_t home(const struct accounts *table, const struct account_hash *hash)
{
    return LINE * (size_t)((unsigned __int128)hash->where * (table->capacity / LINE) >> 64);
}

void accounts_touch(const struct accounts *table, const struct account_hash *hash)
{
    const struct account_slot *slot = &table->slots[home(table, hash)];
    const struct profile *profile = __atomic_load_n(&slot->profile, __ATOMIC_RELAXED);

    __asm__ volatile("" : : "r"(profile)); /* nobody wants it; the load is what is wanted */
}

static size_t after(const struct accounts *table, size_t i)
{
    return i + 1 < table->capacity ? i + 1 : 0;
}

static const struct profile *profile_of(const struct account_slot *slot)
{
    return __atomic_load_n(&slot->profile, __ATOMIC_ACQUIRE);
}

/* 0 where it has this hash. Of a slot that is being written anything; it has no profile yet. */
static uint64_t differs(const struct account_slot *slot, const struct account_hash *hash)
{
    return (__atomic_load_n(&slot->hash.where, __ATOMIC_RELAXED) ^ hash->where) |
           (__atomic_load_n(&slot->hash.what, __ATOMIC_RELAXED) ^ hash->what);
}

static bool is_live(const struct profile *profile)
{
    return profile && profile != &gone;
}

static void set_profile(struct account_slot *slot, const struct profile *profile)
{
    __atomic_store_n(&slot->profile, profile, __ATOMIC_RELEASE);
}

/* One slot at least is always empty. */
static const struct profile *search(const struct accounts *table, const struct account_hash *hash,
                                    int64_t *id)
{
    for (size_t i = home(table, hash);; i = after(table, i)) {
        const struct account_slot *slot = &table->slots[i];
        const struct profile *profile = profile_of(slot);

        if (!profile)
            return NULL;
        if (profile != &gone && differs(slot, hash) == 0) {
            *id = slot->id;
            return profile;
        }
    }
}

/* Mostly it is one of the first line's two. Which of them cannot be foreseen, so that is no branch. */
static bool in_first_line(const struct accounts *table, const struct account_hash *hash,
                          const struct profile **out, int64_t *id)
{
    const struct account_slot *slot = &table->slots[home(table, hash)];

    slot += differs(slot, hash) != 0;
    *out = profile_of(slot);
    if (!is_live(*out) || differs(slot, hash) != 0)
        return false;
    *id = slot->id;
    return true;
}

bool accounts_look(const struct accounts *table, const struct account_hash *hash,
                   const struct profile **out, int64_t *id)
{
    size_t next = home(table, hash) + LINE;

    if (in_first_line(table, hash, out, id))
        return true;
    __builtin_prefetch(&table->slots[next < table->capacity ? next : 0]);
    return false;
}

const struct profile *accounts_find(const struct accounts *table, const struct account_hash *hash,
                                    int64_t *id)
{
    const struct profile *profile;

    return in_first_line(table, hash, &profile, id) ? profile : search(table, hash, id);
}

bool accounts_fit(const struct accounts *table, size_t n)
{
    return table->used + n <= limit(table->capacity);
}

/* Readers may look at the count (snapshot_accounts()). */
static void count_to(struct accounts *table, size_t n)
{
    __atomic_store_n(&table->live, n, __ATOMIC_RELAXED);
}

/* Into the first slot that was never used. */
static void append(struct accounts *table, const struct account_slot *entry)
{
    size_t i = home(table, &entry->hash);

    while (table->slots[i].profile)
        i = after(table, i);
    __atomic_store_n(&table->slots[i].hash.where, entry->hash.where, __ATOMIC_RELAXED);
    __atomic_store_n(&table->slots[i].hash.what, entry->hash.what, __ATOMIC_RELAXED);
    table->slots[i].id = entry->id;
    set_profile(&table->slots[i], entry->profile);
    table->used++;
    count_to(table, table->live + 1);
}

int accounts_grown(const struct accounts *table, size_t n, struct accounts **out, struct fault *f)
{
    size_t wanted = table->live + n;
    struct accounts *grown = NULL;
    int err = accounts_new(&grown, wanted + wanted / 4, f);

    if (err)
        return err;
    for (size_t i = 0; i < table->capacity; i++)
        if (is_live(table->slots[i].profile))
            append(grown, &table->slots[i]);
    *out = grown;
    return 0;
}

static struct account_slot *entry_of(struct accounts *table, const struct account_hash *hash)
{
    for (size_t i = home(table, hash); table->slots[i].profile; i = after(table, i))
        if (table->slots[i].profile != &gone && differs(&table->slots[i], hash) == 0)
            return &table->slots[i];
    return NULL;
}

const struct profile *accounts_put(struct accounts *table, const struct account_hash *hash,
                                   int64_t id, const struct profile *profile)
{
    struct account_slot *slot = entry_of(table, hash);
    const struct profile *replaced = slot ? slot->profile : NULL;

    if (slot && slot->id == id) {
        set_profile(slot, profile);
        return replaced;
    }
    /* Another account under the same name: it is there before the old one, which readers meet first,
     * goes. */
    append(table, &(struct account_slot){*hash, id, profile});
    if (slot) {
        set_profile(slot, &gone);
        count_to(table, table->live - 1);
    }
    return replaced;
}

const struct profile *accounts_remove(struct accounts *table, const struct account_hash *hash)
{
    struct account_slot *slot = entry_of(table, hash);
    const struct profile *removed = slot ? slot->profile : NULL;

    if (slot) {
        set_profile(slot, &gone);
        count_to(table, table->live - 1);
    }
    return removed;
}

void accounts_each(const struct accounts *table, void (*each)(void *arg, const struct profile *p),
                   void *arg)
{
    for (size_t i = 0; i < table->capacity; i++)
        if (is_live(table->slots[i].profile))
            each(arg, table->slots[i].profile);
}

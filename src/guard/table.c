/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/table.h"

#include <string.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "base/pages.h"

#define ROWS 2

static uint64_t key_of(const void *entry)
{
    uint64_t key;

    memcpy(&key, entry, sizeof(key));
    return key;
}

int table_init(struct table *t, size_t bytes, size_t entry_size, uint32_t cells)
{
    size_t buckets = bytes / (entry_size * TABLE_WAYS);

    *t = (struct table){.entry_size = entry_size, .cells = (cells + 3) & ~3u};
    t->buckets = buckets == 0 ? 1 : buckets > UINT32_MAX ? UINT32_MAX : (uint32_t)buckets;
    t->entries = pages_new(table_slots(t) * entry_size);
    if (!t->entries)
        return ERR_NOMEM;
    if (cells) {
        t->strangers = pages_new((size_t)t->cells * ROWS);
        if (!t->strangers) {
            table_free(t);
            return ERR_NOMEM;
        }
    }
    return 0;
}

void table_free(struct table *t)
{
    pages_free(t->entries, table_slots(t) * t->entry_size);
    pages_free(t->strangers, (size_t)t->cells * ROWS);
    *t = (struct table){0};
}

void table_present(struct table *t)
{
    pages_present(t->entries, table_slots(t) * t->entry_size);
    if (t->strangers)
        pages_present(t->strangers, (size_t)t->cells * ROWS);
}

static unsigned char *bucket_of(const struct table *t, uint64_t key)
{
    uint64_t bucket = (key >> 32) * t->buckets >> 32;

    return t->entries + bucket * TABLE_WAYS * t->entry_size;
}

void *table_find(const struct table *t, uint64_t key)
{
    unsigned char *entry = bucket_of(t, key);

    for (int i = 0; i < TABLE_WAYS; i++, entry += t->entry_size)
        if (key_of(entry) == key)
            return entry;
    return NULL;
}

/* One more time that `key` was turned away; about how often that was, without what strangers have on average.
 * Only the lower cell grows (conservative update): less is counted too much. */
static uint32_t stranger(struct table *t, uint64_t key)
{
    uint8_t *row[ROWS];
    uint8_t least = UINT8_MAX;
    uint64_t noise;

    if (!t->strangers)
        return 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        uint32_t part = (uint32_t)(i ? key * UINT64_C(0x9e3779b97f4a7c15) >> 32 : key);

        row[i] = t->strangers + (size_t)i * t->cells + ((uint64_t)part * t->cells >> 32);
        least = *row[i] < least ? *row[i] : least;
    }
    least = least < UINT8_MAX ? least + 1 : least;
    for (int i = 0; i < ROWS; i++)
        *row[i] = *row[i] < least ? least : *row[i];
    t->strange++;
    noise = 2 * (t->strange / t->cells);
    return least > noise ? (uint32_t)(least - noise) : 0;
}

static void *settle(struct table *t, unsigned char *entry, uint64_t key)
{
    memset(entry, 0, t->entry_size);
    memcpy(entry, &key, sizeof(key));
    return entry;
}

void *table_take(struct table *t, uint64_t key, const struct table_rank *rank)
{
    unsigned char *entry = bucket_of(t, key), *least = NULL;
    uint32_t weight = UINT32_MAX;

    for (int i = 0; i < TABLE_WAYS; i++, entry += t->entry_size) {
        uint64_t has = key_of(entry);
        uint32_t w;

        if (has == key)
            return entry;
        w = has ? rank->weight(entry, rank->context) : 0;
        if (w < weight || !least) {
            least = entry;
            weight = w;
        }
    }
    if (weight > 0) {
        uint32_t newcomer = rank->newcomer + rank->unit * stranger(t, key);

        if (newcomer <= weight) {
            t->turned_away++;
            return NULL;
        }
        t->pushed_out++;
        if (rank->leaving)
            rank->leaving(least, rank->context);
    }
    return settle(t, least, key);
}

void table_drop(struct table *t, void *entry)
{
    memset(entry, 0, t->entry_size);
}

/* Eight cells at once. */
void table_halve(struct table *t, unsigned times)
{
    uint64_t keep = BYTES_EACH(times < 8 ? 0xffu >> times : 0);
    unsigned by = times < 8 ? times : 0;

    for (size_t i = 0; i < (size_t)t->cells * ROWS; i += sizeof(uint64_t)) {
        uint64_t cells = bytes_word((const char *)t->strangers + i) >> by & keep;

        memcpy(t->strangers + i, &cells, sizeof(cells));
    }
    t->strange = times < 64 ? t->strange >> times : 0;
}

void *table_at(const struct table *t, size_t slot)
{
    unsigned char *entry = t->entries + slot * t->entry_size;

    return key_of(entry) ? entry : NULL;
}

size_t table_bytes(const struct table *t)
{
    return table_slots(t) * t->entry_size + (size_t)t->cells * ROWS;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_GUARD_TABLE_H
#define SEKISHO_GUARD_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A bounded table of entries that begin with their key (uint64_t, a keyed hash, 0: free), in buckets of four.
 * Its memory is taken once.
 *
 * Who gives way to a newcomer when its bucket is full: the entry of the least weight, if that is less than the
 * newcomer's. A newcomer without history weighs what it is given. A table with a memory of strangers (a
 * count-min sketch of a byte a cell, two rows, halved once in `halve_s`) remembers about how often a newcomer
 * was turned away, and lets it weigh that. So an entry that has counted up is not pushed out by any number of newcomers with one attempt
 * each, and a newcomer that comes again and again gets its place in the end. The sketch counts too much where
 * keys meet in a cell; it only decides who gets a place and is never counted against anybody. What it has
 * on average for every stranger is taken off, so that a flood of strangers does not make each of them look busy.
 *
 * Nobody without the key of the hash can choose the bucket that he falls into.
 */
#define TABLE_WAYS 4

struct table {
    unsigned char *entries;
    size_t entry_size;
    uint32_t buckets;
    uint8_t *strangers; /* NULL: none */
    uint32_t cells;     /* of each row */
    uint64_t strange;   /* turned away since the last halving, halved with it */
    uint64_t turned_away;
    uint64_t pushed_out;
};

/* How entries weigh against each other: 0 is worth nothing. `leaving` (may be NULL) sees an entry of weight > 0
 * before a newcomer takes its place. */
struct table_rank {
    uint32_t (*weight)(const void *entry, const void *context);
    void (*leaving)(const void *entry, const void *context);
    const void *context;
    uint32_t newcomer; /* what it weighs at first … */
    uint32_t unit;     /* … and more for each time that it was turned away */
};

/* `bytes` for the entries (at least one bucket is made), `cells` (rounded up to 4) for each row of
 * strangers, 0 for none. ERR_NOMEM. */
int table_init(struct table *table, size_t bytes, size_t entry_size, uint32_t cells);
void table_free(struct table *table);    /* a zeroed one is fine */
void table_present(struct table *table); /* pages_present() */

/* NULL: not there. */
void *table_find(const struct table *table, uint64_t key);
/* The entry of `key`, or a place for it: zeroed but for the key. NULL: everybody there weighs more. */
void *table_take(struct table *table, uint64_t key, const struct table_rank *rank);
/* Frees the entry. */
void table_drop(struct table *table, void *entry);
/* Strangers are forgotten by half, so many times. */
void table_halve(struct table *table, unsigned times);

static inline size_t table_slots(const struct table *table)
{
    return (size_t)table->buckets * TABLE_WAYS;
}

/* For lists and sweeps: NULL when the slot is free. */
void *table_at(const struct table *table, size_t slot);
/* Bytes that it holds. */
size_t table_bytes(const struct table *table);

#endif

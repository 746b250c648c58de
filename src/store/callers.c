/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/callers.h"

#include <stdlib.h>

#include "store/store.h"

#define SIZE_FIRST 1024

void callers_init(struct callers *callers)
{
    *callers = (struct callers){0};
    randombytes_buf(callers->key, sizeof(callers->key));
}

void callers_free(struct callers *callers)
{
    free(callers->slots);
    callers->slots = NULL;
    callers->n = callers->size = 0;
}

void callers_forget(struct callers *callers)
{
    if (callers->size)
        memset(callers->slots, 0, callers->size * sizeof(callers->slots[0]));
    callers->n = 0;
}

static void hash_of(const struct callers *callers, int64_t switch_id, struct span name,
                    uint64_t out[2])
{
    unsigned char text[sizeof(switch_id) + STORE_ACCOUNT_NAME_MAX];

    memcpy(text, &switch_id, sizeof(switch_id));
    memcpy(text + sizeof(switch_id), name.p, name.n);
    crypto_shorthash_siphashx24((unsigned char *)out, text, sizeof(switch_id) + name.n,
                                callers->key);
}

/* Where it stands or belongs. */
static struct caller *slot_of(const struct callers *callers, const uint64_t hash[2])
{
    size_t mask = callers->size - 1;
    size_t i = hash[0] & mask;

    while (callers->slots[i].id &&
           (callers->slots[i].hash[0] != hash[0] || callers->slots[i].hash[1] != hash[1]))
        i = (i + 1) & mask;
    return &callers->slots[i];
}

static int grow(struct callers *callers, struct fault *f)
{
    struct callers larger = *callers;

    larger.size = callers->size ? callers->size * 2 : SIZE_FIRST;
    larger.slots = calloc(larger.size, sizeof(larger.slots[0]));
    if (!larger.slots)
        return fault_nomem(f);
    for (size_t i = 0; i < callers->size; i++)
        if (callers->slots[i].id)
            *slot_of(&larger, callers->slots[i].hash) = callers->slots[i];
    free(callers->slots);
    *callers = larger;
    return 0;
}

static int from_file(struct db *db, int64_t switch_id, struct span name, uint32_t *out,
                     struct fault *f)
{
    int64_t id = 0;
    bool found = false;
    int err = db_int(db, &id, &found, "SELECT id FROM callers WHERE switch = ?1 AND name = ?2",
                     DB_VALUES(INT(switch_id), TEXT(name)), f);

    if (!err && !found) {
        err = db_run(db, "INSERT INTO callers (switch, name) VALUES (?1, ?2)",
                     DB_VALUES(INT(switch_id), TEXT(name)), f);
        id = db_last_id(db);
    }
    if (!err && (id < 1 || id > UINT32_MAX))
        err = fault(f, ERR_FULL, "%s has no room for another caller", db_path(db));
    if (!err)
        *out = (uint32_t)id;
    return err;
}

int callers_find(struct callers *callers, struct db *db, int64_t switch_id, struct span name,
                 uint32_t *out, struct fault *f)
{
    uint64_t hash[2];
    struct caller *slot;
    int err = 0;

    if (callers->n >= CALLERS_MAX)
        callers_forget(callers);
    if (callers->n * 2 >= callers->size)
        err = grow(callers, f);
    if (err)
        return err;
    hash_of(callers, switch_id, name, hash);
    slot = slot_of(callers, hash);
    if (!slot->id) {
        uint32_t id = 0;

        err = from_file(db, switch_id, name, &id, f);
        if (err)
            return err;
        *slot = (struct caller){{hash[0], hash[1]}, id};
        callers->n++;
    }
    *out = slot->id;
    return 0;
}

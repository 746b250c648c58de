/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/bulk.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/bulk_impl.h"
#include "store/names.h"

#define TEXT_BLOCK 65536
#define NONE_YET UINT32_MAX

int bulk_new(struct bulk **out, bool keep, struct bulk_progress *progress, struct fault *f)
{
    struct bulk *b = calloc(1, sizeof(*b));

    if (!b)
        return fault_nomem(f);
    b->keep = keep;
    b->progress = progress;
    b->rows_max = BULK_ROWS_MAX;
    b->rules_max = BULK_RULES_MAX;
    randombytes_buf(b->key, sizeof(b->key));
    *out = b;
    return 0;
}

void bulk_free(struct bulk *b)
{
    if (!b)
        return;
    arena_free(&b->arena);
    free(b->rows);
    free(b->homes);
    free(b->sets);
    free(b->by_name.slots);
    free(b->by_home.slots);
    free(b->by_switch.slots);
    free(b->by_set.slots);
    free(b);
}

size_t bulk_rows(const struct bulk *b)
{
    return b->n;
}

const struct bulk_faults *bulk_faults(const struct bulk *b)
{
    return &b->faults;
}

bool bulk_cancelled(const struct bulk *b)
{
    return b->progress && __atomic_load_n(&b->progress->cancelled, __ATOMIC_RELAXED);
}

int bulk_look(const struct bulk *b, struct fault *f)
{
    return bulk_cancelled(b)
               ? fault(f, ERR_CONFLICT, "the import was cancelled: nothing was imported")
               : 0;
}

void bulk_phase(const struct bulk *b, enum bulk_phase phase, uint64_t done, uint64_t total)
{
    if (!b->progress)
        return;
    __atomic_store_n(&b->progress->phase, (int)phase, __ATOMIC_RELAXED);
    __atomic_store_n(&b->progress->total, total, __ATOMIC_RELAXED);
    __atomic_store_n(&b->progress->done, done, __ATOMIC_RELAXED);
}

/* ---- faults --------------------------------------------------------------------------------- */

static void tell(struct store_import_fault *told, uint64_t line, const char *why)
{
    told->line = line;
    int n = snprintf(told->text, sizeof(told->text), "%s", why);
    if (n >= (int)sizeof(told->text))
        memcpy(told->text + sizeof(told->text) - 4, "...", 4);
}

/* The first lines are kept, in order, whenever they are found. */
int bulk_refuse(struct bulk *b, uint64_t line, const struct fault *why, struct fault *f)
{
    struct bulk_faults *faults = &b->faults;
    size_t n = faults->n < STORE_IMPORT_FAULTS ? faults->n : STORE_IMPORT_FAULTS;
    size_t at = n;

    if (why->code == ERR_NOMEM)
        return fault_nomem(f);
    faults->n++;
    while (at && faults->first[at - 1].line > line)
        at--;
    if (at == STORE_IMPORT_FAULTS)
        return 0;
    if (n == STORE_IMPORT_FAULTS)
        n--;
    memmove(&faults->first[at + 1], &faults->first[at], (n - at) * sizeof(*faults->first));
    tell(&faults->first[at], line, why->text);
    return 0;
}

int bulk_note(struct bulk *b, int err, const struct fault *said, const char **why, struct fault *f)
{
    bool ok = true;

    if (!err)
        return 0;
    if (!bulk_row_fault(err)) {
        *f = *said;
        return err;
    }
    *why = arena_copy(&b->arena, span_of(said->text), &ok).p;
    return ok ? 0 : fault_nomem(f);
}

int bulk_fault(const struct bulk *b, struct fault *f)
{
    if (!b->faults.n) /* it was there, and has gone while we looked for it */
        return fault(f, ERR_RANGE, "nothing was imported: an account was there already; try again");
    return fault(f, ERR_RANGE, "nothing was imported: line %" PRIu64 ": %s (%" PRIu64 " fault%s)",
                 b->faults.first[0].line, b->faults.first[0].text, b->faults.n,
                 b->faults.n == 1 ? "" : "s");
}

/* ---- things by their hash ------------------------------------------------------------------- */

static void index_set(struct bulk_index *x, uint64_t slot)
{
    size_t at = (size_t)(slot >> 32) & (x->cap - 1);

    while (x->slots[at])
        at = at + 1 < x->cap ? at + 1 : 0;
    x->slots[at] = slot;
}

static int index_grow(struct bulk_index *x, struct fault *f)
{
    struct bulk_index more = {.n = x->n, .cap = x->cap ? 2 * x->cap : 64};

    more.slots = calloc(more.cap, sizeof(*more.slots));
    if (!more.slots)
        return fault_nomem(f);
    for (size_t i = 0; i < x->cap; i++)
        if (x->slots[i])
            index_set(&more, x->slots[i]);
    free(x->slots);
    *x = more;
    return 0;
}

/* Finds the number with this hash for which `same` holds, else puts `fresh` there; NONE_YET is not put. */
static int index_find(struct bulk *b, struct bulk_index *x, uint64_t hash, uint32_t fresh,
                      bool (*same)(const struct bulk *b, uint32_t i, const void *key),
                      const void *key, uint32_t *out, struct fault *f)
{
    uint64_t upper = hash & ~(uint64_t)UINT32_MAX;
    int err = 2 * x->n >= x->cap ? index_grow(x, f) : 0;

    if (err)
        return err;
    size_t at = (size_t)(hash >> 32) & (x->cap - 1);
    for (; x->slots[at]; at = at + 1 < x->cap ? at + 1 : 0) {
        uint32_t i = (uint32_t)x->slots[at] - 1;
        if ((x->slots[at] & ~(uint64_t)UINT32_MAX) == upper && same(b, i, key)) {
            *out = i;
            return 0;
        }
    }
    *out = fresh;
    if (fresh == NONE_YET)
        return 0;
    x->slots[at] = upper | (fresh + 1);
    x->n++;
    return 0;
}

static uint64_t hash_of(const struct bulk *b, uint64_t first, struct span s)
{
    unsigned char text[sizeof(first) + 2 * (STORE_NAME_MAX + 1) + STORE_ACCOUNT_NAME_MAX];
    uint64_t hash;
    size_t n = s.n < sizeof(text) - sizeof(first) ? s.n : sizeof(text) - sizeof(first);

    if (n < s.n)
        first = hash_of(b, first, span_skip(s, n));
    memcpy(text, &first, sizeof(first));
    if (n)
        memcpy(text + sizeof(first), s.p, n);
    crypto_shorthash((unsigned char *)&hash, text, sizeof(first) + n, b->key);
    return hash;
}

/* Room for one more of what is counted by `n`. */
static int reserve(void **items, size_t n, size_t *cap, size_t size, struct fault *f)
{
    size_t more = *cap ? 2 * *cap : 16;
    void *p;

    if (n < *cap)
        return 0;
    p = reallocarray(*items, more, size);
    if (!p)
        return fault_nomem(f);
    *items = p;
    *cap = more;
    return 0;
}

/* ---- homes ---------------------------------------------------------------------------------- */

static bool same_home(const struct bulk *b, uint32_t i, const void *key)
{
    const struct store_account *a = key;

    return span_eq(b->homes[i].switch_name, a->switch_name) &&
           span_eq(b->homes[i].tenant, a->tenant);
}

static bool same_switch(const struct bulk *b, uint32_t i, const void *key)
{
    return span_eq(b->homes[i].switch_name, *(const struct span *)key);
}

static int add_home(struct bulk *b, const struct store_account *a, struct fault *f)
{
    bool ok = true;
    struct bulk_home home = {
        .switch_name = arena_copy(&b->arena, a->switch_name, &ok),
        .tenant = arena_copy(&b->arena, a->tenant, &ok),
    };
    int err = ok ? index_find(b, &b->by_switch, hash_of(b, 0, home.switch_name),
                              (uint32_t)b->n_homes, same_switch, &home.switch_name, &home.first, f)
                 : fault_nomem(f);

    if (!err)
        b->homes[b->n_homes++] = home;
    return err;
}

/* Neighbouring rows mostly belong together. */
static int find_home(struct bulk *b, const struct store_account *a, uint32_t *out, struct fault *f)
{
    if (b->n && same_home(b, b->rows[b->n - 1].home, a)) {
        *out = b->rows[b->n - 1].home;
        return 0;
    }
    int err = reserve((void **)&b->homes, b->n_homes, &b->homes_cap, sizeof(*b->homes), f);
    if (!err)
        err = index_find(b, &b->by_home, hash_of(b, hash_of(b, 0, a->switch_name), a->tenant),
                         (uint32_t)b->n_homes, same_home, a, out, f);
    return !err && *out == b->n_homes ? add_home(b, a, f) : err;
}

int bulk_homes(struct bulk *b,
               int (*each)(void *arg, struct span *switch_name, struct span *tenant,
                           struct fault *f),
               void *arg, struct fault *f)
{
    int err = 0;

    for (size_t i = 0; !err && i < b->n_homes; i++) {
        struct bulk_home *home = &b->homes[i];
        struct span switch_name = home->switch_name, tenant = home->tenant;
        struct fault said = {0};
        bool ok = true;

        err = bulk_note(b, each(arg, &switch_name, &tenant, &said), &said, &home->barred, f);
        home->switch_name = arena_copy(&b->arena, switch_name, &ok);
        home->tenant = arena_copy(&b->arena, tenant, &ok);
        if (!err && !ok)
            err = fault_nomem(f);
    }
    return err;
}

/* ---- rules ---------------------------------------------------------------------------------- */

static bool same_rule(const struct rule *a, const struct rule *b)
{
    return a->action == b->action && a->mandatory == b->mandatory && a->until == b->until &&
           span_eq(a->prefix, b->prefix) && span_eq(a->schedule, b->schedule);
}

static bool same_set(const struct bulk *b, uint32_t i, const void *key)
{
    const struct bulk_set *set = &b->sets[i], *wanted = key;

    if (set->n != wanted->n)
        return false;
    for (size_t k = 0; k < set->n; k++)
        if (!same_rule(&set->rules[k], &wanted->rules[k]))
            return false;
    return true;
}

static int add_set(struct bulk *b, const struct rule *rules, size_t n, struct fault *f)
{
    struct rule *copy = arena_alloc(&b->arena, (n + 1) * sizeof(*copy));
    bool ok = copy != NULL;

    for (size_t i = 0; ok && i < n; i++) {
        copy[i] = rules[i];
        copy[i].prefix = arena_copy(&b->arena, rules[i].prefix, &ok);
        copy[i].schedule = arena_copy(&b->arena, rules[i].schedule, &ok);
    }
    if (!ok)
        return fault_nomem(f);
    b->sets[b->n_sets++] = (struct bulk_set){.rules = copy, .n = n};
    b->n_rules += n;
    return 0;
}

int bulk_rules(struct bulk *b, const struct rule *rules, size_t n, uint32_t *set, struct fault *f)
{
    const struct bulk_set key = {.rules = rules, .n = n};
    uint64_t hash = n;

    for (size_t i = 0; i < n; i++) {
        hash = hash_of(b, hash + rules[i].action, rules[i].prefix);
        hash = hash_of(b, hash + (uint64_t)rules[i].until, rules[i].schedule);
    }
    bool fits = n <= b->rules_max - b->n_rules;
    int err = reserve((void **)&b->sets, b->n_sets, &b->sets_cap, sizeof(*b->sets), f);
    if (!err)
        err = index_find(b, &b->by_set, hash, fits ? (uint32_t)b->n_sets : NONE_YET, same_set, &key,
                         set, f);
    if (!err && *set == NONE_YET)
        err = fault(f, ERR_RANGE, "the rows have more than %zu different rules", b->rules_max);
    return !err && *set == b->n_sets ? add_set(b, rules, n, f) : err;
}

/* ---- rows ----------------------------------------------------------------------------------- */

struct name_key {
    uint32_t first; /* home */
    struct span name;
};

static bool same_name(const struct bulk *b, uint32_t i, const void *key)
{
    const struct name_key *k = key;
    const struct bulk_row *row = &b->rows[i];

    return row->name_n == k->name.n && memcmp(row->name, k->name.p, k->name.n) == 0 &&
           b->homes[row->home].first == k->first;
}

static const char *keep_text(struct bulk *b, struct span s)
{
    if (s.n > b->text_left) {
        b->text = arena_alloc(&b->arena, TEXT_BLOCK);
        b->text_left = b->text ? TEXT_BLOCK : 0;
        if (!b->text)
            return NULL;
    }
    char *p = b->text;
    if (s.n)
        memcpy(p, s.p, s.n);
    b->text += s.n;
    b->text_left -= s.n;
    return p ? p : "";
}

/* Refuses a name that an earlier line has on the same switch. */
static int find_twin(struct bulk *b, uint32_t home, struct span name, uint32_t row, struct fault *f)
{
    struct name_key key = {b->homes[home].first, name};
    uint32_t twin = NONE_YET;

    if (b->keep)
        return 0;
    int err =
        index_find(b, &b->by_name, hash_of(b, key.first, name), row, same_name, &key, &twin, f);
    if (!err && twin != row)
        err = fault(f, ERR_EXISTS, "the account \"%.*s\" stands on line %" PRIu32 " already",
                    SPAN_FMT(name), b->rows[twin].line);
    return err;
}

static int append(struct bulk *b, const struct store_import_row *in, uint32_t set, struct fault *f)
{
    char name[STORE_ACCOUNT_NAME_MAX + 1];
    const struct store_account *a = &in->account;
    struct bulk_row row = {.line = (uint32_t)in->line, .set = set, .state = (uint8_t)a->state};
    int err = account_name_clean(a->name, name, f);

    if (!err && a->note.n)
        err = text_check(a->note, STORE_TEXT_MAX, "the note", f);
    if (!err)
        err = reserve((void **)&b->rows, b->n, &b->cap, sizeof(*b->rows), f);
    if (!err && b->n == b->rows_max)
        err = fault(f, ERR_RANGE, "there are more than %zu rows", b->rows_max);
    if (!err)
        err = find_home(b, a, &row.home, f);
    if (!err)
        err = find_twin(b, row.home, (struct span){name, a->name.n}, (uint32_t)b->n, f);
    if (err)
        return err;
    row.name_n = (uint8_t)a->name.n;
    row.note_n = (uint16_t)a->note.n;
    row.name = keep_text(b, (struct span){name, a->name.n});
    row.note = row.name ? keep_text(b, a->note) : NULL;
    if (!row.note)
        return fault_nomem(f);
    b->rows[b->n++] = row;
    return 0;
}

int bulk_add(struct bulk *b, const struct store_import_row *row, uint32_t set, struct fault *f)
{
    struct fault why = {0};
    int err = append(b, row, set, &why);

    why.code = err;
    return err ? bulk_refuse(b, row->line, &why, f) : 0;
}

int bulk_find_mixed(struct bulk *b, struct fault *f)
{
    int err = 0;

    for (size_t i = 0; i < b->n_homes; i++)
        for (uint32_t k = 0; k < i && b->homes[i].first == i; k++)
            if (b->homes[k].at.switch_id == b->homes[i].at.switch_id)
                b->homes[i].first = b->homes[k].first;
    for (size_t i = 0; i < b->n_homes; i++)
        b->homes[i].first = b->homes[b->homes[i].first].first;
    free(b->by_name.slots);
    b->by_name = (struct bulk_index){0};
    for (size_t i = 0; !err && i < b->n; i++) {
        struct fault why = {0};
        struct span name = {b->rows[i].name, b->rows[i].name_n};

        why.code = find_twin(b, b->rows[i].home, name, (uint32_t)i, &why);
        if (why.code)
            err = bulk_refuse(b, b->rows[i].line, &why, f);
    }
    return err;
}

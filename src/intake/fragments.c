/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/fragments.h"

#include <sodium.h>
#include <stdlib.h>

#define KEEP_NS (30 * INT64_C(1000000000))
#define DATAGRAM_MAX 65535
#define UNITS ((DATAGRAM_MAX + 7) / 8)
#define WORDS ((UNITS + 63) / 64)

struct slot {
    struct fragment of; /* its bytes are not used; family 0: free */
    int64_t begun_ns;
    uint32_t length; /* of the whole; 0 while the last fragment has not come */
    uint32_t have;   /* bytes */
    uint64_t units[WORDS];
    char bytes[FRAGMENTS_KEPT];
};

struct fragments {
    uint8_t key[16];
    size_t buckets;
    struct slot *slots;
    char *pushed_out; /* the bytes of one, until the next call */
    struct fragments_figures figures;
};

struct fragments *fragments_new(size_t buckets, const uint8_t key[16])
{
    struct fragments *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->buckets = buckets;
    f->slots = calloc(buckets, FRAGMENTS_WAYS * sizeof(*f->slots));
    f->pushed_out = malloc(FRAGMENTS_KEPT);
    if (!f->slots || !f->pushed_out) {
        fragments_free(f);
        return NULL;
    }
    memcpy(f->key, key, sizeof(f->key));
    return f;
}

void fragments_free(struct fragments *f)
{
    if (!f)
        return;
    free(f->slots);
    free(f->pushed_out);
    free(f);
}

static bool same(const struct fragment *a, const struct fragment *b)
{
    return a->id == b->id && a->protocol == b->protocol && a->from.family == b->from.family &&
           memcmp(a->from.ip, b->from.ip, 16) == 0 && memcmp(a->to.ip, b->to.ip, 16) == 0;
}

static struct slot *bucket(const struct fragments *f, const struct fragment *fragment)
{
    uint64_t hash;

    crypto_shorthash((uint8_t *)&hash, fragment->from.ip, sizeof(fragment->from.ip), f->key);
    return &f->slots[hash % f->buckets * FRAGMENTS_WAYS];
}

static bool has(const struct slot *s, uint32_t unit)
{
    return s->units[unit / 64] >> unit % 64 & 1;
}

/* How many bytes there are from the first on. */
static size_t front(const struct slot *s)
{
    size_t n = 0;

    while (n < FRAGMENTS_KEPT && has(s, (uint32_t)(n / 8)))
        n += 8;
    return s->length && n > s->length ? s->length : n;
}

static void give(const struct slot *s, struct fragments_whole *out)
{
    *out = (struct fragments_whole){
        .from = s->of.from,
        .to = s->of.to,
        .protocol = s->of.protocol,
        .bytes = {s->bytes, front(s)},
    };
    out->cut = out->bytes.n < s->length || !s->length;
}

static void begin(struct slot *s, const struct fragment *fragment, int64_t boot_ns)
{
    s->of = *fragment;
    s->begun_ns = boot_ns;
    s->length = s->have = 0;
    memset(s->units, 0, sizeof(s->units));
}

/* Of the datagram, or one for it; then `out` may get what had to leave, and `n` tells. */
static struct slot *find(struct fragments *f, const struct fragment *fragment, int64_t boot_ns,
                         struct fragments_whole *out, int *n)
{
    struct slot *ways = bucket(f, fragment), *oldest = &ways[0];

    for (size_t i = 0; i < FRAGMENTS_WAYS; i++) {
        if (ways[i].of.from.family && boot_ns - ways[i].begun_ns >= KEEP_NS) {
            f->figures.given_up++;
            ways[i].of.from.family = 0;
        }
        if (ways[i].of.from.family && same(&ways[i].of, fragment))
            return &ways[i];
        if (oldest->of.from.family &&
            (!ways[i].of.from.family || ways[i].begun_ns < oldest->begun_ns))
            oldest = &ways[i];
    }
    if (oldest->of.from.family) {
        f->figures.pushed_out++;
        give(oldest, out);
        if (out->bytes.n) {
            memcpy(f->pushed_out, oldest->bytes, out->bytes.n);
            out->bytes.p = f->pushed_out;
            out->cut = true;
            *n = 1;
        }
    }
    begin(oldest, fragment, boot_ns);
    return oldest;
}

/* Has it bytes behind the end? */
static bool beyond(const struct slot *s, uint32_t end)
{
    for (uint32_t unit = (end + 7) / 8; unit < UNITS; unit++)
        if (has(s, unit))
            return true;
    return false;
}

enum put { PUT, PUT_AGAIN, PUT_OVERLAP };

static enum put put(struct slot *s, const struct fragment *fragment)
{
    uint32_t first = fragment->offset / 8u, end = (uint32_t)(fragment->offset + fragment->bytes.n);
    uint32_t units = (uint32_t)(fragment->bytes.n + 7) / 8, had = 0;

    for (uint32_t i = 0; i < units; i++)
        had += has(s, first + i);
    if (s->length && (end > s->length || (!fragment->more && end != s->length)))
        return PUT_OVERLAP;
    if (had)
        return had == units ? PUT_AGAIN : PUT_OVERLAP;
    for (uint32_t i = 0; i < units; i++)
        s->units[(first + i) / 64] |= UINT64_C(1) << (first + i) % 64;
    s->have += (uint32_t)fragment->bytes.n;
    if (fragment->offset < FRAGMENTS_KEPT) {
        size_t room = FRAGMENTS_KEPT - fragment->offset;

        memcpy(s->bytes + fragment->offset, fragment->bytes.p,
               fragment->bytes.n < room ? fragment->bytes.n : room);
    }
    if (!fragment->more) {
        s->length = end;
        return beyond(s, end) ? PUT_OVERLAP : PUT;
    }
    return PUT;
}

int fragments_take(struct fragments *f, const struct fragment *fragment, int64_t boot_ns,
                   struct fragments_whole out[2])
{
    int n = 0;

    f->figures.seen++;
    if (fragment->bytes.n == 0 || fragment->offset % 8 ||
        (fragment->more && fragment->bytes.n % 8) ||
        fragment->offset + fragment->bytes.n > DATAGRAM_MAX)
        return ERR_SYNTAX;
    struct slot *s = find(f, fragment, boot_ns, &out[0], &n);

    if (put(s, fragment) == PUT_OVERLAP) {
        f->figures.overlapping++;
        s->of.from.family = 0;
    } else if (s->length && s->have == s->length) {
        f->figures.whole++;
        give(s, &out[n++]);
        s->of.from.family = 0;
    }
    return n;
}

const struct fragments_figures *fragments_figures(const struct fragments *f)
{
    return &f->figures;
}

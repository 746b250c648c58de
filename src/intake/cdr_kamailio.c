/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/cdr_kamailio.h"

#include <sodium.h>
#include <stdlib.h>

#include "intake/cdr_word.h"

/* A call that was answered and has not ended. Its text stands behind it. */
struct call {
    struct call *next;            /* of the same bucket */
    struct call *older, *younger; /* by when they came */
    uint64_t place, hash;
    struct span tags[2], fields[CDR_ACC_FIELDS];
    int64_t start_ms;
    enum cdr_clock clock;
    char text[];
};

struct cdr_kamailio {
    struct cdr_zone zone;
    uint8_t key[crypto_shorthash_KEYBYTES];
    struct call **buckets;
    size_t mask, most;
    struct call *oldest, *youngest;
    struct call *given; /* whose text the last record shows */
    struct cdr_kamailio_figures figures;
};

int cdr_acc_field_named(struct span name)
{
    static const struct {
        const char *name;
        enum cdr_acc_field field;
    } names[] = {
        {"method", CDR_ACC_METHOD},     {"from_tag", CDR_ACC_FROM_TAG},
        {"to_tag", CDR_ACC_TO_TAG},     {"callid", CDR_ACC_CALLID},
        {"sip_code", CDR_ACC_SIP_CODE}, {"time", CDR_ACC_TIME},
        {"src_user", CDR_ACC_SRC},      {"caller", CDR_ACC_SRC},
        {"from_user", CDR_ACC_SRC},     {"account", CDR_ACC_ACCOUNT},
        {"auth_user", CDR_ACC_ACCOUNT}, {"username", CDR_ACC_ACCOUNT},
        {"dst_ouser", CDR_ACC_DIALLED}, {"dialled", CDR_ACC_DIALLED},
        {"to_user", CDR_ACC_DIALLED},   {"dst_user", CDR_ACC_SENT},
        {"callee", CDR_ACC_SENT},       {"ruri_user", CDR_ACC_SENT},
        {"dst_domain", CDR_ACC_TRUNK},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (span_eq_nocase(name, span_of(names[i].name)))
            return (int)names[i].field;
    return -1;
}

int cdr_acc_complete(const bool there[CDR_ACC_FIELDS], struct fault *f)
{
    if (there[CDR_ACC_METHOD] && there[CDR_ACC_CALLID] && there[CDR_ACC_SIP_CODE] &&
        there[CDR_ACC_TIME] && (there[CDR_ACC_DIALLED] || there[CDR_ACC_SENT]))
        return 0;
    return fault(
        f, ERR_MISSING,
        "no table of Kamailio's acc with the callee: there must be columns method, callid, "
        "sip_code, time, and dst_ouser or dst_user (modparam acc db_extra)");
}

int cdr_kamailio_new(struct cdr_kamailio **out, size_t open_calls, const struct tz *tz,
                     const uint8_t key[16], struct fault *f)
{
    struct cdr_kamailio *k = calloc(1, sizeof(*k));
    size_t buckets = 16;

    while (buckets < open_calls)
        buckets *= 2;
    if (!k || !(k->buckets = calloc(buckets, sizeof(struct call *)))) {
        free(k);
        return fault_nomem(f);
    }
    k->mask = buckets - 1;
    k->most = open_calls ? open_calls : 1;
    memcpy(k->key, key, sizeof(k->key));
    cdr_zone_begin(&k->zone, tz);
    *out = k;
    return 0;
}

void cdr_kamailio_free(struct cdr_kamailio *k)
{
    if (!k)
        return;
    while (k->oldest) {
        struct call *call = k->oldest;

        k->oldest = call->younger;
        free(call);
    }
    free(k->given);
    free(k->buckets);
    free(k);
}

/* ---- the table ---- */

static uint64_t hash_of(const struct cdr_kamailio *k, struct span callid)
{
    uint8_t out[crypto_shorthash_BYTES];
    uint64_t hash;

    crypto_shorthash(out, (const unsigned char *)(callid.p ? callid.p : ""), callid.n, k->key);
    memcpy(&hash, out, sizeof(hash));
    return hash;
}

static bool same_tags(const struct call *call, struct span a, struct span b)
{
    return (span_eq(call->tags[0], a) && span_eq(call->tags[1], b)) ||
           (span_eq(call->tags[0], b) && span_eq(call->tags[1], a));
}

static struct call *find(const struct cdr_kamailio *k, uint64_t hash,
                         const struct span fields[CDR_ACC_FIELDS])
{
    for (struct call *call = k->buckets[hash & k->mask]; call; call = call->next)
        if (call->hash == hash && span_eq(call->fields[CDR_ACC_CALLID], fields[CDR_ACC_CALLID]) &&
            same_tags(call, fields[CDR_ACC_FROM_TAG], fields[CDR_ACC_TO_TAG]))
            return call;
    return NULL;
}

static void take_out(struct cdr_kamailio *k, struct call *call)
{
    struct call **at = &k->buckets[call->hash & k->mask];

    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    *(call->older ? &call->older->younger : &k->oldest) = call->younger;
    *(call->younger ? &call->younger->older : &k->youngest) = call->older;
    k->figures.open--;
    free(k->given);
    k->given = call;
}

static struct call *call_new(const struct span fields[CDR_ACC_FIELDS])
{
    struct call *call;
    size_t n = 0;
    char *to;

    for (size_t i = 0; i < CDR_ACC_FIELDS; i++)
        n += fields[i].n;
    call = calloc(1, sizeof(*call) + n);
    if (!call)
        return NULL;
    to = call->text;
    for (size_t i = 0; i < CDR_ACC_FIELDS; i++) {
        if (fields[i].n)
            memcpy(to, fields[i].p, fields[i].n);
        call->fields[i] = (struct span){to, fields[i].n};
        to += fields[i].n;
    }
    call->tags[0] = call->fields[CDR_ACC_FROM_TAG];
    call->tags[1] = call->fields[CDR_ACC_TO_TAG];
    return call;
}

static void put_in(struct cdr_kamailio *k, struct call *call)
{
    call->next = k->buckets[call->hash & k->mask];
    k->buckets[call->hash & k->mask] = call;
    call->older = k->youngest;
    *(k->youngest ? &k->youngest->younger : &k->oldest) = call;
    k->youngest = call;
    k->figures.open++;
}

/* ---- rows ---- */

/* 2461369.32445: days from noon of the first day of -4712, UTC. */
static bool julian(struct span s, int64_t *ms)
{
    struct span fraction, whole = span_cut(s, '.', &fraction);
    int64_t days, parts = 0, scale = 1;

    if (whole.n != 7 || !cdr_number(whole, 9999999, &days) || days < 2440588)
        return false;
    /* Nine digits are a tenth of a millisecond. */
    for (size_t i = 0; i < fraction.n && i < 9; i++) {
        unsigned digit = (unsigned char)fraction.p[i] - (unsigned)'0';

        if (digit > 9)
            return false;
        parts = parts * 10 + (int64_t)digit;
        scale *= 10;
    }
    *ms = (days - 2440587) * 86400000 - 43200000 + (parts * 86400000 + scale / 2) / scale;
    return true;
}

static int read_time(struct cdr_kamailio *k, struct span text, int64_t *ms, enum cdr_clock *clock,
                     struct fault *f)
{
    struct cdr c = {.clock = CDR_CLOCK_ONCE};
    int64_t local;
    int err = 0;

    if (!julian(text, &c.start_ms)) {
        if (!cdr_time_read(text, &local))
            return fault(f, ERR_SYNTAX,
                         "time \"%s\" is no time such as 2026-11-24 02:33:02, and no Julian day",
                         ESCAPED(text));
        err = cdr_zone_start(&k->zone, local, 0, &c, f);
    }
    if (err || (err = cdr_time_check(c.start_ms, f)))
        return err;
    *ms = c.start_ms;
    *clock = c.clock;
    return 0;
}

/* Tells the branches of a forked call apart; the same whoever of both comes first. */
static int64_t branch(struct span a, struct span b)
{
    bool swap = a.n != b.n ? a.n > b.n : a.n && memcmp(a.p, b.p, a.n) > 0;
    struct span parts[2] = {swap ? b : a, swap ? a : b};
    crypto_generichash_state state;
    uint8_t out[crypto_generichash_BYTES_MIN];
    int64_t value;

    crypto_generichash_init(&state, NULL, 0, sizeof(out));
    for (size_t i = 0; i < 2; i++) {
        uint64_t n = parts[i].n;

        crypto_generichash_update(&state, (const unsigned char *)&n, sizeof(n));
        if (n)
            crypto_generichash_update(&state, (const unsigned char *)parts[i].p, n);
    }
    crypto_generichash_final(&state, out, sizeof(out));
    memcpy(&value, out, sizeof(value));
    return value & INT64_MAX;
}

static struct cdr record(const struct span fields[CDR_ACC_FIELDS], int64_t start_ms,
                         enum cdr_clock clock, enum cdr_outcome outcome)
{
    return (struct cdr){
        .account = fields[CDR_ACC_ACCOUNT],
        .src = fields[CDR_ACC_SRC],
        .dialled = fields[fields[CDR_ACC_DIALLED].n ? CDR_ACC_DIALLED : CDR_ACC_SENT],
        .sent = fields[CDR_ACC_SENT],
        .trunk = fields[CDR_ACC_TRUNK],
        .id = fields[CDR_ACC_CALLID],
        .sequence = branch(fields[CDR_ACC_FROM_TAG], fields[CDR_ACC_TO_TAG]),
        .start_ms = start_ms,
        .clock = clock,
        .outcome = outcome,
    };
}

/* Takes a call out of the table, and makes of it what it was. */
static void give(struct cdr_kamailio *k, struct call *call, struct cdr *out)
{
    take_out(k, call);
    *out = record(call->fields, call->start_ms, call->clock, CDR_ANSWERED);
    out->unended = true;
}

static int answered(struct cdr_kamailio *k, const struct span fields[CDR_ACC_FIELDS], uint64_t hash,
                    uint64_t place, struct cdr *out, struct fault *f)
{
    struct call *call;
    int64_t ms;
    enum cdr_clock clock;
    int err, given = 0;

    if ((err = read_time(k, fields[CDR_ACC_TIME], &ms, &clock, f)))
        return err;
    /* A later INVITE within the call, or the answer once more. */
    if (find(k, hash, fields))
        return 0;
    call = call_new(fields);
    if (!call)
        return fault_nomem(f);
    call->hash = hash;
    call->place = place;
    call->start_ms = ms;
    call->clock = clock;
    if (k->figures.open >= k->most) {
        give(k, k->oldest, out);
        k->figures.displaced++;
        given = 1;
    }
    put_in(k, call);
    return given;
}

static int ended(struct cdr_kamailio *k, const struct span fields[CDR_ACC_FIELDS], uint64_t hash,
                 struct cdr *out, struct fault *f)
{
    struct call *call = find(k, hash, fields);
    enum cdr_clock clock;
    int64_t ms, seconds;
    int err = read_time(k, fields[CDR_ACC_TIME], &ms, &clock, f);

    if (err)
        return err;
    if (!call) {
        k->figures.ends++;
        return 0;
    }
    give(k, call, out);
    out->unended = false;
    /* Clocks may be set back meanwhile. */
    seconds = ms > call->start_ms ? (ms - call->start_ms + 500) / 1000 : 0;
    out->billed_s = seconds < UINT32_MAX ? (uint32_t)seconds : UINT32_MAX;
    out->total_s = out->billed_s;
    return 1;
}

int cdr_kamailio_row(struct cdr_kamailio *k, const struct span fields[CDR_ACC_FIELDS],
                     uint64_t place, struct cdr *out, struct fault *f)
{
    bool invite = span_is(fields[CDR_ACC_METHOD], "INVITE");
    uint64_t hash = hash_of(k, fields[CDR_ACC_CALLID]);
    enum cdr_clock clock;
    int64_t status, ms;
    int err;

    if (!invite && !span_is(fields[CDR_ACC_METHOD], "BYE"))
        return 0;
    if (fields[CDR_ACC_CALLID].n == 0)
        return fault(f, ERR_SYNTAX, "a row of a call without a Call-ID");
    if (!cdr_number(fields[CDR_ACC_SIP_CODE], 699, &status) || status < 100)
        return fault(f, ERR_SYNTAX, "\"%s\" is no status of SIP",
                     ESCAPED(fields[CDR_ACC_SIP_CODE]));
    if (!invite)
        return ended(k, fields, hash, out, f);
    if (fields[CDR_ACC_DIALLED].n == 0 && fields[CDR_ACC_SENT].n == 0)
        return 0;
    if (status < 300)
        return status < 200 ? 0 : answered(k, fields, hash, place, out, f);
    /* The first half of authentication is no call; nor is what fails within one. */
    if (status == 401 || status == 407 || find(k, hash, fields))
        return 0;
    if ((err = read_time(k, fields[CDR_ACC_TIME], &ms, &clock, f)))
        return err;
    *out = record(fields, ms, clock, cdr_outcome_of_sip((unsigned)status));
    return 1;
}

bool cdr_kamailio_drain(struct cdr_kamailio *k, struct cdr *out)
{
    if (!k->oldest)
        return false;
    give(k, k->oldest, out);
    return true;
}

bool cdr_kamailio_oldest(const struct cdr_kamailio *k, uint64_t *place)
{
    if (!k->oldest)
        return false;
    *place = k->oldest->place;
    return true;
}

struct cdr_kamailio_figures cdr_kamailio_figures(const struct cdr_kamailio *k)
{
    return k->figures;
}

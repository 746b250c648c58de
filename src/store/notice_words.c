/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of kinds and states, addresses, pauses. */
#include "base/mail_address.h"
#include "store/notices.h"

static const char *const kinds[] = {
    [NOTICE_SWEEP_ANNOUNCED] = "sweep-announced",
    [NOTICE_SWEEP_APPLIED] = "sweep-applied",
    [NOTICE_SWEEP_UNDONE] = "sweep-undone",
    [NOTICE_RULE_LOOSENED] = "rule-loosened",
    [NOTICE_LOCKOUT] = "lockout",
    [NOTICE_TAKEOVER] = "takeover",
    [NOTICE_LOCK_ENDED] = "lock-ended",
    [NOTICE_TEST] = "test",
};
_Static_assert(sizeof(kinds) / sizeof(*kinds) == NOTICE_KINDS, "each has its name");

static const char *const states[] = {
    [NOTICE_WAITING] = "waiting",
    [NOTICE_SENDING] = "sending",
    [NOTICE_SENT] = "sent",
    [NOTICE_FAILED] = "failed",
};
_Static_assert(sizeof(states) / sizeof(*states) == NOTICE_STATES, "each has its name");

const char *notice_kind_name(enum notice_kind kind)
{
    return kinds[kind];
}

const char *notice_state_name(enum notice_state state)
{
    return states[state];
}

bool notice_kind_parse(struct span word, enum notice_kind *out)
{
    int i = span_among(word, kinds, NOTICE_KINDS);

    if (i >= 0)
        *out = (enum notice_kind)i;
    return i >= 0;
}

bool notice_state_parse(struct span word, enum notice_state *out)
{
    int i = span_among(word, states, NOTICE_STATES);

    if (i >= 0)
        *out = (enum notice_state)i;
    return i >= 0;
}

static bool among_first(struct span mail, struct span address)
{
    for (struct span rest = mail; rest.n;) {
        struct span one = span_cut(rest, ',', &rest);

        if (one.p == address.p)
            return false;
        if (span_eq_nocase(one, address))
            return true;
    }
    return false;
}

int notice_addresses_check(struct span mail, struct fault *f)
{
    size_t n = 0;

    for (struct span rest = mail; rest.p && mail.n;) {
        struct span one = span_cut(rest, ',', &rest);

        if (!mail_address_ok(one))
            return fault(f, ERR_SYNTAX,
                         "\"%s\" is no mail address that can be told: name@host.example, in ASCII",
                         ESCAPED(one));
        if (among_first(mail, one))
            return fault(f, ERR_RANGE, "the address %s is there twice", ESCAPED(one));
        if (++n > NOTICE_ADDRESSES_MAX)
            return fault(f, ERR_RANGE, "there are more than %d addresses", NOTICE_ADDRESSES_MAX);
    }
    return 0;
}

int64_t notice_pause_ms(int64_t tries)
{
    static const int minutes[] = {1, 2, 5, 10, 20, 40, 80, 160, 240, 360, 480};
    const int64_t n = sizeof(minutes) / sizeof(*minutes);
    int64_t i = tries < 1 ? 0 : tries > n ? n - 1 : tries - 1;

    return (int64_t)minutes[i] * 60 * 1000;
}

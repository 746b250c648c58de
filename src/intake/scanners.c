/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/scanners.h"

/* Names that programs for attack give themselves and no telephone does. "sipp" is a load generator, and what
 * people test their own switch with: not here. */
static const struct span names[] = {
    {"friendly-scanner", sizeof("friendly-scanner") - 1},
    {"friendly-request", sizeof("friendly-request") - 1},
    {"sipvicious", sizeof("sipvicious") - 1},
    {"sundayddr", sizeof("sundayddr") - 1},
    {"sip-scan", sizeof("sip-scan") - 1},
    {"sipsak", sizeof("sipsak") - 1},
    {"sipcli", sizeof("sipcli") - 1},
    {"VaxSIPUserAgent", sizeof("VaxSIPUserAgent") - 1},
    {"pplsip", sizeof("pplsip") - 1},
    {"iWar", sizeof("iWar") - 1},
    {"siparmyknife", sizeof("siparmyknife") - 1},
    {"smap", sizeof("smap") - 1},
    {"sipptk", sizeof("sipptk") - 1},
    {"Nmap", sizeof("Nmap") - 1},
    {"masscan", sizeof("masscan") - 1},
    {"zmap", sizeof("zmap") - 1},
};

/* Their first two letters, small: hardly any others need a look at the names. */
static const bool first[256] = {
    ['f'] = true, ['i'] = true, ['m'] = true, ['n'] = true,
    ['p'] = true, ['s'] = true, ['v'] = true, ['z'] = true,
};
static const bool second[256] = {
    ['a'] = true, ['i'] = true, ['m'] = true, ['p'] = true,
    ['r'] = true, ['u'] = true, ['w'] = true,
};

static bool begins(struct span s)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].n <= s.n && (s.p[0] | 0x20) == (names[i].p[0] | 0x20) &&
            span_eq_nocase((struct span){s.p, names[i].n}, names[i]))
            return true;
    return false;
}

bool scanner_is(struct span user_agent)
{
    const unsigned char *p = (const unsigned char *)user_agent.p;

    for (size_t at = 0; at + 1 < user_agent.n; at++)
        if (first[p[at] | 0x20] && second[p[at + 1] | 0x20] && begins(span_skip(user_agent, at)))
            return true;
    return false;
}

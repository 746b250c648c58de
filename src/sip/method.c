/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sip/method.h"

#include "base/bytes.h"

static const struct span names[] = {
    [SIP_OTHER] = {"", 0},
#define METHOD(name) [SIP_##name] = {#name, sizeof(#name) - 1}
    METHOD(REGISTER),      METHOD(INVITE),    METHOD(ACK),    METHOD(CANCEL),  METHOD(BYE),
    METHOD(OPTIONS),       METHOD(SUBSCRIBE), METHOD(NOTIFY), METHOD(MESSAGE), METHOD(REFER),
    METHOD(INFO),          METHOD(UPDATE),    METHOD(PRACK),  METHOD(PUBLISH),
#undef METHOD
};

enum sip_method sip_method_find(struct span name, bool *exact)
{
    for (enum sip_method m = SIP_REGISTER; m <= SIP_PUBLISH; m++) {
        if (name.n == names[m].n && (name.p[0] | 0x20) == (names[m].p[0] | 0x20)) {
            *exact = bytes_equal(name.p, names[m].p, name.n);
            if (*exact || span_eq_nocase(name, names[m]))
                return m;
        }
    }
    *exact = true;
    return SIP_OTHER;
}

const char *sip_method_name(enum sip_method method)
{
    return names[method].p;
}

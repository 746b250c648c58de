/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sip/header.h"

#include "sip/scan.h"

/* Where the name of so many bytes, with such a first and last letter (small), stands in `slots`. No two
 * share a slot: the compiler would warn of an initializer that overrides another. */
#define SLOTS 128
#define SLOT(length, first, last) (((length) + (first) + 7 * (last)) % SLOTS)

/* The name, small, with its length, first and last letter. */
#define HEADER(header, name, first, last)                                                          \
    [SLOT(sizeof(name) - 1, first, last)] = {name, sizeof(name) - 1, SIP_H_##header}

#define LONG 30 /* the longest has 20; 32 bytes are found by a shift */
static const struct {
    char name[LONG];
    unsigned char n, header;
} slots[SLOTS] = {
    HEADER(VIA, "via", 'v', 'a'),
    HEADER(FROM, "from", 'f', 'm'),
    HEADER(TO, "to", 't', 'o'),
    HEADER(CALL_ID, "call-id", 'c', 'd'),
    HEADER(CSEQ, "cseq", 'c', 'q'),
    HEADER(CONTACT, "contact", 'c', 't'),
    HEADER(MAX_FORWARDS, "max-forwards", 'm', 's'),
    HEADER(CONTENT_LENGTH, "content-length", 'c', 'h'),
    HEADER(CONTENT_TYPE, "content-type", 'c', 'e'),
    HEADER(EXPIRES, "expires", 'e', 's'),
    HEADER(AUTHORIZATION, "authorization", 'a', 'n'),
    HEADER(PROXY_AUTHORIZATION, "proxy-authorization", 'p', 'n'),
    HEADER(WWW_AUTHENTICATE, "www-authenticate", 'w', 'e'),
    HEADER(PROXY_AUTHENTICATE, "proxy-authenticate", 'p', 'e'),
    HEADER(USER_AGENT, "user-agent", 'u', 't'),
    HEADER(SERVER, "server", 's', 'r'),
    HEADER(P_ASSERTED_IDENTITY, "p-asserted-identity", 'p', 'y'),
    HEADER(P_PREFERRED_IDENTITY, "p-preferred-identity", 'p', 'y'),
    HEADER(REMOTE_PARTY_ID, "remote-party-id", 'r', 'd'),
    HEADER(DIVERSION, "diversion", 'd', 'n'),
    HEADER(HISTORY_INFO, "history-info", 'h', 'o'),
    HEADER(PRIVACY, "privacy", 'p', 'y'),
    HEADER(ROUTE, "route", 'r', 'e'),
    HEADER(RECORD_ROUTE, "record-route", 'r', 'e'),
    HEADER(REQUIRE, "require", 'r', 'e'),
    HEADER(PROXY_REQUIRE, "proxy-require", 'p', 'e'),
    HEADER(SUPPORTED, "supported", 's', 'd'),
    HEADER(REFER_TO, "refer-to", 'r', 'o'),
    HEADER(REFERRED_BY, "referred-by", 'r', 'y'),
    HEADER(REPLACES, "replaces", 'r', 's'),
};

static const char *const names[SIP_HEADERS] = {
    [SIP_H_OTHER] = "",
    [SIP_H_VIA] = "Via",
    [SIP_H_FROM] = "From",
    [SIP_H_TO] = "To",
    [SIP_H_CALL_ID] = "Call-ID",
    [SIP_H_CSEQ] = "CSeq",
    [SIP_H_CONTACT] = "Contact",
    [SIP_H_MAX_FORWARDS] = "Max-Forwards",
    [SIP_H_CONTENT_LENGTH] = "Content-Length",
    [SIP_H_CONTENT_TYPE] = "Content-Type",
    [SIP_H_EXPIRES] = "Expires",
    [SIP_H_AUTHORIZATION] = "Authorization",
    [SIP_H_PROXY_AUTHORIZATION] = "Proxy-Authorization",
    [SIP_H_WWW_AUTHENTICATE] = "WWW-Authenticate",
    [SIP_H_PROXY_AUTHENTICATE] = "Proxy-Authenticate",
    [SIP_H_USER_AGENT] = "User-Agent",
    [SIP_H_SERVER] = "Server",
    [SIP_H_P_ASSERTED_IDENTITY] = "P-Asserted-Identity",
    [SIP_H_P_PREFERRED_IDENTITY] = "P-Preferred-Identity",
    [SIP_H_REMOTE_PARTY_ID] = "Remote-Party-ID",
    [SIP_H_DIVERSION] = "Diversion",
    [SIP_H_HISTORY_INFO] = "History-Info",
    [SIP_H_PRIVACY] = "Privacy",
    [SIP_H_ROUTE] = "Route",
    [SIP_H_RECORD_ROUTE] = "Record-Route",
    [SIP_H_REQUIRE] = "Require",
    [SIP_H_PROXY_REQUIRE] = "Proxy-Require",
    [SIP_H_SUPPORTED] = "Supported",
    [SIP_H_REFER_TO] = "Refer-To",
    [SIP_H_REFERRED_BY] = "Referred-By",
    [SIP_H_REPLACES] = "Replaces",
};

static enum sip_header by_letter(char letter)
{
    switch (letter) {
    case 'v': return SIP_H_VIA;
    case 'f': return SIP_H_FROM;
    case 't': return SIP_H_TO;
    case 'i': return SIP_H_CALL_ID;
    case 'm': return SIP_H_CONTACT;
    case 'l': return SIP_H_CONTENT_LENGTH;
    case 'c': return SIP_H_CONTENT_TYPE;
    case 'k': return SIP_H_SUPPORTED;
    case 'r': return SIP_H_REFER_TO;
    case 'b': return SIP_H_REFERRED_BY;
    }
    return SIP_H_OTHER;
}

enum sip_header sip_header_find(struct span name, const char *end)
{
    if (name.n < 2)
        return name.n ? by_letter(name.p[0] | 0x20) : SIP_H_OTHER;

    size_t at =
        SLOT(name.n, (unsigned char)(name.p[0] | 0x20), (unsigned char)(name.p[name.n - 1] | 0x20));

    if (slots[at].n != name.n)
        return SIP_H_OTHER;
    bool same = name.n <= 16 ? scan_name(name.p, end, slots[at].name, name.n)
                             : scan_same(name.p, slots[at].name, name.n);

    return same ? slots[at].header : SIP_H_OTHER;
}

const char *sip_header_name(enum sip_header header)
{
    return names[header];
}

bool sip_header_is_single(enum sip_header header)
{
    const uint32_t single = 1u << SIP_H_FROM | 1u << SIP_H_TO | 1u << SIP_H_CALL_ID |
                            1u << SIP_H_CSEQ | 1u << SIP_H_MAX_FORWARDS |
                            1u << SIP_H_CONTENT_LENGTH | 1u << SIP_H_CONTENT_TYPE |
                            1u << SIP_H_EXPIRES | 1u << SIP_H_USER_AGENT | 1u << SIP_H_SERVER |
                            1u << SIP_H_REFER_TO | 1u << SIP_H_REFERRED_BY | 1u << SIP_H_REPLACES;

    return single >> header & 1;
}

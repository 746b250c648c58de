/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

static const uint8_t v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void set_v6(struct address *out, const uint8_t ip[16])
{
    bool mapped = memcmp(ip, v4_mapped, sizeof(v4_mapped)) == 0;

    memset(out->ip, 0, sizeof(out->ip));
    out->family = mapped ? 4 : 6;
    memcpy(out->ip, mapped ? ip + 12 : ip, mapped ? 4 : 16);
}

/* True when `text` is a numeric address and nothing else. */
static bool parse_ip(struct span text, struct address *out)
{
    char copy[INET6_ADDRSTRLEN] = {0};
    struct address address = {0};
    uint8_t ip[16];

    if (text.n == 0 || text.n >= sizeof(copy) || memchr(text.p, '\0', text.n))
        return false;
    memcpy(copy, text.p, text.n);
    if (inet_pton(AF_INET, copy, ip) == 1) {
        address.family = 4;
        memcpy(address.ip, ip, 4);
    } else if (inet_pton(AF_INET6, copy, ip) == 1) {
        set_v6(&address, ip);
    } else {
        return false;
    }
    *out = address;
    return true;
}

/* Decimal digits only, at most `max`, no leading zero. */
static bool parse_number(struct span text, unsigned max, unsigned *out)
{
    unsigned value = 0;

    if (text.n == 0 || text.n > 5 || (text.n > 1 && text.p[0] == '0'))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text.p[i] - '0');
    }
    if (value > max)
        return false;
    *out = value;
    return true;
}

static bool parse_with_port(struct span text, struct address *out)
{
    struct span host, port;
    struct address address;
    unsigned number;
    bool bracketed = text.n && text.p[0] == '[';

    if (bracketed) {
        host = span_cut(span_skip(text, 1), ']', &port);
        if (port.n == 0 || port.p[0] != ':')
            return false;
        port = span_skip(port, 1);
    } else {
        host = span_cut(text, ':', &port);
    }
    if (!parse_ip(host, &address) || !parse_number(port, 65535, &number))
        return false;
    /* An IPv6 address needs its brackets, an IPv4 one has none. */
    if (bracketed != (memchr(host.p, ':', host.n) != NULL))
        return false;
    address.port = (uint16_t)number;
    *out = address;
    return true;
}

int address_parse(struct span text, struct address *out, struct fault *f)
{
    if (!parse_with_port(text, out))
        return fault(f, ERR_SYNTAX,
                     "\"%s\" is not an address with a port; allowed are IPv4:PORT and [IPv6]:PORT, "
                     "such as 127.0.0.1:4573 or [::1]:4573",
                     ESCAPED(text));
    return 0;
}

int address_parse_ip(struct span text, struct address *out, struct fault *f)
{
    if (!parse_ip(text, out))
        return fault(f, ERR_SYNTAX, "\"%s\" is not an IPv4 or IPv6 address", ESCAPED(text));
    return 0;
}

/* Clears what stands behind the prefix; true when it was clear. */
static bool mask(struct network *network)
{
    bool clear = true;

    for (unsigned bit = network->bits; bit < 128; bit++) {
        uint8_t at = (uint8_t)(0x80 >> (bit % 8));

        if (network->ip[bit / 8] & at)
            clear = false;
        network->ip[bit / 8] &= (uint8_t)~at;
    }
    return clear;
}

int network_parse(struct span text, struct network *out, struct fault *f)
{
    struct span bits_text;
    struct span host = span_cut(text, '/', &bits_text);
    struct address address;
    struct network network;
    char right[ADDRESS_TEXT_MAX];
    unsigned bits;

    if (!parse_ip(host, &address))
        return fault(f, ERR_SYNTAX,
                     "\"%s\" is not a network; allowed are an address and ADDRESS/BITS, such as "
                     "192.0.2.0/24 or 2001:db8::/32",
                     ESCAPED(text));
    unsigned most = address.family == 4 ? 32 : 128;

    bits = most;
    if (bits_text.p && !parse_number(bits_text, most, &bits))
        return fault(f, ERR_RANGE, "\"%s\" has a wrong prefix length; allowed is 0 to %u",
                     ESCAPED(text), most);
    network = (struct network){.family = address.family, .bits = (uint8_t)bits};
    memcpy(network.ip, address.ip, sizeof(network.ip));
    if (!mask(&network))
        return fault(f, ERR_RANGE, "\"%s\" has bits behind its prefix; the network would be %s",
                     ESCAPED(text), network_text(&network, right));
    *out = network;
    return 0;
}

char *address_ip_text(const struct address *address, char out[ADDRESS_TEXT_MAX])
{
    if (address->family == 0 ||
        !inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->ip, out, ADDRESS_TEXT_MAX))
        snprintf(out, ADDRESS_TEXT_MAX, "-");
    return out;
}

char *address_text(const struct address *address, char out[ADDRESS_TEXT_MAX])
{
    char ip[ADDRESS_TEXT_MAX];

    address_ip_text(address, ip);
    if (address->family == 0 || address->port == 0)
        snprintf(out, ADDRESS_TEXT_MAX, "%.45s", ip);
    else
        snprintf(out, ADDRESS_TEXT_MAX, address->family == 6 ? "[%.45s]:%u" : "%.45s:%u", ip,
                 (unsigned)address->port);
    return out;
}

char *network_text(const struct network *network, char out[ADDRESS_TEXT_MAX])
{
    struct address address = {.family = network->family};
    char ip[ADDRESS_TEXT_MAX];

    memcpy(address.ip, network->ip, sizeof(address.ip));
    address_ip_text(&address, ip);
    if (network->bits == (network->family == 4 ? 32 : 128))
        snprintf(out, ADDRESS_TEXT_MAX, "%.45s", ip);
    else
        snprintf(out, ADDRESS_TEXT_MAX, "%.45s/%u", ip, (unsigned)network->bits);
    return out;
}

bool address_is_loopback(const struct address *address)
{
    static const uint8_t v6_loopback[16] = {[15] = 1};

    if (address->family == 4)
        return address->ip[0] == 127;
    return address->family == 6 && memcmp(address->ip, v6_loopback, sizeof(v6_loopback)) == 0;
}

bool network_has(const struct network *network, const struct address *address)
{
    unsigned whole = network->bits / 8, rest = network->bits % 8;

    if (network->family == 0 || network->family != address->family ||
        memcmp(network->ip, address->ip, whole) != 0)
        return false;
    return rest == 0 || ((network->ip[whole] ^ address->ip[whole]) >> (8 - rest)) == 0;
}

struct address address_of(const struct sockaddr *sockaddr)
{
    struct address out = {0};

    if (sockaddr->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sockaddr;

        out.family = 4;
        memcpy(out.ip, &in->sin_addr, 4);
        out.port = ntohs(in->sin_port);
    } else if (sockaddr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)sockaddr;

        set_v6(&out, in->sin6_addr.s6_addr);
        out.port = ntohs(in->sin6_port);
    }
    return out;
}

socklen_t address_to(const struct address *address, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof(*out));
    if (address->family == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)(void *)out;

        in->sin_family = AF_INET;
        in->sin_port = htons(address->port);
        memcpy(&in->sin_addr, address->ip, 4);
        return sizeof(*in);
    }
    struct sockaddr_in6 *in = (struct sockaddr_in6 *)(void *)out;

    in->sin6_family = AF_INET6;
    in->sin6_port = htons(address->port);
    memcpy(in->sin6_addr.s6_addr, address->ip, 16);
    return sizeof(*in);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/guard_names.h"

#include "store/guard_records.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

char *guard_name_show(struct span raw, char out[GUARD_NAME_SHOWN_MAX])
{
    char cut[ACCOUNT_NAME_MAX];
    size_t n = raw.n < sizeof(cut) ? raw.n : sizeof(cut);

    for (size_t i = 0; i < n; i++)
        cut[i] = lower(raw.p[i]);
    return escape((struct span){cut, n}, out, GUARD_NAME_SHOWN_MAX);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of what was shown; 0 when it is none. */
static size_t read_byte(struct span s, char *out)
{
    if (s.p[0] != '\\') {
        *out = lower(s.p[0]);
        return 1;
    }
    if (s.n >= 2 && (s.p[1] == '\\' || s.p[1] == '"')) {
        *out = s.p[1];
        return 2;
    }
    if (s.n < 4 || s.p[1] != 'x' || hex_digit(s.p[2]) < 0 || hex_digit(s.p[3]) < 0)
        return 0;
    *out = (char)(hex_digit(s.p[2]) << 4 | hex_digit(s.p[3]));
    return 4;
}

int guard_name_read(struct span shown, char raw[ACCOUNT_NAME_MAX], size_t *n, struct fault *f)
{
    char bytes[ACCOUNT_NAME_MAX];
    size_t used = 0;

    for (struct span rest = shown; rest.n; used++) {
        char c;
        size_t took = read_byte(rest, &c);

        if (!took || used == sizeof(bytes))
            return fault(f, ERR_SYNTAX, "\"%s\" is no account: %s", ESCAPED(shown),
                         took ? "it is too long" : "behind a backslash stands x and two digits");
        bytes[used] = c;
        rest = span_skip(rest, took);
    }
    if (used == 0)
        return fault(f, ERR_SYNTAX, "no account is named");
    memcpy(raw, bytes, used);
    *n = used;
    return 0;
}

int store_guard_account(struct span shown, char raw[ACCOUNT_NAME_MAX], size_t *n, struct fault *f)
{
    return guard_name_read(shown, raw, n, f);
}

static size_t ip_bytes(uint8_t family)
{
    return family == 4 ? 4 : 16;
}

struct span guard_network_pack(const struct network *network, char out[GUARD_NETWORK_MAX])
{
    size_t n = ip_bytes(network->family);

    if (network->family != 4 && network->family != 6)
        return (struct span){out, 0};
    out[0] = (char)network->family;
    memcpy(out + 1, network->ip, n);
    out[n + 1] = (char)network->bits;
    return (struct span){out, n + 2};
}

struct network guard_network_unpack(struct span packed)
{
    struct network network = {0};

    if ((packed.n != 6 || packed.p[0] != 4) && (packed.n != 18 || packed.p[0] != 6))
        return network;
    network.family = (uint8_t)packed.p[0];
    memcpy(network.ip, packed.p + 1, packed.n - 2);
    network.bits = (uint8_t)packed.p[packed.n - 1];
    return network;
}

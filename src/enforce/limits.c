/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/limits.h"

void limits_init(struct limits *limits)
{
    *limits = (struct limits){.widest4 = 16, .widest6 = 32, .ports = {22}, .n_ports = 1};
}

int limits_trust(struct limits *limits, const struct network *network)
{
    return networks_add(network->family == 4 ? &limits->never4 : &limits->never6, network,
                        NETWORKS_FOREVER);
}

/* A decimal number of at most five digits; -1 for anything else. */
static int number(struct span text)
{
    int value = 0;

    if (!text.n || text.n > 5)
        return -1;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return -1;
        value = value * 10 + (text.p[i] - '0');
    }
    return value;
}

static int read_ceiling(uint8_t *widest, struct span text, int least, int most, struct fault *f)
{
    int bits = number(text);

    if (bits < least || bits > most)
        return fault(f, ERR_RANGE, "ceiling \"%s\"; allowed is %d to %d", ESCAPED(text), least,
                     most);
    *widest = (uint8_t)bits;
    return 0;
}

static int read_port(struct limits *limits, struct span text, struct fault *f)
{
    int port = number(text);

    if (port < 1 || port > 65535)
        return fault(f, ERR_RANGE, "never-port \"%s\"; allowed is 1 to 65535", ESCAPED(text));
    if (limits->n_ports == LIMITS_PORTS_MAX)
        return fault(f, ERR_FULL, "more than %d lines of never-port", LIMITS_PORTS_MAX - 1);
    limits->ports[limits->n_ports++] = (uint16_t)port;
    return 0;
}

static int read_line(struct limits *limits, struct span line, struct fault *f)
{
    static const struct span ipv4 = {"ceiling ipv4 ", 13}, ipv6 = {"ceiling ipv6 ", 13},
                             port = {"never-port ", 11};
    struct network network;

    if (span_starts(line, ipv4))
        return read_ceiling(&limits->widest4, span_trim(span_skip(line, ipv4.n)), 16, 32, f);
    if (span_starts(line, ipv6))
        return read_ceiling(&limits->widest6, span_trim(span_skip(line, ipv6.n)), 32, 128, f);
    if (span_starts(line, port))
        return read_port(limits, span_trim(span_skip(line, port.n)), f);
    int err = network_parse(line, &network, f);

    if (!err && limits_trust(limits, &network) != 0)
        err = fault(f, ERR_FULL, "more than %d networks", NETWORKS_MAX);
    return err;
}

int limits_read(struct limits *limits, struct span text, struct fault *f)
{
    for (unsigned at = 1; text.n; at++) {
        struct span comment;
        struct span line = span_trim(span_cut(span_cut(text, '\n', &text), '#', &comment));
        int err = line.n ? read_line(limits, line, f) : 0;

        if (err) {
            fault_in(f, "line %u", at);
            return err;
        }
    }
    return 0;
}

static bool too_wide(const struct limits *limits, const struct network *network)
{
    return network->bits < (network->family == 4 ? limits->widest4 : limits->widest6);
}

enum enforce_refusal limits_refuse_ban(const struct limits *limits, const struct network *network)
{
    if (too_wide(limits, network))
        return ENFORCE_TOO_WIDE;
    if (networks_cover(network->family == 4 ? &limits->never4 : &limits->never6, network) ||
        networks_cover(network->family == 4 ? &limits->asked4 : &limits->asked6, network))
        return ENFORCE_IS_NEVER;
    return 0;
}

enum enforce_refusal limits_trust_asked(struct limits *limits, const struct network *network)
{
    bool v4 = network->family == 4;
    const struct networks *file = v4 ? &limits->never4 : &limits->never6;
    struct networks *asked = v4 ? &limits->asked4 : &limits->asked6;

    if (too_wide(limits, network))
        return ENFORCE_TOO_WIDE;
    /* So that limits_never() always has room. */
    if (file->n + asked->n >= NETWORKS_MAX || networks_add(asked, network, NETWORKS_FOREVER) != 0)
        return ENFORCE_NO_ROOM;
    return 0;
}

void limits_untrust_asked(struct limits *limits)
{
    limits->asked4.n = 0;
    limits->asked6.n = 0;
}

void limits_never(const struct limits *limits, uint8_t family, struct networks *out)
{
    const struct networks *asked = family == 4 ? &limits->asked4 : &limits->asked6;

    *out = family == 4 ? limits->never4 : limits->never6;
    for (size_t i = 0; i < asked->n; i++)
        networks_add(out, &asked->of[i].network, NETWORKS_FOREVER);
}

enum enforce_refusal limits_refuse_port(const struct limits *limits, struct enforce_port port)
{
    if (port.port == 0)
        return ENFORCE_NOT_PORT;
    for (size_t i = 0; i < limits->n_ports; i++)
        if (limits->ports[i] == port.port)
            return ENFORCE_NOT_PORT;
    return 0;
}

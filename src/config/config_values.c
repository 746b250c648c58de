/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/config_values.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "config/config.h"
#include "policy/civil.h"

static bool may_be_empty(const struct config_key *key)
{
    return key->initial && key->initial[0] == '\0';
}

void config_value_allowed(const struct config_key *key, char *out, size_t size)
{
    const char *or_nothing = may_be_empty(key) ? ", or nothing" : "";
    size_t n = 0;

    switch (key->type) {
    case CONFIG_PATH: snprintf(out, size, "an absolute path%s", or_nothing); return;
    case CONFIG_NAME:
        snprintf(out, size, "letters, digits and \"._-\", at most 63%s", or_nothing);
        return;
    case CONFIG_TEXT:
        snprintf(out, size, "at most %d bytes of text%s", CONFIG_TEXT_MAX, or_nothing);
        return;
    case CONFIG_DIGITS: snprintf(out, size, "at most 8 digits%s", or_nothing); return;
    case CONFIG_COUNTRY:
        snprintf(out, size, "a country in two capital letters, such as JP");
        return;
    case CONFIG_BOOL: snprintf(out, size, "yes or no"); return;
    case CONFIG_UNSIGNED: snprintf(out, size, "a number from %u to %u", key->min, key->max); return;
    case CONFIG_LISTEN:
        snprintf(out, size, "IPv4:PORT or [IPv6]:PORT, at most %d separated by commas, or none",
                 CONFIG_LISTEN_MAX);
        return;
    case CONFIG_NUMBERS:
        snprintf(out, size, "numbers of 0-9, * and # separated by commas%s", or_nothing);
        return;
    case CONFIG_DAYS:
        snprintf(out, size, "dates such as 2026-12-29, at most %d separated by commas%s",
                 CONFIG_DAYS_MAX, or_nothing);
        return;
    case CONFIG_PORTS:
        snprintf(out, size, "udp/PORT, tcp/PORT or sctp/PORT, at most %d separated by commas",
                 CONFIG_PORTS_MAX);
        return;
    case CONFIG_HOSTS:
        snprintf(out, size, "names and addresses separated by commas%s", or_nothing);
        return;
    case CONFIG_NETWORKS:
        snprintf(out, size, "addresses and ADDRESS/BITS, at most %d separated by commas%s",
                 CONFIG_NETWORKS_MAX, or_nothing);
        return;
    case CONFIG_CHOICE:
        for (size_t i = 0; i < 5 && key->choices[i] && n < size; i++)
            n += (size_t)snprintf(out + n, size - n, "%s%s",
                                  i == 0                                 ? ""
                                  : i < 4 && key->choices[i + 1] != NULL ? ", "
                                                                         : " or ",
                                  key->choices[i]);
        return;
    }
}

static bool only(struct span text, const char *set)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '\0' || !strchr(set, text.p[i]))
            return false;
    return true;
}

static bool text_fits(const struct config_key *key, struct span text)
{
    static const char digits[] = "0123456789";
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char names[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

    if (text.n == 0)
        return may_be_empty(key);
    switch (key->type) {
    case CONFIG_PATH: return text.p[0] == '/';
    case CONFIG_NAME: return text.n <= 63 && only(text, names);
    case CONFIG_DIGITS: return text.n <= 8 && only(text, digits);
    case CONFIG_COUNTRY: return text.n == 2 && only(text, letters);
    case CONFIG_NUMBERS: return only(text, "0123456789*#, ");
    case CONFIG_HOSTS:
        return only(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-:, ");
    case CONFIG_TEXT: return true;
    case CONFIG_PORTS:
    case CONFIG_CHOICE:
    case CONFIG_BOOL:
    case CONFIG_UNSIGNED:
    case CONFIG_LISTEN:
    case CONFIG_DAYS:
    case CONFIG_NETWORKS: break;
    }
    return false;
}

static int refuse(const struct config_key *key, struct span text, struct fault *f)
{
    char allowed[200];

    config_value_allowed(key, allowed, sizeof(allowed));
    return fault(f, ERR_RANGE, "\"%s\" does not fit; allowed is %s", ESCAPED(text), allowed);
}

static int set_text(const struct config_key *key, struct span text, char **out, struct fault *f)
{
    if (!text_fits(key, text))
        return refuse(key, text, f);
    char *copy = strndup(text.n ? text.p : "", text.n);

    if (!copy)
        return fault_nomem(f);
    free(*out);
    *out = copy;
    return 0;
}

static int set_unsigned(const struct config_key *key, struct span text, unsigned *out,
                        struct fault *f)
{
    unsigned long value = 0;

    if (text.n == 0 || text.n > 9 || !only(text, "0123456789"))
        return refuse(key, text, f);
    for (size_t i = 0; i < text.n; i++)
        value = value * 10 + (unsigned long)(text.p[i] - '0');
    if (value < key->min || value > key->max)
        return refuse(key, text, f);
    *out = (unsigned)value;
    return 0;
}

static int set_choice(const struct config_key *key, struct span text, unsigned *out,
                      struct fault *f)
{
    for (unsigned i = 0; i < 5 && key->choices[i]; i++) {
        if (span_is(text, key->choices[i])) {
            *out = i;
            return 0;
        }
    }
    return refuse(key, text, f);
}

static int set_bool(const struct config_key *key, struct span text, bool *out, struct fault *f)
{
    if (!span_is(text, "yes") && !span_is(text, "no"))
        return refuse(key, text, f);
    *out = span_is(text, "yes");
    return 0;
}

static int set_listen(const struct config_key *key, struct span text, struct config_listen *out,
                      struct fault *f)
{
    struct config_listen listen = {0};

    if (span_is(text, "none")) {
        *out = listen;
        return 0;
    }
    for (struct span rest = text; rest.p;) {
        struct span item = span_trim(span_cut(rest, ',', &rest));
        struct fault why;

        if (listen.n == CONFIG_LISTEN_MAX)
            return refuse(key, text, f);
        if (address_parse(item, &listen.at[listen.n], &why) != 0)
            return fault(f, ERR_SYNTAX, "%s", why.text);
        listen.n++;
    }
    if (listen.n == 0)
        return refuse(key, text, f);
    *out = listen;
    return 0;
}

static int set_networks(const struct config_key *key, struct span text, struct config_networks *out,
                        struct fault *f)
{
    struct config_networks networks = {0};

    for (struct span rest = text; rest.n;) {
        struct span item = span_trim(span_cut(rest, ',', &rest));
        struct fault why;

        if (networks.n == CONFIG_NETWORKS_MAX)
            return refuse(key, text, f);
        if (network_parse(item, &networks.at[networks.n], &why) != 0)
            return fault(f, ERR_SYNTAX, "%s", why.text);
        networks.n++;
    }
    if (networks.n == 0 && !may_be_empty(key))
        return refuse(key, text, f);
    *out = networks;
    return 0;
}

static bool read_port(struct span text, struct enforce_port *out)
{
    struct span digits, protocol = span_trim(span_cut(text, '/', &digits));
    unsigned long port = 0;

    digits = span_trim(digits);
    if (!digits.n || digits.n > 5 || !only(digits, "0123456789"))
        return false;
    for (size_t i = 0; i < digits.n; i++)
        port = port * 10 + (unsigned long)(digits.p[i] - '0');
    out->protocol = span_is(protocol, "udp")    ? IPPROTO_UDP
                    : span_is(protocol, "tcp")  ? IPPROTO_TCP
                    : span_is(protocol, "sctp") ? IPPROTO_SCTP
                                                : 0;
    out->port = (uint16_t)port;
    return out->protocol && port && port <= UINT16_MAX;
}

static int set_ports(const struct config_key *key, struct span text, struct config_ports *out,
                     struct fault *f)
{
    struct config_ports ports = {0};

    for (struct span rest = text; rest.n;) {
        struct span item = span_trim(span_cut(rest, ',', &rest));

        if (ports.n == CONFIG_PORTS_MAX || !read_port(item, &ports.at[ports.n]))
            return refuse(key, item, f);
        ports.n++;
    }
    if (!ports.n)
        return refuse(key, text, f);
    *out = ports;
    return 0;
}

static int compare_days(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int set_days(const struct config_key *key, struct span text, struct config_days *out,
                    struct fault *f)
{
    struct config_days days = {0};

    for (struct span rest = text; rest.n;) {
        struct span item = span_trim(span_cut(rest, ',', &rest));

        if (days.n == CONFIG_DAYS_MAX || civil_parse(item, &days.at[days.n], NULL) != 0)
            return refuse(key, item, f);
        days.n++;
    }
    qsort(days.at, days.n, sizeof(*days.at), compare_days);
    *out = days;
    return 0;
}

/* A value is text that a terminal may show. */
static bool presentable(struct span text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
            return false;
    return utf8_valid(text);
}

int config_value_set(const struct config_key *key, struct span text, void *base, struct fault *f)
{
    void *at = (char *)base + key->offset;

    if (text.n > CONFIG_TEXT_MAX || !presentable(text))
        return refuse(key, text, f);
    switch (key->type) {
    case CONFIG_PATH:
    case CONFIG_NAME:
    case CONFIG_TEXT:
    case CONFIG_DIGITS:
    case CONFIG_NUMBERS:
    case CONFIG_HOSTS:
    case CONFIG_COUNTRY: return set_text(key, text, at, f);
    case CONFIG_CHOICE: return set_choice(key, text, at, f);
    case CONFIG_BOOL: return set_bool(key, text, at, f);
    case CONFIG_UNSIGNED: return set_unsigned(key, text, at, f);
    case CONFIG_LISTEN: return set_listen(key, text, at, f);
    case CONFIG_NETWORKS: return set_networks(key, text, at, f);
    case CONFIG_DAYS: return set_days(key, text, at, f);
    case CONFIG_PORTS: return set_ports(key, text, at, f);
    }
    return fault(f, ERR_SYNTAX, "no such type");
}

void config_value_free(const struct config_key *key, void *base)
{
    char **at = (char **)(void *)((char *)base + key->offset);

    switch (key->type) {
    case CONFIG_PATH:
    case CONFIG_NAME:
    case CONFIG_TEXT:
    case CONFIG_DIGITS:
    case CONFIG_NUMBERS:
    case CONFIG_HOSTS:
    case CONFIG_COUNTRY:
        free(*at);
        *at = NULL;
        break;
    case CONFIG_CHOICE:
    case CONFIG_BOOL:
    case CONFIG_UNSIGNED:
    case CONFIG_LISTEN:
    case CONFIG_DAYS:
    case CONFIG_PORTS:
    case CONFIG_NETWORKS: break;
    }
}

bool config_value_equal(const struct config_key *key, const void *a, const void *b)
{
    const void *at_a = (const char *)a + key->offset, *at_b = (const char *)b + key->offset;
    size_t size = 0;

    switch (key->type) {
    case CONFIG_PATH:
    case CONFIG_NAME:
    case CONFIG_TEXT:
    case CONFIG_DIGITS:
    case CONFIG_NUMBERS:
    case CONFIG_HOSTS:
    case CONFIG_COUNTRY: return strcmp(*(char *const *)at_a, *(char *const *)at_b) == 0;
    case CONFIG_CHOICE:
    case CONFIG_UNSIGNED: size = sizeof(unsigned); break;
    case CONFIG_BOOL: size = sizeof(bool); break;
    case CONFIG_LISTEN: size = sizeof(struct config_listen); break;
    case CONFIG_NETWORKS: size = sizeof(struct config_networks); break;
    case CONFIG_DAYS: size = sizeof(struct config_days); break;
    case CONFIG_PORTS: size = sizeof(struct config_ports); break;
    }
    return memcmp(at_a, at_b, size) == 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static bool wrong(const char *option, const char *value, const char *allowed)
{
    fprintf(stderr, "attack: --%s %s: allowed: %s\n", option, value, allowed);
    return false;
}

/* \r \n \t \\ \xHH */
static bool unescape(struct buf *out, const char *text)
{
    static const char letters[] = "rnt\\", bytes[] = "\r\n\t\\";

    buf_clear(out);
    buf_puts(out, "");
    for (const char *p = text; *p; p++) {
        const char *letter = p[0] == '\\' && p[1] ? strchr(letters, p[1]) : NULL;
        unsigned byte;

        if (letter) {
            buf_putc(out, bytes[letter - letters]);
            p++;
        } else if (p[0] == '\\' && p[1] == 'x' && sscanf(p + 2, "%2x", &byte) == 1) {
            buf_putc(out, (char)byte);
            p += 3;
        } else {
            buf_putc(out, *p);
        }
    }
    return !out->failed;
}

static bool read_number(const char *option, const char *text, double least, double most,
                        double *out)
{
    char *end;
    double x = strtod(text, &end);
    char allowed[64];

    if (*text && !*end && x >= least && x <= most) {
        *out = x;
        return true;
    }
    snprintf(allowed, sizeof(allowed), "a number from %.15g to %.15g", least, most);
    return wrong(option, text, allowed);
}

static bool read_word(const char *option, const char *text, const char *const *words, int *out)
{
    struct buf allowed = {0};

    for (int i = 0; words[i]; i++) {
        if (strcmp(text, words[i]) == 0) {
            buf_free(&allowed);
            *out = i;
            return true;
        }
        buf_printf(&allowed, "%s%s", i ? ", " : "", words[i]);
    }
    wrong(option, text, allowed.p ? allowed.p : "");
    buf_free(&allowed);
    return false;
}

/* What cannot be anybody's but the lab's. */
static bool is_private(const struct address *a)
{
    static const char *const networks[] = {"127.0.0.0/8", "10.0.0.0/8", "::1/128", "fd00::/8"};
    struct network network;

    for (size_t i = 0; i < sizeof(networks) / sizeof(*networks); i++)
        if (network_parse(span_of(networks[i]), &network, NULL) == 0 && network_has(&network, a))
            return true;
    return false;
}

static bool read_to(struct plan *plan, const char *text)
{
    if (address_parse(span_of(text), &plan->to, NULL) != 0) {
        if (address_parse_ip(span_of(text), &plan->to, NULL) != 0)
            return wrong("to", text, "ADDRESS or ADDRESS:PORT");
        plan->to.port = 5060;
    }
    return is_private(&plan->to) || wrong("to", text, "127.0.0.0/8, 10.0.0.0/8, ::1, fd00::/8");
}

static bool read_sources(struct plan *plan, const char *text)
{
    struct span rest, first = span_cut(span_of(text), '+', &rest);
    int used = 0;

    plan->n = 1;
    plan->bits = 0;
    if (address_parse_ip(first, &plan->first, NULL) != 0 || !is_private(&plan->first) ||
        (rest.p && (sscanf(rest.p, "%u%n/%u%n", &plan->n, &used, &plan->bits, &used) < 1 ||
                    rest.p[used] || plan->n == 0 || plan->n > PLAN_SOURCES_MAX ||
                    plan->bits > (plan->first.family == 4 ? 32 : 128))))
        return wrong("sources", text, "FIRST, FIRST+N or FIRST+N/BITS, private addresses");
    return true;
}

static bool read_accounts(struct plan *plan, const char *text)
{
    int used = 0;

    if (sscanf(text, "%" SCNu64 "+%u%n", &plan->account, &plan->n_accounts, &used) == 2 &&
        !text[used] && plan->n_accounts)
        return true;
    plan->n_accounts = 0;
    return unescape(&plan->account_name, text);
}

static bool read_yes(const char *option, const char *text, bool *out)
{
    static const char *const words[] = {"no", "yes", NULL};
    int i;

    if (!read_word(option, text, words, &i))
        return false;
    *out = i;
    return true;
}

static bool read_words(struct plan *plan, const char *option, const char *text, bool *known)
{
    static const char *const transports[] = {"udp", "tcp", NULL};
    static const char *const methods[] = {"register", "invite", "options", NULL};
    static const char *const credentials[] = {"none", "own", "invented", "stolen", NULL};
    static const char *const orders[] = {"spread", "each", NULL};
    static const char *const algorithms[] = {"md5", "sha-256", NULL};
    const char *const *words[] = {transports, methods, credentials, orders, algorithms};
    static const char *const names[] = {"transport", "method", "credentials", "order", "algorithm"};
    int which = span_among(span_of(option), names, 5), i;

    *known = which >= 0;
    if (which < 0)
        return true;
    if (!read_word(option, text, words[which], &i))
        return false;
    if (which == 0)
        plan->tcp = i == 1;
    else if (which == 1)
        plan->method = (enum plan_method)i;
    else if (which == 2)
        plan->credentials = (enum plan_credentials)i;
    else if (which == 3)
        plan->each_account = i == 1;
    else
        plan->sha256 = i == 1;
    return true;
}

static bool read_figures(struct plan *plan, const char *option, const char *text, bool *known)
{
    double count = 0;
    const struct {
        const char *name;
        double least, most, *to;
        unsigned *whole;
    } figures[] = {
        {"rate", 0, 1e6, &plan->rate, NULL},
        {"seconds", 0.01, PLAN_SECONDS_MAX, &plan->seconds, NULL},
        {"silence", 0, PLAN_SECONDS_MAX, &plan->silence, NULL},
        {"linger", 0, PLAN_SECONDS_MAX, &plan->linger, NULL},
        {"threshold", 0, 1e6, &count, &plan->threshold},
        {"each", 0, PLAN_SOURCES_MAX, &count, &plan->each},
        {"mistakes", 0, 1e6, &count, &plan->mistakes},
    };

    *known = true;
    for (size_t i = 0; i < sizeof(figures) / sizeof(*figures); i++) {
        if (strcmp(option, figures[i].name) != 0)
            continue;
        if (!read_number(option, text, figures[i].least, figures[i].most, figures[i].to))
            return false;
        if (figures[i].whole)
            *figures[i].whole = (unsigned)count;
        return true;
    }
    if (strcmp(option, "count") == 0 || strcmp(option, "port") == 0) {
        bool port = option[0] == 'p';

        if (!read_number(option, text, 1, port ? 65535 : PLAN_COUNT_MAX, &count))
            return false;
        if (port)
            plan->port = (uint16_t)count;
        else
            plan->count = (uint64_t)count;
        return true;
    }
    *known = false;
    return true;
}

static bool read_texts(struct plan *plan, const char *option, const char *text, bool *known)
{
    static const char *const names[] = {"call-id", "agent",  "display", "realm",
                                        "body",    "header", "digest"};
    struct buf *texts[] = {&plan->call_id, &plan->agent,  &plan->display, &plan->realm,
                           &plan->body,    &plan->header, &plan->digest};
    int which = span_among(span_of(option), names, sizeof(names) / sizeof(*names));

    *known = which >= 0;
    return which < 0 || unescape(texts[which], text);
}

static bool read_option(struct plan *plan, const char *option, const char *text)
{
    bool known = true;

    if (strcmp(option, "to") == 0)
        return read_to(plan, text);
    if (strcmp(option, "sources") == 0)
        return read_sources(plan, text);
    if (strcmp(option, "accounts") == 0)
        return read_accounts(plan, text);
    if (strcmp(option, "spoofed") == 0)
        return read_yes(option, text, &plan->spoofed);
    if (strcmp(option, "fresh") == 0)
        return read_yes(option, text, &plan->fresh);
    if (strcmp(option, "thief") == 0)
        return address_parse_ip(span_of(text), &plan->thief, NULL) == 0 ||
               wrong(option, text, "an address");
    if (strcmp(option, "password") == 0) {
        plan->password = text;
        return true;
    }
    if (strcmp(option, "without") == 0) {
        plan->without = text;
        return true;
    }
    if (!read_words(plan, option, text, &known))
        return false;
    if (!known && !read_figures(plan, option, text, &known))
        return false;
    if (!known && !read_texts(plan, option, text, &known))
        return false;
    if (!known)
        fprintf(stderr, "attack: there is no option --%s; plan.h has all of them\n", option);
    return known;
}

static bool whole(const struct plan *plan)
{
    const char *why = NULL;

    if (!plan->to.family || !plan->first.family)
        why = "--to and --sources are needed";
    else if (plan->to.family != plan->first.family)
        why = "--to and --sources are of two families";
    else if (plan->credentials == PLAN_STOLEN && plan->thief.family != plan->to.family)
        why = "--credentials stolen needs a --thief";
    else if (plan->spoofed && plan->credentials == PLAN_OWN)
        why = "who is not there is told no nonce: --credentials none, invented or stolen";
    else if (plan->tcp && (plan->n > 512 || plan->spoofed || plan->credentials == PLAN_STOLEN))
        why = "TCP is for at most 512 sources of one's own";
    if (why)
        fprintf(stderr, "attack: %s\n", why);
    return !why;
}

bool plan_read(struct plan *plan, int argc, char **argv)
{
    *plan = (struct plan){.port = 5062,
                          .credentials = PLAN_OWN,
                          .account = 1001,
                          .n_accounts = 1,
                          .seconds = 10,
                          .linger = 0.5,
                          .count = 1,
                          .threshold = 5,
                          .each = 16};
    for (int i = 1; i < argc; i += 2) {
        if (strncmp(argv[i], "--", 2) != 0 || i + 1 >= argc) {
            fprintf(stderr, "attack: \"%s\" is no option with a value behind it\n", argv[i]);
            return false;
        }
        if (!read_option(plan, argv[i] + 2, argv[i + 1]))
            return false;
    }
    return whole(plan);
}

void plan_free(struct plan *plan)
{
    struct buf *texts[] = {&plan->account_name, &plan->call_id, &plan->agent,  &plan->display,
                           &plan->realm,        &plan->body,    &plan->header, &plan->digest};

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        buf_free(texts[i]);
}

struct address plan_source(const struct plan *plan, unsigned i)
{
    struct address a = plan->first;
    unsigned size = a.family == 4 ? 32 : 128;
    unsigned bits = plan->bits ? plan->bits : size;
    uint64_t carry = (uint64_t)i << (7 - (bits - 1) % 8);

    for (int byte = (int)(bits - 1) / 8; byte >= 0 && carry; byte--) {
        carry += a.ip[byte];
        a.ip[byte] = (uint8_t)carry;
        carry >>= 8;
    }
    a.port = plan->port;
    return a;
}

size_t plan_account(const struct plan *plan, uint64_t k, char *out, size_t max)
{
    uint64_t turn = plan->n_accounts == 0 ? 0 : plan->each_account ? k / plan->n : k;
    int n;

    if (plan->n_accounts == 0) {
        size_t length = plan->account_name.n < max ? plan->account_name.n : max;

        if (length)
            memcpy(out, plan->account_name.p, length);
        return length;
    }
    n = snprintf(out, max, "%" PRIu64, plan->account + turn % plan->n_accounts);
    return n > 0 ? (size_t)n : 0;
}

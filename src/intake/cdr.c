/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/cdr.h"

#include <endian.h>
#include <sodium.h>

static const char *const outcomes[] = {
    [CDR_UNKNOWN] = "unknown", [CDR_ANSWERED] = "answered",   [CDR_NO_ANSWER] = "no-answer",
    [CDR_BUSY] = "busy",       [CDR_CANCELLED] = "cancelled", [CDR_FAILED] = "failed",
    [CDR_REFUSED] = "refused",
};
#define OUTCOMES (sizeof(outcomes) / sizeof(*outcomes))

const char *cdr_outcome_name(enum cdr_outcome outcome)
{
    return outcomes[outcome];
}

bool cdr_outcome_named(struct span name, enum cdr_outcome *out)
{
    int which = span_among(name, outcomes, OUTCOMES);

    if (which < 0)
        return false;
    *out = (enum cdr_outcome)which;
    return true;
}

enum cdr_outcome cdr_outcome_of_sip(unsigned status)
{
    if (status >= 200 && status < 300)
        return CDR_ANSWERED;
    switch (status) {
    case 408:
    case 480: return CDR_NO_ANSWER;
    case 486:
    case 600: return CDR_BUSY;
    case 487: return CDR_CANCELLED;
    default: return status >= 300 && status < 700 ? CDR_FAILED : CDR_UNKNOWN;
    }
}

#define DOUBTFUL_S 900 /* the least difference between two zones */

bool cdr_clock_doubtful(const struct cdr *c)
{
    int64_t apart = c->start_ms / 1000 - c->id_s;

    return c->id_s != 0 && (apart >= DOUBTFUL_S || apart <= -DOUBTFUL_S);
}

static void add_part(crypto_generichash_state *state, struct span part)
{
    uint64_t n = part.n;

    /* With its length in front, so that no two lists of parts are one text. */
    crypto_generichash_update(state, (const unsigned char *)&n, sizeof(n));
    if (part.n)
        crypto_generichash_update(state, (const unsigned char *)part.p, part.n);
}

void cdr_identity(const struct cdr *c, uint8_t out[CDR_IDENTITY_SIZE])
{
    bool lengths = c->sequence < 0;
    uint64_t numbers[] = {(uint64_t)c->sequence, (uint64_t)c->start_ms, lengths ? c->total_s : 0,
                          lengths ? c->billed_s : 0};
    crypto_generichash_state state;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        numbers[i] = htole64(numbers[i]);
    crypto_generichash_init(&state, NULL, 0, CDR_IDENTITY_SIZE);
    crypto_generichash_update(&state, (const unsigned char *)numbers, sizeof(numbers));
    add_part(&state, c->id);
    add_part(&state, c->channel);
    add_part(&state, c->dialled);
    crypto_generichash_final(&state, out, CDR_IDENTITY_SIZE);
}

static const char *const names[CDR_NAMES] = {"accountcode", "endpoint", "src"};

int cdr_payer_rule_parse(struct cdr_payer_rule *out, struct span text, struct fault *f)
{
    struct cdr_payer_rule rule = {0};
    unsigned seen = 0;

    for (struct span rest = text; rest.p;) {
        struct span word = span_trim(span_cut(rest, ',', &rest));
        int name = span_among(word, names, CDR_NAMES);

        if (name < 0)
            return fault(f, ERR_SYNTAX,
                         "\"%s\" names no account; what may is accountcode, endpoint and src",
                         ESCAPED(word));
        if (seen >> name & 1)
            return fault(f, ERR_SYNTAX, "%s stands twice", names[name]);
        seen |= 1u << name;
        rule.order[rule.n++] = (enum cdr_name)name;
    }
    if (rule.n == 0)
        return fault(f, ERR_SYNTAX, "nothing that names an account, such as accountcode, endpoint");
    *out = rule;
    return 0;
}

struct span cdr_payer(const struct cdr *c, const struct cdr_payer_rule *rule, enum cdr_name *by)
{
    for (size_t i = 0; i < rule->n; i++) {
        struct span found = {NULL, 0};

        switch (rule->order[i]) {
        case CDR_BY_ACCOUNTCODE: found = c->account; break;
        case CDR_BY_ENDPOINT: found = c->endpoint; break;
        case CDR_BY_SRC: found = c->src; break;
        }
        if (found.n) {
            if (by)
                *by = rule->order[i];
            return found;
        }
    }
    return (struct span){NULL, 0};
}

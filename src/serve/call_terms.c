/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/call_terms.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/zoneinfo.h"
#include "policy/tz.h"

#define PAYER_DEFAULT SPAN("accountcode, endpoint, src")

static int read_zone(struct call_terms *terms, struct span zone, struct fault *f)
{
    struct buf tzif = {0};
    int err = 0;

    if (!zone.n)
        return fault(f, ERR_RANGE,
                     "the zone of the records' times is missing: Asia/Tokyo, UTC … (it is never "
                     "guessed)");
    if (!tz_name_valid(zone))
        return fault(f, ERR_SYNTAX, "\"%s\" is no name of a time zone", ESCAPED(zone));
    err = zoneinfo_read(NULL, zone, &tzif, f);
    if (!err)
        err = tz_new(&terms->tz, buf_span(&tzif), f);
    buf_free(&tzif);
    terms->format.tz = terms->tz;
    return err;
}

static int read_mapping(struct call_terms *terms, struct span text, struct fault *f)
{
    bool wanted = terms->format.format == CDR_FORMAT_MAPPING;

    if (wanted != (text.n > 0))
        return fault(f, ERR_RANGE,
                     wanted ? "the format mapping needs a mapping"
                            : "a mapping is for the format mapping alone");
    if (!wanted)
        return 0;
    int err = cdr_mapping_new(&terms->mapping, text, f);
    terms->format.mapping = terms->mapping;
    return err;
}

static int read_format(struct call_terms *terms, struct span format, struct fault *f)
{
    if (!format.n)
        return fault(f, ERR_RANGE,
                     "the format is missing: asterisk, freeswitch, kamailio or mapping");
    if (!cdr_format_named(format, &terms->format.format))
        return fault(f, ERR_RANGE, "\"%s\" is no format: asterisk, freeswitch, kamailio or mapping",
                     ESCAPED(format));
    return 0;
}

static void hash_terms(struct call_terms *terms, const struct call_terms_text *text,
                       struct span payer)
{
    const struct span all[] = {text->format, text->zone, payer, text->mapping};
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, sizeof(terms->hash));
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        uint64_t n = all[i].n;

        crypto_generichash_update(&state, (const unsigned char *)&n, sizeof(n));
        crypto_generichash_update(&state, (const unsigned char *)all[i].p, all[i].n);
    }
    crypto_generichash_final(&state, terms->hash, sizeof(terms->hash));
}

int call_terms_new(struct call_terms **out, const struct call_terms_text *text, const char **wrong,
                   struct fault *f)
{
    struct call_terms *terms = calloc(1, sizeof(*terms));
    struct span payer = text->payer.n ? text->payer : PAYER_DEFAULT;
    const char *at = "format";

    if (!terms)
        return fault_nomem(f);
    int err = read_format(terms, text->format, f);
    if (!err) {
        at = "zone";
        err = read_zone(terms, text->zone, f);
    }
    if (!err) {
        at = "payer";
        err = cdr_payer_rule_parse(&terms->payer, payer, f);
    }
    if (!err) {
        at = "mapping";
        err = read_mapping(terms, text->mapping, f);
    }
    randombytes_buf(terms->format.key, sizeof(terms->format.key));
    if (err) {
        call_terms_free(terms);
        if (wrong)
            *wrong = at;
        return err;
    }
    hash_terms(terms, text, payer);
    *out = terms;
    return 0;
}

void call_terms_free(struct call_terms *terms)
{
    if (!terms)
        return;
    tz_free(terms->tz);
    cdr_mapping_free(terms->mapping);
    free(terms);
}

bool call_terms_resumable(const struct call_terms *terms)
{
    switch (terms->format.format) {
    case CDR_FORMAT_ASTERISK:
    case CDR_FORMAT_FREESWITCH: return true;
    case CDR_FORMAT_KAMAILIO: return false;
    case CDR_FORMAT_MAPPING: return !cdr_mapping_header(terms->mapping);
    }
    return false;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/opens.h"

#include "cli/local.h"
#include "numbering/numbering.h"

#define COUNTRIES_MAX 256
#define COUNTRIES_NAMED 8

struct survey {
    const struct country *country[COUNTRIES_MAX];
    enum number_risk risk[COUNTRIES_MAX];
    size_t n;
};

static void note(struct survey *s, const struct number *number)
{
    size_t i = 0;

    if (!number->country || number->class != CLASS_INTERNATIONAL)
        return;
    while (i < s->n && s->country[i] != number->country)
        i++;
    if (i == COUNTRIES_MAX)
        return;
    if (i == s->n) {
        s->country[s->n] = number->country;
        s->risk[s->n++] = number->risk;
    } else if (number->risk > s->risk[i]) {
        s->risk[i] = number->risk;
    }
}

/* Numbers of many lengths, since a country refuses what is too long or too short for it. */
static void look(struct survey *s, const struct site *site, struct span prefix)
{
    static const char tail[] = "2345678901";
    char dialled[NUMBER_BYTES_MAX];

    for (unsigned i = 0; i < 1000; i++)
        for (size_t length = 0; length < sizeof(tail); length++) {
            struct number number;
            int n = snprintf(dialled, sizeof(dialled), "%.*s%03u%.*s", SPAN_FMT(prefix), i,
                             (int)length, tail);

            if (n <= 0 || (size_t)n >= sizeof(dialled))
                return;
            numbering_parse(site, (struct span){dialled, (size_t)n}, &number);
            note(s, &number);
        }
}

/* The risky first: they are what this is for. */
static void name(const struct cli *cli, const struct survey *s, struct buf *out)
{
    size_t named = 0;

    for (int risk = RISK_HIGH; risk >= RISK_NONE; risk--)
        for (size_t i = 0; i < s->n && named < COUNTRIES_NAMED; i++) {
            if ((int)s->risk[i] != risk)
                continue;
            buf_printf(out, "%s%s", named++ ? TR(cli, ", ", "、") : "",
                       TR(cli, s->country[i]->name_en, s->country[i]->name_ja));
            if (risk >= RISK_MEDIUM)
                buf_printf(out, TR(cli, " (%s risk)", "(危険度 %s)"), number_risk_name(risk));
        }
    if (s->n > named)
        buf_printf(out, TR(cli, " and %zu more", " ほか %zu か国"), s->n - named);
}

void opens_survey(const struct cli *cli, struct span prefix, struct buf *out)
{
    struct local_options options = {0};
    struct survey survey = {.n = 0};
    struct local local = {0};

    if (local_open(&local, &options, NULL))
        return;
    look(&survey, local.site, prefix);
    name(cli, &survey, out);
    local_close(&local);
}

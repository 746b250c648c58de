/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first line is the name of a table, the rest its content; the other tables are small. What is
 * accepted must serve a site. */
#include <string.h>

#include "fuzz.h"
#include "numbering/numbering.h"
#include "numbering/site.h"

static const struct tables_file small[] = {
    {SPAN("e164.tsv"), SPAN("prefix\tiso\tname_en\tname_ja\tnote\n"
                            "1\tUS\tUnited States\tアメリカ\t\n81\tJP\tJapan\t日本\t\n")},
    {SPAN("lengths.tsv"), SPAN("prefix\tlengths\tbegins\tareas\tnote\n"
                               "1\t10\t[2-9]X\tlisted\t\n81\t9-10\t[1-9]\t-\t\n")},
    {SPAN("e164-risk.tsv"), SPAN("prefix\tcountry\tclass\tnsn_lengths\tnote\n"
                                 "1900\tUS\tPREMIUM_RATE\t10\t\n")},
    {SPAN("irsf-risk.tsv"), SPAN("prefix\tcountry\ttier\tevidence\tevidence_quality\n"
                                 "1900\tUS\thigh\tx\ty\n")},
    {SPAN("dialplans.tsv"),
     SPAN("iso\tname_en\tcc\tinternational_prefix_regex\tpreferred_international_prefix\t"
          "national_prefix\tnational_prefix_for_parsing\ttransform\temergency_numbers\tnote\n"
          "JP\tJapan\t+81\t010\t\t0\t\t\t110,119\t\n")},
    {SPAN("codes.tsv"), SPAN("plan\tshape\trole\tvalue\tlengths\tnote\n"
                             "JP\t18[46]\tprefix\t-\t-\t\nJP\t00[3-8]X\tcarrier\t-\t-\t\n")},
};
#define SMALL (sizeof(small) / sizeof(small[0]))

static void use(const struct tables *tables)
{
    static const char *const dialled[] = {"0312345678",   "184010812345678", "110",
                                          "+12125551234", "0033010",         "*72010",
                                          "00",           "2345678",         "+81912345678",
                                          "03151234567",  "8123456789",      "045312345678"};
    struct site_config config = {.plan = SPAN("JP"), .extensions = SPAN("5XX")};
    struct site *site = NULL;
    struct number n;

    if (site_new(&site, tables, &config, NULL))
        return;
    for (size_t i = 0; i < sizeof(dialled) / sizeof(dialled[0]); i++) {
        numbering_parse(site, span_of(dialled[i]), &n);
        PROMISE(strlen(n.e164) <= 16);
    }
    site_free(site);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tables_file files[SMALL + 1];
    struct span rest, all = {(const char *)data, size};
    struct tables *tables = NULL;
    struct fault f = {0};

    memcpy(files, small, sizeof(small));
    files[SMALL].name = span_cut(all, '\n', &rest);
    files[SMALL].content = rest;
    if (tables_load(&tables, files, SMALL + 1, &f) == 0)
        use(tables);
    else
        PROMISE(!tables && f.code < 0 && f.text[0]);
    tables_free(tables);
    return 0;
}

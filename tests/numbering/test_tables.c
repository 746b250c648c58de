/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failalloc.h"
#include "numbering/numbering.h"
#include "numbering/site.h"

#define E164 "prefix\tiso\tname_en\tname_ja\tnote\n"
#define LENGTHS "prefix\tlengths\tbegins\tareas\tnote\n"
#define KINDS "prefix\tcountry\tclass\tnsn_lengths\tnote\n"
#define RISKS "prefix\tcountry\ttier\tevidence\tevidence_quality\n"
#define PLANS                                                                                      \
    "iso\tname_en\tcc\tinternational_prefix_regex\tpreferred_international_prefix\t"               \
    "national_prefix\tnational_prefix_for_parsing\ttransform\temergency_numbers\tnote\n"
#define CODES "plan\tshape\trole\tvalue\tlengths\tnote\n"

/* A file that is refused, and what the sentence must say. */
static const struct {
    const char *name, *content, *says;
} refused[] = {
    {"e164.tsv", "", "e164.tsv, line 0: the table is empty"},
    {"e164.tsv", "prefix\tiso\n", "e164.tsv, line 1: 2 cells between tabs where the table has 5"},
    {"e164.tsv", "prefix\tiso\tname\tname_ja\tnote\n", "column 3 is \"name\", and must be"},
    {"e164.tsv", E164 "81\tJP\tJapan\t日本\n", "e164.tsv, line 2: 4 cells"},
    {"e164.tsv", E164 "81\tJP\tJapan\t日本\t\t\n", "e164.tsv, line 2: 6 cells"},
    {"e164.tsv", E164 "# a comment\n\n81\tJPN\tJapan\t日本\t\n", "line 4: \"JPN\" is no country"},
    {"e164.tsv", E164 "8x\tJP\tJapan\t日本\t\n", "\"8x\" is no prefix: digits only"},
    {"e164.tsv", E164 "\tJP\tJapan\t日本\t\n", "\"\" is no prefix"},
    {"e164.tsv", E164 "81\tJP\t\t日本\t\n", "a name is missing"},
    {"e164.tsv", E164 "81\tJP\tJapan\t日本\t\n81\tJP\tJapan\t日本\t\n", "line 3: 81 stands here"},
    {"e164.tsv", E164 "81\tJP\tJapan\t\xff\t\n", "line 2: a control character or bytes that are"},
    {"e164.tsv", E164 "81\tJP\tJa\x01pan\t日本\t\n", "line 2: a control character"},
    {"e164.tsv", E164 "81\tJP\tJapan\t日本\t\n", "country code +247 has no row in e164.tsv"},
    {"lengths.tsv", LENGTHS "81\t9\t-\t-\t\n", "country code +247 has no row in lengths.tsv"},
    {"lengths.tsv", LENGTHS "81\t9-x\t-\t-\t\n", "\"9-x\" are no lengths"},
    {"lengths.tsv", LENGTHS "81\t10-9\t-\t-\t\n", "\"10-9\" are no lengths"},
    {"lengths.tsv", LENGTHS "81\t99\t-\t-\t\n", "at most 14"},
    {"lengths.tsv", LENGTHS "81\t\t-\t-\t\n", "are no lengths"},
    {"lengths.tsv", LENGTHS "81\t9\t[1-\t-\t\n", "\"[1-\" is no shape"},
    {"lengths.tsv", LENGTHS "81\t9\t-\tall\t\n", "areas are \"all\""},
    {"lengths.tsv", LENGTHS "8123\t9\t-\t-\t\n", "\"8123\" is no country calling code"},
    {"lengths.tsv", LENGTHS "81\t9\t-\t-\t\n81\t9\t-\t-\t\n", "line 3: 81 stands here a second"},
    {"e164-risk.tsv", KINDS "819\tJP\tEXPENSIVE\t9\t\n",
     "class \"EXPENSIVE\": allowed are PREMIUM"},
    {"e164-risk.tsv", KINDS "819\tJP\tPREMIUM_RATE\t[9\t\n", "\"[9\" are no lengths"},
    {"irsf-risk.tsv", RISKS "252\tSO\tterrible\tx\ty\n", "tier \"terrible\": allowed are low,"},
    {"irsf-risk.tsv", RISKS "252\tSO\tlow\tx\ty\n252\tSO\tlow\tx\ty\n", "line 3: 252 stands"},
    {"dialplans.tsv", PLANS "JP\tJapan\t81\t010\t\t0\t\t\t110\t\n", "\"81\" is no country code"},
    {"dialplans.tsv", PLANS "JP\tJapan\t+81\t0(10\t\t0\t\t\t110\t\n", "\"0(10\" is no shape"},
    {"dialplans.tsv", PLANS "JP\tJapan\t+81\t010)\t\t0\t\t\t110\t\n", "a ) without its ("},
    {"dialplans.tsv", PLANS "JP\tJapan\t+81\t\t\t0\t\t\t110\t\n", "nothing at all would fit"},
    {"dialplans.tsv", PLANS "JP\tJapan\t+81\t(?:0)?\t\t0\t\t\t110\t\n", "nothing at all would fit"},
    {"dialplans.tsv", PLANS "JP\tJapan\t+81\t0+\t\t0\t\t\t110\t\n", "\"0+\" is no shape"},
    {"dialplans.tsv", PLANS "JP\tJapan\t+81\t0\\w\t\t0\t\t\t110\t\n", "only a d may follow"},
    {"dialplans.tsv", PLANS "JP\tJapan\t+81\t\\d\\d\\d\\d\\d\t\t0\t\t\t110\t\n", "more than 4096"},
    {"dialplans.tsv", PLANS "JP\tJapan\t+81\t((((((((((0))))))))))\t\t0\t\t\t110\t\n", "groups in"},
    {"dialplans.tsv", PLANS "JP\tJapan\t+81\t010\t\tx\t\t\t110\t\n", "national prefix \"x\""},
    {"dialplans.tsv", PLANS "JP\tJapan\t+81\t010\t\t0\t\t\t110,x\t\n", "\"x\" is no emergency"},
    {"dialplans.tsv", PLANS "US\tx\t+1\t011\t\t1\t\t\t911\t\nJP\tx\t+81\t010\t\t0\t\t\t110\t\n",
     "out of order"},
    {"dialplans.tsv", PLANS "JP\tx\t+81\t010\t\t0\t\t\t110\t\nJP\tx\t+81\t010\t\t0\t\t\t110\t\n",
     "line 3: plan JP stands here a second time"},
    {"codes.tsv", CODES "XX\t184\tprefix\twithhold\t-\t\n", "plan \"XX\" is not in dialplans.tsv"},
    {"codes.tsv", CODES "JP\t184\tvorwahl\t-\t-\t\n", "role \"vorwahl\": allowed are access,"},
    {"codes.tsv", CODES "JP\t184\tprefix\thide\t-\t\n", "value \"hide\": a prefix has withhold"},
    {"codes.tsv", CODES "JP\t18X\tprefix\twithhold\t-\t\n", "one code, not a shape"},
    {"codes.tsv", CODES "JP\t03\tnumber\tNATIONAL urban\t10\t\n", "\"urban\" is no kind"},
    {"codes.tsv", CODES "JP\t03\tnumber\tLOCAL\t10\t\n", "\"LOCAL\" is no class"},
    {"codes.tsv", CODES "JP\t010\tshort\tEMERGENCY\t-\t\n", "EMERGENCY is not for the tables"},
    {"codes.tsv", CODES "JP\t03\tnumber\tNATIONAL\t31\t\n", "at most 30"},
    {"codes.tsv", CODES "JP\t142\tforward\t!\t-\t\n", "value \"!\" is not one of this role"},
    {"codes.tsv", CODES "JP\t11X\temergency\t-\t-\t\n", "\"11X\" is no emergency number"},
    {"codes.tsv", CODES "JP\tsos\turn\tpolice\t-\t\n", "\"police\" is no number for an emergency"},
    {"codes.tsv", CODES "JP\t0[33]X\tcarrier\t-\t-\t\nJP\t03X\tcarrier\t-\t-\t\n",
     "line 3: \"03X\" says what line 2 says"},
    {"codes.tsv", CODES "JP\t1234567890123\tshort\tSPECIAL\t-\t\n", "longer than 12 keys"},
    {"codes.tsv", CODES "JP\t8\ttrunk\tx\t10\t\n", "value \"x\": this role takes 1 to 8 digits"},
    {"codes.tsv", CODES "JP\t8\ttrunk\t9\t10\t\n", "\"8\" does not begin with the trunk prefix 9"},
    {"codes.tsv", CODES "JP\t8\ttrunk\t8\t10\t\nJP\t9\ttrunk\t9\t10\t\n",
     "plan JP has another trunk prefix already, 8"},
    {"codes.tsv", CODES "JP\t0315\tinfix\t15\t12\t\n", "this role takes 1 to 8 digits"},
    {"codes.tsv", CODES "JP\t0315\tinfix\t3>9\t12\t\n", "does not end with the infix 3"},
    {"codes.tsv", CODES "JP\t15\tinfix\t15>9\t12\t\n", "does not end with the infix 15"},
    {"codes.tsv", CODES "JP\tN\tlocal\t123456789\t7\t\n", "this role takes 1 to 8 digits"},
    {"codes.tsv", CODES "JP\t08X\tcarrier\tarena\t-\t\n", "value \"arena\" is not one of this"},
    {"codes.tsv", CODES "JP\t10?0a\tcarrier\t-\t-\t\n", "\"10?0a\" is no shape"},
    {"jp.tsv", "", "\"jp.tsv\" is none of the number tables: e164.tsv, lengths.tsv"},
};

static void a_wrong_table_is_refused_with_a_sentence(void **state)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct tables_file file = {span_of(refused[i].name), span_of(refused[i].content)};
        struct tables *tables = NULL;
        struct fault f = {0};

        if (tables_load(&tables, &file, 1, &f) == 0)
            fail_msg("row %zu is accepted", i);
        assert_null(tables);
        if (!strstr(f.text, refused[i].says))
            fail_msg("row %zu says: %s", i, f.text);
    }
}

static void a_table_replaces_the_one_of_its_name(void **state)
{
    struct tables_file codes = {SPAN("codes.tsv"), SPAN(CODES "JP\t199\tshort\tSPECIAL\t-\t\r\n")};
    struct site_config config = {.plan = SPAN("jp")};
    struct tables *tables = NULL;
    struct site *site = NULL;
    struct fault f;
    struct number n;

    assert_int_equal(tables_load(&tables, &codes, 1, &f), 0);
    assert_int_equal(site_new(&site, tables, &config, &f), 0);
    numbering_parse(site, SPAN("199"), &n);
    assert_int_equal(n.class, CLASS_SPECIAL);
    numbering_parse(site, SPAN("184110"), &n);
    assert_int_equal(n.class, CLASS_UNKNOWN);
    numbering_parse(site, SPAN("110"), &n);
    assert_int_equal(n.class, CLASS_EMERGENCY);
    site_free(site);
    tables_free(tables);
}

static void countries_are_found_by_code(void **state)
{
    struct tables *tables = NULL;
    const struct country *jp;

    assert_int_equal(tables_load(&tables, NULL, 0, NULL), 0);
    jp = tables_country(tables, SPAN("jp"));
    assert_non_null(jp);
    assert_string_equal(jp->name_en, "Japan");
    assert_string_equal(jp->name_ja, "日本");
    assert_non_null(tables_country(tables, SPAN("SO")));
    assert_null(tables_country(tables, SPAN("XX")));
    assert_null(tables_country(tables, SPAN("")));
    tables_free(tables);
    tables_free(NULL);
}

static void every_plan_makes_a_site(void **state)
{
    struct tables *tables = NULL;
    size_t plans = 0;
    struct fault f;

    assert_int_equal(tables_load(&tables, NULL, 0, &f), 0);
    for (char a = 'A'; a <= 'Z'; a++) {
        for (char b = 'A'; b <= 'Z'; b++) {
            char iso[] = {a, b};
            struct site_config config = {.plan = {iso, 2}};
            struct site *site = NULL;

            if (site_new(&site, tables, &config, &f))
                continue;
            plans++;
            assert_true(site_access_prefix(site).n > 0);
            site_free(site);
        }
    }
    assert_int_equal(plans, 245);
    tables_free(tables);
}

/* A site that is refused, and what the sentence must say. */
static const struct {
    struct span plan, outside, extensions, area;
    const char *says;
} sites[] = {
    {SPAN("XX"), {0}, {0}, {0}, "no dial plan \"XX\""},
    {SPAN("*"), {0}, {0}, {0}, "no dial plan \"*\""},
    {SPAN(""), {0}, {0}, {0}, "no dial plan \"\""},
    {SPAN("JP"), SPAN("x"), {0}, {0}, "outside line \"x\""},
    {SPAN("JP"), SPAN("123456789"), {0}, {0}, "at most 8 digits"},
    {SPAN("JP"), {0}, {0}, SPAN("0a"), "area code \"0a\""},
    {SPAN("JP"), {0}, SPAN("1XX"), {0}, "an extension covers 110, by which"},
    {SPAN("JP"), {0}, SPAN("XXX"), {0}, "an extension covers"},
    {SPAN("JP"), {0}, SPAN("1[01]N, 1[1]0"), {0}, "an extension covers 110"},
    {SPAN("JP"), SPAN("9"), SPAN("9XXX"), {0}, "an extension covers 9110, by which"},
    {SPAN("JP"), {0}, SPAN("1XXX, 10."), {0}, "extension \"10.\": allowed are"},
    {SPAN("JP"), {0}, SPAN("1(0|1)"), {0}, "extension \"1(0|1)\""},
    {SPAN("JP"), {0}, SPAN("1[9-0]"), {0}, "is no shape"},
    {SPAN("JP"), {0}, SPAN("1[0"), {0}, "is no shape"},
    {SPAN("JP"), {0}, SPAN("1\0"), {0}, "extension \"1\\x00\""},
    {SPAN("JP"), {0}, SPAN("1234567890123"), {0}, "longer than 12 keys"},
    {SPAN("JP"), {0}, SPAN("XXXXX"), {0}, "more than 4096 codes"},
    {SPAN("GB"), {0}, SPAN("99X"), {0}, "an extension covers 999"},
};

static void a_wrong_site_is_refused_with_a_sentence(void **state)
{
    struct tables *tables = NULL;

    assert_int_equal(tables_load(&tables, NULL, 0, NULL), 0);
    for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++) {
        struct site_config config = {sites[i].plan, sites[i].outside, sites[i].extensions,
                                     sites[i].area};
        struct site *site = NULL;
        struct fault f = {0};

        assert_true(site_new(&site, tables, &config, &f) < 0);
        assert_null(site);
        if (!strstr(f.text, sites[i].says))
            fail_msg("row %zu says: %s", i, f.text);
    }
    tables_free(tables);
}

/* Small tables, so that every allocation can be made to fail in turn. */
static const struct tables_file small[] = {
    {SPAN("e164.tsv"), SPAN(E164 "1\tUS\tUnited States\tアメリカ\t\n81\tJP\tJapan\t日本\t\n")},
    {SPAN("lengths.tsv"), SPAN(LENGTHS "1\t10\t[2-9]X\t-\t\n81\t9-10\t[1-9]\t-\t\n")},
    {SPAN("e164-risk.tsv"), SPAN(KINDS "1900\tUS\tPREMIUM_RATE\t10\t\n")},
    {SPAN("irsf-risk.tsv"), SPAN(RISKS "1900\tUS\thigh\tx\ty\n")},
    {SPAN("dialplans.tsv"), SPAN(PLANS "JP\tJapan\t+81\t0(?:10|11)?\t\t0\t\t\t110,119\t\n")},
    {SPAN("codes.tsv"), SPAN(CODES "JP\t18[46]\tprefix\t-\t-\t\nJP\t03\tnumber\tNATIONAL\t10\t\n")},
};

static void tables_leave_nothing_behind_when_memory_runs_out(void **state)
{
    struct tables *tables = NULL;
    struct fault f;

    for (size_t n = 0;; n++) {
        failalloc_after(n);
        int rc = tables_load(&tables, small, sizeof(small) / sizeof(small[0]), &f);

        if (!failalloc_off()) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_int_equal(rc, ERR_NOMEM);
        assert_null(tables);
    }
    tables_free(tables);
}

static void the_real_tables_leave_nothing_behind_either(void **state)
{
    struct tables *tables = NULL;
    struct fault f;

    /* Thousands of allocations: all of the first, then a sample. */
    for (size_t n = 0;; n += n < 40 ? 1 : 1 + n / 16) {
        failalloc_after(n);
        int rc = tables_load(&tables, NULL, 0, &f);

        if (!failalloc_off()) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_int_equal(rc, ERR_NOMEM);
        assert_null(tables);
    }
    tables_free(tables);
}

static void sites_leave_nothing_behind_when_memory_runs_out(void **state)
{
    struct site_config config = {.plan = SPAN("JP"), .extensions = SPAN("2XXX,0101,[3-5]X")};
    struct tables *tables = NULL;
    struct site *site = NULL;
    struct fault f;

    assert_int_equal(tables_load(&tables, NULL, 0, &f), 0);
    for (size_t n = 0;; n++) {
        failalloc_after(n);
        int rc = site_new(&site, tables, &config, &f);

        if (!failalloc_off()) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_int_equal(rc, ERR_NOMEM);
        assert_null(site);
    }
    site_free(site);
    tables_free(tables);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_table_is_refused_with_a_sentence),
        cmocka_unit_test(a_table_replaces_the_one_of_its_name),
        cmocka_unit_test(countries_are_found_by_code),
        cmocka_unit_test(every_plan_makes_a_site),
        cmocka_unit_test(a_wrong_site_is_refused_with_a_sentence),
        cmocka_unit_test(tables_leave_nothing_behind_when_memory_runs_out),
        cmocka_unit_test(the_real_tables_leave_nothing_behind_either),
        cmocka_unit_test(sites_leave_nothing_behind_when_memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

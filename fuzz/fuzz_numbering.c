/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first byte chooses the site, the rest is what was dialled. */
#include <string.h>

#include "fuzz.h"
#include "numbering/numbering.h"
#include "numbering/site.h"

static const struct {
    struct span plan, outside, extensions, area;
} configs[] = {
    {SPAN("JP"), {0}, SPAN("1XXX"), {0}},
    {SPAN("JP"), SPAN("9"), {0}, SPAN("03")},
    {SPAN("JP"), SPAN("0"), {0}, {0}},
    {SPAN("JP"), {0}, SPAN("0101"), {0}},
    {SPAN("US"), SPAN("9"), {0}, SPAN("212")},
    {SPAN("GB"), {0}, {0}, {0}},
    {SPAN("AU"), {0}, {0}, {0}},
    {SPAN("KR"), {0}, {0}, {0}},
    {SPAN("RU"), {0}, {0}, {0}},
    {SPAN("IT"), {0}, {0}, {0}},
    {SPAN("SG"), {0}, {0}, {0}},
    {SPAN("JP"), {0}, {0}, {0}},
};
#define SITES (sizeof(configs) / sizeof(configs[0]))

static struct site *sites[SITES];

static void set_up(void)
{
    static struct tables *tables;
    struct fault f;

    if (tables)
        return;
    PROMISE(tables_load(&tables, NULL, 0, &f) == 0);
    for (size_t i = 0; i < SITES; i++) {
        struct site_config config = {configs[i].plan, configs[i].outside, configs[i].extensions,
                                     configs[i].area};

        PROMISE(site_new(&sites[i], tables, &config, &f) == 0);
    }
}

static void check(const struct site *site, const struct number *n)
{
    struct span access = site_access_prefix(site);
    char dial[NUMBER_DIGITS_MAX];
    size_t digits = strlen(n->e164);

    PROMISE(digits == 0 || (digits >= 3 && digits <= 16 && n->e164[0] == '+'));
    PROMISE(digits == 0 || strspn(n->e164 + 1, "0123456789") == digits - 1);
    PROMISE(n->class != CLASS_INTERNATIONAL || strncmp(n->dialled, access.p, access.n) == 0);
    PROMISE(n->class != CLASS_EMERGENCY || digits == 0);
    PROMISE(n->class != CLASS_MALFORMED || n->dialled[0] == '\0');
    for (int form = FORM_DIALLED; form <= FORM_E164; form++)
        if (numbering_dial(site, n, (enum number_form)form, dial) == 0)
            PROMISE(strspn(dial, "0123456789*#+") == strlen(dial) && dial[0]);
    /* From the trunk, the plain site of Japan, it is the same number. */
    if (site == sites[0] && n->class != CLASS_INTERNAL && n->target != CLASS_INTERNAL &&
        numbering_dial(site, n, FORM_DIALLED, dial) == 0) {
        struct number again;

        numbering_parse(sites[SITES - 1], span_of(dial), &again);
        PROMISE(again.class == n->class);
        PROMISE(strcmp(again.e164, n->e164) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct number n;

    set_up();
    if (size == 0)
        return 0;
    const struct site *site = sites[data[0] % SITES];

    numbering_parse(site, (struct span){(const char *)data + 1, size - 1}, &n);
    check(site, &n);
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numbering/profiles.h"

#include <stdio.h>
#include <stdlib.h>

#define SITES_MAX 600

static struct tables *tables;
static struct {
    char profile[24];
    struct site *site;
} sites[SITES_MAX];
static size_t n_sites;

static void die(const struct fault *f)
{
    fprintf(stderr, "profiles: %s\n", f->text);
    abort();
}

const struct tables *profiles_tables(void)
{
    struct fault f;

    if (!tables && tables_load(&tables, NULL, 0, &f))
        die(&f);
    return tables;
}

const struct site *profiles_site(const char *profile)
{
    struct site_config config = {.plan = {profile, 2}};
    struct span how = span_skip(span_of(profile), 3);
    struct fault f;

    for (size_t i = 0; i < n_sites; i++)
        if (strcmp(sites[i].profile, profile) == 0)
            return sites[i].site;
    if (n_sites == SITES_MAX || strlen(profile) >= sizeof(sites[0].profile))
        abort();
    if (strcmp(profile, "JP") == 0)
        config.extensions = SPAN("1XXX");
    else if (strcmp(profile, "JP-ext4") == 0)
        config.extensions = SPAN("0101");
    else if (span_starts(how, SPAN("out")))
        config.outside = span_skip(how, 3);
    else if (span_starts(how, SPAN("area")))
        config.area = span_skip(how, 4);
    if (site_new(&sites[n_sites].site, profiles_tables(), &config, &f))
        die(&f);
    snprintf(sites[n_sites].profile, sizeof(sites[0].profile), "%s", profile);
    return sites[n_sites++].site;
}

const struct site *profiles_trunk(const char *profile)
{
    char trunk[24];

    snprintf(trunk, sizeof(trunk), "%.2s-bare", profile);
    return profiles_site(trunk);
}

void profiles_free(void)
{
    while (n_sites)
        site_free(sites[--n_sites].site);
    tables_free(tables);
    tables = NULL;
}

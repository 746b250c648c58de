/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "world.h"

#include "measure.h"

#define RESELLER 1 /* tenants are RESELLER + 1 and so on */
#define BATCH 65536

static void must(int err, const struct fault *f)
{
    if (!err)
        return;
    fprintf(stderr, "%s\n", f->text);
    exit(1);
}

void world_name(size_t i, struct world_name *out)
{
    char text[64];
    int n;

    if (i % 3 == 0)
        n = snprintf(text, sizeof(text), "03%08zu", i);
    else if (i % 3 == 1)
        n = snprintf(text, sizeof(text), "pbx-%07zu", i);
    else
        n = snprintf(text, sizeof(text), "t%04zu.%04zu@voice", i / 3 % 10000, i / 30000);
    out->n = (uint8_t)n;
    memcpy(out->text, text, (size_t)n);
}

/* ---- rules ---- */

static const char *const broad[] = {"010", "0101", "0570", "0033", "0990"};
static const char *const countries[] = {"0107",   "01086", "01081",  "01044",   "010252", "010232",
                                        "010386", "01053", "010882", "0101876", "010216", "010960"};

static bool there(char (*digits)[16], size_t n, const char *wanted)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(digits[i], wanted) == 0)
            return true;
    return false;
}

void world_set(size_t i, struct rule rules[WORLD_RULES], char digits[WORLD_RULES][16])
{
    uint64_t seed = i * 2 + 1;

    for (size_t k = 0; k < WORLD_RULES;) {
        uint64_t r = measure_random(&seed);

        if (k == 0)
            snprintf(digits[k], 16, "010");
        else if (k == 1) /* a set of its own */
            snprintf(digits[k], 16, "0101212%04zu", i);
        else if (r % 4 == 0)
            snprintf(digits[k], 16, "%s", broad[(r >> 8) % 5]);
        else if (r % 4 == 1)
            snprintf(digits[k], 16, "010%u", (unsigned)(10 + (r >> 8) % 89));
        else
            snprintf(digits[k], 16, "%s", countries[(r >> 8) % 12]);
        if (there(digits, k, digits[k]))
            continue;
        rules[k] = (struct rule){.action = k == 1 || r % 7 == 0 ? RULE_EXCEPT : RULE_RESTRICT,
                                 .prefix = span_of(digits[k])};
        k++;
    }
}

/* ---- accounts ---- */

static const struct rule operator_rules[] = {
    {.action = RULE_RESTRICT, .prefix = SPAN("010252")},
    {.action = RULE_RESTRICT, .prefix = SPAN("010881")},
    {.action = RULE_RESTRICT, .prefix = SPAN("0990"), .mandatory = true},
};
static const struct rule born[] = {{.action = RULE_RESTRICT, .prefix = SPAN("010")}};

static void stage_levels(struct world *world, const struct tables *tables)
{
    static struct levels_tenant tenants[WORLD_TENANTS + 1];
    static char names[WORLD_TENANTS + 1][16];
    static const struct network loopback = {.family = 4, .bits = 8, .ip = {127}};
    struct levels_switch pbx = {
        .id = 1,
        .name = SPAN("pbx"),
        .networks = &loopback,
        .n_networks = 1,
        .site = {.plan = SPAN("JP"), .extensions = SPAN("1XXX")},
        .mode = MODE_ENFORCE,
        .unknown = UNKNOWN_BORN,
        .adopt_tenant = RESELLER,
    };
    struct levels_config config = {
        .tables = tables,
        .switches = &pbx,
        .n_switches = 1,
        .tenants = tenants,
        .n_tenants = WORLD_TENANTS + 1,
        .operator_rules = {operator_rules, sizeof(operator_rules) / sizeof(*operator_rules)},
    };
    struct fault f;

    for (size_t i = 0; i <= WORLD_TENANTS; i++) {
        snprintf(names[i], sizeof(names[i]), "tenant-%zu", i);
        tenants[i] = (struct levels_tenant){
            .id = (int64_t)(RESELLER + i),
            .name = span_of(names[i]),
            .parent = i ? RESELLER : 0,
            .born = {born, 1},
            .rules = i ? (struct levels_rules){0} : (struct levels_rules){born, 1},
        };
    }
    must(snapshot_stage_levels(world->snap, &config, &f), &f);
}

static void stage_accounts(struct world *world)
{
    static const struct ruleset *sets[WORLD_SETS];
    struct rule rules[WORLD_RULES];
    char digits[WORLD_RULES][16];
    struct fault f;

    for (size_t i = 0; i < WORLD_SETS; i++) {
        world_set(i, rules, digits);
        must(snapshot_rules(world->snap, rules, WORLD_RULES, &sets[i], &f), &f);
    }
    for (size_t i = 0; i < world->accounts; i++) {
        struct world_name name;
        struct snapshot_account account = {
            .id = (int64_t)i + 1,
            .switch_id = 1,
            .tenant = (int64_t)(RESELLER + 1 + i % WORLD_TENANTS),
            .rules = sets[i % WORLD_SETS],
        };

        world_name(i, &name);
        account.name = (struct span){name.text, name.n};
        must(snapshot_stage_account(world->snap, &account, &f), &f);
        if (i % BATCH == BATCH - 1)
            snapshot_publish(world->snap, 1);
    }
    for (size_t i = 0; i < WORLD_SETS; i++)
        snapshot_rules_unref(world->snap, sets[i]);
    snapshot_publish(world->snap, 2);
}

void world_open(struct world *world, const struct tables *tables, size_t accounts)
{
    const struct snapshot_options options = {.key = "sixteen bytes..", .accounts = accounts};
    struct fault f;

    world->accounts = accounts;
    must(snapshot_new(&world->snap, &options, &f), &f);
    stage_levels(world, tables);
    stage_accounts(world);
}

void world_close(struct world *world)
{
    snapshot_free(world->snap);
}

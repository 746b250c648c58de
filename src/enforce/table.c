/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/table.h"

#define BANS(scope)                                                                                \
    {scope "_hosts4", 4, 4, 32, false, true}, {scope "_hosts6", 6, 16, 128, false, true},          \
        {scope "_nets64", 6, 16, 64, false, true}, {scope "_nets48", 6, 16, 48, false, true},      \
        {scope "_nets4", 4, 4, 0, true, true},                                                     \
    {                                                                                              \
        scope "_nets6", 6, 16, 0, true, true                                                       \
    }
#define LISTS(name)                                                                                \
    {name "4", 4, 4, 0, true, false},                                                              \
    {                                                                                              \
        name "6", 6, 16, 0, true, false                                                            \
    }
#define PORTS(name)                                                                                \
    {                                                                                              \
        name, 0, 8, 0, false, false                                                                \
    }

static const struct table_set_facts sets[TABLE_SETS] = {
    BANS("sip"),       BANS("every"),  LISTS("never"), LISTS("access"),
    LISTS("observed"), PORTS("ports"), PORTS("gated"),
};

static const char *const counters[ENFORCE_COUNTERS] = {
    [ENFORCE_COUNT_NEVER] = "never",           [ENFORCE_COUNT_OBSERVED] = "observed",
    [ENFORCE_COUNT_NO_ACCESS] = "no_access",   [ENFORCE_COUNT_SIP_HOSTS] = "sip_hosts",
    [ENFORCE_COUNT_SIP_NETS] = "sip_nets",     [ENFORCE_COUNT_EVERY_HOSTS] = "every_hosts",
    [ENFORCE_COUNT_EVERY_NETS] = "every_nets",
};

const struct table_set_facts *table_set_facts(enum table_set set)
{
    return &sets[set];
}

enum table_set table_set_named(struct span name)
{
    unsigned set = 0;

    while (set < TABLE_SETS && !span_is(name, sets[set].name))
        set++;
    return (enum table_set)set;
}

enum table_set table_set_for(const struct network *network, enum enforce_scope scope)
{
    unsigned first = scope == ENFORCE_SIP ? TABLE_SIP_HOSTS4 : TABLE_EVERY_HOSTS4;
    enum table_set set = network->family == 4 ? TABLE_SIP_NETS4 : TABLE_SIP_NETS6;

    for (unsigned i = TABLE_SIP_HOSTS4; i < TABLE_SIP_NETS4; i++)
        if (sets[i].family == network->family && sets[i].bits == network->bits)
            set = (enum table_set)i;
    return (enum table_set)(first + set);
}

enum enforce_scope table_set_scope(enum table_set set)
{
    return set >= TABLE_EVERY_HOSTS4 && set <= TABLE_EVERY_NETS6 ? ENFORCE_EVERYTHING : ENFORCE_SIP;
}

const char *table_counter_name(enum enforce_counter counter)
{
    return counters[counter];
}

enum enforce_counter table_counter_named(struct span name)
{
    unsigned counter = 0;

    while (counter < ENFORCE_COUNTERS && !span_is(name, counters[counter]))
        counter++;
    return (enum enforce_counter)counter;
}

/* How a packet's source is looked up in that set. */
static void print_source(struct buf *out, const struct table_set_facts *set)
{
    const char *mask = set->bits == 64   ? " & ffff:ffff:ffff:ffff::"
                       : set->bits == 48 ? " & ffff:ffff:ffff::"
                                         : "";

    buf_printf(out, "%s saddr%s @%s", set->family == 4 ? "ip" : "ip6", mask, set->name);
}

/* The chain that looks up a scope's bans; in `passing` nothing is dropped. */
static void print_bans(struct buf *out, const char *chain, enum table_set first, bool passing)
{
    for (unsigned i = first; i <= first + TABLE_SIP_NETS6; i++) {
        const char *scope = first == TABLE_SIP_HOSTS4 ? "sip" : "every";
        const char *what =
            sets[i].ranges || sets[i].bits == 64 || sets[i].bits == 48 ? "nets" : "hosts";

        buf_printf(out, "add rule inet " TABLE_NAME " %s ", chain);
        print_source(out, &sets[i]);
        if (passing)
            buf_puts(out, " counter name observed accept\n");
        else
            buf_printf(out, " counter name %s_%s drop\n", scope, what);
    }
}

static void print_sets(struct buf *out)
{
    for (unsigned i = 0; i < TABLE_SETS; i++) {
        const struct table_set_facts *set = &sets[i];

        buf_printf(out, "add set inet " TABLE_NAME " %s { type %s;", set->name,
                   set->family == 4   ? "ipv4_addr"
                   : set->family == 6 ? "ipv6_addr"
                                      : "inet_proto . inet_service");
        if (set->bits)
            buf_printf(out, " size %d;", TABLE_HOSTS_MAX);
        if (set->ranges || set->bans)
            buf_printf(out, " flags %s;",
                       !set->ranges ? "timeout"
                       : set->bans  ? "interval, timeout"
                                    : "interval");
        buf_puts(out, " }\n");
    }
}

void table_list(struct buf *out, bool anew)
{
    static const char *const chains[] = {"every",          "sip",        "access", "observe",
                                         "observe_access", "observe_sip"};

    buf_puts(out, "add table inet " TABLE_NAME "\n");
    if (anew)
        buf_puts(out, "delete table inet " TABLE_NAME "\nadd table inet " TABLE_NAME "\n");
    for (unsigned i = 0; i < ENFORCE_COUNTERS; i++)
        buf_printf(out, "add counter inet " TABLE_NAME " %s\n", counters[i]);
    print_sets(out);
    for (unsigned i = 0; i < sizeof(chains) / sizeof(chains[0]); i++)
        buf_printf(out,
                   "add chain inet " TABLE_NAME " %s\n"
                   "flush chain inet " TABLE_NAME " %s\n",
                   chains[i], chains[i]);
    print_bans(out, "every", TABLE_EVERY_HOSTS4, false);
    print_bans(out, "sip", TABLE_SIP_HOSTS4, false);
    print_bans(out, "observe", TABLE_EVERY_HOSTS4, true);
    print_bans(out, "observe_sip", TABLE_SIP_HOSTS4, true);
#define RULE "add rule inet " TABLE_NAME " "
    buf_puts(out,
             RULE "observe meta l4proto . th dport @gated jump observe_access\n" RULE
                  "observe meta l4proto . th dport @ports jump observe_sip\n" RULE
                  "observe_access ip saddr @access4 return\n" RULE
                  "observe_access ip6 saddr @access6 return\n" RULE
                  "observe_access counter name observed accept\n" RULE
                  "access ip saddr @access4 return\n" RULE "access ip6 saddr @access6 return\n" RULE
                  "access counter name no_access drop\n"
                  "add chain inet " TABLE_NAME " gate "
                  "{ type filter hook prerouting priority -310; policy accept; }\n"
                  "flush chain inet " TABLE_NAME " gate\n" RULE
                  "gate ip saddr @never4 counter name never accept\n" RULE
                  "gate ip6 saddr @never6 counter name never accept\n" RULE
                  "gate ip daddr @observed4 goto observe\n" RULE
                  "gate ip6 daddr @observed6 goto observe\n" RULE "gate jump every\n" RULE
                  "gate meta l4proto . th dport @gated jump access\n" RULE
                  "gate meta l4proto . th dport @ports jump sip\n");
#undef RULE
}

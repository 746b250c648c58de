/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/ruleset.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <nftables/libnftables.h>
#include <stdlib.h>

#include "enforce/table.h"

struct ruleset {
    struct nft_ctx *nft;
    struct buf into, anew; /* what nft is told */
    uint64_t print;        /* of what was laid */
};

int ruleset_open(struct ruleset **out, struct fault *f)
{
    struct ruleset *rules = calloc(1, sizeof(*rules));

    if (!rules)
        return fault_nomem(f);
    table_list(&rules->into, false);
    table_list(&rules->anew, true);
    rules->nft = nft_ctx_new(NFT_CTX_DEFAULT);
    if (!rules->nft || rules->into.failed || rules->anew.failed) {
        ruleset_close(rules);
        return fault_nomem(f);
    }
    nft_ctx_buffer_output(rules->nft);
    nft_ctx_buffer_error(rules->nft);
    *out = rules;
    return 0;
}

void ruleset_close(struct ruleset *rules)
{
    if (!rules)
        return;
    if (rules->nft)
        nft_ctx_free(rules->nft);
    buf_free(&rules->into);
    buf_free(&rules->anew);
    free(rules);
}

/* FNV-1a: recognises a change, and nobody who could write to the kernel's tables need be deceived. */
static void mix(uint64_t *print, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < n; i++)
        *print = (*print ^ p[i]) * UINT64_C(0x100000001b3);
}

struct look {
    uint64_t print;
    unsigned parts;
};

/* The attributes that say what a table, chain or rule does. Handles, positions and counters do not. */
static bool tells(int type, int attribute)
{
    switch (type) {
    case NFT_MSG_NEWTABLE: return attribute == NFTA_TABLE_FLAGS;
    case NFT_MSG_NEWCHAIN:
        return attribute == NFTA_CHAIN_NAME || attribute == NFTA_CHAIN_HOOK ||
               attribute == NFTA_CHAIN_POLICY || attribute == NFTA_CHAIN_TYPE;
    case NFT_MSG_NEWRULE: return attribute == NFTA_RULE_CHAIN || attribute == NFTA_RULE_EXPRESSIONS;
    default: return false; /* the kernel's messages, of which we asked for no others */
    }
}

static int mix_answer(void *context, const struct nlmsghdr *answer)
{
    struct look *look = context;
    int type = answer->nlmsg_type & 0xff;
    const struct nlattr *attr;

    /* The table's name is the first attribute of each, and a dump of chains has everybody's. */
    mnl_attr_for_each(attr, answer, sizeof(struct nfgenmsg))
    {
        if (mnl_attr_get_type(attr) == NFTA_CHAIN_TABLE &&
            (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0 ||
             strcmp(mnl_attr_get_str(attr), TABLE_NAME) != 0))
            return 0;
    }
    mnl_attr_for_each(attr, answer, sizeof(struct nfgenmsg))
    {
        if (tells(type, mnl_attr_get_type(attr)))
            mix(&look->print, attr, attr->nla_len);
    }
    look->parts++;
    return 0;
}

static int ask(struct netlink *nl, int type, int flags, struct look *look)
{
    struct nlmsghdr *question = netlink_question(nl, type, flags);

    mnl_attr_put_strz(question, NFTA_TABLE_NAME, TABLE_NAME);
    return netlink_ask(nl, question, mix_answer, look);
}

/* 0, ENOENT, or another errno. */
static int look_at(struct netlink *nl, struct look *look)
{
    int err = EINTR;

    /* Others may be changing their own tables at this moment. */
    for (int try = 0; err == EINTR && try < 10; try++) {
        *look = (struct look){.print = UINT64_C(0xcbf29ce484222325)};
        err = ask(nl, NFT_MSG_GETTABLE, 0, look);
        if (!err)
            err = ask(nl, NFT_MSG_GETCHAIN, NLM_F_DUMP, look);
        if (!err)
            err = ask(nl, NFT_MSG_GETRULE, NLM_F_DUMP, look);
    }
    return err;
}

int ruleset_lay(struct ruleset *rules, struct netlink *nl, bool *kept, struct fault *f)
{
    struct look look;

    *kept = look_at(nl, &look) != ENOENT && nft_run_cmd_from_buffer(rules->nft, rules->into.p) == 0;
    if (!*kept && nft_run_cmd_from_buffer(rules->nft, rules->anew.p) != 0) {
        const char *said = nft_ctx_get_error_buffer(rules->nft);

        return fault(f, ERR_IO, "the kernel does not take the table inet " TABLE_NAME ": %s",
                     ESCAPED(span_of(said ? said : "no reason given")));
    }
    /* What was said and needed no answer is not kept for the next time. */
    nft_ctx_get_error_buffer(rules->nft);
    nft_ctx_get_output_buffer(rules->nft);
    int err = look_at(nl, &look);

    if (err)
        return fault(f, ERR_IO, "cannot read the table inet " TABLE_NAME " back: %s",
                     strerror(err));
    rules->print = look.print;
    return 0;
}

enum ruleset_state ruleset_look(struct ruleset *rules, struct netlink *nl)
{
    struct look look;
    int err = look_at(nl, &look);

    if (err == ENOENT)
        return RULESET_GONE;
    return err || look.print != rules->print ? RULESET_CHANGED : RULESET_STANDS;
}

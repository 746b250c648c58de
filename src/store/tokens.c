/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/tokens.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/change.h"
#include "store/names.h"
#include "store/page.h"

#define HASH_BYTES 32
#define SECRET_BYTES 32
#define SECRET_PREFIX "sekisho_"

#define TOKEN_SCOPE                                                                                \
    "CASE WHEN x.tenant IS NOT NULL THEN 'tenant:' || t.name"                                      \
    "     WHEN x.switch IS NOT NULL THEN 'switch:' || s.name ELSE 'operator' END"
#define FROM_TOKENS                                                                                \
    " FROM tokens x LEFT JOIN tenants t ON t.id = x.tenant LEFT JOIN switches s ON s.id = "        \
    "x.switch "

static const struct change_kind token_kind = {
    "token",
    "SELECT 'token:' || x.id, 'token:' || x.id, x.tenant, NULL, x.change" FROM_TOKENS
    "WHERE x.id = ?1",
    "SELECT json_object('scope', " TOKEN_SCOPE
    ", 'label', x.label, 'expires', nullif(x.expires, 0))" FROM_TOKENS "WHERE x.id = ?1",
};

/*
 * A plain fast hash is right here, and a password hash would be wrong: the secret is 256 random bits,
 * not something that a person made up, so there is nothing to guess that a slow hash would slow down,
 * while every request would pay for it. Whoever reads the file learns no secret from it. Finding the
 * hash by its value is fine too: what the time of the search tells is about the hash, not the secret.
 */
static void hash_secret(struct span secret, unsigned char out[HASH_BYTES])
{
    crypto_generichash(out, HASH_BYTES, (const unsigned char *)secret.p, secret.n, NULL, 0);
}

static void make_secret(char out[STORE_SECRET_MAX])
{
    unsigned char random[SECRET_BYTES];
    char text[STORE_SECRET_MAX - sizeof(SECRET_PREFIX) + 1];

    randombytes_buf(random, sizeof(random));
    sodium_bin2base64(text, sizeof(text), random, sizeof(random),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    snprintf(out, STORE_SECRET_MAX, SECRET_PREFIX "%s", text);
    sodium_memzero(random, sizeof(random));
    sodium_memzero(text, sizeof(text));
}

static int check_scope(struct store_tx *tx, struct store_ref scope, struct fault *f)
{
    struct span text;
    int err = store_ref_text(tx, scope, &text, f);

    if (err)
        return err;
    switch (scope.scope) {
    case SCOPE_OPERATOR:
    case SCOPE_TENANT:
    case SCOPE_SWITCH: return 0;
    case SCOPE_PRESET:
    case SCOPE_ACCOUNT: break;
    }
    return fault(f, ERR_RANGE, "a token is for the operator, a tenant or a switch, not for %s",
                 ESCAPED(text));
}

int store_token_add(struct store_tx *tx, const struct store_by *by, const struct store_token *t,
                    int64_t *id, char secret[STORE_SECRET_MAX], struct fault *f)
{
    unsigned char digest[HASH_BYTES];
    struct span key = {(char *)digest, sizeof(digest)};
    char made[STORE_SECRET_MAX];
    struct change c;
    int64_t n = 0, new = 0;
    bool found;
    int err = change_begin(&c, tx, by, &token_kind, "token.add", CHANGE_NEW, f);

    if (!err)
        err = check_scope(tx, t->scope, f);
    if (!err)
        err = text_check(t->label, STORE_TEXT_MAX, "the label", f);
    if (!err && t->expires && t->expires <= instant_wall_s(tx->now))
        err = fault(f, ERR_RANGE, "the token would have expired already");
    if (!err)
        err = db_int(tx->db, &n, &found, "SELECT count(*) FROM tokens", NULL, 0, f);
    if (!err && n >= STORE_TOKENS_MAX)
        err = fault(f, ERR_FULL, "there are %d tokens, and no more may be: revoke some",
                    STORE_TOKENS_MAX);
    make_secret(made);
    hash_secret(span_of(made), digest);
    if (!err)
        err =
            db_run(tx->db,
                   "INSERT INTO tokens (hash, tenant, switch, label, created, expires, change)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                   DB_VALUES(BLOB(key), t->scope.scope == SCOPE_TENANT ? INT(t->scope.id) : NONE,
                             t->scope.scope == SCOPE_SWITCH ? INT(t->scope.id) : NONE,
                             TEXT(t->label), INT(tx->now.wall_ms), INT(t->expires), INT(c.number)),
                   f);
    if (!err) {
        c.id = new = db_last_id(tx->db);
        tx->touched->tokens = true;
    }
    err = change_end(&c, err, f);
    if (!err) {
        *id = new;
        memcpy(secret, made, sizeof(made));
    }
    sodium_memzero(made, sizeof(made));
    return err;
}

int store_token_revoke(struct store_tx *tx, const struct store_by *by, int64_t id, struct fault *f)
{
    struct change c;
    int err = change_begin(&c, tx, by, &token_kind, "token.revoke", id, f);

    if (!err)
        err = db_run(tx->db, "DELETE FROM tokens WHERE id = ?1", DB_VALUES(INT(id)), f);
    if (!err)
        tx->touched->tokens = true;
    return change_end(&c, err, f);
}

#define SELECT_TOKEN                                                                               \
    "SELECT x.id, x.change, x.tenant, x.switch, " TOKEN_SCOPE                                      \
    ", x.label, x.created, x.expires" FROM_TOKENS

static struct store_ref read_scope(struct query *q, int tenant, int sw)
{
    if (!query_null(q, tenant))
        return (struct store_ref){SCOPE_TENANT, query_int(q, tenant)};
    if (!query_null(q, sw))
        return (struct store_ref){SCOPE_SWITCH, query_int(q, sw)};
    return (struct store_ref){SCOPE_OPERATOR, 0};
}

static int read_token(struct store_tx *tx, struct query *q, void *item, struct fault *f)
{
    struct store_token *out = item;
    bool ok = true;
    struct store_token t = {
        .id = query_int(q, 0),
        .change = query_int(q, 1),
        .scope = read_scope(q, 2, 3),
        .scope_text = query_copy(q, 4, &tx->arena, &ok),
        .label = query_copy(q, 5, &tx->arena, &ok),
        .created_ms = query_int(q, 6),
        .expires = query_int(q, 7),
    };

    if (!ok)
        return fault_nomem(f);
    *out = t;
    return 0;
}

int store_token_get(struct store_tx *tx, int64_t id, struct store_token *out, struct fault *f)
{
    struct query q;
    int err = query_start(&q, tx->db, SELECT_TOKEN "WHERE x.id = ?1", DB_VALUES(INT(id)), f);

    if (err)
        return err;
    err = query_row(&q, f);
    if (err == 1)
        err = read_token(tx, &q, out, f);
    else if (err == 0)
        err = fault(f, ERR_MISSING, "there is no token with id %" PRId64, id);
    query_end(&q);
    return err;
}

int store_token_list(struct store_tx *tx, const struct store_page *page,
                     struct store_token_list *out, struct fault *f)
{
    struct page p = {.size = sizeof(struct store_token), .read = read_token};
    struct query q;
    int err = page_begin_id(&p, page, 0, f);

    if (!err)
        err = query_start(&q, tx->db, SELECT_TOKEN "WHERE x.id > ?1 ORDER BY x.id LIMIT ?2",
                          DB_VALUES(INT(p.id), INT(p.rows)), f);
    if (!err)
        err = page_read(&p, tx, &q, f);
    if (!err)
        *out = (struct store_token_list){p.items, p.n, p.next};
    return err;
}

struct token_table {
    size_t n;
    struct token_entry {
        unsigned char hash[HASH_BYTES];
        struct store_pass pass;
        int64_t expires;
    } entries[];
};

int token_table_load(struct token_table **out, struct db *db, struct fault *f)
{
    struct token_table *table = NULL;
    struct query q;
    int64_t n = 0;
    bool found;
    int err = db_int(db, &n, &found, "SELECT count(*) FROM tokens", NULL, 0, f);

    if (!err && !(table = calloc(1, sizeof(*table) + (size_t)n * sizeof(*table->entries))))
        err = fault_nomem(f);
    if (!err)
        err = query_start(&q, db,
                          "SELECT hash, id, tenant, switch, expires FROM tokens ORDER BY hash",
                          NULL, 0, f);
    if (err) {
        free(table);
        return err;
    }
    while ((int64_t)table->n < n && (err = query_row(&q, f)) == 1) {
        struct span key = query_text(&q, 0);
        if (key.n != HASH_BYTES) { /* the schema sees to it: no memory to read it into */
            err = fault_nomem(f);
            break;
        }
        struct token_entry *e = &table->entries[table->n++];
        memcpy(e->hash, key.p, HASH_BYTES);
        e->pass = (struct store_pass){query_int(&q, 1), read_scope(&q, 2, 3)};
        e->expires = query_int(&q, 4);
    }
    query_end(&q);
    if (err < 0) {
        free(table);
        return err;
    }
    *out = table;
    return 0;
}

void token_table_free(struct token_table *table)
{
    free(table);
}

static int compare(const void *key, const void *entry)
{
    return memcmp(key, ((const struct token_entry *)entry)->hash, HASH_BYTES);
}

bool token_table_find(const struct token_table *table, struct span secret, int64_t now_s,
                      struct store_pass *out)
{
    unsigned char digest[HASH_BYTES];

    if (!table || table->n == 0 || secret.n == 0 || secret.n >= STORE_SECRET_MAX)
        return false;
    hash_secret(secret, digest);
    const struct token_entry *e =
        bsearch(digest, table->entries, table->n, sizeof(*table->entries), compare);
    if (!e || (e->expires && now_s >= e->expires))
        return false;
    *out = e->pass;
    return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/names.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/utf8.h"

static const char *const modes[] = {"inherit", "enforce", "observe"};
static const char *const states[] = {"active", "suspended", "locked"};
static const char *const unknowns[] = {"born", "deny"};
static const char *const forms[] = {"dialled", "+e164", "e164"};
static const char *const scopes[] = {"operator", "tenant", "switch", "preset", "account"};

#define COUNT(words) (sizeof(words) / sizeof(*(words)))

const char *store_mode_name(enum store_mode mode)
{
    return modes[mode];
}

const char *store_state_name(enum store_state state)
{
    return states[state];
}

const char *store_unknown_name(enum store_unknown unknown)
{
    return unknowns[unknown];
}

const char *store_form_name(enum number_form form)
{
    return forms[form];
}

const char *store_scope_name(enum store_scope scope)
{
    return scopes[scope];
}

bool store_mode_parse(struct span word, enum store_mode *out)
{
    int i = span_among(word, modes, COUNT(modes));

    if (i >= 0)
        *out = (enum store_mode)i;
    return i >= 0;
}

bool store_state_parse(struct span word, enum store_state *out)
{
    int i = span_among(word, states, COUNT(states));

    if (i >= 0)
        *out = (enum store_state)i;
    return i >= 0;
}

bool store_unknown_parse(struct span word, enum store_unknown *out)
{
    int i = span_among(word, unknowns, COUNT(unknowns));

    if (i >= 0)
        *out = (enum store_unknown)i;
    return i >= 0;
}

bool store_form_parse(struct span word, enum number_form *out)
{
    int i = span_among(word, forms, COUNT(forms));

    if (i >= 0)
        *out = (enum number_form)i;
    return i >= 0;
}

static bool is_lower_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

int name_check(struct span name, const char *what, struct fault *f)
{
    bool fits = name.n >= 1 && name.n <= STORE_NAME_MAX && is_lower_alnum(name.p[0]);

    for (size_t i = 0; fits && i < name.n; i++)
        fits = is_lower_alnum(name.p[i]) || memchr("._-", name.p[i], 3);
    if (fits)
        return 0;
    return fault(f, ERR_SYNTAX,
                 "\"%s\" cannot name a %s: a name has 1 to %d of a-z 0-9 . _ - and begins with a "
                 "letter or digit",
                 ESCAPED(name), what, STORE_NAME_MAX);
}

bool store_account_name(struct span name, char out[STORE_ACCOUNT_NAME_MAX + 1])
{
    char clean[STORE_ACCOUNT_NAME_MAX + 1] = {0};

    if (name.n < 1 || name.n > STORE_ACCOUNT_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        clean[i] = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
        if (!is_lower_alnum(clean[i]) && !memchr("._@+-", clean[i], 5))
            return false;
    }
    memcpy(out, clean, sizeof(clean));
    return true;
}

int account_name_clean(struct span name, char out[STORE_ACCOUNT_NAME_MAX + 1], struct fault *f)
{
    if (store_account_name(name, out))
        return 0;
    return fault(f, ERR_SYNTAX,
                 "\"%s\" cannot name an account: a name has 1 to %d of A-Z a-z 0-9 . _ @ + -",
                 ESCAPED(name), STORE_ACCOUNT_NAME_MAX);
}

int text_check(struct span text, size_t max, const char *what, struct fault *f)
{
    if (text.n > max)
        return fault(f, ERR_RANGE, "%s has %zu bytes; at most %zu are allowed", what, text.n, max);
    if (!utf8_valid(text))
        return fault(f, ERR_SYNTAX, "%s is not UTF-8: \"%s\"", what, ESCAPED(text));
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool c1 = c == 0xc2 && (unsigned char)text.p[i + 1] < 0xa0;
        if (c < 0x20 || c == 0x7f || c1)
            return fault(f, ERR_SYNTAX, "%s has a control character: \"%s\"", what, ESCAPED(text));
    }
    return 0;
}

bool id_parse(struct span text, int64_t *id)
{
    int64_t n = 0;

    if (text.n == 0 || text.n > 18) /* 18 digits cannot overflow */
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        n = n * 10 + (text.p[i] - '0');
    }
    *id = n;
    return true;
}

static int id_by_name(struct store_tx *tx, const char *sql, struct span name, const char *what,
                      int64_t *id, struct fault *f)
{
    bool found = false;
    int err = db_int(tx->db, id, &found, sql, DB_VALUES(TEXT(name)), f);

    if (!err && !found)
        return fault(f, ERR_MISSING, "there is no %s \"%s\"", what, ESCAPED(name));
    return err;
}

int tenant_id(struct store_tx *tx, struct span name, bool optional, int64_t *id, struct fault *f)
{
    if (optional && name.n == 0) {
        *id = 0;
        return 0;
    }
    return id_by_name(tx, "SELECT id FROM tenants WHERE name = ?1", name, "tenant", id, f);
}

int switch_id(struct store_tx *tx, struct span name, int64_t *id, struct fault *f)
{
    return id_by_name(tx, "SELECT id FROM switches WHERE name = ?1", name, "switch", id, f);
}

int preset_id(struct store_tx *tx, struct span name, bool optional, int64_t *id, struct fault *f)
{
    if (optional && name.n == 0) {
        *id = 0;
        return 0;
    }
    return id_by_name(tx, "SELECT id FROM presets WHERE name = ?1", name, "preset", id, f);
}

static int account_ref(struct store_tx *tx, struct span text, int64_t *id, struct fault *f)
{
    bool found = false;

    if (!id_parse(text, id))
        return fault(f, ERR_SYNTAX, "\"%s\" is no account's number", ESCAPED(text));
    int err =
        db_int(tx->db, id, &found, "SELECT id FROM accounts WHERE id = ?1", DB_VALUES(INT(*id)), f);
    if (!err && !found)
        return fault(f, ERR_MISSING, "there is no account %s", ESCAPED(text));
    return err;
}

int store_ref_parse(struct store_tx *tx, struct span text, struct store_ref *out, struct fault *f)
{
    struct span name, word = span_cut(text, ':', &name);
    struct store_ref ref = {0};
    int scope = span_among(word, scopes, COUNT(scopes));
    int err = 0;

    if (scope < 0 || (scope == SCOPE_OPERATOR) != (name.p == NULL))
        return fault(
            f, ERR_SYNTAX,
            "\"%s\" is none of operator, tenant:NAME, switch:NAME, preset:NAME, account:ID",
            ESCAPED(text));
    ref.scope = (enum store_scope)scope;
    switch (ref.scope) {
    case SCOPE_OPERATOR: break;
    case SCOPE_TENANT: err = tenant_id(tx, name, false, &ref.id, f); break;
    case SCOPE_SWITCH: err = switch_id(tx, name, &ref.id, f); break;
    case SCOPE_PRESET: err = preset_id(tx, name, false, &ref.id, f); break;
    case SCOPE_ACCOUNT: err = account_ref(tx, name, &ref.id, f); break;
    }
    if (!err)
        *out = ref;
    return err;
}

static const char *ref_sql(enum store_scope scope)
{
    switch (scope) {
    case SCOPE_OPERATOR: return "SELECT 'operator'";
    case SCOPE_TENANT: return "SELECT 'tenant:' || name FROM tenants WHERE id = ?1";
    case SCOPE_SWITCH: return "SELECT 'switch:' || name FROM switches WHERE id = ?1";
    case SCOPE_PRESET: return "SELECT 'preset:' || name FROM presets WHERE id = ?1";
    case SCOPE_ACCOUNT: return "SELECT 'account:' || id FROM accounts WHERE id = ?1";
    }
    return NULL;
}

int store_ref_text(struct store_tx *tx, struct store_ref ref, struct span *out, struct fault *f)
{
    struct db_value id = INT(ref.id);
    struct query q;
    bool ok = true;
    int err = query_start(&q, tx->db, ref_sql(ref.scope), &id, ref.scope != SCOPE_OPERATOR, f);

    if (err)
        return err;
    err = query_row(&q, f);
    if (err == 1) {
        struct span text = query_copy(&q, 0, &tx->arena, &ok);
        err = ok ? 0 : fault_nomem(f);
        if (!err)
            *out = text;
    } else if (err == 0) {
        err = fault(f, ERR_MISSING, "there is no %s with id %" PRId64, scopes[ref.scope], ref.id);
    }
    query_end(&q);
    return err;
}

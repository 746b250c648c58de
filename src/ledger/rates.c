/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/rates.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct rates {
    struct rate *rates;
    size_t n, cap;
    uint32_t *slots; /* of a power of two: index + 1 by prefix; 0: free */
    size_t n_slots;
    char currencies[RATES_CURRENCIES_MAX][MONEY_CURRENCY];
    size_t n_currencies;
    unsigned longest, shortest;
};

/* ---- lines and cells ------------------------------------------------------------------------ */

enum column { PREFIX, PRICE, INCREMENT, CURRENCY, COLUMNS };

static const char *const column_names[COLUMNS] = {"prefix", "price", "increment", "currency"};

#define CELLS_MAX 64

struct sheet {
    struct span name, rest;
    size_t line;
    int at[COLUMNS]; /* which cell */
};

__attribute__((format(printf, 4, 5))) static int wrong(const struct sheet *s, int code,
                                                       struct fault *f, const char *format, ...);

static int wrong(const struct sheet *s, int code, struct fault *f, const char *format, ...)
{
    char text[FAULT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return fault(f, code, "%s, line %zu: %s", ESCAPED(s->name), s->line, text);
}

/* The next line that says something; false at the end. */
static bool next_line(struct sheet *s, struct span *line)
{
    while (s->rest.n) {
        s->line++;
        *line = span_cut(s->rest, '\n', &s->rest);
        if (line->n && line->p[line->n - 1] == '\r')
            line->n--;
        if (span_trim(*line).n && line->p[0] != '#')
            return true;
    }
    return false;
}

/* The first cell of `line`, which loses it. Within quotes nothing but the quotes means anything: a cell of
 * this table that has a quote in it is none of ours, and stays as it is. */
static int next_cell(const struct sheet *s, struct span *line, struct span *cell, struct fault *f)
{
    struct span rest = span_trim(*line), after;
    const char *end;

    if (rest.n == 0 || rest.p[0] != '"') {
        *cell = span_trim(span_cut(*line, ',', line));
        return 0;
    }
    rest = span_skip(rest, 1);
    *cell = rest;
    do {
        end = rest.n ? memchr(rest.p, '"', rest.n) : NULL;
        if (!end)
            return wrong(s, ERR_SYNTAX, f, "a double quote is missing at the end of a cell");
        rest = span_skip(rest, (size_t)(end - rest.p) + 1);
    } while (rest.n && rest.p[0] == '"' && (rest = span_skip(rest, 1)).p);
    cell->n = (size_t)(end - cell->p);
    *cell = span_trim(*cell);
    after = span_trim(span_cut(rest, ',', line));
    return after.n ? wrong(s, ERR_SYNTAX, f, "behind a quoted cell stands \"%s\", not a comma",
                           ESCAPED(after))
                   : 0;
}

static int read_header(struct sheet *s, struct fault *f)
{
    struct span line, cell;
    int err = 0;

    for (int i = 0; i < COLUMNS; i++)
        s->at[i] = -1;
    if (span_starts(s->rest, SPAN("\xef\xbb\xbf")))
        s->rest = span_skip(s->rest, 3);
    if (!next_line(s, &line))
        return fault(f, ERR_SYNTAX,
                     "%s is empty: its first line must name the columns prefix, "
                     "price, increment and currency",
                     ESCAPED(s->name));
    for (int i = 0; line.p && !err; i++) {
        if (i == CELLS_MAX)
            return wrong(s, ERR_RANGE, f, "there are more than %d columns", CELLS_MAX);
        err = next_cell(s, &line, &cell, f);
        for (int k = 0; k < COLUMNS && !err; k++) {
            if (!span_eq_nocase(cell, span_of(column_names[k])))
                continue;
            if (s->at[k] >= 0)
                return wrong(s, ERR_SYNTAX, f, "two columns are called %s", column_names[k]);
            s->at[k] = i;
        }
    }
    for (int k = 0; k < COLUMNS && !err; k++)
        if (s->at[k] < 0)
            err = wrong(s, ERR_SYNTAX, f,
                        "no column is called %s; needed are prefix, price, "
                        "increment and currency",
                        column_names[k]);
    return err;
}

/* ---- values --------------------------------------------------------------------------------- */

static int read_prefix(const struct sheet *s, struct span cell, struct rate *rate, struct fault *f)
{
    struct span digits = cell.n && cell.p[0] == '+' ? span_skip(cell, 1) : cell;
    bool good = digits.n && digits.n <= RATES_PREFIX_MAX && digits.p[0] != '0';

    for (size_t i = 0; good && i < digits.n; i++)
        good = digits.p[i] >= '0' && digits.p[i] <= '9';
    if (!good)
        return wrong(s, ERR_SYNTAX, f,
                     "prefix \"%s\" is not 1 to %d digits that begin with a "
                     "country code",
                     ESCAPED(cell), RATES_PREFIX_MAX);
    memcpy(rate->prefix, digits.p, digits.n);
    return 0;
}

static int read_price(const struct sheet *s, struct span cell, struct rate *rate, struct fault *f)
{
    struct span decimals, whole = span_cut(cell, '.', &decimals);
    int64_t micro = 0;
    bool good = whole.n && whole.n <= 7 && decimals.n <= 6 && (!decimals.p || decimals.n);

    for (size_t i = 0; good && i < whole.n + 6; i++) {
        char c = i < whole.n                ? whole.p[i]
                 : i - whole.n < decimals.n ? decimals.p[i - whole.n]
                                            : '0';

        good = c >= '0' && c <= '9';
        micro = micro * 10 + (c - '0');
    }
    if (!good || micro > MONEY_PRICE_MAX)
        return wrong(s, ERR_SYNTAX, f,
                     "price \"%s\" is not an amount like 12.5 (of a minute, at "
                     "most 1000000, with up to six decimals)",
                     ESCAPED(cell));
    rate->micro = micro;
    return 0;
}

static bool read_seconds(struct span text, uint32_t *out)
{
    uint32_t value = 0;

    text = span_trim(text);
    if (text.n == 0 || text.n > 5)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        value = value * 10 + (uint32_t)(text.p[i] - '0');
    }
    *out = value;
    return value >= 1 && value <= RATES_INCREMENT_MAX;
}

static int read_increment(const struct sheet *s, struct span cell, struct rate *rate,
                          struct fault *f)
{
    struct span next, first = span_cut(cell, '/', &next);

    if (!read_seconds(first, &rate->first_s) || !read_seconds(next.p ? next : first, &rate->next_s))
        return wrong(s, ERR_SYNTAX, f,
                     "increment \"%s\" is not seconds, like 60, or the first and "
                     "the next, like 30/6 (1 to %d)",
                     ESCAPED(cell), RATES_INCREMENT_MAX);
    return 0;
}

static int read_currency(struct rates *r, const struct sheet *s, struct span cell,
                         struct rate *rate, struct fault *f)
{
    char code[MONEY_CURRENCY];
    size_t i = 0;

    if (!money_currency(cell, code))
        return wrong(s, ERR_SYNTAX, f, "currency \"%s\" is not a code of three letters, like JPY",
                     ESCAPED(cell));
    while (i < r->n_currencies && strcmp(r->currencies[i], code) != 0)
        i++;
    if (i == RATES_CURRENCIES_MAX)
        return wrong(s, ERR_FULL, f, "more than %d currencies", RATES_CURRENCIES_MAX);
    if (i == r->n_currencies)
        memcpy(r->currencies[r->n_currencies++], code, sizeof(code));
    rate->currency = (uint8_t)i;
    return 0;
}

/* ---- the table ------------------------------------------------------------------------------ */

/* A prefix as a number with a one in front, so that 1 and 10 and 010 are three. */
static uint64_t key_add(uint64_t key, char digit)
{
    return key * 10 + (uint64_t)(digit - '0');
}

static uint64_t key_of(const char *prefix)
{
    uint64_t key = 1;

    for (; *prefix; prefix++)
        key = key_add(key, *prefix);
    return key;
}

static size_t slot_of(const struct rates *r, uint64_t key)
{
    return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (r->n_slots - 1);
}

/* Where it stands, or would. The table is the operator's: no stranger chooses what collides. */
static size_t find_slot(const struct rates *r, uint64_t key)
{
    size_t at = slot_of(r, key);

    while (r->slots[at] && key_of(r->rates[r->slots[at] - 1].prefix) != key)
        at = (at + 1) & (r->n_slots - 1);
    return at;
}

static int room(struct rates *r, struct fault *f)
{
    if (r->n < r->cap)
        return 0;
    size_t cap = r->cap ? 2 * r->cap : 256;
    struct rate *rates = realloc(r->rates, cap * sizeof(*rates));
    uint32_t *slots = calloc(2 * cap, sizeof(*slots));

    if (rates)
        r->rates = rates;
    if (!rates || !slots) {
        free(slots);
        return fault_nomem(f);
    }
    free(r->slots);
    r->slots = slots;
    r->n_slots = 2 * cap;
    r->cap = cap;
    for (size_t i = 0; i < r->n; i++)
        r->slots[find_slot(r, key_of(r->rates[i].prefix))] = (uint32_t)i + 1;
    return 0;
}

static int add(struct rates *r, const struct sheet *s, const struct rate *rate, struct fault *f)
{
    unsigned length = (unsigned)strlen(rate->prefix);
    size_t at;
    int err;

    if (r->n == RATES_MAX)
        return wrong(s, ERR_FULL, f, "more than %zu prefixes", RATES_MAX);
    err = room(r, f);
    if (err)
        return err;
    at = find_slot(r, key_of(rate->prefix));
    if (r->slots[at])
        return wrong(s, ERR_EXISTS, f, "prefix %s stands there twice", rate->prefix);
    r->rates[r->n++] = *rate;
    r->slots[at] = (uint32_t)r->n;
    r->longest = length > r->longest ? length : r->longest;
    r->shortest = !r->shortest || length < r->shortest ? length : r->shortest;
    return 0;
}

static int read_row(struct rates *r, const struct sheet *s, struct span line, struct fault *f)
{
    struct span cells[COLUMNS] = {{NULL, 0}};
    struct rate rate = {.micro = 0};
    int err = 0;

    for (int i = 0; line.p && !err; i++) {
        struct span cell;

        if (i == CELLS_MAX)
            return wrong(s, ERR_RANGE, f, "there are more than %d cells", CELLS_MAX);
        err = next_cell(s, &line, &cell, f);
        for (int k = 0; k < COLUMNS && !err; k++)
            if (s->at[k] == i)
                cells[k] = cell;
    }
    if (!err)
        err = read_prefix(s, cells[PREFIX], &rate, f);
    if (!err)
        err = read_price(s, cells[PRICE], &rate, f);
    if (!err)
        err = read_increment(s, cells[INCREMENT], &rate, f);
    if (!err)
        err = read_currency(r, s, cells[CURRENCY], &rate, f);
    return err ? err : add(r, s, &rate, f);
}

int rates_new(struct rates **out, struct span name, struct span text, struct fault *f)
{
    struct rates *r = calloc(1, sizeof(*r));
    struct sheet s = {.name = name, .rest = text};
    struct span line;
    int err = r ? read_header(&s, f) : fault_nomem(f);

    while (!err && next_line(&s, &line))
        err = read_row(r, &s, line, f);
    if (!err && r->n == 0)
        err = fault(f, ERR_SYNTAX, "%s has no prices", ESCAPED(name));
    if (err)
        rates_free(r);
    else
        *out = r;
    return err;
}

void rates_free(struct rates *r)
{
    if (!r)
        return;
    free(r->rates);
    free(r->slots);
    free(r);
}

size_t rates_count(const struct rates *r)
{
    return r->n;
}

size_t rates_currencies(const struct rates *r)
{
    return r->n_currencies;
}

const char *rates_currency(const struct rates *r, size_t i)
{
    return r->currencies[i];
}

const struct rate *rates_find(const struct rates *r, struct span e164)
{
    uint64_t keys[RATES_PREFIX_MAX + 1] = {1};
    unsigned n = 0;

    if (e164.n && e164.p[0] == '+')
        e164 = span_skip(e164, 1);
    for (; n < e164.n && n < r->longest; n++) {
        if (e164.p[n] < '0' || e164.p[n] > '9')
            return NULL;
        keys[n + 1] = key_add(keys[n], e164.p[n]);
    }
    for (; n >= r->shortest; n--) {
        uint32_t found = r->slots[find_slot(r, keys[n])];

        if (found)
            return &r->rates[found - 1];
    }
    return NULL;
}

money rate_charge(const struct rate *rate, uint32_t seconds)
{
    uint64_t billed = rate->first_s;

    if (seconds == 0)
        return 0;
    if (seconds > rate->first_s)
        billed +=
            ((uint64_t)seconds - rate->first_s + rate->next_s - 1) / rate->next_s * rate->next_s;
    return (money)rate->micro * billed;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_LEDGER_RATES_H
#define SEKISHO_LEDGER_RATES_H

#include <stdint.h>

#include "base/fault.h"
#include "ledger/money.h"

/*
 * What calls cost: a rate table as CSV, the longest prefix of the E.164 number decides.
 *
 *     prefix,price,increment,currency
 *     252,120,60/60,JPY                 Somalia: 120 yen a minute, each minute begun
 *     25290,"300.5",30/6,JPY            the first 30 seconds, then each 6
 *     1,0.012,1,USD                     by the second
 *
 * The first line names the columns, in any order; others are passed over. `prefix` is digits of E.164 with or without a plus;
 * `price` is of a minute, with up to six decimals behind a point; `increment` is in seconds, one number or first/next; `currency`
 * is an ISO 4217 code. Cells may stand between double quotes; empty lines, and lines that begin with #, say nothing. A number
 * that no prefix is the beginning of has no price: it is not guessed.
 */
struct rates;

#define RATES_PREFIX_MAX 15
#define RATES_MAX ((size_t)500000)
#define RATES_CURRENCIES_MAX 16 /* of one table */
#define RATES_INCREMENT_MAX 86400

struct rate {
    char prefix[RATES_PREFIX_MAX + 1];
    int64_t micro;            /* price of a minute, in millionths; 0 to MONEY_PRICE_MAX */
    uint32_t first_s, next_s; /* at least 1 */
    uint8_t currency;         /* rates_currency() */
};

/* `name` is for sentences: "NAME, line 7: …". ERR_SYNTAX, ERR_RANGE, ERR_EXISTS (a prefix twice), ERR_FULL, ERR_NOMEM. */
int rates_new(struct rates **out, struct span name, struct span text, struct fault *f);
void rates_free(struct rates *rates); /* NULL is fine */

size_t rates_count(const struct rates *rates);
size_t rates_currencies(const struct rates *rates);
const char *rates_currency(const struct rates *rates, size_t i); /* "JPY" */

/* `e164` is digits, with or without a plus. NULL: no prefix of it is in the table. */
const struct rate *rates_find(const struct rates *rates, struct span e164);

/* What so many seconds cost; nothing where nobody talked. */
money rate_charge(const struct rate *rate, uint32_t seconds);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_LEDGER_MONEY_H
#define SEKISHO_LEDGER_MONEY_H

#include "base/span.h"

/*
 * An amount of money, exactly. Prices are per minute and have up to six decimals, calls last seconds: so amounts are in
 * sixtieths of a millionth of the currency's unit (of the yen, of the euro), and any sum of them is exact. It is rounded
 * once, when it is shown. Wide enough for 10^15 calls of the greatest price and length.
 */
typedef __int128 money;

#define MONEY_MICRO 60                               /* a millionth of the unit */
#define MONEY_UNIT ((money)1000000 * MONEY_MICRO)    /* one yen, one euro */
#define MONEY_PRICE_MAX ((int64_t)1000000 * 1000000) /* of a minute, in millionths: 1,000,000 */

#define MONEY_CURRENCY 4 /* an ISO 4217 code, as "JPY", and NUL */

/* Three letters of any case, written as capitals. Whether there is such a currency is not known here. */
bool money_currency(struct span text, char out[MONEY_CURRENCY]);

/* How many decimals amounts of the currency have (ISO 4217): 0 of JPY, 3 of KWD, 2 where nothing else is known. */
unsigned money_decimals(const char *currency);

#define MONEY_TEXT 64

/* Rounded half up to the currency's decimals. For programs: "2410000", "12.30". For people: "¥2,410,000", "USD 1,234.50".
 * Both return `out`. */
char *money_plain(money amount, const char *currency, char out[MONEY_TEXT]);
char *money_text(money amount, const char *currency, char out[MONEY_TEXT]);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "fuzz.h"
#include "ledger/rates.h"

/* A rate table, and a number behind its first NUL: what is accepted finds its own prefixes and the number's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span number, text = span_cut((struct span){(const char *)data, size}, '\0', &number);
    struct rates *rates = NULL;
    struct fault f = {0};
    char out[MONEY_TEXT];

    if (rates_new(&rates, SPAN("rates.csv"), text, &f)) {
        PROMISE(!rates && f.code < 0 && f.text[0]);
        return 0;
    }
    PROMISE(rates_count(rates) > 0 && rates_currencies(rates) > 0);
    const struct rate *rate = rates_find(rates, number);
    if (rate) {
        const struct rate *same = rates_find(rates, span_of(rate->prefix));
        money least = rate_charge(rate, 1), most = rate_charge(rate, UINT32_MAX);

        PROMISE(same == rate && least >= 0 && most >= least && rate_charge(rate, 0) == 0);
        PROMISE(strlen(money_text(most, rates_currency(rates, rate->currency), out)) > 0);
    }
    rates_free(rates);
    return 0;
}

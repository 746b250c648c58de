/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/money.h"

#include <stdio.h>

bool money_currency(struct span text, char out[MONEY_CURRENCY])
{
    char code[MONEY_CURRENCY] = {0};

    if (text.n != 3)
        return false;
    for (size_t i = 0; i < 3; i++) {
        char c = text.p[i];

        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if (c < 'A' || c > 'Z')
            return false;
        code[i] = c;
    }
    memcpy(out, code, sizeof(code));
    return true;
}

/* ISO 4217, of 2024: those that have not two. */
unsigned money_decimals(const char *currency)
{
    static const char *const none[] = {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY",
                                       "KMF", "KRW", "PYG", "RWF", "UGX", "UYI",
                                       "VND", "VUV", "XAF", "XOF", "XPF"};
    static const char *const three[] = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};
    struct span code = span_of(currency);

    if (span_among(code, none, sizeof(none) / sizeof(*none)) >= 0)
        return 0;
    return span_among(code, three, sizeof(three) / sizeof(*three)) >= 0 ? 3 : 2;
}

/* Writes backwards from the end of `out`, and says where it begins. */
static char *digits(money amount, const char *currency, char separator, char out[MONEY_TEXT])
{
    unsigned decimals = money_decimals(currency), written = 0;
    char *at = out + MONEY_TEXT - 1;
    bool negative = amount < 0;
    money unit = MONEY_UNIT;

    for (unsigned i = 0; i < decimals; i++)
        unit /= 10;
    if (negative)
        amount = -amount;
    amount = (amount + unit / 2) / unit;
    negative = negative && amount;
    *at = '\0';
    do {
        unsigned places = written - decimals;

        if (decimals && written == decimals)
            *--at = '.';
        else if (separator && written > decimals && places % 3 == 0)
            *--at = separator;
        *--at = (char)('0' + (int)(amount % 10));
        amount /= 10;
        written++;
    } while (amount || written <= decimals);
    if (negative)
        *--at = '-';
    return at;
}

char *money_plain(money amount, const char *currency, char out[MONEY_TEXT])
{
    char *at = digits(amount, currency, '\0', out);

    memmove(out, at, strlen(at) + 1);
    return out;
}

char *money_text(money amount, const char *currency, char out[MONEY_TEXT])
{
    char written[MONEY_TEXT];
    const char *at = digits(amount, currency, ',', written);

    if (strcmp(currency, "JPY") == 0)
        snprintf(out, MONEY_TEXT, "¥%s", at);
    else
        snprintf(out, MONEY_TEXT, "%s %s", currency, at);
    return out;
}

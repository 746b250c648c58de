/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dialled.h"

#include <stdlib.h>

#include "measure.h"

/* In a pattern X is any digit, N is 2 to 9, and W a number somewhere in the world. */
struct share {
    unsigned weight; /* of 1,000 */
    const char *what;
    const char *patterns[8];
};

static const struct share shares[] = {
    {300, "mobile", {"090NXXXXXXX", "080NXXXXXXX", "070NXXXXXXX", "09018XXXXXX"}},
    {210,
     "fixed",
     {"033NXXXXXX", "066NXXXXXX", "0452NXXXXX", "0527NXXXXX", "0112NXXXXX", "0927NXXXXX",
      "0268NXXXXX", "0467NXXXXX"}},
    {35, "the same with separators", {"03-3NXX-XXXX", "090-NXXX-XXXX", "06 6NXX XXXX"}},
    {100, "extension", {"1XXX"}},
    {75, "freephone", {"0120NXXXXX", "0120-NXX-XXX", "0800NXXXXXX"}},
    {35, "shared cost", {"0570NXXXXX", "0570-0XXXXX"}},
    {30, "IP telephony", {"0503NXXXXXX", "0505NXXXXXX"}},
    {40, "184, 186", {"184090NXXXXXXX", "18603NXXXXXXX", "184-03-3NXX-XXXX"}},
    {12, "carrier, national", {"0033033NXXXXXX", "0077-06-6NXX-XXXX", "0088090NXXXXXXX"}},
    {60, "abroad by 010", {"010W"}},
    {13, "abroad by a carrier, or caller ID", {"0033010W", "0061010W", "184010W", "0033-010-W"}},
    {25, "home by +81", {"+8190NXXXXXXX", "+8133NXXXXXX", "+81-3-3NXX-XXXX"}},
    {15, "abroad by +", {"+W"}},
    {25,
     "SIP and tel URIs",
     {"sip:090NXXXXXXX@sip.example.net;user=phone", "sip:033NXXXXXX@203.0.113.7",
      "tel:+8190NXXXXXXX", "sip:010W@sip.example.net"}},
    {4, "emergency", {"119", "110", "118", "184119"}},
    {8, "short codes", {"117", "171", "104", "#7119", "188"}},
    {3, "full-width and escaped", {"\xef\xbc\x90\xef\xbc\x93\xef\xbc\x93NXXXXXX", "sip:%3010W@h"}},
    {10,
     "wrong or garbage",
     {"0312345", "00442079460000", "9999XXXXXXXXXXXXXXXXX", "anonymous", "*98", "++W", "0033",
      "03XXXXXXXXXXXX"}},
};
#define N_SHARES (sizeof(shares) / sizeof(*shares))

/* Where calls abroad go, the common first; later ones more rarely. */
static const char *const world[] = {
    "1212NXXXXXX",  "8613NXXXXXXXX", "8210NXXXXXXX",  "886912XXXXXX", "66812XXXXXX", "84912XXXXXX",
    "639171XXXXXX", "447911XXXXXX",  "33142XXXXXX",   "4930NXXXXXX",  "61412XXXXXX", "6591XXXXXX",
    "85291XXXXXX",  "919812XXXXXX",  "5511912XXXXXX", "390669NXXXX",  "34612XXXXXX", "41442XXXXXX",
    "1808NXXXXXX",  "6281212XXXXXX", "60123XXXXXX",   "79161XXXXXX",  "48512XXXXXX", "97150XXXXXXX",
    "1876NXXXXXX",  "25261XXXXXXX",  "23276XXXXXX",   "3861NXXXXXX",  "5352XXXXXX",  "37129XXXXXX",
    "881612XXXXXX", "447012XXXXXX",  "1809NXXXXXX",   "216712XXXXX",  "9607XXXXXX",  "682NXXXX",
};
#define N_WORLD (sizeof(world) / sizeof(*world))

#define STRING_MAX 64

static size_t spell(const char *pattern, uint64_t *seed, char *out)
{
    size_t n = 0;

    for (const char *p = pattern; *p; p++) {
        uint64_t r = measure_random(seed);

        if (*p == 'X')
            out[n++] = (char)('0' + r % 10);
        else if (*p == 'N')
            out[n++] = (char)('2' + r % 8);
        else if (*p == 'W') /* a product of two: the first are the most frequent */
            n += spell(world[(r % N_WORLD) * (r >> 32) >> 32], seed, out + n);
        else
            out[n++] = *p;
    }
    return n;
}

static const struct share *draw(uint64_t r)
{
    size_t i = 0;

    for (unsigned left = (unsigned)(r % 1000); i + 1 < N_SHARES && left >= shares[i].weight; i++)
        left -= shares[i].weight;
    return &shares[i];
}

void dialled_make(struct dialled *out, size_t n, uint64_t seed)
{
    size_t used = 0;

    out->n = n;
    out->bytes = malloc(n * STRING_MAX);
    out->at = calloc(n + 1, sizeof(*out->at));
    if (!out->bytes || !out->at)
        abort();
    for (size_t i = 0; i < n; i++) {
        const struct share *share = draw(measure_random(&seed));
        uint64_t r = measure_random(&seed);
        size_t patterns = 0;

        while (patterns < 8 && share->patterns[patterns])
            patterns++;
        used += spell(share->patterns[r % patterns], &seed, out->bytes + used);
        out->at[i + 1] = (uint32_t)used;
    }
}

void dialled_free(struct dialled *dialled)
{
    free(dialled->bytes);
    free(dialled->at);
}

void dialled_describe(FILE *to)
{
    for (size_t i = 0; i < N_SHARES; i++)
        fprintf(to, "  %4.1f %%  %-34s %s\n", shares[i].weight / 10.0, shares[i].what,
                shares[i].patterns[0]);
}

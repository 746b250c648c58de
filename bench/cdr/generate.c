/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plausible Master.csv of any length, to standard output: cdr_generate ROWS [SEED [ACCOUNTS [burst|pump]...]]
 *
 * An attack is planted on an account that never calls abroad by itself; which, and how many calls, goes to standard error
 * as "burst t00012-0034 111".
 */
#include <stdio.h>
#include <stdlib.h>

#include "measure.h"
#include "plausible.h"

#define ATTACKS_MAX 16

static struct plausible p;
static struct buf b;
static struct plausible_attack attacks[ATTACKS_MAX];
static size_t n_attacks;

static void flush(void)
{
    if (b.failed || fwrite(b.p, 1, b.n, stdout) != b.n) {
        perror("cdr_generate");
        exit(1);
    }
    buf_clear(&b);
}

/* Each on its own account, a day apart. */
static bool plant(const char *word, uint64_t seed)
{
    struct plausible_attack *a = &attacks[n_attacks];
    bool burst = strcmp(word, "burst") == 0;
    char name[32];

    if ((!burst && strcmp(word, "pump") != 0) || n_attacks == ATTACKS_MAX)
        return false;
    a->shape = burst ? PLAUSIBLE_BURST : PLAUSIBLE_PUMP;
    a->account = seed * 13 % p.accounts;
    for (size_t i = 0; i <= n_attacks; i++)
        if (plausible_abroad(a->account) || (i < n_attacks && attacks[i].account == a->account)) {
            a->account = (a->account + 1) % p.accounts;
            i = (size_t)-1;
        }
    /* Friday, when everybody has gone home. */
    a->at = p.at + 21 * 3600 + (int64_t)n_attacks * 86400;
    plausible_account(&p, a->account, name);
    fprintf(stderr, "%s %s %llu\n", word, name,
            (unsigned long long)plausible_attack_calls(a->shape));
    n_attacks++;
    return true;
}

/* Attacks' calls that have begun by then, in the order of time. */
static void catch_up(int64_t at)
{
    for (;;) {
        struct plausible_attack *next = NULL;

        for (size_t i = 0; i < n_attacks; i++)
            if (!next || plausible_attack_next(&attacks[i]) < plausible_attack_next(next))
                next = &attacks[i];
        if (!next || plausible_attack_next(next) >= at)
            return;
        plausible_attack_line(&p, next, &b);
        if (b.n >= 65536)
            flush();
    }
}

int main(int argc, char **argv)
{
    uint64_t rows = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    uint64_t accounts = argc > 3 ? strtoull(argv[3], NULL, 10) : 100000;
    bool good = rows > 0 && accounts > 100;

    plausible_begin(&p, seed, good ? accounts : 1);
    for (int i = 4; good && i < argc; i++)
        good = plant(argv[i], seed);
    if (!good) {
        fprintf(stderr,
                "Usage: cdr_generate ROWS [SEED [ACCOUNTS (101 or more) [burst|pump]...]]\n");
        return 2;
    }
    for (uint64_t i = 0; i < rows; i++) {
        if (n_attacks)
            catch_up(p.at);
        plausible_line(&p, &b);
        if (b.n >= 65536)
            flush();
    }
    catch_up(INT64_MAX);
    flush();
    buf_free(&b);
    return 0;
}

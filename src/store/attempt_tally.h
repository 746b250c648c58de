/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_STORE_ATTEMPT_TALLY_H
#define SEKISHO_STORE_ATTEMPT_TALLY_H

#include "store/guard_records.h"

/*
 * Sums of attempts while they gather: of the same switch, witness, outcome, proof, source, account and User-Agent.
 * No I/O, no clock. All memory is taken at once; who is not known finds nobody's bucket, since the hash has a
 * key. A table that fills up tells less of newcomers: first without account and User-Agent, then without the source, at
 * last without the switch. What is not proved may take half of it. No attempt is ever left out of the sums. Of what is no
 * failure (successes, challenges) only sums are kept: who called from where is nobody's business.
 */
struct attempt_tally;

#define TALLY_KEY_BYTES 16
int attempt_tally_new(struct attempt_tally **out, const uint8_t key[TALLY_KEY_BYTES],
                      struct fault *f);
void attempt_tally_free(struct attempt_tally *tally);

/* False: it was summed up with less than is known of it, for want of room. */
bool attempt_tally_add(struct attempt_tally *tally, const struct attempt *attempt);
/* The rows, good until the next call. */
const struct store_attempts *attempt_tally_rows(struct attempt_tally *tally, size_t *n);
void attempt_tally_clear(struct attempt_tally *tally);

#endif

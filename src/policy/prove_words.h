/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_POLICY_PROVE_WORDS_H
#define SEKISHO_POLICY_PROVE_WORDS_H

#include "base/buf.h"
#include "policy/prove.h"

/*
 * A proof in sentences for people, each without a final newline. Prefixes are given as people say them:
 * "+1-876" for what is dialled 0101876, digits as dialled for the own country and for what is nobody's
 * country ("0100"). Names of countries come from the tables and are not escaped.
 */
enum prove_language { PROVE_ENGLISH, PROVE_JAPANESE };

/* "+1-876", "0120". */
void prove_words_prefix(struct buf *out, const struct atlas *atlas, const char *prefix);

/* What the numbers are: "Jamaica", "NANP non-geographic, premium rate", "mobile phones",
 * "nobody's numbers"; 「ジャマイカ」, 「携帯電話」. */
void prove_words_traits(struct buf *out, const struct atlas_traits *traits, bool exists,
                        enum prove_language language);

/* "+1-876 Jamaica: high risk, open"; 「+1-876 ジャマイカ: 危険度 高、発信可」. */
void prove_words_range(struct buf *out, const struct atlas *atlas, const struct prove_range *range,
                       enum prove_language language);

/* "Jamaica: high risk, open", "United States: partly open, up to high risk", "premium rate: closed". */
void prove_words_summary(struct buf *out, const struct prove_summary *summary,
                         enum prove_language language);

/* Why a rule does nothing: "restrict 0100: no number begins so"; nothing for one that has an effect. */
void prove_words_rule(struct buf *out, const struct prove_rule *rule, enum prove_language language);

/* "The first is stricter. Only the first closes +1-876, for example 01018760000000 (Jamaica, high
 * risk)." */
void prove_words_difference(struct buf *out, const struct atlas *atlas,
                            const struct prove_difference *difference,
                            enum prove_language language);

#endif

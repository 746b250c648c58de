/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/prove_words.h"

/* One text in both languages. */
struct words {
    const char *en, *ja;
};

static const char *in(enum prove_language language, const char *en, const char *ja)
{
    switch (language) {
    case PROVE_ENGLISH: return en;
    case PROVE_JAPANESE: return ja;
    }
    return en;
}

static const char *say(enum prove_language language, struct words words)
{
    return in(language, words.en, words.ja);
}

void prove_words_prefix(struct buf *out, const struct atlas *atlas, const char *prefix)
{
    struct span digits = span_of(prefix), access = atlas_access(atlas);
    size_t cc = atlas_calling_code(atlas, digits);

    if (cc == 0) {
        buf_puts(out, prefix);
        return;
    }
    digits = span_skip(digits, access.n);
    buf_putc(out, '+');
    buf_add(out, (struct span){digits.p, cc});
    if (digits.n > cc)
        buf_putc(out, '-');
    buf_add(out, span_skip(digits, cc));
}

/* ---- what numbers are ---- */

static struct words national_words(enum number_kind kind)
{
    switch (kind) {
    case KIND_GEOGRAPHIC: return (struct words){"fixed lines", "固定電話"};
    case KIND_MOBILE: return (struct words){"mobile phones", "携帯電話"};
    case KIND_IP: return (struct words){"IP telephones", "IP電話"};
    case KIND_M2M: return (struct words){"machines (M2M)", "M2M"};
    case KIND_SATELLITE: return (struct words){"satellite telephones", "衛星電話"};
    case KIND_PERSONAL: return (struct words){"personal numbers", "個人番号"};
    case KIND_RISK: return (struct words){"numbers at risk of fraud", "不正利用の恐れがある番号"};
    case KIND_PREMIUM: return (struct words){"premium rate", "有料情報サービス"};
    case KIND_SHARED_COST: return (struct words){"shared cost", "特別料金の番号"};
    case KIND_NONE:
    case KIND_LOCAL:
    case KIND_OPERATOR:
    case KIND_HOME:
    case KIND_HELP: break;
    }
    return (struct words){"national numbers", "国内の番号"};
}

static struct words class_words(enum number_class class, enum number_kind kind)
{
    switch (class) {
    case CLASS_EMERGENCY: return (struct words){"emergency", "緊急通報"};
    case CLASS_INTERNAL: return (struct words){"extensions", "内線"};
    case CLASS_NATIONAL: return national_words(kind);
    case CLASS_FREEPHONE: return (struct words){"freephone", "着信者払いの番号"};
    case CLASS_SHARED_COST: return (struct words){"shared cost", "特別料金の番号"};
    case CLASS_PREMIUM: return (struct words){"premium rate", "有料情報サービス"};
    case CLASS_SPECIAL:
        if (kind == KIND_HELP)
            return (struct words){"help lines", "相談・災害用の番号"};
        return (struct words){"special services", "特番"};
    case CLASS_INTERNATIONAL: return (struct words){"abroad", "国際"};
    case CLASS_FORWARDING:
    case CLASS_INVALID:
    case CLASS_INCOMPLETE:
    case CLASS_MALFORMED:
    case CLASS_UNKNOWN: break;
    }
    return (struct words){"no numbers", "番号ではないもの"};
}

/* What is said of a number abroad beside its country. */
static struct words abroad_words(enum number_kind kind)
{
    switch (kind) {
    case KIND_SATELLITE: return (struct words){", satellite", " (衛星)"};
    case KIND_PREMIUM: return (struct words){", premium rate", " (有料情報サービス)"};
    case KIND_SHARED_COST: return (struct words){", shared cost", " (特別料金)"};
    case KIND_PERSONAL: return (struct words){", personal numbers", " (個人番号)"};
    case KIND_RISK: return (struct words){", often misused", " (不正利用が多い番号)"};
    case KIND_HOME: return (struct words){", dialled like abroad", " (国際発信による国内)"};
    case KIND_NONE:
    case KIND_GEOGRAPHIC:
    case KIND_MOBILE:
    case KIND_IP:
    case KIND_M2M:
    case KIND_LOCAL:
    case KIND_OPERATOR:
    case KIND_HELP: break;
    }
    return (struct words){"", ""};
}

void prove_words_traits(struct buf *out, const struct atlas_traits *traits, bool exists,
                        enum prove_language language)
{
    if (!exists) {
        buf_puts(out, in(language, "nobody's numbers", "割り当てのない番号"));
    } else if (traits->open_ended) {
        buf_puts(out, in(language, "calls through an operator", "オペレーター扱いの通話"));
    } else if (traits->class == CLASS_INTERNATIONAL && traits->country) {
        buf_puts(out, in(language, traits->country->name_en, traits->country->name_ja));
        buf_puts(out, say(language, abroad_words(traits->kind)));
    } else {
        buf_puts(out, say(language, class_words(traits->class, traits->kind)));
    }
}

static struct words risk_words(enum number_risk risk)
{
    switch (risk) {
    case RISK_NONE: return (struct words){"", ""};
    case RISK_LOW: return (struct words){"low risk", "危険度 低"};
    case RISK_MEDIUM: return (struct words){"medium risk", "危険度 中"};
    case RISK_HIGH: return (struct words){"high risk", "危険度 高"};
    }
    return (struct words){"", ""};
}

static struct words state_words(enum prove_state state)
{
    switch (state) {
    case PROVE_CLOSED: return (struct words){"closed", "規制中"};
    case PROVE_PARTLY: return (struct words){"partly open", "一部発信可"};
    case PROVE_OPEN: return (struct words){"open", "発信可"};
    }
    return (struct words){"", ""};
}

static void put_risk_and_state(struct buf *out, enum number_risk risk, enum prove_state state,
                               enum prove_language language)
{
    buf_puts(out, ": ");
    if (risk != RISK_NONE)
        buf_printf(out, "%s%s", say(language, risk_words(risk)), in(language, ", ", "、"));
    buf_puts(out, say(language, state_words(state)));
}

void prove_words_range(struct buf *out, const struct atlas *atlas, const struct prove_range *range,
                       enum prove_language language)
{
    prove_words_prefix(out, atlas, range->prefix);
    buf_putc(out, ' ');
    prove_words_traits(out, &range->traits, range->exists, language);
    put_risk_and_state(out, range->exists ? range->traits.risk : RISK_NONE,
                       range->open ? PROVE_OPEN : PROVE_CLOSED, language);
}

void prove_words_summary(struct buf *out, const struct prove_summary *summary,
                         enum prove_language language)
{
    struct atlas_traits traits = {
        .class = summary->class,
        .kind = summary->kind,
        .country = summary->country,
        .open_ended = summary->open_ended,
    };

    prove_words_traits(out, &traits, true, language);
    put_risk_and_state(out, summary->state == PROVE_CLOSED ? summary->risk : summary->open_risk,
                       summary->state, language);
}

/* ---- rules and differences ---- */

static struct words effect_words(enum prove_effect effect)
{
    switch (effect) {
    case PROVE_EFFECT: return (struct words){"", ""};
    case PROVE_REDUNDANT:
        return (struct words){"other rules do the same without it",
                              "ほかの規則だけで同じ結果になります"};
    case PROVE_SHADOWED:
        return (struct words){"longer or nearer rules decide for all its numbers",
                              "対象のすべての番号で、より長い規則か優先する規則が適用されます"};
    case PROVE_NO_NUMBER:
        return (struct words){"no number begins so", "この番号で始まる電話番号はありません"};
    case PROVE_SPELLING:
        return (struct words){"matches only how a call is keyed (carrier, caller ID), no number",
                              "かけ方 (事業者識別番号や184など) だけに一致し、電話番号には一致し"
                              "ません"};
    case PROVE_NOT_IN_FORCE:
        return (struct words){"not in force at this time", "この時点では適用されません"};
    }
    return (struct words){"", ""};
}

void prove_words_rule(struct buf *out, const struct prove_rule *rule, enum prove_language language)
{
    if (rule->effect == PROVE_EFFECT)
        return;
    buf_printf(out, "%s %s: %s",
               rule->action == RULE_RESTRICT ? in(language, "restrict", "規制")
                                             : in(language, "except", "例外"),
               rule->prefix, say(language, effect_words(rule->effect)));
}

static struct words relation_words(enum prove_relation relation)
{
    switch (relation) {
    case PROVE_EQUAL: return (struct words){"Both close the same.", "規制する番号は同じです。"};
    case PROVE_STRICTER:
        return (struct words){"The first is stricter.", "1番目のほうが厳しい規制です。"};
    case PROVE_LOOSER:
        return (struct words){"The second is stricter.", "2番目のほうが厳しい規制です。"};
    case PROVE_DIFFERENT:
        return (struct words){"Each closes what the other leaves open.",
                              "それぞれ、もう一方が規制しない番号を規制しています。"};
    }
    return (struct words){"", ""};
}

static void put_example(struct buf *out, const struct atlas *atlas,
                        const struct prove_example *example, struct words who,
                        enum prove_language language)
{
    if (!example->there)
        return;
    buf_puts(out, say(language, who));
    prove_words_prefix(out, atlas, example->prefix);
    if (example->number[0])
        buf_printf(out, "%s%s", in(language, ", for example ", "、例: "), example->number);
    buf_puts(out, " (");
    prove_words_traits(out, &example->traits, example->exists, language);
    if (example->exists && example->traits.risk != RISK_NONE)
        buf_printf(out, "%s%s", in(language, ", ", "、"),
                   say(language, risk_words(example->traits.risk)));
    buf_puts(out, in(language, ").", ")。"));
}

void prove_words_difference(struct buf *out, const struct atlas *atlas,
                            const struct prove_difference *difference, enum prove_language language)
{
    buf_puts(out, say(language, relation_words(difference->numbers)));
    if (difference->numbers != difference->strings)
        buf_puts(out,
                 in(language, " They differ only in nobody's numbers or in how a call is keyed.",
                    "割り当てのない番号や、かけ方だけが異なります。"));
    put_example(out, atlas, &difference->stricter,
                (struct words){" Only the first closes ", "1番目だけが規制する番号: "}, language);
    put_example(out, atlas, &difference->looser,
                (struct words){" Only the second closes ", "2番目だけが規制する番号: "}, language);
}

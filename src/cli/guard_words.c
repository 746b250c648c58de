/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/guard_words.h"

#include "cli/table.h"
#include "cli/when.h"

static const struct {
    enum guard_word of;
    const char *word, *en, *ja;
} table[] = {
    {WORD_STATE, "free", "free", "制限なし"},
    {WORD_STATE, "observed", "only observed, nothing is dropped or refused",
     "監視のみ（遮断・拒否なし）"},
    {WORD_STATE, "quenched", "SIP ports closed for minutes", "SIPポートを一時停止中"},
    {WORD_STATE, "banned", "banned", "遮断中"},
    {WORD_STATE, "lockout", "locked", "ロック中"},
    {WORD_STATE, "international", "locked for calls abroad", "国際発信をロック中"},
    {WORD_STATE, "takeover", "locked for calls abroad, perhaps taken over",
     "国際発信をロック中（乗っ取りの疑い）"},
    {WORD_OUTCOME, "success", "let in", "成功"},
    {WORD_OUTCOME, "wrong-credentials", "wrong password", "パスワード誤り"},
    {WORD_OUTCOME, "unknown-account", "no such account", "アカウントなし"},
    {WORD_OUTCOME, "challenged", "asked for a password", "認証を要求"},
    {WORD_OUTCOME, "refused-call", "call refused", "発信を拒否"},
    {WORD_OUTCOME, "probe", "probe", "探査"},
    {WORD_OUTCOME, "malformed", "malformed", "不正な形式"},
    {WORD_OUTCOME, "listed", "refused by the switch's list", "スイッチのリストで拒否"},
    {WORD_PROOF, "proved", "proved: it came from there", "証明済み（本当の送信元）"},
    {WORD_PROOF, "shared", "a nonce that others got too", "他とも共通の nonce"},
    {WORD_PROOF, "elsewhere", "a nonce that went elsewhere", "他へ送った nonce"},
    {WORD_PROOF, "unproved", "not proved: may be forged", "未証明（詐称の可能性）"},
    {WORD_WITNESS, "wire", "wire", "wire（パケット）"},
    {WORD_WITNESS, "hep", "HEP", "HEP（パケットの写し）"},
    {WORD_WITNESS, "ami", "AMI", "AMI（管理接続）"},
    {WORD_WITNESS, "log", "log", "log（ログ）"},
    {WORD_EVENT, "ban", "banned", "遮断"},
    {WORD_EVENT, "quench", "SIP ports closed for minutes", "SIPポートの一時停止"},
    {WORD_EVENT, "unban", "ban lifted", "遮断の解除"},
    {WORD_EVENT, "lockout", "locked", "ロック"},
    {WORD_EVENT, "international-locked", "locked for calls abroad", "国際発信のロック"},
    {WORD_EVENT, "takeover", "perhaps taken over", "乗っ取りの疑い"},
    {WORD_EVENT, "unlock", "unlocked", "ロックの解除"},
    {WORD_EVENT, "good", "source known to be good", "実績のある送信元になった"},
    {WORD_EVENT, "not-good", "source no longer known to be good", "実績のある送信元でなくなった"},
    {WORD_EVENT, "pair-refused", "account refused from there", "その送信元からの利用を拒否"},
    {WORD_EVENT, "wrong-password", "alarm: a telephone has a wrong password",
     "警報: 電話機のパスワード誤り"},
    {WORD_EVENT, "enumeration", "alarm: enumeration of accounts", "警報: アカウントの探索"},
    {WORD_EVENT, "exempt-attacks", "alarm: attacks from a source that is never banned",
     "警報: 遮断しない送信元からの攻撃"},
    {WORD_EVENT, "canary", "canary touched", "カナリアへの接触"},
    {WORD_EVENT, "still-answered", "alarm: still answered in spite of the ban",
     "警報: 遮断後も応答がある"},
    {WORD_EVENT, "pressure", "alarm: short of room", "警報: 容量の逼迫"},
    {WORD_ATTACK, "brute-force", "brute force", "総当たり攻撃"},
    {WORD_ATTACK, "slow", "slow brute force", "低速の総当たり攻撃"},
    {WORD_ATTACK, "enumeration", "enumeration of accounts", "アカウントの探索"},
    {WORD_ATTACK, "scan", "scanning", "スキャン"},
    {WORD_ATTACK, "call", "calls without credentials", "認証なしの発信"},
    {WORD_ATTACK, "malformed", "malformed packets", "不正な形式のパケット"},
    {WORD_ATTACK, "canary", "a canary was touched", "カナリアへの接触"},
    {WORD_ATTACK, "operator", "by an operator", "運用者による"},
    {WORD_ATTACK, "adopted", "not written down", "記録なし"},
};

static const struct {
    const char *key, *word, *ja;
} in_tables[] = {
    {"fate", "stands", "規制中"},
    {"fate", "changed", "変更あり"},
    {"fate", "restored", "復元"},
    {"fate", "gone", "削除済み"},
    {"kind", "ban", "遮断"},
    {"kind", "quench", "一時停止"},
    {"kind", "lockout", "ロック"},
    {"kind", "international", "国際発信のロック"},
    {"kind", "takeover", "乗っ取りの疑い"},
    {"attack", "operator", "運用者による遮断"},
    {"by", "guard", "ガード"},
    {"by", "operator", "運用者"},
    {"from", "operator", "運用者"},
    {"from", "file", "never-ban ファイル"},
    {"from", "machine", "このマシン"},
    {"from", "switch", "スイッチ"},
    {"from", "trunk", "トランク"},
};

const char *guard_japanese(const char *key, const char *word)
{
    for (size_t i = 0; i < sizeof(in_tables) / sizeof(*in_tables); i++)
        if (strcmp(in_tables[i].key, key) == 0 && strcmp(in_tables[i].word, word) == 0)
            return in_tables[i].ja;
    for (size_t i = 0; strcmp(key, "attack") == 0 && i < sizeof(table) / sizeof(*table); i++)
        if (table[i].of == WORD_ATTACK && strcmp(table[i].word, word) == 0)
            return table[i].ja;
    return NULL;
}

const struct column guard_ban_columns[] = {
    {"network", "NETWORK", "ネットワーク"},
    {"kind", "KIND", "種類"},
    {"attack", "WHY", "理由"},
    {"by", "BY", "実行者"},
    {"observed", "OBSERVED", "観察のみ"},
    {"since", "SINCE", "開始"},
    {"until", "UNTIL", "期限"},
    {"count", "ATTEMPTS", "試行"},
    {"heard", "SINCE THEN", "以後"},
    {"note", "NOTE", "備考"},
    {0},
};

const char *guard_word(const struct cli *cli, enum guard_word of, const char *word)
{
    for (size_t i = 0; word && i < sizeof(table) / sizeof(*table); i++)
        if (table[i].of == of && strcmp(table[i].word, word) == 0)
            return TR(cli, table[i].en, table[i].ja);
    return word ? word : "-";
}

const char *guard_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

void guard_time(struct table *t, const json_t *object, const char *key, const char *before)
{
    struct buf b = {0};

    buf_puts(&b, before);
    when_local(&b, guard_text(object, key));
    table_cell(t, buf_span(&b));
    t->cells.failed = t->cells.failed || b.failed;
    buf_free(&b);
}

long long guard_number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

void guard_line(const char *untrusted)
{
    struct buf b = {0};

    text_escape(&b, span_of(untrusted));
    if (b.failed)
        cli_note("out of memory");
    else
        puts(b.n ? b.p : "");
    buf_free(&b);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "serve/api_guard.h"
#include "serve/why.h"

/* One sentence after the other, in both languages. */
struct talk {
    json_t *sentences;
    struct buf en, ja;
};

static void say(struct talk *t)
{
    if (!t->en.failed && !t->ja.failed && t->en.n && t->ja.n)
        json_array_append_new(t->sentences, api_words(t->en.p, t->ja.p));
    buf_clear(&t->en);
    buf_clear(&t->ja);
}

static const struct {
    const char *en, *ja;
} attacks[ATTACKS] = {
    [ATTACK_BRUTE_FORCE] = {"brute force", "総当たり攻撃"},
    [ATTACK_SLOW] = {"slow brute force", "低速の総当たり攻撃"},
    [ATTACK_ENUMERATION] = {"enumeration of accounts", "アカウントの探索"},
    [ATTACK_SCAN] = {"scanning", "スキャン"},
    [ATTACK_CALL] = {"calls without credentials", "認証なしの発信"},
    [ATTACK_MALFORMED] = {"malformed packets", "不正な形式のパケット"},
    [ATTACK_CANARY] = {"a canary was touched", "カナリアへの接触"},
    [ATTACK_OPERATOR] = {"an operator's ban", "運用者による遮断"},
    [ATTACK_ADOPTED] = {"a reason that was not written down", "記録されなかった理由"},
};

const char *why_attack_words(enum attack attack, bool japanese)
{
    return japanese ? attacks[attack].ja : attacks[attack].en;
}

#define TIME_TEXT 40
static const char *time_text(int64_t wall_s, char out[TIME_TEXT])
{
    time_t t = (time_t)wall_s;
    struct tm tm;

    if (!gmtime_r(&t, &tm) || !strftime(out, TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm))
        snprintf(out, TIME_TEXT, "?");
    return out;
}

static void say_until(struct talk *t, int64_t until, const char *who_en, const char *who_ja)
{
    char text[TIME_TEXT];

    if (until) {
        buf_printf(&t->en, "It ends by itself at %s.", time_text(until, text));
        buf_printf(&t->ja, "%s に自動的に終わります。", text);
    } else {
        buf_printf(&t->en, "It does not end by itself: %s.", who_en);
        buf_printf(&t->ja, "自動的には終わりません。%s。", who_ja);
    }
    say(t);
}

/* ---- an address ---- */

static void begin_ban(struct talk *t, const struct guard_ban *ban)
{
    char since[TIME_TEXT], text[ADDRESS_TEXT_MAX];

    time_text(ban->since, since);
    network_text(&ban->network, text);
    if (ban->observed) {
        buf_printf(&t->en, "%s would be dropped since %s", text, since);
        buf_printf(&t->ja, "%s は %s から遮断の対象です", text, since);
    } else if (ban->quench) {
        buf_printf(&t->en, "The SIP ports are closed for %s since %s", text, since);
        buf_printf(&t->ja, "%s からのSIPポートへの通信を %s から止めています", text, since);
    } else {
        buf_printf(&t->en, "%s is dropped since %s", text, since);
        buf_printf(&t->ja, "%s を %s から遮断しています", text, since);
    }
}

static void say_ban(struct talk *t, const struct guard_ban *ban, struct span switch_name,
                    struct span note)
{
    begin_ban(t, ban);
    if (ban->attack == ATTACK_OPERATOR) {
        buf_printf(&t->en, ": an operator's ban%s%.*s%s.", note.n ? " (" : "", SPAN_FMT(note),
                   note.n ? ")" : "");
        buf_printf(&t->ja, "。運用者による遮断です%s%.*s%s。", note.n ? "（" : "", SPAN_FMT(note),
                   note.n ? "）" : "");
    } else if (ban->attack == ATTACK_ADOPTED) {
        buf_puts(&t->en,
                 ": the kernel held that at the start, and no record says why. sekishod was killed "
                 "before it was written.");
        buf_puts(
            &t->ja,
            "。起動時にカーネルに残っていた遮断で、理由の記録はありません。記録する前に sekishod "
            "が強制終了されました。");
    } else if (ban->attack == ATTACK_CANARY) {
        buf_puts(&t->en, ": it touched a canary, an account that nobody should know.");
        buf_puts(&t->ja, "。誰も知らないはずのカナリアのアカウントに接触しました。");
    } else {
        buf_printf(&t->en,
                   " for %s: %" PRIu32 " attempts within %" PRIu32
                   " seconds, seen by %s, and %" PRIu32 " are enough.",
                   attacks[ban->attack].en, ban->count, ban->window, witness_name(ban->witness),
                   ban->threshold);
        buf_printf(&t->ja,
                   "。理由は%sです。%" PRIu32 " 秒間に %" PRIu32
                   " 回の試行を %s が観測しました（しきい値 %" PRIu32 " 回）。",
                   attacks[ban->attack].ja, ban->window, ban->count, witness_name(ban->witness),
                   ban->threshold);
    }
    say(t);
    if (switch_name.n && guard_attack_counted(ban->attack)) {
        buf_printf(&t->en, "The last of them was on switch %.*s.", SPAN_FMT(switch_name));
        buf_printf(&t->ja, "最後の試行はスイッチ %.*s へのものでした。", SPAN_FMT(switch_name));
        say(t);
    }
    if (ban->observed) {
        buf_puts(&t->en, "But that switch is only observed: nobody is dropped.");
        buf_puts(&t->ja, "ただし、このスイッチは監視モードのため、実際には遮断していません。");
        say(t);
    }
    if (ban->quench) {
        buf_puts(&t->en, "Nothing proves that they came from there: anybody can send packets with "
                         "this address, so it is dropped for minutes at most.");
        buf_puts(&t->ja,
                 "送信元は証明されていません。アドレスは詐称できるため、止めるのは長くても数"
                 "分です。");
        say(t);
    }
    if (!ban->quench && ban->level > 1) {
        buf_printf(&t->en, "It is the %" PRIu32 ". time: each is longer than the one before.",
                   ban->level);
        buf_printf(&t->ja, "%" PRIu32 " 回目の遮断です。繰り返すたびに長くなります。", ban->level);
        say(t);
    }
    say_until(t, ban->until, "somebody has to lift it", "解除が必要です");
}

static void say_heard(struct talk *t, const struct guard_ban *ban)
{
    if (ban->observed || !ban->heard)
        return;
    buf_printf(&t->en,
               "%" PRIu32
               " attempts were seen after that: if there are more and more, the ban does "
               "not work.",
               ban->heard);
    buf_printf(&t->ja,
               "その後も %" PRIu32 " 回の試行を観測しました。増え続けるなら遮断が効いていません。",
               ban->heard);
    say(t);
}

static void say_enforcement(struct talk *t, const struct why *why)
{
    if (why->enforcement == GUARD_ENFORCEMENT_EFFECTIVE)
        return;
    buf_printf(&t->en, "But the kernel may not know it: enforcement is \"%s\"; see the status.",
               guard_enforcement_name(why->enforcement));
    buf_printf(
        &t->ja,
        "ただし、カーネルに反映されていない可能性があります（強制の状態: %s）。状態を確認してく"
        "ださい。",
        guard_enforcement_name(why->enforcement));
    say(t);
}

static void say_exempt(struct talk *t, const struct why *why)
{
    char text[ADDRESS_TEXT_MAX];
    const char *ja = "遮断しない対象です";

    if (why->exempt != EXEMPT_NONE) {
        buf_puts(&t->en, why->exempt == EXEMPT_TRUNK ? "It is a trunk's" : "It is on never-ban");
        ja = why->exempt == EXEMPT_TRUNK ? "トランクのアドレスです" : ja;
        buf_puts(&t->ja, ja);
        if (why->by.network.family) {
            network_text(&why->by.network, text);
            buf_printf(&t->en, " (%s, from: %s%s%s)", text, guard_exempt_from_name(why->by.from),
                       why->by.name[0] ? " " : "", why->by.name);
            buf_printf(&t->ja, "（%s、由来: %s%s%s）", text, guard_exempt_from_name(why->by.from),
                       why->by.name[0] ? " " : "", why->by.name);
        }
        buf_puts(&t->en, ": whatever comes from there, it is never dropped, but told as an alarm.");
        buf_puts(&t->ja, "。何があっても遮断せず、警報だけを出します。");
        say(t);
    }
    if (why->address_good) {
        buf_puts(&t->en,
                 "An account is known to work from there: for failures of its own accounts it is "
                 "not dropped, but told as an alarm, and the failing account is refused from "
                 "there. Many failures at accounts that never worked there drop it, or one at "
                 "a canary.");
        buf_puts(&t->ja,
                 "正常な利用の実績があるアカウントの送信元です。そのアカウントの失敗では遮断せ"
                 "ず、警報を出し、失敗しているアカウントだけをここから拒否します。ここで使われ"
                 "たことのない多数のアカウントの失敗か、カナリアへの試行があれば遮断します。");
        say(t);
    }
}

/* ---- what is counted ---- */

static const struct {
    const char *what, *en, *ja;
} counted[] = {
    {"failures", "failures", "失敗"},
    {"failures-day", "failures", "失敗"},
    {"failures-week", "failures", "失敗"},
    {"noise", "probes and malformed packets", "探査・不正パケット"},
    {"names", "accounts that it asked for and did not get", "試して使えなかったアカウント"},
};

static const struct {
    const char *what, *en, *ja;
} leads[] = {
    {"ban", "a ban", "遮断"},
    {"quench", "closing the SIP ports for a minute", "SIPポートの一時停止"},
    {"lockout", "a lockout", "ロック"},
    {"nothing", "nothing, for nobody has this account", "何も起きません（存在しないアカウント）"},
};

static void say_line(struct talk *t, const struct why_line *line)
{
    char text[ADDRESS_TEXT_MAX] = "";
    size_t what = 0, to = 0;

    while (strcmp(counted[what].what, line->what) != 0)
        what++;
    while (strcmp(leads[to].what, line->leads_to) != 0)
        to++;
    if (line->of.family)
        network_text(&line->of, text);
    buf_printf(&t->en,
               "%s%s%" PRIu32 " of %" PRIu32 " %s within %" PRIu32 " seconds that lead to %s", text,
               text[0] ? ": " : "", line->count, line->limit.count, counted[what].en,
               line->limit.window, leads[to].en);
    buf_printf(&t->ja, "%s%s%" PRIu32 " 秒間の%s %" PRIu32 " 回、%" PRIu32 " 回で%s", text,
               text[0] ? ": " : "", line->limit.window, counted[what].ja, line->count,
               line->limit.count, leads[to].ja);
    if (line->of.family) {
        buf_printf(&t->en, " (%s%s%s)", line->proved ? "proved" : "not proved",
                   line->any_witness ? "" : ", by ",
                   line->any_witness ? "" : witness_name(line->witness));
        buf_printf(&t->ja, "（%s%s%s）", line->proved ? "証明済み" : "未証明",
                   line->any_witness ? "" : "、観測: ",
                   line->any_witness ? "" : witness_name(line->witness));
    } else {
        buf_printf(&t->en, " (by %s)", witness_name(line->witness));
        buf_printf(&t->ja, "（観測: %s）", witness_name(line->witness));
    }
    buf_puts(&t->en, line->observed ? ", only observed." : ".");
    buf_puts(&t->ja, line->observed ? "。監視のみ。" : "。");
    say(t);
}

static void say_counts(struct talk *t, const struct why *why)
{
    for (size_t i = 0; i < why->n_lines; i++)
        say_line(t, &why->lines[i]);
    if (why->n_lines)
        return;
    buf_puts(&t->en, "Nothing is counted against it.");
    buf_puts(&t->ja, "失敗は数えられていません。");
    say(t);
}

static void say_inside(struct talk *t, const struct why *why)
{
    if (why->banned_inside + why->quenched_inside + why->observed_inside == 0) {
        buf_puts(&t->en, "Nor is anything inside of it.");
        buf_puts(&t->ja, "この範囲内に遮断中のものはありません。");
        if (why->n_bans) {
            buf_clear(&t->en);
            buf_puts(&t->en, "Nothing inside of it is dropped apart.");
        }
    } else {
        buf_printf(&t->en,
                   "Inside of it: %" PRIu32 " banned, %" PRIu32
                   " with the SIP ports closed for minutes, %" PRIu32 " only observed.",
                   why->banned_inside, why->quenched_inside, why->observed_inside);
        buf_printf(&t->ja,
                   "この範囲内: 遮断中 %" PRIu32 " 件、一時停止中 %" PRIu32 " 件、監視のみ %" PRIu32
                   " 件。",
                   why->banned_inside, why->quenched_inside, why->observed_inside);
    }
    say(t);
}

static void say_address(struct talk *t, const struct why *why, const struct api_switch_names *names)
{
    char text[ADDRESS_TEXT_MAX];
    bool enforced = false;

    for (size_t i = 0; i < why->n_bans; i++) {
        say_ban(t, &why->bans[i], api_switch_name(names, why->bans[i].switch_id), why->notes[i]);
        say_heard(t, &why->bans[i]);
        enforced = enforced || !why->bans[i].observed;
    }
    if (!why->n_bans) {
        network_text(&why->network, text);
        buf_printf(&t->en, "%s is not dropped.", text);
        buf_printf(&t->ja, "%s は遮断していません。", text);
        say(t);
    }
    if (why->wide)
        say_inside(t, why);
    if (enforced)
        say_enforcement(t, why);
    say_exempt(t, why);
    if (!enforced)
        say_counts(t, why);
}

/* ---- an account ---- */

static void say_good(struct talk *t, const struct why *why)
{
    char text[ADDRESS_TEXT_MAX];

    if (!why->n_good) {
        buf_puts(&t->en, "No source is known to be good for it.");
        buf_puts(&t->ja, "正常な利用の実績がある送信元はありません。");
        say(t);
        return;
    }
    buf_puts(&t->en, "It is known to work from ");
    buf_puts(&t->ja, "正常な利用の実績がある送信元: ");
    for (size_t i = 0; i < why->n_good; i++) {
        network_text(&why->good[i], text);
        buf_printf(&t->en, "%s%s", i ? ", " : "", text);
        buf_printf(&t->ja, "%s%s", i ? "、" : "", text);
    }
    buf_puts(&t->en, ": there a lock does not reach it.");
    buf_puts(&t->ja, "。そこからはロック中も使えます。");
    say(t);
}

static void say_kind(struct talk *t, const struct guard_lock *lock)
{
    switch (lock->kind) {
    case GUARD_LOCK_OUT:
        buf_puts(&t->en, "is refused except from where it is known to work");
        buf_puts(&t->ja, "実績のある送信元以外からの利用を拒否しています");
        return;
    case GUARD_LOCK_INTERNATIONAL:
        buf_puts(&t->en, "cannot call abroad, wherever it comes from, and is not refused otherwise "
                         "since no source of it is known to be good");
        buf_puts(&t->ja,
                 "国際発信を止めています（実績のある送信元がないため、他の利用は拒否しません）");
        return;
    case GUARD_LOCK_TAKEOVER:
        buf_puts(&t->en, "cannot call abroad: somebody logged in who looks like a thief");
        buf_puts(&t->ja, "国際発信を止めています。乗っ取りが疑われるログインがありました");
        return;
    }
}

static void say_lock(struct talk *t, const struct guard_lock *lock)
{
    char since[TIME_TEXT];

    buf_printf(&t->en, "Since %s the account%s ", time_text(lock->since, since),
               lock->observed ? " would be locked, but its switch is only observed: it" : "");
    buf_printf(&t->ja, "%s から%s", since,
               lock->observed ? "（監視モードのため記録のみ）" : "、このアカウントは");
    say_kind(t, lock);
    buf_printf(&t->en,
               ". %" PRIu32 " attempts within %" PRIu32 " seconds over all sources failed before, "
               "and %" PRIu32 " are enough.",
               lock->count, lock->window, lock->threshold);
    buf_printf(&t->ja,
               "。全送信元からの失敗は %" PRIu32 " 秒間に %" PRIu32 " 回でした（しきい値 %" PRIu32
               " 回）。",
               lock->window, lock->count, lock->threshold);
    say(t);
    if (lock->kind == GUARD_LOCK_TAKEOVER) {
        buf_puts(&t->en, "Change its password before it is unlocked; what was known to be good for "
                         "it was forgotten.");
        buf_puts(&t->ja,
                 "解除する前にパスワードを変更してください。実績のある送信元は取り消しました。");
        say(t);
    }
    say_until(t, lock->until, "an operator has to unlock it", "運用者による解除が必要です");
}

static void say_account(struct talk *t, const struct why *why)
{
    if (!why->account_there && !why->locked) {
        buf_puts(&t->en, "Sekisho has no account of this name on this switch.");
        buf_puts(&t->ja, "このスイッチに、この名前のアカウントは登録されていません。");
        say(t);
    }
    if (why->locked) {
        say_lock(t, &why->lock);
    } else {
        buf_puts(&t->en, "The account is not locked.");
        buf_puts(&t->ja, "このアカウントはロックされていません。");
        say(t);
    }
    say_good(t, why);
    if (!why->locked)
        say_counts(t, why);
}

static void say_undo(struct talk *t, const struct why *why, const struct api_switch_names *names)
{
    char undo[WHY_UNDO_MAX];

    why_undo(why, api_switch_name(names, why->switch_id), undo);
    if (!undo[0])
        return;
    buf_printf(&t->en, "To end it now: %s", undo);
    buf_printf(&t->ja, "今すぐ解除するには: %s", undo);
    say(t);
}

/* What holds was told already; what is over may be why somebody asks. */
static void say_last(struct talk *t, const struct why *why)
{
    char at[TIME_TEXT];

    if (!why->last_event || strcmp(why_state(why), "free") != 0)
        return;
    time_text(why->last_ms / 1000, at);
    buf_printf(&t->en, "The last that was decided on it: %s, at %s.", why->last_event, at);
    buf_printf(&t->ja, "最後の判定は %s です（%s）。", why->last_event, at);
    say(t);
}

json_t *why_words(const struct why *why, const struct api_switch_names *names)
{
    struct talk t = {.sentences = json_array()};

    if (!t.sentences)
        return NULL;
    if (why->network.family)
        say_address(&t, why, names);
    else
        say_account(&t, why);
    say_undo(&t, why, names);
    say_last(&t, why);
    buf_free(&t.en);
    buf_free(&t.ja);
    return t.sentences;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "intake/witness.h"

static bool is_weak_kind(enum witness witness)
{
    switch (witness) {
    case WITNESS_AMI:
    case WITNESS_LOG: return true;
    case WITNESS_WIRE:
    case WITNESS_HEP: return false;
    }
    return false;
}

static bool is_silent(const struct witness_figures *w, bool others_heard, struct instant now)
{
    int64_t heard = w->last.boot_ns > w->since.boot_ns ? w->last.boot_ns : w->since.boot_ns;

    /* A quiet night is no fault: it is one when somebody else hears what this one does not, or when this
     * one has been heard before. */
    return now.boot_ns - heard >= WITNESS_SILENT_NS && (others_heard || w->last.boot_ns);
}

enum witness_trouble witness_trouble(const struct witness_figures *w, bool paired,
                                     bool others_heard, struct instant now)
{
    if (!w->connected && now.boot_ns - w->since.boot_ns >= WITNESS_PATIENCE_NS)
        return WITNESS_NOT_CONNECTED;
    if (w->only_proves && !paired)
        return WITNESS_PROVES_NOTHING;
    if (w->foreign)
        return WITNESS_FORGEABLE;
    if (w->not_understood && !w->understood)
        return WITNESS_UNDERSTANDS_NOTHING;
    if (w->not_understood >= WITNESS_NOT_UNDERSTOOD_MIN && w->not_understood > w->understood)
        return WITNESS_UNDERSTANDS_LITTLE;
    if (w->connected && is_silent(w, others_heard, now))
        return WITNESS_SILENT;
    if (w->shared >= WITNESS_SHARED_MIN && now.boot_ns - w->shared_last.boot_ns < WITNESS_SHARED_NS)
        return WITNESS_NONCES_SHARED;
    return is_weak_kind(w->witness) && !paired ? WITNESS_WEAK : WITNESS_WELL;
}

static const struct {
    const char *name;
    const char *en;
    const char *ja;
} words[] = {
    [WITNESS_WELL] = {"well", "sees and understands", "正常に観測しています"},
    [WITNESS_NOT_CONNECTED] = {"not-connected", "sees nothing, for it is not connected",
                               "接続されていないため、何も観測できません"},
    [WITNESS_PROVES_NOTHING] =
        {"proves-nothing",
         "only proves what log and AMI report, and neither watches this switch: nothing that it "
         "sees is counted, and nobody is banned; give the switch a log or AMI, or set wire_reports "
         "= yes",
         "ログと AMI の報告を証明するだけですが、このスイッチにはどちらもありません。"
         "観測したものは数えられず、誰も遮断しません。ログか AMI を設定するか、wire_reports = yes "
         "にしてください"},
    [WITNESS_FORGEABLE] = {"forgeable",
                           "is not believed: the file holds other channels than security, whose "
                           "lines anybody can forge; "
                           "give the security channel a file of its own in logger.conf",
                           "信用できません。security "
                           "以外のチャンネルの行は誰でも偽造できます。logger.conf で security "
                           "チャンネルを専用のファイルに分けてください"},
    [WITNESS_UNDERSTANDS_NOTHING] =
        {"understands-nothing", "sees but understands nothing: the format is not one that is known",
         "観測していますが、何も理解できません。未知の形式です"},
    [WITNESS_UNDERSTANDS_LITTLE] = {"understands-little",
                                    "does not understand the greater part of what it sees",
                                    "観測したものの大半を理解できません"},
    [WITNESS_SILENT] = {"silent", "has gone silent: nothing for 15 minutes",
                        "沈黙しています。15 分間何も届いていません"},
    [WITNESS_NONCES_SHARED] =
        {"nonces-shared",
         "sees the switch give the same nonce to several addresses: over UDP that proves none of "
         "them, so who guesses is quenched and not banned; give each its own (in Kamailio "
         "modparam(\"auth\", \"nonce_count\", 1) and challenges with qop)",
         "スイッチが複数の送信元に同じ nonce を送っています。UDP "
         "では送信元を証明できないため、遮断せず一時的な抑止しか行いません。要求ごとに異なる nonce "
         "を使わせてください（Kamailio では modparam(\"auth\", \"nonce_count\", 1) と qop）"},
    [WITNESS_WEAK] =
        {"weak",
         "is a weak witness: over UDP its word does not prove an address, so sources are only "
         "quenched; "
         "let wire or HEP watch the same switch",
         "弱い証人です。UDP "
         "では送信元を証明できないため、一時的な抑止しか行いません。同じスイッチを wire "
         "か HEP でも観測してください"},
};

const char *witness_trouble_name(enum witness_trouble trouble)
{
    return words[trouble].name;
}

void witness_trouble_say(struct buf *out, const struct witness_figures *w,
                         enum witness_trouble trouble, bool japanese)
{
    if (japanese)
        buf_printf(out, "証人 %s: %s", witness_name(w->witness), words[trouble].ja);
    else
        buf_printf(out, "the witness %s %s", witness_name(w->witness), words[trouble].en);
    if (trouble == WITNESS_NOT_CONNECTED && w->why[0])
        buf_printf(out, " (%s)", w->why);
}

void witness_connected(struct witness_figures *w, struct instant now)
{
    if (!w->connected)
        w->since = now;
    w->connected = true;
    w->why[0] = '\0';
}

void witness_disconnected(struct witness_figures *w, const char *why, struct instant now)
{
    if (w->connected) {
        w->since = now;
        w->restarts++;
    }
    w->connected = false;
    escape(span_of(why), w->why, sizeof(w->why));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/attempt.h"

static const char *const witness_names[WITNESSES] = {
    [WITNESS_WIRE] = "wire", [WITNESS_HEP] = "hep", [WITNESS_AMI] = "ami", [WITNESS_LOG] = "log"};

static const char *const outcome_names[OUTCOMES] = {
    [OUTCOME_SUCCESS] = "success",
    [OUTCOME_WRONG_CREDENTIALS] = "wrong-credentials",
    [OUTCOME_UNKNOWN_ACCOUNT] = "unknown-account",
    [OUTCOME_CHALLENGED] = "challenged",
    [OUTCOME_REFUSED_CALL] = "refused-call",
    [OUTCOME_PROBE] = "probe",
    [OUTCOME_MALFORMED] = "malformed",
    [OUTCOME_LISTED] = "listed",
};

static const char *const proof_names[PROOFS] = {[PROOF_NONE] = "unproved",
                                                [PROOF_ELSEWHERE] = "elsewhere",
                                                [PROOF_SHARED] = "shared",
                                                [PROOF_PROVED] = "proved"};

static const char *const transport_names[TRANSPORTS] = {
    [TRANSPORT_UNKNOWN] = "unknown", [TRANSPORT_UDP] = "udp", [TRANSPORT_TCP] = "tcp",
    [TRANSPORT_TLS] = "tls",         [TRANSPORT_WS] = "ws",   [TRANSPORT_WSS] = "wss"};

static const char *const method_names[METHODS] = {[METHOD_UNKNOWN] = "unknown",
                                                  [METHOD_REGISTER] = "REGISTER",
                                                  [METHOD_INVITE] = "INVITE",
                                                  [METHOD_OPTIONS] = "OPTIONS",
                                                  [METHOD_SUBSCRIBE] = "SUBSCRIBE",
                                                  [METHOD_MESSAGE] = "MESSAGE",
                                                  [METHOD_BYE] = "BYE",
                                                  [METHOD_ACK] = "ACK"};

bool outcome_is_failure(enum outcome outcome)
{
    return outcome != OUTCOME_SUCCESS && outcome != OUTCOME_CHALLENGED;
}

bool outcome_is_noise(enum outcome outcome)
{
    return outcome == OUTCOME_PROBE || outcome == OUTCOME_MALFORMED;
}

bool attempt_is_guess(const struct attempt *a)
{
    if (a->outcome != OUTCOME_WRONG_CREDENTIALS && a->outcome != OUTCOME_UNKNOWN_ACCOUNT)
        return false;
    return a->proof != PROOF_NONE || a->witness == WITNESS_LOG || a->witness == WITNESS_AMI;
}

const char *witness_name(enum witness witness)
{
    return witness_names[witness];
}

const char *outcome_name(enum outcome outcome)
{
    return outcome_names[outcome];
}

const char *proof_name(enum proof proof)
{
    return proof_names[proof];
}

const char *transport_name(enum transport transport)
{
    return transport_names[transport];
}

const char *method_name(enum method method)
{
    return method_names[method];
}

#define FROM(what, names, count)                                                                   \
    bool what##_from(struct span word, enum what *out)                                             \
    {                                                                                              \
        int i = span_among(word, names, count);                                                    \
                                                                                                   \
        if (i >= 0)                                                                                \
            *out = (enum what)i;                                                                   \
        return i >= 0;                                                                             \
    }

FROM(witness, witness_names, WITNESSES)
FROM(outcome, outcome_names, OUTCOMES)
FROM(proof, proof_names, PROOFS)
FROM(transport, transport_names, TRANSPORTS)
FROM(method, method_names, METHODS)

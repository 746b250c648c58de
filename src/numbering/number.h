/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_NUMBERING_NUMBER_H
#define SEKISHO_NUMBERING_NUMBER_H

#include <stdint.h>

#include "base/span.h"

/* What a dialled string is, after normalisation (DESIGN.md, "Numbering"). */
enum number_class {
    CLASS_EMERGENCY,     /* exactly an emergency number of the dial plan, nothing behind it */
    CLASS_INTERNAL,      /* an extension of this switch */
    CLASS_NATIONAL,      /* an ordinary number of the own country */
    CLASS_FREEPHONE,     /* the called party pays */
    CLASS_SHARED_COST,   /* charged above an ordinary call, openly (0570) */
    CLASS_PREMIUM,       /* charged for content (0990) */
    CLASS_SPECIAL,       /* short codes of the network (117, 171, #7119) */
    CLASS_INTERNATIONAL, /* leaves the country, or asks an operator to */
    CLASS_FORWARDING,    /* programs a forwarding; judged by its target */
    CLASS_INVALID,       /* understood, and no such number can exist */
    CLASS_INCOMPLETE,    /* the beginning of a number */
    CLASS_MALFORMED,     /* not a dialled string at all */
    CLASS_UNKNOWN,       /* digits that the dial plan gives no meaning */
};

/* Refines the class. */
enum number_kind {
    KIND_NONE,
    KIND_GEOGRAPHIC,
    KIND_MOBILE,
    KIND_IP,    /* 050 */
    KIND_M2M,   /* 020 */
    KIND_LOCAL, /* without area code, and none is configured: cannot be dialled */
    KIND_SATELLITE,
    KIND_PREMIUM,
    KIND_SHARED_COST,
    KIND_PERSONAL, /* follows a person within the own country */
    KIND_RISK,     /* ranges whose purpose is revenue, or that nobody can place */
    KIND_OPERATOR, /* a person or machine completes the call: where to cannot be known */
    KIND_HOME,     /* the own country, dialled by way of the access prefix */
    KIND_HELP, /* help lines that a locked account may still call (171, 188, 189, #7119, #9110) */
};

enum number_presentation {
    PRESENTATION_DEFAULT,
    PRESENTATION_WITHHOLD, /* 184, #31#, *67 */
    PRESENTATION_SEND,     /* 186, *31#, *82 */
};

/* Evidence that a destination is used for revenue share fraud. */
enum number_risk { RISK_NONE, RISK_LOW, RISK_MEDIUM, RISK_HIGH };

/* A row of the country tables; lives as long as the tables that it came from. */
struct country {
    char iso[4];         /* ISO 3166-1 alpha-2, or "001" for a number that belongs to no country */
    const char *name_en; /* UTF-8 */
    const char *name_ja;
};

#define NUMBER_BYTES_MAX 128 /* a longer dialled string is MALFORMED (never cut) */
#define NUMBER_E164_MAX 17   /* '+', 15 digits, NUL */
#define NUMBER_DIGITS_MAX (NUMBER_BYTES_MAX + 8)

/* The form in which a trunk wants numbers (only where the number has an E.164; all others are
 * dialled as the dial plan dials them). */
enum number_form {
    FORM_DIALLED,   /* 0312345678, 010441481123456 */
    FORM_PLUS_E164, /* +81312345678 */
    FORM_E164,      /* 81312345678 */
};

/*
 * A dialled string, understood. Owns everything but `country`; of its strings only the bytes up to the
 * NUL are set. For a FORWARDING, e164, country, risk
 * and dialled are those of its target, `target` is the target's class, and `literal` is what was
 * keyed, code and all.
 */
struct number {
    enum number_class class;
    enum number_kind kind;
    enum number_presentation presentation;
    enum number_risk risk;
    /* The class of what is called in the end: of a FORWARDING its target's (CLASS_INCOMPLETE without
     * one), else the same as `class`. */
    enum number_class target;
    /* Where to cannot be known (KIND_OPERATOR): `dialled` is only the beginning of what the call may
     * become, and a rule on any number below it applies. */
    bool open_ended;
    const struct country *country;   /* NULL where it has none */
    char e164[NUMBER_E164_MAX];      /* "+252615123456", or "" where it has none */
    char dialled[NUMBER_DIGITS_MAX]; /* canonical, as this dial plan would dial it, without prefixes
                                         for caller ID or carrier; what rules match; [0-9*#+] */
    char network[NUMBER_DIGITS_MAX]; /* what to dial for it as the plan dials it: `dialled`, except
                                         where that is only what rules are written with (the access
                                         prefix of another carrier, a foreign number that is dialled
                                         like a national one, an operator, a forwarding); "" where it
                                         cannot be dialled */
    bool
        abroad; /* behind an access prefix, or a plus and another country's code: also where what stands there is
                    INVALID, INCOMPLETE or UNKNOWN to these tables */
    bool as_network; /* only `network` does what was asked, whatever form the trunk
                                         wants (an operator, a forwarding, a relay) */
    char literal
        [NUMBER_DIGITS_MAX]; /* the dialled digits as given, folded, separators dropped; "" for
                                         MALFORMED; rules match it too */
};

/* The words of the enums above: "INTERNATIONAL", "geographic" (NULL for KIND_NONE), "withhold",
 * "high". */
const char *number_class_name(enum number_class class);
const char *number_kind_name(enum number_kind kind);
const char *number_presentation_name(enum number_presentation presentation);
const char *number_risk_name(enum number_risk risk);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_INTAKE_CDR_MAPPING_H
#define SEKISHO_INTAKE_CDR_MAPPING_H

#include "intake/cdr_csv.h"
#include "intake/cdr_time.h"

/*
 * Any CSV, by a text that says what its columns are:
 *
 *     delimiter = ;                       one byte, or "tab"; a comma if not said
 *     header    = yes                     the first row names the columns; then they are called by these names
 *     account   = customer                a name of the header, or the number of a column; the first is 1
 *     endpoint  = 4
 *     channel   = channel                 of Asterisk: its endpoint is that of the name
 *     src       = caller
 *     dialled   = called                  needed
 *     sent      = routed
 *     trunk     = gateway
 *     id        = call_id
 *     linked    = linkedid
 *     sequence  = sequence
 *     start     = 1                       needed
 *     time      = %d.%m.%Y %H:%M:%S       how start is written: see below. 2026-11-24 02:33:02 if not said
 *     total     = duration                seconds, with or without a fraction
 *     billed    = 9
 *     outcome   = result
 *     answered  = OK, ANSWERED, 200       the words of that column, of each outcome: answered, no-answer,
 *     busy      = BUSY, 486               busy, cancelled, failed, refused. A word that stands nowhere is
 *     no-answer = *                       an error of its row, unless some outcome has "*"
 *
 * Lines that begin with # are comments. Without an outcome's column a call is answered when it has billed
 * seconds.
 *
 * Times: see cdr_strptime.h; with %z, and with unix, the zone of the switch is not asked.
 */
struct cdr_mapping;

#define CDR_MAPPING_BYTES_MAX 8192

int cdr_mapping_new(struct cdr_mapping **out, struct span text, struct fault *f);
void cdr_mapping_free(struct cdr_mapping *m);

char cdr_mapping_delimiter(const struct cdr_mapping *m);
bool cdr_mapping_header(const struct cdr_mapping *m);

/* Which column of this file is what. Zero-initialised, but for the zone and the mapping (borrowed). */
struct cdr_mapped {
    const struct cdr_mapping *mapping;
    struct cdr_zone zone;
    bool known;
    signed char columns[16];
};

/* As cdr_asterisk_read(). The header is 0; one without a column that the mapping names is ERR_MISSING, and
 * then nothing of the file can be read. */
int cdr_mapping_read(struct cdr_mapped *m, struct cdr_row *row, struct cdr *out, struct fault *f);

#endif

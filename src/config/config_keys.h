/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CONFIG_CONFIG_KEYS_H
#define SEKISHO_CONFIG_CONFIG_KEYS_H

#include "base/fault.h"

struct config;

/* The one table of keys behind config.h. Only for config*.c. */

enum config_type {
    CONFIG_PATH,     /* char *: absolute path, or empty where the default is empty */
    CONFIG_NAME,     /* char *: letters, digits, "._-"; may be empty where the default is */
    CONFIG_TEXT,     /* char *: printable UTF-8 */
    CONFIG_DIGITS,   /* char *: 0-9, may be empty */
    CONFIG_COUNTRY,  /* char *: two capital letters */
    CONFIG_CHOICE,   /* unsigned: index into `choices` */
    CONFIG_BOOL,     /* bool: yes, no */
    CONFIG_UNSIGNED, /* unsigned: min to max */
    CONFIG_LISTEN,   /* struct config_listen: addresses separated by commas, or "none" */
    CONFIG_NETWORKS, /* struct config_networks, may be empty */
    CONFIG_NUMBERS,  /* char *: numbers of [0-9*#] separated by commas, may be empty */
    CONFIG_DAYS,     /* struct config_days: dates separated by commas, may be empty */
    CONFIG_PORTS,    /* struct config_ports: udp/5060, tcp/5060 … separated by commas */
    CONFIG_HOSTS,    /* char *: names and addresses separated by commas, may be empty */
};

struct config_key {
    const char *section; /* "trunk" stands for every [trunk NAME], "switch" likewise */
    const char *name;
    enum config_type type;
    size_t offset;          /* in struct config, or in the struct of a section with a name */
    const char *initial;    /* the default as text; NULL: the key must be given */
    unsigned min, max;      /* of CONFIG_UNSIGNED */
    const char *choices[5]; /* of CONFIG_CHOICE, up to NULL */
    bool at_start;          /* a change takes a restart; the others follow SIGHUP */
    const char *help;       /* sentences, wrapped where they are shown */
};

struct config_section {
    const char *name;
    const char *help;
    /* With a name: an array of structs that begin with struct config_named. size 0: without. */
    size_t size, items, count; /* of one; where in struct config the array and its length are */
    size_t most;
};

extern const struct config_key config_keys[];
extern const size_t config_keys_n;
extern const struct config_section config_sections[];
extern const size_t config_sections_n;

/* NULL where there is none. */
const struct config_key *config_key_find(struct span section, struct span name);
const struct config_section *config_section_find(struct span name);
/* Whose key it is. */
const struct config_section *config_section_of(const struct config_key *key);
/* The i-th of a section with a name; NULL behind the last. */
void *config_named_at(const struct config_section *section, const struct config *config, size_t i);

#endif

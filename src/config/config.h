/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CONFIG_CONFIG_H
#define SEKISHO_CONFIG_CONFIG_H

#include "base/address.h"
#include "base/buf.h"
#include "base/log.h"
#include "enforce/message.h"
#include "guard/limits.h"

/*
 * sekisho.conf: what belongs to this machine (where to listen, where the state is). What people decide
 * about calls is in the store.
 *
 *   # comment            a line that begins with # or ;
 *   [section]            or [trunk NAME] and [switch NAME], as often as there are such
 *   key = value          the value reaches to the end of the line; blanks around it are dropped
 *
 * All keys are in one table (config_keys.c), from which come the reader, its sentences, the defaults,
 * the shipped sekisho.conf and the manual page.
 */

#define CONFIG_BYTES_MAX (256 * 1024)
#define CONFIG_LISTEN_MAX 8
#define CONFIG_NETWORKS_MAX 64
#define CONFIG_TRUNKS_MAX 256
#define CONFIG_SWITCHES_MAX 256
#define CONFIG_PORTS_MAX 32
#define CONFIG_DAYS_MAX 128
#define CONFIG_TEXT_MAX 1000 /* bytes of one value */

struct config_listen {
    struct address at[CONFIG_LISTEN_MAX];
    size_t n; /* 0: "none" */
};

struct config_networks {
    struct network at[CONFIG_NETWORKS_MAX];
    size_t n;
};

struct config_ports {
    struct enforce_port at[CONFIG_PORTS_MAX];
    size_t n;
};

struct config_days {
    int64_t at[CONFIG_DAYS_MAX]; /* since 1970-01-01, ascending */
    size_t n;
};

/* What every section with a name begins with. */
struct config_named {
    char *name;
    unsigned line; /* of its section */
};

/* A trunk of the switch, as far as emergency calls are concerned. */
struct config_trunk {
    struct config_named named;
    bool emergency; /* can carry emergency calls */
    char *endpoint; /* the PBX's name for it; "" is the same as `name` */
};

/* Who watches a switch that the store has under this name. */
struct config_switch {
    struct config_named named;
    bool wire, wire_reports;
    struct config_networks addresses; /* n == 0: the machine's own */
    char *log;                        /* "": none */
    struct config_listen hep;         /* n == 0: none */
    struct config_networks hep_from;  /* n == 0: the switch's addresses in the store */
    char *hep_key_file;               /* "": no key */
    struct config_listen ami;         /* n == 0: none */
    char *ami_user;
    char *ami_secret_file;
    char *trunks; /* hosts separated by commas */
};

/* What becomes of the guard's decisions. */
enum config_enforce { CONFIG_ENFORCE, CONFIG_OBSERVE, CONFIG_NO_ENFORCER };

/* Whether mail leaves in clear: auto only where it stays on the machine. */
enum config_starttls { CONFIG_STARTTLS_AUTO, CONFIG_STARTTLS_REQUIRED, CONFIG_STARTTLS_NO };

struct config {
    char *state_dir; /* [daemon] */
    char *user;
    unsigned log_level;  /* enum log_level */
    unsigned log_format; /* enum log_format */

    char *tables; /* [numbering]; "" is none */
    char *plan;
    char *outside;
    char *extensions;
    char *area;
    char *help_lines; /* numbers separated by commas */
    struct config_days holidays;

    struct config_listen fastagi_listen;  /* [fastagi] */
    struct config_networks fastagi_allow; /* n == 0: every listed switch */
    unsigned fastagi_connections;
    unsigned fastagi_timeout_ms;

    struct config_listen sip_listen; /* [sip]; n == 0: nowhere */
    unsigned sip_workers;
    bool sip_tcp;
    unsigned sip_connections; /* of one switch */
    unsigned sip_timeout_s;

    struct config_listen http_listen; /* [http] */
    char *http_socket;                /* "": a place of its own, see config_keys.c */
    char *http_hosts;                 /* separated by commas */
    unsigned http_connections;
    unsigned http_per_address; /* 0: no limit of its own */
    unsigned http_timeout_s;
    unsigned http_body_kib;
    unsigned http_import_mib;
    char *http_backup_dir; /* "": none over TCP */

    unsigned enforce; /* [guard]; enum config_enforce */
    char *enforcer;
    char *enforcer_user;
    char *never_ban;
    char *hook;         /* "": none */
    unsigned ban_scope; /* enum enforce_scope */
    struct config_ports ports;
    struct guard_limits limits;

    char *mail_server;      /* [mail]; "": none */
    unsigned mail_starttls; /* enum config_starttls */
    char *mail_user;        /* "": without AUTH */
    char *mail_password_file;
    char *mail_ca_file; /* "": the system's */
    char *mail_from;
    char *mail_from_name;
    char *mail_reply_to;
    char *mail_operator;    /* "": nobody */
    unsigned mail_language; /* 0: ja, 1: en */
    char *mail_templates;   /* "": those that are compiled in */
    unsigned mail_keep_days;

    char *console_url; /* [console]; "": none */

    char *asterisk_dir; /* [asterisk] */
    char *emergency_trunk;

    struct config_switch *switches;
    size_t n_switches;

    struct config_trunk *trunks;
    size_t n_trunks;
};

/* What was found, one sentence a line ("sekisho.conf:12: fastagi.listen: …"); warnings begin with
 * "warning: " behind the place. Zero-initialised is empty. */
struct config_report {
    struct buf text;
    unsigned errors;
    unsigned warnings;
};

/*
 * Reads the whole text, whatever is wrong in it, and reports every fault. `name` is what the sentences
 * call the file. Returns 0 and a config only when there was no error; else the first error's code
 * (ERR_NOMEM too), and `*out` is untouched. Pure: looks at no file, no clock.
 */
int config_parse(struct config **out, struct span text, const char *name,
                 struct config_report *report);

/* config_parse() of a file. One that cannot be read is reported like any other fault. */
int config_load(struct config **out, const char *path, struct config_report *report);
void config_free(struct config *config);
void config_report_free(struct config_report *report);

/* Writes the names of the keys that differ and whose change takes a restart: "http.listen, …". */
void config_restart_needed(const struct config *now, const struct config *then, struct buf *out);

/* The default configuration, every key explained and commented out: the shipped sekisho.conf. */
void config_print(struct buf *out);
/* The list of keys as mdoc for sekisho.conf(5). */
void config_print_mdoc(struct buf *out);

#endif

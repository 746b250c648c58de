/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEKISHO_CLI_COMMANDS_H
#define SEKISHO_CLI_COMMANDS_H

#include "cli/cli.h"

/* One subcommand, one file (cmd_NAME.c); commands.c puts them into one table. */
int cmd_account_discover(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_account_import(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_attacks(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_audit(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_ban(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_bans(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_backup(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_check(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_complement(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_doctor(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_lockouts(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_number(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_prove(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_refusals(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_replay(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_status(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_unban(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_unlock(struct cli *cli, const struct command *self, int argc, char **argv);
int cmd_why(struct cli *cli, const struct command *self, int argc, char **argv);

extern const struct command access_commands[];
extern const struct command account_commands[];
extern const struct command canary_commands[];
extern const struct command known_good_commands[];
extern const struct command never_ban_commands[];
extern const struct command preset_commands[];
extern const struct command restrict_commands[];
extern const struct command cdr_commands[];
extern const struct command history_commands[];
extern const struct command settings_commands[];
extern const struct command notices_commands[];
extern const struct command stop_commands[];
extern const struct command sweep_commands[];
extern const struct command switch_commands[];
extern const struct command template_commands[];
extern const struct command tenant_commands[];
extern const struct command token_commands[];

#endif

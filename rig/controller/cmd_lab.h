/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Subcommands of `coldrig lab`: each file cmd_lab_NAME.c has one. */
#ifndef COLDRIG_CMD_LAB_H
#define COLDRIG_CMD_LAB_H

/* argv[0] is the subcommand's name; returns the exit status. */
int lab_check_command(int argc, char **argv);
int lab_line_command(int argc, char **argv);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Subcommands of `coldrig kernel`: each file cmd_kernel_NAME.c has one. */
#ifndef COLDRIG_CMD_KERNEL_H
#define COLDRIG_CMD_KERNEL_H

/* argv[0] is the subcommand's name; returns the exit status. */
int kernel_boot_command(int argc, char **argv);

#endif

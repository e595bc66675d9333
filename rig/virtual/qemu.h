/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The emulator's command line, from a lab. Pure. */
#ifndef COLDRIG_QEMU_H
#define COLDRIG_QEMU_H

#include "lab.h"

#define QEMU_PROGRAM "qemu-system-x86_64"

/* What the emulated machine is given. The fds are connected sockets that the emulator inherits. */
struct qemu_parts {
	const char *kernel;
	const char *initrd;
	const char *acpi_table;
	uint32_t empty;	    /* slots without their card: a bit for each device number */
	bool with_pme_card; /* one more card, on no port, whose PMC has PME bits */
	int console_fd;	    /* ttyS0; byte 1 and a 'b' on it are a break, two of byte 1 are one */
	int agent_fd;	    /* ttyS1 */
	int rail_fd;	    /* bytes that ACPI writes to BOARD_RAIL_PORT */
	int qmp_fd;
	int gdb_fd;		/* of the debugger; -1: none */
	const char *lines_path; /* a socket for who switches the machine; NULL: none */
};

/* NULL-terminated; freed with qemu_argv_free(). NULL when out of memory. */
char **qemu_argv(const struct lab_virtual *virt, const struct qemu_parts *parts);
void qemu_argv_free(char **argv);

#endif

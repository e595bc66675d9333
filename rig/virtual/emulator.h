/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The emulator as a child process: started, listened to, ended. */
#ifndef COLDRIG_EMULATOR_H
#define COLDRIG_EMULATOR_H

#include <sys/types.h>

#include "err.h"
#include "lab.h"

#define EMULATOR_WORDS_SIZE 400

/* Our ends; all of them do not block. */
struct emulator {
	pid_t pid;    /* 0: not started, or waited for */
	int pidfd;    /* readable when it has ended */
	int rail_fd;  /* bytes that ACPI wrote */
	int trace_fd; /* its stderr */
	int qmp_fd;
	int gdb_fd; /* of the debugger; -1: none was asked for */
};

struct emulator_options {
	const struct lab *lab;
	const char *kernel_dir;
	const char *kexec_dir; /* as in struct vlab_options */
	const char *data_dir;
	uint32_t empty;		/* as in struct qemu_parts */
	bool with_pme_card;	/* as in struct vlab_options */
	const char *lines_path; /* likewise */
	bool with_debugger;
	/* The emulator's ends of the console and of the agent's line; stay the caller's to close. */
	int console_fd, agent_fd;
};

/* Starts it as a child that dies with the calling thread. Ended with emulator_stop(). */
int emulator_start(struct emulator *emulator, const struct emulator_options *options,
		   struct err *err);

/* Waits for one that has ended, and tells how. */
void emulator_reap(struct emulator *emulator, char *how, size_t size);

/* SIGTERM, a second later SIGKILL; waits. Safe on one that is zeroed or has ended. */
void emulator_stop(struct emulator *emulator);

#endif

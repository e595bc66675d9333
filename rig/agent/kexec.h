/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Other kernels on this machine, through the target's own kexec-tools: load one, boot it, load one
 * for the case of a panic, and in that one read the log of the kernel that died.
 */
#ifndef COLDRIG_KEXEC_H
#define COLDRIG_KEXEC_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "host.h"

#define KEXEC_CMDLINE_SIZE 2048 /* COMMAND_LINE_SIZE of x86 */

/* On the command line of every kernel that this agent boots, so that the next agent knows. */
#define KEXEC_MARK "coldrig.kexec"

/* What this session has loaded; zero-initialised is nothing. */
struct kexec {
	bool boot_loaded, crash_loaded;
};

struct kexec_load {
	bool crash;	    /* for a panic, not to be booted */
	bool by_file;	    /* kexec_file_load, else kexec_load */
	const char *image;  /* a file of the inbox, or an absolute path */
	const char *initrd; /* likewise, or NULL */
	const char *append; /* to the running kernel's command line, or NULL */
};

/*
 * The command line of the next kernel: the running one's without what a boot loader or an earlier
 * kexec put there, then append, then the mark or what a crash kernel needs. -E2BIG. Pure.
 */
int kexec_cmdline(const char *running, const char *append, bool crash,
		  char cmdline[static KEXEC_CMDLINE_SIZE]);

/* Loads a kernel, cmdline is what it will have. -errno with the words of kexec. */
int kexec_load(struct kexec *kexec, const struct host *host, const struct kexec_load *load,
	       char cmdline[static KEXEC_CMDLINE_SIZE], struct err *err);

/* Takes back what was loaded. */
void kexec_unload(struct kexec *kexec, const struct host *host);

/* Is a kernel loaded that can be booted? -ENOEXEC with words. */
int kexec_check_loaded(const struct host *host, struct err *err);

/* Boots what was loaded; comes back only on failure, with words. */
int kexec_boot(const struct host *host, struct err *err);

/* Is this the crash kernel of one that panicked? */
bool kexec_is_crash(const struct host *host);

/* Was this kernel booted by an agent? */
bool kexec_was_used(const struct host *host);

/* Reboots in the machine's own way; comes back only on failure. */
int kexec_reboot(const struct host *host, struct err *err);

/* The log of the kernel that died, to be freed with free(). -ENOENT if this is no crash kernel, or
 * vmcore-dmesg is not there. */
int kexec_dead_log(const struct host *host, char **log, size_t *n, struct err *err);

/* The running kernel's GNU build id in hexadecimal, "" if it has none. */
void kexec_build_id(const struct host *host, char *id, size_t size);

#endif

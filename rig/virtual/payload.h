/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the emulated target boots by kexec: the files that a real target would be sent, made from the
 * cache. They lie in its initramfs already, where the agent's inbox is, because its serial line
 * would take minutes for them; that of the next kernel has in turn the files of its crash kernel.
 */
#ifndef COLDRIG_PAYLOAD_H
#define COLDRIG_PAYLOAD_H

#include "err.h"

/* What a crash kernel needs to come up and to read the log of the one that died. */
#define PAYLOAD_CRASH_MEMORY "crashkernel=128M"

enum payload_file {
	PAYLOAD_IMAGE,
	PAYLOAD_INITRD,
	PAYLOAD_CRASH_IMAGE,
	PAYLOAD_CRASH_INITRD,
	PAYLOAD_COUNT
};

struct payload {
	const char
		*from_dir; /* of the cache: the kernel that is powered on, and the crash kernel */
	const char *kernel_dir; /* of the cache: the kernel under test */
	const char *data_dir;	/* agent.cpio and conformance.cpio of the build */
};

/* The name in the agent's inbox. */
const char *payload_name(enum payload_file file);

/* The file, to be read from its begin and closed by the caller, or a negative errno with words. The
 * same bytes each time. */
int payload_open(const struct payload *payload, enum payload_file file, struct err *err);

/* The initial RAM disk for power-on, with image and initrd in it: as initrd_join(). */
int payload_power_on(const struct payload *payload, struct err *err);

#endif

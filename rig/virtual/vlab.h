/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The virtual lab: an emulated target with real firmware tables, and the physics between its rails
 * and an instrument that speaks SCPI. It runs in a process of its own, which ends, with the
 * emulator, when the caller's process ends, however that ends.
 */
#ifndef COLDRIG_VLAB_H
#define COLDRIG_VLAB_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "forbidden.h"
#include "lab.h"

struct vlab;

struct vlab_options {
	const struct lab *lab;	/* outlives the vlab */
	const char *kernel_dir; /* of the cache: vmlinux or vmlinuz, initramfs.cpio */
	const char *kexec_dir; /* of the cache: the kernel that the target will boot by kexec, whose
				     files it then has; NULL: none */
	const char *data_dir;  /* of the build: slots.aml, agent.cpio, conformance.cpio */
	bool with_pme_card;    /* one more card, on no port, for tests of the conformance suite */
	const char
		*lines_path; /* a socket where the emulator's monitor listens for lines of kind qmp
				   (io/lines.h); made and removed by the emulator. NULL: none */
	const char *truth_path; /* what the emulated hardware did, as CSV, appended: for tests only,
				   never read by the rig. NULL: not kept */
};

/* Where kernels are: $COLDRIG_CACHE, or the user's cache. Freed with free(). */
char *vlab_cache_dir(void);

/* The directory of a kernel in the cache, or -ENOENT with what to run. Freed with free(). */
int vlab_kernel_dir(const char *kernel, char **out, struct err *err);

/* The BDF that a slot's first function has in the emulated target. */
int vlab_slot_bdf(const struct lab *lab, unsigned device, char bdf[static BDF_TEXT_SIZE]);

/*
 * Powers the target on. Returns when the emulator runs and the instrument listens; the target is
 * still booting then. On failure nothing is left running. The calling thread must live as long as
 * the lab: the lab ends with it.
 */
int vlab_up(const struct vlab_options *options, struct vlab **out, struct err *err);

/* The byte stream to the agent's serial line; belongs to the vlab. */
int vlab_agent_fd(const struct vlab *vlab);

/*
 * The byte stream to the target's console, from before power-on; belongs to the vlab, and somebody
 * must read it: the target waits when it is full. VLAB_BREAK on it is a break.
 */
#define VLAB_BREAK                                                                                 \
	"\x01"                                                                                     \
	"b"
int vlab_console_fd(const struct vlab *vlab);

/* The TCP port on 127.0.0.1 where the instrument listens. */
uint16_t vlab_instrument_port(const struct vlab *vlab);

/* Tells the virtual lab that cycle n of the arm begins, for faults that start with a cycle.
 * Returns once they are in force. */
int vlab_cycle(struct vlab *vlab, unsigned n);

/*
 * The target's lines. Each returns once the emulated hardware has followed; the target is still
 * booting then. A lab whose emulator had ended is well again once the power is back. -ECHILD,
 * -ETIMEDOUT.
 */
int vlab_reset(struct vlab *vlab);
int vlab_power(struct vlab *vlab, bool on);

/*
 * Waits until the lab has seen all that the target did until now: after it, vlab_take_forbidden()
 * misses nothing that came before. -ECHILD, -ETIMEDOUT.
 */
int vlab_sync(struct vlab *vlab);

/*
 * The next access to a device whose rail was off, in the order in which they were made; false if
 * there is none. Does not wait: only what vlab_check(), vlab_cycle() and vlab_sync() came upon is
 * here. After the first FORBIDDEN_TOLD_MAX of a cycle the rest is told as one, with the details of
 * the first of them.
 */
#define FORBIDDEN_TOLD_MAX 100
bool vlab_take_forbidden(struct vlab *vlab, struct forbidden_access *out);

/* 0 while the emulator runs, else -ECHILD with why it ended (its last words). */
int vlab_check(struct vlab *vlab, struct err *err);

/* Ends everything, waits for it, frees. */
void vlab_down(struct vlab *vlab);

#endif

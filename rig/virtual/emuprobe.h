/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The slot power probe as the virtual lab's instrument: its firmware in an emulated board, with an
 * emulated ADM1272 for each slot whose current follows the physics. A process of its own, which
 * ends with the calling thread.
 */
#ifndef COLDRIG_EMUPROBE_H
#define COLDRIG_EMUPROBE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "lab.h"
#include "lineport.h"

#define EMUPROBE_PROGRAM  "qemu-system-arm"
#define EMUPROBE_FIRMWARE "probe-mps2-an385.elf" /* in the build's data directory */
#define EMUPROBE_POLLFDS  (2 + LINEPORT_POLLFDS)

struct emuprobe;

/* What a slot draws at a time, in W; with the noise of a reading, or without. */
typedef double emuprobe_source(unsigned device, int64_t t_ns, bool noisy, void *context);

/* virt, source and context outlive it. -ENOENT, with what to do, without emulator or firmware.
 * Freed with emuprobe_free(). */
int emuprobe_new(const struct lab_virtual *virt, const char *data_dir, emuprobe_source *source,
		 void *context, struct emuprobe **out, struct err *err);
void emuprobe_free(struct emuprobe *probe);

/* Where its serial line is, as lineport_tcp_port(), and as lineport_set_faults(). */
uint16_t emuprobe_tcp_port(const struct emuprobe *probe);
void emuprobe_set_faults(struct emuprobe *probe, bool dead, bool unplugged);

/*
 * Tells the emulated chips what the slots draw now, where that has changed; noise is drawn anew 20
 * times a second. To be called whenever the physics may have changed, and after the milliseconds
 * that it returns.
 */
int emuprobe_update(struct emuprobe *probe, int64_t now_ns);

void emuprobe_pollfds(const struct emuprobe *probe, struct pollfd fds[static EMUPROBE_POLLFDS]);

/*
 * A question gets to the firmware once the emulator has confirmed what the slots drew when it came:
 * a busy emulator answers late, but never with what was before the question. So its delay is in the
 * time between question and answer, which is the error that a reader states.
 *
 * When its process has ended, that is said on stderr, and nobody answers at its port any more: a
 * meter that is lost, as it would be on a bench.
 */
void emuprobe_handle(struct emuprobe *probe, const struct pollfd fds[static EMUPROBE_POLLFDS],
		     int64_t now_ns);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What measures the slots of the virtual lab, whichever of its instruments that is. */
#ifndef COLDRIG_LABMETER_H
#define COLDRIG_LABMETER_H

#include "emuprobe.h"
#include "instrument.h"
#include "lab.h"
#include "physics.h"

#define LABMETER_POLLFDS                                                                           \
	(EMUPROBE_POLLFDS > INSTRUMENT_POLLFDS ? EMUPROBE_POLLFDS : INSTRUMENT_POLLFDS)

struct labmeter {
	const struct lab_virtual *virt;
	struct physics *physics;
	int64_t start_ns;	       /* from here on it drifts */
	struct instrument *instrument; /* one of the two is there */
	struct emuprobe *probe;
};

/* virt and physics outlive it; meter stays where it is. Ended with labmeter_stop(). */
int labmeter_start(struct labmeter *meter, const struct lab_virtual *virt, struct physics *physics,
		   const char *data_dir, struct err *err);
void labmeter_stop(struct labmeter *meter);

uint16_t labmeter_port(const struct labmeter *meter);

/* A dead one takes connections and answers nothing; an unplugged one closes each that is made. */
void labmeter_set_faults(struct labmeter *meter, bool dead, bool unplugged);

/* To be called whenever the physics may have changed, and after the milliseconds that it returns;
 * -1: only then. */
int labmeter_update(struct labmeter *meter);

void labmeter_pollfds(const struct labmeter *meter, struct pollfd fds[static LABMETER_POLLFDS]);

void labmeter_handle(struct labmeter *meter, const struct pollfd fds[static LABMETER_POLLFDS]);

#endif

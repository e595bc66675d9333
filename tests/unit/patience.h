/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long tests of meters wait. Where all is slow, as under valgrind, COLDRIG_PATIENCE multiplies it. */
#ifndef COLDRIG_PATIENCE_H
#define COLDRIG_PATIENCE_H

#include <stdint.h>
#include <stdlib.h>

#include "meter.h"

#define SECOND ((int64_t)1000000000)

/* For meter_options. A meter's relay tells of silence at three quarters, 0.3 s before its parent does: so
 * late may it be on a busy machine. */
#define START	patient(METER_START_NS)
#define SILENCE patient(SECOND * 6 / 5)

static inline int64_t patient(int64_t ns)
{
	const char *times = getenv("COLDRIG_PATIENCE");

	return times ? ns * atoi(times) : ns;
}

#endif

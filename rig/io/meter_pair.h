/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Puts one end of a pair in the place of a driver's line, so that what it says comes out of the other. */
#ifndef COLDRIG_METER_PAIR_H
#define COLDRIG_METER_PAIR_H

#include <stdint.h>

/*
 * fd stays the driver's and becomes one end, a socket or, where it is one, a terminal; *ours is the
 * other, the caller's to close, also after an error if it is not -1. The driver waits for an answer on
 * a socket for limit_ns at most, 0: for ever. -errno.
 */
int meter_pair_put(int fd, int64_t limit_ns, int *ours);

#endif

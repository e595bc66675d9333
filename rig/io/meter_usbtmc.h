/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An instrument on USB as a socket that speaks lines, so that meter_front.h and meter_relay.h can stand before it. */
#ifndef COLDRIG_METER_USBTMC_H
#define COLDRIG_METER_USBTMC_H

#include "meter_backend.h"

/*
 * which as in usbtmc.h. The socket is the caller's to close, and that ends it; then meter_usbtmc_stop(), also
 * before it is started again. One at a time in a process. Whatever fails ends the process with the loss told.
 */
int meter_usbtmc_start(const char *which, struct meter_link *link);

/* Waits until what was said last has reached the instrument and it is given back. */
void meter_usbtmc_stop(void);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stands before a meter on TCP or USB while a driver looks for it and opens it, when there is no descriptor yet that
 * meter_relay.h could take the place of. libsigrok takes half of an answer to *IDN? for the whole, and does not find
 * the meter. So it is given a port of our own on 127.0.0.1, on which nobody but this process is served, and gets
 * whole lines there.
 */
#ifndef COLDRIG_METER_FRONT_H
#define COLDRIG_METER_FRONT_H

#include "framing.h"
#include "meter_backend.h"

struct meter_front;

/*
 * conn is tcp-raw/HOST/PORT, tcp-rigol/HOST/PORT or usbtmc/WHICH (meter_usbtmc.h); -EINVAL if it is not, -ERANGE
 * if no port has that number. The meter is connected to when the driver connects; whatever fails then ends the
 * process with the loss told. Ended and freed by meter_front_take(), or with the process.
 */
int meter_front_start(const char *conn, struct meter_link *link, struct meter_front **out);

/* What the driver is to be given for conn: always tcp-raw. */
const char *meter_front_conn(const struct meter_front *front);

/* The meter's. */
enum framing meter_front_framing(const struct meter_front *front);

/*
 * When the driver has the meter open, and between two of its questions. The driver's descriptor, which is the
 * driver's and leads nowhere from here on, or -errno; *meter is the meter's, the caller's to close.
 */
int meter_front_take(struct meter_front *front, int *meter);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether taking a device away from its driver would harm the machine. Looks, and changes nothing.
 */
#ifndef CONFORMANCE_HARM_H
#define CONFORMANCE_HARM_H

#include <stdbool.h>

#include "device.h"

#define HARM_TEXT_SIZE 160

/* True when it would; why says what, in words. */
bool harm_done(const struct device *device, char why[static HARM_TEXT_SIZE]);

#endif

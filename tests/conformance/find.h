/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds a device for each role, or checks the one that was given. */
#ifndef CONFORMANCE_FIND_H
#define CONFORMANCE_FIND_H

#include <stdbool.h>

#include "device.h"
#include "harm.h"

struct found {
	bool there;
	struct device device;
	char why[HARM_TEXT_SIZE]; /* when there is none */
};

/* given[role] is empty where the user gave none. */
void find_devices(const char given[static ROLES_N][BDF_SIZE], struct found found[static ROLES_N]);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A test: a function that runs in a child process after baseline(), on the device found for its
 * role. It says its verdict through verdict.h; returning is a pass. Its name begins with the number
 * of the patch of the series that makes it pass, p0 for what holds before them and after.
 */
#ifndef CONFORMANCE_TEST_H
#define CONFORMANCE_TEST_H

#include "device.h"

struct test {
	const char *name;
	enum role role;
	void (*run)(const struct device *device);
	const char *proves; /* the behaviour, in a sentence */
};

/* One table for each patch, ended by a test without a name. */
extern const struct test tests_p0[], tests_p1[], tests_p2[], tests_p3[], tests_p4[], tests_p5[];

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "power.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "config.h"
#include "sysfs.h"
#include "verdict.h"

#define SUSPENDED_MS 3000
#define D3COLD_MS    5000
#define SETTLE_MS    500
#define STEP_MS	     10

#define PCI "bus/pci/devices/%s/"

static void status_of(const char *bdf, char text[static SYSFS_TEXT_SIZE])
{
	sysfs_read(text, PCI "power/runtime_status", bdf);
}

static bool is_suspended(const char *bdf)
{
	char status[SYSFS_TEXT_SIZE];

	status_of(bdf, status);
	return strcmp(status, "suspended") == 0;
}

static bool is_d3cold(const char *bdf)
{
	char state[SYSFS_TEXT_SIZE];

	sysfs_read(state, PCI "power_state", bdf);
	return strcmp(state, "D3cold") == 0;
}

static bool poll_for(bool (*holds)(const char *bdf), const char *bdf, unsigned ms)
{
	uint64_t limit = clock_ms() + ms;

	while (!holds(bdf)) {
		if (clock_ms() >= limit)
			return false;
		clock_sleep(STEP_MS);
	}
	return true;
}

int power_allow_d3cold(const char *bdf, const char *value)
{
	char control[SYSFS_TEXT_SIZE];
	int r = sysfs_write(value, PCI "d3cold_allowed", bdf);

	if (r < 0 || sysfs_read(control, PCI "power/control", bdf) < 0 ||
	    strcmp(control, "auto") != 0)
		return r;
	sysfs_write("on", PCI "power/control", bdf);
	return sysfs_write("auto", PCI "power/control", bdf);
}

bool power_wait_suspended(const char *bdf)
{
	return poll_for(is_suspended, bdf, SUSPENDED_MS);
}

bool power_wait_d3cold(const char *bdf)
{
	return poll_for(is_d3cold, bdf, D3COLD_MS);
}

/* Kernels before 5.11 or so may lack power_state: then the register says it. */
static void state_of(const char *bdf, char text[static SYSFS_TEXT_SIZE])
{
	static const char *const names[] = {"D0", "D1", "D2", "D3hot"};

	if (sysfs_read(text, PCI "power_state", bdf) < 0)
		strcpy(text, names[config_real_state(bdf)]);
}

void expect_suspended(const char *bdf, const char *when)
{
	char status[SYSFS_TEXT_SIZE], state[SYSFS_TEXT_SIZE];

	if (!power_wait_suspended(bdf)) {
		status_of(bdf, status);
		fail("%s: %s %s, and not suspended", bdf, status, when);
	}
	/* Without that attribute: looking at the register would wake it. */
	if (sysfs_read(state, PCI "power_state", bdf) < 0)
		return;
	check(strncmp(state, "D3", 2) == 0, "%s: in %s %s, although suspended", bdf, state, when);
}

void expect_status(const char *bdf, const char *wanted, const char *when)
{
	uint64_t limit = clock_ms() + SUSPENDED_MS;
	char status[SYSFS_TEXT_SIZE];

	for (;;) {
		status_of(bdf, status);
		if (strcmp(status, wanted) == 0)
			return;
		check(clock_ms() < limit, "%s: %s %s, and not %s", bdf, status, when, wanted);
		clock_sleep(STEP_MS);
	}
}

void expect_awake(const char *bdf, const char *when)
{
	char status[SYSFS_TEXT_SIZE], state[SYSFS_TEXT_SIZE];

	status_of(bdf, status);
	check(strcmp(status, "active") == 0, "%s: %s %s, and not active", bdf, status, when);
	state_of(bdf, state);
	check(strcmp(state, "D0") == 0, "%s: in %s %s, and not in D0", bdf, state, when);
}

void expect_stays_awake(const char *bdf, const char *when)
{
	uint64_t limit = clock_ms() + SETTLE_MS;

	do {
		expect_awake(bdf, when);
		clock_sleep(STEP_MS);
	} while (clock_ms() < limit);
}

long power_active_ms(const char *bdf)
{
	long ms = sysfs_number(PCI "power/runtime_active_time", bdf);

	check(ms >= 0, "%s: power/runtime_active_time: %s", bdf, strerror((int)-ms));
	return ms;
}

long power_usage(const char *bdf)
{
	long usage = sysfs_number(PCI "power/runtime_usage", bdf);

	return usage < 0 ? -1 : usage;
}

void expect_usage(const char *bdf, long was, const char *when)
{
	uint64_t limit = clock_ms() + SETTLE_MS;
	long usage;

	/* Somebody who looks at the device holds it for a moment. */
	while ((usage = power_usage(bdf)) != was && clock_ms() < limit)
		clock_sleep(STEP_MS);
	check(usage == was, "%s: runtime usage count %ld %s, %ld before", bdf, usage, when, was);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "endurance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bind.h"
#include "clock.h"
#include "counts.h"
#include "power.h"
#include "verdict.h"
#include "vfio.h"

/* Caches fill, CPUs take their share: not looked at. */
#define WARM_UP_PART 5
#define SAMPLES	     20
/* How often to wait until the port is off as well; the others catch it on its way. */
#define D3COLD_EVERY 10

/* The kernel takes what is younger for memory that is still on its way to somewhere. */
#define KMEMLEAK_AGE_MS 6000
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"

static unsigned cycles_n;

void endurance_set_cycles(unsigned cycles)
{
	cycles_n = cycles;
}

/* What a cycle must leave as it was. */
struct before {
	long usage[FUNCTIONS_MAX + PORTS_MAX];
	bool d3cold;
};

static const char *name_of(const struct device *device, size_t i)
{
	return i < device->functions_n ? device->functions[i]
				       : device->ports[i - device->functions_n];
}

static void expect_asleep(const struct device *device, bool d3cold, const char *when)
{
	for (size_t i = 0; i < device->functions_n; i++)
		expect_suspended(device->functions[i], when);
	if (d3cold)
		check(power_wait_d3cold(device->bdf), "%s: not in D3cold %s", device->bdf, when);
}

static void look(const struct device *device, struct before *before)
{
	expect_asleep(device, false, "before the first cycle");
	before->d3cold = power_wait_d3cold(device->bdf);
	for (size_t i = 0; i < device->functions_n + device->ports_n; i++)
		before->usage[i] = power_usage(name_of(device, i));
	note("%s: %s, runtime usage counts %s", device->bdf,
	     before->d3cold ? "sleeps in D3cold" : "does not reach D3cold here",
	     before->usage[0] < 0 ? "are not shown by this kernel" : "are shown");
}

static void expect_as_before(const struct device *device, const struct before *before,
			     const char *when)
{
	expect_asleep(device, before->d3cold, when);
	for (size_t i = 0; i < device->functions_n + device->ports_n; i++)
		expect_usage(name_of(device, i), before->usage[i], when);
}

/* True when a sample is due after that cycle: SAMPLES of them, evenly after the warm-up. */
static bool is_due(unsigned cycle)
{
	unsigned warm_up = cycles_n / WARM_UP_PART, left = cycles_n - warm_up;

	if (cycle < warm_up)
		return false;
	return cycle == warm_up || left <= SAMPLES ||
	       (cycle - warm_up) * SAMPLES / left != (cycle - 1 - warm_up) * SAMPLES / left;
}

static void repeat(const struct device *device, void (*once)(const struct device *device))
{
	static struct counts counts; /* of this child process */
	struct before before;
	char when[32];

	look(device, &before);
	counts_start(&counts);
	for (unsigned cycle = 1; cycle <= cycles_n; cycle++) {
		snprintf(when, sizeof(when), "after cycle %u", cycle);
		once(device);
		expect_asleep(device, before.d3cold && cycle % D3COLD_EVERY == 0, when);
		if (!is_due(cycle))
			continue;
		expect_as_before(device, &before, when);
		counts_sample(&counts, cycle);
	}
	expect_as_before(device, &before, "at the end");
	counts_expect_no_growth(&counts);
}

static void bind_once(const struct device *device)
{
	int r = bind_release_all(device);

	check(r == 0, "not unbound: %s", strerror(-r));
	r = bind_to_vfio_all(device);
	check(r == 0, "not bound: %s", strerror(-r));
}

static void open_once(const struct device *device)
{
	struct vfio vfio;

	vfio_open(&vfio, device);
	vfio_close(&vfio);
}

static void bind_and_unbind(const struct device *device)
{
	repeat(device, bind_once);
}

static void open_and_close(const struct device *device)
{
	repeat(device, open_once);
}

static int tell_kmemleak(const char *what)
{
	int fd = open(KMEMLEAK, O_WRONLY | O_CLOEXEC), r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, what, strlen(what)) < 0)
		r = -errno;
	close(fd);
	return r;
}

/* Of each finding the lines that say what and where. */
static bool note_findings(void)
{
	FILE *file = fopen(KMEMLEAK, "re");
	char line[256];
	bool any = false;

	check(file, KMEMLEAK ": %s", strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		any |= strncmp(line, "unreferenced", 12) == 0;
		if (!strstr(line, "hex dump") && !strstr(line, "  |"))
			note("%s", line);
	}
	fclose(file);
	return any;
}

/* What it takes for lost may be found again by a second look. */
static void nothing_forgotten(const struct device *device)
{
	int r;

	(void)device;
	clock_sleep(KMEMLEAK_AGE_MS);
	for (int i = 0; i < 2; i++) {
		r = tell_kmemleak("scan");
		if (r < 0)
			skip("no kmemleak: %s: %s", KMEMLEAK, strerror(-r));
	}
	check(!note_findings(), "kmemleak has found memory that nothing points to");
}

const struct test tests_endurance[] = {
	{"e-open-close-endpoint", ROLE_ENDPOINT, open_and_close,
	 "open and close, again and again, leave device, usage count and memory as they were"},
	{"e-open-close-pf", ROLE_PF, open_and_close, "so they do on a PF"},
	{"e-open-close-set", ROLE_SET, open_and_close, "and on one function of several"},
	{"e-bind-unbind-endpoint", ROLE_ENDPOINT, bind_and_unbind, "so do unbind and bind"},
	{"e-bind-unbind-pf", ROLE_PF, bind_and_unbind, "on a PF"},
	{"e-bind-unbind-set", ROLE_SET, bind_and_unbind, "on all functions of a group"},
	{"e-nothing-forgotten", ROLE_ENDPOINT, nothing_forgotten,
	 "kmemleak, where the kernel has it, finds no memory that nothing points to"},
	{0},
};

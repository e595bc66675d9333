/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Patch 2: a PF is in D0 before it gets VFs, and stays there while it has them. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "power.h"
#include "sysfs.h"
#include "test.h"
#include "verdict.h"
#include "vfio.h"

static void set_vfs(const char *bdf, const char *number)
{
	int r = sysfs_write(number, "bus/pci/devices/%s/sriov_numvfs", bdf);

	check(r == 0, "sriov_numvfs=%s: %s", number, strerror(-r));
}

static void expect_d0(const char *bdf, const char *when)
{
	expect_stays_awake(bdf, when);
	check(config_real_state(bdf) == 0, "%s: its PMCSR says D%u %s", bdf, config_real_state(bdf),
	      when);
}

static void idle(const struct device *device)
{
	set_vfs(device->bdf, "1");
	expect_d0(device->bdf, "with a VF");
}

static void held_in_d3hot(const struct device *device)
{
	struct vfio vfio;

	vfio_open(&vfio, device);
	vfio_enter_state(&vfio, 3);
	set_vfs(device->bdf, "1");
	check(vfio_state(&vfio) == 0, "the user's PMCSR shows D%u with a VF", vfio_state(&vfio));
	expect_d0(device->bdf, "with a VF");
}

static void expect_refused(const struct vfio *vfio)
{
	vfio_set_state(vfio, 3);
	check(vfio_state(vfio) == 0, "PMCSR shows D%u after D3hot was written with a VF there",
	      vfio_state(vfio));
	expect_d0(vfio->bdf, "after a user's D3hot with a VF there");
}

static void user_refused(const struct device *device)
{
	struct vfio vfio;

	vfio_open(&vfio, device);
	set_vfs(device->bdf, "1");
	expect_refused(&vfio);
}

static void after_close(const struct device *device)
{
	struct vfio vfio;

	vfio_open(&vfio, device);
	set_vfs(device->bdf, "1");
	vfio_close(&vfio);
	expect_d0(device->bdf, "after close, with a VF");
}

static void opened_with_vfs(const struct device *device)
{
	struct vfio vfio;

	set_vfs(device->bdf, "1");
	vfio_open(&vfio, device);
	expect_refused(&vfio);
	vfio_close(&vfio);
	expect_d0(device->bdf, "after open and close, with a VF");
}

static void after_vfs(const struct device *device)
{
	struct vfio vfio;

	vfio_open(&vfio, device);
	set_vfs(device->bdf, "1");
	expect_refused(&vfio);
	set_vfs(device->bdf, "0");
	vfio_enter_state(&vfio, 3);
	check(config_real_state(device->bdf) == 3, "its real PMCSR says D%u",
	      config_real_state(device->bdf));
	vfio_enter_state(&vfio, 0);
}

static void many_times(const struct device *device)
{
	struct vfio vfio;

	vfio_open(&vfio, device);
	for (int i = 0; i < 3; i++) {
		vfio_enter_state(&vfio, 3);
		set_vfs(device->bdf, "2");
		expect_refused(&vfio);
		set_vfs(device->bdf, "0");
	}
}

static _Noreturn void write_d3hot_all_the_time(const struct vfio *vfio)
{
	for (;;)
		vfio_set_state(vfio, 3);
}

/* The VFs exist some 100 ms before the PCI core counts them. */
static void d3hot_races_enabling(const struct device *device)
{
	struct vfio vfio;
	pid_t pid;

	vfio_open(&vfio, device);
	for (int i = 0; i < 3; i++) {
		pid = fork();
		check(pid >= 0, "fork: %s", strerror(errno));
		if (pid == 0)
			write_d3hot_all_the_time(&vfio);
		set_vfs(device->bdf, "1");
		expect_awake(device->bdf, "with a VF, a user writing D3hot all the time");
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		expect_d0(device->bdf, "with a VF, a user having written D3hot all the time");
		set_vfs(device->bdf, "0");
	}
}

const struct test tests_p2[] = {
	{"p2-pf-d0-before-vfs-when-idle", ROLE_PF, idle,
	 "enabling VFs brings an idle PF to D0, where it stays"},
	{"p2-pf-d0-before-vfs-when-user-held-d3hot", ROLE_PF, held_in_d3hot,
	 "enabling VFs brings a PF that a user holds in D3hot to D0, and the user sees it"},
	{"p2-user-d3hot-refused-while-vfs", ROLE_PF, user_refused,
	 "a user's D3hot is refused while VFs exist and reads back D0"},
	{"p2-pf-stays-d0-after-close-with-vfs", ROLE_PF, after_close,
	 "a PF with VFs stays in D0 after close"},
	{"p2-pf-opened-with-vfs-stays-d0", ROLE_PF, opened_with_vfs,
	 "the same for one opened and closed while VFs exist"},
	{"p2-pf-may-suspend-after-vfs-gone", ROLE_PF, after_vfs,
	 "a user's D3hot, refused with VFs, is taken when they are gone"},
	{"p2-vfs-come-and-go", ROLE_PF, many_times,
	 "all that again, several times over, with two VFs"},
	{"p2-d3hot-races-enabling-vfs", ROLE_PF, d3hot_races_enabling,
	 "a user that writes D3hot while VFs are being enabled does not get it"},
	{0},
};

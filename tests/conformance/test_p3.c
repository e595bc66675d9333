/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Patch 3: a user sees no PME and cannot change the host's. */
#include "config.h"
#include "test.h"
#include "verdict.h"
#include "vfio.h"

#define PME_SUPPORT PCI_PM_CAP_PME_MASK
#define PME_CTRL    (PCI_PM_CTRL_PME_ENABLE | PCI_PM_CTRL_PME_STATUS)

static uint16_t user_ctrl(const struct vfio *vfio)
{
	return config_read16(&vfio->config, vfio->pm + PCI_PM_CTRL);
}

static void write_user_ctrl(const struct vfio *vfio, unsigned value)
{
	config_write16(&vfio->config, vfio->pm + PCI_PM_CTRL, (uint16_t)value);
}

static unsigned host_pme(const char *bdf)
{
	return config_real_pm(bdf, PCI_PM_CTRL) & PCI_PM_CTRL_PME_ENABLE;
}

/* As the host's own wake-up does. PME_Status is cleared by writing 1: it is written as 0. */
static void set_host_pme(const char *bdf, bool on)
{
	unsigned ctrl = config_real_pm(bdf, PCI_PM_CTRL) & ~(unsigned)PME_CTRL;

	config_real_pm_write(bdf, PCI_PM_CTRL,
			     (uint16_t)(ctrl | (on ? PCI_PM_CTRL_PME_ENABLE : 0)));
}

/* Skips on a device whose PME_En cannot be set. */
static void need_host_pme(const char *bdf)
{
	set_host_pme(bdf, true);
	if (!host_pme(bdf))
		skip("%s: its PME_En cannot be set", bdf);
}

static void end_host_pme(const char *bdf, bool holds, const char *else_what)
{
	set_host_pme(bdf, false);
	check(holds, "%s", else_what);
}

static void pmc_zero(const struct device *device)
{
	unsigned real = config_real_pm(device->bdf, PCI_PM_PMC), seen;
	struct vfio vfio;

	vfio_open(&vfio, device);
	seen = config_read16(&vfio.config, vfio.pm + PCI_PM_PMC);
	check((seen & PME_SUPPORT) == 0, "PMC shows PME support: 0x%04x", seen);
	check((seen & 7) == (real & 7), "PMC shows version %u, it is %u", seen & 7, real & 7);
}

static void en_ignored(const struct device *device)
{
	uint16_t seen;
	unsigned real;
	struct vfio vfio;

	vfio_open(&vfio, device);
	need_host_pme(device->bdf);
	set_host_pme(device->bdf, false);
	write_user_ctrl(&vfio, user_ctrl(&vfio) | PME_CTRL);
	seen = user_ctrl(&vfio);
	real = host_pme(device->bdf);
	set_host_pme(device->bdf, false);
	check(!(seen & PME_CTRL), "PMCSR shows 0x%04x after PME_En and PME_Status were written",
	      seen);
	check(!real, "a user's PME_En arrived in the device");
}

static void reads_zero(const struct device *device)
{
	struct vfio vfio;
	uint16_t seen;

	vfio_open(&vfio, device);
	need_host_pme(device->bdf);
	seen = user_ctrl(&vfio);
	end_host_pme(device->bdf, !(seen & PME_CTRL), "PMCSR shows the host's PME_En");
}

static void survives(const struct device *device)
{
	struct vfio vfio;
	bool left;

	vfio_open(&vfio, device);
	need_host_pme(device->bdf);
	write_user_ctrl(&vfio, PCI_PM_CTRL_PME_STATUS);
	left = host_pme(device->bdf);
	end_host_pme(device->bdf, left, "a user's write cleared the host's PME_En");
}

static void survives_d3hot(const struct device *device)
{
	struct vfio vfio;
	bool left;

	vfio_open(&vfio, device);
	need_host_pme(device->bdf);
	write_user_ctrl(&vfio, PCI_PM_CTRL_PME_STATUS | 3);
	left = host_pme(device->bdf);
	end_host_pme(device->bdf, left,
		     "a user's write of D3hot without PME_En cleared the host's");
	check(vfio_state(&vfio) == 3, "PMCSR shows D%u", vfio_state(&vfio));
}

/* The PCI core would clear it on the way up. */
static void survives_d0(const struct device *device)
{
	struct vfio vfio;
	bool left;

	vfio_open(&vfio, device);
	need_host_pme(device->bdf);
	write_user_ctrl(&vfio, PCI_PM_CTRL_PME_STATUS | 3);
	write_user_ctrl(&vfio, PCI_PM_CTRL_PME_STATUS);
	left = host_pme(device->bdf);
	end_host_pme(device->bdf, left, "a user's D3hot and D0 again cleared the host's PME_En");
	check(vfio_state(&vfio) == 0, "PMCSR shows D%u", vfio_state(&vfio));
}

const struct test tests_p3[] = {
	{"p3-pmc-pme-bits-zero", ROLE_PME, pmc_zero,
	 "the PME support bits of PMC read as zero, the version as it is"},
	{"p3-pmcsr-pme-en-write-ignored", ROLE_PME, en_ignored,
	 "a user's PME_En and PME_Status read back zero and do not arrive"},
	{"p3-pmcsr-pme-reads-zero", ROLE_PME, reads_zero, "a PME_En of the host's reads as zero"},
	{"p3-host-pme-survives", ROLE_PME, survives,
	 "a PME_En of the host's is there after a user wrote zero to it"},
	{"p3-host-pme-survives-d3hot", ROLE_PME, survives_d3hot,
	 "and after a user wrote D3hot with it zero"},
	{"p3-host-pme-survives-d0", ROLE_PME, survives_d0, "and after the user wrote D0 again"},
	{"p3-pf-pme-en-write-ignored", ROLE_PF, en_ignored,
	 "a user's PME_En does not arrive in a PF either"},
	{"p3-pf-host-pme-survives", ROLE_PF, survives, "a PF's PME_En of the host's survives"},
	{"p3-pf-pme-reads-zero", ROLE_PF, reads_zero, "a PF's PME_En of the host's reads as zero"},
	{"p3-pf-host-pme-survives-d3hot", ROLE_PF, survives_d3hot,
	 "also when a user wrote D3hot with it zero"},
	{"p3-pf-host-pme-survives-d0", ROLE_PF, survives_d0, "and D0 again"},
	{0},
};

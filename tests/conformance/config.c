/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "verdict.h"

static int open_real(const char *bdf)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	return open(path, O_RDWR | O_CLOEXEC);
}

struct config config_real(const char *bdf)
{
	struct config config = {.fd = open_real(bdf)};

	check(config.fd >= 0, "%s: its config file in sysfs: %s", bdf, strerror(errno));
	return config;
}

static void read_all(const struct config *config, unsigned at, void *value, size_t size)
{
	ssize_t n = pread(config->fd, value, size, config->base + at);

	check(n == (ssize_t)size, "config space at 0x%x not read: %s", at,
	      n < 0 ? strerror(errno) : "short");
}

uint8_t config_read8(const struct config *config, unsigned at)
{
	uint8_t value;

	read_all(config, at, &value, sizeof(value));
	return value;
}

uint16_t config_read16(const struct config *config, unsigned at)
{
	uint16_t value;

	read_all(config, at, &value, sizeof(value));
	return le16toh(value);
}

uint32_t config_read32(const struct config *config, unsigned at)
{
	uint32_t value;

	read_all(config, at, &value, sizeof(value));
	return le32toh(value);
}

static void write_all(const struct config *config, unsigned at, const void *raw, size_t size)
{
	ssize_t n = pwrite(config->fd, raw, size, config->base + at);

	check(n == (ssize_t)size, "config space at 0x%x not written: %s", at,
	      n < 0 ? strerror(errno) : "short");
}

void config_write16(const struct config *config, unsigned at, uint16_t value)
{
	uint16_t raw = htole16(value);

	write_all(config, at, &raw, sizeof(raw));
}

void config_write_low(const struct config *config, unsigned at, uint8_t value, size_t size)
{
	uint8_t raw[4] = {value};

	write_all(config, at, raw, size);
}

unsigned config_capability(const struct config *config, uint8_t id)
{
	unsigned at;

	if (!(config_read16(config, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return 0;
	at = config_read8(config, PCI_CAPABILITY_LIST) & 0xfc;
	for (unsigned i = 0; at >= 0x40 && i < 48; i++) {
		if (config_read8(config, at + PCI_CAP_LIST_ID) == id)
			return at;
		at = config_read8(config, at + PCI_CAP_LIST_NEXT) & 0xfc;
	}
	return 0;
}

static unsigned real_pm(const struct config *config, const char *bdf)
{
	unsigned pm = config_capability(config, PCI_CAP_ID_PM);

	check(pm != 0, "%s: no power management capability in its real config space", bdf);
	return pm;
}

uint16_t config_real_pm(const char *bdf, unsigned at)
{
	struct config config = config_real(bdf);
	uint16_t value = config_read16(&config, real_pm(&config, bdf) + at);

	close(config.fd);
	return value;
}

void config_real_pm_write(const char *bdf, unsigned at, uint16_t value)
{
	struct config config = config_real(bdf);

	config_write16(&config, real_pm(&config, bdf) + at, value);
	close(config.fd);
}

unsigned config_real_state(const char *bdf)
{
	return config_real_pm(bdf, PCI_PM_CTRL) & PCI_PM_CTRL_STATE_MASK;
}

uint16_t config_peek_pmc(const char *bdf)
{
	uint8_t all[256];
	int fd = open_real(bdf);
	ssize_t n;
	unsigned at;

	if (fd < 0)
		return 0;
	n = pread(fd, all, sizeof(all), 0);
	close(fd);
	if (n != sizeof(all) || !(all[PCI_STATUS] & PCI_STATUS_CAP_LIST))
		return 0;
	at = all[PCI_CAPABILITY_LIST] & 0xfc;
	for (unsigned i = 0; at >= 0x40 && i < 48; i++) {
		if (all[at] == PCI_CAP_ID_PM)
			return (uint16_t)(all[at + PCI_PM_PMC] | all[at + PCI_PM_PMC + 1] << 8);
		at = all[at + 1] & 0xfc;
	}
	return 0;
}

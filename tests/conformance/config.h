/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Config space of a function: as vfio shows it to a user, or as it is (through sysfs, which wakes
 * the device for the access). An access that fails ends the test, see verdict.h.
 */
#ifndef CONFORMANCE_CONFIG_H
#define CONFORMANCE_CONFIG_H

#include <linux/pci_regs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct config {
	int fd;
	off_t base;
};

/* The real one. close() its fd. */
struct config config_real(const char *bdf);

uint8_t config_read8(const struct config *config, unsigned at);
uint16_t config_read16(const struct config *config, unsigned at);
uint32_t config_read32(const struct config *config, unsigned at);
void config_write16(const struct config *config, unsigned at, uint16_t value);

/* Writes value, below 256, as that many bytes: 1, 2 or 4. */
void config_write_low(const struct config *config, unsigned at, uint8_t value, size_t size);

/* Where capability id is; 0 when there is none. */
unsigned config_capability(const struct config *config, uint8_t id);

/* One 16 bit register of the real power management capability, opened and closed for it. */
uint16_t config_real_pm(const char *bdf, unsigned at);
void config_real_pm_write(const char *bdf, unsigned at, uint16_t value);

/* The state in the real PMCSR, 0 to 3. */
unsigned config_real_state(const char *bdf);

/* For looking around: the real PMC, or 0 when it has no such capability or cannot be read. */
uint16_t config_peek_pmc(const char *bdf);

#endif

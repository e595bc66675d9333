/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forbidden.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "board.h"
#include "hwtrace.h"

#define ECAM_ENABLE 1u
#define ECAM_BASE   0xf0000000u
#define ECAM_BUS    (1u << 20)

/* Registers: the host bridge's, and those of a port (PCI-to-PCI bridge). */
enum {
	MCH_ECAM = 0x60,
	MCH_PAM = 0x90, /* which memory the firmware's copy may be in */
	PORT_BASE = 0x20,
	PORT_LIMIT = 0x22,
	PORT_FETCH_BASE = 0x24,
	PORT_FETCH_LIMIT = 0x26,
	PORT_FETCH_BASE_HIGH = 0x28,
	PORT_FETCH_LIMIT_HIGH = 0x2c,
};

/* "pci_cfg_read nvme 03:00.0 @0x0 -> 0x101b36" */
struct config_access {
	bool is_write;
	unsigned bus, device, function, offset, value;
};

const char *forbidden_kind_name(enum forbidden_kind kind)
{
	static const char *const names[FORBIDDEN_KIND_COUNT] = {
		[FORBIDDEN_CONFIG_READ] = "config-read",
		[FORBIDDEN_CONFIG_WRITE] = "config-write",
		[FORBIDDEN_MEMORY_READ] = "memory-read",
		[FORBIDDEN_MEMORY_WRITE] = "memory-write",
	};

	return names[kind];
}

void forbidden_init(struct forbidden *f, const struct lab_virtual *virt)
{
	*f = (struct forbidden){.virt = virt};
}

static struct forbidden_slot *find(struct forbidden *f, unsigned device)
{
	for (size_t i = 0; i < f->virt->slots_n && i < FORBIDDEN_SLOTS_MAX; i++) {
		if (f->virt->slots[i].device == device)
			return &f->slots[i];
	}
	return NULL;
}

static bool is_off(const struct forbidden *f, unsigned device)
{
	const struct forbidden_slot *s = find((struct forbidden *)f, device);

	return s && s->off;
}

char *forbidden_take_rails(struct forbidden *f, char *line)
{
	unsigned device;
	bool on;

	for (; board_rail_byte((unsigned char)*line, &device, &on); line++) {
		struct forbidden_slot *s = find(f, device);

		if (s)
			s->off = !on;
	}
	return line;
}

static struct bdf first_function(const struct forbidden *f, unsigned device)
{
	struct bdf bdf = {0};

	(void)board_bus(f->virt, device, &bdf.bus);
	return bdf;
}

static bool parse_config(const char *line, struct config_access *a)
{
	char way[6], arrow[3];

	if (sscanf(line, "pci_cfg_%5s %*63s %2x:%2x.%1x @0x%x %2[-><] 0x%x", way, &a->bus,
		   &a->device, &a->function, &a->offset, arrow, &a->value) != 7)
		return false;
	a->is_write = strcmp(way, "write") == 0;
	return true;
}

/*
 * The firmware's first write: the machine was reset, and with it its switches, which are on. It writes
 * there once more before it starts a kernel; a kernel, also one started by kexec, does not.
 */
static void take_host_bridge(struct forbidden *f, const struct config_access *a)
{
	if (a->offset == MCH_ECAM)
		f->ecam = a->value & ECAM_ENABLE ? a->value & ECAM_BASE : 0;
	for (size_t i = 0; a->offset == MCH_PAM && i < FORBIDDEN_SLOTS_MAX; i++)
		f->slots[i].off = false;
}

/* The trace does not tell how many bytes were written: two registers of 16 bits are often written
 * as one of 32, and never with nothing in the upper half unless that closes the window. */
static void take_pair(uint16_t *low, uint16_t *high, unsigned value)
{
	*low = (uint16_t)value;
	if (value > UINT16_MAX)
		*high = (uint16_t)(value >> 16);
}

static void take_port(struct forbidden_slot *s, const struct config_access *a)
{
	switch (a->offset) {
	case PORT_BASE:
		take_pair(&s->base, &s->limit, a->value);
		break;
	case PORT_LIMIT:
		s->limit = (uint16_t)a->value;
		break;
	case PORT_FETCH_BASE:
		take_pair(&s->fetch_base, &s->fetch_limit, a->value);
		break;
	case PORT_FETCH_LIMIT:
		s->fetch_limit = (uint16_t)a->value;
		break;
	case PORT_FETCH_BASE_HIGH:
		s->fetch_base_high = a->value;
		break;
	case PORT_FETCH_LIMIT_HIGH:
		s->fetch_limit_high = a->value;
		break;
	default:
		break;
	}
}

static bool take_config(struct forbidden *f, const struct config_access *a,
			struct forbidden_access *out)
{
	const struct lab_slot *slot = board_slot_on_bus(f->virt, a->bus);
	struct forbidden_slot *port = find(f, a->device);

	if (slot && is_off(f, slot->device)) {
		*out = (struct forbidden_access){
			.slot = slot->device,
			.times = 1,
			.which = {0, (uint8_t)a->bus, (uint8_t)a->device, (uint8_t)a->function},
			.kind = a->is_write ? FORBIDDEN_CONFIG_WRITE : FORBIDDEN_CONFIG_READ,
			.address = a->offset,
		};
		return true;
	}
	if (a->is_write && a->bus == 0 && a->function == 0) {
		if (a->device == 0)
			take_host_bridge(f, a);
		else if (port)
			take_port(port, a);
	}
	return false;
}

static uint64_t window_end(uint32_t high, uint16_t low, uint32_t rest)
{
	return (uint64_t)high << 32 | (uint32_t)(low & 0xfff0) << 16 | rest;
}

static bool is_in_windows(const struct forbidden_slot *s, uint64_t address)
{
	/* The lower half of a prefetchable window's register tells that it has an upper half. */
	bool is_64 = s->fetch_base & 1;
	uint32_t base_high = is_64 ? s->fetch_base_high : 0;
	uint32_t limit_high = is_64 ? s->fetch_limit_high : 0;

	return (s->base && address >= window_end(0, s->base, 0) &&
		address <= window_end(0, s->limit, 0xfffff)) ||
	       (s->fetch_base && address >= window_end(base_high, s->fetch_base, 0) &&
		address <= window_end(limit_high, s->fetch_limit, 0xfffff));
}

/* "Invalid read at addr 0xFE200000, size 4, region '(null)', reason: rejected" */
static bool take_invalid(const struct forbidden *f, const char *line, struct forbidden_access *out)
{
	uint64_t address;
	char way[6];

	if (sscanf(line, "Invalid %5s at addr 0x%" SCNx64, way, &address) != 2)
		return false;
	for (size_t i = 0; i < f->virt->slots_n && i < FORBIDDEN_SLOTS_MAX; i++) {
		if (!f->slots[i].off || !is_in_windows(&f->slots[i], address))
			continue;
		*out = (struct forbidden_access){
			.slot = f->virt->slots[i].device,
			.times = 1,
			.which = first_function(f, f->virt->slots[i].device),
			.kind = strcmp(way, "write") == 0 ? FORBIDDEN_MEMORY_WRITE
							  : FORBIDDEN_MEMORY_READ,
			.address = address,
		};
		return true;
	}
	return false;
}

/* The first slot with the card, if all that have it are off. */
static const struct lab_slot *off_slot_with(const struct forbidden *f, enum lab_card card)
{
	const struct lab_slot *first = NULL;

	for (size_t i = 0; i < f->virt->slots_n && i < FORBIDDEN_SLOTS_MAX; i++) {
		if (f->virt->slots[i].card != card)
			continue;
		if (!f->slots[i].off)
			return NULL;
		if (!first)
			first = &f->virt->slots[i];
	}
	return first;
}

static bool take_registers(const struct forbidden *f, const char *line,
			   struct forbidden_access *out)
{
	struct hwtrace_event event = hwtrace_parse(f->virt, line);
	const struct lab_slot *slot;

	if (event.kind != HWTRACE_ACTIVITY && event.kind != HWTRACE_LOOKED)
		return false;
	slot = off_slot_with(f, event.card);
	if (!slot)
		return false;
	*out = (struct forbidden_access){
		.slot = slot->device,
		.times = 1,
		.which = first_function(f, slot->device),
		.kind = event.kind == HWTRACE_LOOKED ? FORBIDDEN_MEMORY_READ
						     : FORBIDDEN_MEMORY_WRITE,
	};
	return true;
}

bool forbidden_take(struct forbidden *f, const char *line, struct forbidden_access *out)
{
	struct config_access a;

	if (strncmp(line, "pci_cfg_", 8) == 0)
		return parse_config(line, &a) && take_config(f, &a, out);
	if (strncmp(line, "Invalid ", 8) == 0)
		return take_invalid(f, line, out);
	return take_registers(f, line, out);
}

bool forbidden_addresses(const struct forbidden *f, unsigned device, uint64_t *config,
			 uint64_t *memory)
{
	const struct forbidden_slot *s = find((struct forbidden *)f, device);
	struct bdf bdf = first_function(f, device);

	if (!s || !f->ecam || !s->base)
		return false;
	*config = f->ecam + (uint64_t)bdf.bus * ECAM_BUS;
	*memory = window_end(0, s->base, 0);
	return true;
}

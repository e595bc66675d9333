/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the lab does to its machine when a fault is in force; docs/virtual-lab.md. */
#include <stdio.h>
#include <sys/socket.h>

#include "board.h"
#include "gdbstub.h"
#include "qmp.h"
#include "server_parts.h"

/* A break on the console, and SysRq's letter for: kill all but init. */
#define KILL_ALL                                                                                   \
	"\x01"                                                                                     \
	"bi"

#define PORT_CONFIG    15   /* bits of a device number's place in the mapped config space */
#define PORT_BUSES     0x18 /* primary, secondary, subordinate */
#define PORT_SECONDARY 0x19
#define BUS_OF_NOBODY  0xfe

bool server_may_have(const struct server *s, enum lab_fault_kind kind)
{
	for (size_t i = 0; i < s->virt->faults_n; i++) {
		if (s->virt->faults[i].kind == kind)
			return true;
	}
	return false;
}

bool server_needs_debugger(const struct server *s)
{
	return server_may_have(s, LAB_FAULT_SOFT_LOCKUP) ||
	       server_may_have(s, LAB_FAULT_WAKE_FAILS);
}

/* The touch-while-off fault: the first time that the rail is off in a cycle. */
static void touch(struct server *s, unsigned device)
{
	uint64_t config, memory;

	if (!physics_slot_has_fault(s->physics, LAB_FAULT_TOUCH_WHILE_OFF, device) ||
	    physics_is_switched_on(s->physics, device) || s->touched & UINT32_C(1) << device ||
	    s->touches_n + 2 > TOUCHES_MAX ||
	    !forbidden_addresses(&s->forbidden, device, &config, &memory))
		return;
	s->touched |= UINT32_C(1) << device;
	s->touches[s->touches_n++] = memory;
	s->touches[s->touches_n++] = config;
}

static void stand_still(struct server *s)
{
	server_order(s, QMP_STOP);
}

static void panic(struct server *s)
{
	server_order(s, QMP_NMI);
}

static void lock_up(struct server *s)
{
	if (gdbstub_stop(s->emulator.gdb_fd) < 0)
		return;
	(void)gdbstub_spin(s->emulator.gdb_fd, s->virt->cpus);
	(void)gdbstub_go_on(s->emulator.gdb_fd);
}

static void kill_agent(struct server *s)
{
	(void)send(s->lines->console_in, KILL_ALL, sizeof(KILL_ALL) - 1, MSG_NOSIGNAL);
}

static void cut_line(struct server *s)
{
	for (size_t i = 0; i < s->virt->faults_n; i++) {
		if (s->virt->faults[i].kind == LAB_FAULT_TRANSPORT_CUT)
			s->whole_ns = s->now_ns + s->virt->faults[i].lasts_ns;
	}
	relay_cut(&s->relay, true);
}

/*
 * The bus numbers of a slot's port, so that what is behind it is found, or is not: then it answers
 * with all ones, as one that does not come back.
 */
static void set_bus(struct server *s, unsigned device, bool dark)
{
	uint8_t bus[2] = {BUS_OF_NOBODY, BUS_OF_NOBODY}; /* secondary, subordinate */

	if (!s->forbidden.ecam || board_bus(s->virt, device, &bus[0]) < 0)
		return;
	bus[0] = bus[1] = dark ? BUS_OF_NOBODY : bus[0];
	if (gdbstub_stop(s->emulator.gdb_fd) < 0)
		return;
	(void)gdbstub_write_physical(s->emulator.gdb_fd,
				     s->forbidden.ecam + ((uint64_t)device << PORT_CONFIG) +
					     PORT_SECONDARY,
				     bus, sizeof(bus));
	(void)gdbstub_go_on(s->emulator.gdb_fd);
}

static void darken(struct server *s)
{
	for (size_t i = 0; i < s->virt->slots_n; i++) {
		unsigned device = s->virt->slots[i].device;

		if (!physics_slot_has_fault(s->physics, LAB_FAULT_WAKE_FAILS, device))
			continue;
		s->dark |= UINT32_C(1) << device;
		set_bus(s, device, true);
	}
}

/* The faults of one moment. */
static const struct {
	enum lab_fault_kind fault;
	void (*strike)(struct server *s);
} strikes[] = {
	{LAB_FAULT_TARGET_HANG, stand_still}, {LAB_FAULT_RESET_DEAD, stand_still},
	{LAB_FAULT_LINE_STUCK, stand_still},  {LAB_FAULT_TARGET_PANIC, panic},
	{LAB_FAULT_SOFT_LOCKUP, lock_up},     {LAB_FAULT_AGENT_KILLED, kill_agent},
	{LAB_FAULT_TRANSPORT_CUT, cut_line},  {LAB_FAULT_WAKE_FAILS, darken},
};

/* The slots whose time in the dark is over. */
static void enlighten(struct server *s)
{
	for (size_t i = 0; i < s->virt->slots_n; i++) {
		unsigned device = s->virt->slots[i].device;

		if (!(s->dark & UINT32_C(1) << device) ||
		    physics_slot_has_fault(s->physics, LAB_FAULT_WAKE_FAILS, device))
			continue;
		s->dark &= ~(UINT32_C(1) << device);
		set_bus(s, device, false);
	}
}

void server_hurt(struct server *s)
{
	labmeter_set_faults(&s->meter, physics_has_fault(s->physics, LAB_FAULT_METER_DEAD),
			    physics_has_fault(s->physics, LAB_FAULT_METER_UNPLUGGED));
	if (s->emulator.pid <= 0)
		return;
	enlighten(s);
	for (size_t i = 0; i < sizeof(strikes) / sizeof(strikes[0]); i++) {
		if (s->given[strikes[i].fault] || !physics_has_fault(s->physics, strikes[i].fault))
			continue;
		s->given[strikes[i].fault] = true;
		strikes[i].strike(s);
	}
	for (size_t i = 0; i < s->virt->slots_n; i++)
		touch(s, s->virt->slots[i].device);
}

void server_rail_switched(struct server *s, unsigned device)
{
	touch(s, device);
}

/* A kernel that wakes a port up writes its registers back, and then gives what is behind it 100 ms. */
void server_config_traced(struct server *s, const char *line)
{
	unsigned bus, device, function, offset, value;

	if (!s->dark ||
	    sscanf(line, "pci_cfg_write %*63s %2x:%2x.%1x @0x%x <- 0x%x", &bus, &device, &function,
		   &offset, &value) != 5 ||
	    bus != 0 || device > 31 || offset != PORT_BUSES || !(s->dark & UINT32_C(1) << device) ||
	    (value >> 8 & 0xff) == BUS_OF_NOBODY)
		return;
	set_bus(s, device, true);
}

void server_machine_reset(struct server *s)
{
	s->dark = 0;
}

void server_tick(struct server *s)
{
	if (s->whole_ns && s->now_ns >= s->whole_ns) {
		s->whole_ns = 0;
		relay_cut(&s->relay, false);
	}
}

int64_t server_next_tick_ns(const struct server *s)
{
	return s->whole_ns;
}

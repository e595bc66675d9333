/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines as QEMU 10.0.2 writes them; the bytes before them are those of _ON and _OFF. */
#include "forbidden.h"

#include <stdio.h>
#include <string.h>

#include "board.h"
#include "unit.h"

/* Out of order on purpose: the NIC is on bus 2, the second NIC on bus 3. */
static struct lab_slot slots[] = {
	{.device = 8, .card = LAB_CARD_NIC, .channel = 3},
	{.device = 6, .card = LAB_CARD_NIC, .channel = 2},
	{.device = 5, .card = LAB_CARD_GPU, .channel = 1},
};
static const struct lab_virtual virt = {.slots = slots, .slots_n = 3};

#define GPU_OFF	 "\x8a"
#define GPU_ON	 "\x8b"
#define NIC_OFF	 "\x8c"
#define NIC_ON	 "\x8d"
#define NIC2_OFF "\x90"

static const char firmware[] = "pci_cfg_write mch 00:00.0 @0x90 <- 0x33333330\n"
			       "pci_cfg_write mch 00:00.0 @0x60 <- 0x0\n"
			       "pci_cfg_write mch 00:00.0 @0x60 <- 0xb0000001\n"
			       "pci_cfg_write pcie-root-port 00:05.0 @0x20 <- 0xfe20\n"
			       "pci_cfg_write pcie-root-port 00:05.0 @0x22 <- 0xfe30\n"
			       "pci_cfg_write pcie-root-port 00:06.0 @0x20 <- 0xfdf0fde0\n"
			       "pci_cfg_write pcie-root-port 00:05.0 @0x24 <- 0xff\n"
			       "pci_cfg_write pcie-root-port 00:05.0 @0x24 <- 0x10110001\n"
			       "pci_cfg_write pcie-root-port 00:05.0 @0x28 <- 0x7\n"
			       "pci_cfg_write pcie-root-port 00:05.0 @0x2c <- 0x7\n"
			       "pci_cfg_write mch 00:00.0 @0x90 <- 0x11111110\n";

/* Takes lines; returns how many accesses were forbidden, *last is the last of them. */
static unsigned take_all(struct forbidden *f, const char *text, struct forbidden_access *last)
{
	unsigned n = 0;
	char line[256];

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(text, "\n"), text);
		n += forbidden_take(f, forbidden_take_rails(f, line), last);
	}
	return n;
}

static struct forbidden booted(void)
{
	struct forbidden_access none;
	struct forbidden f;

	forbidden_init(&f, &virt);
	CU_ASSERT_EQUAL(take_all(&f, firmware, &none), 0);
	return f;
}

#define READ "pci_cfg_read virtio-gpu-pci 01:00.0 @0x34 -> 0x40\n"

static void the_order_of_byte_and_access_decides(void)
{
	static const struct {
		const char *text;
		unsigned n;
	} rows[] = {
		{READ, 0},
		{READ GPU_OFF, 0},
		{GPU_OFF READ, 1},
		{GPU_OFF READ READ, 2},
		{GPU_OFF GPU_ON READ, 0},
		{GPU_OFF READ GPU_ON READ, 1},
		{READ GPU_OFF NIC_OFF NIC_ON READ GPU_ON READ, 1},
		{NIC_OFF READ, 0}, /* another slot */
		{"\x8e" READ, 0},  /* no such slot */
		/* No byte of a rail, but what text may hold. */
		{"\x0a" READ, 0},
		{"\xc3\x8a" READ, 0},
		{"x\x8a" READ READ, 0},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct forbidden f = booted();
		struct forbidden_access a;

		CU_ASSERT_EQUAL(take_all(&f, rows[i].text, &a), rows[i].n);
	}
}

static void config_accesses_are_told_in_full(void)
{
	struct forbidden f = booted();
	struct forbidden_access a;

	CU_ASSERT_EQUAL(
		take_all(&f, GPU_OFF "pci_cfg_write virtio-sound-pci 01:00.1 @0x4 <- 0x7\n", &a),
		1);
	CU_ASSERT_EQUAL(a.kind, FORBIDDEN_CONFIG_WRITE);
	CU_ASSERT_STRING_EQUAL(forbidden_kind_name(a.kind), "config-write");
	CU_ASSERT_EQUAL(a.slot, 5);
	CU_ASSERT(a.which.bus == 1 && a.which.device == 0 && a.which.function == 1);
	CU_ASSERT_EQUAL(a.address, 4);
	CU_ASSERT_EQUAL(a.times, 1);
}

/* Virtual functions, and places with nothing in them: all are behind a link that is down. */
static void all_of_a_slots_bus_counts_and_its_port_does_not(void)
{
	static const char *const lines[] = {
		"pci_cfg_read igbvf 02:10.0 @0x0 -> 0xffffffff",
		"pci_cfg_read igb 02:00.0 @0x148 -> 0x10001",
		"pci_cfg_read empty 02:00.1 @0x0 -> 0xffffffff",
	};
	struct forbidden_access a;
	char text[200];

	for (size_t i = 0; i < UNIT_COUNT(lines); i++) {
		struct forbidden f = booted();

		snprintf(text, sizeof(text), NIC_OFF "%s\n", lines[i]);
		CU_ASSERT_EQUAL(take_all(&f, text, &a), 1);
		CU_ASSERT_EQUAL(a.slot, 6);
		CU_ASSERT_EQUAL(a.kind, FORBIDDEN_CONFIG_READ);
		CU_ASSERT_EQUAL(take_all(&f,
					 "pci_cfg_write pcie-root-port 00:06.0 @0x4 <- 0x7\n"
					 "pci_cfg_read mch 00:00.0 @0x0 -> 0x29c08086\n"
					 "pci_cfg_read empty 04:00.0 @0x0 -> 0xffffffff\n",
					 &a),
				0);
	}
}

static void memory_is_known_by_the_ports_windows(void)
{
	static const struct {
		const char *text;
		unsigned n;
	} rows[] = {
		{"Invalid read at addr 0xFE1FFFFF, size 4, region '(null)', reason: rejected\n", 0},
		{"Invalid read at addr 0xFE200000, size 4, region '(null)', reason: rejected\n", 1},
		{"Invalid write at addr 0xFE3FFFFF, size 1, region '(null)', reason: rejected\n",
		 1},
		{"Invalid read at addr 0xFE400000, size 4, region '(null)', reason: rejected\n", 0},
		{"Invalid read at addr 0x6FFFFFFFF, size 4, region '(null)', reason: rejected\n",
		 0},
		{"Invalid read at addr 0x700000000, size 4, region '(null)', reason: rejected\n",
		 1},
		{"Invalid read at addr 0x7101FFFFF, size 4, region '(null)', reason: rejected\n",
		 1},
		{"Invalid read at addr 0x710200000, size 4, region '(null)', reason: rejected\n",
		 0},
		{"Invalid read at addr 0xFDE00000, size 4, region '(null)', reason: rejected\n", 0},
		{"Invalid read at addr none\n", 0},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct forbidden f = booted();
		struct forbidden_access a = {0};

		CU_ASSERT_EQUAL(take_all(&f, rows[i].text, &a), 0);
		CU_ASSERT_EQUAL(take_all(&f, GPU_OFF, &a), 0);
		CU_ASSERT_EQUAL(take_all(&f, rows[i].text, &a), rows[i].n);
		if (rows[i].n) {
			CU_ASSERT_EQUAL(a.slot, 5);
			CU_ASSERT_EQUAL(a.kind, strstr(rows[i].text, "write")
							? FORBIDDEN_MEMORY_WRITE
							: FORBIDDEN_MEMORY_READ);
			CU_ASSERT_EQUAL(a.which.bus, 1);
		}
	}
}

/* They name no slot: while one of two such cards has power, it is the one. */
static void registers_count_when_all_slots_with_the_card_are_off(void)
{
	static const char write[] = "e1000e_core_write Write to register 0x14, 4 byte(s), "
				    "value: 0x21\n";
	static const char read[] = "e1000e_core_read Read from register 0x8, 4 byte(s), "
				   "value: 0x80080481\n";
	struct forbidden f = booted();
	struct forbidden_access a;

	CU_ASSERT_EQUAL(take_all(&f, NIC_OFF, &a), 0);
	CU_ASSERT_EQUAL(take_all(&f, write, &a), 0);
	CU_ASSERT_EQUAL(take_all(&f, NIC2_OFF, &a), 0);
	CU_ASSERT_EQUAL(take_all(&f, write, &a), 1);
	CU_ASSERT_EQUAL(a.kind, FORBIDDEN_MEMORY_WRITE);
	CU_ASSERT_EQUAL(take_all(&f, read, &a), 1);
	CU_ASSERT_EQUAL(a.kind, FORBIDDEN_MEMORY_READ);
	CU_ASSERT_EQUAL(take_all(&f, "virtio_pci_notify_write 0x0 = 0x0 (4)\n", &a), 0);
}

static void a_reset_switches_the_rails_on(void)
{
	struct forbidden f = booted();
	struct forbidden_access a;

	CU_ASSERT_EQUAL(take_all(&f, GPU_OFF READ, &a), 1);
	CU_ASSERT_EQUAL(take_all(&f, firmware, &a), 0);
	CU_ASSERT_EQUAL(take_all(&f, READ, &a), 0);
}

static void a_slot_has_its_addresses_from_the_firmware(void)
{
	struct forbidden f;
	uint64_t config, memory;

	forbidden_init(&f, &virt);
	CU_ASSERT_FALSE(forbidden_addresses(&f, 6, &config, &memory));
	f = booted();
	CU_ASSERT_TRUE(forbidden_addresses(&f, 6, &config, &memory));
	CU_ASSERT_EQUAL(config, 0xb0200000);
	CU_ASSERT_EQUAL(memory, 0xfde00000);
	CU_ASSERT_FALSE(forbidden_addresses(&f, 8, &config, &memory)); /* has no window */
	CU_ASSERT_FALSE(forbidden_addresses(&f, 7, &config, &memory));
}

static void broken_lines_say_nothing(void)
{
	static const char *const lines[] = {
		GPU_OFF,
		"pci_cfg_read",
		"pci_cfg_read virtio-gpu-pci 01:00.0",
		"pci_cfg_read virtio-gpu-pci 01:00.0 @0x4",
		"pci_cfg_",
		"Invalid ",
		"Invalid read",
		"01:00.0 @0x34 -> 0x40",
	};
	struct forbidden f = booted();
	struct forbidden_access a;

	for (size_t i = 0; i < UNIT_COUNT(lines); i++)
		CU_ASSERT_EQUAL(take_all(&f, lines[i], &a), 0);
}

static const struct unit_case cases[] = {
	{"the order of byte and access decides", the_order_of_byte_and_access_decides},
	{"config accesses are told in full", config_accesses_are_told_in_full},
	{"all of a slot's bus counts, and its port does not",
	 all_of_a_slots_bus_counts_and_its_port_does_not},
	{"memory is known by the port's windows", memory_is_known_by_the_ports_windows},
	{"registers count when all slots with the card are off",
	 registers_count_when_all_slots_with_the_card_are_off},
	{"a reset switches the rails on", a_reset_switches_the_rails_on},
	{"a slot has its addresses from the firmware", a_slot_has_its_addresses_from_the_firmware},
	{"broken lines say nothing", broken_lines_say_nothing},
};

int main(void)
{
	return unit_run("virtual forbidden", cases, UNIT_COUNT(cases));
}

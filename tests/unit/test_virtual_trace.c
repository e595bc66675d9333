/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hwtrace.h"

#include <string.h>

#include "board.h"
#include "linebuf.h"
#include "qmp.h"
#include "unit.h"

/* Out of order on purpose: buses follow the ports' numbers, not the lab's list. */
static struct lab_slot slots[] = {
	{.device = 7, .card = LAB_CARD_NVME, .channel = 3},
	{.device = 5, .card = LAB_CARD_GPU, .channel = 1},
};
static const struct lab_virtual virt = {.slots = slots, .slots_n = 2};

static void d_states_are_given_to_the_slot_on_the_bus(void)
{
	struct hwtrace_event e = hwtrace_parse(
		&virt, "pci_pm_transition virtio-sound-pci 01:00.1 PM transition D0->D3");

	CU_ASSERT_EQUAL(e.kind, HWTRACE_DSTATE);
	CU_ASSERT_EQUAL(e.slot, 5);
	CU_ASSERT_EQUAL(e.function, 1);
	CU_ASSERT_EQUAL(e.dstate, 3);
	e = hwtrace_parse(&virt, "pci_pm_transition nvme 02:00.0 PM transition D3->D0");
	CU_ASSERT_EQUAL(e.kind, HWTRACE_DSTATE);
	CU_ASSERT_EQUAL(e.slot, 7);
	CU_ASSERT_EQUAL(e.function, 0);
	CU_ASSERT_EQUAL(e.dstate, 0);
}

static void d_states_of_others_are_passed_over(void)
{
	static const char *const lines[] = {
		"pci_pm_transition nvme 03:00.0 PM transition D0->D3",	/* no such bus */
		"pci_pm_transition igbvf 02:10.0 PM transition D0->D3", /* a VF */
		"pci_pm_transition nvme 02:00.1 PM transition D0->D3",	/* no such function */
		"pci_pm_transition nvme 02:00.0 PM transition D0->D7",
		"pci_pm_transition nvme 02:00.0 PM trans",
		"pci_pm_transition",
		"pci_cfg_read nvme 02:00.0 @0x0 -> 0x101b36",
		"Invalid read at addr 0xFE200000, size 4, region '(null)', reason: rejected",
	};

	for (size_t i = 0; i < UNIT_COUNT(lines); i++)
		CU_ASSERT_EQUAL(hwtrace_parse(&virt, lines[i]).kind, HWTRACE_PASSED);
}

static void activity_names_the_card(void)
{
	struct hwtrace_event e =
		hwtrace_parse(&virt, "pci_nvme_mmio_write addr 0x1000 data 0x1 size 4");

	CU_ASSERT_EQUAL(e.kind, HWTRACE_ACTIVITY);
	CU_ASSERT_EQUAL(e.card, LAB_CARD_NVME);
	e = hwtrace_parse(&virt, "pci_nvme_mmio_read addr 0x0 size 4");
	CU_ASSERT_EQUAL(e.kind, HWTRACE_LOOKED);
	CU_ASSERT_EQUAL(e.card, LAB_CARD_NVME);
	e = hwtrace_parse(&virt, "virtio_pci_notify_write 0x0 = 0x0 (4)");
	CU_ASSERT_EQUAL(e.kind, HWTRACE_ACTIVITY);
	CU_ASSERT_EQUAL(e.card, LAB_CARD_GPU);
}

static void words_of_the_emulator_are_no_trace(void)
{
	static const char *const lines[] = {
		"",
		"qemu-system-x86_64: -device nvme: drive property not set",
		"pci_pm_transitional thoughts",
		"e1000e_core_written",
	};

	for (size_t i = 0; i < UNIT_COUNT(lines); i++)
		CU_ASSERT_EQUAL(hwtrace_parse(&virt, lines[i]).kind, HWTRACE_NONE);
}

static void only_the_events_of_cards_in_the_lab_are_asked_for(void)
{
	const char *names[HWTRACE_NAMES_MAX];
	size_t n = hwtrace_names(&virt, names);

	CU_ASSERT_EQUAL_FATAL(n, 7);
	CU_ASSERT_STRING_EQUAL(names[0], "pci_pm_transition");
	CU_ASSERT_STRING_EQUAL(names[1], "pci_cfg_read");
	CU_ASSERT_STRING_EQUAL(names[2], "pci_cfg_write");
	CU_ASSERT_STRING_EQUAL(names[5], "pci_nvme_mmio_write");
	CU_ASSERT_STRING_EQUAL(names[6], "pci_nvme_mmio_read");
}

static void buses_are_numbered_in_the_order_of_the_ports(void)
{
	uint8_t bus;

	CU_ASSERT_EQUAL(board_bus(&virt, 5, &bus), 0);
	CU_ASSERT_EQUAL(bus, 1);
	CU_ASSERT_EQUAL(board_bus(&virt, 7, &bus), 0);
	CU_ASSERT_EQUAL(bus, 2);
	CU_ASSERT_TRUE(board_bus(&virt, 6, &bus) < 0);
	CU_ASSERT_PTR_NULL(board_slot_on_bus(&virt, 0));
}

static void collect(char *line, void *context)
{
	char *all = context;

	strncat(all, line, 40);
	strcat(all, "|");
}

static void lines_come_whole_however_their_bytes_come(void)
{
	struct linebuf lines = {0};
	char all[256] = "";

	linebuf_feed(&lines, "on", 2, collect, all);
	linebuf_feed(&lines, "e\r\ntwo\n\nthr", 11, collect, all);
	CU_ASSERT_STRING_EQUAL(all, "one|two||");
	linebuf_feed(&lines, "ee\n", 3, collect, all);
	CU_ASSERT_STRING_EQUAL(all, "one|two||three|");
}

static void length_of(char *line, void *context)
{
	*(size_t *)context = strlen(line);
}

static void a_line_without_end_is_cut_off(void)
{
	struct linebuf lines = {0};
	size_t length = 0;

	for (int i = 0; i < 10000; i++)
		linebuf_feed(&lines, "x", 1, length_of, &length);
	linebuf_feed(&lines, "\n", 1, length_of, &length);
	CU_ASSERT_EQUAL(length, LINEBUF_SIZE - 1);
	linebuf_feed(&lines, "yy\n", 3, length_of, &length);
	CU_ASSERT_EQUAL(length, 2);
}

static void the_monitors_lines_are_told_apart(void)
{
	CU_ASSERT_EQUAL(qmp_parse("{\"QMP\": {\"version\": {}, \"capabilities\": []}}"),
			QMP_GREETING);
	CU_ASSERT_EQUAL(qmp_parse("{\"return\": {}}"), QMP_DONE);
	CU_ASSERT_EQUAL(qmp_parse("{\"error\": {\"class\": \"GenericError\"}}"), QMP_REFUSED);
	CU_ASSERT_EQUAL(qmp_parse("{\"timestamp\": {}, \"event\": \"RESET\", \"data\": {}}"),
			QMP_RESET);
	CU_ASSERT_EQUAL(qmp_parse("{\"timestamp\": {}, \"event\": \"STOP\"}"), QMP_OTHER);
	CU_ASSERT_EQUAL(qmp_parse("{\"ret"), QMP_OTHER);
	CU_ASSERT_EQUAL(qmp_parse(""), QMP_OTHER);
}

static const struct unit_case cases[] = {
	{"D-states are given to the slot on the bus", d_states_are_given_to_the_slot_on_the_bus},
	{"D-states of anything else are passed over", d_states_of_others_are_passed_over},
	{"activity names the card", activity_names_the_card},
	{"what the emulator has to say is no trace", words_of_the_emulator_are_no_trace},
	{"only events of cards in the lab are asked for",
	 only_the_events_of_cards_in_the_lab_are_asked_for},
	{"buses are numbered in the order of the ports",
	 buses_are_numbered_in_the_order_of_the_ports},
	{"lines come whole however their bytes come", lines_come_whole_however_their_bytes_come},
	{"a line without an end is cut off", a_line_without_end_is_cut_off},
	{"the monitor's lines are told apart", the_monitors_lines_are_told_apart},
};

int main(void)
{
	return unit_run("virtual trace", cases, UNIT_COUNT(cases));
}

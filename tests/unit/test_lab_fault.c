/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>

#include "lab_fault.h"
#include "unit.h"

/* The cycles from 0 to 12 in which it is in force, a bit each. */
static unsigned when(const struct lab_fault *fault)
{
	unsigned cycles = 0;

	for (unsigned i = 0; i <= 12; i++)
		cycles |= lab_fault_is_in_force(fault, i) ? 1u << i : 0;
	return cycles;
}

static void a_fault_of_a_part_lasts_to_the_end_of_the_arm(void)
{
	const struct lab_fault fault = {.kind = LAB_FAULT_RAIL_STUCK_ON, .from_cycle = 3};

	CU_ASSERT_EQUAL(when(&fault), 0x1ff8);
}

static void what_stops_the_machine_is_of_one_cycle(void)
{
	static const enum lab_fault_kind once[] = {
		LAB_FAULT_TARGET_HANG,	LAB_FAULT_TARGET_PANIC,	 LAB_FAULT_SOFT_LOCKUP,
		LAB_FAULT_AGENT_KILLED, LAB_FAULT_TRANSPORT_CUT, LAB_FAULT_RESET_DEAD,
		LAB_FAULT_LINE_STUCK,	LAB_FAULT_WAKE_FAILS,	 LAB_FAULT_METER_UNPLUGGED,
	};

	for (size_t i = 0; i < UNIT_COUNT(once); i++) {
		const struct lab_fault fault = {.kind = once[i], .from_cycle = 3};

		CU_ASSERT_EQUAL(when(&fault), 1u << 3);
	}
}

static void cycles_and_every_say_otherwise(void)
{
	struct lab_fault fault = {.kind = LAB_FAULT_TARGET_PANIC, .from_cycle = 2, .cycles = 3};

	CU_ASSERT_EQUAL(when(&fault), 7u << 2);
	fault.every = 4;
	CU_ASSERT_EQUAL(when(&fault), 7u << 2 | 7u << 6 | 7u << 10);
	fault = (struct lab_fault){.kind = LAB_FAULT_METER_DEAD, .from_cycle = 1, .every = 5};
	CU_ASSERT_EQUAL(when(&fault), 1u << 1 | 1u << 6 | 1u << 11);
}

static void names_go_there_and_back(void)
{
	enum lab_fault_kind kind;

	for (int i = 0; i < LAB_FAULT_COUNT; i++) {
		CU_ASSERT_EQUAL(lab_fault_parse(lab_fault_name((enum lab_fault_kind)i), &kind), 0);
		CU_ASSERT_EQUAL((int)kind, i);
	}
	CU_ASSERT_EQUAL(lab_fault_parse("luck", &kind), -EINVAL);
}

static const struct unit_case cases[] = {
	{"a fault of a part lasts to the end of the arm",
	 a_fault_of_a_part_lasts_to_the_end_of_the_arm},
	{"what stops the machine is of one cycle", what_stops_the_machine_is_of_one_cycle},
	{"cycles and every say otherwise", cycles_and_every_say_otherwise},
	{"names go there and back", names_go_there_and_back},
};

int main(void)
{
	return unit_run("lab_fault", cases, UNIT_COUNT(cases));
}

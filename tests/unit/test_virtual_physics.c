/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics.h"

#include <math.h>
#include <string.h>

#include "unit.h"

#define MS INT64_C(1000000)
#define S  INT64_C(1000000000)

#define GPU  5
#define NVME 7

static struct lab_slot slots[] = {
	{GPU, LAB_CARD_GPU, 1, {75.0, 18.0, 9.0, 0.25, 0.05, 20.0, 2 * MS}, 0},
	{NVME, LAB_CARD_NVME, 3, {8.0, 3.0, 1.0, 0.0, 0.01, 6.0, MS}, 0},
};

struct seen {
	size_t n;
	struct physics_change all[32];
};

static void see(const struct physics_change *change, void *context)
{
	struct seen *seen = context;

	if (seen->n < sizeof(seen->all) / sizeof(seen->all[0]))
		seen->all[seen->n++] = *change;
}

static struct lab_virtual lab_with(struct lab_fault *fault)
{
	return (struct lab_virtual){.present = true,
				    .voltage_v = 12.0,
				    .seed = 42,
				    .slots = slots,
				    .slots_n = 2,
				    .faults = fault,
				    .faults_n = fault ? 1 : 0};
}

/* Long after t_ns, so that no inrush is left. */
static double later_w(const struct physics *p, unsigned slot, int64_t t_ns)
{
	return physics_power_w(p, slot, t_ns + S);
}

static void sleep_all(struct physics *p, unsigned slot, unsigned dstate, int64_t t_ns)
{
	physics_dstate(p, slot, 0, dstate, t_ns);
	physics_dstate(p, slot, 1, dstate, t_ns);
}

static void power_follows_state(void)
{
	struct lab_virtual virt = lab_with(NULL);
	struct physics *p = physics_new(&virt, 0, NULL, NULL);

	CU_ASSERT_DOUBLE_EQUAL(later_w(p, GPU, 0), 18.0, 1e-9);
	physics_activity(p, GPU, 2 * S);
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, 2 * S), 75.0, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, 2 * S + 20 * MS), 75.0, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, 2 * S + 20 * MS + 1), 18.0, 1e-9);
	sleep_all(p, GPU, 3, 3 * S);
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, 3 * S), 9.0, 1e-9);
	physics_activity(p, GPU, 3 * S);
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, 3 * S), 9.0, 1e-9);
	physics_rail(p, GPU, false, 4 * S);
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, 4 * S), 0.25, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(later_w(p, NVME, 4 * S), 3.0, 1e-9);
	CU_ASSERT_EQUAL(physics_power_w(p, 6, S), 0.0);
	physics_free(p);
}

static void the_past_is_as_it_was(void)
{
	struct lab_virtual virt = lab_with(NULL);
	struct physics *p = physics_new(&virt, 0, NULL, NULL);

	physics_activity(p, GPU, 2 * S);
	sleep_all(p, GPU, 3, 3 * S);
	physics_rail(p, GPU, false, 4 * S);
	physics_rail(p, GPU, true, 5 * S);
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, 2 * S - 1), 18.0, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, 2 * S + 20 * MS), 75.0, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, 3 * S - 1), 18.0, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, 3 * S), 9.0, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, 5 * S - 1), 0.25, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, 5 * S), 9.0 + 20.0, 1e-9);
	physics_free(p);
}

/* A driver that never rests must not push out what came before, nor take it along. */
static void the_past_survives_much_activity(void)
{
	struct lab_virtual virt = lab_with(NULL);
	struct physics *p = physics_new(&virt, 0, NULL, NULL);

	sleep_all(p, GPU, 3, 2 * S);
	sleep_all(p, GPU, 0, 3 * S);
	for (int64_t t = 3 * S; t < 5 * S; t += MS / 10)
		physics_activity(p, GPU, t);
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, 3 * S - 1), 9.0, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, 3 * S), 75.0, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, 2 * S - 1), 18.0, 1e-9);
	physics_free(p);
}

static void one_awake_function_keeps_the_slot_awake(void)
{
	struct lab_virtual virt = lab_with(NULL);
	struct physics *p = physics_new(&virt, 0, NULL, NULL);

	physics_dstate(p, GPU, 0, 3, S);
	CU_ASSERT_DOUBLE_EQUAL(later_w(p, GPU, S), 18.0, 1e-9);
	physics_dstate(p, GPU, 1, 3, S);
	CU_ASSERT_DOUBLE_EQUAL(later_w(p, GPU, S), 9.0, 1e-9);
	physics_dstate(p, GPU, 1, 1, S);
	CU_ASSERT_DOUBLE_EQUAL(later_w(p, GPU, S), 18.0, 1e-9);
	/* A function that the card does not have says nothing about it. */
	physics_dstate(p, NVME, 0, 3, S);
	physics_dstate(p, NVME, 1, 0, S);
	CU_ASSERT_DOUBLE_EQUAL(later_w(p, NVME, S), 1.0, 1e-9);
	physics_free(p);
}

static void inrush_decays_from_the_rails_real_edge(void)
{
	struct lab_virtual virt = lab_with(NULL);
	struct physics *p = physics_new(&virt, 0, NULL, NULL);

	physics_rail(p, GPU, false, S);
	physics_rail(p, GPU, true, 2 * S);
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, 2 * S), 38.0, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, 2 * S + 2 * MS), 18.0 + 20.0 * exp(-1),
			       1e-9);
	/* On again while on is no edge. */
	physics_rail(p, GPU, true, 3 * S);
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, 3 * S), 18.0, 1e-9);
	physics_free(p);
}

static void a_device_keeps_its_d_state_through_a_power_cut(void)
{
	struct lab_virtual virt = lab_with(NULL);
	struct physics *p = physics_new(&virt, 0, NULL, NULL);

	sleep_all(p, NVME, 3, S);
	physics_rail(p, NVME, false, S);
	physics_rail(p, NVME, true, 2 * S);
	CU_ASSERT_DOUBLE_EQUAL(later_w(p, NVME, 2 * S), 1.0, 1e-9);
	physics_free(p);
}

static void noise_has_its_mean_and_deviation(void)
{
	struct lab_virtual virt = lab_with(NULL);
	struct physics *p = physics_new(&virt, 0, NULL, NULL);
	double sum = 0, squares = 0;
	const int n = 20000;

	for (int i = 0; i < n; i++) {
		double d = physics_read_w(p, GPU, 10 * S) - 18.0;

		sum += d;
		squares += d * d;
	}
	CU_ASSERT_DOUBLE_EQUAL(sum / n, 0.0, 5 * 0.05 / sqrt(n));
	CU_ASSERT_DOUBLE_EQUAL(sqrt(squares / n), 0.05, 0.002);
	physics_free(p);
}

static void noise_follows_from_the_seed_slot_by_slot(void)
{
	struct lab_virtual virt = lab_with(NULL), other = virt;
	struct physics *a = physics_new(&virt, 0, NULL, NULL);
	struct physics *b = physics_new(&virt, 0, NULL, NULL);
	struct physics *c;
	double first = physics_read_w(a, GPU, S);

	/* Another slot's readings take nothing from this slot's noise. */
	physics_read_w(b, NVME, S);
	CU_ASSERT_EQUAL(physics_read_w(b, GPU, S), first);
	CU_ASSERT_EQUAL(physics_read_w(a, GPU, S), physics_read_w(b, GPU, S));
	other.seed = 43;
	c = physics_new(&other, 0, NULL, NULL);
	CU_ASSERT_NOT_EQUAL(physics_read_w(c, GPU, S), first);
	physics_free(a);
	physics_free(b);
	physics_free(c);
}

static void changes_are_told_once_with_their_time(void)
{
	struct lab_virtual virt = lab_with(NULL);
	struct seen seen = {0};
	struct physics *p = physics_new(&virt, 7, see, &seen);

	CU_ASSERT_EQUAL(seen.n, 4); /* rail and D-state of both slots at power-on */
	CU_ASSERT_EQUAL(seen.all[0].t_ns, 7);
	seen.n = 0;
	physics_rail(p, NVME, true, 8); /* as ACPI does at boot */
	CU_ASSERT_EQUAL(seen.n, 0);
	physics_dstate(p, GPU, 0, 3, 9);
	CU_ASSERT_EQUAL(seen.n, 0);
	physics_dstate(p, GPU, 1, 3, 10);
	physics_rail(p, GPU, false, 11);
	CU_ASSERT_EQUAL_FATAL(seen.n, 2);
	CU_ASSERT_EQUAL(seen.all[0].what, PHYSICS_DSTATE);
	CU_ASSERT_EQUAL(seen.all[0].value, 3);
	CU_ASSERT_EQUAL(seen.all[1].what, PHYSICS_RAIL);
	CU_ASSERT_EQUAL(seen.all[1].value, 0);
	CU_ASSERT_EQUAL(seen.all[1].slot, GPU);
	CU_ASSERT_EQUAL(seen.all[1].t_ns, 11);
	physics_free(p);
}

static void a_stuck_rail_stays_on_when_acpi_switches_it_off(void)
{
	struct lab_fault fault = {.kind = LAB_FAULT_RAIL_STUCK_ON, .slot = NVME, .from_cycle = 0};
	struct lab_virtual virt = lab_with(&fault);
	struct physics *p = physics_new(&virt, 0, NULL, NULL);

	sleep_all(p, NVME, 3, S);
	physics_rail(p, NVME, false, S);
	physics_rail(p, GPU, false, S);
	CU_ASSERT_TRUE(physics_rail_is_on(p, NVME));
	CU_ASSERT_FALSE(physics_rail_is_on(p, GPU));
	CU_ASSERT_DOUBLE_EQUAL(later_w(p, NVME, S), 1.0, 1e-9);
	physics_free(p);
}

static void a_stuck_rail_powers_a_sleeping_slot_from_its_cycle_on(void)
{
	struct lab_fault fault = {.kind = LAB_FAULT_RAIL_STUCK_ON, .slot = NVME, .from_cycle = 2};
	struct lab_virtual virt = lab_with(&fault);
	struct seen seen = {0};
	struct physics *p = physics_new(&virt, 0, see, &seen);

	physics_cycle(p, 1, S);
	sleep_all(p, NVME, 3, S);
	physics_rail(p, NVME, false, S);
	CU_ASSERT_FALSE(physics_rail_is_on(p, NVME));
	seen.n = 0;
	physics_cycle(p, 2, 2 * S);
	CU_ASSERT_TRUE(physics_rail_is_on(p, NVME));
	CU_ASSERT_EQUAL_FATAL(seen.n, 2);
	CU_ASSERT_EQUAL(seen.all[0].what, PHYSICS_FAULT);
	CU_ASSERT_EQUAL(seen.all[0].slot, NVME);
	CU_ASSERT_EQUAL(seen.all[0].value, LAB_FAULT_RAIL_STUCK_ON);
	physics_cycle(p, 3, 3 * S);
	CU_ASSERT_EQUAL(seen.n, 2);
	physics_free(p);
}

static void a_rail_cut_early_drops_in_d3hot_and_returns_in_d0(void)
{
	struct lab_fault fault = {.kind = LAB_FAULT_RAIL_CUT_EARLY, .slot = GPU, .from_cycle = 1};
	struct lab_virtual virt = lab_with(&fault);
	struct physics *p = physics_new(&virt, 0, NULL, NULL);

	sleep_all(p, GPU, 3, S);
	CU_ASSERT_TRUE(physics_rail_is_on(p, GPU));
	physics_cycle(p, 1, S);
	CU_ASSERT_FALSE(physics_rail_is_on(p, GPU));
	CU_ASSERT_DOUBLE_EQUAL(later_w(p, GPU, S), 0.25, 1e-9);
	physics_dstate(p, GPU, 1, 0, 2 * S);
	CU_ASSERT_TRUE(physics_rail_is_on(p, GPU));
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, 2 * S), 38.0, 1e-9);
	physics_dstate(p, GPU, 1, 3, 3 * S);
	CU_ASSERT_FALSE(physics_rail_is_on(p, GPU));
	physics_free(p);
}

static void a_card_is_gone_from_the_next_power_on_on(void)
{
	struct lab_fault fault = {.kind = LAB_FAULT_DEVICE_GONE, .slot = GPU, .from_cycle = 1};
	struct lab_virtual virt = lab_with(&fault);
	struct physics *p = physics_new(&virt, 0, NULL, NULL);

	physics_cycle(p, 1, S);
	CU_ASSERT_FALSE(physics_is_empty(p, GPU));
	CU_ASSERT_TRUE(physics_rail_is_on(p, GPU));
	physics_power_off(p, 2 * S);
	physics_power_on(p, 3 * S);
	CU_ASSERT_TRUE(physics_is_empty(p, GPU));
	CU_ASSERT_FALSE(physics_is_empty(p, NVME));
	CU_ASSERT_DOUBLE_EQUAL(later_w(p, GPU, 3 * S), 0.25, 1e-9);
	CU_ASSERT_TRUE(physics_rail_is_on(p, NVME));
	physics_free(p);
	fault.from_cycle = 0;
	p = physics_new(&virt, 0, NULL, NULL);
	CU_ASSERT_TRUE(physics_is_empty(p, GPU));
	CU_ASSERT_FALSE(physics_rail_is_on(p, GPU));
	physics_free(p);
}

static void faults_without_a_slot_are_in_force_from_their_cycle(void)
{
	struct lab_fault fault = {.kind = LAB_FAULT_METER_DEAD, .slot = 0, .from_cycle = 3};
	struct lab_virtual virt = lab_with(&fault);
	struct physics *p = physics_new(&virt, 0, NULL, NULL);

	CU_ASSERT_FALSE(physics_has_fault(p, LAB_FAULT_METER_DEAD));
	physics_cycle(p, 3, S);
	CU_ASSERT_TRUE(physics_has_fault(p, LAB_FAULT_METER_DEAD));
	CU_ASSERT_FALSE(physics_has_fault(p, LAB_FAULT_TARGET_HANG));
	physics_free(p);
}

static void what_ends_the_machine_is_of_its_one_cycle(void)
{
	static const enum lab_fault_kind kinds[] = {LAB_FAULT_TARGET_HANG, LAB_FAULT_TARGET_PANIC};

	for (size_t i = 0; i < UNIT_COUNT(kinds); i++) {
		struct lab_fault fault = {.kind = kinds[i], .slot = 0, .from_cycle = 3};
		struct lab_virtual virt = lab_with(&fault);
		struct physics *p = physics_new(&virt, 0, NULL, NULL);

		physics_cycle(p, 2, S);
		CU_ASSERT_FALSE(physics_has_fault(p, kinds[i]));
		physics_cycle(p, 3, 2 * S);
		CU_ASSERT_TRUE(physics_has_fault(p, kinds[i]));
		physics_cycle(p, 4, 3 * S);
		CU_ASSERT_FALSE(physics_has_fault(p, kinds[i]));
		physics_free(p);
	}
}

static void a_reset_machine_has_rails_on_and_devices_in_d0(void)
{
	struct lab_virtual virt = lab_with(NULL);
	struct physics *p = physics_new(&virt, 0, NULL, NULL);

	sleep_all(p, GPU, 3, S);
	physics_rail(p, GPU, false, S);
	physics_reset(p, 2 * S);
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, 2 * S), 38.0, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(later_w(p, GPU, 2 * S), 18.0, 1e-9);
	physics_free(p);
}

static void a_machine_that_is_gone_draws_nothing_even_if_stuck(void)
{
	struct lab_fault fault = {.kind = LAB_FAULT_RAIL_STUCK_ON, .slot = NVME, .from_cycle = 0};
	struct lab_virtual virt = lab_with(&fault);
	struct physics *p = physics_new(&virt, 0, NULL, NULL);

	physics_power_off(p, S);
	CU_ASSERT_FALSE(physics_rail_is_on(p, NVME));
	CU_ASSERT_DOUBLE_EQUAL(physics_power_w(p, GPU, S), 0.25, 1e-9);
	physics_free(p);
}

static const struct unit_case cases[] = {
	{"the past is as it was", the_past_is_as_it_was},
	{"the past survives much activity", the_past_survives_much_activity},
	{"power follows the rail, the D-state and activity", power_follows_state},
	{"one awake function keeps the slot awake", one_awake_function_keeps_the_slot_awake},
	{"inrush decays from the rail's real edge", inrush_decays_from_the_rails_real_edge},
	{"a device keeps its D-state through a power cut, as the emulated one does",
	 a_device_keeps_its_d_state_through_a_power_cut},
	{"noise has the mean and the deviation it should", noise_has_its_mean_and_deviation},
	{"noise follows from the seed, slot by slot", noise_follows_from_the_seed_slot_by_slot},
	{"changes are told once, with their time", changes_are_told_once_with_their_time},
	{"a stuck rail stays on when ACPI switches it off",
	 a_stuck_rail_stays_on_when_acpi_switches_it_off},
	{"a stuck rail powers a sleeping slot from its cycle on",
	 a_stuck_rail_powers_a_sleeping_slot_from_its_cycle_on},
	{"a rail cut early drops in D3hot and returns in D0",
	 a_rail_cut_early_drops_in_d3hot_and_returns_in_d0},
	{"a card is gone from the next power-on on", a_card_is_gone_from_the_next_power_on_on},
	{"faults without a slot are in force from their cycle on",
	 faults_without_a_slot_are_in_force_from_their_cycle},
	{"what ends the machine is of its one cycle", what_ends_the_machine_is_of_its_one_cycle},
	{"a reset machine has its rails on and its devices in D0",
	 a_reset_machine_has_rails_on_and_devices_in_d0},
	{"a machine that is gone draws nothing, stuck rails included",
	 a_machine_that_is_gone_draws_nothing_even_if_stuck},
};

int main(void)
{
	return unit_run("virtual physics", cases, UNIT_COUNT(cases));
}

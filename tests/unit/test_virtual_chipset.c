/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "chipset.h"

#include <math.h>

#include "adm1272.h"
#include "unit.h"

/* As labs/virtual.yaml has them. */
static struct lab_slot slots[] = {
	{.device = 5, .channel = 1, .sense_ohm = 3e-3},
	{.device = 6, .channel = 2, .sense_ohm = 18e-3},
	{.device = 7, .channel = 3, .sense_ohm = 7.5e-3},
};

static const struct lab_virtual virt = {.voltage_v = 12, .slots = slots, .slots_n = 3};

/* What QEMU's model makes of the milliamperes that it is told, and of 12 V. */
static uint16_t model_current(uint16_t ma)
{
	return (uint16_t)((198 * (uint32_t)ma + 20480000) / 10000);
}

static double read_w(const struct settings *settings, const struct lab_slot *slot, double watts)
{
	const struct settings_channel *c = &settings->channels[slot->channel - 1];
	uint16_t code = model_current(chipset_milliamperes(&virt, slot, watts));

	return adm1272_microamperes(c, code) / 1e6 * (adm1272_microvolts(c, 487) / 1e6);
}

/* From nothing to the end of the range, in steps that are no multiple of the chip's. */
static void every_power_reads_within_half_a_step(void)
{
	struct settings settings;

	chipset_settings(&virt, &settings);
	for (size_t i = 0; i < UNIT_COUNT(slots); i++) {
		double step_w = chipset_step_w(&virt, &slots[i]);
		double most_w = LAB_SENSE_MAX_V / slots[i].sense_ohm * virt.voltage_v;
		double worst_w = 0;

		for (double w = 0; w < most_w; w += step_w * 0.137) {
			double off_w = fabs(read_w(&settings, &slots[i], w) - w) - 0.0002 * w;

			worst_w = fmax(worst_w, off_w);
		}
		/* A milliampere of the model is a 50th of a step. */
		CU_ASSERT(worst_w < step_w * 0.52);
		CU_ASSERT(worst_w > step_w * 0.4);
	}
}

static void steps_are_those_of_the_docs(void)
{
	CU_ASSERT_DOUBLE_EQUAL(chipset_step_w(&virt, &slots[0]), 0.0606, 0.0001);
	CU_ASSERT_DOUBLE_EQUAL(chipset_step_w(&virt, &slots[1]), 0.0101, 0.0001);
	CU_ASSERT_DOUBLE_EQUAL(chipset_step_w(&virt, &slots[2]), 0.0242, 0.0001);
}

static void what_the_chip_cannot_be_told_ends_at_its_limits(void)
{
	CU_ASSERT_EQUAL(chipset_milliamperes(&virt, &slots[0], -1), 0);
	CU_ASSERT_EQUAL(chipset_milliamperes(&virt, &slots[0], 1e6), UINT16_MAX);
	CU_ASSERT_EQUAL(chipset_milliamperes(&virt, &slots[0], 12), 10000);
}

static void the_settings_are_a_dp832s(void)
{
	static const struct probe_board board = {.rate_min_hz = 10, .rate_max_hz = 2000};
	struct settings settings;

	chipset_settings(&virt, &settings);
	CU_ASSERT_EQUAL(settings.identity, SETTINGS_DP832);
	CU_ASSERT_TRUE(settings_valid(&settings, &board));
	CU_ASSERT_EQUAL(settings.channels[1].fields[SETTINGS_SENSE], 18000);
	CU_ASSERT_EQUAL(settings.channels[3].fields[SETTINGS_SENSE], 300);
}

static const struct unit_case cases[] = {
	{"every power reads within half a step", every_power_reads_within_half_a_step},
	{"steps are those of the docs", steps_are_those_of_the_docs},
	{"what the chip cannot be told ends at its limits",
	 what_the_chip_cannot_be_told_ends_at_its_limits},
	{"the settings are a DP832's", the_settings_are_a_dp832s},
};

int main(void)
{
	return unit_run("virtual_chipset", cases, UNIT_COUNT(cases));
}

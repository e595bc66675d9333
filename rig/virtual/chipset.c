/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "chipset.h"

#include <math.h>

#define MODEL_OHM      300e-6
#define MODEL_M	       198.0
#define DATA_SHEET_M   (663.0 * 0.3)
#define CODES_PER_AMP  (MODEL_M / 10)
#define CODES_PER_VOLT (4062.0 / 100)

/* For energy and buffered samples; MEASure takes its own. More would cost the host time. */
#define RATE_HZ 50

/* From the model's amperes to those of the slot. */
static double scale(const struct lab_slot *slot)
{
	return MODEL_OHM / slot->sense_ohm;
}

uint16_t chipset_milliamperes(const struct lab_virtual *virt, const struct lab_slot *slot,
			      double watts)
{
	double ma = round(watts / virt->voltage_v / scale(slot) * 1e3);

	return (uint16_t)fmax(0, fmin(UINT16_MAX, ma));
}

double chipset_step_w(const struct lab_virtual *virt, const struct lab_slot *slot)
{
	return scale(slot) / CODES_PER_AMP * virt->voltage_v;
}

/* The model cuts off, so that on the average half a step is missing. */
static void calibrate(struct settings_channel *c, const struct lab_slot *slot)
{
	c->fields[SETTINGS_SENSE] = (int32_t)lround(slot->sense_ohm * 1e6);
	c->fields[SETTINGS_CURRENT_GAIN] = (int32_t)lround(DATA_SHEET_M / MODEL_M * 1e6);
	c->fields[SETTINGS_CURRENT_OFFSET] = (int32_t)lround(scale(slot) / CODES_PER_AMP / 2 * 1e6);
	c->fields[SETTINGS_VOLTAGE_OFFSET] = (int32_t)lround(1 / CODES_PER_VOLT / 2 * 1e6);
}

void chipset_settings(const struct lab_virtual *virt, struct settings *settings)
{
	static const struct probe_board defaults = {.rate_default_hz = RATE_HZ};

	settings_default(settings, &defaults);
	settings->identity = SETTINGS_DP832;
	for (size_t i = 0; i < virt->slots_n; i++)
		calibrate(&settings->channels[virt->slots[i].channel - 1], &virt->slots[i]);
}

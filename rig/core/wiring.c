/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wiring.h"

#include <math.h>
#include <string.h>

static bool is_listed(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

size_t wiring_channels(const struct lab_target *target, size_t meter,
		       const char *names[static WIRING_CHANNELS_MAX])
{
	size_t n = 0;

	for (size_t d = 0; d < target->devices_n; d++) {
		const struct lab_device *device = &target->devices[d];

		for (size_t i = 0; i < device->rails_n && n < WIRING_CHANNELS_MAX; i++) {
			const struct lab_rail *rail = &device->rails[i];

			if (rail->meter == meter && !is_listed(names, n, rail->channel))
				names[n++] = rail->channel;
		}
	}
	return n;
}

const struct lab_rail *wiring_rail(const struct lab_target *target, const struct lab_device *device,
				   size_t meter, size_t channel)
{
	const char *names[WIRING_CHANNELS_MAX];
	size_t n = wiring_channels(target, meter, names);

	for (size_t i = 0; i < device->rails_n && channel < n; i++) {
		const struct lab_rail *rail = &device->rails[i];

		if (rail->meter == meter && strcmp(rail->channel, names[channel]) == 0)
			return rail;
	}
	return NULL;
}

struct lab_accuracy wiring_accuracy(const struct lab *lab, const struct lab_device *device)
{
	struct lab_accuracy sum = {0};

	for (size_t i = 0; i < device->rails_n; i++) {
		const struct lab_rail *rail = &device->rails[i];
		const struct lab_accuracy *a = &lab->meters[rail->meter].accuracy;

		sum.gain = fmax(sum.gain, a->gain);
		sum.offset_w += a->offset_w * fabs(rail->factor);
	}
	return sum;
}

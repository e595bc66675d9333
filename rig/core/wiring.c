/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wiring.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static size_t find(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return SIZE_MAX;
}

/* The feeds of a target one by one, in the lab file's order; NULL after the last. */
static const struct lab_feed *nth_feed(const struct lab_target *target, size_t n,
				       enum lab_feed_kind *kind)
{
	for (size_t d = 0; d < target->devices_n; d++) {
		const struct lab_device *device = &target->devices[d];
		size_t here = device->rails_n * LAB_FEED_COUNT;

		if (n < here) {
			*kind = (enum lab_feed_kind)(n % LAB_FEED_COUNT);
			return &device->rails[n / LAB_FEED_COUNT].feeds[*kind];
		}
		n -= here;
	}
	return NULL;
}

size_t wiring_channels(const struct lab_target *target, size_t meter,
		       const char *names[static WIRING_CHANNELS_MAX])
{
	const struct lab_feed *feed;
	enum lab_feed_kind kind;
	size_t n = 0;

	for (size_t i = 0; n < WIRING_CHANNELS_MAX && (feed = nth_feed(target, i, &kind)); i++) {
		if (feed->channel && feed->meter == meter &&
		    find(names, n, feed->channel) == SIZE_MAX)
			names[n++] = feed->channel;
	}
	return n;
}

size_t wiring_index(const struct lab_target *target, const struct lab_feed *feed)
{
	const char *names[WIRING_CHANNELS_MAX];
	size_t n = wiring_channels(target, feed->meter, names);

	return feed->channel ? find(names, n, feed->channel) : SIZE_MAX;
}

const struct lab_feed *wiring_feed(const struct lab_target *target, size_t meter, size_t channel,
				   enum lab_feed_kind *kind)
{
	const char *names[WIRING_CHANNELS_MAX];
	size_t n = wiring_channels(target, meter, names);
	const struct lab_feed *feed;

	for (size_t i = 0; channel < n && (feed = nth_feed(target, i, kind)); i++) {
		if (feed->channel && feed->meter == meter &&
		    strcmp(feed->channel, names[channel]) == 0)
			return feed;
	}
	return NULL;
}

const struct lab_feed *wiring_flow(const struct lab_rail *rail, size_t meter)
{
	static const enum lab_feed_kind kinds[] = {LAB_FEED_POWER, LAB_FEED_CURRENT};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (rail->feeds[kinds[i]].channel && rail->feeds[kinds[i]].meter == meter)
			return &rail->feeds[kinds[i]];
	}
	return NULL;
}

bool wiring_shows(const struct lab_device *device, size_t meter)
{
	for (size_t i = 0; i < device->rails_n; i++) {
		if (wiring_flow(&device->rails[i], meter))
			return true;
	}
	return false;
}

struct lab_accuracy wiring_accuracy(const struct lab *lab, const struct lab_device *device)
{
	struct lab_accuracy sum = {0};

	for (size_t i = 0; i < device->rails_n; i++) {
		const struct lab_rail *rail = &device->rails[i];
		const struct lab_feed *feeds = rail->feeds;

		if (feeds[LAB_FEED_POWER].channel) {
			const struct lab_accuracy *a =
				&lab->meters[feeds[LAB_FEED_POWER].meter].accuracy.power;

			sum.gain = fmax(sum.gain, a->gain);
			sum.offset_w += a->offset_w * fabs(rail->factor);
		} else {
			sum.gain = fmax(sum.gain, hypot(lab->meters[feeds[LAB_FEED_VOLTAGE].meter]
								.accuracy.voltage.gain,
							lab->meters[feeds[LAB_FEED_CURRENT].meter]
								.accuracy.current.gain));
		}
	}
	return sum;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_small_lab.h"
#include "unit.h"
#include "wiring.h"

static void channels_of_a_meter_stand_in_the_order_of_the_lab(void)
{
	struct small_lab s = small_lab_new("");
	const char *names[WIRING_CHANNELS_MAX];

	CU_ASSERT_EQUAL_FATAL(wiring_channels(s.target, 0, names), 2);
	CU_ASSERT_STRING_EQUAL(names[0], "A");
	CU_ASSERT_STRING_EQUAL(names[1], "B");
	CU_ASSERT_EQUAL_FATAL(wiring_channels(s.target, 1, names), 1);
	CU_ASSERT_STRING_EQUAL(names[0], "C");
	CU_ASSERT_EQUAL(wiring_channels(s.target, 2, names), 0);
	small_lab_free(&s);
}

static void a_channel_shared_by_two_devices_is_read_once(void)
{
	struct small_lab s = small_lab_new("");
	const char *names[WIRING_CHANNELS_MAX];
	struct lab_rail *second = &s.target->devices[1].rails[0];

	second->channel[0] = 'A';
	CU_ASSERT_EQUAL(wiring_channels(s.target, 0, names), 1);
	CU_ASSERT_PTR_EQUAL(wiring_rail(s.target, &s.target->devices[0], 0, 0),
			    &s.target->devices[0].rails[0]);
	CU_ASSERT_PTR_EQUAL(wiring_rail(s.target, &s.target->devices[1], 0, 0), second);
	small_lab_free(&s);
}

static void each_channel_feeds_the_rail_that_it_is_wired_to(void)
{
	struct small_lab s = small_lab_new("");
	const struct lab_device *d = s.target->devices;
	const struct {
		size_t device, meter, channel;
		const struct lab_rail *rail;
	} rows[] = {
		{0, 0, 0, &d[0].rails[0]}, {0, 0, 1, NULL},	      {0, 1, 0, NULL},
		{1, 0, 0, NULL},	   {1, 0, 1, &d[1].rails[0]}, {1, 1, 0, &d[1].rails[1]},
		{1, 0, 2, NULL},	   {1, 7, 0, NULL},	      {2, 0, 0, NULL},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
		CU_ASSERT_PTR_EQUAL(
			wiring_rail(s.target, &d[rows[i].device], rows[i].meter, rows[i].channel),
			rows[i].rail);
	small_lab_free(&s);
}

static void accuracy_is_the_worst_gain_and_the_sum_of_offsets(void)
{
	struct small_lab s = small_lab_new("");
	struct lab_accuracy one = wiring_accuracy(s.lab, &s.target->devices[0]);
	struct lab_accuracy two = wiring_accuracy(s.lab, &s.target->devices[1]);
	struct lab_accuracy none = wiring_accuracy(s.lab, &s.target->devices[2]);

	CU_ASSERT_DOUBLE_EQUAL(one.gain, 0.01, 1e-12);
	CU_ASSERT_DOUBLE_EQUAL(one.offset_w, 0.001, 1e-12);
	CU_ASSERT_DOUBLE_EQUAL(two.gain, 0.02, 1e-12);
	CU_ASSERT_DOUBLE_EQUAL(two.offset_w, 2 * 0.001 + 0.005, 1e-12);
	CU_ASSERT_DOUBLE_EQUAL(none.gain + none.offset_w, 0, 0);
	small_lab_free(&s);
}

static const struct unit_case cases[] = {
	{"channels of a meter stand in the order of the lab",
	 channels_of_a_meter_stand_in_the_order_of_the_lab},
	{"a channel shared by two devices is read once",
	 a_channel_shared_by_two_devices_is_read_once},
	{"each channel feeds the rail that it is wired to",
	 each_channel_feeds_the_rail_that_it_is_wired_to},
	{"accuracy is the worst gain and the sum of offsets",
	 accuracy_is_the_worst_gain_and_the_sum_of_offsets},
};

int main(void)
{
	return unit_run("wiring", cases, UNIT_COUNT(cases));
}

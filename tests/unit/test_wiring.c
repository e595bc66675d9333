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
	struct lab_feed *second = &s.target->devices[1].rails[0].feeds[LAB_FEED_POWER];

	second->channel[0] = 'A';
	CU_ASSERT_EQUAL(wiring_channels(s.target, 0, names), 1);
	CU_ASSERT_EQUAL(wiring_index(s.target, second), 0);
	small_lab_free(&s);
}

static void each_channel_is_taken_by_the_feed_that_it_is_wired_to(void)
{
	struct small_lab s = small_lab_new("");
	const struct lab_device *d = s.target->devices;
	const struct {
		size_t meter, channel;
		const struct lab_rail *rail;
	} rows[] = {{0, 0, &d[0].rails[0]},
		    {0, 1, &d[1].rails[0]},
		    {1, 0, &d[1].rails[1]},
		    {0, 2, NULL},
		    {7, 0, NULL}};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		enum lab_feed_kind kind = LAB_FEED_COUNT;
		const struct lab_feed *feed =
			wiring_feed(s.target, rows[i].meter, rows[i].channel, &kind);

		CU_ASSERT_PTR_EQUAL(feed,
				    rows[i].rail ? &rows[i].rail->feeds[LAB_FEED_POWER] : NULL);
		if (!feed)
			continue;
		CU_ASSERT_EQUAL(kind, LAB_FEED_POWER);
		CU_ASSERT_EQUAL(wiring_index(s.target, feed), rows[i].channel);
	}
	small_lab_free(&s);
}

static const char two_meters[] =
	"lab: vi\n"
	"meters:\n"
	"  - name: m12\n"
	"    spec: \"fake:v=12:a=2\"\n"
	"    rate: 100 Hz\n"
	"    accuracy:\n"
	"      voltage: {gain: 3 %, offset: 10 mV}\n"
	"      current: {gain: 4 %, offset: 5 mA}\n"
	"  - {name: m3, spec: \"fake:w=1\", rate: 100 Hz, accuracy: {gain: 1 %, offset: 1 mW}}\n"
	"targets:\n"
	"  - name: box\n"
	"    transport: \"exec:true\"\n"
	"    devices:\n"
	"      - bdf: \"0000:01:00.0\"\n"
	"        model: x\n"
	"        rails:\n"
	"          - {name: slot12, meter: m12, voltage: V1, current: I1}\n"
	"          - {name: aux12, meter: m12, voltage: V1, current: I2, factor: 2}\n"
	"          - {name: slot3, meter: m3, channel: P1}\n";

static void volts_and_amperes_are_channels_of_their_own(void)
{
	const char *names[WIRING_CHANNELS_MAX];
	enum lab_feed_kind kind;
	struct lab_accuracy a;
	struct err err = {""};
	struct lab *lab = NULL;

	CU_ASSERT_EQUAL(labfile_parse("vi.yaml", two_meters, &lab, &err), 0);
	CU_ASSERT_STRING_EQUAL(err.text, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(lab);
	CU_ASSERT_EQUAL_FATAL(wiring_channels(&lab->targets[0], 0, names), 3);
	CU_ASSERT_STRING_EQUAL(names[0], "V1");
	CU_ASSERT_STRING_EQUAL(names[1], "I1");
	CU_ASSERT_STRING_EQUAL(names[2], "I2");
	CU_ASSERT_PTR_NOT_NULL(wiring_feed(&lab->targets[0], 0, 0, &kind));
	CU_ASSERT_EQUAL(kind, LAB_FEED_VOLTAGE);
	CU_ASSERT_PTR_NOT_NULL(wiring_feed(&lab->targets[0], 0, 2, &kind));
	CU_ASSERT_EQUAL(kind, LAB_FEED_CURRENT);
	a = wiring_accuracy(lab, &lab->targets[0].devices[0]);
	CU_ASSERT_DOUBLE_EQUAL(a.gain, 0.05, 1e-12);
	CU_ASSERT_DOUBLE_EQUAL(a.offset_w, 0.001, 1e-12);
	lab_free(lab);
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
	{"each channel is taken by the feed that it is wired to",
	 each_channel_is_taken_by_the_feed_that_it_is_wired_to},
	{"volts and amperes are channels of their own",
	 volts_and_amperes_are_channels_of_their_own},
	{"accuracy is the worst gain and the sum of offsets",
	 accuracy_is_the_worst_gain_and_the_sum_of_offsets},
};

int main(void)
{
	return unit_run("wiring", cases, UNIT_COUNT(cases));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sampler.h"

#include <math.h>

#include "adm1272.h"
#include "probe_fake.h"
#include "unit.h"

static void codes_are_values_by_the_data_sheet(void)
{
	struct settings_channel c = {{300, 1000000, 0, 1000000, 0, INT32_MAX}};

	/* 100 * 487 / 4062 V; (10 * 2068 - 20480) / (663 * 0.3) A. */
	CU_ASSERT_EQUAL(adm1272_microvolts(&c, 487), 11989168);
	CU_ASSERT_EQUAL(adm1272_microamperes(&c, 2068), 1005530);
	CU_ASSERT_EQUAL(adm1272_microamperes(&c, 2048), 0);
	CU_ASSERT(adm1272_microamperes(&c, 2028) < 0);
	/* Ten times the resistor, a tenth of the current. */
	c.fields[SETTINGS_SENSE] = 3000;
	CU_ASSERT_EQUAL(adm1272_microamperes(&c, 2068), 100553);
}

static void gain_and_offset_calibrate(void)
{
	struct settings_channel c = {{300, 1010000, -5000, 990000, 12000, INT32_MAX}};

	CU_ASSERT_EQUAL(adm1272_microamperes(&c, 2068), 1015585 - 5000);
	CU_ASSERT_EQUAL(adm1272_microvolts(&c, 487), 11869276 + 12000);
}

static void values_end_where_their_type_ends(void)
{
	struct settings_channel c = {{10, 2000000, 0, 2000000, 0, INT32_MAX}};

	CU_ASSERT_EQUAL(adm1272_microamperes(&c, UINT16_MAX), INT32_MAX);
	CU_ASSERT_EQUAL(adm1272_microamperes(&c, 0), -INT32_MAX);
	CU_ASSERT_EQUAL(adm1272_microvolts(&c, UINT16_MAX), INT32_MAX);
}

static void energy_is_the_sum_of_trapezoids(void)
{
	int64_t w_uw, expected_pj = 0;

	fake_start();
	fake_tick();
	w_uw = sampler_newest(&fake_sampler, 0).uw;
	/* A ramp down to nothing, at uneven times. */
	for (int i = 0; i < 20; i++) {
		int64_t next_uw;

		fake.current[0] = (uint16_t)(2068 - i);
		fake.now_us += (uint64_t)i * 37;
		fake_tick();
		next_uw = sampler_newest(&fake_sampler, 0).uw;
		expected_pj += (w_uw + next_uw) * (FAKE_TICK_US + i * 37) / 2;
		w_uw = next_uw;
	}
	CU_ASSERT(fabs((double)(sampler_energy_nj(&fake_sampler, 0) - expected_pj / 1000)) <= 1);
	sampler_clear_energy(&fake_sampler, 0);
	CU_ASSERT_EQUAL(sampler_energy_nj(&fake_sampler, 0), 0);
	CU_ASSERT(sampler_energy_nj(&fake_sampler, 1) > 0);
}

static void small_power_adds_up_without_loss(void)
{
	int64_t uw;

	fake_start();
	fake_settings.channels[0].fields[SETTINGS_SENSE] = 10000000; /* 10 ohm: 30 uA a step */
	fake.current[0] = 2049;
	fake_tick();
	uw = sampler_newest(&fake_sampler, 0).uw;
	CU_ASSERT(uw > 0 && uw < 200000);
	for (int i = 0; i < 10000; i++)
		fake_tick();
	CU_ASSERT_EQUAL(sampler_energy_nj(&fake_sampler, 0), uw * 10000);
}

static void nothing_is_added_over_a_gap(void)
{
	int64_t before_nj;

	fake_start();
	fake_tick();
	fake_tick();
	before_nj = sampler_energy_nj(&fake_sampler, 0);
	CU_ASSERT(before_nj > 0);
	fake.chip[0] = false;
	fake_tick();
	CU_ASSERT_EQUAL(sampler_newest(&fake_sampler, 0).uw, SAMPLER_NONE);
	CU_ASSERT(sampler_newest(&fake_sampler, 1).uw > 0);
	fake.chip[0] = true;
	fake_tick();
	CU_ASSERT_EQUAL(sampler_energy_nj(&fake_sampler, 0), before_nj);
	CU_ASSERT_EQUAL(sampler_missed(&fake_sampler, 0), 1);
	fake_tick();
	CU_ASSERT(sampler_energy_nj(&fake_sampler, 0) > before_nj);
}

static void a_reading_is_the_mean_of_its_ticks(void)
{
	struct reading reading;
	int64_t sum_uw = 0;

	fake_start();
	fake_settings.average = 4;
	fake_tick();
	sampler_begin(&fake_sampler);
	for (int i = 0; i < 4; i++) {
		CU_ASSERT_FALSE(sampler_is_done(&fake_sampler));
		fake.current[2] = (uint16_t)(2068 + 10 * i);
		fake_tick();
		sum_uw += sampler_newest(&fake_sampler, 2).uw;
	}
	CU_ASSERT_TRUE(sampler_is_done(&fake_sampler));
	fake.current[2] = 4000;
	fake_tick();
	reading = sampler_reading(&fake_sampler, 2);
	CU_ASSERT(fabs((double)(reading.uw - sum_uw / 4)) <= 1);
	CU_ASSERT_EQUAL(reading.last_us - reading.first_us, 3 * FAKE_TICK_US);
}

static void the_latch_trips_after_samples_in_a_row_and_stays(void)
{
	fake_start();
	fake_settings.channels[1].fields[SETTINGS_LIMIT] = 2000000;
	for (int i = 0; i < 10; i++) {
		/* Twice over, once not: never enough. */
		fake.current[1] = i % 3 == 2 ? 2068 : 2200;
		fake_tick();
	}
	CU_ASSERT_FALSE(sampler_is_tripped(&fake_sampler, 1));
	fake.current[1] = 2200;
	for (int i = 0; i < SAMPLER_TRIP_AFTER; i++)
		fake_tick();
	CU_ASSERT_TRUE(sampler_is_tripped(&fake_sampler, 1));
	CU_ASSERT_FALSE(fake.operating[1]);
	CU_ASSERT_TRUE(fake.operating[0]);
	CU_ASSERT_EQUAL(sampler_take_trip(&fake_sampler), 1);
	CU_ASSERT_EQUAL(sampler_take_trip(&fake_sampler), -1);
	fake.current[1] = 2048;
	fake_tick();
	CU_ASSERT_TRUE(sampler_is_tripped(&fake_sampler, 1));
	CU_ASSERT_EQUAL(sampler_operate(&fake_sampler, 1, true), SAMPLER_LATCHED);
	sampler_clear_trip(&fake_sampler, 1);
	CU_ASSERT_EQUAL(sampler_operate(&fake_sampler, 1, true), 0);
	CU_ASSERT_TRUE(fake.operating[1]);
}

static void a_chip_that_does_not_switch_off_is_tried_again(void)
{
	fake_start();
	fake_settings.channels[1].fields[SETTINGS_LIMIT] = 2000000;
	fake.current[1] = 2200;
	fake.deaf = true;
	for (int i = 0; i < 10; i++)
		fake_tick();
	CU_ASSERT_FALSE(sampler_is_tripped(&fake_sampler, 1));
	fake.deaf = false;
	fake_tick();
	CU_ASSERT_TRUE(sampler_is_tripped(&fake_sampler, 1));
	CU_ASSERT_FALSE(fake.operating[1]);
}

static void the_buffer_keeps_the_newest_and_counts_what_it_lost(void)
{
	struct sample sample;

	fake_start();
	CU_ASSERT_FALSE(sampler_fetch(&fake_sampler, &sample));
	for (int i = 0; i < SAMPLER_RING + 5; i++)
		fake_tick();
	CU_ASSERT_EQUAL(sampler_waiting(&fake_sampler), SAMPLER_RING);
	CU_ASSERT_EQUAL(sampler_take_lost(&fake_sampler), 5);
	CU_ASSERT_EQUAL(sampler_take_lost(&fake_sampler), 0);
	for (uint64_t i = 0; i < SAMPLER_RING; i++) {
		CU_ASSERT_TRUE(sampler_fetch(&fake_sampler, &sample));
		CU_ASSERT_EQUAL(sample.t_us, (i + 6) * FAKE_TICK_US);
	}
	CU_ASSERT_FALSE(sampler_fetch(&fake_sampler, &sample));
}

static const struct unit_case cases[] = {
	{"codes are values by the data sheet", codes_are_values_by_the_data_sheet},
	{"gain and offset calibrate", gain_and_offset_calibrate},
	{"values end where their type ends", values_end_where_their_type_ends},
	{"energy is the sum of trapezoids", energy_is_the_sum_of_trapezoids},
	{"small power adds up without loss", small_power_adds_up_without_loss},
	{"nothing is added over a gap", nothing_is_added_over_a_gap},
	{"a reading is the mean of its ticks", a_reading_is_the_mean_of_its_ticks},
	{"the latch trips after samples in a row and stays",
	 the_latch_trips_after_samples_in_a_row_and_stays},
	{"a chip that does not switch off is tried again",
	 a_chip_that_does_not_switch_off_is_tried_again},
	{"the buffer keeps the newest and counts what it lost",
	 the_buffer_keeps_the_newest_and_counts_what_it_lost},
};

int main(void)
{
	(void)fake_ask;
	return unit_run("probe_sampler", cases, UNIT_COUNT(cases));
}

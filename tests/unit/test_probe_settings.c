/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "settings.h"

#include "probe_fake.h"
#include "unit.h"

static void a_record_brings_back_what_was_packed(void)
{
	uint8_t record[SETTINGS_RECORD_SIZE];
	struct settings a, b;

	settings_default(&a, &fake_board);
	a.rate_hz = 123;
	a.identity = SETTINGS_DP832;
	a.channels[3].fields[SETTINGS_CURRENT_OFFSET] = -77;
	settings_pack(&a, record);
	CU_ASSERT_TRUE(settings_unpack(&b, record));
	CU_ASSERT_EQUAL(b.rate_hz, 123);
	CU_ASSERT_EQUAL(b.identity, SETTINGS_DP832);
	for (size_t i = 0; i < PROBE_CHANNELS; i++) {
		for (size_t f = 0; f < SETTINGS_FIELDS; f++)
			CU_ASSERT_EQUAL(b.channels[i].fields[f], a.channels[i].fields[f]);
	}
}

static void any_damaged_byte_is_noticed(void)
{
	uint8_t record[SETTINGS_RECORD_SIZE];
	struct settings a, b = {.rate_hz = 99};

	settings_default(&a, &fake_board);
	settings_pack(&a, record);
	for (size_t i = 0; i < sizeof(record); i++) {
		record[i] ^= 0x10;
		CU_ASSERT_FALSE(settings_unpack(&b, record));
		record[i] ^= 0x10;
	}
	CU_ASSERT_EQUAL(b.rate_hz, 99);
	CU_ASSERT_TRUE(settings_unpack(&b, record));
}

static void defaults_are_valid_and_what_is_out_of_range_is_not(void)
{
	struct settings s;

	settings_default(&s, &fake_board);
	CU_ASSERT_TRUE(settings_valid(&s, &fake_board));
	for (size_t f = 0; f < SETTINGS_FIELDS; f++) {
		settings_default(&s, &fake_board);
		s.channels[1].fields[f] = settings_ranges[f].least - 1;
		CU_ASSERT_FALSE(settings_valid(&s, &fake_board));
		s.channels[1].fields[f] = settings_ranges[f].least;
		CU_ASSERT_TRUE(settings_valid(&s, &fake_board));
	}
	settings_default(&s, &fake_board);
	s.rate_hz = 0;
	CU_ASSERT_FALSE(settings_valid(&s, &fake_board));
	settings_default(&s, &fake_board);
	s.average = 0;
	CU_ASSERT_FALSE(settings_valid(&s, &fake_board));
	settings_default(&s, &fake_board);
	s.identity = SETTINGS_IDENTITIES;
	CU_ASSERT_FALSE(settings_valid(&s, &fake_board));
}

static void a_probe_starts_with_what_was_stored(void)
{
	fake_start();
	CU_ASSERT_STRING_EQUAL(
		fake_ask("CAL:RES 0.025,(@2);:SYST:COMM:EMUL DP832;:CAL:STOR;:SYST:ERR?"),
		"0,\"No error\"\n");
	dialog_start(&fake_dialog, &fake_board, &fake_settings, &fake_sampler);
	CU_ASSERT_EQUAL(fake_settings.identity, SETTINGS_DP832);
	CU_ASSERT_EQUAL(fake_settings.channels[1].fields[SETTINGS_SENSE], 25000);
	CU_ASSERT_EQUAL(fake_settings.channels[0].fields[SETTINGS_SENSE], 300);
}

static void stored_values_out_of_range_fail_the_self_test(void)
{
	struct settings bad;

	fake_start();
	settings_default(&bad, &fake_board);
	bad.rate_hz = 1000000;
	settings_pack(&bad, fake.record);
	dialog_start(&fake_dialog, &fake_board, &fake_settings, &fake_sampler);
	CU_ASSERT_EQUAL(fake_settings.rate_hz, 1000);
	CU_ASSERT_STRING_EQUAL(fake_ask("*TST?"), "32\n");
}

static const struct unit_case cases[] = {
	{"a record brings back what was packed", a_record_brings_back_what_was_packed},
	{"any damaged byte is noticed", any_damaged_byte_is_noticed},
	{"defaults are valid and what is out of range is not",
	 defaults_are_valid_and_what_is_out_of_range_is_not},
	{"a probe starts with what was stored", a_probe_starts_with_what_was_stored},
	{"stored values out of range fail the self test",
	 stored_values_out_of_range_fail_the_self_test},
};

int main(void)
{
	return unit_run("probe_settings", cases, UNIT_COUNT(cases));
}

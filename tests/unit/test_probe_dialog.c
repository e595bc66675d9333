/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialog.h"

#include "probe_fake.h"
#include "unit.h"

struct exchange {
	const char *line, *answer;
};

static void check(const struct exchange *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *answer = fake_ask(rows[i].line);

		if (strcmp(answer, rows[i].answer) != 0)
			fprintf(stderr, "%s: %s", rows[i].line, answer);
		CU_ASSERT_STRING_EQUAL(answer, rows[i].answer);
	}
}

static void the_probe_answers_for_itself(void)
{
	static const struct exchange rows[] = {
		{"*IDN?", "COLDRIG,SLOT PROBE FAKE,0,1.0\n"},
		{"*OPC?", "1\n"},
		{"*TST?", "0\n"},
		{"SYST:ERR?", "0,\"No error\"\n"},
		{"SYSTem:VERSion?", "1999.0\n"},
		{"MEAS:VOLT? (@1)", "11.989168\n"},
		{"meas:curr? (@2:3)", "1.005530,1.005530\n"},
		{"MEAS:POW? (@1,4)", "12.055468,12.055468\n"},
		{"FETC:VOLT? (@1)", "11.989168\n"},
		{"SAMP:RATE?", "1000\n"},
		{"OUTP? (@1:4)", "1,1,1,1\n"},
		{"DIAG:WDOG?", "0\n"},
		{"*OPC?;:MEAS:VOLT? (@1);*OPC?", "1;11.989168;1\n"},
		{"", ""},
		{" ; ;", ""},
		{"*CLS;*RST", ""},
		{"SYST:ERR?", "0,\"No error\"\n"},
	};

	fake_start();
	fake_tick();
	check(rows, UNIT_COUNT(rows));
}

static void what_is_wrong_is_queued_and_not_answered(void)
{
	static const struct exchange rows[] = {
		{"FOO", ""},
		{"SYST:ERR?", "-113,\"Undefined header\"\n"},
		{"MEAS:VOLT?", ""},
		{"SYST:ERR?", "-109,\"Missing parameter\"\n"},
		{"MEAS:VOLT? 1", ""},
		{"SYST:ERR?", "-104,\"Data type error\"\n"},
		{"MEAS:VOLT? (@5)", ""},
		{"SYST:ERR?", "-222,\"Data out of range\"\n"},
		{"MEAS:VOLT? (@1", ""},
		{"SYST:ERR?", "-102,\"Syntax error\"\n"},
		{"*IDN? 1", ""},
		{"SYST:ERR?", "-108,\"Parameter not allowed\"\n"},
		{"CAL:RES 0,(@1)", ""},
		{"SYST:ERR?", "-222,\"Data out of range\"\n"},
		{"CAL:RES 1", ""},
		{"SYST:ERR?", "-109,\"Missing parameter\"\n"},
		{"SAMP:RATE 1e6", ""},
		{"SYST:ERR?", "-222,\"Data out of range\"\n"},
		{"SYST:COMM:EMUL DP831", ""},
		{"SYST:ERR?", "-104,\"Data type error\"\n"},
		{"OUTP MAYBE,(@1)", ""},
		{"SYST:ERR?", "-104,\"Data type error\"\n"},
		{"SYST:ERR?", "0,\"No error\"\n"},
	};

	fake_start();
	check(rows, UNIT_COUNT(rows));
	CU_ASSERT_EQUAL(fake_settings.channels[0].fields[SETTINGS_SENSE], 300);
}

static void a_full_error_queue_says_so(void)
{
	fake_start();
	for (int i = 0; i < ERRQUEUE_SIZE + 3; i++)
		fake_ask("FOO");
	for (int i = 0; i < ERRQUEUE_SIZE - 1; i++)
		CU_ASSERT_STRING_EQUAL(fake_ask("SYST:ERR?"), "-113,\"Undefined header\"\n");
	CU_ASSERT_STRING_EQUAL(fake_ask("SYST:ERR?"), "-350,\"Queue overflow\"\n");
	CU_ASSERT_STRING_EQUAL(fake_ask("SYST:ERR?"), "0,\"No error\"\n");
}

static void a_line_that_is_too_long_is_no_command(void)
{
	char line[DIALOG_LINE_MAX + 20];

	fake_start();
	memset(line, ' ', sizeof(line) - 1);
	memcpy(line, "*IDN?", 5);
	line[sizeof(line) - 1] = '\0';
	CU_ASSERT_STRING_EQUAL(fake_ask(line), "");
	CU_ASSERT_STRING_EQUAL(fake_ask("SYST:ERR?"), "-363,\"Input buffer overrun\"\n");
	line[DIALOG_LINE_MAX] = '\0';
	CU_ASSERT_STRING_EQUAL(fake_ask(line), "COLDRIG,SLOT PROBE FAKE,0,1.0\n");
}

static void a_channel_without_a_chip_reads_as_no_number(void)
{
	fake_start();
	fake.chip[2] = false;
	sampler_start(&fake_sampler, &fake_board, &fake_settings);
	CU_ASSERT_STRING_EQUAL(fake_ask("MEAS:VOLT? (@2:3)"), "11.989168,9.91E+37\n");
	CU_ASSERT_STRING_EQUAL(fake_ask("SYST:ERR?"), "-241,\"Hardware missing\"\n");
	CU_ASSERT_STRING_EQUAL(fake_ask("MEAS:ENER? (@2,3)"), "0.000000,9.91E+37\n");
	CU_ASSERT_STRING_EQUAL(fake_ask("*TST?"), "4\n");
	fake_ask("SYST:COMM:EMUL DP832;:INST:NSEL 3");
	CU_ASSERT_STRING_EQUAL(fake_ask("MEAS:POWE?"), "");
}

static void sampling_that_stands_still_does_not_hang(void)
{
	fake_start();
	fake_ask("SAMP:AVER 10");
	fake.ticking = false;
	CU_ASSERT_STRING_EQUAL(fake_ask("MEAS:VOLT? (@1)"), "9.91E+37\n");
	CU_ASSERT_STRING_EQUAL(fake_ask("SYST:ERR?"), "-240,\"Hardware error\"\n");
	CU_ASSERT_STRING_EQUAL(fake_ask("*TST?"), "16\n");
}

static void calibration_is_told_and_used(void)
{
	static const struct exchange rows[] = {
		{"CAL:RES 0.003,(@1,2)", ""},
		{"CAL:RES? (@1:3)", "0.003000,0.003000,0.000300\n"},
		{"MEAS:CURR? (@1)", "0.100553\n"},
		{"CAL:CURR:GAIN 1.01,(@1);OFFS 0", ""},
		{"SYST:ERR?", "-113,\"Undefined header\"\n"},
		{"CAL:CURR:OFFS -1e-3,(@1)", ""},
		{"MEAS:CURR? (@1)", "0.100559\n"},
		{"CAL:VOLT:GAIN 0.5,(@1);:CAL:VOLT:OFFS 0.5,(@1)", ""},
		{"MEAS:VOLT? (@1)", "6.494584\n"},
		{"CURR:PROT 3,(@4);PROT? (@4)", ""},
		{"CURR:PROT? (@4)", "3.000000\n"},
	};

	fake_start();
	check(rows, UNIT_COUNT(rows));
}

static void an_overcurrent_is_reported_and_must_be_cleared(void)
{
	static const struct exchange rows[] = {
		{"SYST:ERR?", "302,\"Overcurrent, output 2 off\"\n"},
		{"OUTP:PROT:TRIP? (@1:4)", "0,1,0,0\n"},
		{"OUTP? (@2)", "0\n"},
		{"OUTP ON,(@2)", ""},
		{"SYST:ERR?", "-221,\"Settings conflict\"\n"},
		{"OUTP:PROT:CLE (@2);:OUTP ON,(@2);:OUTP? (@2)", "1\n"},
		{"OUTP OFF,(@1:4);:OUTP? (@1:4)", "0,0,0,0\n"},
		{"SYST:ERR?", "0,\"No error\"\n"},
	};

	fake_start();
	fake_ask("CURR:PROT 2,(@2)");
	fake.current[1] = 3000;
	for (int i = 0; i < SAMPLER_TRIP_AFTER; i++)
		fake_tick();
	dialog_poll(&fake_dialog);
	check(rows, UNIT_COUNT(rows));
}

static void silence_switches_off_where_it_was_asked_for(void)
{
	fake_start();
	fake.now_us += UINT64_C(100000000);
	dialog_poll(&fake_dialog);
	CU_ASSERT_STRING_EQUAL(fake_ask("OUTP? (@1)"), "1\n");
	CU_ASSERT_STRING_EQUAL(fake_ask("SYST:WDOG 2;:SYST:WDOG?"), "2.000000\n");
	fake.now_us += 1900000;
	dialog_poll(&fake_dialog);
	CU_ASSERT_STRING_EQUAL(fake_ask("OUTP? (@1)"), "1\n");
	fake.now_us += 2100000;
	dialog_poll(&fake_dialog);
	dialog_poll(&fake_dialog);
	CU_ASSERT_STRING_EQUAL(fake_ask("OUTP? (@1:4)"), "0,0,0,0\n");
	CU_ASSERT_STRING_EQUAL(fake_ask("SYST:ERR?"), "310,\"No command in time, outputs off\"\n");
	CU_ASSERT_STRING_EQUAL(fake_ask("SYST:ERR?"), "0,\"No error\"\n");
}

static uint32_t word_at(const char *p)
{
	return (uint32_t)(uint8_t)p[0] | (uint32_t)(uint8_t)p[1] << 8 |
	       (uint32_t)(uint8_t)p[2] << 16 | (uint32_t)(uint8_t)p[3] << 24;
}

static void buffered_samples_come_as_a_block_with_their_times(void)
{
	const char *p;

	fake_start();
	for (int i = 0; i < SAMPLER_RING + 2; i++)
		fake_tick();
	p = fake_ask("FETC:BUFF? 3");
	CU_ASSERT_EQUAL(fake.sent_n, 6 + 8 + 3 * 40 + 1);
	CU_ASSERT_EQUAL(memcmp(p, "#40128", 6), 0);
	CU_ASSERT_EQUAL(memcmp(p + 6, "\x01\x04\x28\x00", 4), 0);
	CU_ASSERT_EQUAL(word_at(p + 10), 2); /* lost */
	for (uint32_t i = 0; i < 3; i++) {
		const char *sample = p + 14 + 40 * i;

		CU_ASSERT_EQUAL(word_at(sample), (i + 3) * FAKE_TICK_US);
		CU_ASSERT_EQUAL(word_at(sample + 8), 11989168);
		CU_ASSERT_EQUAL(word_at(sample + 12), 1005530);
	}
	CU_ASSERT_EQUAL(p[14 + 120], '\n');
	fake_ask("BUFF:CLE");
	CU_ASSERT_EQUAL(memcmp(fake_ask("FETC:BUFF?"), "#40008", 6), 0);
	CU_ASSERT_STRING_EQUAL(fake_ask("FETC:BUFF? 0;:SYST:ERR?"), "-222,\"Data out of range\"\n");
}

/* What libsigrok 0.5.2 asks of a DP832. */
static void as_a_dp832_it_answers_libsigrok(void)
{
	static const struct exchange rows[] = {
		{"SYST:COMM:EMUL DP832", ""},
		{"*IDN?", "RIGOL TECHNOLOGIES,DP832,DP8C000001,00.01.16\n"},
		{"*OPC?", "1\n"},
		{"SYST:REMOTE", ""},
		{"SYST:BEEP:STAT?", "OFF\n"},
		{":INST:NSEL 2", ""},
		{":INST:NSEL?", "2\n"},
		{":INST?", "CH2\n"},
		{":MEAS:VOLT?", "11.9892\n"},
		{":MEAS:CURR?", "1.0055\n"},
		{":MEAS:POWE?", "12.0555\n"},
		{":MEAS:ALL?", "11.9892,1.0055,12.0555\n"},
		{":MEAS:POWE? CH3", "12.0555\n"},
		{":OUTP?", "ON\n"},
		{":OUTP CH2,OFF;:OUTP? CH2;:OUTP? CH1", "OFF;ON\n"},
		{":OUTP ON;:OUTP?", "ON\n"},
		{":OUTP:OCP:QUES?", "NO\n"},
		{":SOUR:VOLT 3", ""},
		{"SYST:ERR?", "-221,\"Settings conflict\"\n"},
		{":INST:NSEL 4", ""},
		{"SYST:ERR?", "-222,\"Data out of range\"\n"},
		{"MEAS:POW? (@1)", ""},
		{"SYST:ERR?", "-113,\"Undefined header\"\n"},
		{"SYST:COMM:EMUL?", "DP832\n"},
		{"SYST:COMM:EMUL NONE;*IDN?", "COLDRIG,SLOT PROBE FAKE,0,1.0\n"},
	};

	fake_start();
	check(rows, UNIT_COUNT(rows));
}

static const struct unit_case cases[] = {
	{"the probe answers for itself", the_probe_answers_for_itself},
	{"what is wrong is queued and not answered", what_is_wrong_is_queued_and_not_answered},
	{"a full error queue says so", a_full_error_queue_says_so},
	{"a line that is too long is no command", a_line_that_is_too_long_is_no_command},
	{"a channel without a chip reads as no number",
	 a_channel_without_a_chip_reads_as_no_number},
	{"sampling that stands still does not hang", sampling_that_stands_still_does_not_hang},
	{"calibration is told and used", calibration_is_told_and_used},
	{"an overcurrent is reported and must be cleared",
	 an_overcurrent_is_reported_and_must_be_cleared},
	{"silence switches off where it was asked for",
	 silence_switches_off_where_it_was_asked_for},
	{"buffered samples come as a block with their times",
	 buffered_samples_come_as_a_block_with_their_times},
	{"as a DP832 it answers libsigrok", as_a_dp832_it_answers_libsigrok},
};

int main(void)
{
	return unit_run("probe_dialog", cases, UNIT_COUNT(cases));
}

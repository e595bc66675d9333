/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drivers of libsigrok that a lab is likely to need, each read once. */
#include "fake_tty.h"
#include "meter_hear.h"

#define READINGS 60

static void is_read(const char *driver, const char *identity, bool on_terminal,
		    const char *const *channels, size_t n, const char *const *units)
{
	struct scpi_server server = {.identity = identity};
	struct meter_options options = hear_options(NULL, channels, n);
	struct meter_keep *keep = NULL;
	struct err err = {""};
	char spec[128];

	scpi_server_launch(&server, on_terminal ? -1 : 0);
	if (on_terminal)
		snprintf(spec, sizeof(spec), "%s:conn=%s:serialcomm=115200/8n1", driver,
			 server.terminal);
	else
		snprintf(spec, sizeof(spec), "%s:conn=tcp-raw/127.0.0.1/%d", driver, server.port);
	options.spec = spec;
	heard.of = NULL;
	CU_ASSERT_EQUAL_FATAL(meter_keep_open(&options, &keep, &err), 0);
	hear_until((struct ear){.keep = keep}, READINGS, true, 10 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, READINGS);
	if (heard.lost)
		printf(" [lost: %s] ", heard.lost_text);
	expect_faithful(&server, channels);
	for (size_t i = 0; i < heard.events_n; i++) {
		const struct meter_event *event = &heard.events[i];

		if (event->kind == METER_EVENT_CHANNEL)
			CU_ASSERT_STRING_EQUAL(event->unit, units[event->channel]);
	}
	CU_ASSERT_EQUAL(heard_count(METER_EVENT_CHANNEL), n);
	meter_keep_close(keep);
	if (identity != scpi_hmc8043) /* its driver has no last word */
		CU_ASSERT_TRUE(scpi_server_left(&server));
	scpi_server_stop(&server);
}

static void dp832(void)
{
	static const char *const channels[] = {"V1", "I1", "P1", "V3", "I3"};
	static const char *const units[] = {"V", "A", "W", "V", "A"};

	is_read("scpi-pps", scpi_dp832, false, channels, 5, units);
	is_read("scpi-pps", scpi_dp832, true, channels, 5, units);
}

static void hmc8043(void)
{
	static const char *const channels[] = {"V1", "I1", "V2", "I2"};
	static const char *const units[] = {"V", "A", "V", "A"};

	is_read("scpi-pps", scpi_hmc8043, false, channels, 4, units);
}

/* libsigrok calls a multimeter's only channel P1. */
static const char *const p1[] = {"P1"};
static const char *const volt[] = {"V"};

static void a34405a(void)
{
	is_read("scpi-dmm", scpi_34405a, false, p1, 1, volt);
	is_read("scpi-dmm", scpi_34405a, true, p1, 1, volt);
}

static void a34401a(void)
{
	is_read("scpi-dmm", scpi_34401a, false, p1, 1, volt);
}

static void demo(void)
{
	static const char *const channels[] = {"A0", "A1"};
	struct meter_options options = hear_options("demo", channels, 2);
	struct meter_keep *keep = NULL;

	heard.of = NULL;
	CU_ASSERT_EQUAL_FATAL(meter_keep_open(&options, &keep, NULL), 0);
	hear_until((struct ear){.keep = keep}, 1000, true, 10 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, 1000);
	CU_ASSERT_PTR_NOT_NULL_FATAL(heard_kind(METER_EVENT_CHANNEL));
	CU_ASSERT_STRING_EQUAL(heard_kind(METER_EVENT_CHANNEL)->unit, "V");
	for (size_t i = 0; i < heard.samples_n; i++)
		CU_ASSERT(heard.samples[i].value >= -10 && heard.samples[i].value <= 10);
	meter_keep_close(keep);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"Rigol DP832: volts, amperes, watts", dp832},
		{"Rohde & Schwarz HMC8043: volts, amperes", hmc8043},
		{"Agilent 34405A", a34405a},
		{"Agilent 34401A", a34401a},
		{"demo", demo},
	};

	return unit_run("meter_drivers", cases, UNIT_COUNT(cases));
}

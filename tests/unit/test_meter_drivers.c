/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drivers of libsigrok that a lab is likely to need, each read once. */
#include "fake_tty.h"
#include "meter_hear.h"

#define READINGS 60

static struct meter_identity identity; /* of the meter that was read last */

/* Its process has let go of the meter by itself, and was not killed for silence. */
static void ends_in_order(struct meter_keep *keep)
{
	CU_ASSERT_TRUE(meter_keep_stop(keep));
	hear_until((struct ear){.keep = keep}, SAMPLES, true, 10 * SECOND);
	CU_ASSERT_PTR_NOT_NULL_FATAL(heard_kind(METER_EVENT_LOST));
	CU_ASSERT_TRUE(heard_kind(METER_EVENT_LOST)->complete);
	CU_ASSERT_STRING_EQUAL(heard.lost_text, "stopped");
}

static void is_read(const char *driver, const char *idn, enum scpi_line line,
		    const char *const *channels, size_t n, const char *const *units)
{
	struct scpi_server server = {.identity = idn, .line = line};
	struct meter_options options = hear_options(NULL, channels, n);
	struct meter_keep *keep = NULL;
	struct err err = {""};
	char spec[128];

	scpi_server_launch(&server);
	scpi_server_spec(&server, driver, spec);
	options.spec = spec;
	heard.of = NULL;
	CU_ASSERT_EQUAL_FATAL(meter_keep_open(&options, &keep, &err), 0);
	hear_until((struct ear){.keep = keep}, READINGS, true, 10 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, READINGS);
	if (heard.lost)
		printf(" [lost: %s] ", heard.lost_text);
	expect_faithful(&server, channels);
	CU_ASSERT_PTR_NOT_NULL_FATAL(heard_kind(METER_EVENT_READY));
	identity = heard_kind(METER_EVENT_READY)->identity;
	for (size_t i = 0; i < heard.events_n; i++) {
		const struct meter_event *event = &heard.events[i];

		if (event->kind == METER_EVENT_CHANNEL)
			CU_ASSERT_STRING_EQUAL(event->unit, units[event->channel]);
	}
	CU_ASSERT_EQUAL(heard_count(METER_EVENT_CHANNEL), n);
	ends_in_order(keep);
	meter_keep_close(keep);
	if (idn != scpi_hmc8043) /* its driver has no last word */
		CU_ASSERT_TRUE(scpi_server_left(&server));
	scpi_server_stop(&server);
}

static void dp832(void)
{
	static const char *const channels[] = {"V1", "I1", "P1", "V3", "I3"};
	static const char *const units[] = {"V", "A", "W", "V", "A"};

	is_read("scpi-pps", scpi_dp832, SCPI_TCP, channels, 5, units);
	is_read("scpi-pps", scpi_dp832, SCPI_TERMINAL, channels, 5, units);
	is_read("scpi-pps", scpi_dp832, SCPI_RIGOL, channels, 5, units);
}

/* It would be another meter's when it comes in one. */
static void identity_in_two_lines(void)
{
	static const char *const channels[] = {"V1"};
	static const char *const units[] = {"V"};

	is_read("scpi-pps",
		"RIGOL TECHNOLOGIES,DP832,DP8C000001,00.01.16\n"
		"RIGOL TECHNOLOGIES,DP832,DP8C000001,00.01.16",
		SCPI_TCP, channels, 1, units);
	CU_ASSERT_STRING_EQUAL(identity.version, "00.01.16");
	CU_ASSERT_STRING_EQUAL(identity.serial, "DP8C000001");
}

static void hmc8043(void)
{
	static const char *const channels[] = {"V1", "I1", "V2", "I2"};
	static const char *const units[] = {"V", "A", "V", "A"};

	is_read("scpi-pps", scpi_hmc8043, SCPI_TCP, channels, 4, units);
}

/* libsigrok calls a multimeter's only channel P1. */
static const char *const p1[] = {"P1"};
static const char *const volt[] = {"V"};

static void a34405a(void)
{
	is_read("scpi-dmm", scpi_34405a, SCPI_TCP, p1, 1, volt);
	is_read("scpi-dmm", scpi_34405a, SCPI_TERMINAL, p1, 1, volt);
	is_read("scpi-dmm", scpi_34405a, SCPI_RIGOL, p1, 1, volt);
}

static void a34401a(void)
{
	is_read("scpi-dmm", scpi_34401a, SCPI_TCP, p1, 1, volt);
}

/* Of the same channel: A1's packet comes some microseconds after A0's, with values that are as old. */
static void expect_errors_since_the_packet_before(void)
{
	int64_t last_ns[2] = {0};
	unsigned wrong = 0;

	for (size_t i = 0; i < heard.samples_n; i++) {
		const struct meter_sample *s = &heard.samples[i];

		if (last_ns[s->channel] && last_ns[s->channel] != s->t_ns)
			wrong += s->error_ns != s->t_ns - last_ns[s->channel];
		last_ns[s->channel] = s->t_ns;
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void demo(void)
{
	static const char *const channels[] = {"A0", "A1"};
	struct meter_options options = hear_options("demo:samplerate=1000", channels, 2);
	struct meter_keep *keep = NULL;

	heard.of = NULL;
	CU_ASSERT_EQUAL_FATAL(meter_keep_open(&options, &keep, NULL), 0);
	hear_until((struct ear){.keep = keep}, 1000, true, 10 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, 1000);
	CU_ASSERT_PTR_NOT_NULL_FATAL(heard_kind(METER_EVENT_CHANNEL));
	CU_ASSERT_STRING_EQUAL(heard_kind(METER_EVENT_CHANNEL)->unit, "V");
	for (size_t i = 0; i < heard.samples_n; i++)
		CU_ASSERT(heard.samples[i].value >= -10 && heard.samples[i].value <= 10);
	expect_errors_since_the_packet_before();
	meter_keep_close(keep);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"Rigol DP832: volts, amperes, watts", dp832},
		{"an identity in two lines", identity_in_two_lines},
		{"Rohde & Schwarz HMC8043: volts, amperes", hmc8043},
		{"Agilent 34405A", a34405a},
		{"Agilent 34401A", a34401a},
		{"demo", demo},
	};

	return unit_run("meter_drivers", cases, UNIT_COUNT(cases));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libsigrok's rdtech-dps: Modbus RTU on a serial line, with each fault that it can have. */
#include <math.h>

#include "fake_tty.h"
#include "meter_faults.h"
#include "modbus_server.h"

static const char *const all[] = {"V", "I", "P"};

static void dps_spec(const struct modbus_server *server, char spec[static 128])
{
	snprintf(spec, 128, "rdtech-dps:conn=%s:serialcomm=115200/8n1", server->terminal);
}

static struct meter_keep *keep_dps(struct modbus_server *server)
{
	char spec[128];

	modbus_server_launch(server);
	dps_spec(server, spec);
	return keep_spec(spec, all, 3);
}

/* The server's number in a reading: a DPS5005 has hundredths of V and W, thousandths of A. */
static unsigned number(const struct meter_sample *s)
{
	double n = s->value * (s->channel == 1 ? 1000.0 : 100.0);

	return fabs(n - round(n)) < 1e-3 && n > 0.5 && n < SCPI_LOG_SIZE ? (unsigned)round(n) : 0;
}

/* Each was measured, of a whole answer, at a moment within its time and error. */
static void expect_true(const struct modbus_server *server)
{
	unsigned wrong_value = 0, wrong_time = 0, disorder = 0, last[3] = {0};

	for (size_t i = 0; i < heard.samples_n; i++) {
		const struct meter_sample *s = &heard.samples[i];
		unsigned n = number(s);
		int64_t off_ns = n ? server->shared->measured_ns[n] - s->t_ns : 0;

		wrong_value += !n || n > server->shared->answers;
		wrong_time += off_ns > s->error_ns || off_ns < -s->error_ns;
		disorder += n <= last[s->channel];
		last[s->channel] = n;
	}
	CU_ASSERT_EQUAL(wrong_value, 0);
	CU_ASSERT_EQUAL(wrong_time, 0);
	CU_ASSERT_EQUAL(disorder, 0);
}

static void is_read(void)
{
	static const char *const units[] = {"V", "A", "W"};
	struct modbus_server server = {.fault = MODBUS_GOOD};
	struct meter_keep *keep = keep_dps(&server);

	hear(keep, 300, 10 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, 300);
	CU_ASSERT_EQUAL(heard_count(METER_EVENT_CHANNEL), 3);
	for (size_t i = 0; i < heard.events_n; i++) {
		const struct meter_event *event = &heard.events[i];

		if (event->kind == METER_EVENT_CHANNEL)
			CU_ASSERT_STRING_EQUAL(event->unit, units[event->channel]);
	}
	CU_ASSERT_STRING_EQUAL(heard_kind(METER_EVENT_READY)->identity.model, "DPS5005");
	expect_true(&server);
	CU_ASSERT_TRUE(server.shared->locked);
	meter_keep_close(keep);
	CU_ASSERT_FALSE(server.shared->locked); /* its keys are given back */
	modbus_server_stop(&server);
}

static void times_are_true_of_a_slow_one(void)
{
	struct modbus_server server = {.fault = MODBUS_GOOD, .delay_us = 15000};
	struct meter_keep *keep = keep_dps(&server);

	hear(keep, 60, 10 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, 60);
	expect_true(&server);
	for (size_t i = 0; i < heard.samples_n; i++)
		CU_ASSERT(heard.samples[i].error_ns < SECOND / 10); /* 15 ms, and a busy machine */
	meter_keep_close(keep);
	modbus_server_stop(&server);
}

static void dps_lost_and_back(enum modbus_fault fault, const char *word)
{
	struct modbus_server server = {.fault = fault, .fault_at = AT};
	struct meter_keep *keep = keep_dps(&server);
	int64_t last_ns;

	hear_loss(keep, 10 * SECOND);
	expect_text(heard_kind(METER_EVENT_LOST), word);
	CU_ASSERT_EQUAL_FATAL(heard.samples_n, 3 * (AT - 1));
	expect_true(&server);
	last_ns = heard.samples[heard.samples_n - 1].t_ns;
	CU_ASSERT(heard_kind(METER_EVENT_LOST)->t_ns - last_ns < patient(2 * SECOND));

	hear(keep, 60, 10 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, 60);
	CU_ASSERT_EQUAL(heard_count(METER_EVENT_READY), 1);
	expect_true(&server);
	meter_keep_close(keep);
	modbus_server_stop(&server);
}

static void stall(void)
{
	dps_lost_and_back(MODBUS_STALL, "no answer for 0.5 s");
}

static void half_then_nothing(void)
{
	dps_lost_and_back(MODBUS_HALF, "no answer for 0.5 s");
}

static void nothing_but_noise(void)
{
	dps_lost_and_back(MODBUS_NOISE, hear_words("no reading for", SILENCE));
}

/* libsigrok waits 0.5 s and asks anew: this answer would be that one's, and each later one too old. */
static void late(void)
{
	struct modbus_server server = {.fault = MODBUS_LATE, .fault_at = AT};
	struct meter_options options = {
		.channels = all, .channels_n = 3, .rate_hz = 1000.0, .silence_ns = 2 * SECOND};
	struct meter_keep *keep = NULL;
	char spec[128];

	modbus_server_launch(&server);
	dps_spec(&server, spec);
	options.spec = spec;
	heard.of = NULL;
	CU_ASSERT_EQUAL_FATAL(meter_keep_open(&options, &keep, NULL), 0);
	hear(keep, 6 * AT, 5 * SECOND);
	expect_text(heard_kind(METER_EVENT_LOST), "no answer for 0.5 s");
	expect_true(&server);
	CU_ASSERT_EQUAL(heard.samples_n, 6 * AT); /* and back */
	meter_keep_close(keep);
	modbus_server_stop(&server);
}

static void hung_up(void)
{
	struct modbus_server server = {.fault = MODBUS_HANG_UP, .fault_at = AT};
	struct meter_keep *keep = keep_dps(&server);

	hear_loss(keep, 10 * SECOND);
	expect_text(heard_kind(METER_EVENT_LOST), "the serial line ended");
	CU_ASSERT_EQUAL(heard.samples_n, 3 * (AT - 1));
	expect_true(&server);
	meter_keep_close(keep);
	modbus_server_stop(&server);
}

static void dps_fourths_are_dropped(enum modbus_fault fault, const char *word)
{
	struct modbus_server server = {.fault = fault};
	struct meter_keep *keep = keep_dps(&server);
	size_t fourths = 0;

	hear(keep, 150, 10 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, 150);
	CU_ASSERT_FALSE(heard.lost_once);
	expect_true(&server);
	for (size_t i = 0; i < heard.samples_n; i++)
		fourths += number(&heard.samples[i]) % 4 == 0;
	CU_ASSERT_EQUAL(fourths, 0);
	expect_text(heard_kind(METER_EVENT_NOTE), word);
	meter_keep_close(keep);
	modbus_server_stop(&server);
}

static void wrong_checksum(void)
{
	dps_fourths_are_dropped(MODBUS_BAD_SUM, "wrong checksum");
}

static void refused(void)
{
	dps_fourths_are_dropped(MODBUS_REFUSE, "the device is busy");
}

static void of_another_device(void)
{
	dps_fourths_are_dropped(MODBUS_STRANGER, "not an answer to the question");
}

static void too_short(void)
{
	dps_fourths_are_dropped(MODBUS_SHORT, "not an answer to the question");
}

static void noise_before_an_answer(void)
{
	dps_fourths_are_dropped(MODBUS_GARBLE, "not an answer to the question");
}

static void twice(void)
{
	dps_fourths_are_dropped(MODBUS_CHATTY, "more than one answer");
}

static void in_pieces(void)
{
	struct modbus_server server = {.fault = MODBUS_SPLIT};
	struct meter_keep *keep = keep_dps(&server);

	hear(keep, 30, 10 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, 30);
	CU_ASSERT_FALSE(heard.lost_once);
	CU_ASSERT_EQUAL(heard_count(METER_EVENT_NOTE), 0);
	expect_true(&server);
	meter_keep_close(keep);
	modbus_server_stop(&server);
}

static void nobody_answers(void)
{
	struct modbus_server server = {.fault = MODBUS_MUTE};
	int64_t start = scpi_now_ns();
	struct meter_keep *keep = keep_dps(&server);

	hear_loss(keep, 10 * SECOND);
	expect_text(heard_kind(METER_EVENT_LOST), "no such meter found");
	CU_ASSERT(scpi_now_ns() - start < patient(3 * SECOND));
	CU_ASSERT_EQUAL(heard.samples_n, 0);
	meter_keep_close(keep);
	modbus_server_stop(&server);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"volts, amperes and watts are read", is_read},
		{"times are true of a slow one", times_are_true_of_a_slow_one},
		{"nobody answers", nobody_answers},
		{"it stalls", stall},
		{"half an answer, then nothing", half_then_nothing},
		{"nothing but noise", nothing_but_noise},
		{"an answer later than the driver waits", late},
		{"the line is hung up", hung_up},
		{"wrong checksums", wrong_checksum},
		{"exceptions", refused},
		{"answers of another device", of_another_device},
		{"answers that are too short", too_short},
		{"noise before an answer", noise_before_an_answer},
		{"an answer comes twice", twice},
		{"answers in pieces", in_pieces},
	};

	return unit_run("meter_modbus", cases, UNIT_COUNT(cases));
}

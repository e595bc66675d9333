/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An instrument on USB, with each fault that it can have. */
#include "meter_faults.h"
#include "usbtmc_fake.h"

static const char *const p1[] = {"P1"};

static struct meter_keep *start_usb(const struct usbtmc_fake *like, const char *spec,
				    UMockdevTestbed **testbed)
{
	*testbed = usbtmc_start(like);
	return keep_spec(spec, p1, 1);
}

static void found_by(const char *spec, const char *identity)
{
	const struct usbtmc_fake like = {.server = {.identity = identity}};
	UMockdevTestbed *testbed;
	struct meter_keep *keep = start_usb(&like, spec, &testbed);

	hear(keep, 50, 5 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, 50);
	if (heard.lost_once)
		printf(" [%s] ", heard.lost_text);
	expect_faithful(&usbtmc.server, p1);
	CU_ASSERT_TRUE(usbtmc.remote);
	meter_keep_close(keep);
	CU_ASSERT_FALSE(usbtmc.remote); /* the front panel is given back */
	usbtmc_stop(testbed);
}

static void is_read(void)
{
	found_by("scpi-dmm:conn=usbtmc/1.2", scpi_34405a);
	found_by("scpi-dmm:conn=usbtmc/0957.0618", scpi_34405a);
	found_by("scpi-pps:conn=usbtmc/1.2", scpi_dp832);
}

static void is_found_by_itself(void)
{
	found_by("scpi-dmm", scpi_34405a);
	found_by("scpi-pps", scpi_dp832);
}

/* Lost within 2 s with words, after that what the server says is read again. */
static void usb_lost_and_back(struct usbtmc_fake like, const char *word)
{
	UMockdevTestbed *testbed;
	struct meter_keep *keep;
	int64_t last_ns;

	like.server.identity = scpi_dp832;
	like.fault_at = like.server.fault_at = AT;
	keep = start_usb(&like, "scpi-pps:conn=usbtmc/1.2", &testbed);
	hear_loss(keep, 10 * SECOND);
	expect_text(heard_kind(METER_EVENT_LOST), word);
	CU_ASSERT_EQUAL(heard.samples_n, AT - 1);
	expect_faithful(&usbtmc.server, p1);
	last_ns = heard.samples_n ? heard.samples[heard.samples_n - 1].t_ns : 0;
	CU_ASSERT(heard.lost && heard_kind(METER_EVENT_LOST)->t_ns - last_ns < patient(2 * SECOND));

	usbtmc.fault = USBTMC_GOOD;
	umock_usb.unplugged = false;
	usbtmc_replace(SCPI_GOOD);
	hear(keep, 30, 10 * SECOND);
	CU_ASSERT_EQUAL(heard_count(METER_EVENT_READY), 1);
	CU_ASSERT_EQUAL(heard.samples_n, 30);
	expect_faithful(&usbtmc.server, p1);
	meter_keep_close(keep);
	usbtmc_stop(testbed);
}

static void stall(void)
{
	usb_lost_and_back((struct usbtmc_fake){.server.fault = SCPI_STALL},
			  hear_words("no answer for", SILENCE / 4 * 3));
}

static void halted(void)
{
	usb_lost_and_back((struct usbtmc_fake){.fault = USBTMC_HALT}, "USB: the meter halted it");
}

static void unplugged(void)
{
	usb_lost_and_back((struct usbtmc_fake){.fault = USBTMC_UNPLUGGED}, "unplugged");
}

static void to_another_question(void)
{
	usb_lost_and_back((struct usbtmc_fake){.fault = USBTMC_WRONG_TAG},
			  "not an answer to the question");
}

static void nothing_but_letters(void)
{
	usb_lost_and_back((struct usbtmc_fake){.server.fault = SCPI_MAD},
			  hear_words("no reading for", SILENCE));
}

static void usb_fourths_are_dropped(struct scpi_server server, const char *word)
{
	struct usbtmc_fake like = {.server = server};
	UMockdevTestbed *testbed;
	struct meter_keep *keep;
	size_t fourths = 0;

	like.server.identity = scpi_dp832;
	keep = start_usb(&like, "scpi-pps:conn=usbtmc/1.2", &testbed);
	hear(keep, 40, 10 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, 40);
	CU_ASSERT_FALSE(heard.lost_once);
	expect_faithful(&usbtmc.server, p1);
	for (size_t i = 0; i < heard.samples_n; i++)
		fourths += fmod(heard.samples[i].value, 4.0) == 0.0;
	CU_ASSERT_EQUAL(fourths, 0);
	expect_text(heard_kind(METER_EVENT_NOTE), word);
	meter_keep_close(keep);
	usbtmc_stop(testbed);
}

static void letters(void)
{
	usb_fourths_are_dropped((struct scpi_server){.fault = SCPI_GARBLE}, "no number '4q7'");
}

static void empty_answers(void)
{
	usb_fourths_are_dropped((struct scpi_server){.fault = SCPI_EMPTY}, "no number ''");
}

static void nul_answers(void)
{
	usb_fourths_are_dropped((struct scpi_server){.fault = SCPI_NUL}, "no number");
}

static void double_answers(void)
{
	usb_fourths_are_dropped((struct scpi_server){.fault = SCPI_DOUBLE}, "more than one answer");
}

static void overload(void)
{
	static const char *const says[] = {"+9.9E+37", NULL};

	usb_fourths_are_dropped((struct scpi_server){.fault = SCPI_SAYS, .says = says}, "overload");
}

static void in_pieces(void)
{
	const struct usbtmc_fake like = {.fault = USBTMC_PIECES,
					 .server = {.identity = scpi_dp832}};
	UMockdevTestbed *testbed;
	struct meter_keep *keep = start_usb(&like, "scpi-pps:conn=usbtmc/1.2", &testbed);

	hear(keep, 40, 10 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, 40);
	CU_ASSERT_FALSE(heard.lost_once);
	CU_ASSERT_EQUAL(heard_count(METER_EVENT_NOTE), 0);
	expect_faithful(&usbtmc.server, p1);
	meter_keep_close(keep);
	usbtmc_stop(testbed);
}

static void idn_is_not_answered(void)
{
	const struct usbtmc_fake like = {
		.server = {.identity = scpi_dp832, .fault = SCPI_MUTE_IDN}};
	struct meter_options options = hear_options("scpi-pps:conn=usbtmc/1.2", p1, 1);
	int64_t start = scpi_now_ns();
	UMockdevTestbed *testbed = usbtmc_start(&like);
	struct meter_keep *keep;

	options.start_ns = START_LIMIT;
	keep = keep_options(&options);
	hear_loss(keep, 10 * SECOND);
	expect_text(heard_kind(METER_EVENT_LOST), hear_words("not ready after", START_LIMIT));
	CU_ASSERT_PTR_NOT_NULL_FATAL(heard_kind(METER_EVENT_LOST));
	CU_ASSERT(heard_kind(METER_EVENT_LOST)->t_ns - start < patient(3 * SECOND));
	meter_keep_close(keep);
	usbtmc_stop(testbed);
}

static const struct unit_case cases[] = {
	{"it is read", is_read},
	{"it is found by itself", is_found_by_itself},
	{"answers in pieces", in_pieces},
	{"*IDN? is not answered", idn_is_not_answered},
	{"it stalls", stall},
	{"the endpoint is halted", halted},
	{"it is unplugged", unplugged},
	{"an answer to another question", to_another_question},
	{"nothing but letters", nothing_but_letters},
	{"answers with letters", letters},
	{"empty answers", empty_answers},
	{"answers that begin with NUL", nul_answers},
	{"two answers to one question", double_answers},
	{"an overload", overload},
};

int main(int argc, char **argv)
{
	(void)argc;
	umock_preload(argv);
	return unit_run("meter_usb", cases, UNIT_COUNT(cases));
}

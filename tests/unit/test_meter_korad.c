/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libsigrok's korad-kaxxxxp: questions and answers without an end, on a serial line, with its faults. */
#include "fake_tty.h"
#include "meter_faults.h"

enum korad_fault {
	KORAD_STALL,   /* from answer fault_at on, until it is opened again, as the next two */
	KORAD_HALF,    /* half of answer fault_at, then nothing */
	KORAD_HANG_UP, /* instead of answer fault_at, and for good */
	KORAD_LETTERS, /* every fourth answer has one in it */
	KORAD_CHATTY,  /* every fourth answer comes twice */
	KORAD_SPLIT    /* answers come in two pieces */
};

static struct korad {
	pid_t pid;
	int master;
	char terminal[64];
	enum korad_fault fault;
	unsigned fault_at;
	struct {
		_Atomic unsigned answers, opened;
		_Atomic int64_t query_ns[SCPI_LOG_SIZE], answer_ns[SCPI_LOG_SIZE];
	} * shared;
} korad;

static const char *const both[] = {"V", "I"};

/* Answer n to a question for a reading is the number n, in hundredths of V and thousandths of A. */
static void korad_measure(bool volts)
{
	unsigned n = korad.shared->answers + 1;
	bool broken = korad.fault_at && n >= korad.fault_at && korad.shared->opened < 2;
	char text[16];

	korad.shared->query_ns[n] = scpi_now_ns();
	snprintf(text, sizeof(text), volts ? "%05.2f" : "%05.3f", n / (volts ? 100.0 : 1000.0));
	if (broken && korad.fault == KORAD_HANG_UP)
		_exit(0);
	if (broken && korad.fault == KORAD_HALF)
		scpi_write(korad.master, text, 3);
	if (broken && korad.fault <= KORAD_HALF)
		return;
	if (n % 4 == 0 && korad.fault == KORAD_LETTERS)
		text[4] = 'q';
	korad.shared->answer_ns[n] = scpi_now_ns();
	korad.shared->answers = n;
	if (korad.fault == KORAD_SPLIT) {
		scpi_write(korad.master, text, 2);
		usleep(20000);
		scpi_write(korad.master, text + 2, 3);
	} else {
		scpi_write(korad.master, text, 5);
	}
	if (n % 4 == 0 && korad.fault == KORAD_CHATTY)
		scpi_write(korad.master, text, 5);
}

static void korad_answer(const char *question)
{
	/* As long as the driver's buffer, for which it would wait some seconds. */
	static const char identity[34] = "KORADKA3005PV2.0";

	if (strcmp(question, "*IDN?") == 0) {
		korad.shared->opened++;
		scpi_write(korad.master, identity, sizeof(identity));
	} else if (strstr(question, "OUT1?")) {
		korad_measure(question[0] == 'V');
	} else if (strstr(question, "SET1?")) {
		scpi_write(korad.master, "01.00", 5);
	} else {
		scpi_write(korad.master, "\x51", 1);
	}
}

static void korad_run(void)
{
	char question[32] = "";
	size_t n = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(korad.master, question + n, 1) == 1) {
		n++;
		if (question[n - 1] != '?' && n < sizeof(question) - 1)
			continue;
		question[n] = '\0';
		n = 0;
		korad_answer(question);
	}
	_exit(0);
}

static struct meter_keep *korad_start(enum korad_fault fault, unsigned fault_at)
{
	struct scpi_server terminal = {.line = SCPI_TERMINAL};
	struct meter_options options;
	struct meter_keep *keep = NULL;
	char spec[128];

	korad = (struct korad){.fault = fault, .fault_at = fault_at};
	korad.shared = mmap(NULL, sizeof(*korad.shared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	scpi_open_terminal(&terminal);
	korad.master = terminal.listener;
	korad.pid = fork();
	if (korad.pid == 0)
		korad_run();
	close(korad.master);
	snprintf(spec, sizeof(spec), "korad-kaxxxxp:conn=%s:serialcomm=115200/8n1",
		 terminal.terminal);
	options = hear_options(spec, both, 2);
	options.start_ns = patient(5 * SECOND);
	options.silence_ns =
		patient(2 * SECOND); /* as in a run: the driver pauses 80 ms after each question */
	heard.of = NULL;
	CU_ASSERT_EQUAL_FATAL(meter_keep_open(&options, &keep, NULL), 0);
	return keep;
}

static void korad_stop(struct meter_keep *keep)
{
	meter_keep_close(keep);
	kill(korad.pid, SIGKILL);
	waitpid(korad.pid, NULL, 0);
	munmap(korad.shared, sizeof(*korad.shared));
}

static unsigned number(const struct meter_sample *s)
{
	double n = s->value * (s->channel ? 1000.0 : 100.0);

	return fabs(n - round(n)) < 1e-3 && n > 0.5 && n < SCPI_LOG_SIZE ? (unsigned)round(n) : 0;
}

/* Each is an answer that was given, once, within its time. */
static void expect_true(void)
{
	unsigned wrong_value = 0, wrong_time = 0, again = 0;

	for (size_t i = 0; i < heard.samples_n; i++) {
		const struct meter_sample *s = &heard.samples[i];
		unsigned n = number(s);

		wrong_value += !n || n > korad.shared->answers;
		wrong_time += n && (s->t_ns - s->error_ns > korad.shared->query_ns[n] ||
				    s->t_ns + s->error_ns < korad.shared->answer_ns[n]);
		again += i && n <= number(s - 1);
	}
	CU_ASSERT_EQUAL(wrong_value, 0);
	CU_ASSERT_EQUAL(wrong_time, 0);
	CU_ASSERT_EQUAL(again, 0);
}

static void is_read(enum korad_fault fault, size_t notes)
{
	struct meter_keep *keep = korad_start(fault, 0);

	hear(keep, 8, 10 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, 8);
	CU_ASSERT_FALSE(heard.lost_once);
	CU_ASSERT_EQUAL(heard_count(METER_EVENT_NOTE) > 0, notes > 0);
	expect_true();
	korad_stop(keep);
}

static void in_pieces(void)
{
	is_read(KORAD_SPLIT, 0);
	CU_ASSERT_STRING_EQUAL(heard_kind(METER_EVENT_READY)->identity.model, "KA3005P");
}

static void letters(void)
{
	is_read(KORAD_LETTERS, 1);
	expect_text(heard_kind(METER_EVENT_NOTE), "no number");
}

static void twice(void)
{
	is_read(KORAD_CHATTY, 1);
}

static void is_lost(enum korad_fault fault, const char *word)
{
	struct meter_keep *keep = korad_start(fault, 7);

	hear_loss(keep, 10 * SECOND);
	expect_text(heard_kind(METER_EVENT_LOST), word);
	CU_ASSERT(heard.samples_n <= 6);
	expect_true();
	if (fault != KORAD_HANG_UP) {
		hear(keep, 4, 10 * SECOND);
		CU_ASSERT_EQUAL(heard.samples_n, 4);
		expect_true();
	}
	korad_stop(keep);
}

static void stall(void)
{
	is_lost(KORAD_STALL, "no answer for 0.9 s");
}

static void half_then_nothing(void)
{
	is_lost(KORAD_HALF, "no answer for 0.9 s");
}

static void hung_up(void)
{
	is_lost(KORAD_HANG_UP, "the serial line ended");
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"volts and amperes are read, from answers in pieces", in_pieces},
		{"answers with letters", letters},
		{"an answer comes twice", twice},
		{"it stalls", stall},
		{"half an answer, then nothing", half_then_nothing},
		{"the line is hung up", hung_up},
	};

	return unit_run("meter_korad", cases, UNIT_COUNT(cases));
}

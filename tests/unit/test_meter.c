/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Real libsigrok in the meter's process, a DP832 with faults on loopback (scpi_server.h). */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/file.h>

#include "meter_backend.h"
#include "meter_hear.h"

static const char *const watts[] = {"P1", "P2", "P3"};

static void hear(struct meter *meter, size_t samples_n, int64_t limit_ns)
{
	hear_until((struct ear){.meter = meter}, samples_n, true, limit_ns);
	CU_ASSERT(heard.longest_read_ns < patient(SECOND / 5));
}

static struct meter *open_options(const struct meter_options *options)
{
	struct meter *meter = NULL;
	struct err err = {""};

	heard.of = NULL; /* malloc may give the last one's address again */
	CU_ASSERT_EQUAL(meter_open(options, &meter, &err), 0);
	if (!meter) {
		printf("%s\n", err.text);
		abort();
	}
	return meter;
}

static struct meter *open_spec(const char *spec, const char *const *channels, size_t n, double hz)
{
	struct meter_options options = hear_options(spec, channels, n);

	options.rate_hz = hz;
	return open_options(&options);
}

static struct meter *open_server(const struct scpi_server *server)
{
	char spec[64];

	snprintf(spec, sizeof(spec), "scpi-pps:conn=tcp-raw/127.0.0.1/%d", server->port);
	return open_spec(spec, watts, 3, 1000.0);
}

/* With the start limit that a user has. */
static struct meter *open_mute(struct scpi_server *server)
{
	char spec[64];
	struct meter_options options;

	scpi_server_start(server, SCPI_MUTE_IDN, 0);
	snprintf(spec, sizeof(spec), "scpi-pps:conn=tcp-raw/127.0.0.1/%d", server->port);
	options = hear_options(spec, watts, 3);
	options.start_ns = START_LIMIT;
	return open_options(&options);
}

static void expect_lost(const char *word)
{
	CU_ASSERT_TRUE(heard.lost);
	CU_ASSERT_PTR_NOT_NULL(strstr(heard.lost_text, word));
	if (!strstr(heard.lost_text, word))
		printf(" [lost: '%s', want '%s'] ", heard.lost_text, word);
}

static double cpu_seconds(pid_t pid)
{
	struct timespec used;
	clockid_t clock;

	if (pid <= 0 || clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &used))
		return NAN;
	return (double)used.tv_sec + (double)used.tv_nsec * 1e-9;
}

static void readings_are_the_answers_that_the_server_gave(void)
{
	char identity[METER_IDENTITY_SIZE];
	struct scpi_server server;
	struct meter *meter;
	double seconds, cpu;
	pid_t child;

	scpi_server_start(&server, SCPI_GOOD, 0);
	meter = open_server(&server);
	child = newest_child();
	hear(meter, 1, 15 * SECOND);
	CU_ASSERT_PTR_NOT_NULL_FATAL(heard_kind(METER_EVENT_READY));
	meter_identity_text(&heard_kind(METER_EVENT_READY)->identity, identity);
	CU_ASSERT_STRING_EQUAL(identity, "Rigol DP832 00.01.16 DP8C000001");
	cpu = cpu_seconds(child);
	hear(meter, 2000, 15 * SECOND);
	cpu = cpu_seconds(child) - cpu;
	CU_ASSERT_EQUAL(heard.samples_n, 2000);
	expect_faithful(&server, watts);
	seconds = (double)(heard.samples[1999].t_ns - heard.samples[0].t_ns) * 1e-9;
	printf(" [%.0f readings/s of 1000 asked for, %.1f %% of a core] ", 1999.0 / seconds,
	       100.0 * cpu / seconds);
	meter_close(meter);
	CU_ASSERT_TRUE(scpi_server_left(&server)); /* the front panel is given back */
	scpi_server_stop(&server);
}

static void lost_after(enum scpi_fault fault, const char *word)
{
	struct scpi_server server;
	struct meter *meter;
	int64_t last_ns;
	size_t zeros = 0;

	scpi_server_start(&server, fault, 50);
	meter = open_server(&server);
	hear(meter, SAMPLES, 10 * SECOND);
	expect_lost(word);
	CU_ASSERT_EQUAL_FATAL(heard.samples_n, 49);
	expect_faithful(&server, watts);
	for (size_t i = 0; i < heard.samples_n; i++)
		zeros += heard.samples[i].value == 0.0;
	CU_ASSERT_EQUAL(zeros, 0);
	last_ns = heard.samples[48].t_ns;
	CU_ASSERT(scpi_now_ns() - last_ns < SILENCE + patient(SECOND));
	hear(meter, 1, SECOND / 10);
	CU_ASSERT_EQUAL(heard.samples_n + heard.events_n, 0);
	meter_close(meter);
	scpi_server_stop(&server);
}

static void server_stalls(void)
{
	lost_after(SCPI_STALL, hear_words("no answer for", SILENCE / 4 * 3));
}

static void server_closes(void)
{
	lost_after(SCPI_CLOSE, "closed the connection");
}

static void server_resets(void)
{
	lost_after(SCPI_RESET, "reset by peer");
}

/* Closed, or reset where the next question was quicker. */
static void server_says_zero_and_closes(void)
{
	lost_after(SCPI_ZERO_CLOSE, SCPI_GONE);
}

static void server_never_answers_idn(void)
{
	struct scpi_server server;
	struct meter *meter;
	int64_t start = scpi_now_ns();

	meter = open_mute(&server);
	hear(meter, 1, 10 * SECOND);
	expect_lost(hear_words("not ready after", START_LIMIT));
	CU_ASSERT(scpi_now_ns() - start < patient(3 * SECOND));
	meter_close(meter);
	scpi_server_stop(&server);
}

static void nothing_listens(void)
{
	struct scpi_server server;
	struct meter *meter;

	scpi_server_start(&server, SCPI_GOOD, 0);
	scpi_server_stop(&server);
	meter = open_server(&server);
	hear(meter, 1, 10 * SECOND);
	expect_lost("refused");
	meter_close(meter);
}

static void answers_that_are_no_number_give_no_reading(void)
{
	static const enum scpi_fault faults[] = {SCPI_NAN, SCPI_GARBLE, SCPI_EMPTY, SCPI_DOUBLE};

	for (size_t i = 0; i < UNIT_COUNT(faults); i++) {
		struct scpi_server server;
		struct meter *meter;
		size_t fourths = 0;

		scpi_server_start(&server, faults[i], 0);
		meter = open_server(&server);
		hear(meter, 300, 10 * SECOND);
		CU_ASSERT_EQUAL(heard.samples_n, 300);
		expect_faithful(&server, watts);
		for (size_t j = 0; j < heard.samples_n; j++)
			fourths += fmod(heard.samples[j].value, 4.0) == 0.0;
		CU_ASSERT_EQUAL(fourths, 0);
		CU_ASSERT_PTR_NOT_NULL(heard_kind(METER_EVENT_NOTE));
		meter_close(meter);
		scpi_server_stop(&server);
	}
}

/* It comes long before the next question, so it is known for what it is. */
static void an_answer_that_nobody_asked_for_is_dropped(void)
{
	struct scpi_server server;
	struct meter *meter;
	char spec[64];

	scpi_server_start(&server, SCPI_CHATTY, 0);
	snprintf(spec, sizeof(spec), "scpi-pps:conn=tcp-raw/127.0.0.1/%d", server.port);
	meter = open_spec(spec, watts, 1, 20.0);
	hear(meter, 12, 10 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, 12);
	expect_faithful(&server, watts);
	CU_ASSERT_PTR_NOT_NULL_FATAL(heard_kind(METER_EVENT_NOTE));
	CU_ASSERT_PTR_NOT_NULL(strstr(heard_kind(METER_EVENT_NOTE)->text, "99999"));
	meter_close(meter);
	scpi_server_stop(&server);
}

static void a_flood_of_answers_is_a_loss_and_no_flood_of_notes(void)
{
	int64_t begin_ns = scpi_now_ns();
	struct scpi_server server;
	struct meter *meter;

	scpi_server_start(&server, SCPI_FLOOD, 50);
	meter = open_server(&server);
	hear(meter, SAMPLES, 10 * SECOND);
	CU_ASSERT_TRUE(heard.lost);
	CU_ASSERT_EQUAL(heard.samples_n, 49);
	expect_faithful(&server, watts);
	/* Of what was answered and of what was not asked for, one a second each. */
	CU_ASSERT(heard_count(METER_EVENT_NOTE) <=
		  2 + 2 * (size_t)((scpi_now_ns() - begin_ns) / SECOND));
	meter_close(meter);
	scpi_server_stop(&server);
}

/* As a line that ends in a long pause would be found with the next question only. */
static void the_end_of_the_line_is_a_loss_at_once(void)
{
	struct scpi_server server;
	int64_t begin_ns;
	struct meter *meter;
	char spec[64];
	struct meter_options options = {.spec = spec,
					.channels = watts,
					.channels_n = 1,
					.rate_hz = 0.01,
					.silence_ns = 1000 * SECOND};
	struct err err;

	scpi_server_start(&server, SCPI_GOOD, 0);
	snprintf(spec, sizeof(spec), "scpi-pps:conn=tcp-raw/127.0.0.1/%d", server.port);
	heard.of = NULL;
	CU_ASSERT_EQUAL_FATAL(meter_open(&options, &meter, &err), 0);
	hear(meter, 1, 10 * SECOND);
	CU_ASSERT_TRUE(heard.ready);
	scpi_server_stop(&server);
	begin_ns = scpi_now_ns();
	hear(meter, 2, 50 * SECOND);
	CU_ASSERT_TRUE(heard.lost);
	CU_ASSERT(scpi_now_ns() - begin_ns < 20 * SECOND);
	meter_close(meter);
}

static void readings_rarer_than_the_silence_limit_are_no_silence(void)
{
	struct scpi_server server;
	char tcp[64];
	const char *const specs[] = {"fake:w=1", tcp};

	scpi_server_start(&server, SCPI_GOOD, 0);
	snprintf(tcp, sizeof(tcp), "scpi-pps:conn=tcp-raw/127.0.0.1/%d", server.port);
	for (size_t i = 0; i < UNIT_COUNT(specs); i++) {
		struct meter_options options = {.spec = specs[i],
						.channels = watts,
						.channels_n = 1,
						.rate_hz = 0.4,
						.silence_ns = 2 * SECOND};
		struct meter *meter;
		struct err err;

		heard.of = NULL;
		CU_ASSERT_EQUAL_FATAL(meter_open(&options, &meter, &err), 0);
		hear(meter, 2, 20 * SECOND);
		CU_ASSERT_FALSE(heard.lost);
		CU_ASSERT_EQUAL(heard.samples_n, 2);
		meter_close(meter);
	}
	scpi_server_stop(&server);
}

static void answers_in_two_segments_are_read_whole(void)
{
	struct scpi_server server;
	struct meter *meter;

	scpi_server_start(&server, SCPI_SPLIT, 0);
	meter = open_server(&server);
	hear(meter, 100, 10 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, 100);
	expect_faithful(&server, watts);
	meter_close(meter);
	scpi_server_stop(&server);
}

static void what_cannot_be_read_is_lost_with_words(void)
{
	static const struct {
		const char *driver, *options, *channel, *word;
	} rows[] = {
		{"no-such-driver", "", "P1", "no driver 'no-such-driver'"},
		{"scpi-pps", ":nosuch=1", "P1", "no option 'nosuch'"},
		{"scpi-pps", ":samplerate=x", "P1", "samplerate cannot be 'x'"},
		{"scpi-pps", ":samplerate=1k", "P1", "does not take option samplerate=1k"},
		{"scpi-pps", "", "P4", "V1 I1 P1 V2 I2 P2 V3 I3 P3"},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct scpi_server server;
		struct meter *meter;
		char spec[128];

		scpi_server_start(&server, SCPI_GOOD, 0);
		snprintf(spec, sizeof(spec), "%s:conn=tcp-raw/127.0.0.1/%d%s", rows[i].driver,
			 server.port, rows[i].options ? rows[i].options : "");
		if (!rows[i].options)
			strcpy(spec, rows[i].driver);
		meter = open_spec(spec, &rows[i].channel, 1, 100.0);
		hear(meter, SAMPLES, 10 * SECOND);
		expect_lost(rows[i].word);
		CU_ASSERT_EQUAL(heard.samples_n, 0);
		meter_close(meter);
		scpi_server_stop(&server);
	}
}

static void options_that_cannot_be_are_refused_at_once(void)
{
	static const char *const twice[] = {"P1", "P1"};
	const struct meter_options good = hear_options("fake:w=1", watts, 3);
	struct meter_options rows[13];
	size_t n = 0;

	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
		rows[i] = good;
	rows[n++].spec = "";
	rows[n++].spec = "scpi-pps:conn";
	rows[n++].spec = "fake";
	rows[n++].spec = "fake:w=";
	rows[n++].spec = "fake:w=nan";
	rows[n++].spec = "fake:square=1/2";
	rows[n++].spec = "fake:square=1/2/0";
	rows[n++].rate_hz = 0.0;
	rows[n++].rate_hz = 1e-300; /* its period is no number */
	rows[n++].silence_ns = 0;
	rows[n++].start_ns = -1;
	rows[n++].start_ns = METER_START_MAX_NS + 1;
	rows[n].channels_n = 2;
	rows[n++].channels = twice;
	for (size_t i = 0; i < n; i++) {
		struct meter *meter = NULL;
		struct err err = {""};

		CU_ASSERT_EQUAL(meter_open(&rows[i], &meter, &err), -EINVAL);
		CU_ASSERT_NOT_EQUAL(strlen(err.text), 0);
		CU_ASSERT_PTR_NULL(meter);
	}
}

static void fake_meter_is_steady_or_square(void)
{
	struct meter *meter = open_spec("fake:w=3.5", watts, 2, 1000.0);
	size_t low = 0, high = 0;

	hear(meter, 100, 5 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, 100);
	for (size_t i = 0; i < heard.samples_n; i++) {
		CU_ASSERT_EQUAL(heard.samples[i].value, 3.5);
		CU_ASSERT_EQUAL(heard.samples[i].channel, i % 2);
	}
	meter_close(meter);

	meter = open_spec("fake:square=1/9/20", watts, 1, 1000.0);
	hear(meter, 200, 5 * SECOND);
	for (size_t i = 0; i < heard.samples_n; i++) {
		low += heard.samples[i].value == 1.0;
		high += heard.samples[i].value == 9.0;
	}
	CU_ASSERT_EQUAL(low + high, 200);
	CU_ASSERT(low > 50 && high > 50);
	meter_close(meter);
}

static void close_is_quick_and_leaves_no_zombie(void)
{
	struct meter *meter = open_spec("fake:w=1", watts, 1, 0.1);
	int64_t before;

	hear(meter, 1, 5 * SECOND);
	before = scpi_now_ns();
	meter_close(meter);
	CU_ASSERT(scpi_now_ns() - before < patient(SECOND / 2));
	CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), -1);
	CU_ASSERT_EQUAL(errno, ECHILD);
	meter_close(NULL);
}

static void close_while_the_driver_is_blocked(void)
{
	struct scpi_server server;
	struct meter *meter;
	int64_t before;

	meter = open_mute(&server);
	hear(meter, 1, SECOND / 2);
	before = scpi_now_ns();
	meter_close(meter);
	CU_ASSERT(scpi_now_ns() - before < patient(SECOND));
	scpi_server_stop(&server);
	CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), -1);
}

/* The meter's process becomes ours when its parent is gone, so its end can be waited for. */
static void parent_is_killed(void)
{
	int64_t end = scpi_now_ns() + patient(5 * SECOND);
	int ready[2], status = 0;
	pid_t parent, orphan = 0;
	char byte;

	CU_ASSERT_EQUAL_FATAL(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	CU_ASSERT_EQUAL_FATAL(pipe(ready), 0);
	parent = fork();
	if (parent == 0) {
		hear(open_spec("fake:w=1", watts, 1, 100.0), 1, 5 * SECOND);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	CU_ASSERT_EQUAL(read(ready[0], &byte, 1), 1);
	kill(parent, SIGKILL);
	CU_ASSERT_EQUAL(waitpid(parent, NULL, 0), parent);
	while (orphan == 0 && scpi_now_ns() < end) {
		orphan = waitpid(-1, &status, WNOHANG);
		usleep(1000);
	}
	CU_ASSERT(orphan > 0);
	CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	close(ready[0]);
	close(ready[1]);
}

static void meter_process_keeps_no_lock_of_the_parent(void)
{
	char path[] = "/tmp/coldrig-test-meter-XXXXXX";
	int lock = mkstemp(path), again;
	struct meter *meter;

	CU_ASSERT_EQUAL(flock(lock, LOCK_EX | LOCK_NB), 0);
	meter = open_spec("fake:w=1", watts, 1, 100.0);
	hear(meter, 1, 5 * SECOND);
	close(lock);
	again = open(path, O_RDWR | O_CLOEXEC);
	CU_ASSERT_EQUAL(flock(again, LOCK_EX | LOCK_NB), 0);
	close(again);
	unlink(path);
	meter_close(meter);
}

static void meter_process_crashes(void)
{
	struct meter *meter = open_spec("fake:w=1", watts, 1, 100.0);
	pid_t child = newest_child();

	hear(meter, 1, 5 * SECOND);
	if (child > 0) {
		CU_ASSERT_NOT_EQUAL(getpgid(child), getpgid(0));
		kill(child, SIGKILL);
		hear(meter, SAMPLES, 5 * SECOND);
		expect_lost("process ended");
	} else {
		printf(" [skipped: no /proc/.../children] ");
	}
	meter_close(meter);
}

/* The child stands still, not dead: only the parent's own watch can tell. */
static void meter_process_hangs(void)
{
	struct meter *meter = open_spec("fake:w=1", watts, 1, 100.0);
	pid_t child = newest_child();
	int64_t before;

	hear(meter, 1, 5 * SECOND);
	if (child > 0) {
		before = scpi_now_ns();
		kill(child, SIGSTOP);
		hear(meter, SAMPLES, 5 * SECOND);
		/* Long before its start limit. */
		CU_ASSERT(scpi_now_ns() - before < SILENCE + patient(2 * SECOND));
		expect_lost(hear_words("no reading for", SILENCE));
	} else {
		printf(" [skipped: no /proc/.../children] ");
	}
	before = scpi_now_ns();
	meter_close(meter);
	CU_ASSERT(scpi_now_ns() - before < patient(SECOND));
}

static void busy_parent_finds_readings_not_a_loss(void)
{
	struct meter *meter = open_spec("fake:w=1", watts, 1, 1000.0);

	hear(meter, 1, 5 * SECOND);
	usleep(2 * (useconds_t)(SILENCE / 1000));
	hear(meter, 1000, 5 * SECOND);
	CU_ASSERT_FALSE(heard.lost);
	CU_ASSERT_EQUAL(heard.samples_n, 1000);
	meter_close(meter);
}

static void due_times_stay_on_the_grid(void)
{
	CU_ASSERT_EQUAL(meter_next_due(100, 10, 105), 110);
	CU_ASSERT_EQUAL(meter_next_due(100, 10, 110), 110);
	CU_ASSERT_EQUAL(meter_next_due(100, 10, 111), 120);
	CU_ASSERT_EQUAL(meter_next_due(100, 10, 1000), 1000);
	CU_ASSERT_EQUAL(meter_next_due(100, 10, 1001), 1010);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"due times stay on the grid", due_times_stay_on_the_grid},
		{"readings are the answers that the server gave",
		 readings_are_the_answers_that_the_server_gave},
		{"server stalls", server_stalls},
		{"server closes", server_closes},
		{"server resets", server_resets},
		{"server says zero and closes", server_says_zero_and_closes},
		{"server never answers *IDN?", server_never_answers_idn},
		{"nothing listens", nothing_listens},
		{"answers that are no number give no reading",
		 answers_that_are_no_number_give_no_reading},
		{"an answer that nobody asked for is dropped",
		 an_answer_that_nobody_asked_for_is_dropped},
		{"a flood of answers is a loss and no flood of notes",
		 a_flood_of_answers_is_a_loss_and_no_flood_of_notes},
		{"the end of the line is a loss at once", the_end_of_the_line_is_a_loss_at_once},
		{"readings rarer than the silence limit are no silence",
		 readings_rarer_than_the_silence_limit_are_no_silence},
		{"answers in two segments are read whole", answers_in_two_segments_are_read_whole},
		{"what cannot be read is lost with words", what_cannot_be_read_is_lost_with_words},
		{"options that cannot be are refused at once",
		 options_that_cannot_be_are_refused_at_once},
		{"fake meter is steady or square", fake_meter_is_steady_or_square},
		{"close is quick and leaves no zombie", close_is_quick_and_leaves_no_zombie},
		{"close while the driver is blocked", close_while_the_driver_is_blocked},
		{"parent is killed", parent_is_killed},
		{"meter process keeps no lock of the parent",
		 meter_process_keeps_no_lock_of_the_parent},
		{"meter process crashes", meter_process_crashes},
		{"meter process hangs", meter_process_hangs},
		{"busy parent finds readings, not a loss", busy_parent_finds_readings_not_a_loss},
	};

	return unit_run("meter", cases, UNIT_COUNT(cases));
}

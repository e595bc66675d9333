/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole chain, for real: power of known edges -> emulated ADM1272 -> I2C -> firmware -> SCPI ->
 * libsigrok -> samples.
 */
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "chipset.h"
#include "emuprobe.h"
#include "meter.h"
#include "unit.h"

#define MS	 INT64_C(1000000)
#define RATE_HZ	 250
#define EDGES	 10
#define SAMPLES	 4096
#define HIGH_W	 2.2
#define LOW_W	 0.4
#define DATA_DIR COLDRIG_BINARY_DIR "/target"
#define SKIPPED	 77
#define LIMIT_NS (30000 * MS)

static struct lab_slot slots[] = {
	{.device = 6, .channel = 2, .sense_ohm = 18e-3},
};

static const struct lab_virtual virt = {
	.voltage_v = 12, .slots = slots, .slots_n = 1, .instrument = LAB_INSTRUMENT_PROBE};

static double present_w;

/* When power changed. That the emulator is told of it later must not be seen from outside. */
static int64_t edges_ns[EDGES];

static struct {
	struct meter_sample samples[SAMPLES];
	size_t n;
	bool ready, lost;
} heard;

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static double source(unsigned device, int64_t t_ns, bool noisy, void *context)
{
	(void)device, (void)t_ns, (void)noisy, (void)context;
	return present_w;
}

static void take(struct meter *meter)
{
	struct meter_event event;
	size_t event_n, n;

	do {
		n = meter_read(meter, heard.samples + heard.n, SAMPLES - heard.n, &event, &event_n);
		heard.n += n;
		if (event_n && event.kind == METER_EVENT_READY)
			heard.ready = true;
		if (event_n && event.kind == METER_EVENT_LOST) {
			heard.lost = true;
			fprintf(stderr, "lost: %s\n", event.text);
		}
	} while (n > 0 || event_n > 0);
}

/* One turn of the loop, as the virtual lab's. */
static void turn(struct emuprobe *probe, struct meter *meter)
{
	struct pollfd fds[EMUPROBE_POLLFDS + 1];
	int wait_ms = emuprobe_update(probe, now_ns());

	emuprobe_pollfds(probe, fds);
	fds[EMUPROBE_POLLFDS] = (struct pollfd){.fd = meter_fd(meter), .events = POLLIN};
	if (poll(fds, EMUPROBE_POLLFDS + 1, wait_ms < 5 ? wait_ms : 5) < 0)
		return;
	emuprobe_handle(probe, fds, now_ns());
	take(meter);
}

static void turn_for(struct emuprobe *probe, struct meter *meter, int64_t ns)
{
	int64_t until = now_ns() + ns;

	while (now_ns() < until && !heard.lost)
		turn(probe, meter);
}

/* Halves of 180 to 266 ms, so that no two are alike. */
static void make_edges(struct emuprobe *probe, struct meter *meter)
{
	for (size_t i = 0; i < EDGES; i++) {
		present_w = i % 2 ? LOW_W : HIGH_W;
		edges_ns[i] = now_ns();
		turn_for(probe, meter, (180 + (int64_t)i * 37 % 90) * MS);
	}
}

/* A probe and a meter that reads it. */
static void begin(struct emuprobe **probe_out, struct meter **meter_out)
{
	static const char *const channels[] = {"P2"};
	struct meter_options options = {.channels = channels,
					.channels_n = 1,
					.rate_hz = RATE_HZ,
					.silence_ns = 2 * LIMIT_NS};
	int64_t until = now_ns() + LIMIT_NS;
	struct emuprobe *probe = NULL;
	struct meter *meter = NULL;
	struct err err = {""};
	char spec[64];

	present_w = LOW_W;
	heard.n = 0;
	heard.ready = heard.lost = false;
	if (emuprobe_new(&virt, DATA_DIR, source, NULL, &probe, &err) < 0)
		fprintf(stderr, "%s\n", err.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(probe);
	snprintf(spec, sizeof(spec), "scpi-pps:conn=tcp-raw/127.0.0.1/%u",
		 emuprobe_tcp_port(probe));
	options.spec = spec;
	CU_ASSERT_EQUAL_FATAL(meter_open(&options, &meter, &err), 0);
	while (!heard.ready && !heard.lost && now_ns() < until)
		turn(probe, meter);
	CU_ASSERT_TRUE_FATAL(heard.ready);
	*probe_out = probe;
	*meter_out = meter;
}

static void run_wave(void)
{
	struct emuprobe *probe;
	struct meter *meter;

	begin(&probe, &meter);
	turn_for(probe, meter, 300 * MS);
	make_edges(probe, meter);
	CU_ASSERT_FALSE(heard.lost);
	meter_close(meter);
	emuprobe_free(probe);
}

static bool is_high(const struct meter_sample *s)
{
	return s->value > (HIGH_W + LOW_W) / 2;
}

static void every_edge_is_found_at_its_time(void)
{
	size_t found = 0;

	for (size_t i = 1; i < heard.n; i++) {
		const struct meter_sample *a = &heard.samples[i - 1], *b = &heard.samples[i];

		if (is_high(a) == is_high(b))
			continue;
		CU_ASSERT_FATAL(found < EDGES);
		/* The edge lies between the two readings, each known to its error. */
		CU_ASSERT(a->t_ns - a->error_ns <= edges_ns[found]);
		CU_ASSERT(b->t_ns + b->error_ns >= edges_ns[found]);
		CU_ASSERT_EQUAL(is_high(b), found % 2 == 0);
		found++;
	}
	CU_ASSERT_EQUAL(found, EDGES);
}

static void every_reading_is_one_of_the_levels_within_half_a_step(void)
{
	double allowed_w = chipset_step_w(&virt, &slots[0]) / 2 + 0.0012 * HIGH_W;

	CU_ASSERT(heard.n > 50);
	for (size_t i = 0; i < heard.n; i++) {
		double level_w = is_high(&heard.samples[i]) ? HIGH_W : LOW_W;

		CU_ASSERT(fabs(heard.samples[i].value - level_w) < allowed_w);
	}
}

/* From the first edge to the last one, by the readings' times. */
static void energy_is_true_to_a_percent_and_a_step(void)
{
	double measured_j = 0, true_j = 0, allowed_j, blind_s = 0;
	int64_t begin_ns = edges_ns[0], end_ns = edges_ns[EDGES - 1];

	for (size_t i = 1; i < EDGES; i++)
		true_j += (i % 2 ? HIGH_W : LOW_W) * (double)(edges_ns[i] - edges_ns[i - 1]) / 1e9;
	for (size_t i = 1; i < heard.n; i++) {
		const struct meter_sample *a = &heard.samples[i - 1], *b = &heard.samples[i];
		double s = (double)(b->t_ns - a->t_ns) / 1e9;

		if (b->t_ns <= begin_ns || a->t_ns >= end_ns)
			continue;
		measured_j += (a->value + b->value) / 2 * s;
		/* A busy machine reads late: what it did not see it cannot know. */
		if (is_high(a) != is_high(b))
			blind_s += fmax(0, s - 2.0 / RATE_HZ);
	}
	allowed_j = 0.01 * true_j +
		    chipset_step_w(&virt, &slots[0]) * (double)(end_ns - begin_ns) / 1e9 +
		    blind_s * (HIGH_W - LOW_W) / 2;
	printf("energy %.4f J, true %.4f J, allowed %.4f J off, %zu readings ", measured_j, true_j,
	       allowed_j, heard.n);
	CU_ASSERT(fabs(measured_j - true_j) < allowed_j);
}

/* The emulator among our children. */
static pid_t emulator(void)
{
	FILE *list = fopen("/proc/thread-self/children", "re");
	pid_t found = 0;
	int pid;

	CU_ASSERT_PTR_NOT_NULL_FATAL(list);
	while (fscanf(list, "%d", &pid) == 1) {
		char path[64], name[32] = "";
		FILE *comm;

		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		comm = fopen(path, "re");
		if (comm && fgets(name, sizeof(name), comm) && strncmp(name, "qemu", 4) == 0)
			found = pid;
		if (comm)
			fclose(comm);
	}
	fclose(list);
	return found;
}

static void a_probe_that_dies_is_a_meter_that_is_lost(void)
{
	struct emuprobe *probe;
	struct meter *meter;
	pid_t pid;

	begin(&probe, &meter);
	pid = emulator();
	CU_ASSERT_FATAL(pid > 0);
	CU_ASSERT_EQUAL(kill(pid, SIGKILL), 0);
	turn_for(probe, meter, LIMIT_NS);
	CU_ASSERT_TRUE(heard.lost);
	meter_close(meter);
	emuprobe_free(probe);
}

static const struct unit_case cases[] = {
	{"a square wave runs through the chain", run_wave},
	{"every edge is found at its time", every_edge_is_found_at_its_time},
	{"every reading is one of the levels within half a step",
	 every_reading_is_one_of_the_levels_within_half_a_step},
	{"energy is true to a percent and a step", energy_is_true_to_a_percent_and_a_step},
	{"a probe that dies is a meter that is lost", a_probe_that_dies_is_a_meter_that_is_lost},
};

int main(void)
{
	if (access(DATA_DIR "/" EMUPROBE_FIRMWARE, R_OK) < 0 ||
	    system("command -v " EMUPROBE_PROGRAM " >/dev/null") != 0) {
		printf("skipped: no firmware, or no " EMUPROBE_PROGRAM ": run setup/packages\n");
		return SKIPPED;
	}
	return unit_run("virtual_probe", cases, UNIT_COUNT(cases));
}

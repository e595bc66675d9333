/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What reading a polled SCPI meter costs: a DP832 on loopback, three channels, through libsigrok in
 * the meter's process. Prints readings a second and the processor time of that process for each
 * run, and beside it what the same server costs the least program that could ask it, which is the
 * machine's own floor. docs/meter.md has the figures; nothing is asserted here, the machine may be busy.
 *
 * meter_rate [HZ [SECONDS [RUNS]]]
 * meter_rate --memory READINGS: resident memory of both processes, early on and in the end, of a
 * fake meter and of that supply, each read as fast as it goes.
 */
#include <math.h>
#include <stdlib.h>

#include "meter_backend.h"
#include "meter_hear.h"

static const char *const watts[] = {"P1", "P2", "P3"};

static double cpu_seconds(pid_t pid)
{
	struct timespec used;
	clockid_t clock;

	if (pid <= 0 || clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &used))
		return NAN;
	return (double)used.tv_sec + (double)used.tv_nsec * 1e-9;
}

static struct meter *open_meter(const char *spec, double hz)
{
	const struct meter_options options = {.spec = spec,
					      .channels = watts,
					      .channels_n = 3,
					      .rate_hz = hz,
					      .silence_ns = 2 * SECOND};
	struct meter *meter = NULL;
	struct err err = {""};

	if (meter_open(&options, &meter, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	return meter;
}

static int64_t last_t_ns; /* of the reading that came last */

/* Reads until so many readings have come, with what came beside the last; 0 if the meter is lost. */
static size_t read_on(struct meter *meter, size_t wanted)
{
	struct meter_sample samples[256];
	size_t got = 0;

	while (got < wanted) {
		struct pollfd fd = {.fd = meter_fd(meter), .events = POLLIN};
		struct meter_event event;
		size_t n, event_n;

		poll(&fd, 1, 100);
		do {
			n = meter_read(meter, samples, UNIT_COUNT(samples), &event, &event_n);
			got += n;
			if (n)
				last_t_ns = samples[n - 1].t_ns;
			if (event_n && event.kind == METER_EVENT_LOST) {
				fprintf(stderr, "lost: %s\n", event.text);
				return 0;
			}
		} while (got < wanted && (n || event_n));
	}
	return got;
}

static int connect_to(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* Sleeping, asking and reading, and nothing else: microseconds of processor time a reading. */
static double floor_us(int port, double hz, double seconds)
{
	static const char query[] = ":INST:NSEL 1\n:MEAS:POWE?\n";
	int64_t period_ns = (int64_t)(1e9 / hz), due_ns = meter_now_ns();
	int fd = connect_to(port), n = (int)(hz * seconds);
	double cpu = cpu_seconds(getpid());
	char answer[64];

	prctl(PR_SET_TIMERSLACK, 1000UL);
	for (int i = 0; i < n; i++) {
		meter_sleep_until(due_ns);
		due_ns = meter_next_due(due_ns, period_ns, meter_now_ns());
		if (send(fd, query, sizeof(query) - 1, MSG_NOSIGNAL) < 0 ||
		    recv(fd, answer, sizeof(answer), 0) <= 0)
			return NAN;
	}
	cpu = cpu_seconds(getpid()) - cpu;
	close(fd);
	return 1e6 * cpu / n;
}

static bool run_once(double hz, double seconds)
{
	struct scpi_server server;
	struct meter *meter;
	int64_t begin_ns, begin_t_ns;
	double wall, cpu;
	char spec[64];
	pid_t child;
	size_t n;

	scpi_server_start(&server, SCPI_GOOD, 0);
	snprintf(spec, sizeof(spec), "scpi-pps:conn=tcp-raw/127.0.0.1/%d", server.port);
	meter = open_meter(spec, hz);
	child = newest_child();
	n = read_on(meter, 100);
	begin_ns = scpi_now_ns();
	begin_t_ns = last_t_ns;
	cpu = cpu_seconds(child);
	n = n ? read_on(meter, (size_t)(hz * seconds)) : 0;
	cpu = cpu_seconds(child) - cpu;
	wall = (double)(scpi_now_ns() - begin_ns) * 1e-9;
	meter_close(meter);
	if (n)
		printf("%8.1f readings/s  %5.2f %% of a core  %5.1f us of processor time a "
		       "reading; the least: %.1f us\n",
		       (double)n * 1e9 / (double)(last_t_ns - begin_t_ns), 100 * cpu / wall,
		       1e6 * cpu / (double)n, floor_us(server.port, hz, seconds / 5));
	fflush(stdout);
	scpi_server_stop(&server);
	return n > 0;
}

static long resident_kib(pid_t pid)
{
	char path[64];
	long pages = 0, resident = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%ld %ld", &pages, &resident) != 2)
		resident = 0;
	if (file)
		fclose(file);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static bool memory(const char *what, const char *spec, size_t readings)
{
	struct meter *meter = open_meter(spec, 1e6);
	pid_t child = newest_child();
	long before_here, before_there;
	bool ok = read_on(meter, readings / 10);

	before_here = resident_kib(getpid());
	before_there = resident_kib(child);
	ok = ok && read_on(meter, readings - readings / 10);
	printf("%s, %zu readings: %ld KiB to %ld KiB here, %ld KiB to %ld KiB in the meter's "
	       "process\n",
	       what, readings, before_here, resident_kib(getpid()), before_there,
	       resident_kib(child));
	fflush(stdout); /* before the next fork */
	meter_close(meter);
	return ok;
}

static int memory_of_both(size_t readings)
{
	struct scpi_server server;
	char spec[64];
	bool ok = memory("fake", "fake:square=1/9/20", readings);

	scpi_server_start(&server, SCPI_GOOD, 0);
	snprintf(spec, sizeof(spec), "scpi-pps:conn=tcp-raw/127.0.0.1/%d", server.port);
	ok = memory("supply", spec, readings) && ok;
	scpi_server_stop(&server);
	return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	double hz = argc > 1 ? atof(argv[1]) : 1000, seconds = argc > 2 ? atof(argv[2]) : 5;
	int runs = argc > 3 ? atoi(argv[3]) : 5, failed = 0;

	if (argc == 3 && strcmp(argv[1], "--memory") == 0)
		return memory_of_both(strtoull(argv[2], NULL, 10));
	if (!(hz > 0) || !(seconds > 0) || runs < 1) {
		fputs("usage: meter_rate [HZ [SECONDS [RUNS]]] | --memory READINGS\n", stderr);
		return 2;
	}
	for (int i = 0; i < runs; i++)
		failed += !run_once(hz, seconds);
	return failed ? 1 : 0;
}

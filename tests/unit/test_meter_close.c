/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A connection that ends while it is written to, and the descriptor that libsigrok closes twice. */
#include <errno.h>
#include <libsigrok/libsigrok.h>
#include <sys/syscall.h>

#include "meter_hear.h"
#include "meter_scan.h"

static const char *const watts[] = {"P1", "P2", "P3"};

/* Shared with the meter's process. */
static struct {
	_Atomic unsigned bad;
} * closes;

/* In the place of glibc's, for libsigrok too: closing what is not open is counted. */
int close(int fd)
{
	int ret = (int)syscall(SYS_close, fd);

	if (ret < 0 && errno == EBADF && closes)
		closes->bad++;
	return ret;
}

static struct meter_keep *keep_server(const struct scpi_server *server)
{
	char spec[64] = "";
	struct meter_options options = hear_options(spec, watts, 3);
	struct meter_keep *keep = NULL;

	snprintf(spec, sizeof(spec), "scpi-pps:conn=tcp-raw/127.0.0.1/%d", server->port);
	heard.of = NULL;
	CU_ASSERT_EQUAL_FATAL(meter_keep_open(&options, &keep, NULL), 0);
	return keep;
}

static void hear(struct meter_keep *keep, size_t samples_n)
{
	hear_until((struct ear){.keep = keep}, samples_n, false, 10 * SECOND);
}

/* Whoever starts a run may have it as it likes: here the signal would end a process. */
static void sigpipe_ends_no_meter(void)
{
	struct scpi_server server;
	struct meter_keep *keep;
	pid_t child;

	signal(SIGPIPE, SIG_DFL);
	scpi_server_start(&server, SCPI_GOOD, 0);
	keep = keep_server(&server);
	child = newest_child();
	hear(keep, 50);
	if (child > 0)
		kill(child, SIGPIPE);
	else
		printf(" [not sent: no /proc/.../children] ");
	hear(keep, 200);
	CU_ASSERT_FALSE(heard.lost_once);
	CU_ASSERT_EQUAL(heard.samples_n, 200);
	meter_keep_close(keep);
	scpi_server_stop(&server);
}

/* The server is gone between two questions, so that the next is written to a dead connection. */
static void a_peer_that_goes_is_a_loss_with_words(void)
{
	static const enum scpi_fault faults[] = {SCPI_CLOSE, SCPI_RESET, SCPI_LEAVE};

	signal(SIGPIPE, SIG_DFL);
	for (size_t i = 0; i < UNIT_COUNT(faults); i++) {
		for (unsigned at = 20; at < 25; at++) {
			struct scpi_server server = {.identity = scpi_dp832,
						     .fault = faults[i],
						     .fault_at = at,
						     .fault_once = true};
			struct meter_keep *keep;

			scpi_server_launch(&server);
			keep = keep_server(&server);
			hear_until((struct ear){.keep = keep}, SAMPLES, true, 10 * SECOND);
			CU_ASSERT_TRUE(heard.lost);
			CU_ASSERT_PTR_NULL(strstr(heard.lost_text, "process ended"));
			hear(keep, 30);
			CU_ASSERT_EQUAL(heard.samples_n, 30);
			meter_keep_close(keep);
			scpi_server_stop(&server);
		}
	}
}

/* Without this the next test could not fail: the fault is still in libsigrok. */
static void close_twice(int port)
{
	struct sr_config conn = {.key = SR_CONF_CONN};
	struct sr_dev_driver **driver;
	struct sr_context *context;
	GSList *options, *found;
	char text[64];

	snprintf(text, sizeof(text), "tcp-raw/127.0.0.1/%d", port);
	conn.data = g_variant_ref_sink(g_variant_new_string(text));
	sr_log_loglevel_set(SR_LOG_NONE);
	if (sr_init(&context) != SR_OK)
		_exit(1);
	for (driver = sr_driver_list(context); strcmp((*driver)->name, "scpi-pps") != 0; driver++)
		;
	options = g_slist_append(NULL, &conn);
	found = sr_driver_init(context, *driver) == SR_OK ? sr_driver_scan(*driver, options) : NULL;
	if (!found || sr_dev_open(found->data) != SR_OK)
		_exit(1);
	sr_dev_close(found->data);
	sr_exit(context);
	_exit(0);
}

static void libsigrok_closes_a_descriptor_twice(void)
{
	struct scpi_server server;
	int status = -1;
	pid_t child;

	closes->bad = 0;
	scpi_server_start(&server, SCPI_GOOD, 0);
	child = fork();
	if (child == 0)
		close_twice(server.port);
	waitpid(child, &status, 0);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT(closes->bad > 0);
	scpi_server_stop(&server);
}

static void on_found(void *context, const struct meter_found *found)
{
	(void)found;
	++*(int *)context;
}

static void no_descriptor_is_closed_twice(void)
{
	struct scpi_server server = {
		.identity = scpi_dp832, .fault = SCPI_CLOSE, .fault_at = 20, .fault_once = true};
	struct meter_keep *keep;
	char spec[64];
	int found = 0;

	closes->bad = 0;
	scpi_server_launch(&server);
	keep = keep_server(&server);
	hear(keep, 60); /* with a loss and a return */
	CU_ASSERT_TRUE(heard.lost_once);
	meter_keep_close(keep);
	CU_ASSERT_TRUE(scpi_server_left(&server)); /* it was closed in order */
	snprintf(spec, sizeof(spec), "scpi-pps:conn=tcp-raw/127.0.0.1/%d", server.port);
	CU_ASSERT_EQUAL(meter_scan(spec, START, on_found, &found, NULL), 0);
	CU_ASSERT_EQUAL(found, 1);
	CU_ASSERT_EQUAL(closes->bad, 0);
	scpi_server_stop(&server);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"SIGPIPE ends no meter", sigpipe_ends_no_meter},
		{"a peer that goes is a loss with words", a_peer_that_goes_is_a_loss_with_words},
		{"libsigrok closes a descriptor twice", libsigrok_closes_a_descriptor_twice},
		{"no descriptor of a meter is closed twice", no_descriptor_is_closed_twice},
	};

	closes = mmap(NULL, sizeof(*closes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (closes == MAP_FAILED)
		return 2;
	return unit_run("meter_close", cases, UNIT_COUNT(cases));
}

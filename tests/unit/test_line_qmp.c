/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Against a monitor that says what QEMU 10.0 says. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "line_backend.h"
#include "unit.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}\r\n"
#define DONE	 "{\"return\": {}}\r\n"
#define REFUSED	 "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\r\n"
#define EVENT(e) "{\"timestamp\": {\"seconds\": 1}, \"event\": \"" e "\"}\r\n"

static char dir[] = "/tmp/coldrig-test-XXXXXX", path[64], record[64];

enum habit { WELL, EVENT_LATE, REFUSES, SILENT, CLOSES };

static void answer(int fd, const char *line, enum habit habit, bool *running, FILE *log)
{
	const char *text = DONE;

	if (strstr(line, "query-status"))
		text = *running ? "{\"return\": {\"status\": \"running\", \"running\": true}}\r\n"
				: "{\"return\": {\"status\": \"paused\", \"running\": false}}\r\n";
	else if (strstr(line, "qmp_capabilities"))
		text = DONE;
	else if (habit == REFUSES)
		text = REFUSED;
	else if (strstr(line, "system_reset"))
		text = habit == EVENT_LATE ? DONE EVENT("RESET") : EVENT("RESET") DONE;
	else if (strstr(line, "stop"))
		text = EVENT("STOP") DONE;
	else if (strstr(line, "cont"))
		text = EVENT("RESUME") DONE;
	if (strstr(line, "stop") || strstr(line, "cont"))
		*running = habit != REFUSES ? strstr(line, "cont") != NULL : *running;
	if (!strstr(line, "query") && !strstr(line, "capabilities"))
		fputs(strstr(line, "stop")   ? "stop "
		      : strstr(line, "cont") ? "cont "
					     : "reset ",
		      log);
	fflush(log);
	/* In two pieces: lines need not come whole. */
	(void)!write(fd, text, 5);
	(void)!write(fd, text + 5, strlen(text) - 5);
}

static void serve(int fd, enum habit habit, bool *running, FILE *log)
{
	FILE *from = fdopen(dup(fd), "r");
	char line[512];

	(void)!write(fd, GREETING, strlen(GREETING));
	while (habit != CLOSES && fgets(line, sizeof(line), from)) {
		if (habit != SILENT)
			answer(fd, line, habit, running, log);
	}
	fclose(from);
	close(fd);
}

static pid_t start_monitor(enum habit habit)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	bool running = true;
	FILE *log;
	pid_t pid;

	unlink(path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	CU_ASSERT_EQUAL_FATAL(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	listen(listener, 5);
	pid = fork();
	if (pid == 0) {
		log = fopen(record, "we");
		for (;;)
			serve(accept(listener, NULL, NULL), habit, &running, log);
	}
	close(listener);
	return pid;
}

static void end_monitor(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void *open_qmp(enum lab_qmp_does does, int wanted, struct err *err)
{
	const struct lab_line line = {.kind = LAB_LINE_QMP, .qmp = {path, does}};
	void *state = NULL;

	CU_ASSERT_EQUAL(line_qmp_backend.open(&line, &state, err), wanted);
	return state;
}

static void check_log(const char *wanted)
{
	char text[128] = "";
	FILE *log = fopen(record, "re");

	CU_ASSERT_PTR_NOT_NULL_FATAL(log);
	(void)!fgets(text, sizeof(text), log);
	fclose(log);
	CU_ASSERT_STRING_EQUAL(text, wanted);
}

static bool read_it(void *state)
{
	bool active = false;

	CU_ASSERT_EQUAL(line_qmp_backend.read(state, &active, NULL), 0);
	return active;
}

static void power_stops_and_starts_anew(void)
{
	pid_t pid = start_monitor(WELL);
	void *state = open_qmp(LAB_QMP_POWER, 0, NULL);

	CU_ASSERT_TRUE(read_it(state));
	CU_ASSERT_EQUAL(line_qmp_backend.set(state, true, NULL), 0); /* it is: no reset */
	CU_ASSERT_EQUAL(line_qmp_backend.set(state, false, NULL), 0);
	CU_ASSERT_FALSE(read_it(state));
	CU_ASSERT_EQUAL(line_qmp_backend.set(state, true, NULL), 0);
	CU_ASSERT_TRUE(read_it(state));
	check_log("stop reset cont ");
	line_qmp_backend.close(state);
	end_monitor(pid);
}

static void reset_holds_and_starts_anew(void)
{
	pid_t pid = start_monitor(EVENT_LATE);
	void *state = open_qmp(LAB_QMP_RESET, 0, NULL);

	CU_ASSERT_FALSE(read_it(state));
	CU_ASSERT_EQUAL(line_qmp_backend.set(state, true, NULL), 0);
	CU_ASSERT_TRUE(read_it(state));
	CU_ASSERT_EQUAL(line_qmp_backend.set(state, false, NULL), 0);
	CU_ASSERT_FALSE(read_it(state));
	check_log("stop reset cont ");
	line_qmp_backend.close(state);
	end_monitor(pid);
}

static void who_refuses_or_goes_is_told(void)
{
	struct err err = {""};
	pid_t pid = start_monitor(REFUSES);
	void *state = open_qmp(LAB_QMP_POWER, 0, NULL);

	CU_ASSERT_EQUAL(line_qmp_backend.set(state, false, &err), -EPROTO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
	line_qmp_backend.close(state);
	end_monitor(pid);

	pid = start_monitor(CLOSES);
	open_qmp(LAB_QMP_POWER, -EPIPE, &err);
	end_monitor(pid);

	open_qmp(LAB_QMP_POWER, -ECONNREFUSED, &err);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no QEMU listens there: start it with -qmp"));
	unlink(path);
	open_qmp(LAB_QMP_POWER, -ENOENT, &err);
}

static void who_says_nothing_is_not_waited_for_long(void)
{
	struct err err = {""};
	pid_t pid = start_monitor(SILENT);

	open_qmp(LAB_QMP_POWER, -ETIMEDOUT, &err);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "is somebody else connected to it?"));
	end_monitor(pid);
}

static const struct unit_case cases[] = {
	{"power stops, and starts anew", power_stops_and_starts_anew},
	{"reset holds, and starts anew", reset_holds_and_starts_anew},
	{"who refuses or goes is told", who_refuses_or_goes_is_told},
	{"who says nothing is not waited for long", who_says_nothing_is_not_waited_for_long},
};

int main(void)
{
	int r;

	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(dir))
		return 2;
	snprintf(path, sizeof(path), "%s/qmp", dir);
	snprintf(record, sizeof(record), "%s/log", dir);
	r = unit_run("line qmp", cases, UNIT_COUNT(cases));
	unlink(path);
	unlink(record);
	return rmdir(dir) == 0 ? r : 2;
}

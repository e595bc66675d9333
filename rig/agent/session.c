/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent.h"
#include "host.h"
#include "msg.h"
#include "ops.h"

#define NS_PER_MS INT64_C(1000000)
#define GOES_ON	  (-1)

int agent_restore(struct agent *agent, struct err *err)
{
	/* It gives back what it took before what was taken earlier is given back. */
	suite_stop(&agent->suite);
	/* The watch goes before the rest: nobody asks about what restoring does. */
	watch_free(agent->watch);
	agent->watch = NULL;
	kexec_unload(&agent->kexec, &agent->host);
	inbox_clear(&agent->inbox, &agent->host);
	free(agent->dead_log);
	agent->dead_log = NULL;
	return saved_release_all(&agent->saved, &agent->vfio, &agent->host, err);
}

static int signals_open(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int signal_taken(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	host_say("signal %s", strsignal((int)info.ssi_signo));
	return (int)info.ssi_signo;
}

/* Puts everything back; the status of an agent that ends now. */
static int leave(struct agent *agent, int status)
{
	struct err err;

	if (agent_restore(agent, &err) == 0)
		return status;
	host_say("%s", err.text);
	return status ? status : 1;
}

/* "what: why", without naming the function twice. */
static struct msg *refusal(const struct msg *request, int r, const struct err *err)
{
	const char *op = msg_get_str(request, "op"), *bdf = msg_get_str(request, "bdf");
	struct msg *answer = msg_object();
	struct err text;

	if (bdf && strncmp(err->text, bdf, strlen(bdf)) != 0)
		err_set(&text, r, "%.32s %.32s: %s", op ? op : "request", bdf, err->text);
	else
		err_set(&text, r, "%.32s: %s", op ? op : "request", err->text);
	msg_set_int(answer, "id", msg_get_int(request, "id", 0));
	msg_set_bool(answer, "ok", false);
	msg_set_int(answer, "errno", -r);
	msg_set_str(answer, "error", text.text);
	return answer;
}

/* Another kernel takes the machine over; who comes back has failed, and goes on as before. */
static void go(struct agent *agent)
{
	enum agent_next next = agent->next;
	struct err err;

	agent->next = AGENT_STAYS;
	if (next == AGENT_STAYS)
		return;
	/* The answer must be on the wire, and not in a buffer of the kernel that ends. */
	if (agent->line.is_tty)
		tcdrain(agent->line.out);
	if (next == AGENT_REBOOTS) {
		kexec_reboot(&agent->host, &err);
	} else {
		kexec_boot(&agent->host, &err);
		agent->kexec.boot_loaded = true;
		kexec_unload(&agent->kexec, &agent->host);
	}
	host_say("%s", err.text);
}

/* One request and its answer; what happened on the way is reported before the answer. */
static int serve(struct agent *agent, const struct msg *request, int64_t taken_ns)
{
	struct msg *answer = msg_object();
	struct err err = {""};
	int r;

	msg_set_int(answer, "id", msg_get_int(request, "id", 0));
	msg_set_bool(answer, "ok", true);
	msg_set_int(answer, "t0_ns", taken_ns);
	r = ops_run(agent, request, answer, &err);
	if (r < 0) {
		msg_free(answer);
		answer = refusal(request, r, &err);
	}
	if (agent->watch)
		watch_drain(agent->watch);
	if (r >= 0)
		msg_set_int(answer, "t1_ns", host_now_ns());
	r = line_send(&agent->line, answer);
	msg_free(answer);
	go(agent);
	return r;
}

/* The controller is not to be reached: on a terminal another may come, else this is the end. */
static int lose(struct agent *agent, int status, const char *why)
{
	struct err err;

	host_say("the controller is lost: %s", why);
	if (!agent->line.is_tty)
		return leave(agent, status);
	if (agent_restore(agent, &err) < 0)
		host_say("%s", err.text);
	agent->send_error = 0;
	return GOES_ON;
}

/* Serves what has come in; GOES_ON, or the status to end with. */
static int take_requests(struct agent *agent)
{
	int64_t taken_ns = host_now_ns();
	int end = line_read(&agent->line);
	struct msg *request;
	struct err err;
	int r;

	while ((r = line_next(&agent->line, &request, &err)) > 0) {
		r = serve(agent, request, taken_ns);
		msg_free(request);
		if (r < 0)
			return lose(agent, 1, strerror(-r));
		if (agent->bye && !agent->line.is_tty)
			return leave(agent, agent->bye_failed ? 1 : 0);
		agent->bye = false;
		agent->heard_ns = taken_ns = host_now_ns();
	}
	if (r < 0) {
		host_say("%s", err.text);
		return leave(agent, 1);
	}
	if (end > 0)
		return GOES_ON;
	if (frame_reader_pending(&agent->line.reader))
		host_say("the controller stopped in the middle of a frame");
	else if (agent->watch)
		host_say("the controller is gone without a bye");
	return leave(agent, end < 0 ? 1 : 0);
}

static bool is_quiet(const struct agent *agent)
{
	return agent->watch && host_now_ns() - agent->heard_ns >= agent->quiet_limit_ns;
}

/* That the machine can still run a program, for a controller that has nothing to ask. */
static int beat(struct agent *agent)
{
	int64_t now_ns = host_now_ns();
	struct msg *msg;
	int r;

	if (!agent->watch || !agent->beat_every_ns ||
	    now_ns - agent->beat_ns < agent->beat_every_ns)
		return 0;
	agent->beat_ns = now_ns;
	msg = msg_object();
	msg_set_str(msg, "event", "beat");
	msg_set_int(msg, "t_ns", now_ns);
	r = line_send(&agent->line, msg);
	msg_free(msg);
	return r;
}

/* How long poll() may wait, -1 for ever. */
static int timeout_ms(const struct agent *agent)
{
	int64_t left_ms, beat_ms;
	int tick;

	if (!agent->watch)
		return -1;
	left_ms = (agent->heard_ns + agent->quiet_limit_ns - host_now_ns()) / NS_PER_MS + 1;
	beat_ms = (agent->beat_ns + agent->beat_every_ns - host_now_ns()) / NS_PER_MS + 1;
	if (agent->beat_every_ns && beat_ms < left_ms)
		left_ms = beat_ms;
	tick = watch_timeout_ms(agent->watch);
	if (left_ms < 0)
		left_ms = 0;
	if (tick >= 0 && tick < left_ms)
		return tick;
	return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

/* Waits for something to happen and deals with it. */
static int turn(struct agent *agent, int signal_fd)
{
	struct pollfd fds[] = {
		{.fd = agent->line.in, .events = POLLIN},
		{.fd = signal_fd, .events = POLLIN},
		{.fd = agent->watch ? watch_fd(agent->watch) : -1, .events = POLLIN},
		{.fd = agent->suite.pid ? agent->suite.fd : -1, .events = POLLIN},
	};
	int number, status = GOES_ON;

	if (poll(fds, sizeof(fds) / sizeof(fds[0]), timeout_ms(agent)) < 0 && errno != EINTR)
		return leave(agent, 1);
	number = fds[1].revents ? signal_taken(signal_fd) : 0;
	if (number)
		return leave(agent, 128 + number);
	if (agent->watch)
		watch_drain(agent->watch);
	if (agent->suite.pid && fds[3].revents && agent->send_error == 0)
		agent->send_error = suite_drain(&agent->suite, &agent->line);
	if (fds[0].revents)
		status = take_requests(agent);
	if (status == GOES_ON && agent->send_error < 0)
		status = lose(agent, 1, strerror(-agent->send_error));
	if (status == GOES_ON && beat(agent) < 0)
		status = lose(agent, 1, "it does not take a heartbeat");
	if (status == GOES_ON && is_quiet(agent)) {
		struct err err;

		host_say("nothing heard for %lld ms: the session is over",
			 (long long)(agent->quiet_limit_ns / NS_PER_MS));
		if (agent_restore(agent, &err) < 0)
			host_say("%s", err.text);
	}
	return status;
}

int session_run(const struct session_config *config)
{
	struct agent agent = {.host = {.root = config->root}, .version = config->version};
	int signal_fd = signals_open(), status = GOES_ON, r;

	if (signal_fd < 0) {
		host_say("signals: %s", strerror(-signal_fd));
		return 1;
	}
	r = line_open(&agent.line, config->in, config->out);
	if (r < 0) {
		host_say("the line to the controller: %s", strerror(-r));
		status = 1;
	}
	while (status == GOES_ON)
		status = turn(&agent, signal_fd);
	line_close(&agent.line);
	close(signal_fd);
	return status;
}

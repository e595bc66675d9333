/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "kexec.h"
#include "kimage.h"
#include "ops_parts.h"
#include "protocol.h"

#define QUIET_LIMIT_MIN_MS 50
#define QUIET_LIMIT_MAX_MS (24 * 3600 * 1000)
#define BEAT_MIN_MS	   100

/* The nonce comes back as it was, so that a late answer of an older session is not mistaken. */
static int echo_nonce(const struct ops_call *call)
{
	const struct msg *nonce = msg_get(call->request, "nonce");

	if (msg_text(nonce))
		msg_set_str(call->answer, "nonce", msg_text(nonce));
	else if (nonce &&
		 msg_get_int(call->request, "nonce", 0) == msg_get_int(call->request, "nonce", 1))
		msg_set_int(call->answer, "nonce", msg_get_int(call->request, "nonce", 0));
	else
		return err_set(call->err, -EINVAL, "nonce: missing, or neither text nor a number");
	return 0;
}

static void introduce(const struct ops_call *call)
{
	const struct host *host = &call->agent->host;
	char build_id[KIMAGE_BUILD_ID_SIZE];
	struct utsname uts = {0};
	char *boot_id;

	uname(&uts);
	msg_set_int(call->answer, "proto", PROTOCOL_VERSION);
	msg_set_str(call->answer, "agent", call->agent->version);
	msg_set_str(call->answer, "release", uts.release);
	msg_set_str(call->answer, "version", uts.version);
	msg_set_str(call->answer, "machine", uts.machine);
	kexec_build_id(host, build_id, sizeof(build_id));
	msg_set_str(call->answer, "build_id", *build_id ? build_id : NULL);
	msg_set_bool(call->answer, "kexec", kexec_was_used(host));
	msg_set_bool(call->answer, "crash", kexec_is_crash(host));
	if (host_read(host, "/proc/sys/kernel/random/boot_id", &boot_id) < 0) {
		msg_set_str(call->answer, "boot_id", NULL);
		return;
	}
	boot_id[strcspn(boot_id, "\n")] = 0;
	msg_set_str(call->answer, "boot_id", boot_id);
	free(boot_id);
}

static void send_event(void *arg, const struct watch_event *event)
{
	struct agent *agent = arg;
	struct msg *msg = msg_object();
	int r;

	msg_set_str(msg, "event", "rpm");
	msg_set_str(msg, "bdf", event->bdf);
	msg_set_str(msg, "what", event->what);
	msg_set_int(msg, "t_ns", event->t_ns);
	if (event->error_ns >= 0)
		msg_set_int(msg, "error_ns", event->error_ns);
	r = line_send(&agent->line, msg);
	if (r < 0 && agent->send_error == 0)
		agent->send_error = r;
	msg_free(msg);
}

int ops_hello(struct ops_call *call)
{
	struct agent *agent = call->agent;
	struct err words;
	int64_t proto, quiet_ms, beat_ms = 0;
	int r;

	/* First of all: whoever says hello knows nothing of what was claimed before. */
	if (agent->watch && agent_restore(agent, &words) < 0)
		host_say("the session before: %s", words.text);
	saved_put_back_left(&agent->saved, &agent->vfio, &agent->host);
	r = ops_call_count(call, "proto", 0, INT64_MAX, &proto);
	if (r == 0 && proto != PROTOCOL_VERSION)
		r = err_set(call->err, -EPROTONOSUPPORT, "proto %lld: this agent speaks %d",
			    (long long)proto, PROTOCOL_VERSION);
	if (r == 0)
		r = ops_call_count(call, "quiet_limit_ms", QUIET_LIMIT_MIN_MS, QUIET_LIMIT_MAX_MS,
				   &quiet_ms);
	if (r == 0 && msg_get(call->request, "beat_ms"))
		r = ops_call_count(call, "beat_ms", BEAT_MIN_MS, QUIET_LIMIT_MAX_MS, &beat_ms);
	if (r == 0)
		r = echo_nonce(call);
	if (r < 0)
		return r;
	introduce(call);
	msg_set_int(call->answer, "beat_ms", beat_ms);
	agent->quiet_limit_ns = quiet_ms * 1000000;
	agent->beat_every_ns = beat_ms * 1000000;
	agent->beat_ns = host_now_ns();
	agent->watch = watch_new(&agent->host, send_event, agent);
	return 0;
}

int ops_ping(struct ops_call *call)
{
	(void)call;
	return 0;
}

int ops_suite(struct ops_call *call)
{
	char program[PATH_MAX];
	int r = suite_program(program);

	if (r < 0)
		return err_set(call->err, r, "where the agent lies is not known: %s", strerror(-r));
	return suite_start(&call->agent->suite, program, call->err);
}

/* Only out of a kernel that an agent booted: a machine as its owner started it stays up. */
int ops_reboot(struct ops_call *call)
{
	struct agent *agent = call->agent;
	struct err words;

	if (!kexec_was_used(&agent->host) && !kexec_is_crash(&agent->host))
		return err_set(call->err, -EPERM, "this kernel was not booted by an agent");
	/* What could not be put back ends with this kernel. */
	if (agent_restore(agent, &words) < 0)
		host_say("%s", words.text);
	agent->next = AGENT_REBOOTS;
	return 0;
}

int ops_bye(struct ops_call *call)
{
	int r = agent_restore(call->agent, call->err);

	call->agent->bye = true;
	call->agent->bye_failed = r < 0;
	return r;
}

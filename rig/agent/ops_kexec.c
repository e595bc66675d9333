/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "inbox.h"
#include "kexec.h"
#include "ops_parts.h"

#define DEAD_LOG_PART 32768 /* bytes in an answer */

int ops_put(struct ops_call *call)
{
	struct inbox_file file = {0};
	const char *name;
	int64_t crc32;
	bool there;
	int r = ops_call_text(call, "name", &name);

	if (r == 0)
		r = ops_call_count(call, "size", 1, INT64_MAX, &file.size);
	if (r == 0)
		r = ops_call_count(call, "crc32", 0, UINT32_MAX, &crc32);
	if (r == 0 && strlen(name) >= sizeof(file.name))
		r = err_set(call->err, -EINVAL, "name: %zu characters at most",
			    sizeof(file.name) - 1);
	if (r < 0)
		return r;
	memcpy(file.name, name, strlen(name));
	file.crc32 = (uint32_t)crc32;
	r = inbox_put(&call->agent->inbox, &call->agent->host, &file, &there, call->err);
	if (r == 0)
		msg_set_bool(call->answer, "there", there);
	return r;
}

int ops_data(struct ops_call *call)
{
	const char *text;
	void *bytes;
	int64_t at;
	size_t n;
	int r = ops_call_text(call, "data", &text);

	if (r == 0)
		r = ops_call_count(call, "at", 0, INT64_MAX, &at);
	if (r < 0)
		return r;
	r = base64_decode(text, &bytes, &n);
	if (r < 0)
		return err_set(call->err, r, "data: not base64");
	r = inbox_take(&call->agent->inbox, &call->agent->host, at, bytes, n, call->err);
	free(bytes);
	return r;
}

int ops_kexec_load(struct ops_call *call)
{
	char cmdline[KEXEC_CMDLINE_SIZE];
	struct kexec_load load = {
		.initrd = msg_get_str(call->request, "initrd"),
		.append = msg_get_str(call->request, "append"),
	};
	int r = ops_call_text(call, "image", &load.image);

	if (r == 0)
		r = ops_call_word(call, "kind", "boot", "crash", &load.crash);
	if (r == 0)
		r = ops_call_word(call, "syscall", "load", "file", &load.by_file);
	if (r == 0)
		r = kexec_load(&call->agent->kexec, &call->agent->host, &load, cmdline, call->err);
	if (r == 0)
		msg_set_str(call->answer, "cmdline", cmdline);
	return r;
}

/* All is put back but the kernel that is to be booted. */
int ops_kexec_boot(struct ops_call *call)
{
	struct agent *agent = call->agent;
	int r = kexec_check_loaded(&agent->host, call->err);

	if (r < 0)
		return r;
	agent->kexec.boot_loaded = false;
	r = agent_restore(agent, call->err);
	if (r == 0)
		agent->next = AGENT_BOOTS_LOADED;
	return r;
}

int ops_dead_log(struct ops_call *call)
{
	struct agent *agent = call->agent;
	int64_t at;
	size_t n;
	char *text;
	int r = ops_call_count(call, "at", 0, INT64_MAX, &at);

	if (r == 0 && !agent->dead_log)
		r = kexec_dead_log(&agent->host, &agent->dead_log, &agent->dead_log_n, call->err);
	if (r < 0)
		return r;
	if (at > (int64_t)agent->dead_log_n)
		return err_set(call->err, -ESPIPE, "at %lld: the log has %zu bytes", (long long)at,
			       agent->dead_log_n);
	n = agent->dead_log_n - (size_t)at;
	text = base64_encode(agent->dead_log + at, n < DEAD_LOG_PART ? n : DEAD_LOG_PART);
	if (!text)
		return err_set(call->err, -ENOMEM, "no memory");
	msg_set_int(call->answer, "size", (int64_t)agent->dead_log_n);
	msg_set_str(call->answer, "data", text);
	free(text);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base64.h"
#include "describe.h"
#include "device.h"
#include "driver.h"
#include "guard.h"
#include "inbox.h"
#include "kexec.h"
#include "kimage.h"
#include "protocol.h"

#define QUIET_LIMIT_MIN_MS 50
#define QUIET_LIMIT_MAX_MS (24 * 3600 * 1000)
#define BEAT_MIN_MS	   100
#define DEAD_LOG_PART	   32768 /* bytes in an answer */

/* One request on its way through its operation. */
struct call {
	struct agent *agent;
	const struct msg *request;
	struct msg *answer;
	struct bdf bdf; /* where the operation takes one */
	struct err *err;
};

enum needs {
	NEEDS_SESSION = 1,
	NEEDS_BDF = 2,	  /* and the function must be there */
	NEEDS_CLAIM = 4,  /* of its slot */
	NEEDS_CLOSED = 8, /* the whole slot, and what shares its IOMMU groups */
};

static int count_member(const struct call *call, const char *key, int64_t min, int64_t max,
			int64_t *value)
{
	*value = msg_get_int(call->request, key, INT64_MIN);
	if (*value == INT64_MIN)
		return err_set(call->err, -EINVAL, "%s: missing, or not a whole number", key);
	if (*value < min || *value > max)
		return err_set(call->err, -EINVAL, "%s %lld: not in %lld to %lld", key,
			       (long long)*value, (long long)min, (long long)max);
	return 0;
}

static int text_member(const struct call *call, const char *key, const char **text)
{
	*text = msg_get_str(call->request, key);
	return *text ? 0 : err_set(call->err, -EINVAL, "%s: missing, or not text", key);
}

/* One of two words. */
static int word_member(const struct call *call, const char *key, const char *no, const char *yes,
		       bool *is_yes)
{
	const char *word;
	int r = text_member(call, key, &word);

	if (r < 0)
		return r;
	*is_yes = strcmp(word, yes) == 0;
	if (!*is_yes && strcmp(word, no) != 0)
		return err_set(call->err, -EINVAL, "%s %.32s: not %s or %s", key, word, no, yes);
	return 0;
}

/* The nonce comes back as it was, so that a late answer of an older session is not mistaken. */
static int echo_nonce(const struct call *call)
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

static void introduce(const struct call *call)
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

static int op_hello(struct call *call)
{
	struct agent *agent = call->agent;
	struct err words;
	int64_t proto, quiet_ms, beat_ms = 0;
	int r;

	/* First of all: whoever says hello knows nothing of what was claimed before. */
	if (agent->watch && agent_restore(agent, &words) < 0)
		host_say("the session before: %s", words.text);
	saved_put_back_left(&agent->saved, &agent->vfio, &agent->host);
	r = count_member(call, "proto", 0, INT64_MAX, &proto);
	if (r == 0 && proto != PROTOCOL_VERSION)
		r = err_set(call->err, -EPROTONOSUPPORT, "proto %lld: this agent speaks %d",
			    (long long)proto, PROTOCOL_VERSION);
	if (r == 0)
		r = count_member(call, "quiet_limit_ms", QUIET_LIMIT_MIN_MS, QUIET_LIMIT_MAX_MS,
				 &quiet_ms);
	if (r == 0 && msg_get(call->request, "beat_ms"))
		r = count_member(call, "beat_ms", BEAT_MIN_MS, QUIET_LIMIT_MAX_MS, &beat_ms);
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

static int op_ping(struct call *call)
{
	(void)call;
	return 0;
}

static struct guard *look_at_machine(const struct agent *agent)
{
	const int fds[] = {agent->line.in, agent->line.out};

	return guard_new(&agent->host, fds, sizeof(fds) / sizeof(fds[0]));
}

static int op_list(struct call *call)
{
	const struct host *host = &call->agent->host;
	struct guard *guard = look_at_machine(call->agent);
	struct bdf_list all = device_all(host);
	struct msg *devices = msg_array();

	for (size_t i = 0; i < all.n; i++)
		msg_add(devices, describe_device(host, guard, &all.at[i]));
	msg_set(call->answer, "devices", devices);
	bdf_list_free(&all);
	guard_free(guard);
	return 0;
}

/* A function that another program has open through vfio belongs to that program. */
static int check_unused(const struct call *call)
{
	struct bdf_list slot = device_slot(&call->agent->host, &call->bdf);
	char name[BDF_TEXT_SIZE];
	int r = 0;

	for (size_t i = 0; i < slot.n && r == 0; i++) {
		r = vfio_probe_free(&call->agent->host, &slot.at[i]);
		bdf_format(&slot.at[i], name);
	}
	bdf_list_free(&slot);
	return r < 0 ? err_set(call->err, r, "%s: another program has its IOMMU group open", name)
		     : 0;
}

static int op_claim(struct call *call)
{
	struct agent *agent = call->agent;
	struct guard *guard;
	struct err why;
	bool needed;
	int r;

	if (saved_has(&agent->saved, &call->bdf))
		return 0;
	guard = look_at_machine(agent);
	needed = guard_needs(guard, &call->bdf, &why);
	guard_free(guard);
	if (needed)
		return err_set(call->err, -EBUSY, "the machine needs it: %s", why.text);
	r = check_unused(call);
	return r < 0 ? r : saved_claim(&agent->saved, &agent->host, &call->bdf, call->err);
}

/* One thing done to every function of the slot, up to the first failure. */
static int each_function(struct call *call,
			 int (*act)(const struct host *, const struct bdf *, struct err *))
{
	struct bdf_list slot = device_slot(&call->agent->host, &call->bdf);
	int r = 0;

	for (size_t i = 0; i < slot.n && r == 0; i++)
		r = act(&call->agent->host, &slot.at[i], call->err);
	bdf_list_free(&slot);
	return r;
}

static int op_bind(struct call *call)
{
	return each_function(call, driver_to_vfio);
}

static int op_unbind(struct call *call)
{
	return each_function(call, driver_unbind);
}

static int op_native(struct call *call)
{
	char driver[DEVICE_TEXT_SIZE];
	int r = each_function(call, driver_to_native);

	if (r < 0)
		return r;
	device_driver(&call->agent->host, &call->bdf, driver);
	msg_set_str(call->answer, "driver", *driver ? driver : NULL);
	return 0;
}

static int op_open(struct call *call)
{
	return vfio_open(&call->agent->vfio, &call->agent->host, &call->bdf, call->err);
}

static int op_close(struct call *call)
{
	return vfio_close(&call->agent->vfio, &call->bdf, call->err);
}

static int op_power(struct call *call)
{
	bool d3hot;
	int r = word_member(call, "state", "D0", "D3hot", &d3hot);

	return r < 0 ? r : vfio_set_power(&call->agent->vfio, &call->bdf, d3hot, call->err);
}

/* Virtual functions that go away must be in nobody's hands. */
static int check_vfs_free(const struct call *call, const struct bdf_list *vfs)
{
	const struct agent *agent = call->agent;

	if (vfio_holds(&agent->vfio, &agent->host, vfs))
		return err_set(call->err, -EBUSY, "a virtual function is open: close it first");
	for (size_t i = 0; i < vfs->n; i++) {
		if (saved_has(&agent->saved, &vfs->at[i]))
			return err_set(call->err, -EBUSY,
				       "a virtual function is claimed: release it first");
	}
	return 0;
}

static int op_vfs(struct call *call)
{
	const struct host *host = &call->agent->host;
	struct bdf_list vfs = device_vfs(host, &call->bdf);
	int64_t count;
	int r;

	r = count_member(call, "count", 0, INT32_MAX, &count);
	if (r == 0)
		r = check_vfs_free(call, &vfs);
	bdf_list_free(&vfs);
	if (r == 0)
		r = driver_set_vfs(host, &call->bdf, (long)count, call->err);
	if (r < 0)
		return r;
	vfs = device_vfs(host, &call->bdf);
	msg_set(call->answer, "vfs", describe_list(&vfs, NULL));
	bdf_list_free(&vfs);
	return 0;
}

static int op_set(struct call *call)
{
	static const struct {
		const char *attr, *value;
	} settings[] = {
		{"d3cold_allowed", "0"},      {"d3cold_allowed", "1"},
		{"power/control", "on"},      {"power/control", "auto"},
		{"power/wakeup", "disabled"}, {"power/wakeup", "enabled"},
	};
	const char *attr = msg_get_str(call->request, "attr");
	const char *value = msg_get_str(call->request, "value");
	int r;

	if (!attr || !value)
		return err_set(call->err, -EINVAL, "%s: missing, or not text",
			       attr ? "value" : "attr");
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (strcmp(attr, settings[i].attr) != 0 || strcmp(value, settings[i].value) != 0)
			continue;
		r = device_write(&call->agent->host, &call->bdf, attr, value);
		return r < 0 ? err_set(call->err, r, "%s: %s", attr, strerror(-r)) : 0;
	}
	return err_set(call->err, -EINVAL, "%s = %s: not something to set", attr, value);
}

static int op_state(struct call *call)
{
	describe_state(&call->agent->host, &call->bdf, call->answer);
	return 0;
}

static int op_watch(struct call *call)
{
	const char *witness, *why;

	watch_add(call->agent->watch, &call->bdf);
	witness = watch_witness(call->agent->watch, &why);
	msg_set_str(call->answer, "witness", witness);
	msg_set_str(call->answer, "why", why);
	return 0;
}

static int op_unwatch(struct call *call)
{
	int r = watch_remove(call->agent->watch, &call->bdf);

	return r < 0 ? err_set(call->err, r, "it was not watched") : 0;
}

static int op_suite(struct call *call)
{
	char program[PATH_MAX];
	int r = suite_program(program);

	if (r < 0)
		return err_set(call->err, r, "where the agent lies is not known: %s", strerror(-r));
	return suite_start(&call->agent->suite, program, call->err);
}

static int op_release(struct call *call)
{
	struct agent *agent = call->agent;

	return saved_release(&agent->saved, &agent->vfio, &agent->host, &call->bdf, call->err);
}

static int op_put(struct call *call)
{
	struct inbox_file file = {0};
	const char *name;
	int64_t crc32;
	bool there;
	int r = text_member(call, "name", &name);

	if (r == 0)
		r = count_member(call, "size", 1, INT64_MAX, &file.size);
	if (r == 0)
		r = count_member(call, "crc32", 0, UINT32_MAX, &crc32);
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

static int op_data(struct call *call)
{
	const char *text;
	void *bytes;
	int64_t at;
	size_t n;
	int r = text_member(call, "data", &text);

	if (r == 0)
		r = count_member(call, "at", 0, INT64_MAX, &at);
	if (r < 0)
		return r;
	r = base64_decode(text, &bytes, &n);
	if (r < 0)
		return err_set(call->err, r, "data: not base64");
	r = inbox_take(&call->agent->inbox, &call->agent->host, at, bytes, n, call->err);
	free(bytes);
	return r;
}

static int op_kexec_load(struct call *call)
{
	char cmdline[KEXEC_CMDLINE_SIZE];
	struct kexec_load load = {
		.initrd = msg_get_str(call->request, "initrd"),
		.append = msg_get_str(call->request, "append"),
	};
	int r = text_member(call, "image", &load.image);

	if (r == 0)
		r = word_member(call, "kind", "boot", "crash", &load.crash);
	if (r == 0)
		r = word_member(call, "syscall", "load", "file", &load.by_file);
	if (r == 0)
		r = kexec_load(&call->agent->kexec, &call->agent->host, &load, cmdline, call->err);
	if (r == 0)
		msg_set_str(call->answer, "cmdline", cmdline);
	return r;
}

/* All is put back but the kernel that is to be booted. */
static int op_kexec_boot(struct call *call)
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

static int op_dead_log(struct call *call)
{
	struct agent *agent = call->agent;
	int64_t at;
	size_t n;
	char *text;
	int r = count_member(call, "at", 0, INT64_MAX, &at);

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

/* Only out of a kernel that an agent booted: a machine as its owner started it stays up. */
static int op_reboot(struct call *call)
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

static int op_bye(struct call *call)
{
	int r = agent_restore(call->agent, call->err);

	call->agent->bye = true;
	call->agent->bye_failed = r < 0;
	return r;
}

static const struct op {
	const char *name;
	int (*run)(struct call *call);
	unsigned needs;
} ops[] = {
	{"hello", op_hello, 0},
	{"ping", op_ping, NEEDS_SESSION},
	{"list", op_list, NEEDS_SESSION},
	{"claim", op_claim, NEEDS_SESSION | NEEDS_BDF},
	{"bind", op_bind, NEEDS_SESSION | NEEDS_BDF | NEEDS_CLAIM | NEEDS_CLOSED},
	{"unbind", op_unbind, NEEDS_SESSION | NEEDS_BDF | NEEDS_CLAIM | NEEDS_CLOSED},
	{"native", op_native, NEEDS_SESSION | NEEDS_BDF | NEEDS_CLAIM | NEEDS_CLOSED},
	{"open", op_open, NEEDS_SESSION | NEEDS_BDF | NEEDS_CLAIM},
	{"close", op_close, NEEDS_SESSION | NEEDS_BDF | NEEDS_CLAIM},
	{"power", op_power, NEEDS_SESSION | NEEDS_BDF | NEEDS_CLAIM},
	{"vfs", op_vfs, NEEDS_SESSION | NEEDS_BDF | NEEDS_CLAIM | NEEDS_CLOSED},
	{"set", op_set, NEEDS_SESSION | NEEDS_BDF | NEEDS_CLAIM},
	{"state", op_state, NEEDS_SESSION | NEEDS_BDF},
	{"watch", op_watch, NEEDS_SESSION | NEEDS_BDF},
	{"unwatch", op_unwatch, NEEDS_SESSION | NEEDS_BDF},
	{"release", op_release, NEEDS_SESSION | NEEDS_BDF},
	{"suite", op_suite, NEEDS_SESSION},
	{"put", op_put, NEEDS_SESSION},
	{"data", op_data, NEEDS_SESSION},
	{"kexec-load", op_kexec_load, NEEDS_SESSION},
	{"kexec-boot", op_kexec_boot, NEEDS_SESSION},
	{"dead-log", op_dead_log, NEEDS_SESSION},
	{"reboot", op_reboot, NEEDS_SESSION},
	{"bye", op_bye, NEEDS_SESSION},
};

const char *ops_name(size_t i)
{
	return i < sizeof(ops) / sizeof(ops[0]) ? ops[i].name : NULL;
}

static const struct op *find(const char *name)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (strcmp(ops[i].name, name) == 0)
			return &ops[i];
	}
	return NULL;
}

static int take_bdf(struct call *call)
{
	const char *text = msg_get_str(call->request, "bdf");

	if (!text)
		return err_set(call->err, -EINVAL, "bdf: missing, or not text");
	if (bdf_parse(text, &call->bdf) < 0)
		return err_set(call->err, -EINVAL, "bdf %s: not DDDD:BB:DD.F", text);
	return 0;
}

static int check_closed(const struct call *call)
{
	const struct agent *agent = call->agent;
	struct bdf_list slot = device_slot(&agent->host, &call->bdf);
	bool held = vfio_holds(&agent->vfio, &agent->host, &slot);

	bdf_list_free(&slot);
	return held ? err_set(call->err, -EBUSY,
			      "a function of its slot or IOMMU group is open: close it first")
		    : 0;
}

static int check(struct call *call, unsigned needs)
{
	int r = 0;

	if (needs & NEEDS_SESSION && !call->agent->watch)
		return err_set(call->err, -EPROTO, "no session: say hello first");
	if (needs & NEEDS_BDF && call->agent->suite.pid)
		return err_set(call->err, -EBUSY, "the conformance suite has the devices");
	if (needs & NEEDS_BDF)
		r = take_bdf(call);
	if (r == 0 && needs & NEEDS_BDF && !device_exists(&call->agent->host, &call->bdf))
		r = err_set(call->err, -ENODEV, "there is no such device");
	if (r == 0 && needs & NEEDS_CLAIM && !saved_has(&call->agent->saved, &call->bdf))
		r = err_set(call->err, -EPERM, "its slot is not claimed");
	if (r == 0 && needs & NEEDS_CLOSED)
		r = check_closed(call);
	return r;
}

int ops_run(struct agent *agent, const struct msg *request, struct msg *answer, struct err *err)
{
	struct call call = {.agent = agent, .request = request, .answer = answer, .err = err};
	const char *name = msg_get_str(request, "op");
	const struct op *op = name ? find(name) : NULL;
	int r;

	if (!name)
		return err_set(err, -EINVAL, "op: missing, or not text");
	if (!op)
		return err_set(err, -EINVAL, "op %s: not known", name);
	r = check(&call, op->needs);
	return r < 0 ? r : op->run(&call);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ops.h"

#include <errno.h>
#include <string.h>

#include "device.h"
#include "ops_parts.h"

enum needs {
	NEEDS_SESSION = 1,
	NEEDS_BDF = 2,	  /* and the function must be there */
	NEEDS_CLAIM = 4,  /* of its slot */
	NEEDS_CLOSED = 8, /* the whole slot, and what shares its IOMMU groups */
};

static const struct op {
	const char *name;
	int (*run)(struct ops_call *call);
	unsigned needs;
} ops[] = {
	{"hello", ops_hello, 0},
	{"ping", ops_ping, NEEDS_SESSION},
	{"list", ops_list, NEEDS_SESSION},
	{"claim", ops_claim, NEEDS_SESSION | NEEDS_BDF},
	{"bind", ops_bind, NEEDS_SESSION | NEEDS_BDF | NEEDS_CLAIM | NEEDS_CLOSED},
	{"unbind", ops_unbind, NEEDS_SESSION | NEEDS_BDF | NEEDS_CLAIM | NEEDS_CLOSED},
	{"native", ops_native, NEEDS_SESSION | NEEDS_BDF | NEEDS_CLAIM | NEEDS_CLOSED},
	{"open", ops_open, NEEDS_SESSION | NEEDS_BDF | NEEDS_CLAIM},
	{"close", ops_close, NEEDS_SESSION | NEEDS_BDF | NEEDS_CLAIM},
	{"power", ops_power, NEEDS_SESSION | NEEDS_BDF | NEEDS_CLAIM},
	{"vfs", ops_vfs, NEEDS_SESSION | NEEDS_BDF | NEEDS_CLAIM | NEEDS_CLOSED},
	{"set", ops_set, NEEDS_SESSION | NEEDS_BDF | NEEDS_CLAIM},
	{"state", ops_state, NEEDS_SESSION | NEEDS_BDF},
	{"watch", ops_watch, NEEDS_SESSION | NEEDS_BDF},
	{"unwatch", ops_unwatch, NEEDS_SESSION | NEEDS_BDF},
	{"release", ops_release, NEEDS_SESSION | NEEDS_BDF},
	{"suite", ops_suite, NEEDS_SESSION},
	{"put", ops_put, NEEDS_SESSION},
	{"data", ops_data, NEEDS_SESSION},
	{"kexec-load", ops_kexec_load, NEEDS_SESSION},
	{"kexec-boot", ops_kexec_boot, NEEDS_SESSION},
	{"dead-log", ops_dead_log, NEEDS_SESSION},
	{"reboot", ops_reboot, NEEDS_SESSION},
	{"bye", ops_bye, NEEDS_SESSION},
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

static int take_bdf(struct ops_call *call)
{
	const char *text = msg_get_str(call->request, "bdf");

	if (!text)
		return err_set(call->err, -EINVAL, "bdf: missing, or not text");
	if (bdf_parse(text, &call->bdf) < 0)
		return err_set(call->err, -EINVAL, "bdf %s: not DDDD:BB:DD.F", text);
	return 0;
}

static int check_closed(const struct ops_call *call)
{
	const struct agent *agent = call->agent;
	struct bdf_list slot = device_slot(&agent->host, &call->bdf);
	bool held = vfio_holds(&agent->vfio, &agent->host, &slot);

	bdf_list_free(&slot);
	return held ? err_set(call->err, -EBUSY,
			      "a function of its slot or IOMMU group is open: close it first")
		    : 0;
}

static int check(struct ops_call *call, unsigned needs)
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
	struct ops_call call = {.agent = agent, .request = request, .answer = answer, .err = err};
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

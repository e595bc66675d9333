/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "describe.h"
#include "device.h"
#include "driver.h"
#include "guard.h"
#include "ops_parts.h"

static struct guard *look_at_machine(const struct agent *agent)
{
	const int fds[] = {agent->line.in, agent->line.out};

	return guard_new(&agent->host, fds, sizeof(fds) / sizeof(fds[0]));
}

int ops_list(struct ops_call *call)
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
static int check_unused(const struct ops_call *call)
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

int ops_claim(struct ops_call *call)
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
static int each_function(struct ops_call *call,
			 int (*act)(const struct host *, const struct bdf *, struct err *))
{
	struct bdf_list slot = device_slot(&call->agent->host, &call->bdf);
	int r = 0;

	for (size_t i = 0; i < slot.n && r == 0; i++)
		r = act(&call->agent->host, &slot.at[i], call->err);
	bdf_list_free(&slot);
	return r;
}

int ops_bind(struct ops_call *call)
{
	return each_function(call, driver_to_vfio);
}

int ops_unbind(struct ops_call *call)
{
	return each_function(call, driver_unbind);
}

int ops_native(struct ops_call *call)
{
	char driver[DEVICE_TEXT_SIZE];
	int r = each_function(call, driver_to_native);

	if (r < 0)
		return r;
	device_driver(&call->agent->host, &call->bdf, driver);
	msg_set_str(call->answer, "driver", *driver ? driver : NULL);
	return 0;
}

int ops_open(struct ops_call *call)
{
	return vfio_open(&call->agent->vfio, &call->agent->host, &call->bdf, call->err);
}

int ops_close(struct ops_call *call)
{
	return vfio_close(&call->agent->vfio, &call->bdf, call->err);
}

int ops_power(struct ops_call *call)
{
	bool d3hot;
	int r = ops_call_word(call, "state", "D0", "D3hot", &d3hot);

	return r < 0 ? r : vfio_set_power(&call->agent->vfio, &call->bdf, d3hot, call->err);
}

/* Virtual functions that go away must be in nobody's hands. */
static int check_vfs_free(const struct ops_call *call, const struct bdf_list *vfs)
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

int ops_vfs(struct ops_call *call)
{
	const struct host *host = &call->agent->host;
	struct bdf_list vfs = device_vfs(host, &call->bdf);
	int64_t count;
	int r;

	r = ops_call_count(call, "count", 0, INT32_MAX, &count);
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

int ops_set(struct ops_call *call)
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

int ops_state(struct ops_call *call)
{
	describe_state(&call->agent->host, &call->bdf, call->answer);
	return 0;
}

int ops_watch(struct ops_call *call)
{
	const char *witness, *why;

	watch_add(call->agent->watch, &call->bdf);
	witness = watch_witness(call->agent->watch, &why);
	msg_set_str(call->answer, "witness", witness);
	msg_set_str(call->answer, "why", why);
	return 0;
}

int ops_unwatch(struct ops_call *call)
{
	int r = watch_remove(call->agent->watch, &call->bdf);

	return r < 0 ? err_set(call->err, r, "it was not watched") : 0;
}

int ops_release(struct ops_call *call)
{
	struct agent *agent = call->agent;

	return saved_release(&agent->saved, &agent->vfio, &agent->host, &call->bdf, call->err);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "describe.h"

#include <stddef.h>

#include "sysfs.h"

#define SETTLE_NS INT64_C(200000000)

/* Members that are the text of an attribute, null where there is none. */
struct member {
	const char *key, *attr;
};

static const struct member id_members[] = {
	{"vendor", "vendor"},
	{"device", "device"},
	{"class", "class"},
};

static const struct member state_members[] = {
	{"power_state", "power_state"}, {"runtime_status", "power/runtime_status"},
	{"control", "power/control"},	{"d3cold_allowed", "d3cold_allowed"},
	{"wakeup", "power/wakeup"},
};

static const struct member sibling_members[] = {
	{"power_state", "power_state"},
	{"runtime_status", "power/runtime_status"},
};

static const struct member port_members[] = {
	{"power_state", "power_state"},
	{"runtime_status", "power/runtime_status"},
	{"d3cold_allowed", "d3cold_allowed"},
	{"acpi", "firmware_node/real_power_state"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void set_attr(const struct host *host, const struct bdf *bdf, struct msg *msg,
		     const char *key, const char *attr)
{
	char text[DEVICE_TEXT_SIZE];

	msg_set_str(msg, key, device_read(host, bdf, attr, text) == 0 ? text : NULL);
}

static void set_members(const struct host *host, const struct bdf *bdf, struct msg *msg,
			const struct member *members, size_t n)
{
	for (size_t i = 0; i < n; i++)
		set_attr(host, bdf, msg, members[i].key, members[i].attr);
}

static void set_bdf(struct msg *msg, const char *key, const struct bdf *bdf)
{
	char name[BDF_TEXT_SIZE];

	bdf_format(bdf, name);
	msg_set_str(msg, key, name);
}

static void set_driver(const struct host *host, const struct bdf *bdf, struct msg *msg)
{
	char driver[DEVICE_TEXT_SIZE];

	device_driver(host, bdf, driver);
	msg_set_str(msg, "driver", *driver ? driver : NULL);
}

struct msg *describe_list(const struct bdf_list *list, const struct bdf *skip)
{
	struct msg *array = msg_array();

	for (size_t i = 0; i < list->n; i++) {
		char name[BDF_TEXT_SIZE];

		if (skip && bdf_equal(&list->at[i], skip))
			continue;
		bdf_format(&list->at[i], name);
		msg_add(array, msg_string(name));
	}
	return array;
}

static void set_port(const struct host *host, const struct bdf *bdf, struct msg *msg)
{
	struct bdf port;

	if (device_port(host, bdf, &port) == 0) {
		set_bdf(msg, "port", &port);
		set_attr(host, &port, msg, "port_acpi", "firmware_node/path");
	} else {
		msg_set_str(msg, "port", NULL);
		msg_set_str(msg, "port_acpi", NULL);
	}
}

static void set_group(const struct host *host, const struct bdf *bdf, struct msg *msg)
{
	struct bdf_list group = device_group_members(host, bdf);
	int number = device_group(host, bdf);

	if (number >= 0)
		msg_set_int(msg, "iommu_group", number);
	else
		msg_set_str(msg, "iommu_group", NULL);
	msg_set(msg, "group", describe_list(&group, NULL));
	bdf_list_free(&group);
}

struct msg *describe_device(const struct host *host, const struct guard *guard,
			    const struct bdf *bdf)
{
	struct bdf_list slot = device_slot(host, bdf);
	struct msg *msg = msg_object();
	struct err why;
	long vfs;

	set_bdf(msg, "bdf", bdf);
	set_members(host, bdf, msg, id_members, COUNT(id_members));
	set_driver(host, bdf, msg);
	set_port(host, bdf, msg);
	msg_set(msg, "siblings", describe_list(&slot, bdf));
	set_group(host, bdf, msg);
	if (device_number(host, bdf, "sriov_totalvfs", &vfs) < 0)
		vfs = 0;
	msg_set_int(msg, "sriov_total", vfs);
	msg_set_bool(msg, "is_vf", device_is_vf(host, bdf));
	set_attr(host, bdf, msg, "acpi", "firmware_node/path");
	msg_set_str(msg, "needed", guard_needs(guard, bdf, &why) ? why.text : NULL);
	bdf_list_free(&slot);
	return msg;
}

/* The slot and its port, together within the limit. */
static void settle(const struct host *host, const struct bdf_list *slot, const struct bdf *port)
{
	int64_t end_ns = host_now_ns() + SETTLE_NS;

	for (size_t i = 0; i < slot->n; i++)
		device_settle(host, &slot->at[i], end_ns - host_now_ns());
	if (port)
		device_settle(host, port, end_ns - host_now_ns());
}

static struct msg *siblings(const struct host *host, const struct bdf_list *slot,
			    const struct bdf *self)
{
	struct msg *array = msg_array();

	for (size_t i = 0; i < slot->n; i++) {
		struct msg *msg;

		if (bdf_equal(&slot->at[i], self))
			continue;
		msg = msg_object();
		set_bdf(msg, "bdf", &slot->at[i]);
		set_members(host, &slot->at[i], msg, sibling_members, COUNT(sibling_members));
		msg_add(array, msg);
	}
	return array;
}

void describe_state(const struct host *host, const struct bdf *bdf, struct msg *answer)
{
	struct bdf_list slot = device_slot(host, bdf);
	struct bdf port;
	bool has_port = device_port(host, bdf, &port) == 0;
	struct msg *msg = msg_null();

	settle(host, &slot, has_port ? &port : NULL);
	set_members(host, bdf, answer, state_members, COUNT(state_members));
	set_driver(host, bdf, answer);
	msg_set(answer, "siblings", siblings(host, &slot, bdf));
	if (has_port) {
		msg_free(msg);
		msg = msg_object();
		set_bdf(msg, "bdf", &port);
		set_members(host, &port, msg, port_members, COUNT(port_members));
	}
	msg_set(answer, "port", msg);
	set_attr(host, bdf, answer, "acpi", "firmware_node/real_power_state");
	bdf_list_free(&slot);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis_incidents.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int take_console(struct incidents *incidents, const struct lab_target *target,
			const struct store_entry *entry)
{
	struct incidents_console console = {.arm = entry->arm, .cycle = entry->cycle};
	const char *kind = msg_get_str(entry->body, "kind");
	const char *text = msg_get_str(entry->body, "text");
	const char *device = msg_get_str(entry->body, "device");

	(void)target;
	if (!kind || !text || console_kind_parse(kind, &console.event.kind) < 0)
		return -EBADMSG;
	console.event.t_ns = msg_get_int(entry->body, "t_ns", entry->t_ns);
	snprintf(console.event.text, sizeof(console.event.text), "%s", text);
	snprintf(console.event.device, sizeof(console.event.device), "%s", device ? device : "");
	return incidents_add_console(incidents, &console);
}

static int symptom_parse(const char *name, enum recovery_symptom *out)
{
	for (int i = 0; name && i < RECOVERY_SYMPTOM_COUNT; i++) {
		if (strcmp(name, recovery_symptom_name((enum recovery_symptom)i)) == 0) {
			*out = (enum recovery_symptom)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* Steps are for people; the end of a recovery says what counts. */
static int take_recovery(struct incidents *incidents, const struct lab_target *target,
			 const struct store_entry *entry)
{
	struct incidents_recovery recovery = {
		.arm = entry->arm,
		.cycle = entry->cycle,
		.back = msg_get_bool(entry->body, "back", false),
		.took_ns =
			msg_get_int(entry->body, "t1_ns", 0) - msg_get_int(entry->body, "t0_ns", 0),
	};
	const char *what = msg_get_str(entry->body, "what");
	const char *by = msg_get_str(entry->body, "by");

	(void)target;
	if (!what)
		return -EBADMSG;
	if (strcmp(what, "end") != 0)
		return 0;
	if (recovery.took_ns < 0 ||
	    symptom_parse(msg_get_str(entry->body, "symptom"), &recovery.symptom) < 0 ||
	    (recovery.back && (!by || recovery_step_parse(by, &recovery.by) < 0)))
		return -EBADMSG;
	return incidents_add_recovery(incidents, &recovery);
}

static int take_left_out(struct incidents *incidents, const struct lab_target *target,
			 const struct store_entry *entry)
{
	const char *bdf = msg_get_str(entry->body, "device");
	const struct lab_device *device = bdf ? lab_find_device(target, bdf) : NULL;
	const char *why = msg_get_str(entry->body, "why");
	struct incidents_left_out left_out = {
		.arm = entry->arm,
		.device = device ? (int)(device - target->devices) : -1,
		.losses = (unsigned)msg_get_int(entry->body, "losses", 0),
	};

	snprintf(left_out.why, sizeof(left_out.why), "%s", why ? why : "");
	return device ? incidents_add_left_out(incidents, &left_out) : -EBADMSG;
}

int analysis_take_incident(struct incidents *incidents, const struct lab_target *target,
			   const struct store_entry *entry)
{
	static const struct {
		const char *kind;
		int (*take)(struct incidents *incidents, const struct lab_target *target,
			    const struct store_entry *entry);
	} takers[] = {
		{"console", take_console},
		{"recovery", take_recovery},
		{"left-out", take_left_out},
	};

	for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++) {
		if (strcmp(entry->kind, takers[i].kind) == 0)
			return takers[i].take(incidents, target, entry);
	}
	return -EBADMSG;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab_check.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "journal.h"
#include "meter.h"
#include "rig.h"
#include "target_lines.h"
#include "target_use.h"
#include "transport.h"
#include "wiring.h"

#define SECOND		INT64_C(1000000000)
#define TARGET_LIMIT_NS (10 * SECOND)
#define METER_LIMIT_NS	(10 * SECOND)

struct check {
	const struct lab_check_options *o;
	const struct lab_target *target; /* NULL: of the lab */
	int failed;
};

static const char *const state_names[] = {"ok", "failed", "not-wired", "skipped"};

const char *lab_check_state_name(enum lab_check_state state)
{
	return state_names[state];
}

static void find(struct check *c, const char *what, const char *name, enum lab_check_state state,
		 const bool *active, const char *text)
{
	struct msg *finding = msg_object();

	msg_set_str(finding, "target", c->target ? c->target->name : NULL);
	msg_set_str(finding, "what", what);
	msg_set_str(finding, "name", name);
	msg_set_str(finding, "state", lab_check_state_name(state));
	if (active)
		msg_set_bool(finding, "active", *active);
	else
		msg_set(finding, "active", msg_null());
	msg_set_str(finding, "text", text);
	c->failed += state == LAB_CHECK_FAILED;
	c->o->found(finding, c->o->context);
	msg_free(finding);
}

/* What a target that lacks this line cannot have. */
static const char *why_missed(const struct lab_target *target, enum lab_role role)
{
	const struct lab_line *power = &target->lines[LAB_ROLE_POWER];

	switch (role) {
	case LAB_ROLE_POWER:
		return "a target that hangs cannot be switched off and on";
	case LAB_ROLE_RESET:
		return "a target that hangs cannot be reset";
	case LAB_ROLE_FORCE_OFF:
		return power->kind != LAB_LINE_NONE && power->hold_ns == 0
			       ? "not needed where power is a supply"
			       : "a target that hangs cannot be switched off by a button";
	case LAB_ROLE_POWER_GOOD:
		return "whether power and force-off do anything is not verified";
	default:
		return "";
	}
}

static bool is_own_qmp(const struct lab_line *line)
{
	return line->kind == LAB_LINE_QMP && strcmp(line->qmp.socket, LAB_QMP_OWN) == 0;
}

/* -ENODATA of a read is no failure: a command need not have a query. */
static void check_open_line(struct check *c, enum lab_role role, struct target_lines *lines)
{
	const char *found = lines_text(target_lines_all(lines), target_lines_index(lines, role));
	struct err err = {""};
	bool active = false;
	int r = target_lines_read(lines, role, &active, &err);

	if (r == 0 || r == -ENODATA)
		find(c, "line", lab_role_name(role), LAB_CHECK_OK, r == 0 ? &active : NULL, found);
	else
		find(c, "line", lab_role_name(role), LAB_CHECK_FAILED, NULL, err.text);
}

static void check_line(struct check *c, enum lab_role role, unsigned *good)
{
	const struct lab_line *line = &c->target->lines[role];
	struct target_lines *lines = NULL;
	struct err err = {""};
	int before = c->failed;

	if (line->kind == LAB_LINE_NONE) {
		find(c, "line", lab_role_name(role), LAB_CHECK_NOT_WIRED, NULL,
		     why_missed(c->target, role));
	} else if (is_own_qmp(line)) {
		find(c, "line", lab_role_name(role), LAB_CHECK_SKIPPED, NULL,
		     "comes with the virtual target");
	} else if (target_lines_open_some(c->o->lab, c->target, 1u << role, NULL, &lines, &err) <
		   0) {
		find(c, "line", lab_role_name(role), LAB_CHECK_FAILED, NULL, err.text);
	} else {
		check_open_line(c, role, lines);
		target_lines_close(lines);
		if (c->failed == before)
			*good |= 1u << role;
	}
}

static void tell_exercise(struct check *c, const char *name, int r, const char *done,
			  const struct err *err)
{
	find(c, "exercise", name, r < 0 ? LAB_CHECK_FAILED : LAB_CHECK_OK, NULL,
	     r < 0 ? err->text : done);
}

static void press(struct check *c, struct target_lines *lines, enum lab_role role)
{
	struct err err = {""};
	char done[64];
	int r;

	if (!target_lines_has(lines, role) || rig_is_interrupted())
		return;
	snprintf(done, sizeof(done), "held for %.3g s, and let go",
		 (double)c->target->lines[role].hold_ns * 1e-9);
	r = target_lines_press(lines, role, &err);
	tell_exercise(c, lab_role_name(role), r, done, &err);
}

/* All that a recovery may do, with the lines that are well. */
static void exercise(struct check *c, unsigned good)
{
	struct target_lines *lines = NULL;
	struct err err = {""};
	int r;

	if (!good || rig_is_interrupted())
		return;
	r = target_lines_open_some(c->o->lab, c->target, good, NULL, &lines, &err);
	if (r < 0) {
		find(c, "exercise", "lines", LAB_CHECK_FAILED, NULL, err.text);
		return;
	}
	press(c, lines, LAB_ROLE_RESET);
	press(c, lines, LAB_ROLE_PERST);
	if (target_lines_has(lines, LAB_ROLE_POWER) && !rig_is_interrupted()) {
		r = target_lines_power_cycle(lines, &err);
		tell_exercise(c, "power", r,
			      target_lines_has(lines, LAB_ROLE_POWER_GOOD)
				      ? "switched off and on, as power-good tells"
				      : "switched off and on; power-good is not wired to tell",
			      &err);
	}
	target_lines_close(lines);
}

static void tell_target(struct check *c, const struct rig *rig)
{
	const struct msg *hello = rig_hello(rig);
	const char *release = msg_get_str(hello, "release");
	char text[300];
	size_t n = 0;

	for (size_t i = 0; i < c->target->devices_n; i++) {
		const struct lab_device *device = &c->target->devices[i];

		if (rig_find_device(rig, device->bdf)) {
			n++;
			continue;
		}
		snprintf(text, sizeof(text), "%s (%.200s) is not on this target", device->bdf,
			 device->model);
		find(c, "device", device->bdf, LAB_CHECK_FAILED, NULL, text);
	}
	snprintf(text, sizeof(text), "Linux %.200s, %zu of %zu devices are there",
		 release ? release : "of some kind", n, c->target->devices_n);
	find(c, "transport", c->target->transport, LAB_CHECK_OK, NULL, text);
}

static void check_target(struct check *c)
{
	char any[] = "", name[] = "check";
	struct plan_arm arm = {.name = name, .kernel = any, .d3cold_allowed = -1};
	const struct plan plan = {
		.arms = &arm,
		.arms_n = 1,
		.answer_limit_ns = TARGET_LIMIT_NS,
		.boot_limit_ns = TARGET_LIMIT_NS,
	};
	const struct rig_options options = {
		.lab = c->o->lab,
		.target = c->target,
		.plan = &plan,
		.target_files = target_use_files(),
		.leaves_kernel = true,
	};
	struct rig *rig = NULL;
	struct err err = {""};

	if (strcmp(c->target->transport, "virtual") == 0)
		find(c, "transport", "virtual", LAB_CHECK_SKIPPED, NULL,
		     "started anew by each run: there is nothing to reach now");
	else if (rig_up(&options, &rig, &err) < 0)
		find(c, "transport", c->target->transport, LAB_CHECK_FAILED, NULL, err.text);
	else
		tell_target(c, rig);
	rig_down(rig);
}

/* That it can be had. Nobody may be there to say anything on it now. */
static void check_console(struct check *c)
{
	const struct lab_target *target = c->target;
	struct transport *console = NULL;
	struct err err = {""};
	char text[700];

	if (strcmp(target->transport, "virtual") == 0) {
		find(c, "console", "virtual", LAB_CHECK_SKIPPED, NULL,
		     "comes with the virtual target");
	} else if (!target->console) {
		find(c, "console", "", LAB_CHECK_NOT_WIRED, NULL,
		     "what its kernel says in trouble is not recorded");
	} else if (transport_open(target->console, &console, &err) < 0) {
		snprintf(text, sizeof(text), "%s:%zu:%zu: console: %s", c->o->lab->path,
			 target->console_line, target->console_column, err.text);
		find(c, "console", target->console, LAB_CHECK_FAILED, NULL, text);
	} else {
		find(c, "console", target->console, LAB_CHECK_OK, NULL,
		     target->console_break || transport_is_serial(console)
			     ? "SysRq can be sent on it"
			     : "no SysRq can be sent on it without a console_break");
		transport_close(console);
	}
}

struct reading {
	char who[METER_IDENTITY_SIZE]; /* what the meter says it is */
	bool seen[WIRING_CHANNELS_MAX];
	double value[WIRING_CHANNELS_MAX];
	char unit[WIRING_CHANNELS_MAX][METER_UNIT_SIZE];
	size_t seen_n;
	struct err why; /* of a loss */
	bool lost;
};

static void take(struct meter *meter, struct reading *reading)
{
	struct meter_sample samples[64];
	struct meter_event event;
	size_t event_n, n = meter_read(meter, samples, 64, &event, &event_n);

	for (size_t i = 0; i < n; i++) {
		if (!reading->seen[samples[i].channel])
			reading->seen_n++;
		reading->seen[samples[i].channel] = true;
		reading->value[samples[i].channel] = samples[i].value;
	}
	if (event_n && event.kind == METER_EVENT_READY)
		meter_identity_text(&event.identity, reading->who);
	if (event_n && event.kind == METER_EVENT_CHANNEL)
		memcpy(reading->unit[event.channel], event.unit, METER_UNIT_SIZE);
	if (event_n && event.kind == METER_EVENT_LOST) {
		reading->lost = true;
		err_set(&reading->why, 0, "%s", event.text);
	}
}

static void read_all(struct meter *meter, size_t channels_n, int64_t limit_ns,
		     struct reading *reading)
{
	int64_t until_ns = journal_now_ns() + limit_ns;

	while (reading->seen_n < channels_n && !reading->lost && journal_now_ns() < until_ns &&
	       !rig_is_interrupted()) {
		struct pollfd p = {.fd = meter_fd(meter), .events = POLLIN};

		(void)poll(&p, 1, 100);
		take(meter, reading);
	}
}

static void tell_meter(struct check *c, const struct lab_meter *meter, const char *const *channels,
		       size_t channels_n, const struct reading *reading)
{
	char text[400];
	size_t at;

	if (reading->lost || reading->seen_n < channels_n) {
		snprintf(text, sizeof(text), "%.200s:%zu:%zu: spec: %.150s", c->o->lab->path,
			 meter->spec_line, meter->spec_column,
			 reading->lost ? reading->why.text
				       : "not every channel that is used gives readings");
		find(c, "meter", meter->name, LAB_CHECK_FAILED, NULL, text);
		return;
	}
	at = (size_t)snprintf(text, sizeof(text), "%s:", reading->who);
	for (size_t i = 0; i < channels_n && at < sizeof(text) - 60; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s %.30s %.4g %s",
				       i ? "," : "", channels[i], reading->value[i],
				       reading->unit[i]);
	find(c, "meter", meter->name, LAB_CHECK_OK, NULL, text);
}

static size_t channels_of(const struct lab_check_options *o, size_t meter, const char **channels)
{
	size_t n = 0;

	for (size_t i = 0; n == 0 && i < o->lab->targets_n; i++) {
		if (!o->target || o->target == &o->lab->targets[i])
			n = wiring_channels(&o->lab->targets[i], meter, channels);
	}
	return n;
}

static void check_meter(struct check *c, size_t index)
{
	const struct lab_meter *meter = &c->o->lab->meters[index];
	const char *channels[WIRING_CHANNELS_MAX];
	struct meter_options options = {
		.spec = meter->spec,
		.channels = channels,
		.channels_n = channels_of(c->o, index, channels),
		.rate_hz = meter->rate_hz,
		.silence_ns = METER_LIMIT_NS,
		.start_ns = meter->start_ns,
	};
	struct reading reading = {.who = ""};
	struct meter *opened = NULL;
	struct err err = {""};

	if (options.channels_n == 0) {
		find(c, "meter", meter->name, LAB_CHECK_NOT_WIRED, NULL,
		     "no rail is measured by it");
	} else if (strstr(meter->spec, "{port}")) {
		find(c, "meter", meter->name, LAB_CHECK_SKIPPED, NULL,
		     "comes with the virtual target");
	} else if (meter_open(&options, &opened, &err) < 0) {
		find(c, "meter", meter->name, LAB_CHECK_FAILED, NULL, err.text);
	} else {
		read_all(opened, options.channels_n, meter->start_ns + METER_LIMIT_NS, &reading);
		tell_meter(c, meter, channels, options.channels_n, &reading);
		meter_close(opened);
	}
}

/* The target first: exercising its lines takes it down. */
static void check_one(struct check *c)
{
	struct lock *lock = NULL;
	struct err err = {""};
	unsigned good = 0;

	if (target_use_lock(c->o->lab, c->target, "coldrig lab check", &lock, &err) < 0) {
		find(c, "transport", c->target->transport, LAB_CHECK_FAILED, NULL, err.text);
		return;
	}
	check_target(c);
	check_console(c);
	for (int role = 0; role < LAB_ROLE_COUNT && !rig_is_interrupted(); role++)
		check_line(c, (enum lab_role)role, &good);
	if (c->o->exercise)
		exercise(c, good);
	lock_release(lock);
}

int lab_check(const struct lab_check_options *o)
{
	struct check c = {.o = o};

	for (size_t i = 0; i < o->lab->targets_n && !rig_is_interrupted(); i++) {
		c.target = &o->lab->targets[i];
		if (!o->target || o->target == c.target)
			check_one(&c);
	}
	c.target = NULL;
	for (size_t i = 0; i < o->lab->meters_n && !rig_is_interrupted(); i++)
		check_meter(&c, i);
	return c.failed;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "target_lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "journal.h"

#define NOT_WIRED      SIZE_MAX
#define POWER_LIMIT_NS INT64_C(10000000000) /* from a button to power-good, and back */
#define LOOK_MS	       20

struct target_lines {
	struct lines *lines;
	size_t index[LAB_ROLE_COUNT];
	struct lab_line wires[LAB_ROLE_COUNT]; /* their strings are the lab's */
	char where[LAB_ROLE_COUNT][TARGET_LINES_WHERE_SIZE];
};

void target_lines_where(const struct lab *lab, const struct lab_target *target, enum lab_role role,
			char where[static TARGET_LINES_WHERE_SIZE])
{
	const struct lab_line *line = &target->lines[role];

	snprintf(where, TARGET_LINES_WHERE_SIZE, "%s:%zu:%zu: lines: %s", lab->path, line->line,
		 line->column, lab_role_name(role));
}

/* A copy in which the socket of the virtual target has its name; false if the line is not there. */
static bool resolve(const struct lab_line *from, const char *qmp_socket, struct lab_line *to)
{
	*to = *from;
	if (from->kind == LAB_LINE_QMP && strcmp(from->qmp.socket, LAB_QMP_OWN) == 0) {
		if (!qmp_socket)
			return false;
		to->qmp.socket = (char *)qmp_socket;
	}
	return from->kind != LAB_LINE_NONE;
}

static size_t collect(struct target_lines *t, const struct lab *lab,
		      const struct lab_target *target, unsigned roles, const char *qmp_socket,
		      struct line_options options[static LAB_ROLE_COUNT])
{
	size_t n = 0;

	for (int i = 0; i < LAB_ROLE_COUNT; i++) {
		t->index[i] = NOT_WIRED;
		if (!(roles & 1u << i) || !resolve(&target->lines[i], qmp_socket, &t->wires[i]))
			continue;
		target_lines_where(lab, target, (enum lab_role)i, t->where[i]);
		options[n] = (struct line_options){&t->wires[i], t->where[i]};
		t->index[i] = n++;
	}
	return n;
}

int target_lines_open_some(const struct lab *lab, const struct lab_target *target, unsigned roles,
			   const char *qmp_socket, struct target_lines **out, struct err *err)
{
	struct line_options options[LAB_ROLE_COUNT];
	struct target_lines *t = calloc(1, sizeof(*t));
	size_t n;
	int r;

	if (!t)
		return err_set(err, -ENOMEM, "lines: %s", strerror(ENOMEM));
	n = collect(t, lab, target, roles, qmp_socket, options);
	r = n ? lines_open(options, n, &t->lines, err) : 0;
	if (n == 0 || r < 0) {
		free(t);
		t = NULL;
	}
	if (r == 0)
		*out = t;
	return r;
}

int target_lines_open(const struct lab *lab, const struct lab_target *target,
		      const char *qmp_socket, struct target_lines **out, struct err *err)
{
	return target_lines_open_some(lab, target, TARGET_LINES_ALL, qmp_socket, out, err);
}

void target_lines_close(struct target_lines *lines)
{
	if (!lines)
		return;
	lines_close(lines->lines);
	free(lines);
}

bool target_lines_has(const struct target_lines *lines, enum lab_role role)
{
	return lines && lines->index[role] != NOT_WIRED;
}

struct lines *target_lines_all(const struct target_lines *lines)
{
	return lines->lines;
}

size_t target_lines_index(const struct target_lines *lines, enum lab_role role)
{
	return lines->index[role];
}

static int want(const struct target_lines *lines, enum lab_role role, struct err *err)
{
	return target_lines_has(lines, role)
		       ? 0
		       : err_set(err, -ENOENT, "lines: %s is wired to nothing",
				 lab_role_name(role));
}

int target_lines_press(struct target_lines *lines, enum lab_role role, struct err *err)
{
	const struct lab_line *wire;
	int r = want(lines, role, err);

	if (r < 0)
		return r;
	wire = &lines->wires[role];
	return lines_pulse(lines->lines, lines->index[role], wire->hold_ns > 0,
			   wire->hold_ns ? wire->hold_ns : wire->off_time_ns, err);
}

int target_lines_read(struct target_lines *lines, enum lab_role role, bool *active, struct err *err)
{
	int r = want(lines, role, err);

	return r < 0 ? r : lines_read(lines->lines, lines->index[role], active, err);
}

/* Nothing to wait for where power-good is not wired. */
static int await_power(struct target_lines *lines, bool wanted, const char *after, struct err *err)
{
	int64_t until_ns = journal_now_ns() + POWER_LIMIT_NS;
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000};
	bool now = !wanted;
	int r = 0;

	if (!target_lines_has(lines, LAB_ROLE_POWER_GOOD))
		return 0;
	while (r == 0 && now != wanted && journal_now_ns() < until_ns) {
		r = target_lines_read(lines, LAB_ROLE_POWER_GOOD, &now, err);
		if (r == 0 && now != wanted)
			nanosleep(&pause, NULL);
	}
	if (r == 0 && now != wanted)
		r = err_set(err, -EIO,
			    "%s: still %s %lld s after %s: is it wired to this target, and is %s?",
			    lines->where[LAB_ROLE_POWER_GOOD], wanted ? "inactive" : "active",
			    (long long)(POWER_LIMIT_NS / 1000000000), after, after);
	return r;
}

static int cycle_supply(struct target_lines *lines, struct err *err)
{
	const struct lab_line *wire = &lines->wires[LAB_ROLE_POWER];
	int r = lines_pulse(lines->lines, lines->index[LAB_ROLE_POWER], false, wire->off_time_ns,
			    err);

	return r < 0 ? r : await_power(lines, true, "power", err);
}

static int cycle_by_buttons(struct target_lines *lines, struct err *err)
{
	bool is_on = true;
	int r = 0;

	if (target_lines_has(lines, LAB_ROLE_POWER_GOOD))
		r = target_lines_read(lines, LAB_ROLE_POWER_GOOD, &is_on, err);
	if (r == 0 && is_on) {
		r = target_lines_press(lines, LAB_ROLE_FORCE_OFF, err);
		if (r == 0)
			r = await_power(lines, false, "force-off", err);
	}
	if (r == 0)
		r = target_lines_press(lines, LAB_ROLE_POWER, err);
	return r < 0 ? r : await_power(lines, true, "power", err);
}

int target_lines_power_cycle(struct target_lines *lines, struct err *err)
{
	int r = want(lines, LAB_ROLE_POWER, err);

	if (r < 0)
		return r;
	if (lines->wires[LAB_ROLE_POWER].hold_ns == 0)
		return cycle_supply(lines, err);
	return cycle_by_buttons(lines, err);
}

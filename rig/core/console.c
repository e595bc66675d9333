/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "console.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[CONSOLE_KIND_COUNT] = {
	[CONSOLE_PANIC] = "panic",
	[CONSOLE_OOPS] = "oops",
	[CONSOLE_WARNING] = "warning",
	[CONSOLE_LOCKDEP] = "lockdep",
	[CONSOLE_HUNG_TASK] = "hung-task",
	[CONSOLE_SOFT_LOCKUP] = "soft-lockup",
	[CONSOLE_HARD_LOCKUP] = "hard-lockup",
	[CONSOLE_RCU_STALL] = "rcu-stall",
	[CONSOLE_AER] = "aer",
	[CONSOLE_IOMMU] = "iommu",
	[CONSOLE_WAKE_FAILED] = "wake-failed",
};

/*
 * A line matches if it has all parts, one behind the other, the first of them at its begin where
 * head is set. The first row that matches decides, so what is more special stands before what is
 * less. Words of the kernels 5.10 to 7.2.
 */
static const struct pattern {
	enum console_kind kind;
	bool head;
	const char *parts[3];
} patterns[] = {
	{CONSOLE_PANIC, true, {"Kernel panic - not syncing"}},
	{CONSOLE_SOFT_LOCKUP, false, {"BUG: soft lockup - CPU#"}},
	{CONSOLE_HARD_LOCKUP, false, {"Watchdog detected hard LOCKUP on cpu"}},
	{CONSOLE_HUNG_TASK, true, {"INFO: task ", " blocked for more than ", " seconds"}},
	{CONSOLE_RCU_STALL, false, {"INFO: rcu_", " detected ", "stall"}},
	{CONSOLE_RCU_STALL, false, {"INFO: rcu_", "self-detected stall on CPU"}},
	{CONSOLE_LOCKDEP, true, {"WARNING: possible ", " detected"}},
	{CONSOLE_LOCKDEP, true, {"WARNING: inconsistent lock state"}},
	{CONSOLE_LOCKDEP, true, {"WARNING: bad unlock balance detected"}},
	{CONSOLE_LOCKDEP, true, {"WARNING: ", "-safe -> ", "-unsafe lock order detected"}},
	{CONSOLE_LOCKDEP, true, {"WARNING: suspicious RCU usage"}},
	{CONSOLE_LOCKDEP, true, {"WARNING: Nested lock was not taken"}},
	{CONSOLE_LOCKDEP, true, {"WARNING: held lock freed"}},
	{CONSOLE_LOCKDEP, true, {"WARNING: lock held when returning to user space"}},
	{CONSOLE_LOCKDEP, true, {"[ BUG: Invalid wait context ]"}},
	{CONSOLE_LOCKDEP, true, {"BUG: MAX_LOCK"}},
	{CONSOLE_LOCKDEP, true, {"INFO: trying to register non-static key"}},
	{CONSOLE_WARNING, true, {"WARNING: CPU: ", " at "}},
	{CONSOLE_WARNING, true, {"WARNING: ", " at ", ", CPU#"}},
	{CONSOLE_OOPS, true, {"BUG: "}},
	{CONSOLE_OOPS, true, {"kernel BUG at "}},
	{CONSOLE_OOPS, true, {"Oops: "}},
	{CONSOLE_OOPS, true, {"general protection fault"}},
	{CONSOLE_OOPS, true, {"invalid opcode: "}},
	{CONSOLE_OOPS, true, {"divide error: "}},
	{CONSOLE_OOPS, true, {"stack segment: "}},
	{CONSOLE_OOPS, true, {"double fault: "}},
	{CONSOLE_OOPS, true, {"Internal error: ", "[#"}},
	{CONSOLE_OOPS, true, {"UBSAN: "}},
	{CONSOLE_AER, false, {"AER: ", "orrect", " received"}},
	{CONSOLE_AER, false, {"PCIe Bus Error: severity="}},
	{CONSOLE_AER, false, {"DPC: containment event"}},
	{CONSOLE_IOMMU, false, {"DMAR: ", "fault addr"}},
	{CONSOLE_IOMMU, false, {"DMAR: ", "handling fault status"}},
	{CONSOLE_IOMMU, false, {"AMD-Vi: Event logged [", "FAULT"}},
	{CONSOLE_IOMMU, false, {"AMD-Vi: Event logged [", "TIMEOUT"}},
	{CONSOLE_IOMMU, false, {"arm-smmu", "nhandled context fault"}},
	{CONSOLE_IOMMU, false, {"arm-smmu-v3", "event 0x", " received"}},
	{CONSOLE_WAKE_FAILED, false, {"nable to change power state from ", "device inaccessible"}},
	{CONSOLE_WAKE_FAILED,
	 false,
	 {"can't change power state from ", "config space inaccessible"}},
	{CONSOLE_WAKE_FAILED, false, {"efused to change power state"}},
	{CONSOLE_WAKE_FAILED, false, {"not ready ", "after resume; giving up"}},
};

/* "<4>", "[   12.345678]", "[   12.3][  T123]": what printk puts before its text. */
static const char *skip_stamp(const char *line)
{
	const char *at = line;

	if (at[0] == '<' && isdigit((unsigned char)at[1])) {
		const char *end = strchr(at, '>');

		at = end ? end + 1 : at;
	}
	while (*at == '[') {
		const char *end = strchr(at, ']');
		size_t inside = strspn(at + 1, " .0123456789TC");

		if (!end || at + 1 + inside != end)
			break;
		at = end + 1;
		at += strspn(at, " ");
	}
	return at;
}

static bool matches(const struct pattern *pattern, const char *text)
{
	for (size_t i = 0; i < sizeof(pattern->parts) / sizeof(pattern->parts[0]); i++) {
		const char *part = pattern->parts[i], *found;

		if (!part)
			break;
		found = strstr(text, part);
		if (!found || (i == 0 && pattern->head && found != text))
			return false;
		text = found + strlen(part);
	}
	return true;
}

/* The last function that a line names: an AER line begins with the port and ends with the source. */
static void find_device(const char *text, char device[static BDF_TEXT_SIZE])
{
	const size_t full = BDF_TEXT_SIZE - 1, brief = full - strlen("0000:");
	char name[BDF_TEXT_SIZE];
	struct bdf bdf;

	device[0] = '\0';
	for (const char *at = text; *at; at++) {
		if (strnlen(at, full) == full) {
			memcpy(name, at, full);
			name[full] = '\0';
			if (bdf_parse(name, &bdf) == 0)
				bdf_format(&bdf, device);
		}
		/* "[03:00.0]", as the IOMMU writes it. */
		if (*at == '[' && strnlen(at, brief + 2) == brief + 2 && at[brief + 1] == ']') {
			snprintf(name, sizeof(name), "0000:%.*s", (int)brief, at + 1);
			if (bdf_parse(name, &bdf) == 0)
				bdf_format(&bdf, device);
		}
	}
}

/* Is this of the report that is being told already? A console that goes on without a pause makes
 * one report, however long. */
static bool goes_on(struct console_last *last, const struct console_event *event)
{
	bool same =
		last->seen && event->t_ns - last->t_ns < CONSOLE_REPORT_NS &&
		(!event->device[0] || !last->device[0] || strcmp(event->device, last->device) == 0);

	if (event->device[0] || !same)
		memcpy(last->device, event->device, sizeof(last->device));
	last->seen = true;
	last->t_ns = event->t_ns;
	return same;
}

bool console_take(struct console *console, const char *line, int64_t t_ns,
		  struct console_event *event)
{
	const char *text = skip_stamp(line);

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		if (!matches(&patterns[i], text))
			continue;
		event->kind = patterns[i].kind;
		event->t_ns = t_ns;
		find_device(text, event->device);
		snprintf(event->text, sizeof(event->text), "%s", text);
		return !goes_on(&console->last[event->kind], event);
	}
	return false;
}

const char *console_kind_name(enum console_kind kind)
{
	return kind_names[kind];
}

int console_kind_parse(const char *name, enum console_kind *out)
{
	for (int i = 0; i < CONSOLE_KIND_COUNT; i++) {
		if (strcmp(name, kind_names[i]) == 0) {
			*out = (enum console_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}

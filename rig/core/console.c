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
	{CONSOLE_HARD_LOCKUP, false, {"etected hard LOCKUP on "}},
	{CONSOLE_HARD_LOCKUP, false, {"elf-detected hard LOCKUP"}},
	{CONSOLE_HUNG_TASK, true, {"INFO: task ", " blocked ", "for more than "}},
	{CONSOLE_HUNG_TASK, true, {"BUG: workqueue lockup - "}},
	{CONSOLE_RCU_STALL, false, {"INFO: rcu_", " detected ", "stall"}},
	{CONSOLE_RCU_STALL, false, {"INFO: rcu_", "self-detected stall on CPU"}},
	{CONSOLE_LOCKDEP, true, {"WARNING: possible ", " detected"}},
	{CONSOLE_LOCKDEP, true, {"WARNING: inconsistent lock state"}},
	{CONSOLE_LOCKDEP, true, {"WARNING: bad unlock balance detected"}},
	{CONSOLE_LOCKDEP, true, {"WARNING: bad contention detected"}},
	{CONSOLE_LOCKDEP, true, {"WARNING: ", "-safe -> ", "-unsafe lock order detected"}},
	{CONSOLE_LOCKDEP, true, {"WARNING: suspicious RCU usage"}},
	{CONSOLE_LOCKDEP, true, {"WARNING: Nested lock was not taken"}},
	{CONSOLE_LOCKDEP, true, {"WARNING: held lock freed"}},
	{CONSOLE_LOCKDEP, true, {"WARNING: ", " still has locks held"}},
	{CONSOLE_LOCKDEP, true, {"WARNING: lock held when returning to user space"}},
	{CONSOLE_LOCKDEP, true, {"[ BUG: "}},
	{CONSOLE_LOCKDEP, true, {"BUG: MAX_LOCK"}},
	{CONSOLE_LOCKDEP, true, {"BUG: MAX_STACK_TRACE_ENTRIES"}},
	{CONSOLE_LOCKDEP, true, {"INFO: trying to register non-static key"}},
	{CONSOLE_WARNING, true, {"WARNING: CPU: ", " at "}},
	{CONSOLE_WARNING, true, {"WARNING: ", " at ", ", CPU#"}},
	{CONSOLE_WARNING, true, {"irq ", ": nobody cared"}},
	{CONSOLE_WARNING, true, {"kmemleak: ", "new suspected memory leak"}},
	{CONSOLE_OOPS, true, {"BUG: "}},
	{CONSOLE_OOPS, true, {"BUG ", "ainted", "): "}}, /* of the slab allocator */
	{CONSOLE_OOPS, true, {"kernel BUG at "}},
	{CONSOLE_OOPS, true, {"Oops: "}},
	{CONSOLE_OOPS, true, {"general protection fault"}},
	{CONSOLE_OOPS, true, {"invalid opcode: "}},
	{CONSOLE_OOPS, true, {"divide error: "}},
	{CONSOLE_OOPS, true, {"stack segment: "}},
	{CONSOLE_OOPS, true, {"double fault: "}},
	{CONSOLE_OOPS, true, {"int3: ", " [#"}},
	{CONSOLE_OOPS, true, {"Internal error: ", "[#"}},
	{CONSOLE_OOPS, true, {"Unable to handle kernel "}},
	{CONSOLE_OOPS, true, {"SError Interrupt on CPU"}},
	{CONSOLE_OOPS, false, {"[Hardware Error]: ", "Machine Check"}},
	{CONSOLE_OOPS, true, {"UBSAN: "}},
	{CONSOLE_AER, false, {"AER: ", "orrect", " received"}},
	{CONSOLE_AER, false, {"AER: aer_status: "}}, /* where firmware has the errors first */
	{CONSOLE_AER, false, {"AER: device recovery failed"}},
	{CONSOLE_AER, false, {"PCIe Bus Error: severity="}},
	{CONSOLE_AER, false, {"DPC: containment event"}},
	{CONSOLE_AER, false, {"EDR: EDR event received"}},
	/* Not "handling fault status", which comes before each and names no device. */
	{CONSOLE_IOMMU, false, {"DMAR: ", "Request device [", "] "}},
	{CONSOLE_IOMMU, false, {"DMAR: VT-d detected "}},
	{CONSOLE_IOMMU, false, {"AMD-Vi: Event logged ["}},
	{CONSOLE_IOMMU, false, {"AMD-Vi: Completion-Wait loop timed out"}},
	{CONSOLE_IOMMU, false, {"arm-smmu", "nhandled context fault"}},
	{CONSOLE_IOMMU, false, {"arm-smmu", "nexpected global "}},
	{CONSOLE_IOMMU, false, {"arm-smmu-v3", "event: ", " client: "}},
	{CONSOLE_IOMMU, false, {"arm-smmu-v3", "event 0x", " received"}},
	{CONSOLE_IOMMU, false, {"arm-smmu-v3", "CMD_SYNC timeout"}},
	{CONSOLE_WAKE_FAILED, false, {"nable to change power state from ", "device inaccessible"}},
	{CONSOLE_WAKE_FAILED,
	 false,
	 {"can't change power state from ", "config space inaccessible"}},
	{CONSOLE_WAKE_FAILED, false, {"efused to change power state"}},
	{CONSOLE_WAKE_FAILED, false, {"not ready ", "ms after ", "; giving up"}},
};

/* Behind "[   12.345678] " as printk writes it, wherever it stands; NULL if it does not. */
static const char *find_stamp(const char *line)
{
	for (const char *at = strchr(line, '['); at; at = strchr(at + 1, '[')) {
		const char *point = at + 1 + strspn(at + 1, " ");

		point += strspn(point, "0123456789");
		if (*point == '.' && isdigit((unsigned char)point[-1]) &&
		    strspn(point + 1, "0123456789") == 6 && point[7] == ']')
			return point + 8;
	}
	return NULL;
}

/*
 * "<4>", "[   12.345678]", "[   12.3][  T123]": what printk puts before its text. What somebody else
 * wrote to the console and did not end, such as a prompt, stands before that.
 */
static const char *skip_stamp(const char *line)
{
	const char *at = line, *behind;

	if (at[0] == '<' && isdigit((unsigned char)at[1])) {
		const char *end = strchr(at, '>');

		at = end ? end + 1 : at;
	}
	behind = find_stamp(at);
	if (behind)
		at = behind + strspn(behind, " ");
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

/* "[03:00.0]", "[0x03:0x00.0]", "device=03:00.0": the IOMMUs' ways. */
static bool parse_brief(const char *text, struct bdf *bdf)
{
	static const char *const forms[] = {"%2x:%2x.%1x%n", "0x%2x:0x%2x.%1x%n"};
	unsigned bus, device, function;
	char name[BDF_TEXT_SIZE];
	int n = 0;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (sscanf(text, forms[i], &bus, &device, &function, &n) != 3 ||
		    (text[n] != ']' && text[n] != ' '))
			continue;
		snprintf(name, sizeof(name), "0000:%02x:%02x.%x", bus & 0xff, device & 0xff,
			 function & 0xf);
		return bdf_parse(name, bdf) == 0;
	}
	return false;
}

/* The last function that a line names: an AER line begins with the port and ends with the source. */
static void find_device(const char *text, char device[static BDF_TEXT_SIZE])
{
	const size_t full = BDF_TEXT_SIZE - 1;
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
		if ((*at == '[' || *at == '=') && parse_brief(at + 1, &bdf))
			bdf_format(&bdf, device);
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

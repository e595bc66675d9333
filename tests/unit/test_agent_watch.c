/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "watch.h"

#include <errno.h>

#include "agent_fake.h"
#include "traceline.h"
#include "unit.h"

#define CARD "0000:01:00.0"

static char seen[512]; /* "bdf what;" of each event */
static int64_t last_t_ns, last_error_ns;

static void note(void *arg, const struct watch_event *event)
{
	size_t n = strlen(seen);

	(void)arg;
	snprintf(seen + n, sizeof(seen) - n, "%s %s;", event->bdf, event->what);
	last_t_ns = event->t_ns;
	last_error_ns = event->error_ns;
}

static void a_line_of_each_kernel_is_understood(void)
{
	static const struct {
		const char *line;
		enum traceline_kind kind;
		const char *device;
		int ret;
		int64_t t_ns;
	} lines[] = {
		/* 5.10 */
		{"     kworker/1:2-61      [001] d..4    18.239453: coldrig_suspend: "
		 "(pci_pm_runtime_suspend+0x0/0x170) name=\"0000:03:00.0\"",
		 TRACELINE_SUSPEND_BEGINS, "0000:03:00.0", 0, 18239453000},
		{"   coldrig-agent-120     [000] d..2    18.240024: rpm_return_int: "
		 "rpm_suspend+0x10d/0x660:0000:03:00.0 ret=0",
		 TRACELINE_SUSPEND_RETURNS, "0000:03:00.0", 0, 18240024000},
		/* 6.1 */
		{"     kworker/0:2-98      [000] d.... 4712.854978: coldrig_resume: "
		 "(pci_pm_runtime_resume+0x0/0xe0) name=\"0000:00:07.0\"",
		 TRACELINE_RESUME_BEGINS, "0000:00:07.0", 0, 4712854978000},
		{" a: b rpm-9             [000] d..2. 18.965254: rpm_return_int: "
		 "rpm_resume+0x29c/0x780:0000:00:07.0 ret=1",
		 TRACELINE_RESUME_RETURNS, "0000:00:07.0", 1, 18965254000},
		{"           sh-9          [000] d..2. 18.000001: rpm_return_int: "
		 "rpm_suspend+0x10d/0x660:2-1:1.0 ret=-11",
		 TRACELINE_SUSPEND_RETURNS, "2-1:1.0", -11, 18000001000},
		{"CPU:1 [LOST 512 EVENTS]", TRACELINE_LOST, "", 0, 0},
	};
	struct traceline out;

	for (size_t i = 0; i < UNIT_COUNT(lines); i++) {
		CU_ASSERT_EQUAL_FATAL(traceline_parse(lines[i].line, &out), 0);
		CU_ASSERT_EQUAL(out.kind, lines[i].kind);
		CU_ASSERT_STRING_EQUAL(out.device, lines[i].device);
		CU_ASSERT_EQUAL(out.ret, lines[i].ret);
		CU_ASSERT_EQUAL(out.t_ns, lines[i].t_ns);
	}
}

static void a_line_of_another_kind_or_cut_off_is_no_message(void)
{
	static const char *const lines[] = {
		"",
		"# tracer: nop",
		"  sh-9 [000] d..2. 18.000001: rpm_idle: 0000:03:00.0 flags-4",
		"  sh-9 [000] d..2. 18.000001: rpm_return_int: rpm_idle+0x1/0x2:0000:03:00.0 ret=0",
		"  sh-9 [000] d..2. 18.000001: rpm_return_int: rpm_suspend+0x1/0x2:0000:03:00.0",
		"  sh-9 [000] d..2. 18.000001: coldrig_suspend: (pci_pm_runtime_suspend+0x0/0x1)",
		"  sh-9 [000] d..2. noon: rpm_return_int: rpm_suspend+0x1/0x2:0000:03:00.0 ret=0",
		("  sh-9 [000] d..2. 1.0000017: rpm_return_int: rpm_suspend+0x1/0x2:0000:03:00.0 "
		 "ret=0"),
		": rpm_return_int: ",
	};
	struct traceline out;

	for (size_t i = 0; i < UNIT_COUNT(lines); i++)
		CU_ASSERT_EQUAL(traceline_parse(lines[i], &out), -ENOMSG);
}

static void take(struct watch *watch, enum traceline_kind kind, const char *device, int ret)
{
	struct traceline line = {.kind = kind, .ret = ret, .t_ns = 5000};

	strcpy(line.device, device);
	watch_take(watch, &line);
}

static struct watch *watch_card(const struct host *host)
{
	struct watch *watch = watch_new(host, note, NULL);
	struct bdf bdf = fake_bdf(CARD);

	seen[0] = 0;
	watch_add(watch, &bdf);
	return watch;
}

static void a_suspend_is_done_when_its_call_returns(void)
{
	struct host host = fake_new();
	struct watch *watch = watch_card(&host);

	take(watch, TRACELINE_SUSPEND_BEGINS, CARD, 0);
	take(watch, TRACELINE_SUSPEND_RETURNS, CARD, 0);
	take(watch, TRACELINE_RESUME_BEGINS, CARD, 0);
	take(watch, TRACELINE_RESUME_RETURNS, CARD, 1);
	CU_ASSERT_STRING_EQUAL(seen, CARD " suspend;" CARD " suspended;" CARD " resume;" CARD
					  " resumed;");
	CU_ASSERT_EQUAL(last_t_ns, 5000);
	CU_ASSERT_EQUAL(last_error_ns, -1);
	watch_free(watch);
	fake_free();
}

static void a_suspend_that_was_merely_scheduled_is_none(void)
{
	struct host host = fake_new();
	struct watch *watch = watch_card(&host);

	take(watch, TRACELINE_SUSPEND_RETURNS, CARD, 0);
	take(watch, TRACELINE_RESUME_RETURNS, CARD, 1);
	CU_ASSERT_STRING_EQUAL(seen, "");
	watch_free(watch);
	fake_free();
}

static void a_suspend_that_the_driver_refuses_is_not_done(void)
{
	struct host host = fake_new();
	struct watch *watch = watch_card(&host);

	take(watch, TRACELINE_SUSPEND_BEGINS, CARD, 0);
	take(watch, TRACELINE_SUSPEND_RETURNS, CARD, -EBUSY);
	take(watch, TRACELINE_SUSPEND_RETURNS, CARD, 0);
	CU_ASSERT_STRING_EQUAL(seen, CARD " suspend;");
	watch_free(watch);
	fake_free();
}

static void a_caller_that_does_not_wait_ends_no_resume(void)
{
	struct host host = fake_new();
	struct watch *watch = watch_card(&host);

	take(watch, TRACELINE_RESUME_BEGINS, CARD, 0);
	take(watch, TRACELINE_RESUME_RETURNS, CARD, -EINPROGRESS);
	take(watch, TRACELINE_RESUME_RETURNS, CARD, 0);
	CU_ASSERT_STRING_EQUAL(seen, CARD " resume;" CARD " resumed;");
	watch_free(watch);
	fake_free();
}

static void the_port_is_watched_too_and_others_are_not(void)
{
	struct host host = fake_new();
	struct watch *watch = watch_card(&host);

	take(watch, TRACELINE_SUSPEND_BEGINS, "0000:00:05.0", 0);
	take(watch, TRACELINE_SUSPEND_BEGINS, "0000:03:00.0", 0);
	take(watch, TRACELINE_SUSPEND_BEGINS, "0000:00:07.0", 0);
	CU_ASSERT_STRING_EQUAL(seen, "0000:00:05.0 suspend;");
	watch_free(watch);
	fake_free();
}

static void a_port_of_two_watched_functions_stays_until_both_are_gone(void)
{
	struct host host = fake_new();
	struct watch *watch = watch_card(&host);
	struct bdf card = fake_bdf(CARD), audio = fake_bdf("0000:01:00.1");

	watch_add(watch, &audio);
	watch_add(watch, &audio);
	CU_ASSERT_EQUAL(watch_remove(watch, &audio), 0);
	CU_ASSERT_EQUAL(watch_remove(watch, &audio), -ENOENT);
	take(watch, TRACELINE_SUSPEND_BEGINS, "0000:00:05.0", 0);
	CU_ASSERT_STRING_EQUAL(seen, "0000:00:05.0 suspend;");
	CU_ASSERT_EQUAL(watch_remove(watch, &card), 0);
	take(watch, TRACELINE_RESUME_BEGINS, "0000:00:05.0", 0);
	CU_ASSERT_STRING_EQUAL(seen, "0000:00:05.0 suspend;");
	CU_ASSERT_EQUAL(watch_timeout_ms(watch), -1);
	watch_free(watch);
	fake_free();
}

static void without_tracefs_attributes_are_polled_and_the_reason_told(void)
{
	struct host host = fake_new();
	struct watch *watch = watch_card(&host);
	const char *why;

	CU_ASSERT_STRING_EQUAL(watch_witness(watch, &why), "poll");
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "no tracefs"));
	CU_ASSERT_EQUAL(watch_timeout_ms(watch), WATCH_POLL_MS);
	watch_drain(watch);
	CU_ASSERT_STRING_EQUAL(seen, "");
	fake_attr(CARD, "power/runtime_status", "suspending");
	watch_drain(watch);
	CU_ASSERT_STRING_EQUAL(seen, "");
	fake_attr(CARD, "power/runtime_status", "suspended");
	watch_drain(watch);
	watch_drain(watch);
	CU_ASSERT_STRING_EQUAL(seen, CARD " suspended;");
	CU_ASSERT_TRUE(last_error_ns > 0 && last_error_ns < 1000000000);
	fake_attr(CARD, "power/runtime_status", "active");
	watch_drain(watch);
	CU_ASSERT_STRING_EQUAL(seen, CARD " suspended;" CARD " resumed;");
	watch_free(watch);
	fake_free();
}

static void a_short_wake_between_two_looks_is_seen_by_its_active_time(void)
{
	struct host host = fake_new();
	struct watch *watch;

	fake_attr(CARD, "power/runtime_status", "suspended");
	watch = watch_card(&host);
	fake_attr(CARD, "power/runtime_active_time", "1004");
	watch_drain(watch);
	CU_ASSERT_STRING_EQUAL(seen, CARD " resumed;" CARD " suspended;");
	watch_free(watch);
	fake_free();
}

static void a_tracefs_that_refuses_probes_is_left_clean_and_polled(void)
{
	struct host host = fake_new();
	struct watch *watch;
	const char *why;
	char path[PATH_MAX], full[PATH_MAX];

	fake_dir("/sys/kernel/tracing/instances");
	watch = watch_card(&host);
	CU_ASSERT_STRING_EQUAL(watch_witness(watch, &why), "poll");
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "trace_clock"));
	fake_full(full, fake_path(path, "/sys/kernel/tracing/instances/coldrig-%d", getpid()));
	CU_ASSERT_NOT_EQUAL(access(full, F_OK), 0);
	watch_free(watch);
	fake_free();
}

static const struct unit_case cases[] = {
	{"a line of each kernel is understood", a_line_of_each_kernel_is_understood},
	{"a line of another kind or cut off is no message",
	 a_line_of_another_kind_or_cut_off_is_no_message},
	{"a suspend is done when its call returns", a_suspend_is_done_when_its_call_returns},
	{"a suspend that was merely scheduled is none",
	 a_suspend_that_was_merely_scheduled_is_none},
	{"a suspend that the driver refuses is not done",
	 a_suspend_that_the_driver_refuses_is_not_done},
	{"a caller that does not wait ends no resume", a_caller_that_does_not_wait_ends_no_resume},
	{"the port is watched too, others are not", the_port_is_watched_too_and_others_are_not},
	{"a port of two watched functions stays until both are gone",
	 a_port_of_two_watched_functions_stays_until_both_are_gone},
	{"without tracefs attributes are polled and the reason told",
	 without_tracefs_attributes_are_polled_and_the_reason_told},
	{"a short wake between two looks is seen by its active time",
	 a_short_wake_between_two_looks_is_seen_by_its_active_time},
	{"a tracefs that refuses probes is left clean and polled",
	 a_tracefs_that_refuses_probes_is_left_clean_and_polled},
};

int main(void)
{
	return unit_run("agent watch", cases, UNIT_COUNT(cases));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "incidents_report.h"

/* A value or null; the reason for null goes to reasons under the same name. */
static void set_power(struct msg *object, struct msg *reasons, const char *key,
		      const struct result_power *power)
{
	struct msg *value;
	char name[64];

	if (!power->level.valid) {
		snprintf(name, sizeof(name), "power_w.%s", key);
		msg_set(object, key, msg_null());
		msg_set_str(reasons, name, power->why);
		return;
	}
	value = msg_object();
	msg_set_real(value, "mean", power->level.mean_w);
	msg_set_real(value, "u95", power->level.u95_w);
	msg_set_int(value, "n", (int64_t)power->level.n);
	msg_set(object, key, value);
}

static void set_time(struct msg *object, struct msg *reasons, const char *key,
		     const struct result_time *time)
{
	struct msg *value;

	if (time->n == 0) {
		msg_set(object, key, msg_null());
		msg_set_str(reasons, key, time->why);
		return;
	}
	value = msg_object();
	msg_set_real(value, "p50", time->p50_ms);
	msg_set_real(value, "p95", time->p95_ms);
	msg_set_real(value, "max", time->max_ms);
	msg_set_int(value, "n", (int64_t)time->n);
	msg_set_real(value, "error", time->error_ms);
	msg_set(object, key, value);
}

static struct msg *verdicts(const struct result_row *row)
{
	struct msg *object = msg_object();

	for (int v = 0; v < VERDICT_COUNT; v++)
		msg_set_int(object, verdict_name((enum verdict)v), (int64_t)row->verdicts[v]);
	return object;
}

/* -1 is null; why it is so depends on whether anything was run. */
static void set_count(struct msg *object, struct msg *reasons, const char *key, long count,
		      bool any_cycle, const char *why)
{
	if (count >= 0) {
		msg_set_int(object, key, count);
		return;
	}
	msg_set(object, key, msg_null());
	msg_set_str(reasons, key, any_cycle ? why : "no cycle was run");
}

static struct msg *device(const struct report *report, const struct result_row *row)
{
	const struct lab_device *dev = &report->target->devices[row->device];
	struct msg *object = msg_object(), *reasons = msg_object(), *power = msg_object();

	msg_set_str(object, "bdf", dev->bdf);
	msg_set_str(object, "model", dev->model);
	msg_set_str(object, "scenario",
		    scenario_get(report->plan->scenarios[row->scenario].id)->name);
	msg_set_int(object, "cycles", (int64_t)row->cycles);
	msg_set_int(object, "planned", (int64_t)row->planned);
	msg_set(object, "verdicts", verdicts(row));
	msg_set_int(object, "dissents", (int64_t)row->dissents);
	set_power(power, reasons, "D0", &row->d0);
	set_power(power, reasons, "D3hot", &row->d3hot);
	set_power(power, reasons, "D3cold", &row->d3cold);
	set_power(power, reasons, "dwell", &row->dwell);
	msg_set(object, "power_w", power);
	set_time(object, reasons, "to_d3cold_ms", &row->to_d3cold);
	set_time(object, reasons, "wake_ms", &row->wake);
	set_count(object, reasons, "unasked_resumes", row->unasked_resumes, row->cycles > 0,
		  "resumes were not watched");
	set_count(object, reasons, "forbidden_accesses", row->forbidden_accesses, row->cycles > 0,
		  "accesses were not watched: only the virtual lab can");
	msg_set_str(object, "rpm_witness", row->rpm_witness);
	msg_set(object, "losses", incidents_losses_msg(report, row));
	msg_set_str(object, "skipped", row->skipped);
	msg_set(object, "reasons", reasons);
	return object;
}

/* null where the plan does not want the suite. */
static struct msg *suite(const struct conformance *c)
{
	struct msg *object = msg_object(), *tests = msg_array();

	msg_set_bool(object, "complete", conformance_is_complete(c));
	msg_set_str(object, "why", c->begun ? (c->why[0] ? c->why : NULL) : "it was not run");
	for (int i = 0; i < KTAP_OUTCOME_COUNT; i++)
		msg_set_int(object, ktap_outcome_name((enum ktap_outcome)i),
			    (int64_t)conformance_count(c, (enum ktap_outcome)i));
	for (size_t i = 0; i < c->tests_n; i++) {
		struct msg *test = msg_object();

		msg_set_str(test, "name", c->tests[i].name);
		msg_set_str(test, "outcome", ktap_outcome_name(c->tests[i].outcome));
		msg_set_str(test, "why", c->tests[i].why[0] ? c->tests[i].why : NULL);
		msg_add(tests, test);
	}
	msg_set(object, "tests", tests);
	return object;
}

static struct msg *arm(const struct report *report, size_t index)
{
	struct msg *object = msg_object(), *devices = msg_array();

	msg_set_str(object, "name", report->plan->arms[index].name);
	msg_set_str(object, "kernel", report->kernels[index][0] ? report->kernels[index] : NULL);
	msg_set(object, "kexec",
		report->kexecs[index] ? msg_copy(report->kexecs[index]) : msg_null());
	msg_set(object, "alignment", report_alignment(report, index));
	for (size_t i = 0; i < report->result->rows_n; i++) {
		if (report->result->rows[i].arm == (int)index)
			msg_add(devices, device(report, &report->result->rows[i]));
	}
	msg_set(object, "devices", devices);
	msg_set(object, "recovery", incidents_recovery_msg(report, index));
	msg_set(object, "console", incidents_console_msg(report, index));
	if (report->plan->conformance_ns)
		msg_set(object, "conformance", suite(&report->suites[index]));
	return object;
}

static struct msg *limits(const struct report *report)
{
	struct msg *array = msg_array();

	for (size_t i = 0; i < report->plan->limits_n; i++) {
		const struct result_limit *limit = &report->result->limits[i];
		struct msg *object = msg_object();

		msg_set_str(object, "name", report->plan->limits[i].name);
		msg_set_bool(object, "ok", limit->ok);
		msg_set_real(object, "value", limit->value);
		msg_set_str(object, "found", limit->text);
		msg_add(array, object);
	}
	return array;
}

/* What each later arm saves against the first one. */
static struct msg *savings(const struct report *report)
{
	const struct result *result = report->result;
	struct msg *array = msg_array();

	for (size_t i = 0; i < result->rows_n; i++) {
		const struct result_row *row = &result->rows[i];
		const struct result_row *base = result_base(result, row);
		struct msg *object;
		double saved_w, u95_w;

		if (!base || !result_saving(base, row, &saved_w, &u95_w))
			continue;
		object = msg_object();
		msg_set_str(object, "arm", report->plan->arms[row->arm].name);
		msg_set_str(object, "base", report->plan->arms[base->arm].name);
		msg_set_str(object, "bdf", report->target->devices[row->device].bdf);
		msg_set_str(object, "scenario",
			    scenario_get(report->plan->scenarios[row->scenario].id)->name);
		msg_set_real(object, "saved_w", saved_w);
		msg_set_real(object, "u95", u95_w);
		msg_add(array, object);
	}
	return array;
}

static struct msg *notes(const struct report *report)
{
	struct msg *array = msg_array();

	for (size_t i = 0; i < report->notes_n; i++) {
		struct msg *object = msg_object();

		msg_set_str(object, "arm", report->plan->arms[report->notes[i].arm].name);
		msg_set_str(object, "text", report->notes[i].text);
		msg_add(array, object);
	}
	return array;
}

/* Has every planned cycle an outcome? */
static bool is_complete(const struct report *report)
{
	for (size_t i = 0; i < report->result->rows_n; i++) {
		const struct result_row *row = &report->result->rows[i];

		if (!row->skipped && row->cycles < row->planned &&
		    !incidents_row_is_left_out(report, row))
			return false;
	}
	for (size_t i = 0; report->plan->conformance_ns && i < report->plan->arms_n; i++) {
		if (!conformance_is_complete(&report->suites[i]))
			return false;
	}
	return true;
}

struct msg *report_summary(const struct report *report)
{
	struct msg *object = msg_object(), *arms = msg_array();
	char rejection[REPORT_REJECTION_SIZE];

	msg_set_str(object, "run", report->run);
	msg_set_str(object, "tool", report->tool);
	msg_set_str(object, "lab", report->lab->name);
	msg_set_str(object, "target", report->target->name);
	msg_set_str(object, "plan", report->plan->name);
	msg_set_bool(object, "complete", is_complete(report));
	msg_set_str(object, "rejected", report_rejection(report, rejection) ? rejection : NULL);
	for (size_t i = 0; i < report->plan->arms_n; i++)
		msg_add(arms, arm(report, i));
	msg_set(object, "arms", arms);
	msg_set(object, "savings", savings(report));
	msg_set(object, "limits", limits(report));
	msg_set(object, "notes", notes(report));
	return object;
}

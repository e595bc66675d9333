/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What reports say of the meters' alignment with the target. */
#include <math.h>

#include "report.h"

static const struct align_result *result_of(const struct report *report, size_t arm, size_t meter)
{
	return &report->alignments[arm * report->lab->meters_n + meter];
}

static void set_value(struct msg *object, struct msg *reasons, const char *key, double value,
		      const char *why)
{
	msg_set_real(object, key, why ? NAN : value);
	if (why)
		msg_set_str(reasons, key, why);
}

static struct msg *one(const struct align_result *a, const char *meter)
{
	struct msg *object = msg_object(), *reasons = msg_object();

	msg_set_str(object, "meter", meter);
	set_value(object, reasons, "offset_ms", a->offset_ms, a->why);
	set_value(object, reasons, "drift_ppm", a->drift_ppm, a->drift_why);
	set_value(object, reasons, "drift_u95_ppm", a->drift_u95_ppm, a->drift_why);
	set_value(object, reasons, "u95_ms", a->u95_ms, a->why);
	msg_set_real(object, "limit_ms", a->limit_ms);
	msg_set_int(object, "steps", (int64_t)a->steps);
	msg_set_bool(object, "ok", a->is_ok);
	msg_set(object, "reasons", reasons);
	return object;
}

struct msg *report_alignment(const struct report *report, size_t arm)
{
	struct msg *array = msg_array();

	for (size_t m = 0; m < report->lab->meters_n; m++) {
		const struct align_result *a = result_of(report, arm, m);

		if (a->is_wanted)
			msg_add(array, one(a, report->lab->meters[m].name));
	}
	return array;
}

void report_print_alignment(const struct report *report, size_t arm, FILE *out)
{
	for (size_t m = 0; m < report->lab->meters_n; m++) {
		const struct align_result *a = result_of(report, arm, m);

		if (!a->is_wanted)
			continue;
		fprintf(out, "  meter %s: ", report->lab->meters[m].name);
		if (a->is_found)
			fprintf(out, "%.1f ± %.1f ms late", a->offset_ms, a->u95_ms);
		else
			fprintf(out, "not aligned: %s", a->why);
		if (a->is_found && !a->drift_why)
			fprintf(out, ", drifts %.0f ± %.0f ppm", a->drift_ppm, a->drift_u95_ppm);
		if (a->is_found)
			fprintf(out, ", by %zu steps", a->steps);
		fputs(a->is_found && !a->is_ok ? ": TOO COARSE\n" : "\n", out);
	}
}

bool report_rejection(const struct report *report, char text[static REPORT_REJECTION_SIZE])
{
	for (size_t arm = 0; arm < report->plan->arms_n; arm++) {
		for (size_t m = 0; m < report->lab->meters_n; m++) {
			const struct align_result *a = result_of(report, arm, m);

			if (!a->is_wanted || !a->is_found || a->is_ok)
				continue;
			snprintf(text, REPORT_REJECTION_SIZE,
				 "meter %.64s in arm %.64s: its time is known to %.3g ms, more "
				 "than a "
				 "tenth of the shortest dwell, %.3g ms: a longer dwell or a faster "
				 "meter would do",
				 report->lab->meters[m].name, report->plan->arms[arm].name,
				 a->u95_ms, a->limit_ms);
			return true;
		}
	}
	text[0] = 0;
	return false;
}

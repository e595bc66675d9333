/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "result.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"
#include "wiring.h"

void outcome_free(struct outcome *outcome)
{
	free(outcome->power_w);
	outcome->power_w = NULL;
}

bool result_is_planned(const struct plan_scenario *scenario, const struct lab_device *device)
{
	if (!scenario->devices)
		return true;
	for (size_t i = 0; i < scenario->devices_n; i++) {
		if (strcmp(scenario->devices[i], device->bdf) == 0)
			return true;
	}
	return false;
}

/* The outcomes of one row. */
struct selection {
	const struct outcome **of;
	size_t n;
};

static int select_row(const struct result_row *row, const struct outcome *all, size_t n,
		      struct selection *out)
{
	out->n = 0;
	out->of = calloc(n ? n : 1, sizeof(out->of[0]));
	if (!out->of)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (all[i].arm == row->arm && all[i].device == row->device &&
		    all[i].scenario == row->scenario)
			out->of[out->n++] = &all[i];
	}
	return 0;
}

/* Pools the readings of the dwells that count. */
static int pool_power(const struct selection *sel, bool only_confirmed,
		      const struct lab_accuracy *accuracy, struct level *out)
{
	size_t *window_n = calloc(sel->n ? sel->n : 1, sizeof(*window_n)), windows = 0, n = 0;
	struct lab_accuracy pooled = *accuracy;
	double *x, offset = 0;
	struct stats_mean stats;

	for (size_t i = 0; i < sel->n; i++)
		n += sel->of[i]->power_n;
	x = calloc(n ? n : 1, sizeof(*x));
	if (!x || !window_n) {
		free(x);
		free(window_n);
		return -ENOMEM;
	}
	n = 0;
	for (size_t i = 0; i < sel->n; i++) {
		const struct outcome *o = sel->of[i];

		if (o->power_n == 0 || (only_confirmed && o->verdict != VERDICT_CONFIRMED))
			continue;
		memcpy(x + n, o->power_w, o->power_n * sizeof(*x));
		n += o->power_n;
		offset += o->offset_w * (double)o->power_n;
		window_n[windows++] = o->power_n;
	}
	if (n)
		pooled.offset_w += offset / (double)n;
	stats = stats_pool(x, window_n, windows);
	*out = level_from(&stats, &pooled);
	free(x);
	free(window_n);
	return 0;
}

static struct result_time time_from(double *ms, size_t n, double error_ms, const char *why)
{
	struct result_time t = {
		.n = n,
		.p50_ms = stats_quantile(ms, n, 0.50),
		.p95_ms = stats_quantile(ms, n, 0.95),
		.max_ms = stats_quantile(ms, n, 1.00),
		.error_ms = error_ms,
		.why = n ? NULL : why,
	};

	return t;
}

static int add_times(struct result_row *row, const struct selection *sel)
{
	double *cold = calloc(sel->n ? sel->n : 1, sizeof(*cold));
	double *wake = calloc(sel->n ? sel->n : 1, sizeof(*wake));
	const char *cold_why = "no cycle was run", *wake_why = cold_why;
	size_t cold_n = 0, wake_n = 0;
	double error_ms = 0;

	if (!cold || !wake) {
		free(cold);
		free(wake);
		return -ENOMEM;
	}
	for (size_t i = 0; i < sel->n; i++) {
		const struct outcome *o = sel->of[i];

		if (o->skipped)
			continue;
		if (isfinite(o->to_d3cold_ms)) {
			cold[cold_n++] = o->to_d3cold_ms;
			error_ms = fmax(error_ms, o->to_d3cold_error_ms);
		} else {
			cold_why = o->to_d3cold_why;
		}
		if (isfinite(o->wake_ms))
			wake[wake_n++] = o->wake_ms;
		else
			wake_why = o->wake_why;
	}
	row->to_d3cold = time_from(cold, cold_n, error_ms, cold_why);
	row->wake = time_from(wake, wake_n, 0, wake_why);
	free(cold);
	free(wake);
	return 0;
}

static void count(struct result_row *row, const struct selection *sel)
{
	for (size_t i = 0; i < sel->n; i++) {
		const struct outcome *o = sel->of[i];

		if (o->skipped) {
			row->skipped = o->why;
			continue;
		}
		row->cycles++;
		row->verdicts[o->verdict]++;
		row->dissents += o->dissent != 0;
		if (o->unasked_resumes < 0)
			row->unasked_resumes = -1;
		else if (row->unasked_resumes >= 0)
			row->unasked_resumes += o->unasked_resumes;
		if (o->forbidden_accesses < 0)
			row->forbidden_accesses = -1;
		else if (row->forbidden_accesses >= 0)
			row->forbidden_accesses += o->forbidden_accesses;
	}
	if (row->cycles)
		row->skipped = NULL;
	else
		row->unasked_resumes = row->forbidden_accesses = -1;
}

static int fill_row(struct result_row *row, const struct lab *lab, const struct lab_target *target,
		    const struct result_levels *levels, const struct outcome *outcomes, size_t n)
{
	const struct lab_device *device = &target->devices[row->device];
	struct lab_accuracy accuracy = wiring_accuracy(lab, device);
	struct selection sel;
	int r = select_row(row, outcomes, n, &sel);

	if (r < 0)
		return r;
	row->d0 = levels->d0;
	row->d3hot = levels->d3hot;
	row->rpm_witness = levels->rpm_witness;
	count(row, &sel);
	r = pool_power(&sel, true, &accuracy, &row->d3cold.level);
	if (r == 0)
		r = pool_power(&sel, false, &accuracy, &row->dwell.level);
	if (r == 0)
		r = add_times(row, &sel);
	if (!row->d3cold.level.valid)
		row->d3cold.why = row->verdicts[VERDICT_CONFIRMED] ? "too few readings"
								   : "no cycle was confirmed";
	if (!row->dwell.level.valid)
		row->dwell.why = row->cycles ? "no usable samples" : "no cycle was run";
	free(sel.of);
	return r;
}

/* Limits. */

static bool is_selected(const struct plan_limit *limit, const struct result_row *row,
			const struct lab_target *target, const struct plan *plan)
{
	if (limit->arm && strcmp(limit->arm, plan->arms[row->arm].name) != 0)
		return false;
	if (limit->scenario >= 0 && (int)plan->scenarios[row->scenario].id != limit->scenario)
		return false;
	return !limit->bdf[0] || strcmp(limit->bdf, target->devices[row->device].bdf) == 0;
}

/* The metric over the selected rows; NaN if there is none. *planned counts their planned cycles. */
static double metric_value(const struct plan_limit *limit, const struct result *result,
			   const struct lab_target *target, const struct plan *plan,
			   double *planned)
{
	double value = NAN;

	*planned = 0;
	for (size_t i = 0; i < result->rows_n; i++) {
		const struct result_row *row = &result->rows[i];

		if (!is_selected(limit, row, target, plan) || row->skipped)
			continue;
		*planned += (double)row->planned;
		if (!row->cycles && limit->metric == PLAN_METRIC_VERDICT)
			continue; /* nothing was run: that is no count of 0 */
		switch (limit->metric) {
		case PLAN_METRIC_VERDICT:
			value = (isnan(value) ? 0 : value) + (double)row->verdicts[limit->verdict];
			break;
		case PLAN_METRIC_UNASKED_RESUMES:
			if (row->unasked_resumes < 0)
				return NAN;
			value = (isnan(value) ? 0 : value) + (double)row->unasked_resumes;
			break;
		case PLAN_METRIC_FORBIDDEN_ACCESSES:
			if (row->forbidden_accesses < 0)
				return NAN;
			value = (isnan(value) ? 0 : value) + (double)row->forbidden_accesses;
			break;
		case PLAN_METRIC_TO_D3COLD_MS:
			value = fmax(value, row->to_d3cold.max_ms);
			break;
		case PLAN_METRIC_WAKE_MS:
			value = fmax(value, row->wake.max_ms);
			break;
		case PLAN_METRIC_CONFORMANCE_FAILED:
		case PLAN_METRIC_CONFORMANCE_PASSED:
		case PLAN_METRIC_COUNT:
			break;
		}
	}
	return value;
}

/* The suite's tests over the selected arms; NaN unless it came to its end in all of them. */
static double suite_value(const struct plan_limit *limit, const struct conformance *suites,
			  const struct plan *plan)
{
	bool passed = limit->metric == PLAN_METRIC_CONFORMANCE_PASSED;
	double value = 0;

	for (size_t a = 0; a < plan->arms_n; a++) {
		if (limit->arm && strcmp(limit->arm, plan->arms[a].name) != 0)
			continue;
		if (!conformance_is_complete(&suites[a]))
			return NAN;
		value += (double)conformance_count(&suites[a], passed ? KTAP_PASS : KTAP_FAIL);
	}
	return value;
}

static struct result_limit check_limit(const struct plan_limit *limit, const struct result *result,
				       const struct conformance *suites,
				       const struct lab_target *target, const struct plan *plan)
{
	double planned = 0, at_least;
	struct result_limit r = {
		.value = plan_metric_is_of_suite(limit->metric)
				 ? suite_value(limit, suites, plan)
				 : metric_value(limit, result, target, plan, &planned)};
	const char *unit = limit->metric == PLAN_METRIC_VERDICT ? verdict_name(limit->verdict)
								: plan_metric_name(limit->metric);

	at_least = limit->all ? planned : limit->at_least;
	r.ok = r.value >= at_least && r.value <= limit->at_most;
	if (isnan(r.value))
		snprintf(r.text, sizeof(r.text), "no value of %s", unit);
	else if (limit->metric == PLAN_METRIC_VERDICT)
		snprintf(r.text, sizeof(r.text), "%g of %g cycles %s", r.value, planned, unit);
	else
		snprintf(r.text, sizeof(r.text), "%s %.4g", unit, r.value);
	return r;
}

static size_t count_rows(const struct lab_target *target, const struct plan *plan)
{
	size_t n = 0;

	for (size_t s = 0; s < plan->scenarios_n; s++) {
		for (size_t d = 0; d < target->devices_n; d++)
			n += result_is_planned(&plan->scenarios[s], &target->devices[d]);
	}
	return n * plan->arms_n;
}

static void lay_out_rows(struct result *result, const struct lab_target *target,
			 const struct plan *plan)
{
	for (size_t a = 0; a < plan->arms_n; a++) {
		for (size_t d = 0; d < target->devices_n; d++) {
			for (size_t s = 0; s < plan->scenarios_n; s++) {
				if (!result_is_planned(&plan->scenarios[s], &target->devices[d]))
					continue;
				result->rows[result->rows_n++] = (struct result_row){
					.arm = (int)a,
					.device = (int)d,
					.scenario = (int)s,
					.planned = plan->scenarios[s].cycles,
				};
			}
		}
	}
}

int result_from(const struct lab *lab, const struct lab_target *target, const struct plan *plan,
		const struct result_levels *levels, const struct conformance *suites,
		const struct outcome *outcomes, size_t outcomes_n, struct result **out)
{
	struct result *result = calloc(1, sizeof(*result));
	size_t rows = count_rows(target, plan);
	int r = 0;

	if (!result)
		return -ENOMEM;
	result->rows = calloc(rows ? rows : 1, sizeof(*result->rows));
	result->limits = calloc(plan->limits_n ? plan->limits_n : 1, sizeof(*result->limits));
	if (!result->rows || !result->limits)
		r = -ENOMEM;
	else
		lay_out_rows(result, target, plan);
	for (size_t i = 0; r == 0 && i < result->rows_n; i++) {
		struct result_row *row = &result->rows[i];
		size_t at = (size_t)row->arm * target->devices_n + (size_t)row->device;

		r = fill_row(row, lab, target, &levels[at], outcomes, outcomes_n);
	}
	if (r < 0) {
		result_free(result);
		return r;
	}
	for (size_t i = 0; i < plan->limits_n; i++)
		result->limits[i] = check_limit(&plan->limits[i], result, suites, target, plan);
	*out = result;
	return 0;
}

void result_free(struct result *result)
{
	if (!result)
		return;
	free(result->rows);
	free(result->limits);
	free(result);
}

bool result_ok(const struct result *result, const struct plan *plan)
{
	for (size_t i = 0; i < plan->limits_n; i++) {
		if (!result->limits[i].ok)
			return false;
	}
	return true;
}

const struct result_row *result_base(const struct result *result, const struct result_row *row)
{
	for (size_t i = 0; row->arm > 0 && i < result->rows_n; i++) {
		const struct result_row *base = &result->rows[i];

		if (base->arm == 0 && base->device == row->device &&
		    base->scenario == row->scenario)
			return base;
	}
	return NULL;
}

bool result_saving(const struct result_row *base, const struct result_row *row, double *saved_w,
		   double *u95_w)
{
	const struct level *a = &base->dwell.level, *b = &row->dwell.level;

	if (!a->valid || !b->valid)
		return false;
	*saved_w = a->mean_w - b->mean_w;
	*u95_w = stats_combine(a->u95_w, b->u95_w);
	return true;
}

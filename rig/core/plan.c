/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const metric_names[PLAN_METRIC_COUNT] = {
	[PLAN_METRIC_VERDICT] = "verdict",
	[PLAN_METRIC_UNASKED_RESUMES] = "unasked_resumes",
	[PLAN_METRIC_FORBIDDEN_ACCESSES] = "forbidden_accesses",
	[PLAN_METRIC_TO_D3COLD_MS] = "to_d3cold_ms",
	[PLAN_METRIC_WAKE_MS] = "wake_ms",
	[PLAN_METRIC_CONFORMANCE_FAILED] = "conformance_failed",
	[PLAN_METRIC_CONFORMANCE_PASSED] = "conformance_passed",
};

bool plan_metric_is_count(enum plan_metric metric)
{
	return metric == PLAN_METRIC_VERDICT || metric == PLAN_METRIC_UNASKED_RESUMES ||
	       metric == PLAN_METRIC_FORBIDDEN_ACCESSES || plan_metric_is_of_suite(metric);
}

bool plan_metric_is_of_suite(enum plan_metric metric)
{
	return metric == PLAN_METRIC_CONFORMANCE_FAILED || metric == PLAN_METRIC_CONFORMANCE_PASSED;
}

const char *plan_metric_name(enum plan_metric metric)
{
	return metric_names[metric];
}

const char *plan_syscall_name(enum plan_syscall syscall)
{
	static const char *const names[PLAN_SYSCALL_COUNT] = {
		[PLAN_SYSCALL_LOAD] = "load",
		[PLAN_SYSCALL_FILE] = "file",
	};

	return names[syscall];
}

const char *plan_align_name(enum plan_align align)
{
	static const char *const names[PLAN_ALIGN_COUNT] = {
		[PLAN_ALIGN_NONE] = "none",
		[PLAN_ALIGN_AUTO] = "auto",
	};

	return names[align];
}

int64_t plan_align_limit_ns(const struct plan *plan)
{
	int64_t dwell_ns = INT64_MAX;

	for (size_t i = 0; i < plan->scenarios_n; i++) {
		if (plan->scenarios[i].dwell_ns < dwell_ns)
			dwell_ns = plan->scenarios[i].dwell_ns;
	}
	return dwell_ns / 10;
}

int plan_metric_parse(const char *name, enum plan_metric *out)
{
	for (int i = 0; i < PLAN_METRIC_COUNT; i++) {
		if (strcmp(name, metric_names[i]) == 0) {
			*out = (enum plan_metric)i;
			return 0;
		}
	}
	return -EINVAL;
}

static void free_arm(struct plan_arm *arm)
{
	free(arm->name);
	free(arm->kernel);
	free(arm->kexec.from);
	free(arm->kexec.append);
	free(arm->kexec.image);
	free(arm->kexec.initrd);
	free(arm->kexec.crash_image);
	free(arm->kexec.crash_initrd);
}

/* Also frees what a failed load has filled so far: absent parts are NULL and 0. */
void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->arms_n; i++)
		free_arm(&plan->arms[i]);
	for (size_t i = 0; i < plan->scenarios_n; i++)
		free(plan->scenarios[i].devices);
	for (size_t i = 0; i < plan->limits_n; i++) {
		free(plan->limits[i].name);
		free(plan->limits[i].arm);
	}
	free(plan->arms);
	free(plan->scenarios);
	free(plan->limits);
	free(plan->faults);
	free(plan->name);
	free(plan->path);
	free(plan->text);
	free(plan->target);
	free(plan);
}

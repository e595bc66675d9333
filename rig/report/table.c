/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "incidents_report.h"
#include "stats.h"
#include "table_notes.h"

/* Columns on the screen, not bytes. */
static int width(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void cell(FILE *out, const char *text, int columns)
{
	fprintf(out, "%s%*s", text, columns > width(text) ? columns - width(text) : 1, "");
}

/* "6.002 ± 0.004": as many digits as the uncertainty has meaning for, two of its own. */
static void format_uncertain(char *out, size_t size, double value, double u95)
{
	int digits = u95 > 0 && isfinite(u95) ? 1 - (int)floor(log10(u95)) : 3;

	if (digits < 0)
		digits = 0;
	if (digits > 6)
		digits = 6;
	if (fabs(value) < pow(10, -digits) / 2)
		value = 0; /* not "-0.00" */
	snprintf(out, size, "%.*f ± %.*f", digits, value, digits, u95);
}

static void format_power(char *out, size_t size, const struct result_power *power)
{
	if (power->level.valid)
		format_uncertain(out, size, power->level.mean_w, power->level.u95_w);
	else
		snprintf(out, size, "-");
}

static void format_time(char *out, size_t size, const struct result_time *time)
{
	if (time->n == 0)
		snprintf(out, size, "-");
	else if (time->error_ms > 0)
		snprintf(out, size, "%.0f ± %.0f", time->p50_ms, ceil(time->error_ms));
	else
		snprintf(out, size, "%.1f", time->p50_ms);
}

/* "3 confirmed", or several joined by commas. */
static void format_verdicts(char *out, size_t size, const struct result_row *row)
{
	size_t at = 0;

	out[0] = 0;
	for (int v = 0; v < VERDICT_COUNT && at < size; v++) {
		if (row->verdicts[v])
			at += (size_t)snprintf(out + at, size - at, "%s%zu %s", at ? ", " : "",
					       row->verdicts[v], verdict_name((enum verdict)v));
	}
	if (at == 0)
		snprintf(out, size, "%s", row->skipped ? "skipped" : "not run");
}

static void print_row(const struct report *report, const struct result_row *row, bool first,
		      FILE *out)
{
	char text[120];

	fputs("  ", out);
	cell(out, first ? report->target->devices[row->device].bdf : "", 14);
	cell(out, scenario_get(report->plan->scenarios[row->scenario].id)->name, 12);
	format_verdicts(text, sizeof(text), row);
	cell(out, text, 22);
	format_power(text, sizeof(text), &row->dwell);
	cell(out, text, 19);
	format_time(text, sizeof(text), &row->to_d3cold);
	cell(out, text, 14);
	format_time(text, sizeof(text), &row->wake);
	cell(out, text, 9);
	if (row->unasked_resumes >= 0)
		fprintf(out, "%ld\n", row->unasked_resumes);
	else
		fputs("-\n", out);
}

/* What each device draws in each state, in this arm. */
static void print_levels(const struct report *report, size_t arm, FILE *out)
{
	const struct result *result = report->result;
	int last = -1;
	char text[64];

	fputs("  device        D0 W              D3hot W           model\n", out);
	for (size_t i = 0; i < result->rows_n; i++) {
		const struct result_row *row = &result->rows[i];

		if (row->arm != (int)arm || row->device == last)
			continue;
		last = row->device;
		fputs("  ", out);
		cell(out, report->target->devices[row->device].bdf, 14);
		format_power(text, sizeof(text), &row->d0);
		cell(out, text, 18);
		format_power(text, sizeof(text), &row->d3hot);
		cell(out, text, 18);
		fprintf(out, "%s\n", report->target->devices[row->device].model);
	}
}

static void print_arm(const struct report *report, size_t arm, FILE *out)
{
	const struct result *result = report->result;
	int last = -1;

	fprintf(out, "\n%s   %s%s", report->plan->arms[arm].name,
		report->kernels[arm][0] ? "Linux " : "not run", report->kernels[arm]);
	if (report->kexecs[arm])
		fprintf(out, ", by kexec from %s", msg_get_str(report->kexecs[arm], "from"));
	fputc('\n', out);
	if (!report->kernels[arm][0])
		return;
	report_print_alignment(report, arm, out);
	print_levels(report, arm, out);
	fputs("\n  device        scenario    verdicts              left alone W       "
	      "to D3cold ms  wake ms  unasked\n",
	      out);
	for (size_t i = 0; i < result->rows_n; i++) {
		if (result->rows[i].arm != (int)arm)
			continue;
		print_row(report, &result->rows[i], result->rows[i].device != last, out);
		last = result->rows[i].device;
	}
	incidents_print_arm(report, arm, out);
}

static void print_savings(const struct report *report, FILE *out)
{
	const struct result *result = report->result;
	bool any = false;

	for (size_t i = 0; i < result->rows_n; i++) {
		const struct result_row *row = &result->rows[i], *base = result_base(result, row);
		double saved_w, u95_w;
		char text[64];

		if (!base || !result_saving(base, row, &saved_w, &u95_w))
			continue;
		if (!any)
			fprintf(out, "\nSaved against %s\n", report->plan->arms[base->arm].name);
		any = true;
		format_uncertain(text, sizeof(text), saved_w, u95_w);
		fputs("  ", out);
		cell(out, report->plan->arms[row->arm].name, 14);
		cell(out, report->target->devices[row->device].bdf, 14);
		cell(out, scenario_get(report->plan->scenarios[row->scenario].id)->name, 12);
		fprintf(out, "%s W\n", text);
	}
}

/* Cycles in which a witness contradicted the kernel's word. */
static void print_dissent(const struct report *report, FILE *out)
{
	bool any = false;

	fputs("\nWhere the kernel's word and other witnesses disagree:", out);
	for (size_t i = 0; i < report->outcomes_n; i++) {
		const struct outcome *o = &report->outcomes[i];
		char rpm[32] = "";

		if (o->skipped || !o->dissent)
			continue;
		if (o->dissent & DISSENT_RPM)
			snprintf(rpm, sizeof(rpm), "rpm %s, ", evidence_rpm_name(o->evidence.rpm));
		fprintf(out, "%s  %s, %s cycle %u on %s: sysfs %s, ACPI %s, %smeter %s: %s\n",
			any ? "" : "\n", report->plan->arms[o->arm].name,
			scenario_get(report->plan->scenarios[o->scenario].id)->name, o->number,
			report->target->devices[o->device].bdf,
			evidence_sysfs_name(o->evidence.sysfs),
			evidence_acpi_name(o->evidence.acpi), rpm,
			evidence_meter_name(o->evidence.meter), verdict_name(o->verdict));
		any = true;
	}
	if (!any)
		fputs(" nowhere\n", out);
}

/* A test over all arms. */
struct suite_test {
	const char *name;
	char pattern[PLAN_ARMS_MAX + 1]; /* one letter an arm */
	bool printed;
};

static void suite_pattern(const struct report *report, const char *name, char *pattern)
{
	static const char letters[] = {[KTAP_PASS] = '+', [KTAP_FAIL] = '-', [KTAP_SKIP] = 's'};

	for (size_t a = 0; a < report->plan->arms_n; a++) {
		const struct conformance_test *test = conformance_find(&report->suites[a], name);

		*pattern++ = test ? letters[test->outcome] : '.';
	}
	*pattern = 0;
}

static bool is_listed(const struct suite_test *tests, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(tests[i].name, name) == 0)
			return true;
	}
	return false;
}

/* Each test that any arm has a result of, once; freed with free(). */
static struct suite_test *list_tests(const struct report *report, size_t *n)
{
	struct suite_test *tests;
	size_t most = 0;

	*n = 0;
	for (size_t a = 0; a < report->plan->arms_n; a++)
		most += report->suites[a].tests_n;
	tests = calloc(most ? most : 1, sizeof(*tests));
	for (size_t a = 0; tests && a < report->plan->arms_n; a++) {
		for (size_t i = 0; i < report->suites[a].tests_n; i++) {
			const char *name = report->suites[a].tests[i].name;

			if (is_listed(tests, *n, name))
				continue;
			tests[*n].name = name;
			suite_pattern(report, name, tests[(*n)++].pattern);
		}
	}
	return tests;
}

static void print_pattern(const struct report *report, const char *pattern, FILE *out)
{
	fputs("  ", out);
	for (size_t a = 0; a < report->plan->arms_n; a++) {
		char letter[2] = {pattern[a], 0};

		cell(out, letter, width(report->plan->arms[a].name) + 2);
	}
}

/* The first of these tests, and all that fared as it did. */
static void print_alike(const struct report *report, struct suite_test *tests, size_t n, FILE *out)
{
	size_t alike = 0, column = 0;

	for (size_t i = 0; i < n; i++)
		alike += strcmp(tests[i].pattern, tests[0].pattern) == 0;
	print_pattern(report, tests[0].pattern, out);
	fprintf(out, "%zu test%s:\n", alike, alike == 1 ? "" : "s");
	for (size_t i = 0; i < n; i++) {
		if (strcmp(tests[i].pattern, tests[0].pattern) != 0)
			continue;
		tests[i].printed = true;
		if (column && column + strlen(tests[i].name) + 1 > 100) {
			fputc('\n', out);
			column = 0;
		}
		column += (size_t)fprintf(out, column ? " %s" : "      %s", tests[i].name);
	}
	fputc('\n', out);
}

/* Which test passes in which arm, those that fare alike together. */
static void print_suites(const struct report *report, FILE *out)
{
	struct suite_test *tests;
	size_t n;

	if (!report->plan->conformance_ns)
		return;
	tests = list_tests(report, &n);
	fputs("\nConformance suite: + passed, - failed, s skipped, . no result\n  ", out);
	for (size_t a = 0; a < report->plan->arms_n; a++)
		cell(out, report->plan->arms[a].name, width(report->plan->arms[a].name) + 2);
	fputc('\n', out);
	for (size_t i = 0; tests && i < n; i++) {
		if (!tests[i].printed)
			print_alike(report, &tests[i], n - i, out);
	}
	free(tests);
	for (size_t a = 0; a < report->plan->arms_n; a++) {
		const struct conformance *c = &report->suites[a];

		fprintf(out, "  %s: %zu passed, %zu failed, %zu skipped%s%s\n",
			report->plan->arms[a].name, conformance_count(c, KTAP_PASS),
			conformance_count(c, KTAP_FAIL), conformance_count(c, KTAP_SKIP),
			c->begun && !c->why[0] ? "" : ": ", c->begun ? c->why : "not run");
	}
}

static void print_limits(const struct report *report, FILE *out)
{
	if (report->plan->limits_n)
		fputs("\nLimits\n", out);
	for (size_t i = 0; i < report->plan->limits_n; i++) {
		const struct result_limit *limit = &report->result->limits[i];

		fprintf(out, "  %-6s  %s: %s\n", limit->ok ? "ok" : "FAILED",
			report->plan->limits[i].name, limit->text);
	}
}

void report_table(const struct report *report, FILE *out)
{
	char rejection[REPORT_REJECTION_SIZE];

	fprintf(out, "run %s   lab %s   target %s   plan %s\n", report->run, report->lab->name,
		report->target->name, report->plan->name);
	for (size_t i = 0; i < report->plan->arms_n; i++)
		print_arm(report, i, out);
	print_savings(report, out);
	print_suites(report, out);
	print_dissent(report, out);
	table_notes_print(report, out);
	print_limits(report, out);
	if (report_rejection(report, rejection))
		fprintf(out, "\nREJECTED  %s\n", rejection);
}

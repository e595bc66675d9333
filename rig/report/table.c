/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "report.h"
#include "stats.h"

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
	snprintf(out, size, "%.*f ± %.*f", digits, value + 0.0, digits, u95);
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
	cell(out, text, 12);
	format_time(text, sizeof(text), &row->wake);
	cell(out, text, 9);
	if (row->unasked_resumes >= 0)
		fprintf(out, "%ld\n", row->unasked_resumes);
	else
		fputs("-\n", out);
}

static void print_levels(const struct report *report, size_t arm, FILE *out)
{
	const struct result *result = report->result;
	int last = -1;
	char text[64];

	for (size_t i = 0; i < result->rows_n; i++) {
		const struct result_row *row = &result->rows[i];

		if (row->arm != (int)arm || row->device == last)
			continue;
		last = row->device;
		fputs("  ", out);
		cell(out, report->target->devices[row->device].bdf, 14);
		fputs("levels: D0 ", out);
		format_power(text, sizeof(text), &row->d0);
		fprintf(out, "%s W, D3hot ", text);
		format_power(text, sizeof(text), &row->d3hot);
		fprintf(out, "%s W  (%s)\n", text, report->target->devices[row->device].model);
	}
}

static void print_arm(const struct report *report, size_t arm, FILE *out)
{
	const struct result *result = report->result;
	int last = -1;

	fprintf(out, "\n%s   %s%s\n", report->plan->arms[arm].name,
		report->kernels[arm][0] ? "Linux " : "not run", report->kernels[arm]);
	print_levels(report, arm, out);
	fputs("  device        scenario    verdicts              W while left alone "
	      "to D3cold   wake     unasked\n", out);
	fputs("                                                                     "
	      "ms          ms       resumes\n", out);
	for (size_t i = 0; i < result->rows_n; i++) {
		if (result->rows[i].arm != (int)arm)
			continue;
		print_row(report, &result->rows[i], result->rows[i].device != last, out);
		last = result->rows[i].device;
	}
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

	fputs("\nWhere the kernel's word and other witnesses disagree: ", out);
	for (size_t i = 0; i < report->outcomes_n; i++) {
		const struct outcome *o = &report->outcomes[i];

		if (o->skipped || !o->dissent)
			continue;
		fprintf(out, "%s  %s, %s cycle %u on %s: sysfs %s, ACPI %s, meter %s: %s\n",
			any ? "" : "\n", report->plan->arms[o->arm].name,
			scenario_get(report->plan->scenarios[o->scenario].id)->name, o->number,
			report->target->devices[o->device].bdf,
			evidence_sysfs_name(o->evidence.sysfs), evidence_acpi_name(o->evidence.acpi),
			evidence_meter_name(o->evidence.meter), verdict_name(o->verdict));
		any = true;
	}
	if (!any)
		fputs("nowhere\n", out);
}

static void print_reasons(const struct report *report, FILE *out)
{
	for (size_t i = 0; i < report->outcomes_n; i++) {
		const struct outcome *o = &report->outcomes[i];

		if (!o->why[0] || (o->skipped && o->number > 1))
			continue;
		fprintf(out, "  %s, %s%s on %s: %s: %s\n", report->plan->arms[o->arm].name,
			scenario_get(report->plan->scenarios[o->scenario].id)->name,
			o->skipped ? "" : " cycle", report->target->devices[o->device].bdf,
			o->skipped ? "skipped" : verdict_name(o->verdict), o->why);
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
	fprintf(out, "run %s   lab %s   target %s   plan %s\n", report->run, report->lab->name,
		report->target->name, report->plan->name);
	for (size_t i = 0; i < report->plan->arms_n; i++)
		print_arm(report, i, out);
	print_savings(report, out);
	print_dissent(report, out);
	print_reasons(report, out);
	print_limits(report, out);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Holds verdict.c against the tables in docs/verdicts.md, which people read. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "verdict.h"

#define CELLS_MAX 8
#define ROWS_MAX  16

/* A markdown table: cells without blanks and backticks around them. */
struct table {
	char cell[ROWS_MAX][CELLS_MAX][32];
	size_t rows;
};

static void split_row(char *line, char cells[CELLS_MAX][32])
{
	size_t n = 0;

	for (char *at = strtok(line, "|\n"); at && n < CELLS_MAX; at = strtok(NULL, "|\n")) {
		at += strspn(at, " `");
		snprintf(cells[n], 32, "%s", at);
		for (size_t end = strlen(cells[n]); end && strchr(" `", cells[n][end - 1]); end--)
			cells[n][end - 1] = 0;
		n++;
	}
}

/* The rows of the table whose header line is given, without header and rule. */
static void read_table(const char *header, struct table *out)
{
	FILE *f = fopen(COLDRIG_SOURCE_DIR "/docs/verdicts.md", "r");
	bool inside = false;
	char line[1000];

	memset(out, 0, sizeof(*out));
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	while (fgets(line, sizeof(line), f)) {
		if (inside && line[0] != '|')
			break;
		if (inside && line[1] != '-') {
			CU_ASSERT_FATAL(out->rows < ROWS_MAX);
			split_row(line, out->cell[out->rows++]);
		}
		if (strncmp(line, header, strlen(header)) == 0)
			inside = true;
	}
	fclose(f);
	CU_ASSERT_FATAL(out->rows > 0);
}

static void each_combination(void (*check)(const struct evidence *e, const struct table *t),
			     const struct table *t)
{
	for (int p = 0; p < PRESENCE_COUNT; p++)
		for (int s = 0; s < SYSFS_COUNT; s++)
			for (int a = 0; a < ACPI_COUNT; a++)
				for (int r = 0; r < RPM_COUNT; r++)
					for (int m = 0; m < METER_COUNT; m++)
						check(&(struct evidence){(enum evidence_presence)p,
									 (enum evidence_sysfs)s,
									 (enum evidence_acpi)a,
									 (enum evidence_rpm)r,
									 (enum evidence_meter)m},
						      t);
}

static bool fits(const char *cell, const char *word)
{
	return strcmp(cell, "any") == 0 || strcmp(cell, word) == 0;
}

static void check_verdict(const struct evidence *e, const struct table *t)
{
	const char *presence = e->presence == PRESENCE_LOST ? "lost" : "there";
	size_t found = 0;

	for (size_t i = 0; i < t->rows; i++) {
		enum verdict documented = VERDICT_COUNT;

		if (!fits(t->cell[i][0], presence) ||
		    !fits(t->cell[i][1], evidence_sysfs_name(e->sysfs)) ||
		    !fits(t->cell[i][2], evidence_acpi_name(e->acpi)))
			continue;
		found++;
		CU_ASSERT_EQUAL(verdict_parse(t->cell[i][3 + e->meter], &documented), 0);
		CU_ASSERT_EQUAL(verdict_decide(e), documented);
	}
	CU_ASSERT_EQUAL(found, 1);
}

static void every_combination_has_the_verdict_in_the_docs(void)
{
	struct table table;

	/* The columns of the meter stand in the order of enum evidence_meter. */
	read_table("| presence | sysfs | ACPI | meter none | meter cold | meter not cold |",
		   &table);
	CU_ASSERT_EQUAL(table.rows, 7);
	each_combination(check_verdict, &table);
}

/* The column of the state's word, 0 for none. */
static size_t word_column(const struct evidence *e)
{
	if (e->sysfs == SYSFS_D3COLD || (e->sysfs == SYSFS_NONE && e->acpi == ACPI_D3COLD))
		return 1;
	return e->sysfs == SYSFS_D3HOT ? 2 : e->sysfs == SYSFS_ACTIVE ? 3 : 0;
}

static void check_dissent(const struct evidence *e, const struct table *t)
{
	const struct {
		const char *witness, *word;
		unsigned bit;
	} said[] = {
		{"ACPI", evidence_acpi_name(e->acpi), DISSENT_ACPI},
		{"rpm", evidence_rpm_name(e->rpm), DISSENT_RPM},
		{"meter", evidence_meter_name(e->meter), DISSENT_METER},
	};
	size_t column = word_column(e);

	for (size_t i = 0; i < 3; i++) {
		bool documented = column && strcmp(t->cell[i][column], said[i].word) == 0;

		CU_ASSERT_STRING_EQUAL(t->cell[i][0], said[i].witness);
		CU_ASSERT_EQUAL((verdict_dissent(e) & said[i].bit) != 0, documented);
	}
	CU_ASSERT_EQUAL(verdict_dissent(e) & ~7u, 0);
}

static void every_combination_has_the_dissent_in_the_docs(void)
{
	struct table table;

	read_table("| witness | contradicts D3cold", &table);
	CU_ASSERT_EQUAL_FATAL(table.rows, 3);
	each_combination(check_dissent, &table);
}

static void nothing_but_d3cold_and_cold_is_confirmed(void)
{
	struct evidence e = {PRESENCE_THERE, SYSFS_D3COLD, ACPI_D3COLD, RPM_SUSPENDED, METER_COLD};

	CU_ASSERT_EQUAL(verdict_decide(&e), VERDICT_CONFIRMED);
	CU_ASSERT_EQUAL(verdict_dissent(&e), 0);
	e.meter = METER_NOT_COLD;
	CU_ASSERT_EQUAL(verdict_decide(&e), VERDICT_FALSE_CLAIM);
	e.meter = METER_NONE;
	CU_ASSERT_EQUAL(verdict_decide(&e), VERDICT_UNMEASURED);
	e.presence = PRESENCE_LOST;
	CU_ASSERT_EQUAL(verdict_decide(&e), VERDICT_LOST);
}

static void every_verdict_has_a_name_a_meaning_and_a_place_in_the_docs(void)
{
	struct table table;

	read_table("| verdict | meaning |", &table);
	CU_ASSERT_EQUAL_FATAL(table.rows, VERDICT_COUNT);
	for (int v = 0; v < VERDICT_COUNT; v++) {
		enum verdict back = VERDICT_COUNT;

		CU_ASSERT_STRING_EQUAL(table.cell[v][0], verdict_name((enum verdict)v));
		CU_ASSERT_EQUAL(verdict_parse(table.cell[v][0], &back), 0);
		CU_ASSERT_EQUAL((int)back, v);
		CU_ASSERT(strlen(verdict_meaning((enum verdict)v)) > 10);
	}
}

static void a_name_that_is_none_is_refused(void)
{
	enum verdict v = VERDICT_LOST;

	CU_ASSERT_EQUAL(verdict_parse("Confirmed", &v), -EINVAL);
	CU_ASSERT_EQUAL(verdict_parse("", &v), -EINVAL);
	CU_ASSERT_EQUAL(v, VERDICT_LOST);
}

static const struct unit_case cases[] = {
	{"every combination has the verdict in the docs",
	 every_combination_has_the_verdict_in_the_docs},
	{"every combination has the dissent in the docs",
	 every_combination_has_the_dissent_in_the_docs},
	{"nothing but D3cold and cold is confirmed", nothing_but_d3cold_and_cold_is_confirmed},
	{"every verdict has a name, a meaning and a place in the docs",
	 every_verdict_has_a_name_a_meaning_and_a_place_in_the_docs},
	{"a name that is none is refused", a_name_that_is_none_is_refused},
};

int main(void)
{
	return unit_run("verdict", cases, UNIT_COUNT(cases));
}

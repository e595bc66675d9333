/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "counts.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "growth.h"
#include "verdict.h"

/* Memory that is freed a grace period later, and what work queues still have to do. */
#define SETTLE_MS 200
/* A dentry that was used since the last time is only marked; it goes, then its inode, then a node. */
#define DROPS 3

/* One in ten cycles. */
#define LIMIT_OBJECTS 0.1
#define LIMIT_BYTES   410.0

static void put(struct counts *counts, const char *name, const char *unit, double limit,
		double value)
{
	struct count *count = counts->all;

	while (count < counts->all + counts->n && strcmp(count->name, name) != 0)
		count++;
	if (count == counts->all + counts->n) {
		if (counts->n == COUNTS_MAX)
			return;
		counts->n++;
		snprintf(count->name, sizeof(count->name), "%s", name);
		count->unit = unit;
		count->limit_per_cycle = limit;
	}
	if (count->samples_n == counts->samples_n)
		count->at[count->samples_n++] = value;
}

static void drop_dentries(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	for (int i = 0; i < DROPS; i++) {
		if (write(fd, "2", 1) != 1)
			note("drop_caches: not written");
	}
	close(fd);
}

static void put_slab(void *counts, const char *name, double objects)
{
	put(counts, name, "objects", LIMIT_OBJECTS, objects);
}

static void count_memory(struct counts *counts)
{
	char line[128];
	FILE *file = fopen("/proc/meminfo", "re");
	double kib;

	check(file, "/proc/meminfo cannot be read");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "MemAvailable: %lf", &kib) == 1)
			put(counts, "memory not available", "bytes", LIMIT_BYTES, -1024 * kib);
		if (sscanf(line, "SUnreclaim: %lf", &kib) == 1)
			put(counts, "unreclaimable slab", "bytes", LIMIT_BYTES, 1024 * kib);
	}
	fclose(file);
}

static void count_files(struct counts *counts)
{
	FILE *file = fopen("/proc/sys/fs/file-nr", "re");
	double files;

	if (!file)
		return;
	if (fscanf(file, "%lf", &files) == 1)
		put(counts, "open files", "files", LIMIT_OBJECTS, files);
	fclose(file);
}

static void count_interrupts(struct counts *counts)
{
	FILE *file = fopen("/proc/interrupts", "re");
	double lines = 0;
	int c;

	if (!file)
		return;
	while ((c = getc(file)) != EOF)
		lines += c == '\n';
	fclose(file);
	put(counts, "interrupts", "lines", LIMIT_OBJECTS, lines);
}

void counts_start(struct counts *counts)
{
	counts->n = counts->samples_n = 0;
	slabs_open(&counts->slabs);
}

void counts_sample(struct counts *counts, double cycle)
{
	assert(counts->samples_n < COUNTS_SAMPLES_MAX);
	clock_sleep(SETTLE_MS);
	drop_dentries();
	clock_sleep(SETTLE_MS);
	slabs_shrink(&counts->slabs);
	slabs_count(&counts->slabs, put_slab, counts);
	count_memory(counts);
	count_files(counts);
	count_interrupts(counts);
	counts->cycle[counts->samples_n++] = cycle;
}

struct grown {
	const struct count *count;
	struct growth growth;
};

static double excess(const struct grown *grown)
{
	return grown->growth.low / grown->count->limit_per_cycle;
}

static int by_excess(const void *a, const void *b)
{
	double x = excess(a), y = excess(b);

	return (x < y) - (x > y);
}

static bool is_told(const struct grown *grown)
{
	return strcmp(grown->count->unit, "objects") != 0;
}

void counts_expect_no_growth(const struct counts *counts)
{
	struct grown grown[COUNTS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < counts->n; i++) {
		const struct count *count = &counts->all[i];

		if (count->samples_n == counts->samples_n)
			grown[n++] = (struct grown){
				count, growth_of(counts->cycle, count->at, counts->samples_n)};
	}
	qsort(grown, n, sizeof(grown[0]), by_excess);
	note("%zu counts, %zu samples from cycle %.0f to %.0f", n, counts->samples_n,
	     counts->cycle[0], counts->cycle[counts->samples_n - 1]);
	for (size_t i = 0; i < n; i++) {
		if (i < 3 || is_told(&grown[i]))
			note("%s: %+.3g (%+.3g to %+.3g) %s a cycle", grown[i].count->name,
			     grown[i].growth.slope, grown[i].growth.low, grown[i].growth.high,
			     grown[i].count->unit);
	}
	for (size_t i = 0; i < n; i++)
		check(!growth_exceeds(&grown[i].growth, grown[i].count->limit_per_cycle),
		      "%s: grows by %.3g (%+.3g to %+.3g) %s a cycle, limit %g",
		      grown[i].count->name, grown[i].growth.slope, grown[i].growth.low,
		      grown[i].growth.high, grown[i].count->unit, grown[i].count->limit_per_cycle);
}

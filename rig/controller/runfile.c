/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "runfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "labfile.h"
#include "planfile.h"
#include "report.h"

/* mkdir -p */
static int make_dirs(const char *dir, struct err *err)
{
	char path[4096];
	size_t n = strlen(dir);

	if (n == 0 || n >= sizeof(path))
		return err_set(err, -ENAMETOOLONG, "%s: cannot be a run directory's name", dir);
	for (size_t i = 1; i <= n; i++) {
		if (dir[i] != '/' && dir[i] != 0)
			continue;
		memcpy(path, dir, i);
		path[i] = 0;
		if (mkdir(path, 0777) < 0 && errno != EEXIST)
			return err_set(err, -errno, "%s: cannot make the directory: %s", path,
				       strerror(errno));
	}
	return 0;
}

static char *new_id(void)
{
	char text[64];
	unsigned random = 0;
	time_t now = time(NULL);
	struct tm tm;
	size_t n;

	gmtime_r(&now, &tm);
	n = strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm);
	if (getrandom(&random, sizeof(random), 0) < 0)
		random = (unsigned)getpid();
	snprintf(text + n, sizeof(text) - n, "-%08x", random);
	return strdup(text);
}

static char *db_path(const char *dir)
{
	char *path;

	return asprintf(&path, "%s/run.db", dir) < 0 ? NULL : path;
}

static int save_inputs(struct runfile *run, struct err *err)
{
	const struct {
		const char *key, *value;
	} meta[] = {
		{"run", run->id},
		{"tool", COLDRIG_VERSION},
		{"lab_path", run->lab->path},
		{"lab", run->lab->text},
		{"plan_path", run->plan->path},
		{"plan", run->plan->text},
		{"target", run->target->name},
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(meta) / sizeof(meta[0]); i++)
		r = store_set_meta(run->store, meta[i].key, meta[i].value, err);
	return r == 0 ? store_commit(run->store, err) : r;
}

/* Makes the file under another name first: whenever the program is killed, run.db is whole or not
 * there at all. */
static int create_store(struct runfile *run, const char *path, struct err *err)
{
	char *fresh;
	int r;

	if (access(path, F_OK) == 0)
		return err_set(err, -EEXIST, "%s: there is a run already", path);
	if (asprintf(&fresh, "%s.new", path) < 0)
		return -ENOMEM;
	unlink(fresh);
	r = store_create(fresh, STORE_PAGES_JOURNAL, &run->store, err);
	if (r == 0)
		r = save_inputs(run, err);
	store_close(run->store);
	run->store = NULL;
	if (r == 0 && rename(fresh, path) < 0)
		r = err_set(err, -errno, "%s: cannot be made: %s", path, strerror(errno));
	if (r < 0)
		unlink(fresh);
	free(fresh);
	return r < 0 ? r : store_open(path, false, &run->store, err);
}

int runfile_create(const char *dir, struct lab *lab, struct plan *plan,
		   const struct lab_target *target, struct runfile *out, struct err *err)
{
	char *path = NULL;
	int r;

	*out = (struct runfile){.lab = lab, .plan = plan, .target = target};
	out->dir = strdup(dir);
	out->id = new_id();
	path = db_path(dir);
	r = out->dir && out->id && path ? make_dirs(dir, err) : -ENOMEM;
	if (r == 0)
		r = create_store(out, path, err);
	if (r == 0)
		r = analysis_new(lab, target, plan, out->store, &out->analysis);
	free(path);
	return r;
}

/* Lab and plan from their texts in the run file. */
static int load_inputs(struct runfile *run, struct err *err)
{
	char *lab_path = store_get_meta(run->store, "lab_path");
	char *lab = store_get_meta(run->store, "lab");
	char *plan_path = store_get_meta(run->store, "plan_path");
	char *plan = store_get_meta(run->store, "plan");
	char *target = store_get_meta(run->store, "target");
	int r = -EBADMSG;

	run->id = store_get_meta(run->store, "run");
	if (!lab_path || !lab || !plan_path || !plan || !target || !run->id)
		err_set(err, r, "%s/run.db: lab, plan or target is missing in it", run->dir);
	else
		r = labfile_parse(lab_path, lab, &run->lab, err);
	if (r == 0)
		r = planfile_parse(plan_path, plan, run->lab, &run->plan, err);
	if (r == 0) {
		run->target = lab_find_target(run->lab, target);
		if (!run->target)
			r = err_set(err, -EBADMSG, "%s/run.db: its lab has no target %s", run->dir,
				    target);
	}
	free(lab_path);
	free(lab);
	free(plan_path);
	free(plan);
	free(target);
	return r;
}

int runfile_open(const char *dir, bool read_only, struct runfile *out, struct err *err)
{
	char *path = db_path(dir);
	int r;

	*out = (struct runfile){.dir = strdup(dir)};
	if (!path || !out->dir)
		r = -ENOMEM;
	else if (access(path, F_OK) < 0)
		r = err_set(err, -ENOENT, "%s: not a run directory: it has no run.db", dir);
	else
		r = store_open(path, read_only, &out->store, err);
	if (r == 0)
		r = load_inputs(out, err);
	if (r == 0)
		r = analysis_new(out->lab, out->target, out->plan, out->store, &out->analysis);
	if (r == 0)
		r = analysis_feed_all(out->analysis, err);
	free(path);
	return r;
}

void runfile_close(struct runfile *run)
{
	analysis_free(run->analysis);
	store_close(run->store);
	plan_free(run->plan);
	lab_free(run->lab);
	free(run->id);
	free(run->dir);
	*run = (struct runfile){0};
}

/* A report and what it borrows. */
struct made_report {
	struct report report;
	struct result *result;
	const char **kernels;
	const struct msg **kexecs;
	struct align_result *alignments;
	char *tool;
};

static void free_report(struct made_report *made)
{
	result_free(made->result);
	free(made->kernels);
	free(made->kexecs);
	free(made->alignments);
	free(made->tool);
}

/* Released with free_report(), also on failure. */
static int make_report(const struct runfile *run, struct made_report *made, struct err *err)
{
	struct report *report = &made->report;
	int r = -ENOMEM;

	*made = (struct made_report){0};
	made->kernels = calloc(run->plan->arms_n, sizeof(*made->kernels));
	made->kexecs = calloc(run->plan->arms_n, sizeof(*made->kexecs));
	made->alignments =
		calloc(run->plan->arms_n * run->lab->meters_n + 1, sizeof(*made->alignments));
	if (made->kernels && made->kexecs && made->alignments)
		r = analysis_result(run->analysis, &made->result);
	if (r < 0)
		return err_set(err, r, "%s: cannot add up the results: %s", run->dir, strerror(-r));
	for (size_t i = 0; i < run->plan->arms_n; i++) {
		made->kernels[i] = analysis_arm(run->analysis, (int)i)->kernel;
		made->kexecs[i] = analysis_arm(run->analysis, (int)i)->kexec;
		for (size_t m = 0; m < run->lab->meters_n; m++)
			made->alignments[i * run->lab->meters_n + m] =
				alignment_result(analysis_alignment(run->analysis), (int)i, m);
	}
	made->tool = store_get_meta(run->store, "tool");
	*report = (struct report){
		.run = run->id,
		.tool = made->tool,
		.lab = run->lab,
		.target = run->target,
		.plan = run->plan,
		.result = made->result,
		.kernels = made->kernels,
		.kexecs = made->kexecs,
		.alignments = made->alignments,
	};
	report->suites = analysis_suite(run->analysis, 0);
	report->outcomes = analysis_outcomes(run->analysis, &report->outcomes_n);
	report->notes = analysis_notes(run->analysis, &report->notes_n);
	report->incidents = analysis_incidents(run->analysis);
	return 0;
}

int runfile_summary(const struct runfile *run, char **text, struct runfile_word *word,
		    struct err *err)
{
	char rejection[REPORT_REJECTION_SIZE];
	struct made_report made;
	struct msg *summary;
	int r = make_report(run, &made, err);

	if (r == 0) {
		summary = report_summary(&made.report);
		*text = msg_dump_pretty(summary);
		word->limits_ok = result_ok(made.result, run->plan);
		word->is_rejected = report_rejection(&made.report, rejection);
		err_set(&word->rejection, 0, "%s: rejected: %s", run->dir, rejection);
		msg_free(summary);
	}
	free_report(&made);
	return r;
}

int runfile_print(const struct runfile *run, FILE *out, struct err *err)
{
	struct made_report made;
	int r = make_report(run, &made, err);

	if (r == 0)
		report_table(&made.report, out);
	free_report(&made);
	return r;
}

static int write_all(int fd, const char *text)
{
	size_t n = strlen(text), at = 0;

	while (at < n) {
		ssize_t written = write(fd, text + at, n - at);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		at += (size_t)written;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* By a new file and a rename, so that a reader sees the old text or the new one. */
static int publish_text(const struct runfile *run, const char *name, const char *text,
			struct err *err)
{
	char *final, *fresh;
	int fd = -1, r = -ENOMEM;

	if (asprintf(&final, "%s/%s", run->dir, name) < 0)
		return r;
	if (asprintf(&fresh, "%s.new", final) < 0) {
		free(final);
		return r;
	}
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	r = fd < 0 ? -errno : write_all(fd, text);
	if (fd >= 0)
		close(fd);
	if (r == 0 && rename(fresh, final) < 0)
		r = -errno;
	if (r < 0) {
		err_set(err, r, "%s: cannot write: %s", final, strerror(-r));
		unlink(fresh);
	}
	free(final);
	free(fresh);
	return r;
}

int runfile_publish(const struct runfile *run, const char *summary, struct err *err)
{
	char *table = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&table, &size);
	int r = out ? runfile_print(run, out, err) : -ENOMEM;

	if (out)
		fclose(out);
	if (r == 0)
		r = publish_text(run, "result.txt", table, err);
	free(table);
	return r < 0 ? r : publish_text(run, "summary.json", summary, err);
}

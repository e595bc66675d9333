/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "test_store_file.h"

static void meta_and_segments_are_kept(void)
{
	struct store *store = fresh();
	char *value;

	CU_ASSERT_EQUAL(store_begin_segment(store, "1.0", NULL), 1);
	CU_ASSERT_EQUAL(store_begin_segment(store, "1.1", NULL), 2);
	CU_ASSERT_EQUAL(store_set_meta(store, "plan", "a", NULL), 0);
	CU_ASSERT_EQUAL(store_set_meta(store, "plan", "b\n\"'", NULL), 0);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	store_close(store);
	store = reopen(false);
	value = store_get_meta(store, "plan");
	CU_ASSERT_STRING_EQUAL(value, "b\n\"'");
	free(value);
	CU_ASSERT_PTR_NULL(store_get_meta(store, "missing"));
	CU_ASSERT_EQUAL(store_begin_segment(store, "1.2", NULL), 3);
	store_close(store);
}

static void a_file_that_is_there_is_not_overwritten(void)
{
	struct store *store = fresh(), *other = NULL;
	struct err err = {""};

	append(store, "x", 0, NULL);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	CU_ASSERT_EQUAL(store_create(path, STORE_PAGES_JOURNAL, &other, &err), -EEXIST);
	CU_ASSERT_PTR_NULL(other);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
	CU_ASSERT_EQUAL(count_entries(store), 1);
	store_close(store);
}

/* SQLite would keep these in memory, or in a file that it deletes. */
static void every_name_is_a_file(void)
{
	static const char *const names[] = {":memory:", "file:x.db?mode=memory"};
	char here[4096], directory[] = "/tmp/coldrig-store-XXXXXX";
	struct store *store = NULL;
	struct err err = {""};

	CU_ASSERT_PTR_NOT_NULL_FATAL(getcwd(here, sizeof(here)));
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
	CU_ASSERT_EQUAL_FATAL(chdir(directory), 0);
	for (size_t i = 0; i < UNIT_COUNT(names); i++) {
		CU_ASSERT_EQUAL(store_create(names[i], STORE_PAGES_JOURNAL, &store, &err), 0);
		store_close(store);
		CU_ASSERT_EQUAL(unlink(names[i]), 0);
	}
	CU_ASSERT_EQUAL(store_create("", STORE_PAGES_JOURNAL, &store, &err), -ENOENT);
	CU_ASSERT_EQUAL(chdir(here), 0);
	CU_ASSERT_EQUAL(rmdir(directory), 0);
}

static void what_is_no_run_file_is_refused(void)
{
	static const char *const contents[] = {"", "hello, this is a text and no database", NULL};
	struct store *store = NULL;
	struct err err = {""};

	CU_ASSERT_EQUAL(store_open("/nonexistent/run.db", true, &store, &err), -ENOENT);
	for (size_t i = 0; contents[i]; i++) {
		FILE *f;

		store_close(fresh());
		f = fopen(path, "w");
		fputs(contents[i], f);
		fclose(f);
		CU_ASSERT_EQUAL(store_open(path, false, &store, &err), -EBADMSG);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not a run or recording"));
	}
	store_close(fresh());
	run_sql("UPDATE meta SET value = '1' WHERE key = 'format'");
	CU_ASSERT_EQUAL(store_open(path, true, &store, &err), -EBADMSG);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "format 1, this program reads format 2"));
	CU_ASSERT_PTR_NULL(store);
}

static void a_file_opened_for_reading_cannot_be_written(void)
{
	struct store *store = fresh();
	struct err err = {""};

	store_close(store);
	store = reopen(true);
	CU_ASSERT_EQUAL(append(store, "x", 0, &err), -EACCES);
	CU_ASSERT(err.text[0]);
	CU_ASSERT_EQUAL(count_entries(store), 0);
	store_close(store);
}

static void what_was_not_committed_is_gone_after_closing(void)
{
	struct store *store = fresh();

	append(store, "x", 0, NULL);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	append(store, "x", 1, NULL);
	CU_ASSERT_EQUAL(count_entries(store), 2);
	store_close(store);
	store = reopen(false);
	CU_ASSERT_EQUAL(count_entries(store), 1);
	append(store, "x", 1, NULL);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	CU_ASSERT_EQUAL(count_entries(store), 2);
	store_close(store);
}

/* Writes pairs of entries, commits each pair and then says so, until it is killed. */
static void write_pairs(int fd)
{
	struct store *store = NULL;

	if (store_open(path, false, &store, NULL) < 0)
		_exit(1);
	for (int64_t n = 0;; n += 2) {
		if (append(store, "x", n, NULL) < 0 || append(store, "x", n + 1, NULL) < 0 ||
		    store_commit(store, NULL) < 0 || write(fd, &n, sizeof(n)) != sizeof(n))
			_exit(1);
	}
}

static void committed_entries_survive_kill_9(void)
{
	for (int64_t after = 0; after < 80; after += 13) {
		int64_t said = -2, got;
		int fds[2], status;
		pid_t pid;
		struct store *store;

		store_close(fresh());
		CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
		pid = fork();
		if (pid == 0)
			write_pairs(fds[1]);
		close(fds[1]);
		while (said < after && read(fds[0], &said, sizeof(said)) == sizeof(said))
			;
		usleep((useconds_t)after * 37); /* somewhere within a later transaction */
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		CU_ASSERT_TRUE(WIFSIGNALED(status));
		while (read(fds[0], &got, sizeof(got)) == sizeof(got))
			said = got;
		close(fds[0]);
		store = reopen(false);
		got = count_entries(store);
		/* All that was reported, whole pairs, and at most the one that was not reported
		 * yet. */
		CU_ASSERT(got >= said + 2 && got <= said + 4 && got % 2 == 0);
		CU_ASSERT_EQUAL(append(store, "x", got, NULL), 0);
		CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
		store_close(store);
	}
}

/* In a child, whose files may not grow past a limit: 0 if all is as it should be. */
static int fill_the_disk(void)
{
	struct rlimit limit = {.rlim_cur = 300000, .rlim_max = 300000};
	struct store *store = NULL;
	struct err err = {""};
	int64_t n = 0, committed = 0;
	struct count c = {.in_order = true};
	int r = store_open(path, false, &store, NULL);

	signal(SIGXFSZ, SIG_IGN);
	if (r < 0 || setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 1;
	while (r == 0 && n < 100000) {
		r = append(store, "x", n, &err);
		if (r == 0 && ++n % 10 == 0 && (r = store_commit(store, &err)) == 0)
			committed = n;
	}
	if (r != -ENOSPC || !strstr(err.text, "no space left") || !strstr(err.text, path))
		return 2;
	/* What was committed is still there for the process that failed. */
	if (store_each_entry(store, count_one, &c, NULL) != 0 || !c.in_order || c.n != committed)
		return 3;
	store_close(store);
	return committed > 100 ? 100 : 4;
}

static void a_full_disk_is_named_and_costs_no_committed_entry(void)
{
	struct store *store;
	int status = 0;
	int64_t n;
	pid_t pid;

	store_close(fresh());
	pid = fork();
	if (pid == 0)
		_exit(fill_the_disk());
	waitpid(pid, &status, 0);
	CU_ASSERT_TRUE(WIFEXITED(status));
	CU_ASSERT_EQUAL(WEXITSTATUS(status), 100);
	store = reopen(false);
	n = count_entries(store);
	CU_ASSERT(n > 100 && n % 10 == 0);
	CU_ASSERT_EQUAL(append(store, "x", n, NULL), 0);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	store_close(store);
}

static const struct unit_case cases[] = {
	{"meta and segments are kept", meta_and_segments_are_kept},
	{"a file that is there is not overwritten", a_file_that_is_there_is_not_overwritten},
	{"every name is a file", every_name_is_a_file},
	{"what is no run file is refused", what_is_no_run_file_is_refused},
	{"a file opened for reading cannot be written",
	 a_file_opened_for_reading_cannot_be_written},
	{"what was not committed is gone after closing",
	 what_was_not_committed_is_gone_after_closing},
	{"committed entries survive kill -9", committed_entries_survive_kill_9},
	{"a full disk is named and costs no committed entry",
	 a_full_disk_is_named_and_costs_no_committed_entry},
};

int main(void)
{
	return run_file_run("store", cases, UNIT_COUNT(cases));
}

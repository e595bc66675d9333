/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lock.h"
#include "unit.h"

static char dir[] = "/tmp/coldrig-lock-XXXXXX";

/* A process that holds a lock, with a pipe that ends with it. */
struct holder {
	pid_t pid;
	int fd;
};

static struct holder hold_in_child(const char *identity, const char *name)
{
	struct holder h;
	int fds[2];
	char byte = 0;

	CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
	h.pid = fork();
	if (h.pid == 0) {
		struct lock *lock;

		close(fds[0]);
		byte = lock_take(identity, name, &lock, NULL) == 0 ? 'y' : 'n';
		if (write(fds[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	h.fd = fds[0];
	CU_ASSERT_EQUAL(read(h.fd, &byte, 1), 1);
	CU_ASSERT_EQUAL(byte, 'y');
	return h;
}

static void kill_holder(struct holder *h)
{
	kill(h->pid, SIGKILL);
	waitpid(h->pid, NULL, 0);
	close(h->fd);
}

static void a_second_run_is_refused_and_told_of_the_first(void)
{
	struct holder h = hold_in_child("exec:ssh box", "run 4711 of plan night");
	struct lock *lock = NULL;
	struct err err = {""};

	CU_ASSERT_EQUAL(lock_take("exec:ssh box", "me", &lock, &err), -EBUSY);
	CU_ASSERT_PTR_NULL(lock);
	CU_ASSERT_STRING_EQUAL(err.text, "the target is in use by run 4711 of plan night");
	/* Being refused must not have disturbed the first one. */
	CU_ASSERT_EQUAL(lock_take("exec:ssh box", "me", &lock, &err), -EBUSY);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "4711"));
	kill_holder(&h);
}

static void a_killed_holder_holds_nothing(void)
{
	struct holder h = hold_in_child("t", "first");
	struct lock *lock = NULL;

	kill_holder(&h);
	CU_ASSERT_EQUAL_FATAL(lock_take("t", "second", &lock, NULL), 0);
	lock_release(lock);
}

static void a_released_target_can_be_taken_again(void)
{
	struct holder h;
	struct lock *lock = NULL;

	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL_FATAL(lock_take("t", "me", &lock, NULL), 0);
		lock_release(lock);
	}
	h = hold_in_child("t", "other");
	kill_holder(&h);
	lock_release(NULL);
}

static void other_targets_are_not_locked(void)
{
	struct holder h = hold_in_child("one", "first");
	struct lock *lock = NULL;

	CU_ASSERT_EQUAL_FATAL(lock_take("another", "second", &lock, NULL), 0);
	lock_release(lock);
	kill_holder(&h);
}

static void a_name_that_was_longer_leaves_nothing_behind(void)
{
	struct lock *lock = NULL;
	struct holder h;
	struct err err = {""};

	CU_ASSERT_EQUAL_FATAL(lock_take("t", "a run with a very long name", &lock, NULL), 0);
	lock_release(lock);
	h = hold_in_child("t", "short");
	CU_ASSERT_EQUAL(lock_take("t", "me", &lock, &err), -EBUSY);
	CU_ASSERT_STRING_EQUAL(err.text, "the target is in use by short");
	kill_holder(&h);
}

static void a_missing_directory_is_an_error_with_words(void)
{
	struct lock *lock = NULL;
	struct err err = {""};

	setenv("COLDRIG_LOCK_DIR", "/nonexistent", 1);
	CU_ASSERT_EQUAL(lock_take("t", "me", &lock, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent/coldrig-"));
	setenv("COLDRIG_LOCK_DIR", dir, 1);
}

static const struct unit_case cases[] = {
	{"a second run is refused and told of the first",
	 a_second_run_is_refused_and_told_of_the_first},
	{"a killed holder holds nothing", a_killed_holder_holds_nothing},
	{"a released target can be taken again", a_released_target_can_be_taken_again},
	{"other targets are not locked", other_targets_are_not_locked},
	{"a name that was longer leaves nothing behind",
	 a_name_that_was_longer_leaves_nothing_behind},
	{"a missing directory is an error with words", a_missing_directory_is_an_error_with_words},
};

int main(void)
{
	char command[100];
	int r;

	if (!mkdtemp(dir))
		return 2;
	setenv("COLDRIG_LOCK_DIR", dir, 1);
	r = unit_run("lock", cases, UNIT_COUNT(cases));
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command) == 0 ? r : 2;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "permission.h"
#include "unit.h"

static bool says(const char *path, const char *words)
{
	struct err err = {""};

	CU_ASSERT_EQUAL(permission_err(path, &err), -EACCES);
	if (!strstr(err.text, words))
		printf("\n  said: %s\n", err.text);
	return strncmp(err.text, path, strlen(path)) == 0 && strstr(err.text, words);
}

static void what_to_do_depends_on_whose_it_is(void)
{
	char path[] = "/tmp/coldrig-test-XXXXXX";
	int fd = mkstemp(path);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(fchmod(fd, 0640), 0);
	CU_ASSERT(says(path, ", mode 0640: give it to a group of this user by a udev rule"));
	if (geteuid() == 0) { /* nobody else may give it to a group */
		CU_ASSERT_EQUAL(fchmod(fd, 0660), 0);
		CU_ASSERT(says(path, ": it is root:root, mode 0660: give it to a group"));
		CU_ASSERT_EQUAL(fchown(fd, 0, 12345), 0);
		CU_ASSERT(says(path, "it is for root and group 12345: join the group ('usermod "
				     "-aG 12345 root', then log in anew)"));
	}
	close(fd);
	unlink(path);
	CU_ASSERT(says(path, "to see it: run as another user"));
}

static void both_of_the_kernels_words_for_it_are_known(void)
{
	CU_ASSERT(permission_is_denied(EACCES));
	CU_ASSERT(permission_is_denied(-EPERM));
	CU_ASSERT_FALSE(permission_is_denied(ENOENT));
	CU_ASSERT_FALSE(permission_is_denied(0));
}

static const struct unit_case cases[] = {
	{"what to do depends on whose it is", what_to_do_depends_on_whose_it_is},
	{"both of the kernel's words for it are known", both_of_the_kernels_words_for_it_are_known},
};

int main(void)
{
	return unit_run("permission", cases, UNIT_COUNT(cases));
}

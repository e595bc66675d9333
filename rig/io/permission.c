/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "permission.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_SIZE  40
#define GROUP_BITS 060 /* read and write */

bool permission_is_denied(int code)
{
	return code == EACCES || code == -EACCES || code == EPERM || code == -EPERM;
}

static void user_name(uid_t id, char name[static NAME_SIZE])
{
	const struct passwd *user = getpwuid(id);

	if (user)
		snprintf(name, NAME_SIZE, "%s", user->pw_name);
	else
		snprintf(name, NAME_SIZE, "%u", (unsigned)id);
}

static void group_name(gid_t id, char name[static NAME_SIZE])
{
	const struct group *group = getgrgid(id);

	if (group)
		snprintf(name, NAME_SIZE, "%s", group->gr_name);
	else
		snprintf(name, NAME_SIZE, "%u", (unsigned)id);
}

int permission_err(const char *path, struct err *err)
{
	char owner[NAME_SIZE], group[NAME_SIZE], me[NAME_SIZE];
	struct stat st;

	user_name(geteuid(), me);
	if (stat(path, &st) < 0)
		return err_set(err, -EACCES,
			       "%s: no permission for user %s to see it: run as another user", path,
			       me);
	user_name(st.st_uid, owner);
	group_name(st.st_gid, group);
	if ((st.st_mode & GROUP_BITS) == GROUP_BITS && st.st_gid != 0)
		return err_set(err, -EACCES,
			       "%s: no permission for user %s: it is for %s and group %s: join "
			       "the group ('usermod -aG %s %s', then log in anew)",
			       path, me, owner, group, group, me);
	return err_set(err, -EACCES,
		       "%s: no permission for user %s: it is %s:%s, mode %04o: give it to a group "
		       "of this user by a udev rule (docs/lines.md has them), or run as root",
		       path, me, owner, group, (unsigned)st.st_mode & 07777);
}

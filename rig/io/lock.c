/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "pack.h"

struct lock {
	int fd;
};

static const char *lock_dir(void)
{
	const char *dir = getenv("COLDRIG_LOCK_DIR");

	if (dir && *dir)
		return dir;
	return access("/run/lock", W_OK) == 0 ? "/run/lock" : "/tmp";
}

/* Who has it, from the file; the holder may be just about to write it. */
static void read_holder(int fd, char *out, size_t size)
{
	ssize_t n = pread(fd, out, size - 1, 0);

	out[n > 0 ? n : 0] = 0;
	out[strcspn(out, "\n")] = 0;
	if (!*out)
		snprintf(out, size, "another run");
}

int lock_take(const char *identity, const char *holder, struct lock **out, struct err *err)
{
	char path[4200], other[300];
	struct lock *lock;
	int fd;

	/* The sticky /run/lock is shared by all users: no O_CREAT on files of others there. */
	snprintf(path, sizeof(path), "%s/coldrig-%08x.lock", lock_dir(),
		 pack_crc32(identity, strlen(identity)));
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0) /* another user's: flock() needs no write permission */
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_set(err, -errno, "%s: cannot lock the target: %s", path,
			       strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int code = errno == EWOULDBLOCK ? -EBUSY : -errno;

		read_holder(fd, other, sizeof(other));
		close(fd);
		return err_set(err, code, "the target is in use by %s", other);
	}
	lock = malloc(sizeof(*lock));
	if (!lock) {
		close(fd);
		return -ENOMEM;
	}
	/* Without the description the lock still locks. */
	if (ftruncate(fd, 0) == 0)
		dprintf(fd, "%s\n", holder);
	lock->fd = fd;
	*out = lock;
	return 0;
}

void lock_release(struct lock *lock)
{
	if (!lock)
		return;
	/* The file stays: removing it would let two runs lock two files of one name. */
	if (ftruncate(lock->fd, 0) < 0) {
		/* only the description of a run that is over */
	}
	close(lock->fd);
	free(lock);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "initrd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#define CHUNK (1 << 20)

static int copy(int out, int in)
{
	ssize_t n;

	while ((n = sendfile(out, in, NULL, CHUNK)) > 0)
		;
	return n < 0 ? -errno : 0;
}

/* The kernel looks for the next archive at multiples of four bytes. */
static int pad(int fd)
{
	off_t size = lseek(fd, 0, SEEK_CUR);

	if (size < 0 || ftruncate(fd, (size + 3) & ~(off_t)3) < 0 || lseek(fd, 0, SEEK_END) < 0)
		return -errno;
	return 0;
}

static int append(int out, const char *path, struct err *err)
{
	int in = open(path, O_RDONLY | O_CLOEXEC);
	int code;

	if (in < 0) {
		code = -errno;
		return err_set(err, code, "%s: cannot be read: %s", path, strerror(-code));
	}
	code = copy(out, in);
	close(in);
	if (code == 0)
		code = pad(out);
	if (code < 0)
		return err_set(err, code, "%s: cannot be copied to memory: %s", path,
			       strerror(-code));
	return 0;
}

int initrd_join(const char *const *paths, size_t n, struct err *err)
{
	int fd = memfd_create("coldrig-initrd", MFD_CLOEXEC);
	int code;

	if (fd < 0) {
		code = -errno;
		return err_set(err, code, "initial RAM disk: no memory: %s", strerror(-code));
	}
	for (size_t i = 0; i < n; i++) {
		code = append(fd, paths[i], err);
		if (code < 0) {
			close(fd);
			return code;
		}
	}
	return fd;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "initrd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK	       (1 << 20)
#define HEADER_SIZE    110
#define MODE_FILE      (S_IFREG | 0600)
#define MODE_DIRECTORY (S_IFDIR | 0700)

static int copy(int out, int in)
{
	ssize_t n;

	while ((n = sendfile(out, in, NULL, CHUNK)) > 0)
		;
	return n < 0 ? -errno : 0;
}

/* The kernel looks for the next archive, and for all within one, at multiples of four bytes. */
static int pad(int fd)
{
	off_t size = lseek(fd, 0, SEEK_CUR);

	if (size < 0 || ftruncate(fd, (size + 3) & ~(off_t)3) < 0 || lseek(fd, 0, SEEK_END) < 0)
		return -errno;
	return 0;
}

static int append_archive(int out, int in)
{
	int code = copy(out, in);

	return code < 0 ? code : pad(out);
}

/* The head of an entry, in the format that the kernel calls newc: all numbers in eight digits. */
static int append_head(int out, const char *name, unsigned mode, off_t size)
{
	const unsigned fields[] = {
		0, mode, 0, 0, 1, 0, (unsigned)size, 0, 0, 0, 0, (unsigned)strlen(name) + 1, 0};
	char head[HEADER_SIZE + 1] = "070701";

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		snprintf(head + 6 + 8 * i, 9, "%08x", fields[i]);
	if (write(out, head, HEADER_SIZE) != HEADER_SIZE ||
	    write(out, name, strlen(name) + 1) != (ssize_t)strlen(name) + 1)
		return -EIO;
	return pad(out);
}

static int append_file(int out, const char *name, int in)
{
	struct stat st;
	int code;

	if (fstat(in, &st) < 0 || lseek(in, 0, SEEK_SET) < 0)
		return -errno;
	if (st.st_size > UINT32_MAX)
		return -EFBIG;
	code = append_head(out, name, MODE_FILE, st.st_size);
	if (code == 0)
		code = copy(out, in);
	return code < 0 ? code : pad(out);
}

static int append(int out, const struct initrd_part *part, struct err *err)
{
	const char *what = part->archive ? part->archive : part->name;
	int code, in = part->archive ? open(part->archive, O_RDONLY | O_CLOEXEC) : -1;

	if (part->archive && in < 0) {
		code = -errno;
		return err_set(err, code, "%s: cannot be read: %s", what, strerror(-code));
	}
	if (part->archive)
		code = append_archive(out, in);
	else if (part->fd >= 0)
		code = append_file(out, part->name, part->fd);
	else
		code = append_head(out, part->name, MODE_DIRECTORY, 0);
	if (in >= 0)
		close(in);
	if (code < 0)
		return err_set(err, code, "%s: cannot be copied to memory: %s", what,
			       strerror(-code));
	return 0;
}

int initrd_join(const struct initrd_part *parts, size_t n, struct err *err)
{
	int fd = memfd_create("coldrig-initrd", MFD_CLOEXEC);
	int code;

	if (fd < 0) {
		code = -errno;
		return err_set(err, code, "initial RAM disk: no memory: %s", strerror(-code));
	}
	for (size_t i = 0; i < n; i++) {
		code = append(fd, &parts[i], err);
		if (code < 0) {
			close(fd);
			return code;
		}
	}
	return fd;
}

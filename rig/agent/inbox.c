/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "inbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "pack.h"

#define PART ".part" /* behind the name of a file that is being received */

/* No path, nothing hidden, nothing that a program takes for an option. */
static bool is_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t n = strlen(name);

	return n > 0 && n + strlen(PART) < INBOX_NAME_SIZE && *name != '-' &&
	       strspn(name, letters) == n;
}

/* size, not INT64_MAX, because a mapping of nothing is an error. */
static bool is_right(const char *path, const struct inbox_file *file)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool right = false;
	struct stat st;
	void *bytes;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == file->size) {
		bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (bytes != MAP_FAILED) {
			right = pack_crc32(bytes, (size_t)st.st_size) == file->crc32;
			munmap(bytes, (size_t)st.st_size);
		}
	}
	close(fd);
	return right;
}

static int64_t available_memory(const struct host *host)
{
	static const char key[] = "MemAvailable:";
	int64_t bytes = INT64_MAX;
	const char *at;
	char *text;

	if (host_read(host, "/proc/meminfo", &text) < 0)
		return bytes;
	at = strstr(text, key);
	if (at)
		bytes = strtoll(at + strlen(key), NULL, 10) * 1024;
	free(text);
	return bytes;
}

/* Half of what is free stays free: kexec makes a copy of what it loads. */
static int check_room(const struct host *host, const char *dir, int64_t size, struct err *err)
{
	int64_t memory = available_memory(host);
	struct statvfs fs;
	int64_t left;

	if (size > memory / 2)
		return err_set(err, -ENOSPC, "%lld bytes: only %lld bytes of memory are free",
			       (long long)size, (long long)memory);
	if (statvfs(dir, &fs) < 0)
		return err_set(err, -errno, INBOX_DIR ": %s", strerror(errno));
	left = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	/* A ramfs counts nothing. */
	if (fs.f_blocks > 0 && size > left)
		return err_set(err, -ENOSPC, "%lld bytes: only %lld bytes are free in " INBOX_DIR,
			       (long long)size, (long long)left);
	return 0;
}

/* Ours alone: what lies there is booted. */
static int make_dir(const char *dir, struct err *err)
{
	struct stat st;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, INBOX_DIR ": cannot be made: %s", strerror(errno));
	if (lstat(dir, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & 022) != 0)
		return err_set(err, -EPERM, INBOX_DIR ": others can write there: remove it");
	return 0;
}

static int check_file(const struct inbox_file *file, struct err *err)
{
	if (!is_name(file->name))
		return err_set(err, -EINVAL, "name %s: not letters, digits and -, %zu at most",
			       file->name, INBOX_NAME_SIZE - 1 - strlen(PART));
	if (file->size <= 0)
		return err_set(err, -EINVAL, "size %lld: nothing to send", (long long)file->size);
	if (file->size > INBOX_BYTES_MAX)
		return err_set(err, -EFBIG, "size %lld: at most %lld", (long long)file->size,
			       (long long)INBOX_BYTES_MAX);
	return 0;
}

static void part_path(const struct host *host, const char *name, char path[static PATH_MAX])
{
	if (host_path(host, path, INBOX_DIR "/%s" PART, name) < 0)
		path[0] = 0;
}

static void drop(struct inbox *inbox, const struct host *host)
{
	char part[PATH_MAX];

	if (!inbox->receiving)
		return;
	part_path(host, inbox->now.name, part);
	unlink(part);
	inbox->receiving = false;
}

int inbox_put(struct inbox *inbox, const struct host *host, const struct inbox_file *file,
	      bool *there, struct err *err)
{
	char dir[PATH_MAX], path[PATH_MAX], part[PATH_MAX];
	int fd, r = check_file(file, err);

	drop(inbox, host);
	if (r < 0)
		return r;
	if (host_path(host, dir, INBOX_DIR) < 0 ||
	    host_path(host, path, INBOX_DIR "/%s", file->name) < 0)
		return err_set(err, -ENAMETOOLONG, INBOX_DIR ": too long");
	r = make_dir(dir, err);
	if (r < 0)
		return r;
	*there = is_right(path, file);
	if (*there)
		return 0;
	r = check_room(host, dir, file->size, err);
	if (r < 0)
		return r;
	if (inbox->received_n == INBOX_FILES_MAX)
		return err_set(err, -EMFILE, "%d files of this session are here already",
			       INBOX_FILES_MAX);
	part_path(host, file->name, part);
	unlink(part);
	fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, -errno, INBOX_DIR ": %s", strerror(errno));
	close(fd);
	inbox->now = *file;
	inbox->have = 0;
	inbox->receiving = true;
	return 0;
}

static int append(const char *path, int64_t at, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t written;
	int r;

	if (fd < 0)
		return -errno;
	written = pwrite(fd, bytes, n, at);
	r = written < 0 ? -errno : written == (ssize_t)n ? 0 : -ENOSPC;
	close(fd);
	return r;
}

static int finish(struct inbox *inbox, const struct host *host, const char *part, struct err *err)
{
	char path[PATH_MAX];

	if (!is_right(part, &inbox->now)) {
		drop(inbox, host);
		return err_set(err, -EBADMSG, "%s: wrong checksum", inbox->now.name);
	}
	if (host_path(host, path, INBOX_DIR "/%s", inbox->now.name) < 0 || rename(part, path) < 0) {
		drop(inbox, host);
		return err_set(err, -EIO, "%s: cannot be put in its place", inbox->now.name);
	}
	memcpy(inbox->received[inbox->received_n++], inbox->now.name, INBOX_NAME_SIZE);
	inbox->receiving = false;
	return 0;
}

int inbox_take(struct inbox *inbox, const struct host *host, int64_t at, const void *bytes,
	       size_t n, struct err *err)
{
	char part[PATH_MAX];
	int r;

	if (!inbox->receiving)
		return err_set(err, -ENOENT, "no file is being received");
	if (at != inbox->have || (int64_t)n > inbox->now.size - at)
		return err_set(err, -ESPIPE, "%zu bytes at %lld: %lld of %lld are here", n,
			       (long long)at, (long long)inbox->have, (long long)inbox->now.size);
	part_path(host, inbox->now.name, part);
	r = append(part, at, bytes, n);
	if (r < 0) {
		drop(inbox, host);
		return err_set(err, r, "%s: %s", inbox->now.name, strerror(-r));
	}
	inbox->have += (int64_t)n;
	return inbox->have == inbox->now.size ? finish(inbox, host, part, err) : 0;
}

int inbox_find(const struct host *host, const char *name, char path[static PATH_MAX],
	       struct err *err)
{
	bool absolute = *name == '/';
	int r;

	if (!absolute && !is_name(name))
		return err_set(err, -EINVAL,
			       "%s: neither an absolute path nor a file that was sent", name);
	r = host_path(host, path, "%s%s", absolute ? "" : INBOX_DIR "/", name);
	if (r == 0 && access(path, R_OK) < 0)
		r = -errno;
	return r < 0 ? err_set(err, r, "%s: %s", name, strerror(-r)) : 0;
}

void inbox_clear(struct inbox *inbox, const struct host *host)
{
	char path[PATH_MAX];

	drop(inbox, host);
	for (size_t i = 0; i < inbox->received_n; i++) {
		if (host_path(host, path, INBOX_DIR "/%s", inbox->received[i]) == 0)
			unlink(path);
	}
	inbox->received_n = 0;
	/* Only if nothing else is in it. */
	if (host_path(host, path, INBOX_DIR) == 0)
		rmdir(path);
}

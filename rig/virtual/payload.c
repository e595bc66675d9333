/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "payload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "initrd.h"

#define INBOX "run/coldrig" /* the agent's */

static const char *const names[PAYLOAD_COUNT] = {
	[PAYLOAD_IMAGE] = "image",
	[PAYLOAD_INITRD] = "initrd",
	[PAYLOAD_CRASH_IMAGE] = "crash-image",
	[PAYLOAD_CRASH_INITRD] = "crash-initrd",
};

const char *payload_name(enum payload_file file)
{
	return names[file];
}

/* kexec_file_load takes bzImages alone. */
static int open_image(const char *dir, struct err *err)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/vmlinuz", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_set(err, -errno, "%s: %s", path, strerror(errno)) : fd;
}

/* The archives of a kernel, and behind them two files for the inbox, or none if the first is
 * PAYLOAD_COUNT. */
static int make_initrd(const struct payload *payload, const char *dir, enum payload_file first,
		       struct err *err)
{
	char base[4096], agent[4096], suite[4096], image_name[64], initrd_name[64];
	int image = -1, initrd = -1, fd = 0;

	snprintf(base, sizeof(base), "%s/initramfs.cpio", dir);
	snprintf(agent, sizeof(agent), "%s/agent.cpio", payload->data_dir);
	snprintf(suite, sizeof(suite), "%s/conformance.cpio", payload->data_dir);
	if (first != PAYLOAD_COUNT) {
		snprintf(image_name, sizeof(image_name), INBOX "/%s", names[first]);
		snprintf(initrd_name, sizeof(initrd_name), INBOX "/%s", names[first + 1]);
		fd = image = payload_open(payload, first, err);
		if (fd >= 0)
			fd = initrd = payload_open(payload, first + 1, err);
	}
	if (fd >= 0) {
		const struct initrd_part parts[] = {
			INITRD_ARCHIVE(base),		INITRD_ARCHIVE(agent),
			INITRD_ARCHIVE(suite),		INITRD_DIRECTORY(INBOX),
			INITRD_FILE(image_name, image), INITRD_FILE(initrd_name, initrd),
		};

		fd = initrd_join(parts, first == PAYLOAD_COUNT ? 3 : 6, err);
	}
	if (image >= 0)
		close(image);
	if (initrd >= 0)
		close(initrd);
	return fd;
}

int payload_open(const struct payload *payload, enum payload_file file, struct err *err)
{
	switch (file) {
	case PAYLOAD_IMAGE:
		return open_image(payload->kernel_dir, err);
	case PAYLOAD_CRASH_IMAGE:
		return open_image(payload->from_dir, err);
	case PAYLOAD_INITRD:
		return make_initrd(payload, payload->kernel_dir, PAYLOAD_CRASH_IMAGE, err);
	case PAYLOAD_CRASH_INITRD:
		return make_initrd(payload, payload->from_dir, PAYLOAD_COUNT, err);
	default:
		return err_set(err, -EINVAL, "no such file");
	}
}

int payload_power_on(const struct payload *payload, struct err *err)
{
	return make_initrd(payload, payload->from_dir, PAYLOAD_IMAGE, err);
}

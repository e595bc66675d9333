/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sending.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base64.h"
#include "journal.h"
#include "pack.h"

/* A part must pass a serial line of 115200 baud within the time that a frame may take. */
#define PART_SIZE    16384
#define PUT_LIMIT_NS INT64_C(60000000000) /* the target may have to add up a large file */

static int send_part(struct rig *rig, const char *bytes, size_t at, size_t n, struct err *err)
{
	struct msg *request = rig_request("data", NULL);
	char *text = base64_encode(bytes + at, n);

	if (!text) {
		msg_free(request);
		return err_set(err, -ENOMEM, "no memory");
	}
	msg_set_int(request, "at", (int64_t)at);
	msg_set_str(request, "data", text);
	free(text);
	/* The last part has the target add up the file. */
	return rig_ask_for(rig, request, PUT_LIMIT_NS, NULL, err);
}

static int send_all(struct rig *rig, const char *bytes, size_t size, struct err *err)
{
	int r = 0;

	for (size_t at = 0; r == 0 && at < size; at += PART_SIZE)
		r = send_part(rig, bytes, at, size - at < PART_SIZE ? size - at : PART_SIZE, err);
	return r;
}

static int put(struct rig *rig, const char *name, const char *bytes, size_t size, struct err *err)
{
	uint32_t crc32 = pack_crc32(bytes, size);
	struct msg *request = rig_request("put", NULL), *answer, *body;
	int64_t begin_ns = journal_now_ns();
	bool there;
	int r;

	msg_set_str(request, "name", name);
	msg_set_int(request, "size", (int64_t)size);
	msg_set_int(request, "crc32", crc32);
	r = rig_ask_for(rig, request, PUT_LIMIT_NS, &answer, err);
	if (r < 0)
		return r;
	there = msg_get_bool(answer, "there", false);
	msg_free(answer);
	if (!there)
		r = send_all(rig, bytes, size, err);
	if (r < 0)
		return r;
	body = msg_object();
	msg_set_str(body, "step", "send");
	msg_set_str(body, "name", name);
	msg_set_int(body, "bytes", (int64_t)size);
	msg_set_int(body, "crc32", crc32);
	msg_set_bool(body, "was_there", there);
	msg_set_int(body, "begin_ns", begin_ns);
	return rig_note(rig, "kexec", body, err);
}

int sending_put(struct rig *rig, const char *name, int fd, struct err *err)
{
	struct err why = {""};
	struct stat st;
	void *bytes;
	int r;

	if (fstat(fd, &st) < 0)
		return err_set(err, -errno, "%s: %s", name, strerror(errno));
	if (st.st_size <= 0)
		return err_set(err, -EINVAL, "%s: it is empty", name);
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return err_set(err, -errno, "%s: %s", name, strerror(errno));
	r = put(rig, name, bytes, (size_t)st.st_size, &why);
	munmap(bytes, (size_t)st.st_size);
	return r < 0 ? err_set(err, r, "%s: %s", name, why.text) : 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that the controller sends: in one private directory of the target, in memory where /run is,
 * and gone with the session. A file that lies there already (the emulated target's initramfs brings
 * some) is not sent again if its size and its checksum are right.
 */
#ifndef COLDRIG_INBOX_H
#define COLDRIG_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "host.h"

#define INBOX_DIR	"/run/coldrig"
#define INBOX_FILES_MAX 8
#define INBOX_NAME_SIZE 32
#define INBOX_BYTES_MAX (INT64_C(512) << 20) /* of one file */

struct inbox_file {
	char name[INBOX_NAME_SIZE];
	int64_t size;
	uint32_t crc32;
};

/* Zero-initialised is empty. */
struct inbox {
	char received[INBOX_FILES_MAX][INBOX_NAME_SIZE]; /* to be removed */
	size_t received_n;
	bool receiving; /* the last of them */
	struct inbox_file now;
	int64_t have; /* bytes of it */
};

/*
 * Begins with a file: *there if it is there as it should be, else it is received from its first byte
 * on. One that was not finished is dropped. -EINVAL for a bad name or size, -EFBIG over
 * INBOX_BYTES_MAX, -ENOSPC without room for it, -EMFILE for more than INBOX_FILES_MAX.
 */
int inbox_put(struct inbox *inbox, const struct host *host, const struct inbox_file *file,
	      bool *there, struct err *err);

/* The next bytes of the file. With the last ones the checksum is compared: -EBADMSG drops the file.
 * -ESPIPE if they do not begin where the last ones ended, -ENOENT if none is being received. */
int inbox_take(struct inbox *inbox, const struct host *host, int64_t at, const void *bytes,
	       size_t n, struct err *err);

/* Where a file of the inbox is, or any other file of the target by its absolute path. -ENOENT. */
int inbox_find(const struct host *host, const char *name, char path[static PATH_MAX],
	       struct err *err);

/* Removes what was received. */
void inbox_clear(struct inbox *inbox, const struct host *host);

#endif

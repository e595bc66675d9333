/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RECORD_SIZE 8192

static const char *const complaints[] = {
	"WARNING: ",
	"BUG: ",
	"Oops: ",
	"INFO: task ",
	"list_add corruption",
	"usage count underflow",
	"Unbalanced ",
	"possible circular locking",
};

int kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

static bool is_complaint(const char *message)
{
	for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++) {
		if (strstr(message, complaints[i]))
			return true;
	}
	return false;
}

/* A record is "priority,number,time,flags;message\n" and more lines that begin with a space. */
static bool take(char *record, char *text, size_t size)
{
	char *message = strchr(record, ';');

	if (!message)
		return false;
	message++;
	message[strcspn(message, "\n")] = 0;
	if (!is_complaint(message))
		return false;
	snprintf(text, size, "%s", message);
	return true;
}

bool kmsg_complaint(int fd, char *text, size_t size)
{
	char record[RECORD_SIZE];
	bool found = false;

	for (;;) {
		ssize_t n = read(fd, record, sizeof(record) - 1);

		/* EPIPE: records were overwritten before they were read. */
		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (n <= 0)
			return found;
		record[n] = 0;
		if (!found)
			found = take(record, text, size);
	}
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "meter_pair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <termios.h>
#include <unistd.h>

static int pair_of_sockets(int64_t limit_ns, int pair[static 2])
{
	struct timeval limit = {.tv_sec = limit_ns / 1000000000,
				.tv_usec = limit_ns / 1000 % 1000000};

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return 0;
}

/* For a serial driver, which would not take a socket for its line. */
static int pair_of_terminals(int pair[static 2])
{
	struct termios raw;
	char name[64];

	pair[1] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	pair[0] = -1;
	if (pair[1] >= 0 && grantpt(pair[1]) == 0 && unlockpt(pair[1]) == 0 &&
	    ptsname_r(pair[1], name, sizeof(name)) == 0)
		pair[0] = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (pair[0] >= 0 && tcgetattr(pair[0], &raw) == 0) {
		cfmakeraw(&raw);
		if (tcsetattr(pair[0], TCSANOW, &raw) == 0)
			return 0;
	}
	return -errno;
}

int meter_pair_put(int fd, int64_t limit_ns, int *ours)
{
	int pair[2] = {-1, -1};
	int ret = isatty(fd) ? pair_of_terminals(pair) : pair_of_sockets(limit_ns, pair);

	*ours = pair[1];
	if (ret == 0 && dup2(pair[0], fd) < 0)
		ret = -errno;
	if (pair[0] >= 0)
		close(pair[0]);
	return ret;
}

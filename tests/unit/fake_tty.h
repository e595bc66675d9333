/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libserialport opens only what sysfs lists as a terminal and what has modem lines; pseudo-terminals
 * are neither. In a program that includes this (and exports its symbols) it takes them: these are
 * the functions of glibc that it calls.
 */
#ifndef COLDRIG_FAKE_TTY_H
#define COLDRIG_FAKE_TTY_H

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FAKE_TTY_SYSFS "/sys/class/tty/pts/"

int __lxstat(int version, const char *path, struct stat *out);
int __lxstat(int version, const char *path, struct stat *out)
{
	(void)version;
	if (strncmp(path, FAKE_TTY_SYSFS, strlen(FAKE_TTY_SYSFS)) == 0)
		path = "/sys/class/tty";
	return fstatat(AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW);
}

/* As it is called since glibc 2.33. */
int lstat(const char *path, struct stat *out)
{
	return __lxstat(0, path, out);
}

ssize_t readlink(const char *path, char *out, size_t size)
{
	if (strncmp(path, FAKE_TTY_SYSFS, strlen(FAKE_TTY_SYSFS)) == 0)
		return snprintf(out, size, "../../serial8250");
	return readlinkat(AT_FDCWD, path, out, size);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *argument;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	if (request == TIOCMGET)
		*(int *)argument = 0;
	if (request == TIOCMGET || request == TIOCMSET || request == TIOCMBIS ||
	    request == TIOCMBIC)
		return 0;
	return (int)syscall(SYS_ioctl, fd, request, argument);
}

#endif

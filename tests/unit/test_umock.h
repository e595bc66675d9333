/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Devices that are not there, for tests of files that use real libraries: umockdev puts them into /dev and
 * /sys of this process, and asks a function of the test for each ioctl. It works by being preloaded, which
 * a test sees to itself, so that it runs alone as it does under ctest.
 */
#ifndef COLDRIG_TEST_UMOCK_H
#define COLDRIG_TEST_UMOCK_H

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umockdev.h>
#include <unistd.h>

#include "unit.h"

#define UMOCK_PRELOAD "libumockdev-preload.so.0"

/* Runs this program anew with umockdev before its libraries, and after the sanitizers' that it has. */
static inline void umock_preload(char **argv)
{
	const char *now = getenv("LD_PRELOAD");

	if (now && strstr(now, UMOCK_PRELOAD))
		return;
	if (!dlopen(UMOCK_PRELOAD, RTLD_LAZY | RTLD_LOCAL)) {
		puts("skipped: " UMOCK_PRELOAD
		     " is not there: install umockdev, or run setup/packages");
		exit(77);
	}
	setenv("LD_PRELOAD", UMOCK_PRELOAD, 1);
	/* They want to be first. What GLib keeps to the end of a process is no leak of ours. */
	setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
	execv("/proc/self/exe", argv);
	_exit(2);
}

/* What an ioctl is answered with. */
struct umock_ioctl {
	UMockdevIoctlClient *client;
	unsigned long request;
	UMockdevIoctlData *arg;
};

/* The memory that an ioctl's argument points to, to be read and written; until the answer is given. */
static inline void *umock_memory(UMockdevIoctlData *data, size_t offset, size_t size)
{
	UMockdevIoctlData *resolved = umockdev_ioctl_data_resolve(data, offset, size, NULL);
	void *memory = resolved ? resolved->data : NULL;

	if (resolved)
		umockdev_ioctl_data_unref(resolved); /* data keeps it */
	return memory;
}

typedef int (*umock_handler)(const struct umock_ioctl *ioctl);

/* Returns what ioctl() shall return, or a negative errno. */
static inline gboolean umock_on_ioctl(UMockdevIoctlBase *base, UMockdevIoctlClient *client,
				      void *arg)
{
	struct umock_ioctl ioctl = {
		.client = client,
		.request = umockdev_ioctl_client_get_request(client),
		.arg = umockdev_ioctl_client_get_arg(client),
	};
	int r = (*(umock_handler *)arg)(&ioctl);

	(void)base;
	umockdev_ioctl_client_complete(client, r < 0 ? -1 : r, r < 0 ? -r : 0);
	return TRUE;
}

static inline void umock_attach(UMockdevTestbed *testbed, const char *node, umock_handler *handler)
{
	UMockdevIoctlBase *base = umockdev_ioctl_base_new();

	g_signal_connect(base, "handle-ioctl", G_CALLBACK(umock_on_ioctl), (void *)handler);
	CU_ASSERT_FATAL(umockdev_testbed_attach_ioctl(testbed, node, base, NULL));
	g_object_unref(base);
}

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where kernels are kept; kernel/fetch and kernel/initramfs put them there. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vlab.h"

static char *join(const char *a, const char *b)
{
	char *text;

	return asprintf(&text, "%s%s", a, b) < 0 ? NULL : text;
}

/* The variables and their order are those of coldrig_cache in setup/common.sh. */
char *vlab_cache_dir(void)
{
	static const struct {
		const char *variable, *below;
	} places[] = {
		{"COLDRIG_CACHE", ""},
		{"XDG_CACHE_HOME", "/coldrig"},
		{"HOME", "/.cache/coldrig"},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *value = getenv(places[i].variable);

		if (value && *value)
			return join(value, places[i].below);
	}
	return NULL;
}

static bool has(const char *dir, const char *name)
{
	char *path;
	bool yes;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return false;
	yes = access(path, R_OK) == 0;
	free(path);
	return yes;
}

static bool is_name(const char *kernel)
{
	return *kernel && *kernel != '.' && *kernel != '-' && !strchr(kernel, '/');
}

int vlab_kernel_dir(const char *kernel, char **out, struct err *err)
{
	char *cache, *dir;
	int n;

	if (!is_name(kernel))
		return err_set(err, -EINVAL, "kernel \"%s\": not the name of a kernel", kernel);
	cache = vlab_cache_dir();
	if (!cache)
		return err_set(err, -ENOENT, "kernel cache: no place for it: set COLDRIG_CACHE");
	n = asprintf(&dir, "%s/kernels/%s", cache, kernel);
	free(cache);
	if (n < 0)
		return err_set(err, -ENOMEM, "kernel cache: out of memory");
	if ((has(dir, "vmlinux") || has(dir, "vmlinuz")) && has(dir, "initramfs.cpio")) {
		*out = dir;
		return 0;
	}
	err_set(err, -ENOENT,
		"kernel \"%s\": not in the cache (%s): run kernel/fetch %s && kernel/initramfs %s",
		kernel, dir, kernel, kernel);
	free(dir);
	return -ENOENT;
}

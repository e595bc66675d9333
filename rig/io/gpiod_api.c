/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gpiod_api.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#define LIBRARY	    "libgpiod.so.3"
#define LIBRARY_OLD "libgpiod.so.2"

struct gpiod_api gpiod;

#define X(name) {"gpiod_" #name, (void **)&gpiod.name},
static const struct {
	const char *name;
	void **to;
} functions[] = {GPIOD_FUNCTIONS};
#undef X

int gpiod_api_load(struct err *why)
{
	static void *library; /* kept to the process's end */

	if (!library)
		library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		char said[300];
		bool is_old;

		snprintf(said, sizeof(said), "%s", dlerror());
		is_old = dlopen(LIBRARY_OLD, RTLD_NOW | RTLD_LOCAL);
		return err_set(
			why, -ENOTSUP,
			"libgpiod 2 is needed: %s%s: install libgpiod3 (setup/packages does)", said,
			is_old ? ", and " LIBRARY_OLD " is version 1" : "");
	}
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		*functions[i].to = dlsym(library, functions[i].name);
		if (!*functions[i].to)
			return err_set(why, -ENOTSUP,
				       "libgpiod 2 is needed: the " LIBRARY " that is there has no "
				       "%s: install libgpiod3 (setup/packages does)",
				       functions[i].name);
	}
	return 0;
}

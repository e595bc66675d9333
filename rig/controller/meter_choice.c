/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "meter_choice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "labfile.h"
#include "meter.h"

static int no_such_meter(const struct lab *lab, const char *name, struct err *err)
{
	char known[256] = "";

	for (size_t i = 0, at = 0; i < lab->meters_n && at < sizeof(known); i++)
		at += (size_t)snprintf(known + at, sizeof(known) - at, "%s%s", i ? ", " : "",
				       lab->meters[i].name);
	return err_set(err, -EINVAL, "%s: there is no meter %s in it; it has: %s", lab->path, name,
		       known[0] ? known : "none");
}

static int choose_from_lab(const char *lab_path, const char *name, struct meter_choice *out,
			   struct err *err)
{
	int r = labfile_load(lab_path, &out->lab, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < out->lab->meters_n; i++) {
		if (strcmp(out->lab->meters[i].name, name) == 0)
			out->meter = &out->lab->meters[i];
	}
	if (!out->meter)
		return no_such_meter(out->lab, name, err);
	if (strstr(out->meter->spec, "{port}"))
		return err_set(err, -EINVAL,
			       "%s: %s is the virtual lab's instrument, which is there only during "
			       "a run",
			       lab_path, name);
	out->spec = out->meter->spec;
	return 0;
}

int meter_choice_make(const char *lab_path, const char *word, struct meter_choice *out,
		      struct err *err)
{
	int r = 0;

	*out = (struct meter_choice){.spec = word};
	if (lab_path)
		r = choose_from_lab(lab_path, word, out, err);
	return r < 0 ? r : meter_check_driver(out->spec, err);
}

int64_t meter_choice_start_ns(const struct meter_choice *choice, int64_t asked_ns)
{
	if (asked_ns)
		return asked_ns;
	return choice->meter && choice->meter->start_ns ? choice->meter->start_ns : METER_START_NS;
}

void meter_choice_free(struct meter_choice *choice)
{
	lab_free(choice->lab);
}

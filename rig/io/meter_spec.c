/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "meter_spec.h"

#include <errno.h>
#include <string.h>

static int spec_bad(struct err *err, const char *text, const char *why)
{
	return err_set(err, -EINVAL, "meter spec '%.200s': %s", text, why);
}

static int spec_add(struct meter_spec *out, const char *whole, char *word, struct err *err)
{
	char *equals = strchr(word, '=');

	if (strcmp(out->driver, "replay") == 0 && out->options_n == 0 && *word) {
		out->options[out->options_n++] = (struct meter_spec_option){"file", word};
		return 0;
	}
	if (!equals || equals == word)
		return spec_bad(err, whole, "after the driver each part is KEY=VALUE");
	*equals = '\0';
	if (meter_spec_get(out, word))
		return spec_bad(err, whole, "a key is given twice");
	if (out->options_n == METER_SPEC_OPTIONS)
		return spec_bad(err, whole, "too many options");
	out->options[out->options_n].key = word;
	out->options[out->options_n].value = equals + 1;
	out->options_n++;
	return 0;
}

int meter_spec_parse(const char *text, struct meter_spec *out, struct err *err)
{
	char *rest = out->text, *word;
	int ret;

	memset(out, 0, sizeof(*out));
	if (!text || !*text)
		return spec_bad(err, "", "it is empty");
	if (strlen(text) >= sizeof(out->text))
		return spec_bad(err, text, "it is too long");
	strcpy(out->text, text);

	word = strsep(&rest, ":");
	if (!*word || strpbrk(word, "= \t/"))
		return spec_bad(err, text, "it does not begin with a driver's name");
	out->driver = word;
	while ((word = strsep(&rest, ":"))) {
		ret = spec_add(out, text, word, err);
		if (ret)
			return ret;
	}
	return 0;
}

const char *meter_spec_get(const struct meter_spec *spec, const char *key)
{
	for (size_t i = 0; i < spec->options_n; i++) {
		if (strcmp(spec->options[i].key, key) == 0)
			return spec->options[i].value;
	}
	return NULL;
}

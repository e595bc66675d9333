/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "ops_parts.h"

int ops_call_count(const struct ops_call *call, const char *key, int64_t min, int64_t max,
		   int64_t *value)
{
	*value = msg_get_int(call->request, key, INT64_MIN);
	if (*value == INT64_MIN)
		return err_set(call->err, -EINVAL, "%s: missing, or not a whole number", key);
	if (*value < min || *value > max)
		return err_set(call->err, -EINVAL, "%s %lld: not in %lld to %lld", key,
			       (long long)*value, (long long)min, (long long)max);
	return 0;
}

int ops_call_text(const struct ops_call *call, const char *key, const char **text)
{
	*text = msg_get_str(call->request, key);
	return *text ? 0 : err_set(call->err, -EINVAL, "%s: missing, or not text", key);
}

int ops_call_word(const struct ops_call *call, const char *key, const char *no, const char *yes,
		  bool *is_yes)
{
	const char *word;
	int r = ops_call_text(call, key, &word);

	if (r < 0)
		return r;
	*is_yes = strcmp(word, yes) == 0;
	if (!*is_yes && strcmp(word, no) != 0)
		return err_set(call->err, -EINVAL, "%s %.32s: not %s or %s", key, word, no, yes);
	return 0;
}

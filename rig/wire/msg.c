/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "msg.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Enough digits for a measured figure, few enough to keep noise of the last bits out of files. */
#define REAL_DIGITS 9

static json_t *to_json(const struct msg *msg)
{
	return (json_t *)(uintptr_t)msg;
}

static struct msg *from_json(json_t *json)
{
	if (!json)
		abort(); /* out of memory, or text that is not UTF-8 that nobody cleaned */
	return (struct msg *)json;
}

static void must(int r)
{
	if (r != 0)
		abort();
}

struct msg *msg_object(void)
{
	return from_json(json_object());
}

struct msg *msg_array(void)
{
	return from_json(json_array());
}

/* Text from the world (sysfs, console, devices) may hold any byte; JSON may not. */
static json_t *clean_string(const char *text)
{
	json_t *json = json_string(text);
	size_t n = strlen(text);
	char *copy;

	if (json)
		return json;
	copy = malloc(n + 1);
	if (!copy)
		abort();
	for (size_t i = 0; i <= n; i++)
		copy[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
	json = json_string(copy);
	free(copy);
	return json;
}

struct msg *msg_string(const char *text)
{
	return from_json(clean_string(text));
}

struct msg *msg_int(int64_t value)
{
	return from_json(json_integer(value));
}

struct msg *msg_real(double value)
{
	return isfinite(value) ? from_json(json_real(value)) : msg_null();
}

struct msg *msg_null(void)
{
	return from_json(json_null());
}

struct msg *msg_copy(const struct msg *msg)
{
	return from_json(json_deep_copy(to_json(msg)));
}

void msg_free(struct msg *msg)
{
	json_decref(to_json(msg));
}

void msg_set(struct msg *object, const char *key, struct msg *value)
{
	must(json_object_set_new(to_json(object), key, to_json(value)));
}

void msg_set_str(struct msg *object, const char *key, const char *text)
{
	msg_set(object, key, text ? msg_string(text) : msg_null());
}

void msg_set_int(struct msg *object, const char *key, int64_t value)
{
	msg_set(object, key, msg_int(value));
}

void msg_set_bool(struct msg *object, const char *key, bool value)
{
	msg_set(object, key, from_json(json_boolean(value)));
}

void msg_set_real(struct msg *object, const char *key, double value)
{
	msg_set(object, key, msg_real(value));
}

void msg_add(struct msg *array, struct msg *value)
{
	must(json_array_append_new(to_json(array), to_json(value)));
}

const struct msg *msg_get(const struct msg *object, const char *key)
{
	return (const struct msg *)json_object_get(to_json(object), key);
}

const char *msg_get_str(const struct msg *object, const char *key)
{
	return msg_text(msg_get(object, key));
}

int64_t msg_get_int(const struct msg *object, const char *key, int64_t fallback)
{
	const json_t *value = to_json(msg_get(object, key));

	return json_is_integer(value) ? (int64_t)json_integer_value(value) : fallback;
}

bool msg_get_bool(const struct msg *object, const char *key, bool fallback)
{
	const json_t *value = to_json(msg_get(object, key));

	return json_is_boolean(value) ? json_is_true(value) : fallback;
}

double msg_get_real(const struct msg *object, const char *key, double fallback)
{
	const json_t *value = to_json(msg_get(object, key));

	return json_is_number(value) ? json_number_value(value) : fallback;
}

bool msg_is_null(const struct msg *value)
{
	return !value || json_is_null(to_json(value));
}

size_t msg_count(const struct msg *array)
{
	return json_array_size(to_json(array));
}

const struct msg *msg_at(const struct msg *array, size_t index)
{
	return (const struct msg *)json_array_get(to_json(array), index);
}

const char *msg_text(const struct msg *value)
{
	return json_string_value(to_json(value));
}

int msg_parse(const char *text, size_t length, struct msg **out, struct err *err)
{
	json_error_t why;
	json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);

	if (!json)
		return err_set(err, -EBADMSG, "byte %d: %s", why.position, why.text);
	if (!json_is_object(json)) {
		json_decref(json);
		return err_set(err, -EBADMSG, "not a JSON object");
	}
	*out = (struct msg *)json;
	return 0;
}

static char *dump(const struct msg *value, size_t flags)
{
	char *text = json_dumps(to_json(value),
				flags | JSON_ENCODE_ANY | JSON_REAL_PRECISION(REAL_DIGITS));

	if (!text)
		abort();
	return text;
}

char *msg_dump(const struct msg *value)
{
	return dump(value, JSON_COMPACT);
}

char *msg_dump_pretty(const struct msg *value)
{
	return dump(value, JSON_INDENT(2));
}

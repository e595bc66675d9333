/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "yaml_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int yaml_text_error(const char *path, struct yaml_place place, struct err *err, const char *format,
		    ...)
{
	char words[sizeof(err->text)];
	va_list ap;

	va_start(ap, format);
	vsnprintf(words, sizeof(words), format, ap);
	va_end(ap);
	return err_set(err, -EINVAL, "%s:%zu:%zu: %s", path, place.line, place.column, words);
}

struct yaml_place yaml_text_place(const char *text, size_t offset)
{
	struct yaml_place place = {1, 1};

	for (size_t i = 0; i < offset; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\n' || (c == '\r' && text[i + 1] != '\n')) {
			place.line++;
			place.column = 1;
		} else if ((c & 0xc0) != 0x80 && c != '\r') {
			place.column++;
		}
	}
	return place;
}

static int too_large(const char *path, struct err *err)
{
	return err_set(err, -EINVAL, "%s: larger than %d bytes", path, YAML_TEXT_MAX);
}

int yaml_text_check(const char *path, const char *text, struct err *err)
{
	const char *tab = strchr(text, '\t');

	if (strlen(text) > YAML_TEXT_MAX)
		return too_large(path, err);
	if (tab)
		return yaml_text_error(path, yaml_text_place(text, (size_t)(tab - text)), err,
				       "a tab: write spaces");
	return 0;
}

static int read_stream(const char *path, FILE *file, char *buffer, struct err *err)
{
	size_t n;

	/* One byte more than allowed, to tell a full file from one that is too large. */
	errno = 0;
	n = fread(buffer, 1, YAML_TEXT_MAX + 1, file);
	if (ferror(file)) {
		int code = errno ? -errno : -EIO;

		return err_set(err, code, "%s: cannot be read: %s", path, strerror(-code));
	}
	if (n > YAML_TEXT_MAX)
		return too_large(path, err);
	buffer[n] = '\0';
	if (strlen(buffer) != n)
		return yaml_text_error(path, yaml_text_place(buffer, strlen(buffer)), err,
				       "a NUL character: this is no text file");
	return 0;
}

int yaml_text_read(const char *path, char **text, struct err *err)
{
	FILE *file;
	char *buffer, *fitted;
	int ret;

	file = fopen(path, "re");
	if (!file) {
		ret = -errno;
		return err_set(err, ret, "%s: cannot be opened: %s", path, strerror(-ret));
	}
	buffer = malloc(YAML_TEXT_MAX + 2);
	ret = buffer ? read_stream(path, file, buffer, err)
		     : err_set(err, -ENOMEM, "%s: %s", path, strerror(ENOMEM));
	fclose(file);
	if (ret) {
		free(buffer);
		return ret;
	}
	fitted = realloc(buffer, strlen(buffer) + 1);
	*text = fitted ? fitted : buffer;
	return 0;
}

const char *yaml_text_quote(const char *text, char out[static YAML_TEXT_QUOTE_SIZE])
{
	const size_t room = YAML_TEXT_QUOTE_SIZE - sizeof("\"...\"");
	size_t n = 0;
	bool cut;

	out[n++] = '"';
	while (*text && n < room) {
		unsigned char c = (unsigned char)*text++;

		/* The second byte of a C1 control; the first alone is harmless. */
		if (c < 0x20 || c == 0x7f || (c < 0xa0 && (unsigned char)out[n - 1] == 0xc2))
			c = '?';
		out[n++] = (char)c;
	}
	cut = *text != '\0';
	/* Not in the middle of a character. */
	while (cut && n > 1 && ((unsigned char)*text & 0xc0) == 0x80) {
		text--;
		n--;
	}
	memcpy(out + n, cut ? "...\"" : "\"", cut ? 5 : 2);
	return out;
}

bool yaml_text_has_control(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0))
			return true;
	}
	return false;
}

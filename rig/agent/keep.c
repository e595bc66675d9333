/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "msg.h"
#include "saved_parts.h"

#define TEXT_MAX (1 << 20)

static struct msg *from_node(const struct saved_node *node)
{
	struct msg *object = msg_object();
	char name[BDF_TEXT_SIZE];

	bdf_format(&node->bdf, name);
	msg_set_str(object, "bdf", name);
	for (size_t i = 0; i < SAVED_ATTRS; i++)
		msg_set_str(object, saved_attr_names[i], node->has[i] ? node->value[i] : NULL);
	return object;
}

static struct msg *from_claim(const struct saved_claim *claim)
{
	struct msg *object = msg_object(), *functions = msg_array();

	for (size_t i = 0; i < claim->functions_n; i++) {
		const struct saved_function *f = &claim->functions[i];
		struct msg *function = from_node(&f->node);

		msg_set_str(function, "driver", f->driver);
		msg_set_str(function, "override", f->override);
		msg_set_int(function, "vfs", f->vfs);
		msg_add(functions, function);
	}
	msg_set(object, "functions", functions);
	msg_set(object, "port", claim->has_port ? from_node(&claim->port) : msg_null());
	return object;
}

static bool to_text(const struct msg *object, const char *key, char out[static DEVICE_TEXT_SIZE])
{
	const char *text = msg_get_str(object, key);
	size_t n = text ? strlen(text) : 0;

	if (!text || n >= DEVICE_TEXT_SIZE)
		return false;
	memcpy(out, text, n + 1);
	return true;
}

static bool to_node(const struct msg *object, struct saved_node *node)
{
	const char *name = msg_get_str(object, "bdf");

	*node = (struct saved_node){0};
	if (!name || bdf_parse(name, &node->bdf) < 0)
		return false;
	for (size_t i = 0; i < SAVED_ATTRS; i++)
		node->has[i] = to_text(object, saved_attr_names[i], node->value[i]);
	return true;
}

static bool to_claim(const struct msg *object, struct saved_claim *claim)
{
	const struct msg *functions = msg_get(object, "functions"), *port = msg_get(object, "port");
	size_t n = msg_count(functions);

	*claim = (struct saved_claim){0};
	if (n == 0)
		return false;
	claim->functions = host_grow(NULL, n, sizeof(*claim->functions));
	for (size_t i = 0; i < n; i++) {
		const struct msg *from = msg_at(functions, i);
		struct saved_function *f = &claim->functions[claim->functions_n];

		if (!to_node(from, &f->node) || !to_text(from, "driver", f->driver) ||
		    !to_text(from, "override", f->override))
			break;
		f->vfs = (long)msg_get_int(from, "vfs", -1);
		claim->functions_n++;
	}
	claim->has_port = port && !msg_is_null(port) && to_node(port, &claim->port);
	if (claim->functions_n == n)
		return true;
	free(claim->functions);
	return false;
}

/* False if there is no place for it, or another agent at work has it. */
static bool open_file(struct keep *keep, const struct host *host, int flags)
{
	char path[PATH_MAX];

	if (keep->is_open)
		return true;
	if (host_path(host, path, KEEP_PATH) < 0)
		return false;
	keep->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	if (keep->fd < 0)
		return false;
	if (flock(keep->fd, LOCK_EX | LOCK_NB) < 0) {
		close(keep->fd);
		return false;
	}
	keep->is_open = true;
	return true;
}

/* One line; what is behind it, from a longer one before, does not count. */
static int write_line(int fd, const char *text)
{
	size_t n = strlen(text);

	if (pwrite(fd, text, n, 0) != (ssize_t)n || pwrite(fd, "\n", 1, (off_t)n) != 1)
		return errno ? -errno : -EIO;
	return ftruncate(fd, (off_t)n + 1) < 0 ? -errno : 0;
}

void keep_write(struct keep *keep, const struct host *host, const struct saved *saved)
{
	struct msg *claims, *paper;
	char *text;
	int r;

	if (!open_file(keep, host, O_CREAT)) {
		host_say("%s: claims are not written down: %s", KEEP_PATH, strerror(errno));
		return;
	}
	claims = msg_array();
	for (size_t i = 0; i < saved->n; i++)
		msg_add(claims, from_claim(&saved->claims[i]));
	paper = msg_object();
	msg_set(paper, "claims", claims);
	text = msg_dump(paper);
	msg_free(paper);
	errno = 0;
	r = write_line(keep->fd, text);
	free(text);
	if (r < 0)
		host_say("%s: claims are not written down: %s", KEEP_PATH, strerror(-r));
}

static void take_claims(const struct msg *claims, struct saved *saved)
{
	for (size_t i = 0; i < msg_count(claims); i++) {
		struct saved_claim claim;

		if (!to_claim(msg_at(claims, i), &claim)) {
			host_say("%s: a claim in it makes no sense", KEEP_PATH);
			continue;
		}
		saved->claims = host_grow(saved->claims, saved->n + 1, sizeof(*saved->claims));
		saved->claims[saved->n++] = claim;
	}
}

void keep_read(struct keep *keep, const struct host *host, struct saved *saved)
{
	struct msg *paper;
	struct err err;
	char *text, *end;
	ssize_t n;

	if (!open_file(keep, host, 0))
		return;
	text = host_grow(NULL, TEXT_MAX + 1, 1);
	n = pread(keep->fd, text, TEXT_MAX, 0);
	text[n > 0 ? n : 0] = '\0';
	end = strchr(text, '\n');
	if (end && msg_parse(text, (size_t)(end - text), &paper, &err) == 0) {
		take_claims(msg_get(paper, "claims"), saved);
		msg_free(paper);
	} else if (n > 0) {
		host_say("%s: cannot be understood", KEEP_PATH);
	}
	free(text);
}

void keep_end(struct keep *keep, const struct host *host)
{
	char path[PATH_MAX];

	if (!keep->is_open)
		return;
	if (host_path(host, path, KEEP_PATH) == 0)
		unlink(path);
	close(keep->fd);
	keep->is_open = false;
}

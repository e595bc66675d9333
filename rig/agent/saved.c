/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "saved.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "saved_parts.h"

#define SETTLE_NS INT64_C(1000000000)

/* Attributes that come back by writing the old text, in the order in which they do: the kernel looks
 * at the first when the second is written. */
const char *const saved_attr_names[SAVED_ATTRS] = {"power/wakeup", "d3cold_allowed",
						   "power/control"};

/* What lets a port go to D3cold; NULL for none of its business. */
static const char *const port_values[SAVED_ATTRS] = {NULL, "1", "auto"};

static int save_node(struct saved_node *node, const struct host *host, const struct bdf *bdf,
		     struct err *err)
{
	char name[BDF_TEXT_SIZE];

	*node = (struct saved_node){.bdf = *bdf};
	bdf_format(bdf, name);
	for (size_t i = 0; i < SAVED_ATTRS; i++) {
		int r = device_read(host, bdf, saved_attr_names[i], node->value[i]);

		if (r < 0 && r != -ENOENT)
			return err_set(err, r, "%s: %s not read: %s", name, saved_attr_names[i],
				       strerror(-r));
		node->has[i] = r == 0;
	}
	return 0;
}

static int save_function(struct saved_function *f, const struct host *host, const struct bdf *bdf,
			 struct err *err)
{
	char name[BDF_TEXT_SIZE];
	int r = save_node(&f->node, host, bdf, err);

	if (r < 0)
		return r;
	bdf_format(bdf, name);
	device_driver(host, bdf, f->driver);
	r = driver_override_get(host, bdf, f->override);
	if (r < 0)
		return err_set(err, r, "%s: driver_override not read: %s", name, strerror(-r));
	if (device_number(host, bdf, "sriov_numvfs", &f->vfs) < 0)
		f->vfs = -1;
	return 0;
}

static int save_functions(struct saved_claim *claim, const struct host *host, const struct bdf *bdf,
			  struct err *err)
{
	struct bdf_list slot = device_slot(host, bdf);
	int r = 0;

	claim->functions = host_grow(NULL, slot.n, sizeof(*claim->functions));
	for (size_t i = 0; i < slot.n && r == 0; i++) {
		r = save_function(&claim->functions[i], host, &slot.at[i], err);
		claim->functions_n++;
	}
	bdf_list_free(&slot);
	return r;
}

static const struct saved_claim *find_port(const struct saved *saved, const struct bdf *port)
{
	for (size_t i = 0; i < saved->n; i++) {
		if (saved->claims[i].has_port && bdf_equal(&saved->claims[i].port.bdf, port))
			return &saved->claims[i];
	}
	return NULL;
}

static int save_port(struct saved_claim *claim, const struct saved *saved, const struct host *host,
		     const struct bdf *bdf, struct err *err)
{
	const struct saved_claim *same;
	struct bdf port;

	claim->has_port = device_port(host, bdf, &port) == 0;
	if (!claim->has_port)
		return 0;
	same = find_port(saved, &port);
	if (!same)
		return save_node(&claim->port, host, &port, err);
	claim->port = same->port; /* as it was before the earlier claim changed it */
	return 0;
}

static int restore_attr(const struct host *host, const struct bdf *bdf, const char *attr,
			const char *value)
{
	char now[DEVICE_TEXT_SIZE], name[BDF_TEXT_SIZE];
	int r = device_read(host, bdf, attr, now);

	if (r == 0 && strcmp(now, value) == 0)
		return 0;
	device_settle(host, bdf, SETTLE_NS);
	r = device_write(host, bdf, attr, value);
	if (r == 0)
		r = device_read(host, bdf, attr, now);
	if (r == 0 && strcmp(now, value) == 0)
		return 0;
	bdf_format(bdf, name);
	host_say("%s: %s is not %s again: %s", name, attr, value, r < 0 ? strerror(-r) : now);
	return r < 0 ? r : -EIO;
}

static int restore_node(const struct host *host, const struct saved_node *node)
{
	int first = 0;

	for (size_t i = 0; i < SAVED_ATTRS; i++) {
		int r;

		/* A function that cannot wake the machine has an empty power/wakeup. */
		if (!node->has[i] || !*node->value[i])
			continue;
		r = restore_attr(host, &node->bdf, saved_attr_names[i], node->value[i]);
		if (first == 0)
			first = r;
	}
	return first;
}

static int open_port(const struct host *host, const struct saved_node *port, struct err *err)
{
	char now[DEVICE_TEXT_SIZE], name[BDF_TEXT_SIZE];

	bdf_format(&port->bdf, name);
	for (size_t i = 0; i < SAVED_ATTRS; i++) {
		const char *wanted = port_values[i];
		int r;

		if (!wanted || !port->has[i])
			continue;
		r = device_read(host, &port->bdf, saved_attr_names[i], now);
		if (r == 0 && strcmp(now, wanted) == 0)
			continue;
		if (r == 0)
			r = device_write(host, &port->bdf, saved_attr_names[i], wanted);
		if (r < 0)
			return err_set(err, r, "port %s: %s not set to %s: %s", name,
				       saved_attr_names[i], wanted, strerror(-r));
	}
	return 0;
}

static struct saved_claim *find_claim(const struct saved *saved, const struct bdf *bdf)
{
	for (size_t i = 0; i < saved->n; i++) {
		if (bdf_same_slot(&saved->claims[i].functions[0].node.bdf, bdf))
			return &saved->claims[i];
	}
	return NULL;
}

bool saved_has(const struct saved *saved, const struct bdf *bdf)
{
	return find_claim(saved, bdf) != NULL;
}

/* With the last claim the paper goes as well. */
static void keep_up(struct saved *saved, const struct host *host)
{
	if (saved->n)
		keep_write(&saved->keep, host, saved);
	else
		keep_end(&saved->keep, host);
}

static void remove_claim(struct saved *saved, struct saved_claim *claim)
{
	size_t at = (size_t)(claim - saved->claims);

	free(claim->functions);
	saved->n--;
	memmove(claim, claim + 1, (saved->n - at) * sizeof(*claim));
	if (saved->n == 0) {
		free(saved->claims);
		saved->claims = NULL;
	}
}

/* The latest claim, of which only the port was touched. */
static void drop_claim(struct saved *saved, const struct host *host, const struct saved_node *port)
{
	remove_claim(saved, &saved->claims[saved->n - 1]);
	if (!find_port(saved, &port->bdf))
		restore_node(host, port);
	keep_up(saved, host);
}

int saved_claim(struct saved *saved, const struct host *host, const struct bdf *bdf,
		struct err *err)
{
	struct saved_claim claim = {0};
	int r;

	if (find_claim(saved, bdf))
		return 0;
	r = save_functions(&claim, host, bdf, err);
	if (r == 0 && claim.functions_n == 0)
		r = err_set(err, -ENODEV, "it is gone");
	if (r == 0)
		r = save_port(&claim, saved, host, bdf, err);
	if (r < 0) {
		free(claim.functions);
		return r;
	}
	saved->claims = host_grow(saved->claims, saved->n + 1, sizeof(*saved->claims));
	saved->claims[saved->n++] = claim;
	/* Before the first change. */
	keep_write(&saved->keep, host, saved);
	r = claim.has_port ? open_port(host, &claim.port, err) : 0;
	if (r < 0)
		drop_claim(saved, host, &claim.port);
	return r;
}

/* Remembers the first failure of several steps. */
static void note(int *first, int r)
{
	if (*first == 0 && r < 0)
		*first = r;
}

static int say(int r, const struct err *err)
{
	if (r < 0)
		host_say("%s", err->text);
	return r;
}

static int restore_vfs(const struct host *host, const struct saved_function *f, long count)
{
	struct err err;
	long now;

	if (f->vfs < 0 || device_number(host, &f->node.bdf, "sriov_numvfs", &now) < 0 ||
	    now == count)
		return 0;
	return say(driver_set_vfs(host, &f->node.bdf, count, &err), &err);
}

static int restore_function(const struct host *host, const struct saved_function *f)
{
	struct err err;
	int first = 0;
	long now;

	if (!device_exists(host, &f->node.bdf)) {
		char name[BDF_TEXT_SIZE];

		bdf_format(&f->node.bdf, name);
		host_say("%s: gone, nothing to restore", name);
		return -ENODEV;
	}
	device_settle(host, &f->node.bdf, SETTLE_NS);
	/* Virtual functions would not survive a change of driver, and block it with some. */
	if (device_number(host, &f->node.bdf, "sriov_numvfs", &now) == 0 && now != f->vfs)
		note(&first, restore_vfs(host, f, 0));
	note(&first, say(driver_restore(host, &f->node.bdf, f->driver, f->override, &err), &err));
	if (f->vfs > 0)
		note(&first, restore_vfs(host, f, f->vfs));
	note(&first, restore_node(host, &f->node));
	return first;
}

static void release_vfs(struct saved *saved, struct vfio *vfio, const struct host *host,
			const struct bdf_list *vfs, int *first)
{
	for (size_t i = 0; i < vfs->n; i++) {
		if (saved_has(saved, &vfs->at[i]))
			note(first, saved_release(saved, vfio, host, &vfs->at[i], NULL));
	}
}

static struct bdf_list slot_of(const struct saved_claim *claim)
{
	struct bdf_list slot = {0};

	for (size_t i = 0; i < claim->functions_n; i++)
		bdf_list_add(&slot, &claim->functions[i].node.bdf);
	return slot;
}

int saved_release(struct saved *saved, struct vfio *vfio, const struct host *host,
		  const struct bdf *bdf, struct err *err)
{
	struct saved_claim *claim = find_claim(saved, bdf);
	struct saved_node port;
	struct bdf_list slot;
	bool has_port;
	int first = 0;

	if (!claim)
		return err_set(err, -ENOENT, "it was not claimed");
	for (size_t i = 0; i < claim->functions_n; i++) {
		struct bdf_list vfs = device_vfs(host, &claim->functions[i].node.bdf);

		release_vfs(saved, vfio, host, &vfs, &first);
		bdf_list_free(&vfs);
		claim = find_claim(saved, bdf); /* releasing others moved it */
	}
	slot = slot_of(claim);
	vfio_close_held(vfio, host, &slot);
	bdf_list_free(&slot);
	for (size_t i = 0; i < claim->functions_n; i++)
		note(&first, restore_function(host, &claim->functions[i]));
	port = claim->port;
	has_port = claim->has_port;
	remove_claim(saved, claim);
	if (has_port && !find_port(saved, &port.bdf))
		note(&first, restore_node(host, &port));
	keep_up(saved, host);
	if (first < 0)
		err_set(err, first, "not all is as it was: %s", strerror(-first));
	return first;
}

int saved_release_all(struct saved *saved, struct vfio *vfio, const struct host *host,
		      struct err *err)
{
	int first = 0;

	vfio_close_all(vfio);
	while (saved->n) {
		struct bdf bdf = saved->claims[saved->n - 1].functions[0].node.bdf;

		note(&first, saved_release(saved, vfio, host, &bdf, err));
	}
	return first;
}

void saved_put_back_left(struct saved *saved, struct vfio *vfio, const struct host *host)
{
	struct err err;

	if (saved->n)
		return;
	keep_read(&saved->keep, host, saved);
	if (saved->n)
		host_say("an agent was killed: what it left is put back");
	if (saved_release_all(saved, vfio, host, &err) < 0)
		host_say("%s", err.text);
	keep_end(&saved->keep, host);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "notes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bdf.h"

/* A device that was accessed without power, in an arm. */
struct notes_touched {
	int arm;
	char device[BDF_TEXT_SIZE];
	char first[80]; /* what the first access was */
	int64_t times;
	size_t note; /* index into all */
};

int notes_add(struct notes *notes, const struct store_entry *entry, const char *what,
	      const char *name, const char *text)
{
	struct outcome_note *grown = realloc(notes->all, (notes->n + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	notes->all = grown;
	grown[notes->n].arm = entry->arm;
	snprintf(grown[notes->n].text, sizeof(grown->text), "%s%s%s: %s", what, name ? " " : "",
		 name ? name : "", text ? text : "no reason given");
	notes->n++;
	return 0;
}

int notes_add_lost_meter(struct notes *notes, const struct store_entry *entry, const char *meter)
{
	char begin[100];

	snprintf(begin, sizeof(begin), "lost meter %s:", meter);
	for (size_t i = 0; i < notes->n; i++) {
		if (notes->all[i].arm == entry->arm &&
		    strncmp(notes->all[i].text, begin, strlen(begin)) == 0)
			return 0;
	}
	return notes_add(notes, entry, "lost meter", meter, msg_get_str(entry->body, "text"));
}

static struct notes_touched *find_touched(struct notes *notes, int arm, const char *device)
{
	for (size_t i = 0; i < notes->touched_n; i++) {
		if (notes->touched[i].arm == arm && strcmp(notes->touched[i].device, device) == 0)
			return &notes->touched[i];
	}
	return NULL;
}

/* The first access to a device in an arm. */
static int add_touched(struct notes *notes, const struct store_entry *entry, const char *device,
		       const char *access)
{
	struct notes_touched *t,
		*grown = realloc(notes->touched, (notes->touched_n + 1) * sizeof(*grown));
	const char *function = msg_get_str(entry->body, "function");
	int r;

	if (!grown)
		return -ENOMEM;
	notes->touched = grown;
	r = notes_add(notes, entry, "forbidden", NULL, NULL);
	if (r < 0)
		return r;
	t = &notes->touched[notes->touched_n++];
	*t = (struct notes_touched){.arm = entry->arm, .note = notes->n - 1};
	snprintf(t->device, sizeof(t->device), "%s", device);
	snprintf(t->first, sizeof(t->first), "%s of %s at 0x%llx", access,
		 function ? function : device,
		 (unsigned long long)msg_get_int(entry->body, "address", 0));
	return 0;
}

int notes_take_forbidden(struct notes *notes, const struct store_entry *entry, int64_t *times)
{
	const char *device = msg_get_str(entry->body, "device");
	const char *access = msg_get_str(entry->body, "kind");
	struct notes_touched *t;
	int r = 0;

	*times = msg_get_int(entry->body, "times", 1);
	if (!device || !access || *times < 1)
		return -EBADMSG;
	if (!find_touched(notes, entry->arm, device))
		r = add_touched(notes, entry, device, access);
	if (r < 0)
		return r;
	t = find_touched(notes, entry->arm, device);
	t->times += *times;
	snprintf(notes->all[t->note].text, sizeof(notes->all[t->note].text),
		 "forbidden: %s was accessed while its rail was off, %lld time%s; first: %s",
		 t->device, (long long)t->times, t->times == 1 ? "" : "s", t->first);
	return 0;
}

void notes_free(struct notes *notes)
{
	free(notes->all);
	free(notes->touched);
}

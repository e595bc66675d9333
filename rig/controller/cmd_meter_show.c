/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd_meter.h"
#include "meter_wish.h"
#include "msg.h"

#define OPTIONS_MAX 64
#define RATE_HZ	    200.0

struct shown {
	struct meter_identity identity;
	bool ready;
	struct {
		char name[32], unit[METER_UNIT_SIZE];
		bool known;
	} channels[METER_WISH_CHANNELS_MAX];
	size_t channels_n, known_n;
	char options[OPTIONS_MAX][160];
	size_t options_n;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void take_channel(struct shown *s, const struct meter_event *event)
{
	size_t i = event->channel;

	if (i >= METER_WISH_CHANNELS_MAX)
		return;
	if (i >= s->channels_n)
		s->channels_n = i + 1;
	snprintf(s->channels[i].name, sizeof(s->channels[i].name), "%.31s", event->text);
	snprintf(s->channels[i].unit, METER_UNIT_SIZE, "%s", event->unit);
	if (*event->unit && !s->channels[i].known) {
		s->channels[i].known = true;
		s->known_n++;
	}
}

static int take_event(struct shown *s, const char *word, const struct meter_event *event,
		      struct err *err)
{
	switch (event->kind) {
	case METER_EVENT_READY:
		s->identity = event->identity;
		s->ready = true;
		return 0;
	case METER_EVENT_CHANNEL:
		take_channel(s, event);
		return 0;
	case METER_EVENT_OPTION:
		if (s->options_n < OPTIONS_MAX)
			snprintf(s->options[s->options_n++], sizeof(s->options[0]), "%s",
				 event->text);
		return 0;
	case METER_EVENT_LOST:
		return err_set(err, event->hopeless ? -EINVAL : -EIO, "meter %s: %s", word,
			       event->text);
	case METER_EVENT_NOTE:
		fprintf(stderr, "coldrig: meter %s: %s\n", word, event->text);
		return 0;
	}
	return 0;
}

/* Until each channel has told its unit with a reading, or the time is over. */
static int listen(struct meter *meter, const char *word, int64_t limit_ns, struct shown *s,
		  struct err *err)
{
	int64_t end_ns = now_ns() + limit_ns;
	int r = 0;

	while (r == 0 && now_ns() < end_ns &&
	       !(s->ready && s->channels_n && s->known_n == s->channels_n)) {
		struct pollfd fd = {.fd = meter_fd(meter), .events = POLLIN};
		struct meter_sample samples[64];
		struct meter_event event;
		size_t n, event_n;

		poll(&fd, 1, 100);
		do {
			n = meter_read(meter, samples, 64, &event, &event_n);
			if (event_n)
				r = take_event(s, word, &event, err);
		} while (r == 0 && (n || event_n));
	}
	return r < 0 && !s->ready ? r : 0; /* one that is lost later has told who it is */
}

static void print_text(const struct shown *s)
{
	printf("vendor   %s\nmodel    %s\nversion  %s\nserial   %s\nchannels\n", s->identity.vendor,
	       s->identity.model, s->identity.version, s->identity.serial);
	for (size_t i = 0; i < s->channels_n; i++)
		printf("  %-8s %s\n", s->channels[i].name,
		       s->channels[i].known ? s->channels[i].unit : "(no reading came)");
	puts("settings");
	for (size_t i = 0; i < s->options_n; i++)
		printf("  %s\n", s->options[i]);
}

static void print_json(const struct shown *s)
{
	struct msg *all = msg_object(), *channels = msg_array(), *options = msg_array();
	char *text;

	msg_set_str(all, "vendor", s->identity.vendor);
	msg_set_str(all, "model", s->identity.model);
	msg_set_str(all, "version", s->identity.version);
	msg_set_str(all, "serial", s->identity.serial);
	for (size_t i = 0; i < s->channels_n; i++) {
		struct msg *channel = msg_object();

		msg_set_str(channel, "name", s->channels[i].name);
		msg_set_str(channel, "unit", s->channels[i].known ? s->channels[i].unit : NULL);
		msg_add(channels, channel);
	}
	msg_set(all, "channels", channels);
	for (size_t i = 0; i < s->options_n; i++) {
		struct msg *option = msg_object();
		char *value = strstr(s->options[i], " = ");

		msg_set_str(option, "value", value ? value + 3 : NULL);
		if (value)
			*value = '\0';
		msg_set_str(option, "name", s->options[i]);
		msg_add(options, option);
	}
	msg_set(all, "settings", options);
	text = msg_dump_pretty(all);
	puts(text);
	free(text);
	msg_free(all);
}

static int show(const struct meter_wish *wish, const struct meter_choice *choice, struct err *err)
{
	struct meter_options options = meter_wish_options(wish, choice);
	static struct shown shown;
	struct meter *meter = NULL;
	int r;

	options.rate_hz = RATE_HZ;
	options.describe = true;
	shown = (struct shown){0};
	r = meter_open(&options, &meter, err);
	if (r == 0)
		r = listen(meter, wish->word, options.start_ns + options.silence_ns, &shown, err);
	meter_close(meter);
	if (r == 0 && wish->is_json)
		print_json(&shown);
	else if (r == 0)
		print_text(&shown);
	return r;
}

int cmd_meter_show(int argc, char **argv)
{
	static const struct option table[] = {
		METER_WISH_LAB, METER_WISH_START, METER_WISH_JSON, {0}};
	struct meter_choice choice;
	struct meter_wish wish;
	struct err err = {""};
	int r = meter_wish_parse(argc, argv, table, NULL, NULL, &wish);

	if (r)
		return r;
	r = meter_choice_make(wish.lab, wish.word, &choice, &err);
	r = r < 0 ? -EINVAL : show(&wish, &choice, &err);
	meter_choice_free(&choice);
	if (r == 0)
		return EXIT_AS_EXPECTED;
	return command_fail(r == -EINVAL ? EXIT_USAGE : EXIT_LAB, &err);
}

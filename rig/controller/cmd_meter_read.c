/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_meter.h"
#include "meter_wish.h"
#include "msg.h"

#define DEFAULT_COUNT 10

/* What is known of the channels so far. */
struct channel {
	char name[32], unit[METER_UNIT_SIZE];
};

struct reader {
	const struct meter_wish *wish;
	struct meter *meter;
	struct channel channels[METER_WISH_CHANNELS_MAX];
	int64_t first_ns; /* of the first reading */
	uint64_t count;	  /* 0: until interrupted */
	uint64_t done;
	struct err *err;
};

static void print_reading(struct reader *r, const struct meter_sample *s)
{
	const struct channel *c = &r->channels[s->channel];
	struct msg *line;
	char *text;

	if (!r->done++)
		r->first_ns = s->t_ns;
	if (!r->wish->is_json) {
		printf("%12.6f s  %-6s %14.7g %-4s  time +-%.3f ms\n",
		       (double)(s->t_ns - r->first_ns) * 1e-9, c->name, s->value, c->unit,
		       (double)s->error_ns * 1e-6);
		return;
	}
	line = msg_object();
	msg_set_int(line, "t_ns", s->t_ns);
	msg_set_int(line, "error_ns", s->error_ns);
	msg_set_str(line, "channel", c->name);
	msg_set_real(line, "value", s->value);
	msg_set_str(line, "unit", c->unit);
	text = msg_dump(line);
	puts(text);
	free(text);
	msg_free(line);
}

static int take_event(struct reader *r, const struct meter_event *event)
{
	char identity[METER_IDENTITY_SIZE];

	switch (event->kind) {
	case METER_EVENT_READY:
		meter_identity_text(&event->identity, identity);
		fprintf(stderr, "coldrig: meter %s: %s\n", r->wish->word, identity);
		return 0;
	case METER_EVENT_CHANNEL:
		if (event->channel < METER_WISH_CHANNELS_MAX) {
			snprintf(r->channels[event->channel].name, sizeof(r->channels[0].name),
				 "%.31s", event->text);
			snprintf(r->channels[event->channel].unit, METER_UNIT_SIZE, "%s",
				 event->unit);
		}
		return 0;
	case METER_EVENT_NOTE:
		fprintf(stderr, "coldrig: meter %s: %s\n", r->wish->word, event->text);
		return 0;
	case METER_EVENT_LOST:
		return err_set(r->err, event->hopeless ? -EINVAL : -EIO, "meter %s: %s",
			       r->wish->word, event->text);
	case METER_EVENT_OPTION:
		return 0;
	}
	return 0;
}

static bool wants_more(const struct reader *r)
{
	return !r->count || r->done < r->count;
}

static int read_on(struct reader *r)
{
	struct pollfd fd = {.fd = meter_fd(r->meter), .events = POLLIN};
	struct meter_sample samples[64];
	struct meter_event event;
	size_t n, event_n;
	int code;

	poll(&fd, 1, 100);
	do {
		n = meter_read(r->meter, samples, sizeof(samples) / sizeof(samples[0]), &event,
			       &event_n);
		code = event_n ? take_event(r, &event) : 0;
		if (code < 0)
			return code;
		for (size_t i = 0; i < n && wants_more(r); i++) {
			if (samples[i].channel < METER_WISH_CHANNELS_MAX)
				print_reading(r, &samples[i]);
		}
	} while ((n || event_n) && wants_more(r));
	if (fflush(stdout) != 0)
		return err_set(r->err, -errno, "cannot write: %s", strerror(errno));
	return 0;
}

static int read_meter(struct reader *r, const struct meter_choice *choice)
{
	const struct meter_options options = meter_wish_options(r->wish, choice);
	int code = meter_open(&options, &r->meter, r->err);

	while (code == 0 && !meter_wish_is_over() && wants_more(r))
		code = read_on(r);
	meter_close(r->meter);
	return code;
}

static int take_count(int letter, const char *text, void *count)
{
	struct err why;

	(void)letter;
	if (yaml_number_count(text, count, &why) < 0)
		return cmd_meter_usage("read", "--count %s: %s", text, why.text);
	return 0;
}

int cmd_meter_read(int argc, char **argv)
{
	static const struct option table[] = {METER_WISH_LAB,
					      METER_WISH_CHANNEL,
					      {"count", required_argument, NULL, 'n'},
					      METER_WISH_RATE,
					      METER_WISH_START,
					      METER_WISH_JSON,
					      {0}};
	struct meter_choice choice;
	struct meter_wish wish;
	struct err err = {""};
	struct reader reader = {.wish = &wish, .count = DEFAULT_COUNT, .err = &err};
	int r = meter_wish_parse(argc, argv, table, take_count, &reader.count, &wish);

	if (r)
		return r;
	meter_wish_catch_signals();
	r = meter_choice_make(wish.lab, wish.word, &choice, &err);
	r = r < 0 ? -EINVAL : read_meter(&reader, &choice);
	meter_choice_free(&choice);
	if (r == 0)
		return EXIT_AS_EXPECTED;
	return command_fail(r == -EINVAL ? EXIT_USAGE : EXIT_LAB, &err);
}

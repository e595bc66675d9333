/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_meter.h"
#include "meter.h"
#include "meter_choice.h"
#include "msg.h"
#include "yaml_number.h"

#define CHANNELS_MAX	64
#define DEFAULT_COUNT	10
#define DEFAULT_RATE_HZ 10.0
#define SILENCE_NS	2000000000

struct options {
	const char *lab, *word;
	const char *channels[CHANNELS_MAX];
	size_t channels_n;
	uint64_t count;	  /* 0: until interrupted */
	double rate_hz;	  /* 0: the lab's, or the default */
	int64_t start_ns; /* the same */
	bool is_json;
};

/* What is known of the channels so far. */
struct channel {
	char name[32], unit[METER_UNIT_SIZE];
};

struct reader {
	const struct options *o;
	struct meter *meter;
	struct channel channels[CHANNELS_MAX];
	int64_t first_ns; /* of the first reading */
	uint64_t done;
	bool ended;
	struct err *err;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static void print_reading(struct reader *r, const struct meter_sample *s)
{
	const struct channel *c = &r->channels[s->channel];
	struct msg *line;
	char *text;

	if (!r->done++)
		r->first_ns = s->t_ns;
	if (!r->o->is_json) {
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
		fprintf(stderr, "coldrig: meter %s: %s\n", r->o->word, identity);
		return 0;
	case METER_EVENT_CHANNEL:
		if (event->channel < CHANNELS_MAX) {
			snprintf(r->channels[event->channel].name, sizeof(r->channels[0].name),
				 "%.31s", event->text);
			snprintf(r->channels[event->channel].unit, METER_UNIT_SIZE, "%s",
				 event->unit);
		}
		return 0;
	case METER_EVENT_NOTE:
		fprintf(stderr, "coldrig: meter %s: %s\n", r->o->word, event->text);
		return 0;
	case METER_EVENT_LOST:
		return err_set(r->err, event->hopeless ? -EINVAL : -EIO, "meter %s: %s", r->o->word,
			       event->text);
	case METER_EVENT_OPTION:
		return 0;
	}
	return 0;
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
		for (size_t i = 0; i < n && (!r->o->count || r->done < r->o->count); i++) {
			if (samples[i].channel < CHANNELS_MAX)
				print_reading(r, &samples[i]);
		}
	} while ((n || event_n) && (!r->o->count || r->done < r->o->count));
	if (fflush(stdout) != 0)
		return err_set(r->err, -errno, "cannot write: %s", strerror(errno));
	return 0;
}

static int read_meter(const struct options *o, const struct meter_choice *choice, struct err *err)
{
	const struct meter_options options = {
		.spec = choice->spec,
		.channels = o->channels,
		.channels_n = o->channels_n,
		.rate_hz = o->rate_hz > 0  ? o->rate_hz
			   : choice->meter ? choice->meter->rate_hz
					   : DEFAULT_RATE_HZ,
		.silence_ns = SILENCE_NS,
		.start_ns = meter_choice_start_ns(choice, o->start_ns),
	};
	static struct reader reader;
	int r;

	reader = (struct reader){.o = o, .err = err};
	r = meter_open(&options, &reader.meter, err);
	while (r == 0 && !interrupted && (!o->count || reader.done < o->count))
		r = read_on(&reader);
	meter_close(reader.meter);
	return r;
}

static int parse_rate(const char *text, double *out)
{
	struct err why;

	if (yaml_number_quantity(text, YAML_RATE, out, &why) < 0)
		return cmd_meter_usage("read", "--rate %s: %s", text, why.text);
	return *out > 0 ? 0 : cmd_meter_usage("read", "--rate %s: must be more than 0", text);
}

static int parse_count(const char *text, uint64_t *out)
{
	struct err why;

	if (yaml_number_count(text, out, &why) < 0)
		return cmd_meter_usage("read", "--count %s: %s", text, why.text);
	return 0;
}

/* 0, or the exit status of a complaint. */
static int parse(int argc, char **argv, struct options *o)
{
	static const struct option table[] = {{"lab", required_argument, NULL, 'l'},
					      {"channel", required_argument, NULL, 'c'},
					      {"count", required_argument, NULL, 'n'},
					      {"rate", required_argument, NULL, 'r'},
					      {"json", no_argument, NULL, 'j'},
					      {"start-limit", required_argument, NULL, 's'},
					      {0}};
	int c, r = 0;

	*o = (struct options){.count = DEFAULT_COUNT};
	opterr = 0;
	optind = 1;
	while (r == 0 && (c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'l')
			o->lab = optarg;
		else if (c == 'c' && o->channels_n < CHANNELS_MAX)
			o->channels[o->channels_n++] = optarg;
		else if (c == 'n')
			r = parse_count(optarg, &o->count);
		else if (c == 'r')
			r = parse_rate(optarg, &o->rate_hz);
		else if (c == 's')
			r = cmd_meter_start_limit("read", optarg, &o->start_ns);
		else if (c == 'j')
			o->is_json = true;
		else
			r = cmd_meter_usage("read", "%s: not an option, or its value is missing",
					    argv[optind - 1]);
	}
	if (r == 0 && optind + 1 != argc)
		r = cmd_meter_usage("read", "one %s wanted", o->lab ? "meter's name" : "SPEC");
	o->word = argv[optind];
	return r;
}

int cmd_meter_read(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct meter_choice choice;
	struct options options;
	struct err err = {""};
	int r = parse(argc, argv, &options);

	if (r)
		return r;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	r = meter_choice_make(options.lab, options.word, &choice, &err);
	if (r == 0)
		r = read_meter(&options, &choice, &err);
	else
		r = -EINVAL;
	meter_choice_free(&choice);
	if (r == 0)
		return EXIT_AS_EXPECTED;
	return command_fail(r == -EINVAL ? EXIT_USAGE : EXIT_LAB, &err);
}

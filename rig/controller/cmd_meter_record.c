/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "cmd_meter.h"
#include "journal.h"
#include "meter_keep.h"
#include "meter_wish.h"
#include "msg.h"
#include "recording.h"

#define BATCH	    1024
#define STOP_NS	    5000000000 /* for what a meter still has when it is asked to end */
#define PROGRESS_NS 500000000

struct options {
	struct meter_wish wish;
	const char *out;
	int64_t duration_ns; /* 0: no end */
	uint64_t samples;    /* of each channel, 0: no end */
};

struct recorder {
	const struct options *o;
	struct meter_keep *meter;
	struct recording *recording;
	const struct recording_state *state;
	int64_t ready_ns, shown_ns; /* 0: not yet */
	bool stopping, ended;
	struct err *err;
};

static int take_event(struct recorder *r, const struct meter_event *event)
{
	if (event->kind == METER_EVENT_READY && !r->ready_ns)
		r->ready_ns = journal_now_ns();
	if (event->kind == METER_EVENT_NOTE ||
	    (event->kind == METER_EVENT_LOST && !event->complete && r->ready_ns))
		fprintf(stderr, "coldrig: meter %s: %s\n", r->o->wish.word, event->text);
	if (event->kind == METER_EVENT_LOST) {
		r->ended = event->complete || event->hopeless || r->stopping || !r->ready_ns;
		/* One that was never there is not waited for; one that was is. */
		if (!event->complete && !r->ready_ns)
			return err_set(r->err, event->hopeless ? -EINVAL : -EIO, "meter %s: %s",
				       r->o->wish.word, event->text);
	}
	return recording_add_event(r->recording, event, r->err);
}

/* Has a channel all that was asked for? */
static bool is_enough(const struct recorder *r, const struct meter_sample *s)
{
	if (r->o->samples && s->channel < RECORDING_CHANNELS_MAX &&
	    r->state->channels[s->channel].n >= r->o->samples)
		return true;
	return r->o->duration_ns && r->state->n && s->t_ns - r->state->t0_ns >= r->o->duration_ns;
}

static int take_samples(struct recorder *r, const struct meter_sample *samples, size_t n)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < n; i++) { /* each counts for the next */
		if (!is_enough(r, &samples[i]))
			code = recording_add_samples(r->recording, &samples[i], 1, r->err);
	}
	return code;
}

static int take_blocks(struct recorder *r, bool *any)
{
	struct meter_block block;
	const void *packed;
	size_t packed_n;
	int code = 0;

	while (code == 0 && meter_keep_read_block(r->meter, &block, &packed, &packed_n)) {
		code = recording_add_block(r->recording, &block, packed, packed_n, r->err);
		*any = true;
	}
	return code;
}

/* Takes what has come. */
static int take(struct recorder *r)
{
	struct meter_sample samples[BATCH];
	struct meter_event event;
	size_t n, event_n;
	bool any;
	int code;

	do {
		n = meter_keep_read(r->meter, samples, BATCH, &event, &event_n);
		any = n || event_n;
		code = event_n ? take_event(r, &event) : 0; /* it came before them */
		if (code == 0)
			code = take_samples(r, samples, n);
		if (code == 0 && !r->ended)
			code = take_blocks(r, &any);
		if (code == 0)
			code = recording_commit(r->recording, false, r->err);
	} while (code == 0 && any && !r->ended);
	return code;
}

static bool has_all(const struct recorder *r)
{
	const struct recording_state *s = r->state;

	if (r->o->duration_ns && r->ready_ns &&
	    (journal_now_ns() - r->ready_ns >= r->o->duration_ns ||
	     s->t1_ns - s->t0_ns >= r->o->duration_ns))
		return true;
	for (size_t i = 0; i < s->channels_n; i++) {
		if (!r->o->samples || s->channels[i].n < r->o->samples)
			return false;
	}
	return s->channels_n > 0;
}

static void show_progress(struct recorder *r)
{
	int64_t now_ns = journal_now_ns();

	if (!isatty(STDERR_FILENO) || now_ns - r->shown_ns < PROGRESS_NS)
		return;
	r->shown_ns = now_ns;
	fprintf(stderr, "\r%llu samples, %.1f s \033[K", (unsigned long long)r->state->n,
		(double)(r->state->t1_ns - r->state->t0_ns) * 1e-9);
}

static int record(struct recorder *r)
{
	int64_t stop_ns = 0;
	int code = 0;

	while (code == 0 && !r->ended) {
		struct pollfd fd = {.fd = meter_keep_fd(r->meter), .events = POLLIN};

		poll(&fd, 1, 100);
		code = take(r);
		show_progress(r);
		if (!r->stopping && (meter_wish_is_over() || has_all(r))) {
			r->stopping = true;
			stop_ns = journal_now_ns() + STOP_NS;
			r->ended = !meter_keep_stop(r->meter);
		}
		if (code == 0 && r->stopping && journal_now_ns() > stop_ns)
			break;
	}
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (code != -ENOSPC) { /* what came before a loss counts */
		int kept = recording_commit(r->recording, true, code == 0 ? r->err : NULL);

		code = code < 0 ? code : kept;
	}
	return code;
}

static int record_to(const struct options *o, const struct meter_choice *choice, struct recorder *r)
{
	struct meter_options options = meter_wish_options(&o->wish, choice);
	int code = recording_create(o->out, choice->meter ? choice->meter->name : "meter",
				    choice->spec, &r->recording, r->err);

	if (code < 0)
		return code;
	r->state = recording_state(r->recording);
	options.blocks = true;
	options.block_limit = o->samples;
	code = meter_keep_open(&options, &r->meter, r->err);
	if (code == 0)
		code = record(r);
	meter_keep_close(r->meter);
	return code;
}

static double seconds(const struct recording_state *s)
{
	return s->n ? (double)(s->t1_ns - s->t0_ns) * 1e-9 : 0.0;
}

static struct msg *channels_msg(const struct recording_state *s)
{
	struct msg *channels = msg_array();

	for (size_t i = 0; i < s->channels_n; i++) {
		const struct recording_channel *c = &s->channels[i];
		struct msg *channel = msg_object();

		msg_set_str(channel, "name", c->name);
		msg_set_str(channel, "unit", c->unit);
		msg_set_int(channel, "samples", (int64_t)c->n);
		msg_set(channel, "rate_hz", c->rate_hz ? msg_int((int64_t)c->rate_hz) : msg_null());
		/* What the times of arrival say of that rate. */
		msg_set(channel, "arrived_hz",
			c->rate_hz && s->arrived_ns > s->start_ns
				? msg_real((double)c->n * 1e9 /
					   (double)(s->arrived_ns - s->start_ns))
				: msg_null());
		msg_add(channels, channel);
	}
	return channels;
}

static void report_json(const struct options *o, const struct recording_state *s, int64_t bytes)
{
	struct msg *all = msg_object();
	char *text;

	msg_set_str(all, "file", o->out);
	msg_set_int(all, "samples", (int64_t)s->n);
	msg_set_real(all, "seconds", seconds(s));
	msg_set_int(all, "bytes", bytes);
	msg_set_int(all, "notes", (int64_t)s->notes);
	msg_set_int(all, "losses", (int64_t)s->losses);
	msg_set(all, "channels", channels_msg(s));
	text = msg_dump_pretty(all);
	puts(text);
	free(text);
	msg_free(all);
}

static void report(const struct options *o, const struct recording_state *s)
{
	struct stat file = {0};

	stat(o->out, &file);
	if (o->wish.is_json) {
		report_json(o, s, file.st_size);
		return;
	}
	printf("%s: %llu samples in %.3f s, %.3f bytes a sample\n", o->out,
	       (unsigned long long)s->n, seconds(s),
	       s->n ? (double)file.st_size / (double)s->n : 0.0);
	for (size_t i = 0; i < s->channels_n; i++) {
		const struct recording_channel *c = &s->channels[i];

		printf("  %s: %llu samples", c->name, (unsigned long long)c->n);
		if (*c->unit)
			printf(" in %s", c->unit);
		if (c->rate_hz && s->arrived_ns > s->start_ns)
			printf(", by its driver %llu a second, came %.0f a second",
			       (unsigned long long)c->rate_hz,
			       (double)c->n * 1e9 / (double)(s->arrived_ns - s->start_ns));
		putchar('\n');
	}
}

static int parse_count(const char *text, uint64_t *out)
{
	struct err why;

	if (yaml_number_count(text, out, &why) < 0)
		return cmd_meter_usage("record", "--samples %s: %s", text, why.text);
	return *out > 0 ? 0 : cmd_meter_usage("record", "--samples 0: must be more than 0");
}

static int take_option(int letter, const char *value, void *context)
{
	struct options *o = context;
	double seconds_wanted = 0;
	int r = 0;

	if (letter == 'o')
		o->out = value;
	else if (letter == 'n')
		r = parse_count(value, &o->samples);
	else
		r = meter_wish_quantity("record", "--duration", value, YAML_DURATION,
					&seconds_wanted);
	if (seconds_wanted > 0)
		o->duration_ns = (int64_t)(seconds_wanted * 1e9);
	return r;
}

/* 0, or the exit status of a complaint. */
static int parse(int argc, char **argv, struct options *o)
{
	static const struct option table[] = {METER_WISH_LAB,
					      {"out", required_argument, NULL, 'o'},
					      METER_WISH_CHANNEL,
					      METER_WISH_RATE,
					      {"duration", required_argument, NULL, 'd'},
					      METER_WISH_JSON,
					      {"samples", required_argument, NULL, 'n'},
					      METER_WISH_START,
					      {0}};
	int r;

	*o = (struct options){0};
	r = meter_wish_parse(argc, argv, table, take_option, o, &o->wish);
	return r || o->out ? r : cmd_meter_usage("record", "--out FILE is missing");
}

static int exit_status(int code, const struct options *o, const struct recording_state *s,
		       const struct err *err)
{
	if (code == 0)
		return EXIT_AS_EXPECTED;
	command_fail(EXIT_LAB, err);
	if (s && s->n)
		fprintf(stderr, "coldrig: %s: %llu samples were recorded before that\n", o->out,
			(unsigned long long)s->n);
	return code == -EINVAL || code == -EEXIST || code == -ENOENT ? EXIT_USAGE : EXIT_LAB;
}

int cmd_meter_record(int argc, char **argv)
{
	struct meter_choice choice;
	struct recording_state state;
	struct options options;
	struct err err = {""};
	struct recorder recorder = {.o = &options, .err = &err};
	int r = parse(argc, argv, &options);

	if (r)
		return r;
	meter_wish_catch_signals();
	r = meter_choice_make(options.wish.lab, options.wish.word, &choice, &err);
	r = r < 0 ? -EINVAL : record_to(&options, &choice, &recorder);
	state = recorder.recording ? *recorder.state : (struct recording_state){0};
	recording_close(recorder.recording); /* one plain file from here on */
	if (recorder.recording && r < 0 && !state.n)
		unlink(options.out);
	else if (recorder.recording)
		report(&options, &state);
	meter_choice_free(&choice);
	return exit_status(r, &options, &state, &err);
}

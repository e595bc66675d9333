/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any meter that libsigrok reads. Runs in the meter's process, so a call that blocks for ever (a
 * scan whose *IDN? is not answered) is the parent's watchdog's to end. docs/meter.md has the
 * faults.
 */
#include "meter_sigrok.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define NOTE_PERIOD_NS 1000000000

/* GPollFunc takes no argument. One meter a process. */
static struct sigrok *polling;

static void sigrok_relay(struct sigrok *s, int64_t silence_ns)
{
	struct meter_relay_line line = {.framing = s->polled->framing,
					.all_numbers = s->polled->all_numbers,
					.silence_ns = silence_ns};
	int64_t patience_ns = (int64_t)s->polled->patience_ms * 900000; /* nine tenths */
	int meter = -1, ret;

	if (s->front) {
		line.framing = meter_front_framing(s->front);
		s->fd = meter_front_take(s->front, &meter);
	} else if (patience_ns && patience_ns < silence_ns) {
		line.silence_ns = patience_ns;
	}
	if (s->fd < 0)
		meter_link_lost(s->link, "cannot relay: %s", strerror(-s->fd));
	s->direct = s->front && s->polled->way == METER_RELAY_DIRECT;
	s->front = NULL;
	ret = meter_relay_start(s->fd, meter, s->direct ? METER_RELAY_DIRECT : METER_RELAY_PUMP,
				&line, s->link, &s->relay);
	if (ret)
		meter_link_lost(s->link, "cannot relay: %s", strerror(-ret));
}

static void sigrok_connect(struct sigrok *s)
{
	/* Before the parent's patience ends, so that it hears why and gets what is on its way. */
	int64_t silence = s->options->silence_ns / 4 * 3;
	struct timeval limit = {.tv_sec = silence / 1000000000,
				.tv_usec = silence / 1000 % 1000000};
	int one = 1;

	if (s->front || (s->polled && s->fd >= 0 && isatty(s->fd))) {
		sigrok_relay(s, silence);
		return;
	}
	if (s->fd < 0)
		return;
	/* 40 ms a reading without it: channel and query are two small writes. */
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

/* At most one NOTE a second, or a meter that talks nonsense floods the journal. */
static void sigrok_drop(struct sigrok *s, const char *channel, const char *why, const char *text)
{
	int64_t now = meter_now_ns();

	s->dropped++;
	if (s->noted_ns && now - s->noted_ns < NOTE_PERIOD_NS)
		return;
	meter_link_event(s->link, METER_EVENT_NOTE, "%s: %u readings dropped, the last: %s '%s'",
			 channel, s->dropped, why, text);
	s->noted_ns = now;
	s->dropped = 0;
}

/*
 * libsigrok makes an empty answer and the end of a connection into 0.0, so one that no good reading
 * follows was perhaps never measured.
 */
static void sigrok_deliver(struct sigrok *s, const struct meter_sample *sample)
{
	if (s->holding)
		meter_link_sample(s->link, &s->held);
	s->holding = sample->value == 0.0;
	if (s->holding)
		s->held = *sample;
	else
		meter_link_sample(s->link, sample);
}

struct sigrok_channel *sigrok_channel(const struct sigrok *s, const struct sr_channel *sr)
{
	for (size_t i = 0; i < s->channels_n; i++) {
		if (s->channels[i].sr == sr)
			return &s->channels[i];
	}
	return NULL;
}

/* Scaled units are not in use: libsigrok's readings are in the plain unit. */
static const struct {
	int unit;
	const char *symbol;
} units[] = {
	{SR_UNIT_VOLT, "V"},	 {SR_UNIT_AMPERE, "A"},	    {SR_UNIT_WATT, "W"},
	{SR_UNIT_OHM, "Ohm"},	 {SR_UNIT_FARAD, "F"},	    {SR_UNIT_HENRY, "H"},
	{SR_UNIT_HERTZ, "Hz"},	 {SR_UNIT_SECOND, "s"},	    {SR_UNIT_WATT_HOUR, "Wh"},
	{SR_UNIT_KELVIN, "K"},	 {SR_UNIT_CELSIUS, "degC"}, {SR_UNIT_FAHRENHEIT, "degF"},
	{SR_UNIT_DEGREE, "deg"}, {SR_UNIT_PERCENTAGE, "%"}, {SR_UNIT_VOLT_AMPERE, "VA"},
	{SR_UNIT_SIEMENS, "S"},	 {SR_UNIT_UNITLESS, "1"},
};

static const char *sigrok_unit(int unit)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].unit == unit)
			return units[i].symbol;
	}
	return "?";
}

/* A meter whose knob is turned delivers something else under the same name. */
void sigrok_check_unit(struct sigrok *s, struct sigrok_channel *channel, int unit)
{
	if (channel->unit == unit)
		return;
	if (channel->unit)
		meter_link_lost(s->link, "channel %s delivers '%s' now, it was '%s'",
				channel->sr->name, sigrok_unit(unit), sigrok_unit(channel->unit));
	channel->unit = unit;
	meter_link_channel(s->link, (size_t)(channel - s->channels), channel->sr->name,
			   sigrok_unit(unit));
}

/* The moment that a packet's values were measured at, and how far it may be off. */
static void sigrok_time(struct sigrok *s, struct meter_sample *sample, struct meter_exchange *last)
{
	int64_t now, from = s->asked_ns, to;

	memset(last, 0, sizeof(*last));
	if (s->relay) {
		if (s->direct)
			meter_relay_exchange(s->relay, last);
		else
			meter_relay_last(s->relay, last);
		from = last->query_ns;
		now = to = last->answer_ns;
	} else {
		now = to = meter_now_ns();
	}
	sample->t_ns = from + (to - from) / 2;
	sample->error_ns = (to - from + 1) / 2;
	if (!s->polled)
		sample->t_ns = now;
	s->answered = true;
}

/*
 * Of a driver that sends by itself: its packet before told an earlier value. Not that of another channel,
 * which many send right before this one, from the same bytes.
 */
static void sigrok_set_error(struct sigrok_channel *channel, struct meter_sample *sample)
{
	if (channel->packet_ns != sample->t_ns)
		channel->error_ns = sample->t_ns - channel->packet_ns;
	channel->packet_ns = sample->t_ns;
	sample->error_ns = channel->error_ns;
}

static void sigrok_reading(struct sigrok *s, const struct sr_channel *sr, int unit, double value,
			   struct meter_sample *sample, const struct meter_exchange *last)
{
	struct sigrok_channel *channel = sigrok_channel(s, sr);
	const char *why = last->fault ? last->fault : meter_relay_no_reading(value);
	char text[32];

	if (!channel)
		return;
	if (why) {
		snprintf(text, sizeof(text), "%g", value);
		sigrok_drop(s, sr->name, why, last->fault ? last->text : text);
		return;
	}
	sigrok_check_unit(s, channel, unit);
	if (!s->polled)
		sigrok_set_error(channel, sample);
	sample->value = s->direct ? last->value : value;
	sample->channel = (uint32_t)(channel - s->channels);
	sigrok_deliver(s, sample);
}

static void sigrok_analog(struct sigrok *s, const struct sr_datafeed_analog *analog)
{
	GSList *channels = analog->meaning->channels;
	size_t n = (size_t)analog->num_samples * g_slist_length(channels), k = 0;
	struct meter_sample sample = {0};
	struct meter_exchange last;

	sigrok_time(s, &sample, &last);
	s->values = g_renew(float, s->values, n);
	if (sr_analog_to_float(analog, s->values) != SR_OK)
		sigrok_lost(s, "values that cannot be read");
	for (uint32_t i = 0; i < analog->num_samples; i++) {
		for (GSList *l = channels; l; l = l->next)
			sigrok_reading(s, l->data, (int)analog->meaning->unit,
				       (double)s->values[k++], &sample, &last);
	}
}

static void sigrok_on_packet(const struct sr_dev_inst *device,
			     const struct sr_datafeed_packet *packet, void *data)
{
	struct sigrok *s = data;

	(void)device;
	if (packet->type == SR_DF_ANALOG && s->blocks)
		sigrok_take_blocks(s, packet->payload);
	else if (packet->type == SR_DF_ANALOG)
		sigrok_analog(s, packet->payload);
	else if (packet->type == SR_DF_FRAME_BEGIN && s->blocks)
		meter_blocks_restart(s->blocks, meter_now_ns());
}

/* Before the driver gets to read the end of the connection as a number. */
static void sigrok_check_connection(struct sigrok *s)
{
	struct pollfd line = {.fd = s->fd, .events = POLLRDHUP};

	if (s->fd < 0 || s->relay)
		return;
	if (poll(&line, 1, 0) > 0 && (line.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)))
		meter_link_lost(s->link, "the connection to the meter ended");
	/* A late answer would be taken for the next one's, of another channel. */
	if (s->polled && !s->answered && s->asked_ns &&
	    meter_now_ns() - s->asked_ns >= s->options->silence_ns)
		meter_link_lost(s->link, "no answer for %.1f s",
				(double)s->options->silence_ns * 1e-9);
}

static void sigrok_await(struct sigrok *s, int64_t until_ns)
{
	if (s->direct)
		meter_relay_idle(s->relay, until_ns);
	else
		meter_sleep_until(until_ns);
}

/* All channels are read one right after the other: V and I belong together, and it is one pause. */
static void sigrok_await_due(struct sigrok *s)
{
	int64_t due_ns = s->sweep_left ? 0 : s->due_ns;

	meter_link_pause(s->link, due_ns);
	do {
		int64_t alive_ns = meter_now_ns() + METER_ALIVE_NS;

		sigrok_await(s, due_ns < alive_ns ? due_ns : alive_ns);
		if (due_ns >= alive_ns)
			meter_link_alive(s->link);
	} while (meter_now_ns() < due_ns && !meter_link_stopping());
	if (!s->sweep_left) {
		s->sweep_left = s->polled->questions ? s->polled->questions : s->channels_n;
		s->due_ns = meter_next_due(s->due_ns, s->period_ns, meter_now_ns());
	}
	s->sweep_left--;
}

/* What the relay found wrong, of which the driver made no packet. */
static void sigrok_check_answer(struct sigrok *s)
{
	struct meter_exchange last;

	if (!s->relay || s->direct || s->answered)
		return;
	meter_relay_last(s->relay, &last);
	if (last.fault && last.query_ns >= s->asked_ns)
		sigrok_drop(s, "the meter", last.fault, last.text);
}

/* The driver reads when its descriptor is readable, or on a 10 ms timer. So: make it readable. */
static gint sigrok_pace(struct sigrok *s, GPollFD *fds, guint n, gint timeout)
{
	GPollFD *line = NULL;

	for (guint i = 0; i < n; i++) {
		fds[i].revents = 0;
		if (s->fd >= 0 && fds[i].fd == s->fd)
			line = &fds[i];
	}
	if (!line) {
		meter_link_pause(s->link, INT64_MAX);
		s->asked_ns = meter_now_ns();
		return g_poll(fds, n, timeout);
	}
	sigrok_check_answer(s);
	sigrok_await_due(s);
	sigrok_check_connection(s);
	if (s->direct)
		meter_relay_prime(s->relay);
	s->asked_ns = meter_now_ns();
	s->answered = false;
	line->revents = G_IO_IN;
	return 1;
}

static gint sigrok_poll(GPollFD *fds, guint n, gint timeout)
{
	struct sigrok *s = polling;

	if (s->blocks)
		meter_blocks_tick(s->blocks, meter_now_ns());
	if (meter_link_stopping() || (s->blocks && meter_blocks_full(s->blocks))) {
		if (!s->stopped)
			sr_session_stop(s->session);
		s->stopped = true;
		return g_poll(fds, n, 0);
	}
	if (s->polled)
		return sigrok_pace(s, fds, n, timeout);
	sigrok_check_connection(s);
	meter_link_pause(s->link, INT64_MAX);
	return g_poll(fds, n, timeout);
}

/*
 * GLib takes the descriptor of a source that must not recurse off the poll while its callback runs,
 * and wakes the loop up for it: two system calls a reading. No driver runs the loop from its callback.
 */
static void sigrok_spare_wakeups(struct sigrok *s, GMainContext *context)
{
	GSource *source = g_main_context_find_source_by_user_data(context, s->device);

	if (source)
		g_source_set_can_recurse(source, TRUE);
}

static void sigrok_tell(struct sigrok *s)
{
	struct meter_identity identity = sigrok_identity(s->device);

	meter_link_ready(s->link, &identity);
	for (size_t i = 0; i < s->channels_n; i++)
		meter_link_channel(s->link, i, s->channels[i].sr->name, "");
}

static void sigrok_start(struct sigrok *s)
{
	GMainContext *context = g_main_context_new();

	/* The session takes the thread's context. */
	g_main_context_push_thread_default(context);
	g_main_context_set_poll_func(context, sigrok_poll);
	polling = s;
	s->period_ns = (int64_t)(1e9 / s->options->rate_hz * (double)s->channels_n);
	s->due_ns = meter_now_ns();
	for (size_t i = 0; i < s->channels_n; i++)
		s->channels[i].packet_ns = s->due_ns;
	if (sr_session_new(s->context, &s->session) != SR_OK ||
	    sr_session_dev_add(s->session, s->device) != SR_OK ||
	    sr_session_datafeed_callback_add(s->session, sigrok_on_packet, s) != SR_OK ||
	    sr_session_start(s->session) != SR_OK)
		sigrok_lost(s, "the session does not start");
	sigrok_spare_wakeups(s, context);
}

/* Gives the front panel back. Not sr_exit() after it: that would close the socket again. scpi-dmm
 * closes nothing (0.5.2), and the relay waits for the end of what is said. */
static void sigrok_close(struct sigrok *s)
{
	sr_dev_close(s->device);
	if (s->relay && fcntl(s->fd, F_GETFD) >= 0)
		close(s->fd);
	meter_relay_stop(s->relay);
	meter_usbtmc_stop();
}

static void sigrok_run(const struct meter_options *options, const struct meter_spec *spec,
		       struct meter_link *link)
{
	static struct sigrok state;
	struct sigrok *s = &state;

	s->options = options;
	s->spec = spec;
	s->link = link;
	sigrok_init(s);
	sigrok_check_frames(s);
	sigrok_open(s);
	if (options->describe)
		sigrok_describe(s);
	sigrok_connect(s);
	if (options->blocks)
		sigrok_start_blocks(s);
	sigrok_start(s);
	sigrok_tell(s);
	sr_session_run(s->session);
	if (s->blocks)
		meter_blocks_flush(s->blocks);
	if (!meter_link_stopping() && !(s->blocks && meter_blocks_full(s->blocks)))
		sigrok_lost(s, "the driver ended the session");
	sigrok_close(s);
	meter_blocks_free(s->blocks);
}

static int sigrok_check(const struct meter_options *options, const struct meter_spec *spec,
			struct err *err)
{
	(void)options;
	(void)spec;
	(void)err;
	return 0; /* which drivers there are is known to libsigrok, and that stays in the child */
}

static bool sigrok_knows(const struct meter_spec *spec)
{
	struct sr_context *context;
	struct sr_dev_driver **list;
	bool found = false;

	sr_log_loglevel_set(SR_LOG_NONE);
	if (sr_init(&context) != SR_OK)
		return true; /* not the driver's fault */
	for (list = sr_driver_list(context); list && *list; list++)
		found = found || strcmp((*list)->name, spec->driver) == 0;
	sr_exit(context);
	return found;
}

const struct meter_backend meter_sigrok_backend = {
	.driver = NULL,
	.check = sigrok_check,
	.knows = sigrok_knows,
	.run = sigrok_run,
};

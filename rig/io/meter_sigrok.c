/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any meter that libsigrok reads. Runs in the meter's process, so a call that blocks for ever (a
 * scan whose *IDN? is not answered) is the parent's watchdog's to end. docs/meter.md has the
 * faults.
 */
#include <libsigrok/libsigrok.h>

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "meter_backend.h"
#include "meter_relay.h"

#define NOTE_PERIOD_NS 1000000000
#define FDS_MAX	       1024

/* How a driver gets its readings; one that is not here sends by itself. */
struct sigrok_driver {
	const char *name;
	bool numbers; /* while it runs it asks for nothing but numbers, so the relay can check */
};

static const struct sigrok_driver polled_drivers[] = {
	{"scpi-pps", true},
	{"scpi-dmm", false},
};

struct sigrok {
	const struct meter_options *options;
	const struct meter_spec *spec;
	struct meter_link *link;
	const struct sigrok_driver *polled; /* NULL: it sends by itself */
	struct sr_context *context;
	struct sr_dev_driver *driver;
	struct sr_dev_inst *device;
	struct sr_session *session;
	struct meter_relay *relay; /* NULL: not over tcp-raw */
	int fd;			   /* the driver's socket or serial line, -1 if it has none */
	int64_t period_ns, due_ns;
	int64_t asked_ns;  /* the driver was let go at */
	int64_t packet_ns; /* the latest packet came at */
	bool answered;	   /* since asked_ns */
	bool stopped;
	bool holding; /* held is a 0.0 that waits for a good reading behind it */
	struct meter_sample held;
	int64_t noted_ns;
	unsigned dropped; /* readings since noted_ns */
	char log[128];	  /* libsigrok's first complaint */
};

/* GPollFunc takes no argument. One meter a process. */
static struct sigrok *polling;

/* The first complaint is the cause; those behind it are its consequences. */
static int sigrok_log(void *data, int level, const char *format, va_list args)
{
	struct sigrok *s = data;

	(void)level;
	if (!s->log[0])
		vsnprintf(s->log, sizeof(s->log), format, args);
	return SR_OK;
}

static _Noreturn void sigrok_lost(struct sigrok *s, const char *what)
{
	if (s->log[0])
		meter_link_lost(s->link, "%s: %s", what, s->log);
	meter_link_lost(s->link, "%s", what);
}

static GVariant *sigrok_value_uint64(const char *text)
{
	uint64_t value;

	return sr_parse_sizestring(text, &value) == SR_OK ? g_variant_new_uint64(value) : NULL;
}

static GVariant *sigrok_value(const struct sr_key_info *info, const char *text)
{
	char *end;
	double number = strtod(text, &end);
	bool is_number = end != text && *end == '\0' && isfinite(number);

	switch (info->datatype) {
	case SR_T_STRING:
		return g_variant_new_string(text);
	case SR_T_BOOL:
		return g_variant_new_boolean(sr_parse_boolstring(text));
	case SR_T_UINT64:
		return sigrok_value_uint64(text);
	case SR_T_INT32:
		if (!is_number || number < INT32_MIN || number > INT32_MAX)
			return NULL;
		return g_variant_new_int32((int32_t)number);
	case SR_T_FLOAT:
		return is_number ? g_variant_new_double(number) : NULL;
	default:
		return NULL;
	}
}

static struct sr_config *sigrok_option(struct sigrok *s, const struct meter_spec_option *option)
{
	const struct sr_key_info *info = sr_key_info_name_get(SR_KEY_CONFIG, option->key);
	struct sr_config *config;
	GVariant *value;

	if (!info)
		meter_link_lost(s->link, "libsigrok has no option '%s'", option->key);
	value = sigrok_value(info, option->value);
	if (!value)
		meter_link_lost(s->link, "option %s cannot be '%s'", option->key, option->value);
	config = g_new0(struct sr_config, 1);
	config->key = info->key;
	config->data = g_variant_ref_sink(value);
	return config;
}

static bool sigrok_is_scan_option(const struct sr_dev_driver *driver, uint32_t key)
{
	GArray *keys = sr_driver_scan_options_list(driver);
	bool found = false;

	for (guint i = 0; keys && i < keys->len; i++)
		found = found || g_array_index(keys, uint32_t, i) == key;
	if (keys)
		g_array_free(keys, TRUE);
	return found;
}

/* Gives the driver those of the spec's options that its scan takes. */
static GSList *sigrok_scan_options(struct sigrok *s)
{
	GSList *list = NULL;

	for (size_t i = 0; i < s->spec->options_n; i++) {
		struct sr_config *config = sigrok_option(s, &s->spec->options[i]);

		if (sigrok_is_scan_option(s->driver, config->key))
			list = g_slist_append(list, config);
	}
	return list;
}

/* The rest are the device's. */
static void sigrok_set_options(struct sigrok *s)
{
	for (size_t i = 0; i < s->spec->options_n; i++) {
		struct sr_config *config = sigrok_option(s, &s->spec->options[i]);

		if (sigrok_is_scan_option(s->driver, config->key))
			continue;
		if (sr_config_set(s->device, NULL, config->key, config->data) != SR_OK)
			meter_link_lost(s->link, "the meter does not take option %s=%s",
					s->spec->options[i].key, s->spec->options[i].value);
	}
}

static void sigrok_find_driver(struct sigrok *s)
{
	struct sr_dev_driver **list = sr_driver_list(s->context);

	for (; list && *list && !s->driver; list++) {
		if (strcmp((*list)->name, s->spec->driver) == 0)
			s->driver = *list;
	}
	if (!s->driver)
		meter_link_lost(s->link, "libsigrok has no driver '%s'", s->spec->driver);
	for (size_t i = 0; i < sizeof(polled_drivers) / sizeof(polled_drivers[0]); i++) {
		if (strcmp(polled_drivers[i].name, s->spec->driver) == 0)
			s->polled = &polled_drivers[i];
	}
}

static void sigrok_find_device(struct sigrok *s)
{
	GSList *found;

	if (sr_driver_init(s->context, s->driver) != SR_OK)
		sigrok_lost(s, "the driver does not start");
	found = sr_driver_scan(s->driver, sigrok_scan_options(s));
	if (!found)
		sigrok_lost(s, "no such meter found");
	if (found->next)
		meter_link_event(s->link, METER_EVENT_NOTE,
				 "%u meters found, the first is read: conn= names one",
				 g_slist_length(found));
	s->device = found->data;
}

/* Descriptors that lead out of the process: network sockets and terminals. */
static bool sigrok_fd_leads_out(int fd)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);

	if (isatty(fd))
		return true;
	return getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
	       (address.ss_family == AF_INET || address.ss_family == AF_INET6);
}

static void sigrok_mark_fds(bool marks[static FDS_MAX])
{
	for (int fd = 0; fd < FDS_MAX; fd++)
		marks[fd] = sigrok_fd_leads_out(fd);
}

/* libsigrok does not tell its socket: it is the one that was not there before. */
static void sigrok_open(struct sigrok *s)
{
	bool before[FDS_MAX], after[FDS_MAX];

	sigrok_mark_fds(before);
	if (sr_dev_open(s->device) != SR_OK)
		sigrok_lost(s, "the meter cannot be opened");
	sigrok_mark_fds(after);
	s->fd = -1;
	for (int fd = 0; fd < FDS_MAX; fd++) {
		if (after[fd] && !before[fd])
			s->fd = fd;
	}
}

static void sigrok_connect(struct sigrok *s)
{
	int64_t silence = s->options->silence_ns;
	struct timeval limit = {.tv_sec = silence / 1000000000,
				.tv_usec = silence / 1000 % 1000000};
	const char *conn = meter_spec_get(s->spec, "conn");
	int one = 1, ret;

	if (s->fd < 0 || isatty(s->fd))
		return;
	if (s->polled && s->polled->numbers && conn && strncmp(conn, "tcp-raw/", 8) == 0) {
		ret = meter_relay_start(s->fd, silence, s->link, &s->relay);
		if (ret)
			meter_link_lost(s->link, "cannot relay: %s", strerror(-ret));
		return;
	}
	/* 40 ms a reading without it: channel and query are two small writes. */
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

static struct sr_channel *sigrok_channel(struct sigrok *s, const char *name)
{
	for (GSList *l = sr_dev_inst_channels_get(s->device); l; l = l->next) {
		struct sr_channel *channel = l->data;

		if (strcmp(channel->name, name) == 0)
			return channel;
	}
	return NULL;
}

static _Noreturn void sigrok_lost_channel(struct sigrok *s, const char *name)
{
	GString *names = g_string_new(NULL);

	for (GSList *l = sr_dev_inst_channels_get(s->device); l; l = l->next)
		g_string_append_printf(names, " %s", ((struct sr_channel *)l->data)->name);
	meter_link_lost(s->link, "no channel '%s', the meter has:%s", name, names->str);
}

static void sigrok_choose_channels(struct sigrok *s)
{
	for (size_t i = 0; i < s->options->channels_n; i++) {
		if (!sigrok_channel(s, s->options->channels[i]))
			sigrok_lost_channel(s, s->options->channels[i]);
	}
	for (GSList *l = sr_dev_inst_channels_get(s->device); l; l = l->next)
		sr_dev_channel_enable(l->data, FALSE);
	for (size_t i = 0; i < s->options->channels_n; i++) {
		if (sr_dev_channel_enable(sigrok_channel(s, s->options->channels[i]), TRUE) !=
		    SR_OK)
			meter_link_lost(s->link, "channel %s cannot be enabled",
					s->options->channels[i]);
	}
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
	s->holding = sample->value_w == 0.0;
	if (s->holding)
		s->held = *sample;
	else
		meter_link_sample(s->link, sample);
}

static size_t sigrok_channel_index(const struct sigrok *s, const struct sr_channel *channel)
{
	size_t i = 0;

	while (i < s->options->channels_n && strcmp(s->options->channels[i], channel->name) != 0)
		i++;
	return i;
}

/* The moment that a packet's values were measured at, and how far it may be off. */
static void sigrok_time(struct sigrok *s, struct meter_sample *sample, struct meter_exchange *last)
{
	int64_t now = meter_now_ns(), from = s->asked_ns, to = now;

	memset(last, 0, sizeof(*last));
	if (s->relay) {
		meter_relay_last(s->relay, last);
		from = last->query_ns;
		to = last->answer_ns;
	}
	sample->t_ns = from + (to - from) / 2;
	sample->error_ns = (to - from + 1) / 2;
	if (!s->polled) {
		sample->t_ns = now;
		sample->error_ns = now - s->packet_ns;
	}
	s->packet_ns = now;
	s->answered = true;
}

static void sigrok_analog(struct sigrok *s, const struct sr_datafeed_analog *analog)
{
	GSList *channels = analog->meaning->channels;
	size_t n = (size_t)analog->num_samples * g_slist_length(channels), k = 0;
	struct meter_sample sample = {0};
	struct meter_exchange last;
	float *values;

	sigrok_time(s, &sample, &last);
	if (analog->meaning->mq != SR_MQ_POWER || analog->meaning->unit != SR_UNIT_WATT)
		meter_link_lost(s->link, "channel %s does not deliver watts",
				n ? ((struct sr_channel *)channels->data)->name : "?");
	values = g_new(float, n);
	if (sr_analog_to_float(analog, values) != SR_OK)
		sigrok_lost(s, "values that cannot be read");
	for (uint32_t i = 0; i < analog->num_samples; i++) {
		for (GSList *l = channels; l; l = l->next) {
			const struct sr_channel *channel = l->data;

			sample.value_w = (double)values[k++];
			sample.channel = (uint32_t)sigrok_channel_index(s, channel);
			if (sample.channel == s->options->channels_n)
				continue;
			if (last.fault || !isfinite(sample.value_w))
				sigrok_drop(s, channel->name,
					    last.fault ? last.fault : "not finite", last.text);
			else
				sigrok_deliver(s, &sample);
		}
	}
	g_free(values);
}

static void sigrok_on_packet(const struct sr_dev_inst *device,
			     const struct sr_datafeed_packet *packet, void *data)
{
	(void)device;
	if (packet->type == SR_DF_ANALOG)
		sigrok_analog(data, packet->payload);
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
		s->asked_ns = meter_now_ns();
		return g_poll(fds, n, timeout);
	}
	while (meter_now_ns() < s->due_ns && !meter_link_stopping())
		meter_sleep_until(s->due_ns);
	sigrok_check_connection(s);
	s->asked_ns = meter_now_ns();
	s->answered = false;
	s->due_ns = meter_next_due(s->due_ns, s->period_ns, s->asked_ns);
	line->revents = G_IO_IN;
	return 1;
}

static gint sigrok_poll(GPollFD *fds, guint n, gint timeout)
{
	struct sigrok *s = polling;

	if (meter_link_stopping()) {
		if (!s->stopped)
			sr_session_stop(s->session);
		s->stopped = true;
		return g_poll(fds, n, 0);
	}
	if (s->polled)
		return sigrok_pace(s, fds, n, timeout);
	sigrok_check_connection(s);
	return g_poll(fds, n, timeout);
}

static const char *sigrok_word(const char *text)
{
	return text && *text ? text : "-";
}

static void sigrok_start(struct sigrok *s)
{
	GMainContext *context = g_main_context_new();

	/* The session takes the thread's context. */
	g_main_context_push_thread_default(context);
	g_main_context_set_poll_func(context, sigrok_poll);
	polling = s;
	s->period_ns = (int64_t)(1e9 / s->options->rate_hz);
	s->due_ns = s->packet_ns = meter_now_ns();
	if (sr_session_new(s->context, &s->session) != SR_OK ||
	    sr_session_dev_add(s->session, s->device) != SR_OK ||
	    sr_session_datafeed_callback_add(s->session, sigrok_on_packet, s) != SR_OK ||
	    sr_session_start(s->session) != SR_OK)
		sigrok_lost(s, "the session does not start");
	meter_link_event(s->link, METER_EVENT_READY, "%s %s %s %s",
			 sigrok_word(sr_dev_inst_vendor_get(s->device)),
			 sigrok_word(sr_dev_inst_model_get(s->device)),
			 sigrok_word(sr_dev_inst_version_get(s->device)),
			 sigrok_word(sr_dev_inst_sernum_get(s->device)));
}

static void sigrok_run(const struct meter_options *options, const struct meter_spec *spec,
		       struct meter_link *link)
{
	static struct sigrok state;
	struct sigrok *s = &state;

	s->options = options;
	s->spec = spec;
	s->link = link;
	sr_log_loglevel_set(SR_LOG_WARN);
	sr_log_callback_set(sigrok_log, s);
	if (sr_init(&s->context) != SR_OK)
		sigrok_lost(s, "libsigrok does not start");
	sigrok_find_driver(s);
	sigrok_find_device(s);
	sigrok_open(s);
	sigrok_set_options(s);
	sigrok_choose_channels(s);
	sigrok_connect(s);
	sigrok_start(s);
	sr_session_run(s->session);
	if (!meter_link_stopping())
		sigrok_lost(s, "the driver ended the session");
	/* Gives the front panel back. Not sr_exit() after it: that would close the socket again. */
	sr_dev_close(s->device);
	meter_relay_stop(s->relay);
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

	sr_log_loglevel_set(SR_LOG_NONE);
	if (sr_init(&context) != SR_OK)
		return true; /* not the driver's fault */
	for (list = sr_driver_list(context); list && *list; list++) {
		if (strcmp((*list)->name, spec->driver) == 0)
			return true;
	}
	return false;
}

const struct meter_backend meter_sigrok_backend = {
	.driver = NULL,
	.check = sigrok_check,
	.knows = sigrok_knows,
	.run = sigrok_run,
};

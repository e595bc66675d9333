/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Up to the open meter. A call that blocks for ever is the parent's watchdog's to end. */
#include "meter_sigrok.h"

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FDS_MAX 1024

static const struct sigrok_driver polled_drivers[] = {
	{"scpi-pps", METER_RELAY_DIRECT, true, 0, FRAMING_LINES, 1000, false},
	{"scpi-dmm", METER_RELAY_PUMP, false, 0, FRAMING_LINES, 0, false}, /* ends then */
	{"rdtech-dps", METER_RELAY_PUMP, true, 1, FRAMING_MODBUS, 500, true},
	{"korad-kaxxxxp", METER_RELAY_PUMP, false, 3, FRAMING_KORAD, 1000,
	 false}, /* one for its state */
};

/* The first complaint is the cause; those behind it are its consequences. */
static int sigrok_log(void *data, int level, const char *format, va_list args)
{
	struct sigrok *s = data;

	(void)level;
	if (!s->log[0])
		vsnprintf(s->log, sizeof(s->log), format, args);
	return SR_OK;
}

void sigrok_lost(struct sigrok *s, const char *what)
{
	if (s->log[0])
		meter_link_lost(s->link, "%s: %s", what, s->log);
	meter_link_lost(s->link, "%s", what);
}

void sigrok_init(struct sigrok *s)
{
	sr_log_loglevel_set(SR_LOG_WARN);
	sr_log_callback_set(sigrok_log, s);
	if (sr_init(&s->context) != SR_OK)
		sigrok_lost(s, "libsigrok does not start");
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

/* A driver whose answers are lines gets them whole from its first question on. */
static void sigrok_start_front(struct sigrok *s, const char *conn)
{
	int ret;

	if (!s->polled || !conn || s->polled->framing != FRAMING_LINES)
		return;
	ret = meter_front_start(conn, s->link, &s->front);
	if (ret == -ERANGE)
		meter_link_hopeless(s->link, "%s: a port is 1 to 65535", conn);
	if (ret && ret != -EINVAL) /* another connection, or libsigrok finds words for it */
		meter_link_lost(s->link, "cannot relay: %s", strerror(-ret));
}

static struct sr_config *sigrok_option(struct sigrok *s, const struct meter_spec_option *option)
{
	const struct sr_key_info *info = sr_key_info_name_get(SR_KEY_CONFIG, option->key);
	struct sr_config *config;
	const char *text = option->value;
	GVariant *value;

	if (s->front && strcmp(option->key, "conn") == 0)
		text = meter_front_conn(s->front);
	if (!info)
		meter_link_hopeless(s->link, "libsigrok has no option '%s'", option->key);
	value = sigrok_value(info, text);
	if (!value)
		meter_link_hopeless(s->link, "option %s cannot be '%s'", option->key,
				    option->value);
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

static void sigrok_free_option(gpointer option)
{
	struct sr_config *config = option;

	g_variant_unref(config->data);
	g_free(config);
}

/* Gives the driver those of the spec's options that its scan takes. */
static GSList *sigrok_scan_options(struct sigrok *s)
{
	GSList *list = NULL;

	for (size_t i = 0; i < s->spec->options_n; i++) {
		struct sr_config *config = sigrok_option(s, &s->spec->options[i]);

		if (sigrok_is_scan_option(s->driver, config->key))
			list = g_slist_append(list, config);
		else
			sigrok_free_option(config);
	}
	return list;
}

/* The rest are the device's. */
static void sigrok_set_options(struct sigrok *s)
{
	for (size_t i = 0; i < s->spec->options_n; i++) {
		struct sr_config *config = sigrok_option(s, &s->spec->options[i]);

		if (!sigrok_is_scan_option(s->driver, config->key) &&
		    sr_config_set(s->device, NULL, config->key, config->data) != SR_OK)
			meter_link_hopeless(s->link, "the meter does not take option %s=%s",
					    s->spec->options[i].key, s->spec->options[i].value);
		sigrok_free_option(config);
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
		meter_link_hopeless(s->link, "libsigrok has no driver '%s'", s->spec->driver);
	for (size_t i = 0; i < sizeof(polled_drivers) / sizeof(polled_drivers[0]); i++) {
		if (strcmp(polled_drivers[i].name, s->spec->driver) == 0)
			s->polled = &polled_drivers[i];
	}
}

/* The meters that answer to the spec, or, if one is given, to that connection; at least one. */
static GSList *sigrok_scan(struct sigrok *s, const char *conn)
{
	const struct meter_spec_option option = {.key = "conn", .value = conn};
	GSList *found, *options = sigrok_scan_options(s);

	if (conn)
		options = g_slist_append(options, sigrok_option(s, &option));
	found = sr_driver_scan(s->driver, options);
	g_slist_free_full(options, sigrok_free_option);
	if (!found)
		sigrok_lost(s, "no such meter found");
	return found;
}

static GSList *sigrok_find_devices(struct sigrok *s)
{
	if (sr_driver_init(s->context, s->driver) != SR_OK)
		sigrok_lost(s, "the driver does not start");
	sigrok_start_front(s, meter_spec_get(s->spec, "conn"));
	return sigrok_scan(s, NULL);
}

static void sigrok_take_first(struct sigrok *s, GSList *found)
{
	s->device = found->data;
	g_slist_free(found);
}

static void sigrok_find_device(struct sigrok *s)
{
	GSList *found = sigrok_find_devices(s);
	const char *conn = sr_dev_inst_connid_get(found->data);

	if (found->next)
		meter_link_event(s->link, METER_EVENT_NOTE,
				 "%u meters found, the first is read: conn= names one",
				 g_slist_length(found));
	sigrok_take_first(s, found);
	if (s->front || !conn || strncmp(conn, "usbtmc/", 7) != 0)
		return;
	/* Found without having been named: now that it can be, through the front. */
	sigrok_start_front(s, conn);
	if (s->front)
		sigrok_take_first(s, sigrok_scan(s, conn));
}

/* Of an identity that came in two lines the second one ends up in a word of the first. */
static void sigrok_word(char to[static 40], const char *from)
{
	g_strlcpy(to, from ? from : "", 40);
	to[strcspn(to, "\r\n")] = '\0';
}

struct meter_identity sigrok_identity(const struct sr_dev_inst *device)
{
	struct meter_identity identity = {0};

	sigrok_word(identity.vendor, sr_dev_inst_vendor_get(device));
	sigrok_word(identity.model, sr_dev_inst_model_get(device));
	sigrok_word(identity.version, sr_dev_inst_version_get(device));
	sigrok_word(identity.serial, sr_dev_inst_sernum_get(device));
	return identity;
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

static void sigrok_close_found(void)
{
	for (int fd = STDERR_FILENO + 1; fd < FDS_MAX; fd++) {
		if (isatty(fd))
			close(fd);
	}
}

/* libsigrok does not tell its socket: it is the one that was not there before. The front knows it by
 * itself. */
static void sigrok_open_device(struct sigrok *s)
{
	bool before[FDS_MAX], after[FDS_MAX];

	if (s->polled && s->polled->stays_open)
		sigrok_close_found();
	sigrok_mark_fds(before);
	if (sr_dev_open(s->device) != SR_OK)
		sigrok_lost(s, "the meter cannot be opened");
	s->fd = -1;
	if (s->front)
		return;
	sigrok_mark_fds(after);
	for (int fd = 0; fd < FDS_MAX; fd++) {
		if (after[fd] && !before[fd])
			s->fd = fd;
	}
}

static _Noreturn void sigrok_no_channel(struct sigrok *s, const char *name)
{
	char names[160] = ""; /* as long as an event's text */

	for (GSList *l = sr_dev_inst_channels_get(s->device); l; l = l->next) {
		g_strlcat(names, " ", sizeof(names));
		g_strlcat(names, ((struct sr_channel *)l->data)->name, sizeof(names));
	}
	meter_link_hopeless(s->link, "no channel '%s', the meter has:%s", name, names);
}

static struct sr_channel *sigrok_find_channel(struct sigrok *s, const char *name)
{
	for (GSList *l = sr_dev_inst_channels_get(s->device); l; l = l->next) {
		struct sr_channel *channel = l->data;

		if (strcmp(channel->name, name) == 0)
			return channel;
	}
	sigrok_no_channel(s, name);
}

static void sigrok_list_channels(struct sigrok *s)
{
	const struct meter_options *o = s->options;
	GSList *all = sr_dev_inst_channels_get(s->device);

	s->channels = g_new0(struct sigrok_channel, o->channels_n + g_slist_length(all));
	for (size_t i = 0; i < o->channels_n; i++)
		s->channels[s->channels_n++].sr = sigrok_find_channel(s, o->channels[i]);
	for (GSList *l = all; l && !o->channels_n; l = l->next) {
		struct sr_channel *channel = l->data;

		if (channel->type == SR_CHANNEL_ANALOG)
			s->channels[s->channels_n++].sr = channel;
	}
	if (!s->channels_n)
		meter_link_hopeless(s->link, "the meter has no analog channel");
}

static void sigrok_enable_channels(struct sigrok *s)
{
	for (GSList *l = sr_dev_inst_channels_get(s->device); l; l = l->next)
		sr_dev_channel_enable(l->data, FALSE);
	for (size_t i = 0; i < s->channels_n; i++) {
		if (sr_dev_channel_enable(s->channels[i].sr, TRUE) != SR_OK)
			meter_link_hopeless(s->link, "channel %s cannot be enabled",
					    s->channels[i].sr->name);
	}
}

void sigrok_open(struct sigrok *s)
{
	sigrok_find_driver(s);
	sigrok_find_device(s);
	sigrok_open_device(s);
	sigrok_set_options(s);
	sigrok_list_channels(s);
	sigrok_enable_channels(s);
}

static void sigrok_describe_key(struct sigrok *s, const struct sr_channel_group *group,
				uint32_t key)
{
	const struct sr_key_info *info = sr_key_info_get(SR_KEY_CONFIG, key);
	unsigned can = (unsigned)sr_dev_config_capabilities_list(s->device, group, (int)key);
	GVariant *value = NULL;
	gchar *text = NULL;

	if (!info || !(can & (SR_CONF_GET | SR_CONF_SET)))
		return;
	if ((can & SR_CONF_GET) &&
	    sr_config_get(s->driver, s->device, group, key, &value) == SR_OK && value) {
		text = g_variant_print(value, FALSE);
		g_variant_unref(value);
	}
	meter_link_event(s->link, METER_EVENT_OPTION, "%s%s%s = %s%s", group ? group->name : "",
			 group ? "." : "", info->id, text ? text : "?",
			 can & SR_CONF_SET ? "" : " (read only)");
	g_free(text);
}

static void sigrok_describe_group(struct sigrok *s, const struct sr_channel_group *group)
{
	GArray *keys = sr_dev_options(s->driver, s->device, group);

	for (guint i = 0; keys && i < keys->len; i++)
		sigrok_describe_key(s, group, g_array_index(keys, uint32_t, i));
	if (keys)
		g_array_free(keys, TRUE);
}

void sigrok_describe(struct sigrok *s)
{
	sigrok_describe_group(s, NULL);
	for (GSList *l = sr_dev_inst_channel_groups_get(s->device); l; l = l->next)
		sigrok_describe_group(s, l->data);
}

/* A spec for this one meter: as it was given if it names its connection. */
static void sigrok_tell_spec(struct sigrok *s, const struct sr_dev_inst *device)
{
	const char *conn = sr_dev_inst_connid_get(device);
	GString *spec = g_string_new(s->spec->driver);

	if (conn && *conn && !meter_spec_get(s->spec, "conn"))
		g_string_append_printf(spec, ":conn=%s", conn);
	for (size_t i = 0; i < s->spec->options_n; i++)
		g_string_append_printf(spec, ":%s=%s", s->spec->options[i].key,
				       s->spec->options[i].value);
	meter_link_event(s->link, METER_EVENT_OPTION, "%s", spec->str);
	g_string_free(spec, TRUE);
}

void meter_sigrok_scan(const struct meter_spec *spec, struct meter_link *link)
{
	struct sigrok s = {.spec = spec, .link = link};
	GSList *found;

	sigrok_init(&s);
	sigrok_find_driver(&s);
	found = sigrok_find_devices(&s);
	for (GSList *l = found; l; l = l->next) {
		struct meter_identity identity = sigrok_identity(l->data);

		sigrok_tell_spec(&s, l->data);
		meter_link_ready(link, &identity);
	}
	g_slist_free(found);
}

static bool sigrok_reads_instruments(const struct sr_dev_driver *driver)
{
	static const uint32_t functions[] = {SR_CONF_MULTIMETER,   SR_CONF_POWERMETER,
					     SR_CONF_POWER_SUPPLY, SR_CONF_ELECTRONIC_LOAD,
					     SR_CONF_ENERGYMETER,  SR_CONF_THERMOMETER,
					     SR_CONF_DEMO_DEV};
	GArray *keys = sr_dev_options(driver, NULL, NULL);
	bool found = false;

	for (guint i = 0; keys && i < keys->len; i++) {
		for (size_t k = 0; k < sizeof(functions) / sizeof(functions[0]); k++)
			found = found || g_array_index(keys, uint32_t, i) == functions[k];
	}
	if (keys)
		g_array_free(keys, TRUE);
	return found;
}

void meter_sigrok_list(struct meter_link *link)
{
	struct sigrok s = {.link = link};

	sigrok_init(&s);
	for (struct sr_dev_driver **list = sr_driver_list(s.context); list && *list; list++) {
		if (sigrok_reads_instruments(*list))
			meter_link_event(link, METER_EVENT_OPTION, "%s", (*list)->name);
	}
	sr_exit(s.context);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of a GPIO chip, by libgpiod (gpiod_api.h). */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gpiod_api.h"
#include "line_backend.h"
#include "permission.h"
#include "yaml_number.h"

#define CONSUMER "coldrig"

/* What the line was asked to be; as it was until it has to be something. */
enum mode { AS_FOUND, INPUT, WATCHED, OUTPUT };

struct gpio {
	struct lab_gpio wire; /* its strings are not kept */
	unsigned offset;
	enum mode mode;
	char text[LINE_TEXT_SIZE];
	struct gpiod_line_request *request;
	struct gpiod_edge_event_buffer *edge;
};

static int cannot(const struct gpio *gpio, const char *what, int code, struct err *why)
{
	if (code == -ENODEV)
		return err_set(why, code, "%s: the chip is gone: was it unplugged?", gpio->text);
	return err_set(why, code, "%s: cannot %s: %s", gpio->text, what, strerror(-code));
}

/* Is a chip called so? Its label need not be its own: a second one makes it ambiguous. */
static bool is_called(struct gpiod_chip *chip, const char *name, char *names, size_t size)
{
	struct gpiod_chip_info *info = gpiod.chip_get_info(chip);
	size_t n = strlen(names);
	bool is = false;

	if (!info)
		return false;
	is = strcmp(name, gpiod.chip_info_get_name(info)) == 0 ||
	     strcmp(name, gpiod.chip_info_get_label(info)) == 0;
	snprintf(names + n, size - n, "%s%s (%s)", n ? ", " : "", gpiod.chip_info_get_name(info),
		 gpiod.chip_info_get_label(info));
	gpiod.chip_info_free(info);
	return is;
}

struct search {
	const char *name;
	char path[64];	 /* of the one that was found */
	char names[200]; /* of all, for who mistyped one */
	size_t found;
	char denied[64]; /* path of the first that could not be looked at; "" for none */
};

static void look_at(struct search *s, const char *name)
{
	struct gpiod_chip *chip;
	char path[64];

	snprintf(path, sizeof(path), "/dev/%.50s", name);
	chip = gpiod.chip_open(path);
	if (!chip) {
		if (permission_is_denied(errno) && !s->denied[0])
			snprintf(s->denied, sizeof(s->denied), "%s", path);
		return;
	}
	if (is_called(chip, s->name, s->names, sizeof(s->names))) {
		s->found++;
		snprintf(s->path, sizeof(s->path), "%s", path);
	}
	gpiod.chip_close(chip);
}

static int why_not_found(const struct search *s, struct err *why)
{
	if (s->found > 1)
		return err_set(why, -EEXIST, "%zu chips are called %s (%s): write the path of one",
			       s->found, s->name, s->names);
	/* It may be the one that is meant. */
	if (s->denied[0])
		return permission_err(s->denied, why);
	return err_set(why, -ENOENT, "no GPIO chip is called %s: %s%s", s->name,
		       *s->names ? "there are "
				 : "there is none: is it plugged in, and its module loaded?",
		       s->names);
}

static int find_chip(const char *name, char path[static 64], struct err *why)
{
	struct search s = {.name = name};
	const struct dirent *entry;
	DIR *dev;

	if (name[0] == '/') {
		snprintf(path, 64, "%s", name);
		return 0;
	}
	dev = opendir("/dev");
	while (dev && (entry = readdir(dev))) {
		if (strncmp(entry->d_name, "gpiochip", 8) == 0)
			look_at(&s, entry->d_name);
	}
	if (dev)
		closedir(dev);
	if (s.found != 1)
		return why_not_found(&s, why);
	snprintf(path, 64, "%s", s.path);
	return 0;
}

static int open_chip(const char *path, struct gpiod_chip **chip, struct err *why)
{
	*chip = gpiod.chip_open(path);
	if (*chip)
		return 0;
	if (permission_is_denied(errno))
		return permission_err(path, why);
	if (errno == ENOENT)
		return err_set(why, -ENOENT,
			       "%s: not there: is it plugged in, and its module loaded?", path);
	return err_set(why, -errno, "%s: not a GPIO chip: %s", path, strerror(errno));
}

/* By its name, else by its number. */
static int find_line(struct gpiod_chip *chip, const char *line, unsigned *offset, struct err *why)
{
	const char *path = gpiod.chip_get_path(chip);
	struct gpiod_chip_info *info;
	size_t lines_n;
	uint64_t number;
	int named = gpiod.chip_get_line_offset_from_name(chip, line);

	if (named >= 0) {
		*offset = (unsigned)named;
		return 0;
	}
	info = gpiod.chip_get_info(chip);
	if (!info)
		return err_set(why, -errno, "%s: %s", path, strerror(errno));
	lines_n = gpiod.chip_info_get_num_lines(info);
	gpiod.chip_info_free(info);
	if (yaml_number_count(line, &number, NULL) == 0 && number < lines_n) {
		*offset = (unsigned)number;
		return 0;
	}
	return err_set(
		why, -ENOENT,
		"%s: no line is called %s: 'gpioinfo' shows their names; their numbers are 0 "
		"to %zu",
		path, line, lines_n - 1);
}

static void describe_found(struct gpio *gpio, struct gpiod_chip *chip, struct gpiod_line_info *info)
{
	struct gpiod_chip_info *chip_info = gpiod.chip_get_info(chip);
	const char *name = gpiod.line_info_get_name(info);

	snprintf(gpio->text, sizeof(gpio->text), "%.60s (%.60s) line %u%s%.30s",
		 chip_info ? gpiod.chip_info_get_label(chip_info) : "?", gpiod.chip_get_path(chip),
		 gpio->offset, name ? " " : "", name ? name : "");
	gpiod.chip_info_free(chip_info);
}

/* An input may be told so at once, and its bias; an output stays what it is until it is driven. */
static int check_info(struct gpio *gpio, struct gpiod_chip *chip, bool is_input, enum mode *mode,
		      struct err *why)
{
	struct gpiod_line_info *info = gpiod.chip_get_line_info(chip, gpio->offset);
	int r = 0;

	if (!info)
		return err_set(why, -errno, "%s: line %u: %s", gpiod.chip_get_path(chip),
			       gpio->offset, strerror(errno));
	describe_found(gpio, chip, info);
	*mode = AS_FOUND;
	if (is_input || (gpio->wire.bias != LAB_BIAS_AS_IS &&
			 gpiod.line_info_get_direction(info) == GPIOD_LINE_DIRECTION_INPUT))
		*mode = INPUT;
	if (gpiod.line_info_is_used(info)) {
		const char *user = gpiod.line_info_get_consumer(info);

		r = err_set(why, -EBUSY,
			    "%s: in use by %s: end that program or driver, or wire another line",
			    gpio->text, user ? user : "somebody");
	}
	gpiod.line_info_free(info);
	return r;
}

static enum gpiod_line_bias bias_of(enum lab_bias bias)
{
	static const enum gpiod_line_bias values[LAB_BIAS_COUNT] = {
		[LAB_BIAS_AS_IS] = GPIOD_LINE_BIAS_AS_IS,
		[LAB_BIAS_NONE] = GPIOD_LINE_BIAS_DISABLED,
		[LAB_BIAS_PULL_UP] = GPIOD_LINE_BIAS_PULL_UP,
		[LAB_BIAS_PULL_DOWN] = GPIOD_LINE_BIAS_PULL_DOWN,
	};

	return values[bias];
}

static void fill_settings(struct gpiod_line_settings *settings, const struct lab_gpio *wire,
			  enum mode mode, bool active)
{
	gpiod.line_settings_set_active_low(settings, wire->active_low);
	if (mode == AS_FOUND)
		return; /* the kernel takes neither bias nor drive without a direction */
	gpiod.line_settings_set_direction(settings, mode == OUTPUT ? GPIOD_LINE_DIRECTION_OUTPUT
								   : GPIOD_LINE_DIRECTION_INPUT);
	gpiod.line_settings_set_bias(settings, bias_of(wire->bias));
	if (mode == OUTPUT) {
		gpiod.line_settings_set_output_value(settings, active ? GPIOD_LINE_VALUE_ACTIVE
								      : GPIOD_LINE_VALUE_INACTIVE);
		gpiod.line_settings_set_drive(settings, wire->open_drain
								? GPIOD_LINE_DRIVE_OPEN_DRAIN
								: GPIOD_LINE_DRIVE_PUSH_PULL);
	}
	if (mode == WATCHED) {
		gpiod.line_settings_set_edge_detection(settings, GPIOD_LINE_EDGE_BOTH);
		gpiod.line_settings_set_event_clock(settings, GPIOD_LINE_CLOCK_MONOTONIC);
	}
}

static struct gpiod_line_config *config_of(const struct gpio *gpio, enum mode mode, bool active)
{
	struct gpiod_line_settings *settings = gpiod.line_settings_new();
	struct gpiod_line_config *config = gpiod.line_config_new();

	if (settings && config) {
		fill_settings(settings, &gpio->wire, mode, active);
		if (gpiod.line_config_add_line_settings(config, &gpio->offset, 1, settings) == 0) {
			gpiod.line_settings_free(settings);
			return config;
		}
	}
	gpiod.line_settings_free(settings);
	gpiod.line_config_free(config);
	errno = ENOMEM;
	return NULL;
}

static int request_line(struct gpio *gpio, struct gpiod_chip *chip, enum mode mode, struct err *why)
{
	struct gpiod_line_config *config = config_of(gpio, mode, false);
	struct gpiod_request_config *request = gpiod.request_config_new();
	int code;

	if (config && request) {
		gpiod.request_config_set_consumer(request, CONSUMER);
		gpio->request = gpiod.chip_request_lines(chip, request, config);
	}
	code = -errno;
	gpiod.request_config_free(request);
	gpiod.line_config_free(config);
	gpio->mode = mode;
	if (gpio->request)
		return 0;
	if (code == -EINVAL || code == -ENOTSUP)
		return err_set(why, code,
			       "%s: the chip cannot do what the lab file asks for (bias %s): %s",
			       gpio->text, lab_bias_name(gpio->wire.bias), strerror(-code));
	return cannot(gpio, "get it", code, why);
}

static int become(struct gpio *gpio, enum mode mode, bool active, struct err *why)
{
	struct gpiod_line_config *config = config_of(gpio, mode, active);
	int code = 0;

	if (!config || gpiod.line_request_reconfigure_lines(gpio->request, config) < 0)
		code = -errno;
	gpiod.line_config_free(config);
	if (code == 0)
		gpio->mode = mode;
	return code ? cannot(gpio, mode == OUTPUT ? "make it an output" : "watch it", code, why)
		    : 0;
}

static int gpio_read(void *state, bool *active, struct err *why)
{
	struct gpio *gpio = state;
	enum gpiod_line_value value = gpiod.line_request_get_value(gpio->request, gpio->offset);

	if (value == GPIOD_LINE_VALUE_ERROR)
		return cannot(gpio, "read it", -errno, why);
	*active = value == GPIOD_LINE_VALUE_ACTIVE;
	return 0;
}

static int gpio_set(void *state, bool active, struct err *why)
{
	struct gpio *gpio = state;
	bool now = active;
	int r = 0;

	if (gpio->mode != OUTPUT)
		r = become(gpio, OUTPUT, active, why);
	else if (gpiod.line_request_set_value(gpio->request, gpio->offset,
					      active ? GPIOD_LINE_VALUE_ACTIVE
						     : GPIOD_LINE_VALUE_INACTIVE) < 0)
		r = cannot(gpio, "drive it", -errno, why);
	if (r < 0 || gpio->wire.open_drain)
		return r; /* what an open drain lets go of is not its own level */
	r = gpio_read(gpio, &now, why);
	if (r == 0 && now != active)
		r = err_set(why, -EIO,
			    "%s: it was driven and stays %s: does something else drive it?",
			    gpio->text, now == gpio->wire.active_low ? "low" : "high");
	return r;
}

static int gpio_watch(void *state, int *fd, struct err *why)
{
	struct gpio *gpio = state;
	int r = 0;

	if (gpio->mode == OUTPUT)
		return err_set(why, -EBUSY, "%s: it is driven: only an input can be watched",
			       gpio->text);
	if (!gpio->edge)
		gpio->edge = gpiod.edge_event_buffer_new(1);
	if (!gpio->edge)
		return err_set(why, -ENOMEM, "%s: %s", gpio->text, strerror(ENOMEM));
	r = become(gpio, WATCHED, false, why);
	*fd = gpiod.line_request_get_fd(gpio->request);
	return r;
}

static int gpio_take(void *state, struct line_edge *edge)
{
	struct gpio *gpio = state;
	struct gpiod_edge_event *event;
	int r = gpiod.line_request_wait_edge_events(gpio->request, 0);

	if (r > 0)
		r = gpiod.line_request_read_edge_events(gpio->request, gpio->edge, 1);
	if (r <= 0)
		return r < 0 ? -errno : 0;
	event = gpiod.edge_event_buffer_get_event(gpio->edge, 0);
	*edge = (struct line_edge){
		.active = gpiod.edge_event_get_event_type(event) == GPIOD_EDGE_EVENT_RISING_EDGE,
		.t_ns = (int64_t)gpiod.edge_event_get_timestamp_ns(event),
	};
	return 1;
}

static void gpio_describe(void *state, char text[static LINE_TEXT_SIZE])
{
	const struct gpio *gpio = state;

	snprintf(text, LINE_TEXT_SIZE, "%s", gpio->text);
}

static void gpio_close(void *state)
{
	struct gpio *gpio = state;

	if (gpio->request)
		gpiod.line_request_release(gpio->request);
	if (gpio->edge)
		gpiod.edge_event_buffer_free(gpio->edge);
	free(gpio);
}

static int gpio_open(const struct lab_line *line, void **state, struct err *why)
{
	struct gpio *gpio = calloc(1, sizeof(*gpio));
	struct gpiod_chip *chip = NULL;
	enum mode mode = AS_FOUND;
	char path[64];
	int r;

	if (!gpio)
		return err_set(why, -ENOMEM, "%s", strerror(ENOMEM));
	gpio->wire = line->gpio;
	r = gpiod_api_load(why);
	if (r == 0)
		r = find_chip(line->gpio.chip, path, why);
	if (r == 0)
		r = open_chip(path, &chip, why);
	if (r == 0)
		r = find_line(chip, line->gpio.line, &gpio->offset, why);
	if (r == 0)
		r = check_info(gpio, chip, line->is_input, &mode, why);
	if (r == 0)
		r = request_line(gpio, chip, mode, why);
	if (chip)
		gpiod.chip_close(chip);
	if (r == 0)
		*state = gpio;
	else
		gpio_close(gpio);
	return r;
}

const struct line_backend line_gpio_backend = {
	.open = gpio_open,
	.set = gpio_set,
	.read = gpio_read,
	.watch = gpio_watch,
	.take = gpio_take,
	.describe = gpio_describe,
	.close = gpio_close,
};

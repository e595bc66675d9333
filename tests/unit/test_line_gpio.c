/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The real libgpiod, on chips that answer the kernel's ioctls (linux/gpio.h, version 2). */
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>

#include "line_backend.h"
#include "test_umock.h"

#define LINES 4
#define USED  3 /* by somebody else */

/* The chip as its pins are. */
static struct {
	bool high[LINES];
	uint64_t flags[LINES]; /* GPIO_V2_LINE_FLAG_*, of the last request */
	bool stuck;	       /* pins do not follow */
	int fails;	       /* errno of what is asked of a requested line; 0: none */
	int requests, line;    /* which line is requested */
	int events;	       /* where edges are written to */
} chip;

static UMockdevTestbed *testbed;
static char line_path[256];

static int chip_info(const struct umock_ioctl *io)
{
	struct gpiochip_info *info = umock_memory(io->arg, 0, sizeof(*info));

	snprintf(info->name, sizeof(info->name), "%s",
		 strrchr(umockdev_ioctl_client_get_devnode(io->client), '/') + 1);
	snprintf(info->label, sizeof(info->label), "%s",
		 strcmp(info->name, "gpiochip2") ? "twin" : "cp2112_gpio");
	info->lines = LINES;
	return 0;
}

static int line_info(const struct umock_ioctl *io)
{
	struct gpio_v2_line_info *info = umock_memory(io->arg, 0, sizeof(*info));
	uint32_t offset = info->offset;

	if (offset >= LINES)
		return -EINVAL;
	memset(info, 0, sizeof(*info));
	info->offset = offset;
	info->flags = chip.flags[offset] ? chip.flags[offset] : GPIO_V2_LINE_FLAG_INPUT;
	if (offset == 2)
		strcpy(info->name, "PWR_BTN");
	if (offset == USED) {
		info->flags |= GPIO_V2_LINE_FLAG_USED;
		strcpy(info->consumer, "spi0 CS0");
	}
	return 0;
}

/* What the kernel refuses (gpiolib-cdev.c), and what it does. */
static int configure(const struct gpio_v2_line_config *config)
{
	const uint64_t directions = GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_OUTPUT;
	const uint64_t biases = GPIO_V2_LINE_FLAG_BIAS_PULL_UP | GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN |
				GPIO_V2_LINE_FLAG_BIAS_DISABLED;
	const uint64_t edges = GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING;

	if ((config->flags & biases) && !(config->flags & directions))
		return -EINVAL;
	if ((config->flags & edges) && !(config->flags & GPIO_V2_LINE_FLAG_INPUT))
		return -EINVAL;
	if ((config->flags & GPIO_V2_LINE_FLAG_OPEN_DRAIN) &&
	    !(config->flags & GPIO_V2_LINE_FLAG_OUTPUT))
		return -EINVAL;
	if (config->flags & GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN)
		return -ENOTSUP; /* this chip has no such */
	chip.flags[chip.line] = config->flags;
	for (uint32_t i = 0; i < config->num_attrs; i++) {
		if (config->attrs[i].attr.id == GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES && !chip.stuck)
			chip.high[chip.line] = (config->attrs[i].attr.values & 1) !=
					       !!(config->flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW);
	}
	return 0;
}

static int get_line(const struct umock_ioctl *io)
{
	struct gpio_v2_line_request *request = umock_memory(io->arg, 0, sizeof(*request));
	int r;

	if (request->num_lines != 1 || request->offsets[0] >= LINES)
		return -EINVAL;
	CU_ASSERT_STRING_EQUAL(request->consumer, "coldrig");
	if (request->offsets[0] == USED)
		return -EBUSY;
	chip.line = (int)request->offsets[0];
	r = configure(&request->config);
	if (r < 0)
		return r;
	chip.requests++;
	request->fd = open("/dev/gpioline", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return request->fd < 0 ? -errno : 0;
}

static int on_chip(const struct umock_ioctl *io)
{
	switch (io->request) {
	case GPIO_GET_CHIPINFO_IOCTL:
		return chip_info(io);
	case GPIO_V2_GET_LINEINFO_IOCTL:
		return line_info(io);
	case GPIO_V2_GET_LINE_IOCTL:
		return get_line(io);
	default:
		return -ENOTTY;
	}
}

static int on_line(const struct umock_ioctl *io)
{
	struct gpio_v2_line_values *values;
	const bool low_is_active = chip.flags[chip.line] & GPIO_V2_LINE_FLAG_ACTIVE_LOW;

	if (chip.fails)
		return -chip.fails;
	if (io->request == GPIO_V2_LINE_SET_CONFIG_IOCTL)
		return configure(umock_memory(io->arg, 0, sizeof(struct gpio_v2_line_config)));
	values = umock_memory(io->arg, 0, sizeof(*values));
	if (io->request == GPIO_V2_LINE_GET_VALUES_IOCTL) {
		values->bits = chip.high[chip.line] != low_is_active;
		return 0;
	}
	if (io->request != GPIO_V2_LINE_SET_VALUES_IOCTL)
		return -ENOTTY;
	if (!(chip.flags[chip.line] & GPIO_V2_LINE_FLAG_OUTPUT))
		return -EPERM;
	if (!chip.stuck)
		chip.high[chip.line] = (values->bits & 1) != low_is_active;
	return 0;
}

static umock_handler chip_handler = on_chip, line_handler = on_line;

static void add_chip(const char *name, const char *minor)
{
	char node[64], text[256];

	snprintf(text, sizeof(text),
		 "P: /devices/%s\nN: %s\nE: SUBSYSTEM=gpio\nE: DEVNAME=/dev/%s\nE: MAJOR=254\nE: "
		 "MINOR=%s\n"
		 "A: dev=254:%s\n",
		 name, name, name, minor, minor);
	CU_ASSERT_FATAL(umockdev_testbed_add_from_string(testbed, text, NULL));
	snprintf(node, sizeof(node), "/dev/%s", name);
	umock_attach(testbed, node, &chip_handler);
}

/* A requested line is a descriptor of its own: a pipe, for its edges to be polled and read. */
static void set_up(void)
{
	gchar *root;

	memset(&chip, 0, sizeof(chip));
	testbed = umockdev_testbed_new();
	add_chip("gpiochip0", "0");
	add_chip("gpiochip1", "1");
	add_chip("gpiochip2", "2");
	root = umockdev_testbed_get_root_dir(testbed);
	snprintf(line_path, sizeof(line_path), "%s/dev/gpioline", root);
	g_free(root);
	CU_ASSERT_EQUAL_FATAL(mkfifo(line_path, 0600), 0);
	umock_attach(testbed, "/dev/gpioline", &line_handler);
}

static void tear_down(void)
{
	g_object_unref(testbed);
}

static struct lab_line wire(const char *line)
{
	static char name[32], label[] = "cp2112_gpio";

	snprintf(name, sizeof(name), "%s", line);
	return (struct lab_line){.kind = LAB_LINE_GPIO, .gpio = {.chip = label, .line = name}};
}

static void *open_line(const struct lab_line *line)
{
	struct err err = {""};
	void *state = NULL;

	CU_ASSERT_EQUAL(line_gpio_backend.open(line, &state, &err), 0);
	CU_ASSERT_STRING_EQUAL(err.text, "");
	return state;
}

static bool read_line(void *state)
{
	bool active = false;

	CU_ASSERT_EQUAL(line_gpio_backend.read(state, &active, NULL), 0);
	return active;
}

static void an_opened_line_is_left_as_it_is(void)
{
	struct lab_line line = wire("1");
	char text[LINE_TEXT_SIZE];
	void *state;

	set_up();
	chip.high[1] = true;
	state = open_line(&line);
	CU_ASSERT_EQUAL(chip.requests, 1);
	CU_ASSERT_EQUAL(chip.flags[1], 0);
	CU_ASSERT_TRUE(read_line(state));
	line_gpio_backend.describe(state, text);
	CU_ASSERT_STRING_EQUAL(text, "cp2112_gpio (/dev/gpiochip2) line 1");
	line_gpio_backend.close(state);
	tear_down();
}

static void a_driven_line_follows_and_is_verified(void)
{
	struct lab_line line = wire("PWR_BTN");
	struct err err = {""};
	void *state;

	set_up();
	line.gpio.active_low = true;
	chip.high[2] = true;
	state = open_line(&line);
	CU_ASSERT_EQUAL(line_gpio_backend.set(state, true, NULL), 0);
	CU_ASSERT_FALSE(chip.high[2]);
	CU_ASSERT(chip.flags[2] & GPIO_V2_LINE_FLAG_OUTPUT);
	CU_ASSERT_TRUE(read_line(state));
	CU_ASSERT_EQUAL(line_gpio_backend.set(state, false, NULL), 0);
	CU_ASSERT_TRUE(chip.high[2]);
	chip.stuck = true;
	CU_ASSERT_EQUAL(line_gpio_backend.set(state, true, &err), -EIO);
	CU_ASSERT_STRING_EQUAL(err.text,
			       "cp2112_gpio (/dev/gpiochip2) line 2 PWR_BTN: it was driven and "
			       "stays high: does something else drive it?");
	line_gpio_backend.close(state);
	tear_down();
}

static void an_open_drain_is_never_driven_high(void)
{
	struct lab_line line = wire("0");
	void *state;

	set_up();
	line.gpio.open_drain = true;
	line.gpio.bias = LAB_BIAS_PULL_UP;
	state = open_line(&line);
	CU_ASSERT_EQUAL(chip.flags[0], GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_BIAS_PULL_UP);
	CU_ASSERT_EQUAL(line_gpio_backend.set(state, true, NULL), 0);
	CU_ASSERT_EQUAL(chip.flags[0], GPIO_V2_LINE_FLAG_OUTPUT | GPIO_V2_LINE_FLAG_OPEN_DRAIN |
					       GPIO_V2_LINE_FLAG_BIAS_PULL_UP);
	line_gpio_backend.close(state);
	tear_down();
}

static void put_edge(enum gpio_v2_line_event_id id, uint64_t t_ns)
{
	struct gpio_v2_line_event event = {.timestamp_ns = t_ns, .id = id, .offset = 1};
	int fd = open(line_path, O_WRONLY | O_NONBLOCK);

	CU_ASSERT_EQUAL(write(fd, &event, sizeof(event)), sizeof(event));
	close(fd);
}

static void edges_have_the_times_of_the_kernel(void)
{
	struct lab_line line = wire("1");
	struct line_edge edge;
	struct err err = {""};
	void *state;
	int fd = -1;

	set_up();
	line.is_input = true;
	state = open_line(&line);
	CU_ASSERT_EQUAL(chip.flags[1], GPIO_V2_LINE_FLAG_INPUT);
	CU_ASSERT_EQUAL(line_gpio_backend.watch(state, &fd, NULL), 0);
	CU_ASSERT_EQUAL(chip.flags[1], GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING |
					       GPIO_V2_LINE_FLAG_EDGE_FALLING);
	CU_ASSERT_EQUAL(line_gpio_backend.take(state, &edge), 0);
	put_edge(GPIO_V2_LINE_EVENT_RISING_EDGE, 123456789012345);
	put_edge(GPIO_V2_LINE_EVENT_FALLING_EDGE, 123456789999999);
	CU_ASSERT_EQUAL(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 1000), 1);
	CU_ASSERT_EQUAL(line_gpio_backend.take(state, &edge), 1);
	CU_ASSERT_TRUE(edge.active);
	CU_ASSERT_EQUAL(edge.t_ns, 123456789012345);
	CU_ASSERT_EQUAL(line_gpio_backend.take(state, &edge), 1);
	CU_ASSERT_FALSE(edge.active);
	CU_ASSERT_EQUAL(edge.t_ns, 123456789999999);
	CU_ASSERT_EQUAL(line_gpio_backend.take(state, &edge), 0);
	line_gpio_backend.close(state);

	line.is_input = false;
	state = open_line(&line);
	CU_ASSERT_EQUAL(line_gpio_backend.set(state, true, NULL), 0);
	CU_ASSERT_EQUAL(line_gpio_backend.watch(state, &fd, &err), -EBUSY);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "only an input can be watched"));
	line_gpio_backend.close(state);
	tear_down();
}

static void what_is_wrong_is_told_with_what_to_do(void)
{
	static const struct {
		const char *chip, *line;
		enum lab_bias bias;
		int code;
		const char *words;
	} rows[] = {
		{"cp2112", "0", 0, -ENOENT, "no GPIO chip is called cp2112: there are gpiochip"},
		{"twin", "0", 0, -EEXIST, "2 chips are called twin ("},
		{"/dev/gpiochip9", "0", 0, -ENOENT, "/dev/gpiochip9: not there: is it plugged in"},
		{"gpiochip2", "PWR", 0, -ENOENT,
		 "/dev/gpiochip2: no line is called PWR: 'gpioinfo' shows their names; their "
		 "numbers are 0 to 3"},
		{"gpiochip2", "4", 0, -ENOENT, "no line is called 4"},
		{"gpiochip2", "3", 0, -EBUSY,
		 "line 3: in use by spi0 CS0: end that program or driver, or wire another line"},
		{"gpiochip2", "1", LAB_BIAS_PULL_DOWN, -ENOTSUP,
		 "the chip cannot do what the lab file asks for (bias pull-down)"},
	};

	set_up();
	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct lab_line line = wire(rows[i].line);
		struct err err = {""};
		void *state = NULL;

		line.gpio.chip = (char *)rows[i].chip;
		line.gpio.bias = rows[i].bias;
		CU_ASSERT_EQUAL(line_gpio_backend.open(&line, &state, &err), rows[i].code);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, rows[i].words));
		if (!strstr(err.text, rows[i].words))
			printf("\n  said: %s\n", err.text);
	}
	tear_down();
}

static void a_chip_that_is_unplugged_is_told(void)
{
	struct lab_line line = wire("1");
	struct err err = {""};
	bool active;
	void *state;

	set_up();
	state = open_line(&line);
	chip.fails = ENODEV;
	CU_ASSERT_EQUAL(line_gpio_backend.read(state, &active, &err), -ENODEV);
	CU_ASSERT_STRING_EQUAL(err.text,
			       "cp2112_gpio (/dev/gpiochip2) line 1: the chip is gone: was it "
			       "unplugged?");
	CU_ASSERT_EQUAL(line_gpio_backend.set(state, true, &err), -ENODEV);
	line_gpio_backend.close(state);
	tear_down();
}

static const struct unit_case cases[] = {
	{"an opened line is left as it is", an_opened_line_is_left_as_it_is},
	{"a driven line follows, and is verified", a_driven_line_follows_and_is_verified},
	{"an open drain is never driven high", an_open_drain_is_never_driven_high},
	{"edges have the times of the kernel", edges_have_the_times_of_the_kernel},
	{"what is wrong is told with what to do", what_is_wrong_is_told_with_what_to_do},
	{"a chip that is unplugged is told", a_chip_that_is_unplugged_is_told},
};

int main(int argc, char **argv)
{
	(void)argc;
	umock_preload(argv);
	return unit_run("line gpio", cases, UNIT_COUNT(cases));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "meter_wish.h"

#include <signal.h>

#include "cmd_meter.h"

#define DEFAULT_RATE_HZ 10.0
#define SILENCE_NS	2000000000

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

void meter_wish_catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

bool meter_wish_is_over(void)
{
	return interrupted;
}

int meter_wish_quantity(const char *subcommand, const char *option, const char *text,
			enum yaml_quantity quantity, double *out)
{
	struct err why;

	if (yaml_number_quantity(text, quantity, out, &why) < 0)
		return cmd_meter_usage(subcommand, "%s %s: %s", option, text, why.text);
	if (*out > 0)
		return 0;
	return cmd_meter_usage(subcommand, "%s %s: must be more than 0", option, text);
}

static int take_channel(const char *subcommand, const char *name, struct meter_wish *w)
{
	if (w->channels_n == METER_WISH_CHANNELS_MAX)
		return cmd_meter_usage(subcommand, "too many channels");
	w->channels[w->channels_n++] = name;
	return 0;
}

int meter_wish_parse(int argc, char **argv, const struct option *table, meter_wish_own *own,
		     void *context, struct meter_wish *w)
{
	const char *name = argv[0];
	int c, r = 0;

	*w = (struct meter_wish){0};
	opterr = 0;
	optind = 1;
	while (r == 0 && (c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'l')
			w->lab = optarg;
		else if (c == 'c')
			r = take_channel(name, optarg, w);
		else if (c == 'r')
			r = meter_wish_quantity(name, "--rate", optarg, YAML_RATE, &w->rate_hz);
		else if (c == 's')
			r = cmd_meter_start_limit(name, optarg, &w->start_ns);
		else if (c == 'j')
			w->is_json = true;
		else if (c != '?' && own)
			r = own(c, optarg, context);
		else
			r = cmd_meter_usage(name, "%s: not an option, or its value is missing",
					    argv[optind - 1]);
	}
	if (r == 0 && optind + 1 != argc)
		r = cmd_meter_usage(name, "one %s wanted", w->lab ? "meter's name" : "SPEC");
	w->word = argv[optind];
	return r;
}

struct meter_options meter_wish_options(const struct meter_wish *w,
					const struct meter_choice *choice)
{
	double rate_hz = choice->meter ? choice->meter->rate_hz : DEFAULT_RATE_HZ;

	return (struct meter_options){
		.spec = choice->spec,
		.channels = w->channels,
		.channels_n = w->channels_n,
		.rate_hz = w->rate_hz > 0 ? w->rate_hz : rate_hz,
		.silence_ns = SILENCE_NS,
		.start_ns = meter_choice_start_ns(choice, w->start_ns),
	};
}

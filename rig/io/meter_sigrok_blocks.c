/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drivers that deliver at a rate of their own, thousands of values a packet. */
#include "meter_sigrok.h"

#include <string.h>

static const struct sigrok_quirk {
	const char *name;
	/* Delivers frames and does not tell when they were sampled; ends after one of them if it is not
	 * told otherwise. */
	bool frames;
	bool leaks; /* makes a list of channels for each packet and forgets it */
} quirks[] = {
	{"hameg-hmo", true, false},
	{"demo", false, true},
};

static bool blocks_can_set(const struct sigrok *s, uint32_t key)
{
	return (unsigned)sr_dev_config_capabilities_list(s->device, NULL, (int)key) & SR_CONF_SET;
}

static void blocks_set(struct sigrok *s, uint32_t key, uint64_t value)
{
	GVariant *data = g_variant_ref_sink(g_variant_new_uint64(value));

	if (!blocks_can_set(s, key) || sr_config_set(s->device, NULL, key, data) != SR_OK)
		meter_link_event(s->link, METER_EVENT_NOTE, "the driver takes no %s",
				 sr_key_info_get(SR_KEY_CONFIG, key)->id);
	g_variant_unref(data);
}

static uint64_t blocks_rate(struct sigrok *s)
{
	GVariant *value = NULL;
	uint64_t rate_hz = 0;

	if (sr_config_get(s->driver, s->device, NULL, SR_CONF_SAMPLERATE, &value) == SR_OK &&
	    value) {
		if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64))
			rate_hz = g_variant_get_uint64(value);
		g_variant_unref(value);
	}
	return rate_hz;
}

static const struct sigrok_quirk *blocks_quirk(const struct sigrok *s)
{
	for (size_t i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++) {
		if (strcmp(s->spec->driver, quirks[i].name) == 0)
			return &quirks[i];
	}
	return NULL;
}

/* A scope's frame may have been sampled long before it was asked for. */
void sigrok_check_frames(struct sigrok *s)
{
	const struct sigrok_quirk *quirk = blocks_quirk(s);

	if (!quirk || !quirk->frames || s->options->describe)
		return;
	if (!s->options->blocks)
		meter_link_hopeless(s->link,
				    "%s delivers frames and does not tell when they were sampled: "
				    "'coldrig meter record' takes them, a run cannot",
				    quirk->name);
	meter_link_event(
		s->link, METER_EVENT_NOTE,
		"%s does not tell when a frame was sampled: its values have the time when it "
		"came, and may be older",
		quirk->name);
}

void sigrok_start_blocks(struct sigrok *s)
{
	uint64_t rate_hz = s->polled ? 0 : blocks_rate(s);
	const struct sigrok_quirk *quirk = blocks_quirk(s);

	if (!rate_hz)
		return;
	if (s->options->block_limit)
		blocks_set(s, SR_CONF_LIMIT_SAMPLES, s->options->block_limit);
	if (quirk && quirk->frames) {
		if (!s->options->block_limit)
			blocks_set(s, SR_CONF_LIMIT_SAMPLES, UINT64_MAX);
		blocks_set(s, SR_CONF_LIMIT_FRAMES, UINT64_MAX);
	}
	s->block_lists_leak = quirk && quirk->leaks;
	s->blocks = meter_blocks_new(s->link, s->channels_n, rate_hz, s->options->block_limit);
	if (!s->blocks)
		meter_link_lost(s->link, "no memory");
}

/* The driver's own buffer where it holds floats as this machine has them; else theirs in scratch. */
static const float *blocks_values(struct sigrok *s, const struct sr_datafeed_analog *analog,
				  size_t n, float **scratch)
{
	const struct sr_analog_encoding *e = analog->encoding;

	if (e->is_float && e->unitsize == sizeof(float) &&
	    e->is_bigendian == (G_BYTE_ORDER == G_BIG_ENDIAN) && e->scale.p == 1 &&
	    e->scale.q == 1 && e->offset.p == 0)
		return analog->data;
	*scratch = g_new(float, n);
	if (sr_analog_to_float(analog, *scratch) != SR_OK)
		sigrok_lost(s, "values that cannot be read");
	return *scratch;
}

void sigrok_take_blocks(struct sigrok *s, const struct sr_datafeed_analog *analog)
{
	size_t channels_n = g_slist_length(analog->meaning->channels), k = 0;
	int64_t now_ns = meter_now_ns();
	float *scratch = NULL;
	const float *values =
		blocks_values(s, analog, (size_t)analog->num_samples * channels_n, &scratch);

	for (GSList *l = analog->meaning->channels; l; l = l->next, k++) {
		struct sigrok_channel *channel = sigrok_channel(s, l->data);

		if (!channel)
			continue;
		sigrok_check_unit(s, channel, (int)analog->meaning->unit);
		meter_blocks_add(s->blocks, (size_t)(channel - s->channels), values + k, channels_n,
				 analog->num_samples, now_ns);
	}
	g_free(scratch);
	if (s->block_lists_leak) {
		g_slist_free(analog->meaning->channels);
		analog->meaning->channels = NULL;
	}
}

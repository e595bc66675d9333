/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libgpiod 2, loaded by the first line that needs it: where it is missing, or is 1.x, which is another
 * library, that is told of this line, and all else works. The only includer of libgpiod.
 */
#ifndef COLDRIG_GPIOD_API_H
#define COLDRIG_GPIOD_API_H

#include <gpiod.h>

#include "err.h"

/* clang-format off */
#define GPIOD_FUNCTIONS \
	X(chip_close) X(chip_get_info) X(chip_get_line_info) X(chip_get_line_offset_from_name) \
	X(chip_get_path) X(chip_info_free) X(chip_info_get_label) X(chip_info_get_name) \
	X(chip_info_get_num_lines) X(chip_open) X(chip_request_lines) \
	X(edge_event_buffer_free) X(edge_event_buffer_get_event) X(edge_event_buffer_new) \
	X(edge_event_get_event_type) X(edge_event_get_timestamp_ns) \
	X(line_config_add_line_settings) X(line_config_free) X(line_config_new) \
	X(line_info_free) X(line_info_get_consumer) X(line_info_get_direction) \
	X(line_info_get_name) X(line_info_is_used) X(line_request_get_fd) \
	X(line_request_get_value) X(line_request_read_edge_events) \
	X(line_request_reconfigure_lines) X(line_request_release) X(line_request_set_value) \
	X(line_request_wait_edge_events) X(line_settings_free) X(line_settings_new) \
	X(line_settings_set_active_low) X(line_settings_set_bias) \
	X(line_settings_set_direction) X(line_settings_set_drive) \
	X(line_settings_set_edge_detection) X(line_settings_set_event_clock) \
	X(line_settings_set_output_value) X(request_config_free) X(request_config_new) \
	X(request_config_set_consumer)
/* clang-format on */

/* gpiod.chip_open is gpiod_chip_open(), and so on. */
#define X(name) __typeof__(gpiod_##name) *name;
struct gpiod_api {
	GPIOD_FUNCTIONS
};
#undef X

extern struct gpiod_api gpiod;

/* To be called before the first of them. -ENOTSUP: the words say what is there, and what to install. */
int gpiod_api_load(struct err *why);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What carries out the probe's own commands, each with what tells its cases apart. */
#ifndef PROBE_COMMANDS_H
#define PROBE_COMMANDS_H

#include "dialog.h"

/* which: enum dialog_quantity for the first two, enum time_of for the times. */
enum time_of { TIME_NOW, TIME_FIRST, TIME_LAST };
dialog_handler commands_measure;
dialog_handler commands_fetch;
dialog_handler commands_energy;
dialog_handler commands_clear_energy;
dialog_handler commands_tell_time;
dialog_handler commands_fetch_buffer;
dialog_handler commands_clear_buffer;

/* which: enum output_question, enum settings_field, enum sampling. */
enum output_question { OUTPUT_ON, OUTPUT_TRIPPED, OUTPUT_MISSED };
enum sampling { SAMPLING_RATE, SAMPLING_AVERAGE };
dialog_handler commands_operate;
dialog_handler commands_tell_outputs;
dialog_handler commands_clear_trips;
dialog_handler commands_set_field;
dialog_handler commands_tell_field;
dialog_handler commands_store;
dialog_handler commands_set_sampling;
dialog_handler commands_tell_sampling;

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The conversation on the serial line: bytes in, commands found and carried out, answers out.
 *
 * A line holds commands, separated by ';', each written in full; it ends with LF, CR before it is
 * dropped. Answers to one line are joined by ';' and end with LF. What is not understood goes to
 * the error queue and is not answered.
 */
#ifndef PROBE_DIALOG_H
#define PROBE_DIALOG_H

#include "errqueue.h"
#include "sampler.h"
#include "words.h"

#define DIALOG_LINE_MAX 255

struct dialog {
	const struct probe_board *board;
	struct settings *settings;
	struct sampler *sampler;
	struct errqueue errors;
	unsigned selected;    /* channel of a DP832, from 0 */
	uint64_t watchdog_us; /* outputs go off after so long without a command; 0: never */
	uint64_t last_command_us;
	uint64_t first_us,
		last_us;   /* of the latest MEASure: when its first and last sample were taken */
	bool settings_bad; /* what was stored was damaged or out of range */
	bool answered;	   /* this line already has an answer */
	bool overlong;
	size_t used;
	char line[DIALOG_LINE_MAX];
};

/* Takes the stored settings, or the defaults; all three stay the caller's. */
void dialog_start(struct dialog *dialog, const struct probe_board *board, struct settings *settings,
		  struct sampler *sampler);

void dialog_byte(struct dialog *dialog, char byte);

/* What has to be looked at now and then: trips to be told, the watchdog. */
void dialog_poll(struct dialog *dialog);

/* For the tables of commands. */

typedef void dialog_handler(struct dialog *dialog, struct words *words, int which);

struct dialog_command {
	const char *header; /* ends the table where NULL */
	dialog_handler *handle;
	int which; /* tells the cases of one handler apart */
};

extern const struct dialog_command commands_common[]; /* of either identity */
extern const struct dialog_command commands_own[];
extern const struct dialog_command commands_dp832[];

void dialog_error(struct dialog *dialog, int number);

/* An answer begins: what belongs between it and the one before is sent. */
void dialog_answer(struct dialog *dialog);
void dialog_text(struct dialog *dialog, const char *text);
void dialog_number(struct dialog *dialog, int64_t millionths, unsigned decimals);
void dialog_integer(struct dialog *dialog, int64_t value);

/* No parameters left? Else an error is queued. */
bool dialog_end(struct dialog *dialog, struct words *words);

/* "(@...)" and then the end; where there is no list, all if that is meant. False with an error
 * queued. */
bool dialog_channels(struct dialog *dialog, struct words *words, bool or_all, uint32_t *mask);

/* A number within two others, in millionths; false with an error queued. */
bool dialog_take_number(struct dialog *dialog, struct words *words, int64_t least, int64_t most,
			int64_t *out);

/* An answer: the values of the channels in mask, SCPI's word where one is SAMPLER_NONE. */
void dialog_values(struct dialog *dialog, uint32_t mask,
		   const int64_t values[static PROBE_CHANNELS]);

/*
 * Readings of the channels in mask that begin now: one sample each, or, where the settings say so,
 * the average of as many ticks. False if sampling does not go on, which is queued.
 */
bool dialog_measure(struct dialog *dialog, uint32_t mask,
		    struct reading readings[static PROBE_CHANNELS]);

/* Waits for an average over the next ticks. False as above. */
bool dialog_await_ticks(struct dialog *dialog);

enum dialog_quantity { DIALOG_VOLT, DIALOG_CURR, DIALOG_POW };

/* SAMPLER_NONE if there is none. */
int64_t dialog_quantity(const struct reading *reading, enum dialog_quantity quantity);

#endif

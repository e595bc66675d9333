/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "errqueue.h"

static const struct {
	int number;
	const char *text;
} texts[] = {
	{SCPI_NO_ERROR, "No error"},
	{SCPI_SYNTAX, "Syntax error"},
	{SCPI_DATA_TYPE, "Data type error"},
	{SCPI_PARAMETER_NOT_ALLOWED, "Parameter not allowed"},
	{SCPI_MISSING_PARAMETER, "Missing parameter"},
	{SCPI_UNDEFINED_HEADER, "Undefined header"},
	{SCPI_SETTINGS_CONFLICT, "Settings conflict"},
	{SCPI_OUT_OF_RANGE, "Data out of range"},
	{SCPI_HARDWARE, "Hardware error"},
	{SCPI_HARDWARE_MISSING, "Hardware missing"},
	{SCPI_STORAGE, "Storage fault"},
	{SCPI_QUEUE_OVERFLOW, "Queue overflow"},
	{SCPI_INPUT_OVERRUN, "Input buffer overrun"},
	{SCPI_OVERCURRENT + 1, "Overcurrent, output 1 off"},
	{SCPI_OVERCURRENT + 2, "Overcurrent, output 2 off"},
	{SCPI_OVERCURRENT + 3, "Overcurrent, output 3 off"},
	{SCPI_OVERCURRENT + 4, "Overcurrent, output 4 off"},
	{SCPI_WATCHDOG, "No command in time, outputs off"},
};

void errqueue_push(struct errqueue *q, int number)
{
	if (q->n == ERRQUEUE_SIZE)
		q->numbers[ERRQUEUE_SIZE - 1] = SCPI_QUEUE_OVERFLOW;
	else
		q->numbers[q->n++] = number;
}

int errqueue_take(struct errqueue *q)
{
	int number = SCPI_NO_ERROR;

	if (q->n == 0)
		return number;
	number = q->numbers[0];
	q->n--;
	for (size_t i = 0; i < q->n; i++)
		q->numbers[i] = q->numbers[i + 1];
	return number;
}

void errqueue_clear(struct errqueue *q)
{
	q->n = 0;
}

const char *errqueue_text(int number)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].number == number)
			return texts[i].text;
	}
	return "";
}

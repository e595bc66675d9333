/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The name of a PCI function, as the kernel writes it in sysfs: DDDD:BB:DD.F, lower-case hex. */
#ifndef COLDRIG_BDF_H
#define COLDRIG_BDF_H

#include <stdbool.h>
#include <stdint.h>

#define BDF_TEXT_SIZE 13 /* 12 characters and a NUL */

struct bdf {
	uint16_t domain;
	uint8_t bus;
	uint8_t device;	  /* 0 to 31 */
	uint8_t function; /* 0 to 7 */
};

/* Accepts exactly DDDD:BB:DD.F in either case of hex; anything else, ranges included, is -EINVAL. */
int bdf_parse(const char *text, struct bdf *out);

/* Writes the kernel's form. */
void bdf_format(const struct bdf *bdf, char text[static BDF_TEXT_SIZE]);

#endif

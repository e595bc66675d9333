/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bdf.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int bdf_parse(const char *text, struct bdf *out)
{
	static const char form[] = "xxxx:xx:xx.x";
	unsigned long domain, bus, device, function;

	if (strlen(text) != sizeof(form) - 1)
		return -EINVAL;
	for (size_t i = 0; form[i]; i++) {
		if (form[i] == 'x' ? !isxdigit((unsigned char)text[i]) : text[i] != form[i])
			return -EINVAL;
	}
	domain = strtoul(text, NULL, 16);
	bus = strtoul(text + 5, NULL, 16);
	device = strtoul(text + 8, NULL, 16);
	function = strtoul(text + 11, NULL, 16);
	if (device > 31 || function > 7)
		return -EINVAL;
	*out = (struct bdf){
		.domain = (uint16_t)domain,
		.bus = (uint8_t)bus,
		.device = (uint8_t)device,
		.function = (uint8_t)function,
	};
	return 0;
}

void bdf_format(const struct bdf *bdf, char text[static BDF_TEXT_SIZE])
{
	snprintf(text, BDF_TEXT_SIZE, "%04x:%02x:%02x.%x", bdf->domain, bdf->bus,
		 bdf->device & 0x1fu, bdf->function & 0x7u);
}

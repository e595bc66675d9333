/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pack.h"
#include "unit.h"

static void the_checksum_is_the_well_known_one(void)
{
	CU_ASSERT_EQUAL(pack_crc32("123456789", 9), 0xcbf43926u);
	CU_ASSERT_EQUAL(pack_crc32("", 0), 0);
}

static void bytes_come_back_as_they_were(void)
{
	static const size_t sizes[] = {0, 1, 1000, 300000};
	static unsigned char in[300000], out[300000];

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (unsigned char)(i * i >> 7);
	for (size_t i = 0; i < UNIT_COUNT(sizes); i++) {
		void *packed = NULL;
		size_t n = 0;

		CU_ASSERT_EQUAL_FATAL(pack_deflate(in, sizes[i], &packed, &n), 0);
		CU_ASSERT_EQUAL(pack_inflate(packed, n, out, sizes[i]), 0);
		CU_ASSERT_EQUAL(memcmp(in, out, sizes[i]), 0);
		free(packed);
	}
}

static void zeros_become_small(void)
{
	static const char zeros[100000];
	void *packed = NULL;
	size_t n = 0;

	CU_ASSERT_EQUAL(pack_deflate(zeros, sizeof(zeros), &packed, &n), 0);
	CU_ASSERT(n < 1000);
	free(packed);
}

static void another_length_than_expected_is_refused(void)
{
	char out[20];
	void *packed = NULL;
	size_t n = 0;

	CU_ASSERT_EQUAL(pack_deflate("0123456789", 10, &packed, &n), 0);
	CU_ASSERT_EQUAL(pack_inflate(packed, n, out, 11), -EBADMSG);
	CU_ASSERT_EQUAL(pack_inflate(packed, n, out, 9), -EBADMSG);
	CU_ASSERT_EQUAL(pack_inflate(packed, n - 1, out, 10), -EBADMSG);
	CU_ASSERT_EQUAL(pack_inflate("garbage", 7, out, 10), -EBADMSG);
	CU_ASSERT_EQUAL(pack_inflate("", 0, out, 10), -EBADMSG);
	free(packed);
}

static const struct unit_case cases[] = {
	{"the checksum is the well-known one", the_checksum_is_the_well_known_one},
	{"bytes come back as they were", bytes_come_back_as_they_were},
	{"zeros become small", zeros_become_small},
	{"another length than expected is refused", another_length_than_expected_is_refused},
};

int main(void)
{
	return unit_run("pack", cases, UNIT_COUNT(cases));
}

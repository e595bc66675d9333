/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kimage.h"

#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "unit.h"

#define RELEASE "6.1.0-56-amd64"
#define VERSION "#1 SMP PREEMPT_DYNAMIC Debian 6.1.1-1 (2026-01-01)"
#define WHOLE	RELEASE " (builder@somewhere) " VERSION

/* Notes as the kernel lays them out: another one first, with a name that is padded. */
struct notes {
	Elf64_Nhdr other;
	char other_name[8];
	uint32_t other_text;
	Elf64_Nhdr id;
	char id_name[4];
	unsigned char bytes[20];
};

static struct notes good_notes(void)
{
	struct notes n = {
		.other = {.n_namesz = 6, .n_descsz = 3, .n_type = 1},
		.other_name = "Linux",
		.id = {.n_namesz = 4, .n_descsz = 20, .n_type = NT_GNU_BUILD_ID},
		.id_name = "GNU",
	};

	for (size_t i = 0; i < sizeof(n.bytes); i++)
		n.bytes[i] = (unsigned char)(0xa0 + i);
	return n;
}

static const char id_text[] = "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3";

static void a_bzimage_tells_its_version(void)
{
	char image[2048] = {0}, version[KIMAGE_VERSION_SIZE];

	memcpy(image + 0x202, "HdrS", 4);
	image[0x20f] = 2; /* at 0x200 + 0x200 */
	strcpy(image + 0x400, WHOLE);
	CU_ASSERT_EQUAL(kimage_version(image, sizeof(image), version), 0);
	CU_ASSERT_STRING_EQUAL(version, WHOLE);
	/* Cut off in the string, before it, before the header. */
	CU_ASSERT_EQUAL(kimage_version(image, 0x410, version), -ENOENT);
	CU_ASSERT_EQUAL(kimage_version(image, 0x300, version), -ENOENT);
	CU_ASSERT_EQUAL(kimage_version(image, 0x20f, version), -ENOENT);
	image[0x20f] = 0;
	CU_ASSERT_EQUAL(kimage_version(image, sizeof(image), version), -ENOENT);
	image[0x20f] = 2;
	memset(image + 0x400, 'x', KIMAGE_VERSION_SIZE);
	CU_ASSERT_EQUAL(kimage_version(image, sizeof(image), version), -ENOENT);
	image[0x202] = 'h';
	CU_ASSERT_EQUAL(kimage_version(image, sizeof(image), version), -ENOENT);
}

static void a_running_kernel_is_that_of_its_image(void)
{
	CU_ASSERT_TRUE(kimage_is(WHOLE, RELEASE, VERSION));
	CU_ASSERT_FALSE(kimage_is(WHOLE, "6.1.0-56-amd", VERSION));
	CU_ASSERT_FALSE(kimage_is(WHOLE, "6.1.0-57-amd64", VERSION));
	CU_ASSERT_FALSE(kimage_is(WHOLE, RELEASE, "#1 SMP PREEMPT_DYNAMIC Debian 6.1.2-1"));
	CU_ASSERT_FALSE(kimage_is(WHOLE, RELEASE, "(2026-01-02)"));
	CU_ASSERT_FALSE(kimage_is(WHOLE, RELEASE, "026-01-01)"));
	CU_ASSERT_FALSE(kimage_is(RELEASE, RELEASE, VERSION));
}

static void the_build_id_is_found_among_notes(void)
{
	struct notes notes = good_notes();
	char id[KIMAGE_BUILD_ID_SIZE];

	CU_ASSERT_EQUAL(kimage_notes_build_id(&notes, sizeof(notes), id), 0);
	CU_ASSERT_STRING_EQUAL(id, id_text);
	for (size_t n = 0; n < sizeof(notes); n++)
		CU_ASSERT_EQUAL(kimage_notes_build_id(&notes, n, id), -ENOENT);
	notes.id_name[0] = 'X';
	CU_ASSERT_EQUAL(kimage_notes_build_id(&notes, sizeof(notes), id), -ENOENT);
	notes = good_notes();
	notes.other.n_namesz = UINT32_MAX;
	CU_ASSERT_EQUAL(kimage_notes_build_id(&notes, sizeof(notes), id), -ENOENT);
	notes = good_notes();
	notes.other.n_descsz = UINT32_MAX;
	CU_ASSERT_EQUAL(kimage_notes_build_id(&notes, sizeof(notes), id), -ENOENT);
}

static void the_build_id_is_found_in_an_elf_image(void)
{
	struct {
		Elf64_Ehdr head;
		Elf64_Phdr parts[2];
		struct notes notes;
	} elf = {.notes = good_notes()};
	char id[KIMAGE_BUILD_ID_SIZE];

	memcpy(elf.head.e_ident, ELFMAG, SELFMAG);
	elf.head.e_ident[EI_CLASS] = ELFCLASS64;
	elf.head.e_ident[EI_DATA] = ELFDATA2LSB;
	elf.head.e_phoff = sizeof(elf.head);
	elf.head.e_phnum = 2;
	elf.parts[0].p_type = PT_LOAD;
	elf.parts[1].p_type = PT_NOTE;
	elf.parts[1].p_offset = offsetof(__typeof__(elf), notes);
	elf.parts[1].p_filesz = sizeof(elf.notes);
	CU_ASSERT_EQUAL(kimage_elf_build_id(&elf, sizeof(elf), id), 0);
	CU_ASSERT_STRING_EQUAL(id, id_text);
	for (size_t n = 0; n < elf.parts[1].p_offset + sizeof(elf.notes); n++)
		CU_ASSERT_EQUAL(kimage_elf_build_id(&elf, n, id), -ENOENT);
	elf.parts[1].p_offset = UINT64_MAX;
	CU_ASSERT_EQUAL(kimage_elf_build_id(&elf, sizeof(elf), id), -ENOENT);
	elf.head.e_phoff = UINT64_MAX;
	CU_ASSERT_EQUAL(kimage_elf_build_id(&elf, sizeof(elf), id), -ENOENT);
}

static void a_release_is_what_a_plan_asks_for(void)
{
	CU_ASSERT_TRUE(kimage_release_is(RELEASE, "6.1"));
	CU_ASSERT_TRUE(kimage_release_is(RELEASE, "6.1+series"));
	CU_ASSERT_TRUE(kimage_release_is(RELEASE, RELEASE));
	CU_ASSERT_TRUE(kimage_release_is(RELEASE, ""));
	CU_ASSERT_FALSE(kimage_release_is("6.12.1", "6.1"));
	CU_ASSERT_FALSE(kimage_release_is("5.10.0", "5.1"));
	CU_ASSERT_FALSE(kimage_release_is("6.1", "6.1.0"));
}

static const struct unit_case cases[] = {
	{"a bzImage tells its version", a_bzimage_tells_its_version},
	{"a running kernel is that of its image", a_running_kernel_is_that_of_its_image},
	{"the build id is found among notes", the_build_id_is_found_among_notes},
	{"the build id is found in an ELF image", the_build_id_is_found_in_an_elf_image},
	{"a release is what a plan asks for", a_release_is_what_a_plan_asks_for},
};

int main(void)
{
	return unit_run("kimage", cases, UNIT_COUNT(cases));
}

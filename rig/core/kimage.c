/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kimage.h"

#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Of the x86 boot protocol: the signature, and where the version string is, less BZIMAGE_BASE. */
#define BZIMAGE_MAGIC	 "HdrS"
#define BZIMAGE_MAGIC_AT 0x202
#define BZIMAGE_TEXT_AT	 0x20e
#define BZIMAGE_BASE	 0x200

#define NOTE_ALIGN   4
#define BUILD_ID_MAX 64

int kimage_version(const void *image, size_t n, char version[static KIMAGE_VERSION_SIZE])
{
	const unsigned char *bytes = image;
	size_t at, length;

	if (n < BZIMAGE_TEXT_AT + 2 ||
	    memcmp(bytes + BZIMAGE_MAGIC_AT, BZIMAGE_MAGIC, strlen(BZIMAGE_MAGIC)) != 0)
		return -ENOENT;
	at = (size_t)bytes[BZIMAGE_TEXT_AT] | (size_t)bytes[BZIMAGE_TEXT_AT + 1] << 8;
	if (at == 0)
		return -ENOENT;
	at += BZIMAGE_BASE;
	if (at >= n)
		return -ENOENT;
	length = strnlen((const char *)bytes + at, n - at);
	if (length == 0 || length == n - at || length >= KIMAGE_VERSION_SIZE)
		return -ENOENT;
	memcpy(version, bytes + at, length + 1);
	return 0;
}

bool kimage_is(const char *version_string, const char *release, const char *version)
{
	size_t whole = strlen(version_string), begin = strlen(release), end = strlen(version);

	return whole > begin + end && strncmp(version_string, release, begin) == 0 &&
	       version_string[begin] == ' ' && strcmp(version_string + whole - end, version) == 0 &&
	       version_string[whole - end - 1] == ' ';
}

static void to_hex(const unsigned char *bytes, size_t n, char *text)
{
	for (size_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

/* Rounded up as notes are; no more than n + NOTE_ALIGN - 1, so that it cannot wrap. */
static size_t aligned(size_t n)
{
	return (n + NOTE_ALIGN - 1) & ~(size_t)(NOTE_ALIGN - 1);
}

int kimage_notes_build_id(const void *notes, size_t n, char id[static KIMAGE_BUILD_ID_SIZE])
{
	const unsigned char *bytes = notes;
	Elf64_Nhdr head;
	size_t at = 0;

	while (n - at >= sizeof(head)) {
		const unsigned char *name, *desc;
		size_t left;

		memcpy(&head, bytes + at, sizeof(head));
		at += sizeof(head);
		left = n - at;
		if (aligned(head.n_namesz) > left || head.n_descsz > left - aligned(head.n_namesz))
			return -ENOENT;
		name = bytes + at;
		desc = name + aligned(head.n_namesz);
		if (head.n_type == NT_GNU_BUILD_ID && head.n_namesz == sizeof(ELF_NOTE_GNU) &&
		    memcmp(name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) == 0 && head.n_descsz > 0 &&
		    head.n_descsz <= BUILD_ID_MAX) {
			to_hex(desc, head.n_descsz, id);
			return 0;
		}
		at += aligned(head.n_namesz) + aligned(head.n_descsz);
		if (at > n)
			return -ENOENT;
	}
	return -ENOENT;
}

int kimage_elf_build_id(const void *image, size_t n, char id[static KIMAGE_BUILD_ID_SIZE])
{
	const unsigned char *bytes = image;
	Elf64_Ehdr head;
	Elf64_Phdr part;

	if (n < sizeof(head) || memcmp(bytes, ELFMAG, SELFMAG) != 0 ||
	    bytes[EI_CLASS] != ELFCLASS64 || bytes[EI_DATA] != ELFDATA2LSB)
		return -ENOENT;
	memcpy(&head, bytes, sizeof(head));
	for (size_t i = 0; i < head.e_phnum; i++) {
		if (head.e_phoff > n || (i + 1) * sizeof(part) > n - head.e_phoff)
			return -ENOENT;
		memcpy(&part, bytes + head.e_phoff + i * sizeof(part), sizeof(part));
		if (part.p_type != PT_NOTE || part.p_offset > n ||
		    part.p_filesz > n - part.p_offset)
			continue;
		if (kimage_notes_build_id(bytes + part.p_offset, part.p_filesz, id) == 0)
			return 0;
	}
	return -ENOENT;
}

bool kimage_release_is(const char *release, const char *wanted)
{
	size_t n = strcspn(wanted, "+");

	return n == 0 ||
	       (strncmp(release, wanted, n) == 0 && (release[n] < '0' || release[n] > '9'));
}

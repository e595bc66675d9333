/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which kernel an image is, and which one runs: read from bytes, without trusting them. Pure. */
#ifndef COLDRIG_KIMAGE_H
#define COLDRIG_KIMAGE_H

#include <stdbool.h>
#include <stddef.h>

#define KIMAGE_VERSION_SIZE  256
#define KIMAGE_BUILD_ID_SIZE 129 /* hexadecimal, of at most 64 bytes */

/*
 * The version string in the header of a bzImage, "RELEASE (BUILDER) VERSION". -ENOENT for what is no
 * bzImage or has none.
 */
int kimage_version(const void *image, size_t n, char version[static KIMAGE_VERSION_SIZE]);

/* Is that string the one of a kernel with this uname -r and uname -v? */
bool kimage_is(const char *version_string, const char *release, const char *version);

/* The GNU build id among ELF notes, as /sys/kernel/notes has them, in hexadecimal. -ENOENT. */
int kimage_notes_build_id(const void *notes, size_t n, char id[static KIMAGE_BUILD_ID_SIZE]);

/* The GNU build id of a 64-bit little-endian ELF image. -ENOENT for what is none or has none. */
int kimage_elf_build_id(const void *image, size_t n, char id[static KIMAGE_BUILD_ID_SIZE]);

/*
 * Does a release satisfy what a plan asks for? "6.1" takes 6.1.0-56-amd64 and not 6.12; what
 * follows a '+' names other modules, not another release. Nothing takes any.
 */
bool kimage_release_is(const char *release, const char *wanted);

#endif

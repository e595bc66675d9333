/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "boot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kimage.h"
#include "protocol.h"
#include "sending.h"

#define LOAD_LIMIT_NS INT64_C(70000000000) /* the agent gives up after 60 s */
#define APPEND_SIZE   2048

/* What the image itself says it is; "" where it cannot be told. */
struct identity {
	char version[KIMAGE_VERSION_SIZE];
	char build_id[KIMAGE_BUILD_ID_SIZE];
};

int boot_check_hello(const struct msg *hello, struct err *err)
{
	const char *why = msg_get_str(hello, "error");

	if (!msg_get_bool(hello, "ok", false))
		return err_set(err, -EPROTO, "the agent refused the greeting: %s",
			       why ? why : "no reason");
	if (msg_get_int(hello, "proto", -1) != PROTOCOL_VERSION)
		return err_set(err, -EPROTO, "the agent speaks protocol %lld, this program %d",
			       (long long)msg_get_int(hello, "proto", -1), PROTOCOL_VERSION);
	if (!msg_get_str(hello, "release") || !msg_get_str(hello, "version"))
		return err_set(err, -EPROTO, "the agent does not say which kernel runs");
	return 0;
}

static struct msg *step(const char *name)
{
	struct msg *body = msg_object();

	msg_set_str(body, "step", name);
	return body;
}

/* The files. */

static const char *path_of(const struct plan_kexec *kexec, enum payload_file file)
{
	const char *const paths[PAYLOAD_COUNT] = {
		[PAYLOAD_IMAGE] = kexec->image,
		[PAYLOAD_INITRD] = kexec->initrd,
		[PAYLOAD_CRASH_IMAGE] = kexec->crash_image,
		[PAYLOAD_CRASH_INITRD] = kexec->crash_initrd,
	};

	return paths[file];
}

static bool is_on_target(const char *path)
{
	return strncmp(path, PLAN_ON_TARGET, strlen(PLAN_ON_TARGET)) == 0;
}

static bool has_file(const struct boot *boot, enum payload_file file)
{
	return boot->payload || path_of(&boot->arm->kexec, file);
}

/* Open on this machine; -ENOENT without words for a file that only the target has. */
static int open_file(const struct boot *boot, enum payload_file file, struct err *err)
{
	const char *path = path_of(&boot->arm->kexec, file);
	int fd;

	if (boot->payload)
		return payload_open(boot->payload, file, err);
	if (!path || is_on_target(path))
		return -ENOENT;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_set(err, -EINVAL, "%s: %s", path, strerror(errno)) : fd;
}

/* Has the target have a file; *name is what the agent calls it. */
static int provide(const struct boot *boot, enum payload_file file, const char **name,
		   struct err *err)
{
	const char *path = path_of(&boot->arm->kexec, file);
	int fd, r;

	*name = NULL;
	if (!has_file(boot, file))
		return 0;
	if (!boot->payload && is_on_target(path)) {
		*name = path + strlen(PLAN_ON_TARGET);
		return 0;
	}
	*name = payload_name(file);
	fd = open_file(boot, file, err);
	if (fd < 0)
		return fd;
	r = sending_put(boot->rig, *name, fd, err);
	close(fd);
	return r;
}

/* The steps. */

static int load(const struct boot *boot, enum payload_file image, const char *kind,
		const char *append, struct err *err)
{
	const char *image_name, *initrd_name,
		*syscall = plan_syscall_name(boot->arm->kexec.syscall);
	struct msg *request, *answer, *body;
	int r = provide(boot, image, &image_name, err);

	if (r == 0)
		r = provide(boot, image + 1, &initrd_name, err);
	if (r < 0)
		return r;
	request = rig_request("kexec-load", NULL);
	msg_set_str(request, "kind", kind);
	msg_set_str(request, "syscall", syscall);
	msg_set_str(request, "image", image_name);
	if (initrd_name)
		msg_set_str(request, "initrd", initrd_name);
	if (append)
		msg_set_str(request, "append", append);
	r = rig_ask_for(boot->rig, request, LOAD_LIMIT_NS, &answer, err);
	if (r < 0)
		return r;
	body = step("load");
	msg_set_str(body, "kind", kind);
	msg_set_str(body, "syscall", syscall);
	msg_set_str(body, "cmdline", msg_get_str(answer, "cmdline"));
	msg_set_int(body, "sent_ns", msg_get_int(answer, "sent_ns", -1));
	msg_set_int(body, "received_ns", msg_get_int(answer, "received_ns", -1));
	msg_free(answer);
	return rig_note(boot->rig, "kexec", body, err);
}

static int load_kernel(const struct boot *boot, struct err *err)
{
	const char *append = boot->arm->kexec.append ? boot->arm->kexec.append : "";
	char text[APPEND_SIZE];
	bool memory = boot->payload && !strstr(append, "crashkernel=");
	int n = snprintf(text, sizeof(text), "%s%s%s", append, memory && *append ? " " : "",
			 memory ? PAYLOAD_CRASH_MEMORY : "");

	if (n < 0 || (size_t)n >= sizeof(text))
		return err_set(err, -EINVAL, "append: too long for a command line");
	return load(boot, PAYLOAD_IMAGE, "boot", text, err);
}

static int jump(const struct boot *boot, struct msg **hello, struct err *err)
{
	char boot_id[64];
	const char *before = msg_get_str(*hello, "boot_id");
	struct msg *now, *body;
	int r = rig_ask(boot->rig, rig_request("kexec-boot", NULL), NULL, err);

	if (r < 0)
		return r;
	r = rig_note(boot->rig, "kexec", step("boot"), err);
	if (r < 0)
		return r;
	snprintf(boot_id, sizeof(boot_id), "%s", before ? before : "");
	r = rig_greet_again(boot->rig, boot_id, &now, err);
	if (r < 0)
		return r;
	msg_free(*hello);
	*hello = now;
	body = step("up");
	msg_set(body, "hello", msg_copy(now));
	return rig_note(boot->rig, "kexec", body, err);
}

/* What the image that was booted says of itself, as far as this machine has it. */
static void identify(const struct boot *boot, struct identity *id)
{
	char path[4096];
	int fds[2];

	*id = (struct identity){"", ""};
	fds[0] = open_file(boot, PAYLOAD_IMAGE, NULL);
	/* The cache has the ELF image that a bzImage hides. */
	snprintf(path, sizeof(path), "%s/vmlinux", boot->payload ? boot->payload->kernel_dir : "");
	fds[1] = boot->payload ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		struct stat st;
		void *bytes;

		if (fds[i] < 0)
			continue;
		bytes = fstat(fds[i], &st) == 0 && st.st_size > 0
				? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fds[i], 0)
				: MAP_FAILED;
		close(fds[i]);
		if (bytes == MAP_FAILED)
			continue;
		if (!*id->version)
			(void)kimage_version(bytes, (size_t)st.st_size, id->version);
		if (!*id->build_id)
			(void)kimage_elf_build_id(bytes, (size_t)st.st_size, id->build_id);
		munmap(bytes, (size_t)st.st_size);
	}
}

/* Compares what runs with what was asked for; checked gets what was compared. */
static int verify(const struct boot *boot, const struct msg *hello, struct msg *checked,
		  struct err *err)
{
	const char *release = msg_get_str(hello, "release");
	const char *version = msg_get_str(hello, "version");
	const char *build_id = msg_get_str(hello, "build_id");
	const char *name = boot->arm->name;
	struct identity id;

	if (msg_get_bool(hello, "crash", false))
		return err_set(err, -ENOEXEC, "arm %s: a crash kernel came up instead of %s", name,
			       boot->arm->kernel);
	if (!kimage_release_is(release, boot->arm->kernel))
		return err_set(err, -ENOEXEC,
			       "arm %s asks for kernel %s, after kexec the target runs %s", name,
			       boot->arm->kernel, release);
	if (*boot->arm->kernel)
		msg_add(checked, msg_string("release"));
	identify(boot, &id);
	if (*id.version && !kimage_is(id.version, release, version))
		return err_set(err, -ENOEXEC,
			       "arm %s: the image is \"%s\", after kexec the target runs %s %s",
			       name, id.version, release, version);
	if (*id.version)
		msg_add(checked, msg_string("version"));
	if (*id.build_id && build_id && strcmp(id.build_id, build_id) != 0)
		return err_set(err, -ENOEXEC,
			       "arm %s: the image has build id %s, what runs after kexec has %s",
			       name, id.build_id, build_id);
	if (*id.build_id && build_id)
		msg_add(checked, msg_string("build-id"));
	return 0;
}

static int check_from(const struct boot *boot, const struct msg *hello, struct err *err)
{
	const char *release = msg_get_str(hello, "release"), *from = boot->arm->kexec.from;

	if (!has_file(boot, PAYLOAD_IMAGE))
		return err_set(err, -EINVAL, "arm %s: kexec: image: a real target needs one",
			       boot->arm->name);
	if (from && !kimage_release_is(release, from))
		return err_set(err, -ENOEXEC, "arm %s: kexec from %s: the target runs %s",
			       boot->arm->name, from, release);
	return 0;
}

static int carry_out(const struct boot *boot, struct msg **hello, struct msg *how, struct err *err)
{
	bool crash = has_file(boot, PAYLOAD_CRASH_IMAGE);
	struct msg *checked = msg_array();
	int r = check_from(boot, *hello, err);

	msg_set_str(how, "from", msg_get_str(*hello, "release"));
	msg_set_str(how, "syscall", plan_syscall_name(boot->arm->kexec.syscall));
	if (r == 0)
		r = load_kernel(boot, err);
	if (r == 0)
		r = jump(boot, hello, err);
	if (r == 0)
		r = boot_check_hello(*hello, err);
	if (r == 0)
		r = verify(boot, *hello, checked, err);
	msg_set(how, "checked", checked);
	if (r == 0 && crash)
		r = load(boot, PAYLOAD_CRASH_IMAGE, "crash", NULL, err);
	msg_set_bool(how, "crash_kernel", crash);
	return r;
}

int boot_by_kexec(const struct boot *boot, struct msg **hello, struct msg **how, struct err *err)
{
	int r;

	*how = msg_object();
	r = carry_out(boot, hello, *how, err);
	if (r < 0) {
		msg_free(*how);
		*how = NULL;
	}
	return r;
}

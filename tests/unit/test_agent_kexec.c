/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Command lines, the inbox, and kexec on a machine that is made of scripts. */
#include <errno.h>

#include "agent_fake.h"
#include "inbox.h"
#include "kexec.h"
#include "pack.h"
#include "program.h"
#include "unit.h"

#define SECOND INT64_C(1000000000)

static struct host machine(void)
{
	struct host host = fake_new();

	fake_dir("/run");
	fake_dir("/sbin");
	fake_file("/proc/meminfo", "MemTotal: 999 kB\nMemAvailable:    4096 kB");
	fake_file("/proc/cmdline", "BOOT_IMAGE=/vmlinuz quiet root=/dev/x");
	fake_file("/sys/kernel/kexec_loaded", "0");
	fake_file("/sys/kernel/kexec_crash_loaded", "0");
	return host;
}

static void script(const char *path, const char *text)
{
	char full[PATH_MAX];

	fake_file(path, text);
	fake_full(full, path);
	fake_must(chmod(full, 0700) == 0, full);
}

static void the_next_command_line_is_made_from_the_running_one(void)
{
	static const struct {
		const char *running, *append;
		bool crash;
		const char *made;
	} lines[] = {
		{"quiet root=/dev/x\n", NULL, false, "quiet root=/dev/x " KEXEC_MARK},
		{"BOOT_IMAGE=/v initrd=i a  b", "c=1 d", false, "a b c=1 d " KEXEC_MARK},
		{"a " KEXEC_MARK, "", false, "a " KEXEC_MARK},
		{"crashkernel=64M a", "b", false, "crashkernel=64M a b " KEXEC_MARK},
		{"crashkernel=64M a", "crashkernel=128M", false, "a crashkernel=128M " KEXEC_MARK},
		{"crashkernel=64M a " KEXEC_MARK, NULL, true, "a nr_cpus=1 reset_devices irqpoll"},
		{"x=\"a initrd=b\" initrd=\"c d\" e", NULL, false,
		 "x=\"a initrd=b\" e " KEXEC_MARK},
	};
	char made[KEXEC_CMDLINE_SIZE], longest[KEXEC_CMDLINE_SIZE];

	for (size_t i = 0; i < UNIT_COUNT(lines); i++) {
		CU_ASSERT_EQUAL(
			kexec_cmdline(lines[i].running, lines[i].append, lines[i].crash, made), 0);
		CU_ASSERT_STRING_EQUAL(made, lines[i].made);
	}
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - sizeof(KEXEC_MARK) - 1] = 0;
	CU_ASSERT_EQUAL(kexec_cmdline(longest, NULL, false, made), 0);
	CU_ASSERT_EQUAL(strlen(made), KEXEC_CMDLINE_SIZE - 1);
	CU_ASSERT_EQUAL(kexec_cmdline(longest, "y", false, made), -E2BIG);
}

static struct inbox_file file_of(const char *name, const char *bytes)
{
	struct inbox_file file = {.size = (int64_t)strlen(bytes),
				  .crc32 = pack_crc32(bytes, strlen(bytes))};

	snprintf(file.name, sizeof(file.name), "%s", name);
	return file;
}

static void a_file_arrives_in_parts_and_goes_with_the_session(void)
{
	struct host host = machine();
	struct inbox inbox = {0};
	struct inbox_file file = file_of("image", "0123456789");
	struct err err = {""};
	char path[PATH_MAX];
	bool there = true;

	CU_ASSERT_EQUAL(inbox_put(&inbox, &host, &file, &there, &err), 0);
	CU_ASSERT_FALSE(there);
	CU_ASSERT_EQUAL(inbox_take(&inbox, &host, 0, "0123", 4, &err), 0);
	CU_ASSERT_EQUAL(inbox_take(&inbox, &host, 0, "0123", 4, &err), -ESPIPE);
	CU_ASSERT_EQUAL(inbox_find(&host, "image", path, &err), -ENOENT);
	CU_ASSERT_EQUAL(inbox_take(&inbox, &host, 4, "4567890", 7, &err), -ESPIPE);
	CU_ASSERT_EQUAL(inbox_take(&inbox, &host, 4, "456789", 6, &err), 0);
	CU_ASSERT_STRING_EQUAL(fake_text("/run/coldrig/image"), "0123456789");
	CU_ASSERT_EQUAL(inbox_find(&host, "image", path, &err), 0);
	CU_ASSERT_EQUAL(inbox_take(&inbox, &host, 10, "x", 1, &err), -ENOENT);
	CU_ASSERT_EQUAL(inbox_put(&inbox, &host, &file, &there, &err), 0);
	CU_ASSERT_TRUE(there);
	inbox_clear(&inbox, &host);
	CU_ASSERT_FALSE(host_exists(&host, "/run/coldrig"));
	fake_free();
}

static void a_file_that_was_here_before_is_used_and_stays(void)
{
	struct host host = machine();
	struct inbox inbox = {0};
	struct inbox_file file = file_of("image", "abc\n");
	struct err err = {""};
	bool there = false;
	char dir[PATH_MAX];

	fake_file("/run/coldrig/image", "abc");
	fake_full(dir, "/run/coldrig");
	CU_ASSERT_EQUAL(inbox_put(&inbox, &host, &file, &there, &err), 0);
	CU_ASSERT_TRUE(there);
	inbox_clear(&inbox, &host);
	CU_ASSERT_TRUE(host_exists(&host, "/run/coldrig/image"));
	/* Another one of that name and size is sent. */
	file.crc32++;
	CU_ASSERT_EQUAL(inbox_put(&inbox, &host, &file, &there, &err), 0);
	CU_ASSERT_FALSE(there);
	inbox_clear(&inbox, &host);
	CU_ASSERT_EQUAL(chmod(dir, 0777), 0);
	CU_ASSERT_EQUAL(inbox_put(&inbox, &host, &file, &there, &err), -EPERM);
	fake_free();
}

static void a_damaged_file_is_dropped(void)
{
	struct host host = machine();
	struct inbox inbox = {0};
	struct inbox_file file = file_of("initrd", "0123456789");
	struct err err = {""};
	bool there;

	CU_ASSERT_EQUAL(inbox_put(&inbox, &host, &file, &there, &err), 0);
	CU_ASSERT_EQUAL(inbox_take(&inbox, &host, 0, "0123456780", 10, &err), -EBADMSG);
	CU_ASSERT_FALSE(host_exists(&host, "/run/coldrig/initrd"));
	CU_ASSERT_FALSE(host_exists(&host, "/run/coldrig/initrd.part"));
	CU_ASSERT_EQUAL(inbox_put(&inbox, &host, &file, &there, &err), 0);
	CU_ASSERT_TRUE(host_exists(&host, "/run/coldrig/initrd.part"));
	inbox_clear(&inbox, &host);
	CU_ASSERT_FALSE(host_exists(&host, "/run/coldrig"));
	fake_free();
}

static void what_does_not_fit_or_is_no_name_is_refused(void)
{
	static const struct {
		const char *name;
		int64_t size;
		int code;
	} files[] = {
		{"../etc", 1, -EINVAL},
		{".hidden", 1, -EINVAL},
		{"-p", 1, -EINVAL},
		{"", 1, -EINVAL},
		{"a/b", 1, -EINVAL},
		{"abcdefghijklmnopqrstuvwxyz01234", 1, -EINVAL},
		{"image", 0, -EINVAL},
		{"image", INBOX_BYTES_MAX + 1, -EFBIG},
		{"image", 2048 * 1024 + 1, -ENOSPC}, /* more than half of what is free */
		{"image", 2048 * 1024, 0},
	};
	struct host host = machine();
	struct inbox inbox = {0};

	for (size_t i = 0; i < UNIT_COUNT(files); i++) {
		struct inbox_file file = {.size = files[i].size};
		struct err err = {""};
		bool there;

		snprintf(file.name, sizeof(file.name), "%s", files[i].name);
		CU_ASSERT_EQUAL(inbox_put(&inbox, &host, &file, &there, &err), files[i].code);
	}
	inbox_clear(&inbox, &host);
	fake_free();
}

static void a_program_ends_in_time_or_is_ended(void)
{
	struct host host = machine();
	const char *const none[] = {"nosuch", NULL}, *const slow[] = {"slow", NULL},
			  *const bad[] = {"bad", "x", NULL}, *const good[] = {"good", NULL};
	struct err err = {""};

	script("/sbin/slow", "#!/bin/sh\nsleep 60 & wait");
	script("/sbin/bad", "#!/bin/sh\necho first; printf 'no\\tway %s\\n' \"$1\" >&2; exit 3");
	script("/sbin/good", "#!/bin/sh\nexit 0");
	CU_ASSERT_EQUAL(program_run(&host, none, -1, SECOND, &err), -ENOENT);
	CU_ASSERT_STRING_EQUAL(err.text, "there is no program nosuch on this target");
	CU_ASSERT_EQUAL(program_run(&host, slow, -1, SECOND / 20, &err), -ETIMEDOUT);
	CU_ASSERT_EQUAL(program_run(&host, bad, -1, 20 * SECOND, &err), -EIO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "bad ended with status 3: first no way x"));
	CU_ASSERT_EQUAL(program_run(&host, good, -1, 20 * SECOND, &err), 0);
	fake_free();
}

/* Notes its arguments and plays the kernel. */
static void fake_kexec(void)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "#!/bin/sh\n"
		 "echo \"$*\" >>%s/calls\n"
		 "case \" $* \" in\n"
		 "*' -p -u '*) echo 0 >%s/sys/kernel/kexec_crash_loaded ;;\n"
		 "*' -u '*) echo 0 >%s/sys/kernel/kexec_loaded ;;\n"
		 "*' -p '*) echo 1 >%s/sys/kernel/kexec_crash_loaded ;;\n"
		 "*' -l '*) echo 1 >%s/sys/kernel/kexec_loaded ;;\n"
		 "esac",
		 fake_root, fake_root, fake_root, fake_root, fake_root);
	script("/sbin/kexec", text);
}

static void kernels_are_loaded_and_taken_back(void)
{
	struct host host = machine();
	struct kexec kexec = {0};
	const struct kexec_load boot = {.by_file = true, .image = "/boot/i", .append = "a=b"};
	const struct kexec_load crash = {.crash = true, .image = "/boot/i", .initrd = "/boot/j"};
	char cmdline[KEXEC_CMDLINE_SIZE], wanted[PATH_MAX * 2];
	struct err err = {""};

	fake_kexec();
	CU_ASSERT_EQUAL(kexec_load(&kexec, &host, &boot, cmdline, &err), -ENOENT);
	fake_file("/boot/i", "");
	fake_file("/boot/j", "");
	CU_ASSERT_EQUAL(kexec_check_loaded(&host, &err), -ENOEXEC);
	CU_ASSERT_EQUAL(kexec_load(&kexec, &host, &boot, cmdline, &err), 0);
	CU_ASSERT_STRING_EQUAL(cmdline, "quiet root=/dev/x a=b " KEXEC_MARK);
	snprintf(wanted, sizeof(wanted), "-s -l --command-line=%s --no-checks %s/boot/i", cmdline,
		 fake_root);
	CU_ASSERT_STRING_EQUAL(fake_text("/calls"), wanted);
	CU_ASSERT_EQUAL(kexec_check_loaded(&host, &err), 0);
	fake_unlink("/calls");
	CU_ASSERT_EQUAL(kexec_load(&kexec, &host, &crash, cmdline, &err), 0);
	snprintf(wanted, sizeof(wanted), "-c -p --command-line=%s --initrd=%s/boot/j %s/boot/i",
		 cmdline, fake_root, fake_root);
	CU_ASSERT_STRING_EQUAL(fake_text("/calls"), wanted);
	kexec_unload(&kexec, &host);
	CU_ASSERT_STRING_EQUAL(fake_text("/sys/kernel/kexec_loaded"), "0");
	CU_ASSERT_STRING_EQUAL(fake_text("/sys/kernel/kexec_crash_loaded"), "0");
	fake_unlink("/calls");
	kexec_unload(&kexec, &host); /* what is not loaded is not touched */
	CU_ASSERT_FALSE(host_exists(&host, "/calls"));
	fake_free();
}

static void the_kernel_of_somebody_else_stays_loaded(void)
{
	struct host host = machine();
	struct kexec kexec = {0};
	const struct kexec_load boot = {.image = "/boot/i"};
	char cmdline[KEXEC_CMDLINE_SIZE];
	struct err err = {""};

	fake_kexec();
	fake_file("/boot/i", "");
	fake_file("/sys/kernel/kexec_loaded", "1");
	CU_ASSERT_EQUAL(kexec_load(&kexec, &host, &boot, cmdline, &err), -EBUSY);
	kexec_unload(&kexec, &host);
	CU_ASSERT_FALSE(host_exists(&host, "/calls"));
	fake_free();
}

static void a_load_that_did_nothing_is_found(void)
{
	struct host host = machine();
	struct kexec kexec = {0};
	const struct kexec_load boot = {.image = "/boot/i"};
	char cmdline[KEXEC_CMDLINE_SIZE];
	struct err err = {""};

	script("/sbin/kexec", "#!/bin/sh\nexit 0");
	fake_file("/boot/i", "");
	CU_ASSERT_EQUAL(kexec_load(&kexec, &host, &boot, cmdline, &err), -ENOEXEC);
	fake_free();
}

static void only_a_crash_kernel_has_a_dead_log(void)
{
	struct host host = machine();
	struct err err = {""};
	char *log = NULL;
	size_t n = 0;

	CU_ASSERT_EQUAL(kexec_dead_log(&host, &log, &n, &err), -ENOENT);
	CU_ASSERT_FALSE(kexec_is_crash(&host));
	fake_file("/proc/vmcore", "panic!");
	CU_ASSERT_TRUE(kexec_is_crash(&host));
	CU_ASSERT_EQUAL(kexec_dead_log(&host, &log, &n, &err), -ENOENT);
	CU_ASSERT_STRING_EQUAL(err.text, "there is no program vmcore-dmesg on this target");
	script("/sbin/vmcore-dmesg", "#!/bin/sh\necho aside >&2; exec cat \"$1\"");
	CU_ASSERT_EQUAL_FATAL(kexec_dead_log(&host, &log, &n, &err), 0);
	CU_ASSERT_EQUAL(n, 7);
	CU_ASSERT_EQUAL(memcmp(log, "panic!\n", 7), 0);
	free(log);
	fake_free();
}

static void a_kernel_that_an_agent_booted_is_known_by_its_mark(void)
{
	struct host host = machine();

	CU_ASSERT_FALSE(kexec_was_used(&host));
	fake_file("/proc/cmdline", "a x" KEXEC_MARK " " KEXEC_MARK "ed");
	CU_ASSERT_FALSE(kexec_was_used(&host));
	fake_file("/proc/cmdline", "a " KEXEC_MARK);
	CU_ASSERT_TRUE(kexec_was_used(&host));
	fake_free();
}

static const struct unit_case cases[] = {
	{"the next command line is made from the running one",
	 the_next_command_line_is_made_from_the_running_one},
	{"a file arrives in parts and goes with the session",
	 a_file_arrives_in_parts_and_goes_with_the_session},
	{"a file that was here before is used and stays",
	 a_file_that_was_here_before_is_used_and_stays},
	{"a damaged file is dropped", a_damaged_file_is_dropped},
	{"what does not fit or is no name is refused", what_does_not_fit_or_is_no_name_is_refused},
	{"a program ends in time or is ended", a_program_ends_in_time_or_is_ended},
	{"kernels are loaded and taken back", kernels_are_loaded_and_taken_back},
	{"the kernel of somebody else stays loaded", the_kernel_of_somebody_else_stays_loaded},
	{"a load that did nothing is found", a_load_that_did_nothing_is_found},
	{"only a crash kernel has a dead log", only_a_crash_kernel_has_a_dead_log},
	{"a kernel that an agent booted is known by its mark",
	 a_kernel_that_an_agent_booted_is_known_by_its_mark},
};

int main(void)
{
	return unit_run("agent_kexec", cases, UNIT_COUNT(cases));
}

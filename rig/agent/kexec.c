/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kexec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "inbox.h"
#include "kimage.h"
#include "program.h"
#include "sysfs.h"

/* kexec reads, checks and copies tens of megabytes, on an emulated machine at that. */
#define LOAD_LIMIT_NS  INT64_C(60000000000)
#define QUICK_LIMIT_NS INT64_C(20000000000)
#define LOG_BYTES_MAX  (8 << 20)
#define NOTES_SIZE     8192

/* One CPU, because the others were stopped where they were; and devices that are in any state. */
#define CRASH_WORDS "nr_cpus=1 reset_devices irqpoll"

/* Does a word of a command line begin with one of these? */
static bool begins(const char *word, size_t n, const char *const *heads)
{
	for (; *heads; heads++) {
		size_t length = strlen(*heads);

		if (n >= length && strncmp(word, *heads, length) == 0)
			return true;
	}
	return false;
}

/* The end of a word; blanks in quotes are part of it. */
static size_t word_length(const char *word)
{
	bool quoted = false;
	size_t n = 0;

	for (; word[n] && (quoted || !strchr(" \t\n", word[n])); n++)
		quoted ^= word[n] == '"';
	return n;
}

static int add_words(char cmdline[static KEXEC_CMDLINE_SIZE], const char *words,
		     const char *const *without)
{
	size_t used = strlen(cmdline);

	for (;;) {
		size_t n;

		words += strspn(words, " \t\n");
		n = word_length(words);
		if (n == 0)
			return 0;
		if (!begins(words, n, without)) {
			if (used + n + 2 > KEXEC_CMDLINE_SIZE)
				return -E2BIG;
			if (used)
				cmdline[used++] = ' ';
			memcpy(cmdline + used, words, n);
			used += n;
			cmdline[used] = '\0';
		}
		words += n;
	}
}

int kexec_cmdline(const char *running, const char *append, bool crash,
		  char cmdline[static KEXEC_CMDLINE_SIZE])
{
	static const char *const all[] = {NULL};
	const char *without[] = {"BOOT_IMAGE=", "initrd=", KEXEC_MARK, NULL, NULL};
	int r;

	if (crash || (append && strstr(append, "crashkernel=")))
		without[3] = "crashkernel=";
	cmdline[0] = '\0';
	r = add_words(cmdline, running, without);
	if (r == 0 && append)
		r = add_words(cmdline, append, all);
	return r < 0 ? r : add_words(cmdline, crash ? CRASH_WORDS : KEXEC_MARK, all);
}

static bool is_one(const struct host *host, const char *attribute)
{
	char text[8];

	return sysfs_read(host, text, sizeof(text), "kernel/%s", attribute) == 0 &&
	       strcmp(text, "1") == 0;
}

static int run_load(const struct host *host, const struct kexec_load *load, const char *image,
		    const char *initrd, const char *cmdline, struct err *err)
{
	char initrd_option[PATH_MAX + 16], cmdline_option[KEXEC_CMDLINE_SIZE + 32];
	const char *argv[8] = {"kexec", load->by_file ? "-s" : "-c", load->crash ? "-p" : "-l",
			       cmdline_option};
	size_t n = 4;

	/* What is booted at once need not be added up again; what waits for a panic must be. */
	if (!load->crash)
		argv[n++] = "--no-checks";

	snprintf(cmdline_option, sizeof(cmdline_option), "--command-line=%s", cmdline);
	if (load->initrd) {
		snprintf(initrd_option, sizeof(initrd_option), "--initrd=%s", initrd);
		argv[n++] = initrd_option;
	}
	argv[n++] = image;
	argv[n] = NULL;
	return program_run(host, argv, -1, LOAD_LIMIT_NS, err);
}

static int make_cmdline(const struct host *host, const struct kexec_load *load,
			char cmdline[static KEXEC_CMDLINE_SIZE], struct err *err)
{
	char *running;
	int r = host_read(host, "/proc/cmdline", &running);

	if (r < 0)
		return err_set(err, r, "/proc/cmdline: %s", strerror(-r));
	r = kexec_cmdline(running, load->append, load->crash, cmdline);
	free(running);
	return r < 0 ? err_set(err, r, "the command line would be longer than %d",
			       KEXEC_CMDLINE_SIZE - 1)
		     : 0;
}

int kexec_load(struct kexec *kexec, const struct host *host, const struct kexec_load *load,
	       char cmdline[static KEXEC_CMDLINE_SIZE], struct err *err)
{
	const char *attribute = load->crash ? "kexec_crash_loaded" : "kexec_loaded";
	bool *loaded = load->crash ? &kexec->crash_loaded : &kexec->boot_loaded;
	char image[PATH_MAX], initrd[PATH_MAX];
	int r;

	if (!*loaded && is_one(host, attribute))
		return err_set(err, -EBUSY, "somebody else has loaded a kernel: see kexec -u");
	r = inbox_find(host, load->image, image, err);
	if (r == 0 && load->initrd)
		r = inbox_find(host, load->initrd, initrd, err);
	if (r == 0)
		r = make_cmdline(host, load, cmdline, err);
	if (r == 0)
		r = run_load(host, load, image, initrd, cmdline, err);
	if (r < 0)
		return r;
	*loaded = true;
	if (!is_one(host, attribute))
		return err_set(err, -ENOEXEC, "kexec said nothing, but /sys/kernel/%s is not 1",
			       attribute);
	return 0;
}

static void unload(const struct host *host, bool *loaded, const char *const *argv)
{
	struct err err = {""};

	if (*loaded && program_run(host, argv, -1, QUICK_LIMIT_NS, &err) < 0)
		host_say("%s", err.text);
	*loaded = false;
}

void kexec_unload(struct kexec *kexec, const struct host *host)
{
	static const char *const boot[] = {"kexec", "-u", NULL};
	static const char *const crash[] = {"kexec", "-p", "-u", NULL};

	unload(host, &kexec->boot_loaded, boot);
	unload(host, &kexec->crash_loaded, crash);
}

int kexec_check_loaded(const struct host *host, struct err *err)
{
	return is_one(host, "kexec_loaded") ? 0
					    : err_set(err, -ENOEXEC, "no kernel is loaded to boot");
}

int kexec_boot(const struct host *host, struct err *err)
{
	static const char *const argv[] = {"kexec", "-e", NULL};
	int r;

	sync();
	r = program_run(host, argv, -1, QUICK_LIMIT_NS, err);
	return r < 0 ? r : err_set(err, -EIO, "kexec -e came back");
}

bool kexec_is_crash(const struct host *host)
{
	return host_exists(host, "/proc/vmcore");
}

bool kexec_was_used(const struct host *host)
{
	char *running;
	bool used = false;

	if (host_read(host, "/proc/cmdline", &running) < 0)
		return false;
	for (const char *word = running; *word && !used;) {
		size_t n;

		word += strspn(word, " \t\n");
		n = word_length(word);
		used = n == strlen(KEXEC_MARK) && strncmp(word, KEXEC_MARK, n) == 0;
		word += n;
	}
	free(running);
	return used;
}

int kexec_reboot(const struct host *host, struct err *err)
{
	static const char *const argv[] = {"reboot", "-f", NULL};
	int r;

	sync();
	r = program_run(host, argv, -1, QUICK_LIMIT_NS, err);
	return r < 0 ? r : err_set(err, -EIO, "reboot came back");
}

static int read_back(int fd, char **log, size_t *n, struct err *err)
{
	off_t size = lseek(fd, 0, SEEK_END);
	ssize_t got;

	if (size < 0 || size > LOG_BYTES_MAX)
		return err_set(err, -EFBIG, "the log has %lld bytes, more than %d", (long long)size,
			       LOG_BYTES_MAX);
	*log = host_grow(NULL, (size_t)size + 1, 1);
	got = pread(fd, *log, (size_t)size, 0);
	if (got != size) {
		free(*log);
		return err_set(err, -EIO, "the log cannot be read back");
	}
	*n = (size_t)size;
	return 0;
}

int kexec_dead_log(const struct host *host, char **log, size_t *n, struct err *err)
{
	char vmcore[PATH_MAX];
	const char *argv[] = {"vmcore-dmesg", vmcore, NULL};
	int fd, r;

	if (!kexec_is_crash(host) || host_path(host, vmcore, "/proc/vmcore") < 0)
		return err_set(err, -ENOENT, "this is no crash kernel: there is no /proc/vmcore");
	fd = memfd_create("coldrig-dead-log", MFD_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, "no memory: %s", strerror(errno));
	r = program_run(host, argv, fd, LOAD_LIMIT_NS, err);
	if (r == 0)
		r = read_back(fd, log, n, err);
	close(fd);
	return r;
}

void kexec_build_id(const struct host *host, char *id, size_t size)
{
	char notes[NOTES_SIZE], found[KIMAGE_BUILD_ID_SIZE];
	int n = sysfs_read_bytes(host, notes, sizeof(notes), "kernel/notes");

	id[0] = '\0';
	if (n > 0 && kimage_notes_build_id(notes, (size_t)n, found) == 0)
		snprintf(id, size, "%s", found);
}

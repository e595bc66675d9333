/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "initrd.h"
#include "unit.h"
#include "vlab.h"

static struct lab_slot slots[] = {
	{.device = 5, .card = LAB_CARD_GPU, .channel = 1},
	{.device = 6, .card = LAB_CARD_NIC, .channel = 2},
	{.device = 8, .card = LAB_CARD_NVME, .channel = 3},
};

static const struct lab_virtual tcg = {
	.present = true, .memory_mib = 1024, .cpus = 2, .slots = slots, .slots_n = 3};

static const struct qemu_parts parts = {
	.kernel = "/k/vmlinux",
	.initrd = "/proc/self/fd/9",
	.acpi_table = "/a,b/slots.aml",
	.console_fd = 9,
	.agent_fd = 10,
	.rail_fd = 11,
	.qmp_fd = 12,
	.gdb_fd = -1,
};

/* Does the option come with the value? NULL value: does the option come at all? */
static bool has(char **argv, const char *option, const char *value)
{
	for (; *argv; argv++) {
		if (strcmp(*argv, option) == 0 &&
		    (!value || (argv[1] && strcmp(argv[1], value) == 0)))
			return true;
	}
	return false;
}

static void the_machine_has_what_d3cold_needs(void)
{
	char **argv = qemu_argv(&tcg, &parts);

	CU_ASSERT_PTR_NOT_NULL_FATAL(argv);
	CU_ASSERT_STRING_EQUAL(argv[0], QEMU_PROGRAM);
	CU_ASSERT_TRUE(has(argv, "-M", "q35,kernel-irqchip=split"));
	CU_ASSERT_TRUE(has(argv, "-accel", "tcg,thread=single"));
	CU_ASSERT_TRUE(has(argv, "-device", "intel-iommu,intremap=on,caching-mode=on"));
	CU_ASSERT_TRUE(has(argv, "-device",
			   "pcie-root-port,id=port8,slot=8,chassis=8,addr=08.0,hotplug=off,"
			   "x-speed=5"));
	CU_ASSERT_TRUE(has(argv, "-m", "1024"));
	CU_ASSERT_TRUE(has(argv, "-smp", "2"));
	CU_ASSERT_FALSE(has(argv, "-no-reboot", NULL));
	qemu_argv_free(argv);
}

static void kvm_is_used_only_when_asked_for(void)
{
	struct lab_virtual kvm = tcg;
	char **argv;

	kvm.kvm = true;
	argv = qemu_argv(&kvm, &parts);
	CU_ASSERT_PTR_NOT_NULL_FATAL(argv);
	CU_ASSERT_TRUE(has(argv, "-accel", "kvm"));
	CU_ASSERT_FALSE(has(argv, "-accel", "tcg,thread=single"));
	qemu_argv_free(argv);
}

static void each_card_sits_behind_its_own_port(void)
{
	char **argv = qemu_argv(&tcg, &parts);

	CU_ASSERT_PTR_NOT_NULL_FATAL(argv);
	CU_ASSERT_TRUE(
		has(argv, "-device", "virtio-gpu-pci,id=gpu5,bus=port5,addr=0.0,multifunction=on"));
	CU_ASSERT_TRUE(has(argv, "-device",
			   "virtio-sound-pci,id=sound5,bus=port5,addr=0.1,audiodev=audio5"));
	CU_ASSERT_TRUE(has(argv, "-device", "igb,id=nic6,bus=port6"));
	CU_ASSERT_TRUE(has(argv, "-device", "nvme,id=nvme8,bus=port8,drive=disk8,serial=COLDRIG8"));
	qemu_argv_free(argv);
}

static void an_empty_slot_has_its_port_and_no_card(void)
{
	struct qemu_parts gone = parts;
	char **argv;

	gone.empty = UINT32_C(1) << 6;
	argv = qemu_argv(&tcg, &gone);
	CU_ASSERT_PTR_NOT_NULL_FATAL(argv);
	CU_ASSERT_FALSE(has(argv, "-device", "igb,id=nic6,bus=port6"));
	CU_ASSERT_TRUE(has(argv, "-device",
			   "pcie-root-port,id=port6,slot=6,chassis=6,addr=06.0,hotplug=off,"
			   "x-speed=5"));
	CU_ASSERT_TRUE(has(argv, "-device", "nvme,id=nvme8,bus=port8,drive=disk8,serial=COLDRIG8"));
	qemu_argv_free(argv);
}

static void the_kernel_gets_its_options(void)
{
	char **argv = qemu_argv(&tcg, &parts);
	const char *append = NULL;

	CU_ASSERT_PTR_NOT_NULL_FATAL(argv);
	CU_ASSERT_TRUE(has(argv, "-kernel", "/k/vmlinux"));
	CU_ASSERT_TRUE(has(argv, "-initrd", "/proc/self/fd/9"));
	for (char **arg = argv; *arg; arg++) {
		if (strcmp(*arg, "-append") == 0)
			append = arg[1];
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(append);
	CU_ASSERT_PTR_NOT_NULL(strstr(append, "intel_iommu=on iommu=pt pcie_port_pm=force"));
	CU_ASSERT_PTR_NOT_NULL(strstr(append, "console=ttyS0"));
	qemu_argv_free(argv);
}

static void lines_are_inherited_and_commas_in_paths_survive(void)
{
	char **argv = qemu_argv(&tcg, &parts);

	CU_ASSERT_PTR_NOT_NULL_FATAL(argv);
	CU_ASSERT_TRUE(has(argv, "-chardev", "socket,id=console,fd=9,mux=on"));
	CU_ASSERT_TRUE(has(argv, "-acpitable", "file=/a,,b/slots.aml"));
	CU_ASSERT_TRUE(has(argv, "-chardev", "socket,id=agent,fd=10"));
	CU_ASSERT_TRUE(
		has(argv, "-chardev", "socket,id=rail,fd=11,logfile=/proc/self/fd/2,logappend=on"));
	CU_ASSERT_TRUE(has(argv, "-device", "isa-debugcon,iobase=0x7a0,chardev=rail"));
	CU_ASSERT_TRUE(has(argv, "-chardev", "socket,id=qmp,fd=12"));
	CU_ASSERT_TRUE(has(argv, "-trace", "pci_pm_transition"));
	CU_ASSERT_TRUE(has(argv, "-trace", "pci_cfg_read"));
	CU_ASSERT_TRUE(has(argv, "-d", "invalid_mem"));
	CU_ASSERT_TRUE(has(argv, "-trace", "e1000e_core_write"));
	qemu_argv_free(argv);
}

static void slots_have_the_names_that_the_target_sees(void)
{
	struct lab lab = {.virt = tcg};
	char bdf[BDF_TEXT_SIZE];

	CU_ASSERT_EQUAL(vlab_slot_bdf(&lab, 5, bdf), 0);
	CU_ASSERT_STRING_EQUAL(bdf, "0000:01:00.0");
	CU_ASSERT_EQUAL(vlab_slot_bdf(&lab, 8, bdf), 0);
	CU_ASSERT_STRING_EQUAL(bdf, "0000:03:00.0");
	CU_ASSERT_EQUAL(vlab_slot_bdf(&lab, 7, bdf), -ENODEV);
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs(text, f);
	fclose(f);
}

static void remove_file(const char *dir, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	remove(path);
}

static void archives_are_joined_at_multiples_of_four(void)
{
	char dir[] = "/tmp/coldrig-test-XXXXXX", a[64], b[64], bytes[16];
	const struct initrd_part parts_of_two[] = {INITRD_ARCHIVE(a), INITRD_ARCHIVE(b)};
	int fd;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(a, sizeof(a), "%s/a", dir);
	snprintf(b, sizeof(b), "%s/b", dir);
	write_file(dir, "a", "12345");
	write_file(dir, "b", "abcd");
	fd = initrd_join(parts_of_two, 2, NULL);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(pread(fd, bytes, sizeof(bytes), 0), 12);
	CU_ASSERT_EQUAL(memcmp(bytes, "12345\0\0\0abcd", 12), 0);
	close(fd);
	remove_file(dir, "b");
	CU_ASSERT_EQUAL(initrd_join(parts_of_two, 2, NULL), -ENOENT);
	remove_file(dir, "a");
	rmdir(dir);
}

/* What cpio makes of it is looked at in the lab's tests; here, that the numbers are right. */
static void files_and_directories_become_entries(void)
{
	char dir[] = "/tmp/coldrig-test-XXXXXX", path[64], bytes[512];
	struct initrd_part entries[] = {INITRD_DIRECTORY("run/x"), INITRD_FILE("run/x/a", -1)};
	int in, fd;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a", dir);
	write_file(dir, "a", "12345");
	in = entries[1].fd = open(path, O_RDONLY);
	CU_ASSERT_EQUAL(lseek(in, 3, SEEK_SET), 3); /* read from its begin all the same */
	fd = initrd_join(entries, 2, NULL);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	/* 110 + 6 bytes and no padding; 110 + 8 and 2, then 5 and 3. */
	CU_ASSERT_EQUAL(pread(fd, bytes, sizeof(bytes), 0), 116 + 120 + 8);
	CU_ASSERT_EQUAL(memcmp(bytes, "07070100000000000041c0", 22), 0);
	CU_ASSERT_STRING_EQUAL(bytes + 110, "run/x");
	CU_ASSERT_EQUAL(memcmp(bytes + 116, "0707010000000000008180", 22), 0);
	CU_ASSERT_EQUAL(memcmp(bytes + 116 + 54, "00000005", 8), 0);
	CU_ASSERT_EQUAL(memcmp(bytes + 116 + 94, "00000008", 8), 0);
	CU_ASSERT_STRING_EQUAL(bytes + 116 + 110, "run/x/a");
	CU_ASSERT_EQUAL(memcmp(bytes + 236, "12345\0\0", 8), 0);
	close(fd);
	close(in);
	remove_file(dir, "a");
	rmdir(dir);
}

static void a_kernel_is_found_in_the_cache_or_how_to_get_it_is_said(void)
{
	char dir[] = "/tmp/coldrig-test-XXXXXX", kernels[64], kernel[80];
	struct err err = {""};
	char *found = NULL;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(kernels, sizeof(kernels), "%s/kernels", dir);
	snprintf(kernel, sizeof(kernel), "%s/5.10", kernels);
	mkdir(kernels, 0700);
	mkdir(kernel, 0700);
	setenv("COLDRIG_CACHE", dir, 1);
	write_file(kernel, "vmlinuz", "");
	CU_ASSERT_EQUAL(vlab_kernel_dir("5.10", &found, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "run kernel/fetch 5.10 && kernel/initramfs 5.10"));
	write_file(kernel, "initramfs.cpio", "");
	CU_ASSERT_EQUAL_FATAL(vlab_kernel_dir("5.10", &found, &err), 0);
	CU_ASSERT_STRING_EQUAL(found, kernel);
	free(found);
	CU_ASSERT_EQUAL(vlab_kernel_dir("../5.10", &found, &err), -EINVAL);
	CU_ASSERT_EQUAL(vlab_kernel_dir("", &found, &err), -EINVAL);
	remove_file(kernel, "vmlinuz");
	remove_file(kernel, "initramfs.cpio");
	rmdir(kernel);
	rmdir(kernels);
	rmdir(dir);
}

static void the_cache_is_where_the_scripts_put_it(void)
{
	static const struct {
		const char *own, *xdg, *home, *dir;
	} rows[] = {
		{"/c", "/x", "/h", "/c"},
		{"", "/x", "/h", "/x/coldrig"},
		{"", "", "/h", "/h/.cache/coldrig"},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		char *dir;

		setenv("COLDRIG_CACHE", rows[i].own, 1);
		setenv("XDG_CACHE_HOME", rows[i].xdg, 1);
		setenv("HOME", rows[i].home, 1);
		dir = vlab_cache_dir();
		CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
		CU_ASSERT_STRING_EQUAL(dir, rows[i].dir);
		free(dir);
	}
	setenv("HOME", "", 1);
	CU_ASSERT_PTR_NULL(vlab_cache_dir());
}

static void a_lab_that_cannot_start_says_why_and_leaves_nothing(void)
{
	struct lab lab = {.virt = tcg};
	const struct vlab_options options = {
		.lab = &lab,
		.kernel_dir = "/nonexistent",
		.data_dir = "/nonexistent",
	};
	struct vlab *vlab = NULL;
	struct err err = {""};

	CU_ASSERT_EQUAL(vlab_up(&options, &vlab, &err), -ENOENT);
	CU_ASSERT_PTR_NULL(vlab);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent/initramfs.cpio: cannot be read"));
	vlab_down(NULL);
}

static const struct unit_case cases[] = {
	{"the machine has what D3cold needs", the_machine_has_what_d3cold_needs},
	{"KVM is used only when asked for", kvm_is_used_only_when_asked_for},
	{"each card sits behind its own port", each_card_sits_behind_its_own_port},
	{"an empty slot has its port and no card", an_empty_slot_has_its_port_and_no_card},
	{"the kernel gets its options", the_kernel_gets_its_options},
	{"lines are inherited, and commas in paths survive",
	 lines_are_inherited_and_commas_in_paths_survive},
	{"slots have the names that the target sees", slots_have_the_names_that_the_target_sees},
	{"files and directories become entries", files_and_directories_become_entries},
	{"archives are joined at multiples of four bytes",
	 archives_are_joined_at_multiples_of_four},
	{"a kernel is found in the cache, or how to get it is said",
	 a_kernel_is_found_in_the_cache_or_how_to_get_it_is_said},
	{"the cache is where the scripts put it", the_cache_is_where_the_scripts_put_it},
	{"a lab that cannot start says why and leaves nothing",
	 a_lab_that_cannot_start_says_why_and_leaves_nothing},
};

int main(void)
{
	return unit_run("virtual qemu", cases, UNIT_COUNT(cases));
}

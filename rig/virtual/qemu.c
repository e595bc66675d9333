/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "qemu.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "hwtrace.h"

/*
 * no_timer_check: on a busy host the emulated timer may fail a check at boot that panics.
 * iommu=pt: the host's own DMA goes past the IOMMU, vfio's does not. pcie_port_pm=force: the
 * emulated board's BIOS date is too old for the kernel's liking. quiet: each line costs a
 * millisecond on an emulated serial line; loglevel=5: warnings are for the console. unknown_nmi_panic: the fault target-panic is an NMI.
 * sysrq_always_enabled: recovery uses it, over the console.
 */
#define KERNEL_COMMAND_LINE                                                                        \
	"console=ttyS0 quiet loglevel=5 intel_iommu=on iommu=pt pcie_port_pm=force "               \
	"no_timer_check unknown_nmi_panic sysrq_always_enabled"

/* An idle CPU that spins is only found where its clock ticks; and not after 20 s. */
#define LOCKUP_COMMAND_LINE " nohz=off watchdog_thresh=4"

struct args {
	char **argv;
	size_t n, size;
	bool failed;
};

static void take(struct args *a, char *text)
{
	if (text && a->n + 1 >= a->size) {
		size_t size = a->size ? 2 * a->size : 64;
		char **argv = realloc(a->argv, size * sizeof(*argv));

		if (argv) {
			a->argv = argv;
			a->size = size;
		} else {
			free(text);
			text = NULL;
		}
	}
	if (!text) {
		a->failed = true;
		return;
	}
	a->argv[a->n++] = text;
	a->argv[a->n] = NULL;
}

static void add(struct args *a, const char *text)
{
	take(a, strdup(text));
}

static void addf(struct args *a, const char *option, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void addf(struct args *a, const char *option, const char *format, ...)
{
	char *text;
	va_list ap;

	add(a, option);
	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	take(a, text);
}

/* An option whose last value is a path: in option lists a comma is written twice. */
static void add_path(struct args *a, const char *option, const char *head, const char *path)
{
	size_t n = strlen(head);
	char *text = malloc(n + 2 * strlen(path) + 1);

	add(a, option);
	if (text) {
		memcpy(text, head, n);
		for (; *path; path++) {
			if (*path == ',')
				text[n++] = ',';
			text[n++] = *path;
		}
		text[n] = '\0';
	}
	take(a, text);
}

/* A template of the card table, '@' replaced by the slot. */
static void add_template(struct args *a, const char *template, unsigned slot)
{
	char text[256];
	size_t n = 0;

	for (; *template && n + 1 < sizeof(text); template ++)
		text[n++] = *template == '@' ? (char)('0' + slot % 10) : *template;
	text[n] = '\0';
	add(a, text);
}

/* thread=single: with more threads the emulated IOMMU races, and now and then hangs or aborts. */
static void add_machine(struct args *a, const struct lab_virtual *virt)
{
	static const char *const fixed[] = {
		"-nodefaults", "-no-user-config",
		"-display",    "none",
		"-M",	       "q35,kernel-irqchip=split",
		"-cpu",	       "max",
		"-device",     "intel-iommu,intremap=on,caching-mode=on",
	};

	add(a, QEMU_PROGRAM);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		add(a, fixed[i]);
	addf(a, "-accel", "%s", virt->kvm ? "kvm" : "tcg,thread=single");
	addf(a, "-smp", "%u", virt->cpus);
	addf(a, "-m", "%u", virt->memory_mib);
}

/* x-speed: at the default of 16 GT/s the link never reports itself active, and kernels from
 * 6.1.115 on then take the device for disconnected. */
static void add_slot(struct args *a, const struct lab_slot *slot, bool is_empty)
{
	unsigned n = slot->device;

	addf(a, "-device",
	     "pcie-root-port,id=port%u,slot=%u,chassis=%u,addr=%02x.0,hotplug=off,x-speed=5", n, n,
	     n, n);
	for (const char *const *o = board_card(slot->card)->options; *o && !is_empty; o++)
		add_template(a, *o, n);
}

/*
 * The rail's bytes go to their socket, which tells them at once, and as its log into stderr, where
 * the traces go: there they stand in the order in which the guest did things.
 */
static void add_lines(struct args *a, const struct qemu_parts *parts)
{
	/* Not shared with anything: mux is what makes a break possible. */
	addf(a, "-chardev", "socket,id=console,fd=%d,mux=on", parts->console_fd);
	addf(a, "-device", "isa-serial,chardev=console,index=0");
	addf(a, "-chardev", "socket,id=agent,fd=%d", parts->agent_fd);
	addf(a, "-device", "isa-serial,chardev=agent,index=1");
	addf(a, "-chardev", "socket,id=rail,fd=%d,logfile=/proc/self/fd/2,logappend=on",
	     parts->rail_fd);
	addf(a, "-device", "isa-debugcon,iobase=0x%x,chardev=rail", BOARD_RAIL_PORT);
	addf(a, "-chardev", "socket,id=qmp,fd=%d", parts->qmp_fd);
	addf(a, "-mon", "chardev=qmp,mode=control");
	if (parts->gdb_fd >= 0)
		addf(a, "-chardev", "socket,id=gdb,fd=%d", parts->gdb_fd);
	if (!parts->lines_path)
		return;
	add_path(a, "-chardev", "socket,id=lines,server=on,wait=off,path=", parts->lines_path);
	addf(a, "-mon", "chardev=lines,mode=control");
}

static bool has_lockup(const struct lab_virtual *virt)
{
	for (size_t i = 0; i < virt->faults_n; i++) {
		if (virt->faults[i].kind == LAB_FAULT_SOFT_LOCKUP)
			return true;
	}
	return false;
}

char **qemu_argv(const struct lab_virtual *virt, const struct qemu_parts *parts)
{
	const char *names[HWTRACE_NAMES_MAX];
	size_t names_n = hwtrace_names(virt, names);
	struct args a = {0};

	add_machine(&a, virt);
	addf(&a, "-kernel", "%s", parts->kernel);
	addf(&a, "-initrd", "%s", parts->initrd);
	addf(&a, "-append", "%s%s", KERNEL_COMMAND_LINE,
	     has_lockup(virt) ? LOCKUP_COMMAND_LINE : "");
	add_path(&a, "-acpitable", "file=", parts->acpi_table);
	for (size_t i = 0; i < virt->slots_n; i++)
		add_slot(&a, &virt->slots[i], parts->empty & UINT32_C(1) << virt->slots[i].device);
	if (parts->with_pme_card)
		addf(&a, "-device", "i82550,bus=pcie.0,addr=0a.0");
	add_lines(&a, parts);
	for (size_t i = 0; i < names_n; i++)
		addf(&a, "-trace", "%s", names[i]);
	/* Memory that nothing answers for: a function in D3, for one, decodes none. */
	addf(&a, "-d", "invalid_mem");
	if (a.failed) {
		qemu_argv_free(a.argv);
		return NULL;
	}
	return a.argv;
}

void qemu_argv_free(char **argv)
{
	if (!argv)
		return;
	for (char **arg = argv; *arg; arg++)
		free(*arg);
	free(argv);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "console.h"
#include "unit.h"

#define SECOND INT64_C(1000000000)

/* Lines as kernels write them, each alone. */
/* Lines as kernels print them, and what each is. */
static const struct {
	const char *line;
	enum console_kind kind;
	const char *device;
} troubles[] = {
	{"[    6.229857] Kernel panic - not syncing: NMI: Not continuing", CONSOLE_PANIC, ""},
	{"Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000009", CONSOLE_PANIC,
	 ""},
	{"[   12.1][  T812] BUG: kernel NULL pointer dereference, address: "
	 "0000000000000008",
	 CONSOLE_OOPS, ""},
	{"<1>[  101.5] BUG: unable to handle page fault for address: ffffa3d2c0e01000",
	 CONSOLE_OOPS, ""},
	{"[  101.516161] Oops: 0000 [#1] PREEMPT SMP NOPTI", CONSOLE_OOPS, ""},
	{"[  101.516161] general protection fault, probably for non-canonical address "
	 "0xdead000000000110: 0000 [#1] SMP NOPTI",
	 CONSOLE_OOPS, ""},
	{"[    3.000001] kernel BUG at drivers/pci/msi.c:376!", CONSOLE_OOPS, ""},
	{"[    3.1] BUG: KASAN: slab-use-after-free in vfio_pci_core_ioctl+0x1/0x2", CONSOLE_OOPS,
	 ""},
	{"[    3.1] BUG: sleeping function called from invalid context at kernel/x.c:1",
	 CONSOLE_OOPS, ""},
	{"[    3.1] BUG: KFENCE: use-after-free read in vfio_pci_x+0x1/0x2", CONSOLE_OOPS, ""},
	{"[    3.1] BUG kmalloc-128 (Tainted: G           OE     ): Redzone overwritten",
	 CONSOLE_OOPS, ""},
	{"[    3.1] UBSAN: shift-out-of-bounds in drivers/pci/x.c:12:3", CONSOLE_OOPS, ""},
	{"[  101.516161] Oops: general protection fault, probably for non-canonical "
	 "address "
	 "0xdead00000000010e: 0000 [#1] SMP",
	 CONSOLE_OOPS, ""},
	{"[  101.516161] int3: 0000 [#1] SMP PTI", CONSOLE_OOPS, ""},
	{"[  101.516161] Unable to handle kernel NULL pointer dereference at virtual "
	 "address "
	 "0000000000000018",
	 CONSOLE_OOPS, ""},
	{"[  101.516161] Internal error: synchronous external abort: 0000000096000210 [#1] "
	 "SMP",
	 CONSOLE_OOPS, ""},
	{"[  101.516161] SError Interrupt on CPU2, code 0x00000000be000411 -- SError", CONSOLE_OOPS,
	 ""},
	{"[  101.516161] mce: [Hardware Error]: CPU 7: Machine Check Exception: 5 Bank 6: "
	 "fa00000000010c0f",
	 CONSOLE_OOPS, ""},
	{"[  101.5] irq 18: nobody cared (try booting with the \"irqpoll\" option)",
	 CONSOLE_WARNING, ""},
	{"[  650.1] kmemleak: 4 new suspected memory leaks (see "
	 "/sys/kernel/debug/kmemleak)",
	 CONSOLE_WARNING, ""},
	{"[   44.120000] WARNING: CPU: 1 PID: 812 at drivers/pci/pci.c:2100 pci_x+0x1/0x2",
	 CONSOLE_WARNING, ""},
	{"[   44.120000] WARNING: drivers/pci/pci.c:2100 at pci_x+0x1/0x2, CPU#1: sh/812",
	 CONSOLE_WARNING, ""},
	{"[   21.812] WARNING: possible circular locking dependency detected", CONSOLE_LOCKDEP, ""},
	{"[   21.812] WARNING: possible recursive locking detected", CONSOLE_LOCKDEP, ""},
	{"[   21.812] WARNING: inconsistent lock state", CONSOLE_LOCKDEP, ""},
	{"[   21.812] WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected", CONSOLE_LOCKDEP,
	 ""},
	{"[   21.812] [ BUG: Invalid wait context ]", CONSOLE_LOCKDEP, ""},
	{"[   21.812] WARNING: possible irq lock inversion dependency detected", CONSOLE_LOCKDEP,
	 ""},
	{"[   21.812] WARNING: SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected", CONSOLE_LOCKDEP,
	 ""},
	{"[   21.812] WARNING: bad contention detected!", CONSOLE_LOCKDEP, ""},
	{"[   21.812] WARNING: modprobe/803 still has locks held!", CONSOLE_LOCKDEP, ""},
	{"[   21.812] BUG: MAX_STACK_TRACE_ENTRIES too low!", CONSOLE_LOCKDEP, ""},
	{"[  242.725113] INFO: task kworker/0:1:17 blocked for more than 120 seconds.",
	 CONSOLE_HUNG_TASK, ""},
	{"[  242.725113] INFO: task fio:1409 blocked in I/O wait for more than 122 "
	 "seconds.",
	 CONSOLE_HUNG_TASK, ""},
	{"[   93.000001] BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck "
	 "for 41s!",
	 CONSOLE_HUNG_TASK, ""},
	{"[   16.738543] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [swapper/0:0]",
	 CONSOLE_SOFT_LOCKUP, ""},
	{"[   16.738543] NMI watchdog: Watchdog detected hard LOCKUP on cpu 3", CONSOLE_HARD_LOCKUP,
	 ""},
	{"[   16.738543] watchdog: CPU5: Watchdog detected hard LOCKUP on cpu 5",
	 CONSOLE_HARD_LOCKUP, ""},
	{"[   16.738543] watchdog: CPU 5 self-detected hard LOCKUP @ pci_x+0x1/0x2",
	 CONSOLE_HARD_LOCKUP, ""},
	{"[   60.1] rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { "
	 "2-... "
	 "} 5300 jiffies s: 61 root: 0x4/.",
	 CONSOLE_RCU_STALL, ""},
	{"[   60.1] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", CONSOLE_RCU_STALL, ""},
	{"[   60.1] rcu: INFO: rcu_sched self-detected stall on CPU", CONSOLE_RCU_STALL, ""},
	{"[  310.2] pcieport 0000:00:1c.0: AER: Corrected error received: 0000:01:00.0",
	 CONSOLE_AER, "0000:01:00.0"},
	{"[  310.2] pcieport 0000:00:01.0: AER: Multiple Uncorrected (Fatal) error "
	 "received: 0000:01:00.0",
	 CONSOLE_AER, "0000:01:00.0"},
	{"[  310.2] pcieport 0000:00:01.0: AER: Multiple Corrected error received: "
	 "0000:02:00.1",
	 CONSOLE_AER, "0000:02:00.1"},
	{"[  310.2] pcieport 0000:00:01.0: AER: Multiple Uncorrectable (Non-Fatal) error "
	 "message received from 0000:02:00.0",
	 CONSOLE_AER, "0000:02:00.0"},
	{"[  310.2] nvme 0000:03:00.0: AER: aer_status: 0x00004000, aer_mask: 0x00002000",
	 CONSOLE_AER, "0000:03:00.0"},
	{"[  310.2] pcieport 0000:00:01.0: EDR: EDR event received", CONSOLE_AER, "0000:00:01.0"},
	{"[  310.2] pcieport 0000:00:01.0: AER: Correctable error message received from "
	 "0000:02:00.0",
	 CONSOLE_AER, "0000:02:00.0"},
	{"[  310.2] nvme 0000:03:00.0: PCIe Bus Error: severity=Corrected, "
	 "type=Physical Layer, (Receiver ID)",
	 CONSOLE_AER, "0000:03:00.0"},
	{"[  310.2] pcieport 0000:00:01.0: DPC: containment event, status:0x1f01 "
	 "source:0x0000",
	 CONSOLE_AER, "0000:00:01.0"},
	{"[   88.4] DMAR: [DMA Read NO_PASID] Request device [03:00.0] fault addr 0x7f00 "
	 "[fault reason 0x06] PTE Read access is not set",
	 CONSOLE_IOMMU, "0000:03:00.0"},
	{"[   88.4] DMAR: [DMA Write] Request device [3d:00.1] PASID ffffffff fault addr "
	 "51c2000 [fault reason 05] PTE Write access is not set",
	 CONSOLE_IOMMU, "0000:3d:00.1"},
	{"[   88.4] DMAR: [DMA Read NO_PASID] Request device [0x3d:0x02.0] fault addr "
	 "0x51c2000 [fault reason 0x06] PTE Read access is not set",
	 CONSOLE_IOMMU, "0000:3d:02.0"},
	{"[   88.4] DMAR: [INTR-REMAP] Request device [3d:00.0] fault index 0x1c [fault "
	 "reason 0x26] Blocked an interrupt request due to source-id verification failure",
	 CONSOLE_IOMMU, "0000:3d:00.0"},
	{"[   88.4] DMAR: VT-d detected Invalidation Time-out Error: SID 3d00", CONSOLE_IOMMU, ""},
	{"[   88.4] AMD-Vi: Event logged [IO_PAGE_FAULT device=43:00.0 domain=0x0003 "
	 "address=0x51c2000 flags=0x0030]",
	 CONSOLE_IOMMU, "0000:43:00.0"},
	{"[   88.4] iommu ivhd0: AMD-Vi: Event logged [IOTLB_INV_TIMEOUT "
	 "device=0000:43:00.0 address=0x10051c2000]",
	 CONSOLE_IOMMU, "0000:43:00.0"},
	{"[   88.4] AMD-Vi: Event logged [ILLEGAL_DEV_TABLE_ENTRY device=0000:43:00.0 "
	 "pasid=0x00000 address=0x51c2000 flags=0x0000]",
	 CONSOLE_IOMMU, "0000:43:00.0"},
	{"[   88.4] AMD-Vi: Completion-Wait loop timed out", CONSOLE_IOMMU, ""},
	{"[   88.4] arm-smmu 5000000.iommu: Unhandled context fault: fsr=0x402, "
	 "iova=0x51c2000, fsynr=0x11, cbfrsynra=0x801, cb=3",
	 CONSOLE_IOMMU, ""},
	{"[   88.4] arm-smmu 5000000.iommu: Unexpected global fault, this could be serious",
	 CONSOLE_IOMMU, ""},
	{"[   88.4] arm-smmu-v3 arm-smmu-v3.1.auto: event: F_TRANSLATION client: "
	 "0004:01:00.0 sid: 0x10100 ssid: 0x0 iova: 0x51c2000 ipa: 0x0",
	 CONSOLE_IOMMU, "0004:01:00.0"},
	{"[   88.4] arm-smmu-v3 arm-smmu-v3.1.auto: CMD_SYNC timeout at 0x00000a40 [hwprod "
	 "0x0, hwcons 0x0]",
	 CONSOLE_IOMMU, ""},
	{"[   88.4] nvme 0000:03:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0010 "
	 "address=0xfffffff8 flags=0x0020]",
	 CONSOLE_IOMMU, "0000:03:00.0"},
	{"[   88.4] arm-smmu-v3 arm-smmu-v3.0.auto: event 0x10 received:", CONSOLE_IOMMU, ""},
	{"[    9.9] vfio-pci 0000:03:00.0: Unable to change power state from D3cold to D0, "
	 "device inaccessible",
	 CONSOLE_WAKE_FAILED, "0000:03:00.0"},
	{"[    9.9] vfio-pci 0000:02:00.0: can't change power state from D3cold to D0 "
	 "(config space inaccessible)",
	 CONSOLE_WAKE_FAILED, "0000:02:00.0"},
	{"[    9.9] nvme 0000:03:00.0: not ready 65535ms after resume; giving up",
	 CONSOLE_WAKE_FAILED, "0000:03:00.0"},
	{"[    9.9] igb 0000:02:00.0: not ready 65535ms after FLR; giving up", CONSOLE_WAKE_FAILED,
	 "0000:02:00.0"},
	/* Behind what somebody else wrote and did not end. */
	{"box login: [   42.123456] Kernel panic - not syncing: Fatal exception", CONSOLE_PANIC,
	 ""},
	{"root@box:~# [  242.725113][  T812] INFO: task sh:812 blocked for more than 120 "
	 "seconds.",
	 CONSOLE_HUNG_TASK, ""},
};

static void each_kind_of_trouble_is_known(void)
{
	for (size_t i = 0; i < UNIT_COUNT(troubles); i++) {
		struct console console = {0};
		struct console_event event = {.kind = CONSOLE_KIND_COUNT};

		CU_ASSERT_TRUE(console_take(&console, troubles[i].line, 5, &event));
		if (event.kind != troubles[i].kind)
			printf("\n  %s: %d\n", troubles[i].line, event.kind);
		CU_ASSERT_EQUAL(event.kind, troubles[i].kind);
		CU_ASSERT_EQUAL(event.t_ns, 5);
		CU_ASSERT_STRING_EQUAL(event.device, troubles[i].device);
		CU_ASSERT_TRUE(strstr(troubles[i].line, event.text) != NULL);
		CU_ASSERT_NOT_EQUAL(event.text[0], '<');
	}
}

static void what_only_looks_like_trouble_is_passed_over(void)
{
	static const char *const lines[] = {
		"",
		"[",
		"[    0.000000] Linux version 6.1.0-56-amd64",
		"[    0.5] pcieport 0000:00:05.0: AER: enabled with IRQ 24",
		"[    0.5] pcieport 0000:00:05.0: DPC: enabled with IRQ 24",
		"[    6.229857] ---[ end Kernel panic - not syncing: NMI: Not continuing ]---",
		"[    0.1] Kernel command line: quiet panic=10 hung_task_panic=1",
		"[    0.1] DMAR: IOMMU enabled",
		"[    0.1] DMAR: [Firmware Bug]: RMRR entry for device 03:00.0 is broken",
		"[    0.1] AMD-Vi: Interrupt remapping enabled",
		"[    0.1] nvme 0000:03:00.0: PM: calling pci_pm_resume",
		"[    0.1] NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.",
		"[    0.1] rcu: Hierarchical RCU implementation.",
		"[   11.4] sysrq: Trigger a crash",
		"a person types: the last boot said Kernel panic - not syncing",
		"# echo BUG: not one",
		"box login: [1.5] BUG: not one either",
		"[   88.400000] DMAR: DRHD: handling fault status reg 2",
		"[  310.2] igb 0000:02:00.0: not ready 1023ms after FLR; waiting",
		"[  242.7] INFO: task sh:812 is blocked on a mutex likely owned by task sh:813.",
		"[    0.5] pcieport 0000:00:01.0: AER: enabled with IRQ 121",
		"[   44.1] irq 18: assigned to pcieport",
		"[   44.1] kmemleak: Kernel memory leak detector initialized",
	};
	struct console console = {0};
	struct console_event event;

	for (size_t i = 0; i < UNIT_COUNT(lines); i++) {
		bool taken = console_take(&console, lines[i], 0, &event);

		if (taken)
			printf("\n  %s\n", lines[i]);
		CU_ASSERT_FALSE(taken);
	}
}

static void lines_of_one_report_are_one_event(void)
{
	struct console console = {0};
	struct console_event event;

	CU_ASSERT_TRUE(console_take(
		&console, "[ 1.0] BUG: unable to handle page fault for address: 8", 0, &event));
	CU_ASSERT_FALSE(console_take(&console, "[ 1.0] Oops: 0000 [#1] SMP", SECOND / 10, &event));
	/* A report that is still being written is not a second one, however long it takes. */
	CU_ASSERT_FALSE(
		console_take(&console, "[ 1.0] Oops: 0000 [#1] SMP", SECOND * 19 / 10, &event));
	CU_ASSERT_FALSE(
		console_take(&console, "[ 1.0] Oops: 0000 [#1] SMP", SECOND * 38 / 10, &event));
	CU_ASSERT_TRUE(console_take(&console, "[ 9.0] Oops: 0000 [#2] SMP", 9 * SECOND, &event));
	/* What it leads to is of another kind. */
	CU_ASSERT_TRUE(console_take(&console, "[ 9.0] Kernel panic - not syncing: Fatal exception",
				    9 * SECOND, &event));
	CU_ASSERT_EQUAL(event.kind, CONSOLE_PANIC);
}

static void devices_have_reports_of_their_own(void)
{
	static const char first[] = "[ 1.0] pcieport 0000:00:05.0: AER: Corrected error received: "
				    "0000:01:00.0";
	static const char same[] = "[ 1.0] nvme 0000:01:00.0: PCIe Bus Error: severity=Corrected";
	static const char other[] = "[ 1.0] igb 0000:02:00.0: PCIe Bus Error: severity=Corrected";
	struct console console = {0};
	struct console_event event;

	CU_ASSERT_TRUE(console_take(&console, first, 0, &event));
	CU_ASSERT_FALSE(console_take(&console, same, 1, &event));
	CU_ASSERT_TRUE(console_take(&console, other, 2, &event));
	CU_ASSERT_STRING_EQUAL(event.device, "0000:02:00.0");
}

static void a_long_line_is_cut(void)
{
	struct console console = {0};
	struct console_event event;
	char line[1000] = "[ 1.0] BUG: ";

	memset(line + strlen(line), 'x', sizeof(line) - strlen(line) - 1);
	line[sizeof(line) - 1] = '\0';
	CU_ASSERT_TRUE(console_take(&console, line, 0, &event));
	CU_ASSERT_EQUAL(strlen(event.text), CONSOLE_TEXT_SIZE - 1);
}

static void names_go_there_and_back(void)
{
	enum console_kind kind;

	for (int i = 0; i < CONSOLE_KIND_COUNT; i++) {
		CU_ASSERT_EQUAL(console_kind_parse(console_kind_name((enum console_kind)i), &kind),
				0);
		CU_ASSERT_EQUAL((int)kind, i);
	}
	CU_ASSERT_EQUAL(console_kind_parse("calm", &kind), -EINVAL);
}

static const struct unit_case cases[] = {
	{"each kind of trouble is known", each_kind_of_trouble_is_known},
	{"what only looks like trouble is passed over",
	 what_only_looks_like_trouble_is_passed_over},
	{"lines of one report are one event", lines_of_one_report_are_one_event},
	{"devices have reports of their own", devices_have_reports_of_their_own},
	{"a long line is cut", a_long_line_is_cut},
	{"names go there and back", names_go_there_and_back},
};

int main(void)
{
	return unit_run("console", cases, UNIT_COUNT(cases));
}

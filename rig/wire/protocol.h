/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What controller and agent say to each other; docs/wire.md tells it in prose.
 *
 * Request   {"id":N,"op":"NAME", ...}
 * Answer    {"id":N,"ok":true,"t0_ns":T,"t1_ns":T, ...}   target's CLOCK_MONOTONIC before and after
 * Refusal   {"id":N,"ok":false,"errno":E,"error":"what: why"}
 * Event     {"event":"rpm","bdf":B,"what":W,"t_ns":T}      whenever a watched device changes
 * Event     {"event":"beat","t_ns":T}      a heartbeat, where hello asked for it
 *           {"event":"suite","line":L}, {"event":"suite-end","status":S}
 *
 * One request at a time; events may come between a request and its answer.
 *
 * op        members of the request       members of the answer
 * hello     proto, nonce, quiet_limit_ms proto, nonce, agent, release, version, machine, boot_id,
 *                                        build_id|null (hexadecimal), kexec: an agent booted this
 *                                        kernel, crash: it is a crash kernel
 *           [beat_ms]                    beat_ms: how often it will beat, 0: not at all
 *           The first request; starts a session, ending one that was left open (which is restored).
 *           When nothing is heard for quiet_limit_ms, the agent restores everything by itself.
 * ping      -                            -
 * list      -                            devices: array of DEVICE
 * claim     bdf                          -  do-no-harm check of the whole slot (all functions and
 *                                           their IOMMU group), then remembers all that may change;
 *                                           lets the slot's port go to D3cold (d3cold_allowed=1,
 *                                           power/control=auto there)
 * bind      bdf                          -  all functions of the slot to vfio-pci, with power/wakeup
 *                                           disabled (else the kernel keeps the port powered)
 * unbind    bdf                          -  all functions of the slot from their drivers
 * native    bdf                          driver (or null): the kernel's own choice of driver
 * open      bdf                          -  through vfio (container, group, device), kept open
 * close     bdf                          -
 * power     bdf, state                   -  state: "D0" or "D3hot", written to the register of a
 *                                           function that is open
 * vfs       bdf, count                   vfs: array of BDFs; 0 disables
 * set       bdf, attr, value             -  attr: "d3cold_allowed", "power/control" or
 *                                           "power/wakeup"
 * state     bdf                          STATE
 * watch     bdf                          witness: "tracefs" or "poll", why: reason for polling
 * unwatch   bdf                          -
 * release   bdf                          -  restores the slot as it was at claim
 * suite     -                            -  starts vfio-pm-conformance, which lies beside the
 *                                           agent; no other request that takes a bdf until it ends
 * put       name, size, crc32            there: a file of the inbox; else its bytes are to follow
 * data      at, data (base64)            -  the next bytes of it
 * kexec-load kind, syscall, image,       cmdline: of the kernel that was loaded. kind: "boot" or
 *           [initrd], [append]           "crash"; syscall: "load" or "file"; files by their names
 *                                        in the inbox or absolute paths
 * kexec-boot -                           -  restores all, answers, boots what was loaded
 * dead-log  at                           size, data (base64): in a crash kernel, of the dead one
 * reboot    -                            -  restores all, answers, reboots; only out of a kernel
 *                                           that an agent booted, or a crash kernel
 * bye       -                            -  restores all, ends the session
 *
 * DEVICE {bdf, vendor, device, class, driver|null, port|null, siblings:[bdf], iommu_group|null,
 *         group:[bdf], sriov_total, is_vf, acpi|null (its ACPI path), port_acpi|null,
 *         needed|null: why the machine needs it}
 * STATE  {power_state, runtime_status, control, d3cold_allowed, wakeup, driver|null,
 *         siblings:[{bdf, power_state, runtime_status}],
 *         port: {bdf, power_state, runtime_status, d3cold_allowed, acpi|null}, acpi|null}
 *         acpi: firmware_node/real_power_state, null where the node has no power resources.
 *         Attributes that could not be read are null. STATE waits up to 200 ms for "suspending" and
 *         "resuming" to pass.
 *
 * rpm events, what: "suspend" begins, "suspended" done, "resume" begins, "resumed" done. When
 * polling, only "suspended" and "resumed" come, with "error_ns", the time between two looks.
 *
 * suite events: "line", one line of what it printed. Then one suite-end event: "status" as a shell
 * has it, -1 if it had to be killed.
 */
#ifndef COLDRIG_PROTOCOL_H
#define COLDRIG_PROTOCOL_H

#define PROTOCOL_VERSION 2

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A hand inside the emulated machine, by the emulator's debugger port (GDB remote serial protocol):
 * writes memory where no driver would, while the machine stands still for a few milliseconds.
 */
#ifndef COLDRIG_GDBSTUB_H
#define COLDRIG_GDBSTUB_H

#include <stddef.h>
#include <stdint.h>

/* "$BODY#CC" as it goes over the line; returns its length, 0 if it does not fit. Pure. */
size_t gdbstub_packet(const char *body, char *out, size_t size);

/*
 * Looks for a whole packet among n bytes; its body, cut off at size, to body. Returns the bytes that
 * are used up, 0 if none is whole. A wrong checksum makes an empty body. Pure.
 */
size_t gdbstub_parse(const char *bytes, size_t n, char *body, size_t size);

/* Stops and continues the machine. The line does not block. -ETIMEDOUT, -EPIPE, -EPROTO. */
int gdbstub_stop(int fd);
int gdbstub_go_on(int fd);

/* Every CPU that is in the kernel spins there from now on, with its interrupts as they are. The
 * machine stands still. Returns how many. */
int gdbstub_spin(int fd, unsigned cpus);

/* Writes physical memory as a CPU would, devices included; at most 8 bytes. */
int gdbstub_write_physical(int fd, uint64_t address, const void *bytes, size_t n);

#endif

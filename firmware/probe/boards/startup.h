/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the start-up code, main() and a board agree on. */
#ifndef PROBE_STARTUP_H
#define PROBE_STARTUP_H

#include "probe.h"

/* A register of the microcontroller. */
#define REG(address) (*(volatile uint32_t *)(address))

/* Behind the processor's vectors: one for each interrupt of the board, in their order. */
#define STARTUP_IRQS __attribute__((section(".irqs"), used))

/* Clocks, pins, timers, the serial line, the watchdog; interrupts are off. */
const struct probe_board *board_start(void);

/* The next byte that came over the serial line, -1 if there is none. */
int board_take_byte(void);

/* Bytes as the board's interrupt gets them. */
void startup_received(uint8_t byte);

/* The tick, SysTick of the processor, is at this clock. */
void startup_set_rate(uint32_t clock_hz, uint32_t hz);
void startup_hold(bool hold);
void startup_wait(void);

/* A counter of the board that goes up, wraps at 32 bits, and is asked at least once in between. */
uint32_t board_counter(void);
uint64_t startup_now_us(uint32_t counts_per_us);

/* main()'s. */
void probe_tick(void);

#endif
